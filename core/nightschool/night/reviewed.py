"""Which tasks may be asked of whom: those of a file that nobody has reviewed cost nobody money."""

from dataclasses import replace

from nightschool.models.backends import Backend, BatchBackend
from nightschool.night.bank import BankReport
from nightschool.records import RealTask


def cleared(banked: BankReport, backend: Backend | BatchBackend | None) -> BankReport:
    """Return what a deposit left without the tasks that this backend must not be asked, and say how many there are."""
    if backend is None or backend.batch or not backend.paid:
        return banked
    kept = tuple(task for task in banked.tasks if not isinstance(task, RealTask) or task.reviewed)
    out = len(banked.tasks) - len(kept)
    if not out:
        return banked
    note = f'{out} imported task(s) were not asked: their file does not say "reviewed": true. Review and import it.'
    return replace(banked, tasks=kept, notes=(*banked.notes, note))
