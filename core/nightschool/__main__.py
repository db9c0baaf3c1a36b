"""`python -m nightschool`, the same as the command."""

import sys

from nightschool.cli import main

if __name__ == "__main__":
    sys.exit(main())
