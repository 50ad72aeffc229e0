"""What student code writes to stderr or warns about, kept from the cell's output.

nbgrader gives no points for a cell with anything on stderr, and a progress bar or a warning is not a mistake.
"""

import contextlib
import io
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import IO

__all__ = ["Captured", "capture"]

# Nothing a student could act on.
_QUIET = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


class Captured:
    """What was kept: text written to stderr, and warnings in words. Filled in when `capture` is left."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.stderr = ""


@contextlib.contextmanager
def capture() -> Iterator[Captured]:
    """Keep stderr (Python's, and the file descriptor that libraries in C write to) and warnings.

    `sys.displayhook` shows nothing meanwhile: nbgrader takes the first displayed value for the cell's score.
    """
    kept = Captured()
    buffer = io.StringIO()
    stream, hook = sys.stderr, sys.displayhook
    # A logging handler made earlier holds the stream itself, so its write goes to the buffer too.
    with contextlib.suppress(AttributeError):
        stream.write = buffer.write  # type: ignore[method-assign]
    sys.displayhook = lambda value: None  # noqa: ARG005  (a hook takes the value)
    try:
        with (
            warnings.catch_warnings(record=True) as caught,
            contextlib.redirect_stderr(buffer),
            _descriptor() as low_level,
        ):
            warnings.simplefilter("always")
            yield kept
    finally:
        sys.displayhook = hook
        with contextlib.suppress(AttributeError):
            del stream.write
        kept.stderr = buffer.getvalue()
        if low_level is not None:
            low_level.seek(0)
            kept.stderr += low_level.read().decode(errors="replace")
            low_level.close()
        kept.warnings = list(
            dict.fromkeys(
                f"{warning.category.__name__}: {warning.message}"
                for warning in caught
                if not issubclass(warning.category, _QUIET)
            )
        )


@contextlib.contextmanager
def _descriptor() -> Iterator[IO[bytes] | None]:
    """Send file descriptor 2 to a temporary file; None where that cannot be had (a full disk, no stderr)."""
    try:
        saved = os.dup(2)
    except OSError:
        yield None
        return
    try:
        target = tempfile.TemporaryFile()  # noqa: SIM115  (capture reads it after this block)
    except OSError:
        os.close(saved)
        yield None
        return
    os.dup2(target.fileno(), 2)
    try:
        yield target
    finally:
        os.dup2(saved, 2)
        os.close(saved)
