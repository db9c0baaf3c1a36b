"""What the user prefers, wherever a rule is written: told by a flag or a setting, or standing in a file."""

from pathlib import Path

from nightschool.config import Config
from nightschool.errors import NightschoolError
from nightschool.paths import Home

LONGEST = 4_000  # characters


def with_preferences(config: Config, home: Home) -> Config:
    """Return `config` with the preferences of its file in it, when none were told directly.

    A relative path is taken from the home: a scheduled night has another working directory. Raises NightschoolError
    when the file cannot be read or is too long.
    """
    named = config.mine.preferences_file
    if not named or config.mine.preferences:
        return config
    path = home.root / Path(named).expanduser()
    fix = "Correct `mine.preferences_file`, or the file."
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise NightschoolError("the preferences cannot be read", where=path, why=error, fix=fix) from error
    if len(text) > LONGEST:
        raise NightschoolError("the preferences are too long", where=path, why=f"over {LONGEST:,} characters", fix=fix)
    return config.model_copy(update={"mine": config.mine.model_copy(update={"preferences": text})})
