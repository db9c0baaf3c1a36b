"""A key for one repository: made by ssh-keygen, readable by its owner alone, and used for nothing else."""

import contextlib
import shlex
from pathlib import Path

from nightschool.errors import NightschoolError
from nightschool.files import PRIVATE_FILE, private_dir
from nightschool.paths import Home
from nightschool.sync.programs import GitFailed, environment, run


def key(home: Home) -> Path:
    """Return where the private key lies; the public one lies beside it as `.pub`."""
    return home.sync / "deploy_key"


def made(home: Home) -> str:
    """Return the public key; the pair is made when there is none. Raises NightschoolError without ssh-keygen."""
    path = key(home)
    if not path.exists():
        private_dir(path.parent)
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "nightschool", "-f", str(path)]
        try:
            run(argv, env=environment(), timeout=60)
        except GitFailed as error:
            raise NightschoolError("no key could be made", where=path, why=error.said) from error
    path.chmod(PRIVATE_FILE)
    with contextlib.suppress(OSError):
        path.with_suffix(".pub").chmod(PRIVATE_FILE)
    return path.with_suffix(".pub").read_text(encoding="utf-8").strip()


def ssh(home: Home) -> str:
    """Return how ssh is called with this key, no other, no agent, and hosts remembered in our own home.

    The first time a host is met its key is remembered; another one later is refused.
    """
    path, known = key(home), home.sync / "known_hosts"
    if path.exists() and path.stat().st_mode & 0o077:
        path.chmod(PRIVATE_FILE)
    options = ["IdentitiesOnly=yes", "IdentityAgent=none", "BatchMode=yes", "ConnectTimeout=10",
               "StrictHostKeyChecking=accept-new", f'UserKnownHostsFile="{known}"', "ForwardAgent=no"]  # fmt: skip
    words = ["ssh", "-i", str(path), *(word for option in options for word in ("-o", option))]
    return " ".join(shlex.quote(word) for word in words)
