"""Rules for exercises: metadata, a check for each solution, points that agree, a hint for everyone.

An exercise that is marked by hand has one text cell and no check.
"""

from collections import Counter
from collections.abc import Iterator

from mmdl_course.course import Exercise
from mmdl_course.grading.check_cells import inspect_check_cell
from mmdl_course.grading.lesson import Lesson, Problem

__all__ = ["RULES"]

_KEYS = {"grade", "grade_id", "locked", "points", "schema_version", "solution", "task"}


def _metadata(lesson: Lesson) -> Iterator[Problem]:
    for cell in lesson.cells:
        if "nbgrader" not in cell.metadata:
            continue
        given = cell.metadata["nbgrader"]
        if not isinstance(given, dict):
            yield lesson.problem(cell, "nbgrader's metadata is not an object", 'Write nbgrader={"grade": …}.')
            continue
        wanted = {"grade", "grade_id", "locked", "schema_version", "solution"} | ({"points"} & given.keys())
        if missing := sorted(wanted - given.keys()):
            yield lesson.problem(
                cell,
                f"nbgrader's metadata lacks {', '.join(missing)}",
                "Copy the line of another exercise.",
            )
        if unknown := sorted(given.keys() - _KEYS):
            yield lesson.problem(cell, f"nbgrader does not know {', '.join(unknown)}", "Remove it.")
        if given.get("schema_version", 3) != 3:
            yield lesson.problem(cell, "schema_version must be 3", 'Write "schema_version": 3.')
        if given.get("task"):
            remedy = 'Write "task": false. A free text is a markdown cell with "grade" and "solution" true.'
            yield lesson.problem(cell, "the course has no task cells", remedy)
        if cell.kind != "code" and not cell.is_by_hand:
            remedy = (
                "Make it a function that returns the choice and its reason, in a code cell. To mark a free "
                'text by hand, write "grade": true and "solution": true.'
            )
            yield lesson.problem(cell, "a graded cell must be code", remedy)
        if cell.kind == "code" and cell.is_by_hand:
            remedy = "Split it: a solution cell, and after it a check cell."
            yield lesson.problem(cell, "a cell is either solution or check, not both", remedy)
    for grade_id, count in Counter(cell.grade_id for cell in lesson.cells if cell.grade_id).items():
        if count > 1:
            same = [cell for cell in lesson.cells if cell.grade_id == grade_id]
            what = f'grade_id "{grade_id}" is used {count} times (first in line {same[0].line})'
            yield lesson.problem(same[1], what, "Give each cell its own grade_id.")


def _pairs(lesson: Lesson) -> Iterator[Problem]:
    first = {}
    for cell in lesson.cells:
        first.setdefault(cell.grade_id, cell)
    exercises = {exercise.id: exercise for exercise in lesson.week.exercises}
    for cell in lesson.cells:
        if cell.is_by_hand:
            pass  # _by_hand looks at it
        elif cell.is_solution:
            check = first.get(f"{cell.grade_id}-check")
            if check is None or not check.is_check or check.number < cell.number:
                remedy = f'Add a cell with "grade": true, "grade_id": "{cell.grade_id}-check" after it.'
                yield lesson.problem(cell, "a solution cell without a check cell after it", remedy)
            if cell.grade_id not in exercises:
                remedy = f'Add a [[week.exercise]] with id = "{cell.grade_id}" to {lesson.week.id}.'
                yield lesson.problem(cell, "syllabus.toml has no such exercise", remedy)
        elif cell.is_check:
            exercise_id = cell.grade_id.removesuffix("-check")
            solution = first.get(exercise_id)
            if exercise_id == cell.grade_id:
                what = "the grade_id of a check cell must end in -check"
                yield lesson.problem(cell, what, 'Write "grade_id": "<exercise>-check".')
            elif solution is None or not solution.is_solution:
                remedy = f'Add a cell with "solution": true, "grade_id": "{exercise_id}" before it.'
                yield lesson.problem(cell, "a check cell without a solution cell", remedy)
    for exercise in lesson.week.exercises:
        if exercise.id not in first:
            what = f'exercise "{exercise.id}" of {lesson.week.id} has no solution cell'
            remedy = (
                f'Write a cell with "grade_id": "{exercise.id}", or take the exercise out of syllabus.toml.'
            )
            yield Problem(lesson.path, 0, exercise.id, what, remedy)


def _by_hand(lesson: Lesson) -> Iterator[Problem]:
    exercises = {exercise.id: exercise for exercise in lesson.week.exercises}
    for cell in lesson.cells:
        exercise = exercises.get(cell.grade_id)
        if not cell.is_by_hand:
            if cell.is_solution and exercise is not None and exercise.by_hand:
                what = "syllabus.toml says that it is marked by hand, and the cell has no points"
                remedy = f'Write "grade": true, "points": {exercise.points}, or take by_hand out.'
                yield lesson.problem(cell, what, remedy)
            continue
        if exercise is None:
            remedy = f'Add a [[week.exercise]] with id = "{cell.grade_id}" and by_hand = true.'
            yield lesson.problem(cell, "syllabus.toml has no such exercise", remedy)
            continue
        if not exercise.by_hand:
            what = "the cell is marked by hand, and syllabus.toml does not say so"
            yield lesson.problem(cell, what, f'Add by_hand = true to the exercise "{exercise.id}".')
        if cell.nbgrader.get("points") != exercise.points:
            what = f"the cell says {cell.nbgrader.get('points')} points, syllabus.toml says {exercise.points}"
            yield lesson.problem(cell, what, f'Write "points": {exercise.points}, or correct syllabus.toml.')
        if cell.nbgrader.get("locked"):
            yield lesson.problem(cell, "students could not write into it", 'Write "locked": false.')


def _checks(lesson: Lesson) -> Iterator[Problem]:
    exercises: dict[str, Exercise] = {exercise.check_id: exercise for exercise in lesson.week.exercises}
    for cell in lesson.cells:
        if cell.is_check and cell.kind == "code" and cell.grade_id in exercises:
            for offset, what, remedy in inspect_check_cell(cell, exercises[cell.grade_id]):
                yield lesson.problem(cell, what, remedy, offset=offset)


def _hints(lesson: Lesson) -> Iterator[Problem]:
    graded = [cell for cell in lesson.cells if cell.is_check or cell.is_solution]
    for check in graded:
        if not (check.is_check or check.is_by_hand):
            continue
        end = next((cell.number for cell in graded if cell.number > check.number), len(lesson.cells) + 1)
        after = [cell for cell in lesson.cells if check.number < cell.number < end]
        if not any("<details>" in cell.source for cell in after if cell.kind == "markdown"):
            remedy = "Add a markdown cell with <details><summary>A nudge</summary> … </details> after it."
            yield lesson.problem(check, "the exercise has no hint", remedy)


RULES = (_metadata, _pairs, _by_hand, _checks, _hints)
