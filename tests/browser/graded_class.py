"""A tiny course with a class that `mmdl grade` has graded, for the tests of the instructor's pages."""

import subprocess
import sys
from pathlib import Path

import nbformat
from by_hand import answered, make_course_by_hand
from tiny_class import FOLDER, edited, find, hand_in

from mmdl_course.grading.build import build_weeks
from mmdl_course.grading.grade import NEEDS_A_PERSON

__all__ = ["FOLDER", "HIDDEN", "grade", "make_graded_class"]

HIDDEN = "double_(-2.5)"  # from the text of a hidden test
WRONG = "def double(x):\n    return abs(2 * x)\n"


def make_graded_class(root: Path) -> Path:
    """Write the course, let four students hand in, grade.

    Anna is right, and her text waits for a mark. Bo is half right and wrote no text. Eva's file is broken.
    Fay has deleted a check: that is a flag.

    Args:
        root: an empty folder.

    Returns:
        The course's root.
    """
    course = make_course_by_hand(root)
    build_weeks(course, [], check=False)
    release = nbformat.read(root / "notebooks" / FOLDER / f"{FOLDER}.ipynb", as_version=4)
    anna = answered(release, "Because 2 · x is x + x, whatever x is.")
    hand_in(course, "anna", anna)
    hand_in(course, "bo", answered(release, None, double=WRONG))
    hand_in(course, "eva", "{ this is not JSON")
    hand_in(
        course, "fay", edited(anna, lambda notebook: notebook.cells.remove(find(notebook, "double-check")))
    )
    grade(root)
    return root


def grade(root: Path) -> str:
    """`mmdl grade week01`, which says that a person is needed; returns what it prints."""
    command = [sys.executable, "-m", "mmdl_course.cli", "grade", "week01", "--no-sandbox"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == NEEDS_A_PERSON, done.stdout + done.stderr
    return done.stdout
