#!/bin/sh
# install.sh [uninstall] [--dry-run] [--trust-hooks]: puts Nightschool's hooks, skills and server into Codex, or takes
# them out again. Changes nothing twice, needs no network, and runs the Python that Nightschool is installed with.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)

works() {
  [ -n "$1" ] && "$1" -c 'import nightschool_codex.install' </dev/null >/dev/null 2>&1
}

# The interpreter in a command's first line, or in its second where the path is too long for the first.
python_of() {
  [ -f "$1" ] || return 0
  sed -n -e "1s/^#! *//p" -e "2s/^'''exec' \"\{0,1\}\([^\"]*\)\"\{0,1\} .*/\1/p" -e 2q "$1" 2>/dev/null | grep python | head -n 1 || :
}

for python in \
  "${NIGHTSCHOOL_PYTHON:-}" \
  "$root/.venv/bin/python" \
  "$(python_of "$(command -v nightschool || :)")" \
  "$(python_of "${NIGHTSCHOOL_HOME:-${HOME:-}/.nightschool}/bin/nightschool")" \
  "$(command -v python3 || :)"; do
  works "$python" && exec "$python" -m nightschool_codex.install "$@" --root "$root"
done

echo "nightschool: its command is not installed, and nothing was changed. In a checkout: uv tool install '.[codex]', or pipx install '.[codex]'; then run this again." >&2
exit 1
