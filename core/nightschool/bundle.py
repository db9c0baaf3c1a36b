"""What ships beside the code: hooks, skills and manifests in a checkout or in the wheel, and the sample."""

import os
from pathlib import Path

SAMPLE_HOME = "/home/sam"  # the home in which the shipped sessions were held
SAMPLE_PROJECT = "shop"

_HERE = Path(__file__).resolve().parent


def root() -> Path:
    """Return the folder that holds `hooks/` and `skills/`: the checkout when this is one, else the wheel's copy."""
    checkout = _HERE.parents[1]
    return checkout if (checkout / "hooks" / "harvest").is_file() else _HERE / "_bundle"


def sample() -> Path:
    """Return the folder of the shipped sample."""
    return _HERE / "sample"


def unpack_sample(home: Path) -> Path:
    """Copy the sample's user home into `home`, as if its sessions had been held there; return the project in it."""
    source = sample() / "home"
    for path in sorted(source.rglob("*")):
        target = home / path.relative_to(source)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            here = os.path.realpath(home).encode()
            target.write_bytes(path.read_bytes().replace(SAMPLE_HOME.encode(), here))
    project = home / SAMPLE_PROJECT
    project.mkdir(exist_ok=True)
    return Path(os.path.realpath(project))
