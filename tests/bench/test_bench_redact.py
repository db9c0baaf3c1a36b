"""How fast the redactor is, and how often it is wrong, on real code and on the corpus of secrets."""

import json
import sysconfig
import time
from pathlib import Path

import pytest
from tests.support.secret_corpus import cases

from nightschool.day.redact import redact

pytestmark = pytest.mark.bench
HERE = Path(__file__).parent
UNITS = [
    "a_",
    "eyJa-",
    "-----BEGIN ",
    "A",
    "postgres://",
    "sk-",
    "password=",
    "x:y@",
    "key=",
    "pwd=a,",
    '\\"\'"',
    'token="',
]


def seconds(text, times=3):
    """CPU time of the fastest of a few runs."""
    best = 99.0
    for _ in range(times):
        start = time.process_time()
        redact(text)
        best = min(best, time.process_time() - start)
    return best


def keep(name, result):
    """Print the table and keep the raw figures."""
    for key, value in result.items():
        print(f"{key:>40}  {value}")
    raw = HERE / "raw"
    raw.mkdir(exist_ok=True)
    (raw / f"{name}.json").write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def library():
    """The standard library's modules, as text."""
    root = Path(sysconfig.get_paths()["stdlib"])
    found = sorted(path for path in root.rglob("*.py") if "site-packages" not in path.parts)
    return [path.read_text(encoding="utf-8", errors="replace") for path in found]


def test_speed_on_code_and_on_hostile_text():
    """CPU time for 1 MB of ordinary code, and for 32 kB of each text that is made to be slow."""
    code = redact("".join(text for text in library() if text.isascii()))[:1_000_000]
    result = {"code_mb_per_s": round(len(code) / 1e6 / seconds(code), 1)}
    for unit in UNITS:
        result[f"ms_32kB_{unit}"] = round(1000 * seconds((unit * 32768)[:32768]), 1)
    keep("redact_speed", result)
    assert code


def test_false_redactions_in_the_standard_library():
    """Share of lines that are changed, of all lines of Python's own library; most of these hold test passwords."""
    lines = changed = 0
    for text in library():
        lines += text.count("\n")
        if redact(text) != text:
            changed += sum(redact(line) != line for line in text.split("\n"))
    keep("redact_precision", {"lines": lines, "changed": changed, "percent": round(100 * changed / lines, 4)})
    assert changed < lines / 1000


def test_recall_on_the_corpus():
    """Secrets gone, over ten seeds of the corpus."""
    told = [case for seed in range(10) for case in cases(seed)]
    gone = sum(case.secret not in redact(case.text) for case in told)
    keep("redact_recall", {"cases": len(told), "kinds": len({case.kind for case in told}), "gone": gone})
    assert gone >= 0.99 * len(told)
