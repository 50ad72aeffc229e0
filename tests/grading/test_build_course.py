"""The committed notebooks/ of this very course."""

import json

import pytest

from mmdl_course.course import load_course
from mmdl_course.grading.build import build_weeks
from mmdl_course.grading.lesson import read_lesson
from mmdl_course.grading.release import find_leaks, secret_lines

COURSE = load_course()
WEEKS = pytest.mark.parametrize("week", COURSE.ready, ids=lambda week: week.id)


def test_notebooks_are_what_solutions_give(capsys):
    assert build_weeks(COURSE, [], check=True) == 0, capsys.readouterr().out


@WEEKS
def test_no_solution_and_no_hidden_line_reaches_students(week):
    lesson, _ = read_lesson(COURSE, week)
    folder = COURSE.root / "notebooks" / week.folder
    secrets = secret_lines(lesson)
    assert len(secrets) > 10 * len(week.exercises)  # the search looks for something
    released = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()).decode()
    assert [line for line in secrets if json.dumps(line, ensure_ascii=False)[1:-1] in released] == []
    assert find_leaks(lesson, folder) == []


@WEEKS
def test_every_exercise_is_open_and_has_its_check(week):
    path = COURSE.root / "notebooks" / week.folder / f"{week.folder}.ipynb"
    cells = {
        cell["id"]: "".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    }
    for exercise in week.exercises:
        if exercise.by_hand:
            assert cells[exercise.id].strip() == "YOUR ANSWER HERE"
            continue
        assert 'raise NotImplementedError("not attempted yet")' in cells[exercise.id]
        assert cells[exercise.check_id].startswith(
            f'exercise = Exercise("{exercise.id}", points={exercise.points})'
        )
        assert cells[exercise.check_id].endswith("exercise.report()")


@WEEKS
def test_notebooks_hold_no_outputs(week):
    path = COURSE.root / "notebooks" / week.folder / f"{week.folder}.ipynb"
    code = [
        cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"
    ]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
