"""The user's crontab: our lines in, our lines out, and every other byte as it was.

`crontab -l` that fails for any reason but "there is none" says nothing about what the crontab holds, so nothing is
written then. What is written is read back; when it is not what was meant, the bytes from before are put back.

The first line of a job is its time. The second asks in every other hour whether that time was missed, because the
machine slept: cron itself never catches up.
"""

import re
import shlex

from nightschool.errors import NightschoolError
from nightschool.files import write_whole
from nightschool.paths import Home
from nightschool.schedule import jobs, script
from nightschool.schedule.jobs import Job
from nightschool.schedule.programs import ask, demand

LONGEST = 900  # bytes of a command: cron cuts at 998
_NONE = re.compile(r"no crontab for", re.IGNORECASE)


def lines(home: Home, job: Job) -> list[str]:
    """Return a job's lines. The command is one quoted path, in which cron reads `%` as a line break unless escaped."""
    path = shlex.quote(str(jobs.script(home, job.id))).replace("%", "\\%")
    if len(path.encode()) > LONGEST:
        fix = "Point NIGHTSCHOOL_HOME to a shorter path, or use --with systemd."
        raise NightschoolError("the path is too long for a crontab", where=home.schedules, fix=fix)
    others = ",".join(part for part in (_span(0, job.hour - 1), _span(job.hour + 1, 23)) if part)
    return [
        f"# >>> nightschool {job.id}: {script.one_line(job)}",
        f"{job.minute} {job.hour} * * * {path}",
        f"{job.minute} {others} * * * {path} --if-missed",
        f"# <<< nightschool {job.id}",
    ]


def install(home: Home, job: Job) -> Job:
    """Put a job's lines at the end of the crontab, in place of older ones of the same job."""
    before = read()
    others = any(other.made_crontab for other in jobs.all_jobs(home) if other.kind == "cron")
    kept = without(before or b"", home, job.id)
    joint = b"" if not kept or kept.endswith(b"\n") else b"\n"
    _write(home, before, kept + joint + "".join(f"{line}\n" for line in lines(home, job)).encode())
    return job.model_copy(update={"made_crontab": before is None or others})


def remove(home: Home, job: Job) -> None:
    """Take a job's lines out; a crontab that we have made and that holds nothing more goes."""
    before = read()
    if before is None:
        return
    then = without(before, home, job.id)
    if then == before:
        return
    if not then and job.made_crontab:
        _keep(home, before)
        demand("crontab", "-r")
    else:
        _write(home, before, then)


def holds(home: Home, job: Job) -> bool:
    """Tell whether the crontab still starts a job."""
    wanted = {line.encode() for line in lines(home, job)[1:3]}
    return wanted <= set((read() or b"").splitlines())


def without(data: bytes, home: Home, job: str) -> bytes:
    """Return a crontab without the lines of one job: its markers, and whatever starts its script."""
    marker = re.compile(rb"# (?:>>>|<<<) nightschool " + re.escape(job.encode()) + rb"(?::.*)?\r?\n?$")
    path = shlex.quote(str(jobs.script(home, job))).replace("%", "\\%").encode()
    kept = data.splitlines(keepends=True)
    return b"".join(line for line in kept if not marker.match(line) and path not in line)


def read() -> bytes | None:
    """Return the crontab, None when there is none. Raises NightschoolError when that cannot be known."""
    said = ask("crontab", "-l")
    if said.code == 0:
        return said.out
    if _NONE.search(said.err) and not said.out:
        return None
    why = said.err or f"crontab -l ended with exit code {said.code}"
    fix = "Nothing was changed. Mend that, or name another scheduler with --with."
    raise NightschoolError("the crontab cannot be read", where="crontab -l", why=why, fix=fix)


def _write(home: Home, before: bytes | None, then: bytes) -> None:
    """Exchange the crontab, and see that it is what was meant."""
    _keep(home, before)
    if read() != before:
        raise NightschoolError("the crontab is being changed by someone else", fix="Run the same command again.")
    said = ask("crontab", "-", given=then)
    now = read()
    if said.code == 0 and (now or b"") == then:
        return
    if now != before:
        if before is None:
            ask("crontab", "-r")
        else:
            ask("crontab", "-", given=before)
    same = read() == before
    state = "It is as it was before." if same else f"A copy of what it was is {home.schedules / 'crontab.before'}."
    raise NightschoolError("the crontab was not written as it should be", where="crontab -", why=said.err, fix=state)


def _keep(home: Home, before: bytes | None) -> None:
    """Keep a copy of what the user had, should everything else fail."""
    if before:
        write_whole(home.schedules / "crontab.before", before)


def _span(first: int, last: int) -> str:
    if first > last:
        return ""
    return str(first) if first == last else f"{first}-{last}"
