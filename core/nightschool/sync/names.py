"""The names of rules: each means the same words in every proposal, because a rule is adopted by its name."""

from nightschool.night import evidence
from nightschool.night.steps import Steps, all_nights
from nightschool.paths import Home
from nightschool.records import Edit, Proposal

_Words = tuple[str, ...]


class Names:
    """The names that are known in a home. They are looked up once, when the first proposal comes in."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.known: dict[str, _Words] | None = None

    def fit(self, proposal: Proposal) -> bool:
        """Tell whether no rule of a proposal has the name of one with other words; then they are known as well."""
        told = dict(self._known())
        same = all(told.setdefault(rule.edit.id, _words(rule.edit)) == _words(rule.edit) for rule in proposal.rules)
        if same:
            self.known = told
        return same

    def _known(self) -> dict[str, _Words]:
        if self.known is None:
            staged = (Steps(self.home, night.id).found("proposal", Proposal) for night in all_nights(self.home))
            edits = [found.edit for found in evidence.everything(self.home)]
            edits += [rule.edit for proposal in staged if proposal for rule in proposal.rules]
            self.known = {edit.id: _words(edit) for edit in edits}
        return self.known


def _words(edit: Edit) -> _Words:
    """Return what the name of an edit stands for on every machine: its path may differ."""
    return edit.op, *(" ".join(text.split()).casefold() for text in (edit.text, edit.replaces))
