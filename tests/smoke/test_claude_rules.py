"""Which files the real client reads with a CLAUDE.md, against what we take it to read."""

import json
import re

import pytest
from tests.support.anthropic_server import AnthropicServer, Say

from nightschool_claude_code.imports import imported

pytestmark = pytest.mark.smoke

SPELLINGS = {
    "plain": "@docs/plain.md",
    "sentence": "see @docs/sentence.md for this",
    "dot": "and @docs/dot.md.",
    "code": "`@docs/code.md` is code",
    "paren": "(@docs/paren.md)",
    "list": "- @docs/list.md",
    "bold": "**@docs/bold.md**",
    "link": "[text](@docs/link.md)",
    "quote": "> @docs/quote.md",
    "fence": "```\n@docs/fence.md\n```",
    "comment": "<!-- @docs/comment.md -->",
    "hash": "@docs/hash.md#section",
    "middle": "mail@docs/middle.md",
    "n1": "@docs/n1.md",
    "two words": "@docs/two\\ words.md",
}


def test_the_client_reads_what_we_take_it_to_read(claude):
    """The files whose text reaches the model are exactly those that `imported` names."""
    docs = claude.project / "docs"
    docs.mkdir()
    for name in SPELLINGS:
        (docs / f"{name}.md").write_text(f"MARK-{name.replace(' ', '_')}-HERE\n")
    for step in range(1, 7):
        (docs / f"n{step}.md").write_text(f"MARK-n{step}-HERE\n@n{step + 1}.md\n")
    (claude.root / "outside.md").write_text("MARK-outside-HERE\n")
    lines = [*SPELLINGS.values(), "@../../outside.md"]
    (claude.project / "CLAUDE.md").write_text("# Rules\n\n" + "\n\n".join(lines) + "\n")
    with AnthropicServer([], Say("Hello.")) as server:
        assert claude.run("-p", "hello", url=server.url).returncode == 0
        told = set(re.findall(r"MARK-(\w+)-HERE", json.dumps([vars(asked) for asked in server.asked], default=str)))
    ours = {path.stem.replace(" ", "_") for path in imported(claude.project / "CLAUDE.md", claude.project)}
    assert told == ours
    assert {"plain", "n4", "two_words"} <= told
