"""What a check can come to, and the exceptions that carry it there."""

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["MIME", "ChecksError", "NotAttempted", "Result", "Skipped", "State", "TimeUp", "Wrong"]

MIME = "application/vnd.mmdl.checks+json"

State = Literal["passed", "wrong", "crashed", "not attempted"]


@dataclass(frozen=True)
class Result:
    """One check, decided.

    `message` is the whole text a student reads, one "Label: text" a line, empty when all is well. `lines` is
    the same in pairs (label, text), for the HTML table. A check that earned a part of its points is "wrong".
    """

    name: str
    points: float
    earned: float
    state: State
    message: str
    lines: tuple[tuple[str, str], ...] = field(default=(), repr=False, compare=False)


class ChecksError(Exception):
    """A mistake of the lesson's author in a check cell: it stops the cell at once."""


NOTHING = object()  # "no value was compared", as None is a value that a student may return


class Wrong(AssertionError):  # noqa: N818  (a state, not an error)
    """A claim does not hold.

    Args:
        message: what differs, in a sentence.
        got: the value the claim is about; left out when there is none to show.
        shown: how to show `got`, where the usual description does not say enough.
        expected: what the claim asked for, in words.
        reference: the object `got` was compared with; recognised when it is a student's return value too.
        cause: a likely cause that follows from the values themselves; it is shown before the author's hint.
    """

    def __init__(
        self,
        message: str,
        *,
        got: object = NOTHING,
        shown: str = "",
        expected: str = "",
        reference: object = NOTHING,
        cause: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.got = got
        self.shown = shown
        self.expected = expected
        self.reference = reference
        self.cause = cause


class NotAttempted(Exception):  # noqa: N818  (a state, not an error)
    """The student's work is not there yet."""


class Skipped(Exception):  # noqa: N818  (same)
    """An earlier check was interrupted, so this one does not run."""


class TimeUp(KeyboardInterrupt):
    """A check took too long. Not an Exception, so that a student's `except Exception` lets it pass."""
