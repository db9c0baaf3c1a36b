"""The backend `copilot` with the real client, and a whole round: night, adoption, the next session, undo, uninstall."""

import json
import uuid

import pytest
from tests.smoke.test_copilot import held, install
from tests.support.anthropic_server import AnthropicServer, Rule, Say
from tests.support.subjects import SUBJECTS, WORDS

from nightschool.errors import NightschoolError
from nightschool.records import HeadlessCall
from nightschool_copilot.headless import Headless

pytestmark = pytest.mark.smoke
SETTINGS = '{\n  "banner": "never",\n  "theme": "dark"\n}\n'


def ask(copilot, server, prompt="x", **call):
    """Ask through the real client."""
    return Headless(copilot.environment(server.url)).ask(HeadlessCall(prompt=prompt, **call))


def test_the_model_gets_the_question_and_nothing_of_the_users(copilot):
    """System text and prompt arrive; no rule, tool, file, hook or plugin of the user's does; nothing is remembered."""
    install(copilot)
    (copilot.config / "copilot-instructions.md").write_text("RULE OF THE HOME")
    for name in ("AGENTS.md", "CLAUDE.md"):
        (copilot.project / name).write_text("RULE OF THE PROJECT")
    (copilot.home / "notes.txt").write_text("WHAT THE NOTES SAY")
    spooled = sorted((copilot.root / "nightschool-home").rglob("*"))
    mark = uuid.uuid4().hex
    prompt = f"/clear the cost of @{copilot.home}/notes.txt {mark}"
    with AnthropicServer([], Say("Four.")) as server:
        reply = ask(copilot, server, prompt, system=f"OUR SYSTEM TEXT {mark}", model="fake-2", max_tokens=99)

    [asked] = server.asked
    assert (reply.text, reply.model) == ("Four.", "fake-2")
    assert asked.prompt.endswith(prompt)
    assert f"OUR SYSTEM TEXT {mark}" in asked.system
    assert not asked.body.get("tools")
    assert asked.body["max_tokens"] == 99
    whole = json.dumps(asked.body)
    for foreign in ("RULE OF", "WHAT THE NOTES SAY", "nightschool-brief", str(copilot.project) + '"'):
        assert foreign not in whole
    assert (reply.tokens_in > 0, reply.tokens_out > 0, reply.cost_usd) == (True, True, None)
    assert sorted((copilot.root / "nightschool-home").rglob("*")) == spooled
    assert not list(copilot.config.glob("session-state/*"))
    assert not list((copilot.root / "tmp").glob("nightschool-*"))
    for path in (path for path in copilot.root.rglob("*") if path.is_file()):
        assert mark.encode() not in path.read_bytes(), path


def test_the_real_failures_are_typed(copilot):
    """What the real client tells of refusals is read as what it is, after one request each."""
    for status, kind in ((400, "backend"), (429, "rate-limit"), (529, "rate-limit"), (500, "unavailable")):
        with AnthropicServer([], Say("no", status=status)) as server:
            assert ask(copilot, server).kind == kind
        assert len(server.asked) == 1, status
    for status, what in ((401, "log in"), (402, "pay"), (404, "that model")):
        with AnthropicServer([], Say("no", status=status)) as server, pytest.raises(NightschoolError, match=what):
            ask(copilot, server)
    with AnthropicServer([], Say("", tools=[("bash", {"command": "ls"})])) as server:
        assert ask(copilot, server).kind == "malformed"
        server.otherwise = Say("")
        assert ask(copilot, server).kind == "empty"
        server.otherwise = Say("late", wait=30)
        assert ask(copilot, server, timeout=3).kind == "timeout"
    assert ask(copilot, server).kind == "unavailable", "nobody listens any more"


class Obedient(AnthropicServer):
    """Ends a query with LIMIT 100 when the system text of the request tells it to."""

    def reply(self, body, headers):
        said = super().reply(body, headers)
        obeys = "LIMIT 100" in json.dumps(body.get("system"))
        return Say("SELECT * FROM t LIMIT 100;") if obeys and said.text == "SELECT * FROM t;" else said


RULES = [Rule("LIMIT 100", [Say("SELECT * FROM t LIMIT 100;")]), Rule("(?i)sql query", [Say("SELECT * FROM t;")])]


def import_sessions(copilot, subjects=SUBJECTS):
    """Have the client make sessions of a user who corrected many queries the same way."""
    for number, subject in enumerate(subjects):
        lines = [{"type": "session", "version": 1, "externalId": f"s{number}", "createdAt": "2026-10-01T09:00:00.000Z"}]
        said = [f"write a SQL query for {subject}", "SELECT * FROM t;", WORDS[number % len(WORDS)]]
        for place, text in enumerate([*said, "SELECT * FROM t LIMIT 100;"]):
            lines.append(
                {
                    "id": f"m{number}-{place}",
                    "timestamp": f"2026-10-01T09:0{place}:00.000Z",
                    "type": "message",
                    "role": "assistant" if place % 2 else "user",
                    "content": [{"type": "text", "text": text}],
                }
            )
        path = copilot.root / f"import-{number}.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        ran = copilot.run("sessions", "import", str(path), "--working-directory", str(copilot.project))
        assert ran.returncode == 0, ran.stdout + ran.stderr


def files(folder):
    """Return the bytes of every file of the user's: not the client's own logs, locks, sessions and databases."""
    own = (
        "logs",
        "session-state",
        "session-store",
        "plugin-data",
        "installed-plugins",
        "config.json",
        ".git/",
        ".lock",
        ".cache/Microsoft/",
    )
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not any(word in str(path.relative_to(folder)) for word in own)
    }


def test_a_whole_round(copilot):
    """A rule the model obeys is accepted and adopted, the next session is held under it; undo and uninstall, byte for byte."""
    copilot.config.mkdir(parents=True)
    (copilot.config / "settings.json").write_text(SETTINGS)
    (copilot.project / ".github").mkdir()
    (copilot.project / ".github" / "copilot-instructions.md").write_bytes(b"# Shop\r\n\r\nBe kind.")
    before = files(copilot.home)
    install(copilot)
    import_sessions(copilot)
    with Obedient(RULES) as server:
        document = copilot.nightschool("run", "--backend", "copilot", url=server.url)
        [rule] = [rule for rule in document["rules"] if rule["verdict"]["ruling"] == "accept"]
        assert document["night"]["funnel"]["sessions"] == len(SUBJECTS)
        assert document["night"]["calls"] == len(server.asked)
        assert document["night"]["failed_calls"] == 0
        assert len(list(copilot.config.glob("session-state/*/events.jsonl"))) == len(SUBJECTS)

        def next_session():
            server.asked.clear()
            held(copilot, server, "hello there")
            return server.asked[0].system, json.dumps(server.asked[0].body["messages"])

        system, told = next_session()
        assert "LIMIT 100" not in system
        assert told.count("<nightschool-brief>") == 1
        copilot.nightschool("adopt")
        assert b"LIMIT 100" in (copilot.project / ".github" / "copilot-instructions.md").read_bytes()
        system, told = next_session()
        assert system.count(rule["edit"]["text"]) == 1
        assert "nightschool-brief" not in told

        exported = copilot.nightschool("export", "memories", str(copilot.root / "memories.jsonl"))
        assert list(exported["left_out"]) == [rule["edit"]["id"]], "a project without a remote has no place there"
        copilot.nightschool("undo")
        system, _ = next_session()
        assert "LIMIT 100" not in system
        copilot.nightschool("adopt")

    told = copilot.nightschool("uninstall")
    assert {file["action"] for file in told["files"]} == {"restored", "cleaned"}
    assert files(copilot.home) == before
    assert json.loads(copilot.run("plugin", "list", "--json").stdout)[0]["name"] != "nightschool"
    assert copilot.nightschool("uninstall")["files"] == []


def test_the_client_takes_the_export(copilot):
    """The client's own check passes what is exported for a user's rule and for a project's with a remote."""
    from nightschool.records import Kept
    from nightschool_copilot.memories import export

    head = '[remote "origin"]\n\turl = git@github.com:sam/shop.git\n'
    with (copilot.project / ".git" / "config").open("a") as config:
        config.write(head)
    rules = [
        Kept(id="e-1", text="End every query\n  with LIMIT 100.", path=f"{copilot.project}/AGENTS.md", scope="project"),
        Kept(id="e-2", text="Be kind: " + "x " * 200, path=f"{copilot.config}/x.md", scope="user", sessions=4),
    ]
    text, left = export(rules)
    (copilot.root / "m.jsonl").write_text(text)
    ran = copilot.run("memories", "import", str(copilot.root / "m.jsonl"), "--dry-run", "--output", "json")

    assert left == {}
    told = json.loads(ran.stdout)
    assert (told["ok"], [one["status"] for one in told["records"]]) == (True, ["validated", "validated"]), ran.stdout
