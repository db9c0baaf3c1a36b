"""One file per verb: argv, a call, an exit code. Only this room prints."""


def main() -> int:
    """Run the command line."""
    return 0
