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
    sin não sem non mai senza stop neither nor evita evite évite vermeide niente
    pare parem deja dejad dejen smetti smettila arrête arrêtez
    """.split()  # noqa: SIM905  a list would take a line a word
)
_DROPPED = frozenset(
    """
    a an the please pls kindly bitte just
    """.split()  # noqa: SIM905  a list would take a line a word
)
_HALVES, _OTHER_HALVES = frozenset({"ne", "n"}), frozenset({"pas", "jamais", "plus", "rien"})  # "ne modifie jamais"
_ELIDED = re.compile(r"\b(?:(n)|[ldjcsmt]|qu|un|dell|all|nell|dall|sull|quest|quell)'(?=[^\W\d]{2})|'s\b")
_BREAKS = frozenset(",.;:!?\n")
_REACH = 4  # telling words that a negator reaches
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
    words = _WORD.findall(_ELIDED.sub(r"\1 ", plain.casefold()))
    for at, (word, following) in enumerate(zip_longest(words, words[1:])):
        if word in _BREAKS:
            reach, clause = 0, len(tokens)
        elif word in _NEGATORS or (word in _HALVES and not _OTHER_HALVES.isdisjoint(words[at + 2 : at + 5])):
            reach = _REACH
            if following == "be":  # "x must not be changed" forbids x
                tokens[clause:] = [t if t in _STOP or t.startswith("!") else f"!{t}" for t in tokens[clause:]]
        elif word not in _DROPPED:
            pieces = _pieces(word, exact=exact)
            tokens += [f"!{token}" if reach and token not in _STOP else token for token in pieces]
            reach = max(0, reach - (word not in _STOP and word not in _SAYS_LITTLE_ELSEWHERE))
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
    you your me my we our they them their it ever never said say tell told ask again once remember wrong good bad
    because only without have has had will would shall should can could may might much many too
    use using used come goes belong belongs instead rather leave left forgot forgotten missed
    """.split()  # noqa: SIM905  a list would take a line a word
)
_SAYS_LITTLE_ELSEWHERE = frozenset(
    """
    aber als am an auch auf aus bei bis bitte da dann das dass dein deine deiner dem den denn der des die dies diese
    dieser dir doch dich du ein eine einem einen einer er es fehlt fehlen gehört gehören gesagt gib habe hab haben hast
    ich ihr im immer in ist jede jeden jeder jedes ja kann kein keine keinen können lass lassen mach machen man mehr
    mein mich mir mit muss musst müssen nach nein nicht nichts nie niemals noch nur nutze nutzen oder ohne schon
    schreib schreibe schreiben sein sind so sollen sollte sondern statt über um und uns unter verwende verwenden
    vergessen vergiss vom von vor war was wenn werden wie wieder wir wird zu zum zur benutze benutzen gehört stets
    à au aux avec avant ce cela ces cette chaque comme dans de des dit dois doit doivent donc du elle en encore est et
    être être faut fais faire il ils jamais je la le les leur ma mais me mes met mets mettre moi mon ne non nos notre
    nous on ou où oublie oublié par pas place plus pour que qui quoi sa sans se ses si son sont sur ta te tes toi ton
    toujours tous tout toute toutes tu un une utilise utiliser va vas vont veux veut veulent voir vos votre vous déjà
    plaît plait ai aie crée créer ajoute ajouter ailleurs touche toucher
    a al algo ante antes aquí así cada como con cual cuando de debe deben debes del deja dejar desde dicho dije donde
    el ella en entre era es esa ese eso esta está están estas este esto favor ha hace hacer has hay he incluye la las
    le lo los más me mi mis mucho muy nada ni no nos nunca o olvides otra otro para pero por pon poner porque pues que
    qué quiero se sea ser si sí sido siempre sin sobre solo sólo son su sus también te tiene tienen todo todos tu tus
    un una unas uno unos usa usan usar use uses utiliza va van y ya yo proyecto
    ai al alla alle allo anche ancora che chi ci col come con cosa da dal dalla deve devi devono degli dei del dell
    della delle dello detto di dimenticare dimenticato dimentica e è ed essere fa fai fanno fare gli già ha hai hanno
    ho i il in io la le lei lo loro ma mai me metti mettere mi mio mia nei nel nell nella nelle niente no noi non o
    ogni per perché però più poi prima qualcosa quando quello questa questo qui se sei sempre senza serve si sia sono
    sta su sul sulla te ti tu tua tuo tutti tutto un una uno usa usare usarlo usate usi va vanno vi volta avevo favore
    ao aos as até cada com como da das de deve devem dele dela depois do dos e é ela ele em entre era essa esse esta
    está estão este eu falei faça faz fazer foi já isso isto jamais lhe mais mas me meu minha muito na nas não nem no
    nos nós nunca o os ou para pare pela pelo por porque podem pode que quando quero se sem sempre ser seu só são sua
    também te tem têm ter teu tudo um uma umas uns usa usar use utilize você vocês disse esqueceu novo favor precisa
    precisam
    """.split()  # noqa: SIM905  a list would take a line a word
)
_SAME = {
    word: plain
    for plain, words in {
        "answer": "reply respond response", "cite": "citation", "indent": "indentation", "log": "logger",
        "lint": "linter", "environment": "env", "repository": "repo", "folder": "dir directory", "database": "db",
        "message": "msg", "docs": "documentation doc", "config": "configuration conf settings setting",
        "dependency": "dep package pkg library lib", "color": "colour", "behavior": "behaviour",
        "production": "prod", "parameter": "param", "argument": "arg", "variable": "var",
        "function": "func method", "image": "img", "button": "btn",
        "error": "err", "typescript": "ts", "javascript": "js", "python": "py", "information": "info",
        "remove": "delete", "abbreviate": "abbreviation",
    }.items()
    for word in words.split()
}  # fmt: skip
_LITTLE = _SAYS_LITTLE | _SAYS_LITTLE_ELSEWHERE
_INFLECTED = re.compile(r"(?=[^\W\d_]*[aeiouy][^\W\d_]+(?:ing|ed)\Z)([^\W\d_]{3,})(?:ing|(?<!e)ed)\Z")
_DOUBLED = re.compile(r"\w\w([^\W\d_ls])\1\Z")  # "logging", "running"


def gist(tokens: tuple[str, ...]) -> frozenset[str]:
    """Return the stems of what a rule is about, with whether it forbids: without verbs that any rule may be told with.

    Never empty where `content` is not: a rule of such verbs alone keeps them.
    """
    telling = content(tokens)
    stems = frozenset(stem for token in telling if not _is_little(token, stem := _stem(token)))
    return stems or telling


def _is_little(token: str, stem: str) -> bool:
    return not _LITTLE.isdisjoint((token.lstrip("!"), stem.lstrip("!")))


def unmarked(tokens: frozenset[str]) -> frozenset[str]:
    """Return tokens without the marks of negation."""
    return frozenset(token.removeprefix("!") for token in tokens)


def _stem(token: str) -> str:
    mark, word = ("!", token[1:]) if token.startswith("!") else ("", token)
    word = _SAME.get(word, word)
    while (found := _INFLECTED.match(word)) and not found[1].endswith("ee"):
        word = found[1][:-1] if _DOUBLED.search(found[1]) else found[1]
    word = _SAME.get(word, word)
    word = word.removesuffix("e") if len(word) > 3 else word  # noqa: PLR2004
    return mark + _SAME.get(word, word)
