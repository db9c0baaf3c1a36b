"""Which of the literals that searches begin with stand in a text. Most texts hold few of them, large ones too.

Looking a literal up costs a pass over the text, and there are about sixty; so each is looked for once, whoever asks.
"""

from collections.abc import Container

# A literal is not there when a part of it is not that others share, or that is found faster.
_PARTS = {
    "password": "pass",
    "pass ": "pass",
    ",secret": "secret",
    ",token": "token",
    '"kty': "kty",
    'kty\\"': "kty",
    "-----begin ": "----",
    "-----end": "----",
    "---- begin ": "----",
    "--|": "|",
    "-- |": "|",
    "-+-": "+",
    "e\t": "\t",
    "@tcp(": "@",
    "@unix(": "@",
    "d={": "={",
    "code=": "code",
    " codes": "code",
}


class Heads:
    """The literals in a text in lower case."""

    def __init__(self, low: str, absent: Container[str] = ()) -> None:
        """`absent`: literals that are known not to be there."""
        self._known: dict[object, bool] = {}
        self._low, self._absent = low, absent

    def __contains__(self, head: object) -> bool:
        there = self._known.get(head)
        if there is None:
            there = isinstance(head, str) and self._find(head)
            self._known[head] = there
        return there

    def _find(self, head: str) -> bool:
        if head in self._absent or (head in _PARTS and _PARTS[head] not in self):
            return False
        return head in self._low

    def absent(self) -> set[str]:
        """Return what was looked for in vain."""
        return {str(head) for head, there in self._known.items() if not there}
