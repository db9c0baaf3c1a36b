"""Literals: the pieces of a rule that an answer shows, or must not show, letter for letter or in their shape.

They are marked as such (backticks, quotation marks), look like code (symbols, capitals with a number), or name a known
tool in a sentence about tools.
"""

import re
from typing import NamedTuple

MARK = "\ue000"
"""Stands around a literal's number in the text that is left when literals are masked."""

LIT = rf"{MARK}(\d+){MARK}"


class Literal(NamedTuple):
    """One literal of a rule."""

    text: str
    quoted: bool  # in quotation marks, which may be mere emphasis
    regex: str = ""  # when what an answer shows is a shape, not these characters
    topic: bool = False  # the only tool that is named: what it is about, if it describes something


TOOLS = frozenset(
    """
    pytest unittest nose doctest ruff black flake8 pylint mypy pyright isort uv pip pipenv poetry conda npm pnpm
    yarn bun deno cargo jest vitest mocha jasmine cypress playwright selenium axios lodash moment dayjs jquery
    pandas polars numpy matplotlib plotly tox nox curl wget ripgrep kubectl docker podman terraform ansible
    pathlib argparse click typer fastapi flask django httpx aiohttp urllib sqlalchemy psycopg pydantic dataclasses
    attrs loguru structlog redux zustand mobx eslint prettier biome logging print webpack vite rollup esbuild
    tailwind gradle maven junit testng mockito rspec minitest bundler phpunit composer printf println console.log
    tokio serde anyhow thiserror unwrap gofmt testify zod yup joi knex prisma typeorm sequelize mongoose express
    koa
    """.split()  # noqa: SIM905  a list would take a line a word
)
_CAPITALS = frozenset(
    """
    LIMIT WHERE HAVING RETURNING DISTINCT OFFSET TODO FIXME XXX HACK WIP NULL CASCADE EXPLAIN ROLLBACK COMMIT
    BEGIN
    """.split()  # noqa: SIM905  a list would take a line a word
)
_STYLES = frozenset(
    """
    snake_case camelCase kebab-case PascalCase SCREAMING_SNAKE_CASE UPPER_CASE lower_case dot.case
    """.split()  # noqa: SIM905  a list would take a line a word
)
_SHOWN_BY = {  # how an answer shows a tool that it need not name, or that is also an English word
    "pytest": r"\bpytest\b|\bdef test_\w*\((?!self\b)",
    "logging": r"\blogg(?:ing|er)\b",
    "print": r"\bprint\(",
    "structlog": r"\bstructlog\b|\blog(?:ger)?\.[a-z]+\(",
    "loguru": r"\bloguru\b|\blogger\.[a-z]+\(",
}
PROSE = frozenset(
    """
    any all let for if in is not and or this self new with as else while from to do on it the a
    """.split()  # noqa: SIM905  a list would take a line a word
)  # code, and prose
_FIELDS = {
    "year": r"\d{4}",
    "page": r"\d+",
    "line": r"\d+",
    "number": r"\d+",
    "no": r"\d+",
    "date": r"\d{4}-\d{2}-\d{2}",
}
_FIELD_NAMES = frozenset(
    {*_FIELDS, "author", "authors", "source", "title", "name", "file", "journal", "publisher", "url", "link", "doi"}
)

_PARTS = "YYYY|JJJJ|AAAA|YY|AA|DD|TT|JJ|GG|MM"  # of dates, in six languages
_DATE = rf"\b(?:{_PARTS})(?:[-/.](?:{_PARTS})){{2}}\b"
_LITERAL = re.compile(
    r"(?P<tick>`+[^`]+`+|```)|(?P<quote>\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”|„[^“”\n]{1,80}[“”]|«[^»\n]{1,80}»"
    r"|(?<!\w)'[^'\n]{1,80}'(?!\w))"
    r"|(?P<tex>\\[A-Za-z]+(?:\{[^{}]*\})?)|(?P<box>\[[^\[\]\n]{1,60}\]|\((?=[A-Z])[^()\n]{1,60}\))"
    r"|(?P<date>" + _DATE + r")|(?P<caps>\b[A-Z]{2,}(?: (?:[A-Z]{2,}|\d+))+\b)"
    r"|(?P<flag>(?<!\S)--?[a-zA-Z][\w-]*|(?<!\S)@[\w.]+)"
    r"|(?P<slash>\b[a-z]{2,}/[a-z]{2,}\b(?![/.]))|(?P<id>[A-Za-z_]\w*(?:(?:\.|::|->|_)\w+)+(?:\(\))?|\b\w+\(\)"
    r"|\b[a-z]+[A-Z]\w*|\b[A-Z]+-\d+\b|[A-Z]+;[A-Z]+)"
    r"|(?P<sym>===|!==|=>|(?<!\S)(?:==|!=|&&|\|\|)(?!\S))|(?P<word>[A-Za-z][\w-]*)"
)


def mask(text: str) -> tuple[str, list[Literal]]:
    """Return the text with each literal replaced by its number between two `MARK`s, and the literals."""
    found: list[Literal] = []
    tools = {w.casefold().rstrip(".,;:") for w in text.split()} & TOOLS

    def replace(match: re.Match[str]) -> str:
        literal = _literal(match, tools=len(tools))
        if literal is None:
            return match.group()
        found.append(literal)
        return f"{MARK}{len(found) - 1}{MARK}"

    return _LITERAL.sub(replace, text), found


def _literal(match: re.Match[str], *, tools: int) -> Literal | None:  # noqa: PLR0911  one return a kind
    kind, text = match.lastgroup or "", match.group()
    if kind in {"tick", "quote"}:
        inner = text.strip("`") or text if kind == "tick" else text[1:-1]
        shown = _SHOWN_BY.get(inner, "") if kind == "tick" else ""
        return Literal(inner.strip() or inner, kind == "quote", shown or _template(inner.strip()))
    if kind == "date":
        return Literal(text, quoted=False, regex=_template(text))
    if kind == "tex":
        return Literal(text.split("{")[0] + ("{" if "{" in text else ""), quoted=False)
    if kind == "box":
        shape = _template(text)
        return (
            Literal(text, quoted=False, regex=shape) if shape or re.fullmatch(r"\[[A-Z][A-Z0-9 -]+\]", text) else None
        )
    if kind == "slash":
        either = text.split("/")
        return Literal(text, False, rf"\b(?:{'|'.join(either)})\b") if either == ["async", "await"] else None
    if kind == "word":
        return _named(text, tools)
    return None if text in _STYLES else Literal(text, quoted=False)


def _named(word: str, tools: int) -> Literal | None:
    if word in _CAPITALS:
        return Literal(word, quoted=False)
    if tools and word.casefold() in TOOLS:
        return Literal(word.casefold(), False, _SHOWN_BY.get(word.casefold(), ""), topic=tools == 1)
    return None


def _template(text: str) -> str:
    """Return the regex of a placeholder text such as `[Author, Year]`, `YYYY-MM-DD` or `<type>: <what>`, else ""."""
    if re.fullmatch(r"[\[(][A-Z][\w ]*(?:[,:;] ?[A-Z]?[\w ]+)*[\])]", text):
        fields = re.split(r"([,:;] ?)", text[1:-1])
        if all(f.strip().casefold() in _FIELD_NAMES for f in fields[::2]):
            closing = re.escape(text[-1])
            inner = [
                _FIELDS.get(f.strip().casefold(), rf"[^{closing}\n]+") if i % 2 == 0 else f
                for i, f in enumerate(fields)
            ]
            return re.escape(text[0]) + "".join(inner) + closing
    if re.fullmatch(r"(?:YYYY|JJJJ|AAAA|YY|AA|MM|DD|TT|JJ|GG|HH|SS|[-/:. T])+", text) and "MM" in text:
        year = re.sub("YYYY|JJJJ|AAAA", r"\\d{4}", re.escape(text))
        return r"\b" + re.sub("YY|AA|MM|DD|TT|JJ|GG|HH|SS", r"\\d{2}", year) + r"\b"
    if re.search(r"<[a-z][\w -]*>", text):
        parts = re.split(r"<[a-z][\w -]*>", text)
        return r"[^\s:][^\n:]*".join(re.escape(p) for p in parts) if any(p.strip() for p in parts) else "?"
    return "?" if re.search(r"\bX{3,}\b|\bN{3,}\b|\{\w+\}|\.\.\.|…", text) else ""
