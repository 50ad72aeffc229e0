"""Who looks on while checks run: nobody in a student's notebook, the grader's witness when it counts.

The grader's witness (grading/sentinel.py) tells the grader each decision at the moment it is made, so that
code which runs later in the same cell cannot change it unnoticed.
"""

from typing import Any

__all__ = ["NOBODY", "Witness", "appoint", "present"]


class Witness:
    """What the checks tell. This one does nothing with it. A witness never raises and changes nothing."""

    __slots__ = ()
    names: tuple[str, ...] = ()  # global names that the check cell uses

    def begun(self, exercise: str, check_file: str) -> None:
        """A check cell made its Exercise."""

    def depth(self) -> tuple[int, ...]:
        """How many torch modes are entered: a check may enter some, a student's function leaves none."""
        return ()

    def returned(self, changed: list[str]) -> None:
        """Student code had its turn and is over; it changed these names, which only checks may change."""

    def decided(self, result: dict[str, Any]) -> None:
        """A check was decided."""

    def reported(self, report: dict[str, Any]) -> None:
        """The cell came to its report."""


NOBODY = Witness()
_seat = [NOBODY]  # a list, so that the module's names never change


def present() -> Witness:
    """The witness of the exercise that begins now."""
    return _seat[0]


def appoint(witness: Witness) -> None:
    """Seat a witness."""
    _seat[0] = witness
