"""How much work a lesson does: the whole of it for a learner, a small part under grading and in CI."""

import os
from typing import TypeVar

__all__ = ["budget", "is_full_budget"]

Size = TypeVar("Size")


def is_full_budget() -> bool:
    """Whether training cells should run in full.

    The environment variable `MMDL_BUDGET` decides ("full" or "grading"). Without it, a notebook that nbgrader
    runs (`NBGRADER_EXECUTION`) gets the grading budget and every other one the full budget.

    Raises:
        ValueError: `MMDL_BUDGET` is something else.
    """
    chosen = os.environ.get("MMDL_BUDGET") or ("grading" if os.environ.get("NBGRADER_EXECUTION") else "full")
    if chosen not in ("full", "grading"):
        raise ValueError(f"MMDL_BUDGET is {chosen!r}; set it to 'full' or 'grading', or unset it.")
    return chosen == "full"


def budget(full: Size, *, grading: Size) -> Size:
    """Pick a size (steps, samples, seeds, …) by the budget in force.

    Args:
        full: what a learner's run uses; the numbers in the text come from this.
        grading: what an autograded run uses, where only the checks' results count.
    """
    return full if is_full_budget() else grading
