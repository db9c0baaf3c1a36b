"""How a night tells how far it is, and that it is over."""

import json
from pathlib import Path

from tests.e2e.test_review import Terminal


def events(err):
    """Return the JSON events among lines on stderr."""
    return [json.loads(line) for line in err.splitlines()]


def test_json_events_on_stderr(queries):
    """Every line on stderr is an event: phases in order, then the end; stdout is the one document."""
    out, err = queries.run("run", "--json")
    assert json.loads(out)["new"] is True
    told = events(err)
    assert [event["event"] for event in told] == ["phase"] * (len(told) - 1) + ["done"]
    assert "harvesting sessions" in told[0]["phase"]
    assert told[-1]["seconds"] >= told[0]["seconds"] >= 0
    assert {"calls", "tokens", "failed", "total"} <= told[0].keys()


def test_a_night_that_stops_says_so(queries):
    """Waiting for answers ends the events with `stopped`; a phase of the exam tells how many calls it may take."""
    err = queries.run("run", "--backend", "handoff", "--json", code=3)[1]
    told = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    assert told[-1]["event"] == "stopped"
    assert any(event["total"] > 0 for event in told)


def test_a_log_has_one_line_a_phase(queries):
    """Without a terminal: plain lines, no control character."""
    err = queries.run("run")[1]
    assert "· harvesting sessions\n" in err
    assert "· staging the proposal\n" in err
    assert "\x1b" not in err


def test_a_terminal_shows_a_live_line(queries):
    """On a terminal the phases stay as lines and the live one goes when the night is over."""
    terminal = Terminal(queries, "run")
    terminal.expect("harvesting sessions")
    terminal.expect("staging the proposal")
    terminal.expect("the page is")
    assert terminal.end() == 0


def test_a_command_hears_of_the_morning(queries, tmp_path):
    """It is told the night, the counts and the page; not again when there is nothing new; its failure stops nobody."""
    shown = tmp_path / "shown"
    names = "$NIGHTSCHOOL_NIGHT|$NIGHTSCHOOL_STATUS|$NIGHTSCHOOL_ACCEPTED|$NIGHTSCHOOL_PROPOSED|$NIGHTSCHOOL_PAGE"
    queries.run("config", "schedule.on_morning", f'echo "{names}" >> {shown}; exit 3')
    err = queries.run("run")[1]
    assert "exit code 3" in err
    night, status, accepted, proposed, page = shown.read_text().strip().split("|")
    assert (night, status, accepted, proposed) == ("0001", "done", "0", "1")
    assert Path(page).exists()
    queries.run("run")
    assert len(shown.read_text().splitlines()) == 1


def test_a_night_before_the_setting_is_still_the_same(queries):
    """Setting what happens after a night is no new night: the next one finds nothing new."""
    queries.run("run")
    queries.run("config", "schedule.on_morning", "true")
    assert queries.json("run")["new"] is False


def test_the_report_opens_in_the_browser(queries, tmp_path):
    """`--open` hands the browser a file address; `--html` prints the path; the page and the history are written."""
    queries.run("run")
    shown = tmp_path / "shown"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shown}\n')
    browser.chmod(0o755)
    queries.env["BROWSER"] = str(browser)
    queries.run("report", "--open")
    assert shown.read_text().strip() == (queries.home / "nights" / "0001" / "report.html").as_uri()
    assert queries.run("report", "--history", "--html")[0].strip() == str(queries.home / "history.html")
    told = queries.json("report")
    assert told["html"].endswith("report.html")
    queries.env["BROWSER"] = "/nonexistent/browser"
    queries.env["PATH"] = "/nonexistent"
    assert "Open this file yourself" in queries.run("report", "--open", code=1)[1]
