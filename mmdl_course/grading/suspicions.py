"""Which flags say that a mark was tampered with: the evidence is for instructors, and not for students.

Who reads what gave a trick away can leave that out the next time. So students read that points are withheld
until a person has looked, and nothing of what was seen.
"""

from collections.abc import Collection, Sequence

from mmdl_course.course import Week
from mmdl_course.grading.late import UNDATED

__all__ = ["DOUBTFUL", "WITHHELD", "told_to_students", "withheld"]

WITHHELD = "points withheld"  # "<check cell>: points withheld, …", the first flag of a cell with evidence
DOUBTFUL = "a mark given by hand is kept: look at it again"


def withheld(week: Week, flags: Sequence[str], decided: Collection[str]) -> tuple[str, ...]:
    """Exercises whose points wait for a person who decides about a suspicion; until then they count 0.

    Args:
        week: the week.
        flags: of one submission.
        decided: ids of exercises that have a mark by hand, which settles it.

    Returns:
        Ids of exercises, in the week's order.
    """
    return tuple(
        exercise.id
        for exercise in week.exercises
        if exercise.id not in decided
        and any(flag.startswith(f"{exercise.check_id}: {WITHHELD}") for flag in flags)
    )


def told_to_students(week: Week, flags: Sequence[str]) -> list[str]:
    """The flags that help the one who handed in: what was put back, which cell took too long.

    Args:
        week: the week.
        flags: of one submission.

    Returns:
        The flags without what was seen in check cells, whose names those begin with, and without what only
        an instructor can act on.
    """
    cells = tuple(f"{exercise.check_id}{end}" for exercise in week.exercises for end in (":", " "))
    return [flag for flag in flags if flag not in (DOUBTFUL, UNDATED) and not flag.startswith(cells)]
