"""Schedulers that are told in a file: systemd's user timers, launchd's agents, the Windows Task Scheduler.

systemd (`Persistent`) and Windows (`StartWhenAvailable`) start a night that was missed as soon as they can; launchd
does so by itself after sleep. All three keep a daily local time where the clock jumps.
"""

import hashlib
import os
import plistlib
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from nightschool.errors import NightschoolError
from nightschool.files import write_whole
from nightschool.paths import Home
from nightschool.schedule import jobs, script
from nightschool.schedule.jobs import Job
from nightschool.schedule.programs import ask, demand

PUBLIC = 0o644  # units are read by the service's own manager


@dataclass(frozen=True)
class Units:
    """One kind of scheduler: the files it wants, and what its program is told."""

    files: Callable[[Home, Job], dict[Path, bytes]]
    start: Callable[[Home, Job], None]
    stop: Callable[[Home, Job], None]
    running: Callable[[Home, Job], bool]


def install(home: Home, job: Job, units: Units) -> Job:
    """Write a job's files and have them read. Raises NightschoolError when a file of that name is somebody else's."""
    old = jobs.find(home, job.id)
    ours = old.files if old else {}
    files = units.files(home, job)
    made = list(old.made_dirs if old else ())
    for path in files:
        if path.exists() and str(path) not in ours:
            raise NightschoolError("there is a file of this name that is not ours", where=path, fix="Move it away.")
        missing = [str(folder) for folder in reversed(path.parents) if not folder.exists()]
        made += [folder for folder in missing if folder not in made]
    for path, data in files.items():
        write_whole(path, data, mode=PUBLIC)
    told = {str(path): hashlib.sha256(data).hexdigest() for path, data in files.items()}
    job = job.model_copy(update={"files": told, "made_dirs": tuple(made)})
    try:
        units.start(home, job)
    except NightschoolError:
        _take_back(job)
        raise
    return job


def remove(home: Home, job: Job, units: Units, tell: Callable[[str], None]) -> None:
    """Stop a job and remove its files; one that was changed by hand stays, and is told of."""
    units.stop(home, job)
    for left in _take_back(job):
        tell(f"{left} was changed by hand and is left; nothing starts it any more")


def _take_back(job: Job) -> list[str]:
    left = []
    for name, digest in job.files.items():
        path = Path(name)
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            left.append(name)
        else:
            path.unlink(missing_ok=True)
    for folder in reversed(job.made_dirs):
        try:
            Path(folder).rmdir()
        except OSError:
            break  # somebody else's files are in it by now
    return left


def _name(job: Job) -> str:
    return f"nightschool-{job.id}"


def _systemd_folder() -> Path:
    told = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(told) if Path(told).is_absolute() else Path.home() / ".config") / "systemd" / "user"


def _systemd_files(home: Home, job: Job) -> dict[Path, bytes]:
    path = str(jobs.script(home, job.id)).replace("\\", "\\\\").replace('"', '\\"')
    path = path.replace("%", "%%").replace("$", "$$")
    told = script.one_line(job).replace("%", "%%")
    service = f"""[Unit]
Description=Nightschool: {told}

[Service]
Type=oneshot
ExecStart=/bin/sh "{path}"
IOSchedulingClass=idle
"""
    timer = f"""[Unit]
Description=Nightschool: {told}

[Timer]
OnCalendar=*-*-* {job.hour:02}:{job.minute:02}:00
Persistent=true

[Install]
WantedBy=timers.target
"""
    folder = _systemd_folder()
    return {folder / f"{_name(job)}.service": service.encode(), folder / f"{_name(job)}.timer": timer.encode()}


def _systemd_start(_home: Home, job: Job) -> None:
    demand("systemctl", "--user", "daemon-reload")
    demand("systemctl", "--user", "enable", "--now", f"{_name(job)}.timer")


def _systemd_stop(_home: Home, job: Job) -> None:
    ask("systemctl", "--user", "disable", "--now", f"{_name(job)}.timer")


def _launchd_files(home: Home, job: Job) -> dict[Path, bytes]:
    told = {
        "Label": _label(job),
        "ProgramArguments": ["/bin/sh", str(jobs.script(home, job.id))],
        "StartCalendarInterval": {"Hour": job.hour, "Minute": job.minute},
        "LowPriorityIO": True,
        "ProcessType": "Background",
    }
    return {Path.home() / "Library" / "LaunchAgents" / f"{_label(job)}.plist": plistlib.dumps(told)}


def _label(job: Job) -> str:
    return f"nightschool.{job.id}"


def _launchd_start(home: Home, job: Job) -> None:
    domain = f"gui/{os.getuid()}"
    ask("launchctl", "bootout", f"{domain}/{_label(job)}")  # an older one of the same job, if any
    demand("launchctl", "bootstrap", domain, str(next(iter(_launchd_files(home, job)))))


def _launchd_stop(_home: Home, job: Job) -> None:
    ask("launchctl", "bootout", f"gui/{os.getuid()}/{_label(job)}")


def _windows_file(home: Home, job: Job) -> Path:
    return jobs.folder(home, job.id) / "task.xml"


def _windows_files(home: Home, job: Job) -> dict[Path, bytes]:
    program, words = script.windows_line(home, job)
    battery = "true" if job.on_battery == "skip" else "false"
    text = f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>{escape(script.one_line(job), quote=False)}</Description></RegistrationInfo>
  <Triggers><CalendarTrigger>
    <StartBoundary>{job.since:%Y-%m-%d}T{job.hour:02}:{job.minute:02}:00</StartBoundary>
    <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>
  </CalendarTrigger></Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>{battery}</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>8</Priority>
  </Settings>
  <Actions><Exec>
    <Command>{escape(program, quote=False)}</Command>
    <Arguments>{escape(words, quote=False)}</Arguments>
    <WorkingDirectory>{escape(job.cwd, quote=False)}</WorkingDirectory>
  </Exec></Actions>
</Task>
"""
    return {_windows_file(home, job): text.encode("utf-16")}


def _windows_start(home: Home, job: Job) -> None:
    demand("schtasks", "/Create", "/TN", f"Nightschool\\{job.id}", "/XML", str(_windows_file(home, job)), "/F")


def _windows_stop(_home: Home, job: Job) -> None:
    ask("schtasks", "/Delete", "/TN", f"Nightschool\\{job.id}", "/F")


SYSTEMD = Units(
    _systemd_files, _systemd_start, _systemd_stop,
    lambda _home, job: ask("systemctl", "--user", "is-enabled", f"{_name(job)}.timer").code == 0,
)  # fmt: skip
LAUNCHD = Units(
    _launchd_files, _launchd_start, _launchd_stop,
    lambda _home, job: ask("launchctl", "print", f"gui/{os.getuid()}/{_label(job)}").code == 0,
)  # fmt: skip
WINDOWS = Units(
    _windows_files, _windows_start, _windows_stop,
    lambda _home, job: ask("schtasks", "/Query", "/TN", f"Nightschool\\{job.id}").code == 0,
)  # fmt: skip
