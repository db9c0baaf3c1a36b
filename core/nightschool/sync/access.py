"""Which remotes are taken: private ones, over ways that carry no secret in the clear."""

import re
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from nightschool.errors import NightschoolError, UsageError
from nightschool.sync.programs import GitFailed, environment, git

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(?!//)(.+)")
_PROBE = 15.0  # seconds


def checked(url: str) -> str:
    """Return the URL of a repository when we would go there; a local path becomes absolute. Raises UsageError."""
    if not url or url.startswith("-") or any(ord(char) <= ord(" ") and char != " " for char in url):
        raise UsageError("not the URL of a repository", where=repr(url))
    parts = urlsplit(url)
    if parts.scheme in {"https", "http"}:
        if parts.password is not None or (parts.username and len(parts.username) > 30):  # noqa: PLR2004  a token
            fix = "Leave it out: git asks your own credential helper."
            raise UsageError("a secret stands in the URL", where=parts.hostname, fix=fix)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise UsageError("http would send everything in the clear", where=parts.hostname, fix="Use https or ssh.")
        return url
    if parts.scheme in {"ssh", "file"}:
        return url
    if "://" in url or "::" in url.partition("/")[0].replace("[", "").partition("]")[0]:
        raise UsageError("not a way to a repository", where=url, fix="Use ssh, https, or a directory.")
    if _SCP.fullmatch(url) and not Path(url).expanduser().exists():
        return url
    return str(Path(url).expanduser().absolute())


def check_private(url: str) -> None:
    """Make sure that nobody can read a repository without logging in. Raises NightschoolError when anybody can.

    Git is asked as a stranger would ask: no credentials, no settings of the user's, over https. A server that does not
    answer does not give anything away either.
    """
    public = _https(url)
    if not public:
        return
    with tempfile.TemporaryDirectory() as nobody:
        stranger = environment() | {"HOME": nobody, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
        stranger.pop("XDG_CONFIG_HOME", None)
        try:
            git(None, "-c", "credential.helper=", "ls-remote", "--quiet", "--", public, env=stranger, timeout=_PROBE)
        except GitFailed:
            return
    fix = "Make it private: what your sessions show would be there for everybody."
    raise NightschoolError("anybody can read this repository", where=public, fix=fix)


def _https(url: str) -> str:
    """Return where a repository would be read by everybody; "" for one that has no such place."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        host = parts.netloc.rpartition("@")[2]
        return f"https://{host}{parts.path}"
    if parts.scheme == "ssh" and parts.hostname:
        return f"https://{parts.hostname}/{parts.path.lstrip('/')}"
    found = None if parts.scheme else _SCP.fullmatch(url)
    return f"https://{found[1]}/{found[2].lstrip('/')}" if found and not url.startswith("/") else ""
