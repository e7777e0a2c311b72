"""The error message of a failed command or start: one line without secrets."""

import traceback
from pathlib import Path

from adapters.sql.kernel.errors.driver_errors import translated


def reason(error: BaseException) -> str:
    """Return why the database could not be used, as the end of a sentence."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if meaning := translated(error):
        return str(meaning)
    # Its text may contain a secret; the place in the code leads to the cause.
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
