"""A tiny course with two exercises, and submissions for it, for the tests that grade."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_course import LESSON, SYLLABUS, make_course

from mmdl_course.course import Course, load_course

FOLDER = "week01_tiny"
DOUBLE = "def double(x):\n    return 2 * x\n"
TRIPLE = "def triple(x):\n    return 3 * x\n"


def _second(text: str) -> str:
    """The same exercise again, as "triple"."""
    for old, new in (
        ("double", "triple"),
        ("Double", "Triple"),
        ("x + x", "x + x + x"),
        ("6.0", "9.0"),
        ("-5.0", "-7.5"),
        ("two times three is six", "three times three is nine"),
        ("twofold", "threefold"),
        ("What is 3 + 3?", "What is 3 + 3 + 3?"),
    ):
        text = text.replace(old, new)
    return text


EXERCISE = LESSON[LESSON.index('# %% [markdown]\n"""\n{{exercise:double}}') :]
LESSON_OF_TWO = LESSON + "\n" + _second(EXERCISE)
SYLLABUS_OF_TWO = SYLLABUS + _second(SYLLABUS[SYLLABUS.index("[[week.exercise]]") :])


def make_course_of_two(root: Path) -> Course:
    """Write the course and read it."""
    return load_course(make_course(root, lesson=LESSON_OF_TWO, syllabus=SYLLABUS_OF_TWO))


def find(notebook: Any, name: str) -> Any:
    """The cell with this grade_id."""
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def answered(release: Any, *, double: str | None = DOUBLE, triple: str | None = TRIPLE) -> Any:
    """A copy of the release with answers; None leaves a cell as it was released."""
    from nbformat import from_dict

    notebook = from_dict(json.loads(json.dumps(release)))
    for name, source in (("double", double), ("triple", triple)):
        if source is not None:
            find(notebook, name).source = source
    return notebook


def hand_in(course: Course, student: str, notebook: Any, *, name: str = f"{FOLDER}.ipynb") -> Path:
    """Put a notebook, or any text, where a student would have put it."""
    path = course.root / "submitted" / student / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook), encoding="utf-8")
    return path


def edited(notebook: Any, edit: Callable[[Any], object]) -> Any:
    """The notebook after an edit in place."""
    edit(notebook)
    return notebook
