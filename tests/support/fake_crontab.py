"""A `crontab` program that behaves as told: Debian's, recorded, with the failures it can have.

Its table lies in `$FAKE_CRONTAB/table`. A file `fail` beside it names what goes wrong: `list` (it cannot be read),
`write` (it is refused), `lie` (it says it is done and keeps half), `torn` (it keeps half and says so). `calls` logs it.
"""

import os
import sys
from pathlib import Path

HERE = Path(os.environ.get("FAKE_CRONTAB", "."))
TABLE, FAIL = HERE / "table", HERE / "fail"


def main(words):
    """Do what `crontab` does with these words and return its exit code."""
    with (HERE / "calls").open("a") as log:
        log.write(f"{words}\n")
    fails = FAIL.read_text().split() if FAIL.exists() else []
    if words == ["-l"]:
        if "list" in fails:
            sys.stderr.write("crontab: cannot open spool: Input/output error\n")
            return 1
        if not TABLE.exists():
            sys.stderr.write("no crontab for stranger\n")
            return 1
        sys.stdout.buffer.write(TABLE.read_bytes())
    elif words == ["-r"]:
        TABLE.unlink()
    elif words == ["-"]:
        data = sys.stdin.buffer.read()
        if "write" in fails:
            sys.stderr.write('"-":1: bad minute\nerrors in crontab file, can\'t install.\n')
            return 1
        if {"lie", "torn"} & set(fails):
            TABLE.write_bytes(data[: len(data) // 2])
            FAIL.unlink()
            return 0 if "lie" in fails else 1
        TABLE.write_bytes(data)
    else:
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
