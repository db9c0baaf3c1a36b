"""The content screen: why a rule must be looked at before it may govern an agent.

The screen reads shapes, not intent: a rule against a command is held back like a rule for it. Held back means
quarantined, that is adoptable by its id only, with its origin in view. Each reason stands for one way in which a
poisoned page, log or transcript could reach every later session.

What counts as a shell command: a command line in running text (`COMMAND`, or a known program with an option), and in
a code span or code block a known program with arguments, any word with an option, a script, or whatever "run" or
"execute" precedes. A bare name is a mention: "use pytest", "prefer `ruff`".
"""

import re
import unicodedata
from collections.abc import Iterable

from nightschool.night.rules import screen_orders as orders
from nightschool.night.rules import screen_shapes as shapes
from nightschool.night.rules.hidden import hidden, visible
from nightschool.night.rules.lookalikes import deceives
from nightschool.night.rules.pasted import looks_pasted
from nightschool.records import Quote

MAX_CHARS = 1_000  # a rule is a sentence or two
_FORGED = ("holds hidden", "mixes look-alike", "holds an HTML comment", "speaks as another role")
_PASTED = "looks pasted: a log, a diff, a document"
_OFTEN = 2  # prompts that do not look pasted: a rule stands by these, whatever else was said
_READ = 20_000  # characters looked at; anything over MAX_CHARS is held back anyway


def reasons(text: str) -> tuple[str, ...]:
    """Return why a rule must not be adopted without a look, in plain words; empty when nothing was found."""
    unseen = hidden(text)
    lines = _folded(text[:_READ])
    flat = " ".join(lines.split())
    found = {
        "holds a URL": shapes.URL.search(flat),
        "holds a shell command": _commands(lines),
        "loosens permissions or checks": _loosens(flat),
        "brings another file or address into the document": shapes.BRINGS_IN.search(shapes.SPAN.sub(" ", lines)),
        "reaches outside the project": orders.REACHES_OUT.search(flat),
        "gives something private away": _unless_negated(shapes.GIVES_AWAY, flat) or _unless_negated(orders.SENDS, flat),
        "obeys somebody else": orders.OBEYS.search(flat),
        "keeps the user from being asked or told": orders.SECRETIVE.search(flat),
        "holds encoded text": shapes.ENCODED.search(flat) or orders.ENCODED.search(flat),
        f"holds hidden characters ({', '.join(unseen[:5])})": unseen,
        "mixes look-alike letters": deceives(flat),
        "stands around a secret that was taken out": shapes.CUT_OUT_SECRET.search(flat),
        "holds an HTML comment or a block marker": shapes.MARKED.search(flat),
        "holds markup that acts": orders.MARKUP.search(flat),
        "speaks as another role": shapes.ROLE.search(lines) or orders.ROLE.search(lines),
        "leaves a code block open": open_fence(text.splitlines()),
        f"is longer than {MAX_CHARS:,} characters": len(text) > MAX_CHARS,
    }
    return tuple(reason for reason, is_so in found.items() if is_so)


def beside(quotes: Iterable[Quote]) -> tuple[str, ...]:
    """Return what in the prompts that a rule was taken from looks as if somebody else had written them."""
    told = [(*quote.beside, *foreign(quote.text)) for quote in quotes]
    found = dict.fromkeys(why for each in told for why in each if why != _PASTED)
    typed = [each for each in told if _PASTED not in each]
    if len(typed) < len(told) and len(typed) < _OFTEN:
        found[_PASTED] = None
    return tuple(f"what it was said in {why}" for why in found)


def foreign(prompt: str) -> tuple[str, ...]:
    """Return what in one prompt looks as if somebody else had written it."""
    found = [why for why in reasons(prompt) if why.startswith(_FORGED)]
    return (*found, _PASTED) if looks_pasted(prompt) else tuple(found)


def open_fence(lines: list[str]) -> bool:
    """Tell whether a code fence in `lines` is opened and not closed: it would swallow what follows the rule."""
    fence = ""
    for line in lines:
        found = re.match(r"[ \t]{0,3}(`{3,}|~{3,})(.*)", line)
        if not found:
            continue
        if not fence and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
        elif fence and found[1].startswith(fence) and not found[2].strip():
            fence = ""
    return bool(fence)


def _folded(text: str) -> str:
    """Return the text as it reads: without hidden characters, wide letters and curly quotes plain, blanks single."""
    plain = unicodedata.normalize("NFKC", visible(text)).replace("\u2019", "'")
    return re.sub(r"[^\S\n]+", " ", plain)


def _loosens(text: str) -> bool:
    """Look for orders to loosen something. "Never skip tests" tightens: a negation before it acquits."""
    return bool(shapes.SHAKES_OFF.search(text)) or any(_unless_negated(o.LOOSENS, text) for o in (shapes, orders))


def _unless_negated(shape: re.Pattern[str], text: str) -> bool:
    """Look for a shape in a sentence that has no negation before it."""
    for found in shape.finditer(text):
        sentence = re.split(r"[.!?;:,]", text[max(0, found.start() - 80) : found.start()])[-1]
        if not shapes.NEGATION.search(sentence):
            return True
    return False


def _commands(text: str) -> bool:
    if shapes.COMMAND.search(text) or orders.COMMAND.search(text) or shapes.WITH_OPTION.search(text):
        return True
    for fence in shapes.FENCE.finditer(text):
        if fence[2].lower() in shapes.SHELL_LANGUAGES or any(_is_command(line) for line in fence[3].splitlines()):
            return True
    for span in shapes.SPAN.finditer(text):
        asked = shapes.ASKED_TO_RUN.search(text[max(0, span.start() - 40) : span.start()])
        if _is_command(span[2]) or (asked and re.match(r"[a-z./~$]", span[2].strip())):
            return True
    return False


def _is_command(code: str) -> bool:
    """Tell whether a line of code is a command with arguments, or a script to run."""
    for part in re.split(r"&&|\|\||[|;]", code):
        prompt_off = re.sub(r"^[$>%#] ", "", part.strip())
        words = re.sub(r"^(?:[A-Za-z_]\w{0,60}=\S{0,200} ){1,9}", "", prompt_off).split()
        if not words:
            continue
        if shapes.SCRIPT.fullmatch(words[0]):
            return True
        named = words[0].rsplit("/", 1)[-1] in shapes.PROGRAMS or re.match(r"\.{0,2}/\w", words[0])
        if len(words) > 1 and named:
            return True
        if re.fullmatch(r"[a-z][\w.-]{0,60}", words[0]) and shapes.OPTION.search(" ".join(words)):
            return True
    return False
