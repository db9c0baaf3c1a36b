"""`nightschool bench gate`: seeded, one document, and honest about what is missed."""

import json

import pytest


@pytest.mark.slow
def test_the_table_is_seeded_and_whole(world, tmp_path):
    """The same seed gives the same figures; every line of the table is there, and nothing is written."""
    told = []
    for _ in range(2):
        process = world.start("bench", "gate", "--repetitions", "4", "--json")
        out, err = process.communicate(timeout=600)
        document = json.loads(out)
        assert process.returncode == (0 if document["met"] else 1), err
        told.append(document)

    assert told[0] == told[1]
    assert told[0]["met"] == all(cell["met"] for cell in told[0]["cells"])
    useless = [cell for cell in told[0]["cells"] if "useless edit accepted" in cell["what"]]
    worlds = {cell["where"] for cell in useless}
    assert {f"{w}, N={n}, K={k}" for w in ("shift", "churn") for n in (5, 10, 20) for k in (1, 3, 5)} <= worlds
    assert not world.home.exists()


def test_what_cannot_be_simulated_is_said(world, tmp_path):
    """A count that is none is not understood; outcomes that are none are one clear line."""
    assert "repetitions" in world.run("bench", "gate", "--repetitions", "0", code=2)[1]
    (tmp_path / "odd.json").write_text('{"runs": 3}', encoding="utf-8")
    _, err = world.run("bench", "gate", "--repetitions", "1", "--outcomes", str(tmp_path / "odd.json"), code=1)
    assert "real outcomes cannot be read" in err
    assert "Traceback" not in err
