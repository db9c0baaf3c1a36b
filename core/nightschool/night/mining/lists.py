"""Rules that a user states as a Markdown list: one line that says what follows, and each item a rule of its own."""

import re

from nightschool.night.mining.signals import LONGEST, is_order, opens_rules

MOST = 20  # items; a longer list is a document
_LIST = re.compile(
    r"^(?P<lead>[^\n]{1,200}):[ \t]*\n\s*(?P<items>(?:[ \t]*(?:[-*+]|\d{1,2}[.)])[ \t]+[^\n]+(?:\n|\Z))+)", re.MULTILINE
)
_ITEM = re.compile(r"^(?P<deep>[ \t]*)(?:[-*+]|\d{1,2}[.)])[ \t]+(?P<text>[^\n]+?)[ \t]*$", re.MULTILINE)


def listed_rules(prompt: str, *, follows: bool) -> tuple[str, ...]:
    """Return the items of a list of rules, verbatim; () when there is none.

    The line before the list has to correct what the agent did (`follows` tells that it did something) or to speak of
    all times. Every item has to be an order: a list that only tells something is none of rules, and neither is one with
    items below items, for then no item says all by itself.
    """
    if len(prompt) > LONGEST:
        return ()
    for found in _LIST.finditer(prompt):
        items = list(_ITEM.finditer(found["items"]))
        texts = tuple(item["text"] for item in items)
        flat = len({len(item["deep"].expandtabs(4)) for item in items}) == 1
        if flat and len(texts) <= MOST and opens_rules(found["lead"], follows=follows) and all(map(is_order, texts)):
            return texts
    return ()
