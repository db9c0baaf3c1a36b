"""When a night is due: arithmetic on the local clock, safe where the clock jumps.

A night belongs to a local date. On the day the clock jumps over its minute it is due right after the jump; on the day
its minute comes twice, the first one counts.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo

AGAIN = timedelta(hours=3)  # a scheduler that fires twice where the clock is put back means one night


def last_due(now: datetime, hour: int, minute: int, zone: tzinfo | None = None) -> datetime:
    """Return the newest instant, at or before `now`, at which a daily night was due. `zone`: None is the machine's."""
    today = now.astimezone(zone).date()
    due = _instant(today, hour, minute, zone)
    return due if due <= now else _instant(today - timedelta(days=1), hour, minute, zone)


def next_due(now: datetime, hour: int, minute: int, zone: tzinfo | None = None) -> datetime:
    """Return the first instant after `now` at which a daily night is due, in UTC."""
    today = now.astimezone(zone).date()
    due = _instant(today, hour, minute, zone)
    return due if due > now else _instant(today + timedelta(days=1), hour, minute, zone)


def missed(now: datetime, since: datetime, hour: int, minute: int, zone: tzinfo | None = None) -> bool:
    """Tell whether a night was due after `since`, the last that ran, and has not run."""
    return last_due(now, hour, minute, zone) > since


def _instant(day: date, hour: int, minute: int, zone: tzinfo | None) -> datetime:
    """Return a local time as an instant in UTC; one that the clock jumps over lies as far behind the jump."""
    local = datetime(day.year, day.month, day.day, hour, minute, fold=0)  # noqa: DTZ001  its zone comes next
    # without a zone astimezone() takes the machine's own, which is what is wanted
    return (local.astimezone() if zone is None else local.replace(tzinfo=zone)).astimezone(UTC)
