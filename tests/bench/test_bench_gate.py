"""The gate's error rates and power, simulated with the product's own rulings. Prints the table of `bench gate`.

Raw results: raw/gate.json. Real outcomes: data/aa_taubench_outcomes.json (MIT, provenance inside the file).
"""

import json
from pathlib import Path

import pytest

from nightschool.cli.bench import page
from nightschool.night.gating.table import rows, same_agent, simulated

HERE = Path(__file__).parent
REPETITIONS = 4000


@pytest.mark.bench
def test_the_gate_keeps_every_line_of_its_table():
    """Useless, harmful, useful and waiting edits in all worlds, a lifetime of them, and an agent against itself."""
    table = simulated(REPETITIONS, 7, workers=2)
    table += list(same_agent(HERE / "data" / "aa_taubench_outcomes.json", REPETITIONS, 7))
    told = {"repetitions": REPETITIONS, "seed": 7, "cells": rows(table)}
    (HERE / "raw" / "gate.json").write_text(json.dumps(told, indent=1) + "\n")
    print(page(table))

    assert [cell for cell in table if not cell.met] == []
