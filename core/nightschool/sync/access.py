"""Which remotes are taken: private ones, over ways that carry no secret in the clear."""

import re
import tempfile
from pathlib import Path

from nightschool.errors import NightschoolError, UsageError
from nightschool.sync.programs import GitFailed, environment, git

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(?!//)(.+)")
_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?:(?P<user>[^@/:]*)(?P<password>:[^@/]*)?@)?"
    r"(?P<host>\[[0-9a-f:]+\]|[a-z0-9._-]*)(?P<port>:\d+)?(?P<path>/.*)?",
    re.IGNORECASE,
)
_PROBE = 15.0  # seconds


def checked(url: str) -> str:
    """Return the URL of a repository when we would go there; a local path becomes absolute. Raises UsageError."""
    if not url or url.startswith("-") or any(ord(char) <= ord(" ") and char != " " for char in url):
        raise UsageError("not the URL of a repository", where=repr(url))
    parts = _URL.fullmatch(url)
    scheme = parts["scheme"].lower() if parts else ""
    if parts and scheme in {"https", "http"}:
        if parts["password"] or len(parts["user"] or "") > 30:  # noqa: PLR2004  a token
            fix = "Leave it out: git asks your own credential helper."
            raise UsageError("a secret stands in the URL", where=parts["host"], fix=fix)
        if scheme == "http" and parts["host"].lower() not in _LOOPBACK:
            raise UsageError("http would send everything in the clear", where=parts["host"], fix="Use https or ssh.")
        return url
    if scheme in {"ssh", "file"}:
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
    parts = _URL.fullmatch(url)
    if parts is not None:
        scheme, path = parts["scheme"].lower(), (parts["path"] or "").lstrip("/")
        port = parts["port"] or "" if scheme == "https" else ""
        return f"https://{parts['host']}{port}/{path}" if scheme in {"https", "ssh"} and parts["host"] else ""
    found = _SCP.fullmatch(url)
    return f"https://{found[1]}/{found[2].lstrip('/')}" if found and not url.startswith("/") else ""
