"""A tiny course with one exercise that has checks and one that a person marks."""

from pathlib import Path
from typing import Any

from tiny_class import DOUBLE, FOLDER, find
from tiny_course import LESSON, SYLLABUS, make_course

from mmdl_course.course import Course, load_course
from mmdl_course.grading.gradebook import course_directory

SYLLABUS_BY_HAND = (
    SYLLABUS
    + """
[[week.exercise]]
id = "why"
title = "Why double?"
difficulty = 2
minutes = 5
points = 3
by_hand = true
"""
)
RUBRIC = "2 points: says that doubling is adding a number to itself, whatever the number."
METADATA = (
    '{"grade": true, "grade_id": "why", "locked": false, "points": 3, '
    '"schema_version": 3, "solution": true, "task": false}'
)
LESSON_BY_HAND = (
    LESSON
    + f'''
# %% [markdown]
"""
{{{{exercise:why}}}}

Say in a sentence why 2 · x doubles.
"""

# %% [markdown] nbgrader={METADATA}
"""
### BEGIN SOLUTION
2 · x is x + x by the definition of a product.

{RUBRIC}
### END SOLUTION
"""

# %% [markdown]
"""
<details><summary>A nudge</summary>

What is a product?
</details>
"""
'''
)


def make_course_by_hand(root: Path) -> Course:
    """Write the course and read it."""
    return load_course(make_course(root, lesson=LESSON_BY_HAND, syllabus=SYLLABUS_BY_HAND))


def answered(release: Any, why: str | None, *, double: str = DOUBLE) -> Any:
    """A copy of the release with answers; None leaves the text as it was released."""
    import copy

    notebook = copy.deepcopy(release)
    find(notebook, "double").source = double
    if why is not None:
        find(notebook, "why").source = why
    return notebook


def mark(course: Course, student: str, points: float, comment: str = "") -> None:
    """What formgrader does when a person types points and a comment."""
    from nbgrader.api import Gradebook

    directory = course_directory(course)
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        grade = gradebook.find_grade("why", FOLDER, FOLDER, student)
        grade.manual_score = points
        grade.needs_manual_grade = False
        gradebook.find_comment("why", FOLDER, FOLDER, student).manual_comment = comment or None
        gradebook.db.commit()


def needs_mark(course: Course, student: str) -> bool:
    """Whether formgrader lists the answer as one to be marked."""
    from nbgrader.api import Gradebook

    directory = course_directory(course)
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        return bool(gradebook.find_grade("why", FOLDER, FOLDER, student).needs_manual_grade)
