"""A night on disk, of any size and with any words in every field that somebody else writes."""

from datetime import UTC, datetime, timedelta

from nightschool.night import bank, decisions, evidence
from nightschool.night.gate import decide
from nightschool.night.mining.mine import Mined
from nightschool.night.steps import Steps
from nightschool.records import (
    Check,
    Edit,
    Evidence,
    Funnel,
    Night,
    NightStatus,
    Origin,
    Pair,
    Proposal,
    ProposedRule,
    Quote,
    RealTask,
    Recurrence,
    Ruling,
    Target,
    Verdict,
)  # fmt: skip

AT = datetime(2026, 5, 6, 1, 17, tzinfo=UTC)
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> '\"&amp; {{x}} ${x} %s "
    "\x1b[31mred\x1b]0;t\x07\x1b[2J \u202egnirts\u202c \x00\x9b javascript:alert(1) </style></title><!--"
)
SCRIPTS = "שלום עולם, תמיד לסיים ב־LIMIT 100 · مرحبا · 👩‍👩‍👧 🇪🇺 · नमस्ते · 漢字 · می‌خواهم"
LONG = "Always " + "x" * 900 + " and " + "never forget the rows " * 40


def night(home, rules=1, tasks=12, words="always end the query with LIMIT 100", *, name="0001", project="/p/shop",
          backend="toy", status=NightStatus.DONE):  # fmt: skip
    """Write a night with so many rules, each examined on so many tasks, and return its record."""
    steps = Steps(home, name)
    target = Target(
        key="toy:project",
        platform="toy",
        kind="block",
        scope="project",
        path=str(home.root / "R.md"),
        title=words[:200],
    )
    for number in range(tasks if rules else 0):
        origin = Origin(platform="toy", session=f"s{number}", turn="t", at=AT)
        bank.write(home, RealTask(
            id=f"t{number}", recurrence="c0", family=f"f{number}", split="val", request=f"{number} {words}",
            checks=(Check(op="contains", arg="LIMIT"),), origins=(origin,), first_seen=AT, last_seen=AT,
        ))  # fmt: skip
    proposed = [_rule(home, number, tasks, words, target, name, backend) for number in range(rules)]
    if proposed:
        steps.pin(
            "proposal", Proposal(night=name, at=AT + timedelta(minutes=9), targets=(target,), rules=tuple(proposed))
        )
    found = [
        Recurrence(id=f"c{number}", kind="correction", text=words, quotes=(_quote(words),), sessions=3, projects=(words,),
                   first_seen=AT, last_seen=AT)
        for number in range(min(rules, 40))
    ]  # fmt: skip
    steps.pin("mined", Mined(recurrences=tuple(found), drafts=())) if "drafts" in Mined.model_fields else steps.pin(
        "mined", Mined(recurrences=tuple(found))
    )
    funnel = Funnel(
        transcripts=40, read=4, new_bytes=12345, sessions=30, turns=200, skipped={words: 3}, broken={words: words},
        tasks={"val": tasks, "train": tasks}, candidates=rules,
    )  # fmt: skip
    told = Night(
        id=name, status=status, started=AT, ended=AT + timedelta(minutes=10) if status is NightStatus.DONE else None,
        project=project if words != HOSTILE else words, backend=backend, target_model=words, fingerprint="f",
        funnel=funnel, calls=12, tokens=3456, notes=(words,), left=2, config={"budget": {"tokens": words}},
    )  # fmt: skip
    return steps.pin("night", told)


def _quote(words):
    return Quote(text=words, platform="toy", session="s1", turn="t", at=AT)


def _rule(home, number, tasks, words, target, name, backend):
    edit = Edit(id=f"r{number:04}", document=target.key, path=target.path, text=f"{words} {number}", recurrence="c0")
    pairs = tuple(
        Pair(task=f"t{at}", family=f"f{at}", recurrence="c0", night=name, without=0.0,
             with_=1.0 if (at + number) % 4 else 0.0, rollouts=2)
        for at in range(tasks)
    )  # fmt: skip
    ruling = (Ruling.ACCEPT, Ruling.PROBATION, Ruling.REJECT, Ruling.UNEXAMINED)[number % 4]
    verdict = decide(pairs).model_copy(update={"ruling": ruling, "reason": words, "examiner": backend})
    if ruling is Ruling.UNEXAMINED or not pairs:
        verdict = Verdict(ruling=Ruling.UNEXAMINED, reason=words)
    else:
        evidence.save(home, Evidence(edit=edit, examiner=backend, pairs=pairs, first_seen=AT, verdict=verdict))
    if number % 5 == 1:
        decisions.note(home, decisions.Decision(edit=edit, did="rejected", at=AT, night=name, reason=words))
    return ProposedRule(
        edit=edit,
        verdict=verdict,
        quotes=(_quote(words),) * 3,
        sessions=3,
        quarantine=(words,) * (number % 2),
        by=words if number % 6 == 5 else "",
        elsewhere=number % 3,
    )
