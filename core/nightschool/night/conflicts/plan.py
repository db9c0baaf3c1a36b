"""The plan: every finding once. Safe is an edit that was tried on a scratch tree, and scanned and checked there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nightschool.errors import NightschoolError
from nightschool.night.conflicts.scan import broken, scan
from nightschool.night.conflicts.synthesise import synthesise
from nightschool.night.conflicts.tree import Tree
from nightschool.records import Conflict, ConflictPlan, FileEdit

MOST_TRIED = 50  # edits of one plan; the others wait for the next


@dataclass(frozen=True)
class Trial:
    """Trees and what is wrong in them; `refused` tells why an edit that was tried on them is not safe."""

    trees: tuple[Tree, ...]
    found: tuple[Conflict, ...]
    refused: str = ""

    @classmethod
    def of(cls, trees: Sequence[Tree]) -> "Trial":
        """Scan trees."""
        return cls(tuple(trees), tuple(scan(trees)))

    def apply(self, number: int, edit: FileEdit, finding: str) -> "Trial":
        """Apply an edit to a copy of tree `number`, scan that and check its references.

        `finding` is the id of what the edit is to mend: it must be gone, nothing new may have come, and no reference
        may lead nowhere that led somewhere before. Else the trees come back as they were, with the reason.
        """
        try:
            changed = self.trees[number].with_edit(edit)
        except NightschoolError as error:
            return replace(self, refused=str(error))
        scratch = (*self.trees[:number], changed, *self.trees[number + 1 :])
        dead = {(link.source, link.target, link.kind) for link in broken(self.trees)}
        lost = [link for link in broken(scratch) if (link.source, link.target, link.kind) not in dead]
        if lost:
            why = f"it would break a reference: {lost[0].source}:{lost[0].line} to {lost[0].target}"
            return replace(self, refused=why)
        after = scan(scratch)
        known = {found.id for found in self.found}
        new = [found for found in after if found.id not in known]
        if new:
            return replace(self, refused=f"it would make another conflict: {new[0].category} ({new[0].why})")
        if any(found.id == finding for found in after):
            return replace(self, refused="the finding is still there after it")
        return Trial(scratch, tuple(after))


def plan_of(trees: Sequence[Tree]) -> ConflictPlan:
    """Find, try, and sort into what is safe and what a person decides. Edits are tried one after the other."""
    state = Trial.of(trees)
    safe: list[Conflict] = []
    refused: dict[str, str] = {}
    tried: set[str] = set()
    while len(tried) < MOST_TRIED and (step := _next(state, tried)) is not None:
        finding, number, edit = step
        tried.add(finding.id)
        after = state.apply(number, edit, finding.id)
        if after.refused:
            refused[finding.id] = after.refused
        else:
            state = after
            safe.append(finding.model_copy(update={"edit": edit, "safe": True}))
    # what is still there after all safe edits: one of them may have mended two findings
    human = [found.model_copy(update={"refused": refused.get(found.id, "")}) for found in state.found]
    root = str(trees[0].root) if trees else ""
    return ConflictPlan(root=root, files=sum(len(t.texts) for t in trees), safe=tuple(safe), human=tuple(human))


def _next(state: Trial, tried: set[str]) -> tuple[Conflict, int, FileEdit] | None:
    for finding in state.found:
        if finding.id in tried or finding.category not in {"duplicate", "duplicate_hook", "orphan"}:
            continue
        file = finding.places[0].file
        for number, tree in enumerate(state.trees):
            mine = file.startswith(tree.shown) if tree.shown else not file.startswith("/")
            edit = synthesise(tree, finding) if mine else None
            if edit is not None:
                return finding, number, edit
    return None
