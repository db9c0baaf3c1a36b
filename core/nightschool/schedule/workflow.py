"""A CI's workflow that runs the night: printed for the user to put where it belongs, written nowhere."""

import shlex
from collections.abc import Sequence

_TEXT = """\
# Put this in .github/workflows/night.yml (GitHub) or .forgejo/workflows/night.yml (Forgejo) of the private repository
# that holds your Nightschool home. A runner sees no sessions of yours but those in that repository.
name: night
on:
  schedule:
    - cron: "{minute} {hour} * * *" # UTC
  workflow_dispatch: {{}}
permissions:
  contents: write
concurrency: # one night at a time
  group: night
  cancel-in-progress: false
jobs:
  night:
    runs-on: ubuntu-latest
    timeout-minutes: 180
    env:
      NIGHTSCHOOL_HOME: ${{{{ github.workspace }}}}/home
{secrets}    steps:
      - uses: actions/checkout@v4
        with:
          path: home
      - run: pipx install nightschool
      - name: sleep
        run: |
          chmod 700 home
          code=0
          nightschool run {flags} || code=$?
          # 3: it waits for answers; 4: a budget was kept. Neither is a failure, and both are worth keeping.
          case "$code" in 0|3|4) ;; *) exit "$code" ;; esac
      - name: keep what it found
        run: |
          cd home
          git config user.name nightschool
          git config user.email nightschool@localhost
          git add --all -- bank evidence nights
          git diff --cached --quiet || git commit -m "night"
          git push
"""


def text(flags: Sequence[str], hour: int, minute: int, secrets: Sequence[str]) -> str:
    """Return the workflow as YAML. `secrets` are names of the repository's secrets that the night needs."""
    told = "".join(f"      {name}: ${{{{ secrets.{name} }}}}\n" for name in secrets)
    return _TEXT.format(minute=minute, hour=hour, flags=shlex.join(flags), secrets=told)
