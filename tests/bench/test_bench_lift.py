"""The lift of a learned rule with a real model: a whole night against an endpoint that NIGHTSCHOOL_LIFT_URL names.

Any server of the protocol will do, such as llama.cpp's with a small instruct model:

    NIGHTSCHOOL_LIFT_URL=http://127.0.0.1:8080/v1 NIGHTSCHOOL_LIFT_MODEL=NAME pytest -n0 -s -m bench tests/bench/test_bench_lift.py
"""

import json
import os
from pathlib import Path

import pytest
from tests.e2e.conftest import World
from tests.support.subjects import SUBJECTS, WORDS

RAW = Path(__file__).parent / "raw" / "lift.json"
URL, MODEL = os.environ.get("NIGHTSCHOOL_LIFT_URL", ""), os.environ.get("NIGHTSCHOOL_LIFT_MODEL", "")


@pytest.mark.bench
@pytest.mark.skipif(not URL, reason="NIGHTSCHOOL_LIFT_URL names no endpoint")
def test_lift_of_a_learned_rule(tmp_path, no_real_home):
    """Sessions with one correction in, a ruling on held-out tasks out; nothing is asserted of what the model can do."""
    world = World(tmp_path)
    world.project.mkdir(parents=True)
    for number, subject in enumerate(SUBJECTS):
        asked = (f"write a SQL query for {subject}", "SELECT * FROM t;")
        world.session(asked, (WORDS[number % len(WORDS)], "SELECT * FROM t LIMIT 100;"))
    settings = [f'base_url = "{URL}"', "extra_body = '{\"temperature\": 0}'", "[models]", "max_tokens = 160"]
    world.home.mkdir(mode=0o700)
    (world.home / "config.toml").write_text("\n".join(["[openai]", *settings, "side_by_side = 2", ""]))
    process = world.start("run", "--target-model", f"openai:{MODEL}", "--json")
    out, err = process.communicate(timeout=1500)
    assert process.returncode == 0, err
    document = json.loads(out)
    rows = [rule["verdict"] | {"rule": rule["edit"]["text"]} for rule in document["rules"]]
    for row in rows:
        print(
            f"\n{row['rule']}: {row['ruling']}, {row['tasks']} held-out tasks, effect {row['effect']}, 95 % {row['interval']}"
        )
    night = {key: document["night"][key] for key in ("calls", "failed_calls", "tokens", "minutes")}
    RAW.write_text(json.dumps({"model": MODEL, "night": night, "rules": rows}, indent=1) + "\n")

    assert all(row["effect"] is None or -1 <= row["effect"] <= 1 for row in rows)
    assert night["calls"] > 0
