"""The lift of a learned rule, measured with whatever model answers on loopback."""

from tests.support.loopback_endpoint import chat, serving


def obedient(_count, body):
    """Follow the rule for queries when the system text holds it."""
    system, prompt = body["messages"][0]["content"], body["messages"][-1]["content"]
    told = "SELECT * FROM t"
    if "pytest" not in prompt and "LIMIT 100" in system:
        told += " LIMIT 100"
    return 200, {}, chat(told)


def test_a_model_that_follows_a_rule_is_seen_to(world):
    """With a model that obeys one rule and no other, that rule's effect is 1 and the other's 0; nothing is left behind."""
    before = set(world.root.parent.glob("nightschool-lift-*"))
    with serving(obedient) as server:
        words = ("bench", "lift", "--base-url", server.url, "--model", "m", "--lesson", "limit", "--lesson", "runner")
        told = world.json(*words)
        out, _ = world.run(*words[:-2])
    by_name = {night["lesson"]: night["rules"][0] for night in told["nights"]}
    assert by_name["limit"]["ruling"] == "accept"
    assert by_name["limit"]["effect"] == 1
    assert by_name["runner"]["ruling"] != "accept"
    assert by_name["runner"]["effect"] == 0
    assert "accept" in out
    assert set(world.root.parent.glob("nightschool-lift-*")) == before
    assert not world.home.exists()


def test_what_cannot_be_measured_is_one_line(world):
    """No model named, two named, no such lesson, no llama.cpp or no such file, an endpoint that is down."""
    _, err = world.run("bench", "lift", code=2)
    assert "--base-url" in err
    _, err = world.run("bench", "lift", "--base-url", "http://127.0.0.1:9/v1", "--gguf", "x", code=2)
    assert err.count("\n") == 1
    _, err = world.run("bench", "lift", "--base-url", "http://127.0.0.1:9/v1", "--lesson", "none", code=2)
    assert "limit" in err
    _, err = world.run("bench", "lift", "--gguf", str(world.root / "none.gguf"), code=1)
    assert "model file" in err
    _, err = world.run("bench", "lift", "--base-url", "http://127.0.0.1:9/v1", "--lesson", "limit", code=1)
    assert "cannot be reached (127.0.0.1)" in err.splitlines()[-1]


def test_the_lessons_are_whole():
    """Every lesson has its own correction that can be checked, and enough requests for an exam."""
    from nightschool import bundle
    from nightschool.night import lift
    from nightschool.night.mining.derive import derive_checks
    from nightschool.night.mining.signals import directive

    for lesson in lift.lessons(bundle.sample() / "lift.toml"):
        assert len(set(lesson.subjects)) == 30
        assert all(derive_checks(directive(words)) for words in lesson.said)
