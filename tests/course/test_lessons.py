"""Every ready week, executed as students get it and as it is solved."""

import logging

import nbformat
import pytest

from mmdl_course.checks import MIME
from mmdl_course.course import load_course
from mmdl_course.grading.build import ensure_source
from mmdl_course.grading.executor import LocalExecutor
from mmdl_course.grading.kernels.environment import kernel_environment
from mmdl_course.grading.release import load_configuration
from mmdl_course.grading.scores import is_check

COURSE = load_course()


@pytest.fixture(params=COURSE.ready, ids=lambda week: week.id)
def week(request):
    return request.param


def execute(path, folder):
    """Run a notebook as a grader's kernel would."""
    executor = LocalExecutor(
        config=load_configuration(COURSE),
        log=logging.getLogger("lessons"),
        environment=kernel_environment(seed=7),
    )
    notebook = nbformat.read(path, as_version=4)
    done = executor.execute(notebook, {"metadata": {"path": str(folder)}})
    assert done.flags == ()
    return done.notebook


def reports(notebook):
    return {
        report["exercise"]: report
        for cell in notebook.cells
        if is_check(cell)  # the practice at the beginning of week 01 is none
        for output in cell.get("outputs", [])
        if (report := output.get("data", {}).get(MIME))
    }


def errors(notebook):
    return [
        (index, output.ename, output.evalue)
        for index, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]


@pytest.mark.slow
def test_every_solution_passes_and_every_cell_runs(week, tmp_path):
    solved = execute(ensure_source(COURSE, week), tmp_path)
    assert errors(solved) == []
    found = reports(solved)
    assert {name: report["earned"] for name, report in found.items()} == {
        exercise.id: exercise.points for exercise in week.exercises if not exercise.by_hand
    }
    for cell in solved.cells:  # nbgrader gives no points to a check cell that wrote to stderr
        if is_check(cell):
            assert not [output for output in cell.outputs if output.get("name") == "stderr"]


@pytest.mark.slow
def test_every_released_exercise_is_not_attempted_yet(week, tmp_path):
    released = execute(COURSE.root / "notebooks" / week.folder / f"{week.folder}.ipynb", tmp_path)
    found = reports(released)
    assert set(found) == {exercise.id for exercise in week.exercises if not exercise.by_hand}
    for report in found.values():
        assert report["earned"] == 0
        assert {result["state"] for result in report["results"]} == {"not attempted"}
    # What a student did not write yet may stop a demonstration, and nothing else may.
    assert {name for _, name, _ in errors(released)} <= {"NotImplementedError", "NameError"}
