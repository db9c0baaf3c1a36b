# ruff: noqa: RUF001, RUF002  these are the letters it warns of
"""Letters of other scripts that a reader takes for Latin ones, and where they stand to deceive.

Within one word with Latin letters, or as a whole word beside Latin ones in a text that has no other word of their
script: "use the сору tool" in an English sentence. Greek counts only where it looks Latin: `Δt` and `µs` are units.
"""

import re

_CYRILLIC = "АВЕЅІЈКМНОРСТУХаеѕіјорсухӏԁһԛԝ"
_GREEK = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγικνορυχϲϳ"
_OTHERS = "օոսցհզգɑɡɩıᴀᴄᴇᴊᴋᴍɴᴏᴘꜱᴛᴜᴠᴡᴢ\u13a0-\u13ff\uab70-\uabbf"  # Armenian, phonetic letters, Cherokee
_WITHIN = re.compile(
    rf"[A-Za-z][{_GREEK}{_OTHERS}\u0400-\u052f]|[{_GREEK}{_OTHERS}\u0400-\u052f][A-Za-z]",
)
_WORD = re.compile(rf"(?<!\w)(?:[{_CYRILLIC}]{{2,60}}|[{_GREEK}]{{2,60}}|[{_OTHERS}]{{2,60}})(?!\w)")
_LATIN = re.compile(r"[A-Za-z]{2}")
_TELLS = re.compile(rf"(?![{_CYRILLIC}{_GREEK}{_OTHERS}])[\u0370-\u052f\u0531-\u058f\u13a0-\u13ff]")


def deceives(text: str) -> bool:
    """Tell whether letters of another script pass for Latin ones in `text`."""
    if text.isascii():
        return False
    whole = _WORD.search(text) and _LATIN.search(text) and not _TELLS.search(text)
    return bool(whole or _WITHIN.search(text))
