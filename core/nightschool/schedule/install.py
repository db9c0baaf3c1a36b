"""Schedule and unschedule: one job for a project and scope, in whichever scheduler the machine has."""

import hashlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from nightschool.errors import NightschoolError
from nightschool.files import private_dir, single_flight, write_whole
from nightschool.paths import Home
from nightschool.schedule import crontab, jobs, script, units
from nightschool.schedule.jobs import Job, Kind
from nightschool.schedule.programs import ask, there_is

LOCK_WAIT = 30.0  # seconds
EXECUTABLE = 0o700
_UNITS = {"systemd": units.SYSTEMD, "launchd": units.LAUNCHD, "windows": units.WINDOWS}
# where programs look for themselves and for their settings; TZ is left out: a night is due on the machine's clock
_KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|XDG_\w+|VIRTUAL_ENV|PYTHONPATH|NIGHTSCHOOL_\w+|\w+_HOME|\w+_CONFIG_DIR"
    r"|(?i:https?_proxy|no_proxy|all_proxy)|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS"
)
_KEY = re.compile(r"\w*(KEY|TOKEN|SECRET|PASSWORD)\w*", re.IGNORECASE)


def chosen(named: str) -> Kind:
    """Return the scheduler to use: the one named, or the one this machine has. Raises NightschoolError without one."""
    for kind in ("cron", "systemd", "launchd", "windows"):
        if named == kind:
            return kind
    if sys.platform == "darwin":
        return "launchd"
    if sys.platform == "win32":
        return "windows"
    if there_is("systemctl") and ask("systemctl", "--user", "show-environment").code == 0:
        return "systemd"
    if there_is("crontab"):
        return "cron"
    fix = "Install cron, or let a CI run it: nightschool schedule --with ci prints a workflow."
    raise NightschoolError("there is no scheduler here", why="neither systemctl --user nor crontab works", fix=fix)


def job_id(project: str, scope: str) -> str:
    """Return the id of a project's job; the same project and scope is the same job."""
    words = re.sub(r"[^a-z0-9]+", "-", Path(project).name.casefold()).strip("-")[:30]
    digest = hashlib.sha256(f"{scope}\0{project}".encode()).hexdigest()[:8]
    return f"{words or 'project'}-{digest}"


def environment(environ: dict[str, str], home: Home, named: tuple[str, ...] = ()) -> dict[str, str]:
    """Return what a night keeps of the environment: where things are, and what the user named. Keys only by name."""
    missing = [name for name in named if name not in environ]
    if missing:
        raise NightschoolError("there is no such variable to keep", where=", ".join(missing))
    kept = {k: v for k, v in environ.items() if k in named or (_KEPT.fullmatch(k) and not _KEY.fullmatch(k))}
    return kept | {"NIGHTSCHOOL_HOME": str(home.root)}


def left_keys(environ: dict[str, str], kept: dict[str, str]) -> list[str]:
    """Return the names of variables that look like a model's key and are not kept."""
    return sorted(name for name in environ if name.endswith(("_API_KEY", "_AUTH_TOKEN")) and name not in kept)


def command() -> tuple[str, ...]:
    """Return how this very nightschool is called, in absolute paths."""
    return (os.path.abspath(sys.executable), "-m", "nightschool")  # noqa: PTH100  a venv's link stays a link


def add(home: Home, job: Job, tell: Callable[[str], None]) -> Job:
    """Schedule a job, in place of an older one for the same project. Nothing is scheduled when it raises."""
    _check(job)
    with single_flight(home.root / "schedule.lock", "scheduling", wait=LOCK_WAIT):
        old = jobs.find(home, job.id)
        private_dir(jobs.folder(home, job.id))
        # the job is on record before its scheduler is told: what a crash leaves can be taken back
        known = {"files", "made_dirs", "made_crontab"}
        jobs.save(home, job.model_copy(update=old.model_dump(include=known) if old else {}))
        _write_script(home, job)
        try:
            done = _install(home, old, job)
        except BaseException:
            if old is None:
                jobs.discard(home, job.id)
            else:
                jobs.save(home, old)
                _write_script(home, old)
            raise
        jobs.save(home, done)
        if old is not None and old.kind != job.kind:
            _remove(home, old, tell)
        return done


def _install(home: Home, old: Job | None, job: Job) -> Job:
    if job.kind == "cron":
        made = crontab.install(home, job)
        return made.model_copy(update={"made_crontab": old.made_crontab}) if old and old.kind == "cron" else made
    return units.install(home, job, _UNITS[job.kind])


def remove(home: Home, wanted: list[Job], tell: Callable[[str], None]) -> None:
    """Unschedule jobs. Raises NightschoolError, with the job still on record, when its scheduler refuses."""
    with single_flight(home.root / "schedule.lock", "unscheduling", wait=LOCK_WAIT):
        for job in wanted:
            _remove(home, job, tell)
            jobs.discard(home, job.id)


def installed(home: Home, job: Job) -> bool | None:
    """Tell whether the scheduler still knows a job; None when it does not say."""
    try:
        if job.kind == "cron":
            return crontab.holds(home, job)
        return _UNITS[job.kind].running(home, job)
    except NightschoolError:
        return None


def _remove(home: Home, job: Job, tell: Callable[[str], None]) -> None:
    if job.kind == "cron":
        crontab.remove(home, job)
    else:
        units.remove(home, job, _UNITS[job.kind], tell)


def _write_script(home: Home, job: Job) -> None:
    write_whole(jobs.script(home, job.id), script.text(home, job).encode(), mode=EXECUTABLE)


def _check(job: Job) -> None:
    """Refuse what no scheduler's file can hold."""
    told = [*job.flags, *job.command, job.cwd, *job.environ.values()]
    for text in told:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise NightschoolError("a path is not UTF-8: it cannot be scheduled", where=repr(text)) from error
    for text in (*job.command, job.cwd, *job.flags, job.environ["NIGHTSCHOOL_HOME"]):
        if any(ord(char) < ord(" ") for char in text):
            raise NightschoolError("a path holds a line break or control character", where=repr(text))
