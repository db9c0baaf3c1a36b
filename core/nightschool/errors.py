"""What a user can be told: one clear line, and the exit code that goes with it (design §9)."""

DONE, FAILED, USAGE, WAITING, BUDGET = 0, 1, 2, 3, 4


class NightschoolError(Exception):
    """An expected failure: what happened, where, why, and what to do next. Printed without a trace, exit 1.

    `what` is a sentence without a full stop. `where` is a path or a name, `why` the cause, `fix` the next step;
    each may be empty.
    """

    exit_code = FAILED

    def __init__(self, what: str, *, where: object = "", why: object = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.why, self.fix = what, str(where), _reason(why), fix

    def __str__(self) -> str:
        """Give the one line, whatever line breaks and escape characters its parts hold."""
        line = self.what + (f" ({self.where})" if self.where else "") + (f": {self.why}" if self.why else "")
        line = f"{line.rstrip('. ')}. {self.fix}" if self.fix else line
        return " ".join("".join(sign if sign.isprintable() else " " for sign in line).split())


def _reason(why: object) -> str:
    """Return a reason as one would say it: of a record that does not fit, the first fault, and none of its data."""
    faults = getattr(why, "errors", None)
    if not (isinstance(why, ValueError) and callable(faults)):
        return str(why)
    first = faults()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else str(first["msg"])


class UsageError(NightschoolError):
    """The command was not understood; nothing was read or written. Exit 2."""

    exit_code = USAGE


class BusyError(NightschoolError):
    """Another process of ours holds the lock; nothing was begun."""


class WaitingForAnswers(NightschoolError):  # noqa: N818  the night waits: that is a state, not a fault
    """The night has written questions and goes on when they are answered. Exit 3."""

    exit_code = WAITING


class BudgetReached(NightschoolError):  # noqa: N818  a limit kept is not a fault
    """A budget is spent; all work so far is kept. Exit 4."""

    exit_code = BUDGET


class NewerVersion(Exception):  # noqa: N818  a state of the home, not a fault
    """A file was written by a newer Nightschool. No NightschoolError: nobody passes over it as over a damaged file."""

    def __init__(self, where: object, version: int, highest: int) -> None:
        super().__init__(version)
        self.where, self.version, self.highest = where, version, highest

    def told(self) -> NightschoolError:
        """Return it as what the user is told."""
        why = f"it is of version {self.version}, this one reads up to {self.highest}"
        fix = "Nothing was overwritten: update nightschool, then run the same command again."
        return NightschoolError("written by a newer nightschool", where=self.where, why=why, fix=fix)
