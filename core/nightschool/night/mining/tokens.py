# ruff: noqa: RUF001  quotes and full-width marks as people type them
"""Plain tokens of what people write: what two texts are compared by."""

import re
import unicodedata
from itertools import zip_longest

from nightschool.night.mining.plainly import plainly


def straight(text: str) -> str:
    """Return the text with straight apostrophes, at its full length, so that spans stay true."""
    return text.replace("’", "'").replace("‘", "'")


_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_PLACE = re.compile(
    r"https?://\S+|(?<![\w/])(?:~|\.{1,2})?/[\w.@~+-]+(?:/[\w.@~+-]*)*|\b(?:[\w.@-]+/){2,}[\w.@-]+"
    r"|\b[\w-]+\.[a-z]{1,4}[0-9]?\b(?=[\s,;:.!?)`\"']|$)"
)
_WORD = re.compile(
    r"§\w+§|[A-Za-z]\w*(?:\.\w+)+|[぀-ヿ㐀-鿿豈-﫿]+|[^\W\d_぀-鿿豈-﫿]+(?:'[^\W\d_]+)?(?:_\w+)*|\d+(?:[.,]\d+)*|[,.;:!?\n]"
)
_NEGATORS = frozenset(
    """
    no not never without avoid don't dont doesn't nicht nie niemals kein keine keinen ohne pas jamais sans nunca
    sin não sem non mai senza stop neither nor evita evite évite vermeide
    """.split()  # noqa: SIM905  a list would take a line a word
)
_DROPPED = frozenset(
    """
    a an the please pls kindly bitte just
    """.split()  # noqa: SIM905  a list would take a line a word
)
_BREAKS = frozenset(",.;:!?\n")
_REACH = 3  # telling words that a negator reaches
_STOP = frozenset(
    """
    ever i me my we us our you your it its it's this that these those is are be was were to of in on for from with
    by and or at as so do does can could would should will all any each every also always again now unless say
    otherwise if when then than but use using used let's there here what which how instead only must want need
    like der die das ein eine und oder mit für von zu im den dem des immer le la les un une des et ou avec pour du
    de dans toujours el los las una y o con para por en del siempre os as uma e com em do da sempre il lo gli i
    uno ed di della nel per che ich du je tu
    """.split()  # noqa: SIM905  a list would take a line a word
)


def normalise(text: str, *, exact: bool = False) -> tuple[str, ...]:
    """Return the plain tokens of `text`: NFKC, case-folded, singular, in order.

    Numbers become `#`, URLs and file paths `§place§`, fenced code `§code§`, unless `exact`: a rule lives by them,
    and in it two negations that ask are none. Articles and "please" go. A telling word after a negator carries `!`,
    so that "tabs, not spaces" and "spaces, not tabs" differ. Scripts without spaces are cut into pairs of characters.
    """
    plain = unicodedata.normalize("NFKC", straight(text))
    plain = plainly(plain) if exact else _PLACE.sub(" §place§ ", _FENCE.sub(" §code§ ", plain))
    tokens: list[str] = []
    reach = clause = 0
    words = _WORD.findall(plain.casefold())
    for word, following in zip_longest(words, words[1:]):
        if word in _BREAKS:
            reach, clause = 0, len(tokens)
        elif word in _NEGATORS:
            reach = _REACH
            if following == "be":  # "x must not be changed" forbids x
                tokens[clause:] = [t if t in _STOP or t.startswith("!") else f"!{t}" for t in tokens[clause:]]
        elif word not in _DROPPED:
            pieces = _pieces(word, exact=exact)
            tokens += [f"!{token}" if reach and token not in _STOP else token for token in pieces]
            reach = max(0, reach - (word not in _STOP))
    return tuple(tokens)


def _pieces(word: str, *, exact: bool) -> list[str]:
    if word[0].isdigit():
        return [word if exact else "#"]
    if word[0] >= "぀" and word[0] != "§":
        return [word[at : at + 2] for at in range(max(1, len(word) - 1))]
    return [_singular(word)]


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):  # noqa: PLR2004
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):  # noqa: PLR2004
        return word[:-1]
    return word


def content(tokens: tuple[str, ...]) -> frozenset[str]:
    """Return the tokens that tell something: without function words."""
    return frozenset(t for t in tokens if t not in _STOP)


_SAYS_LITTLE = frozenset(
    """
    add append prefix put place set write give make keep stay start begin end finish use use utilise utilize apply
    include insert show state have has need require want get follow respect ensure sure prefer stick remember forget
    replace swap stop quit avoid leave let change touch edit modify alter run execute call do done first last then
    before after until later here there later please anymore more most less least under over exceed within be been
    being own proper properly correct correctly right thing stuff way kind sort format style version form new next
    alway time future already still really every each all none one both must not
    """.split()  # noqa: SIM905  a list would take a line a word
)
_SAME = {"answer": "answer", "reply": "answer", "respond": "answer", "response": "answer", "citation": "cite",
         "indentation": "indent", "logging": "log", "linting": "lint", "linter": "lint"}  # fmt: skip
_ENDINGS = ("ing", "ed")


def gist(tokens: tuple[str, ...]) -> frozenset[str]:
    """Return the stems of what a rule is about, with whether it forbids: without verbs that any rule may be told with.

    Never empty where `content` is not: a rule of such verbs alone keeps them.
    """
    telling = content(tokens)
    stems = frozenset(stem for token in telling if (stem := _stem(token)).lstrip("!") not in _SAYS_LITTLE)
    return stems or telling


def unmarked(tokens: frozenset[str]) -> frozenset[str]:
    """Return tokens without the marks of negation."""
    return frozenset(token.removeprefix("!") for token in tokens)


def _stem(token: str) -> str:
    mark, word = ("!", token[1:]) if token.startswith("!") else ("", token)
    word = _SAME.get(word, word)
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 3 and stem.isalpha():  # noqa: PLR2004
            word = stem[:-1] if len(stem) > 4 and stem[-1] == stem[-2] and stem[-1] not in "ls" else stem  # noqa: PLR2004
            break
    word = word.removesuffix("e") if len(word) > 4 else word  # noqa: PLR2004
    return mark + _SAME.get(word, word)
