"""Every ready week, executed as students get it and as it is solved."""

import nbformat
import pytest
from nbclient import NotebookClient

from mmdl_course.checks import MIME
from mmdl_course.course import find_root, load_course
from mmdl_course.grading.build import ensure_source

COURSE = load_course(find_root())


@pytest.fixture(params=COURSE.ready, ids=lambda week: week.id)
def week(request):
    return request.param


def execute(path, folder, monkeypatch):
    monkeypatch.setenv("MMDL_BUDGET", "grading")
    monkeypatch.setenv("MMDL_SEED", "7")
    notebook = nbformat.read(path, as_version=4)
    # ipc: nothing of a test needs the network, and jupyter_client warns about kernels that listen on it
    client = NotebookClient(
        notebook, timeout=300, allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    client.km = client.create_kernel_manager()
    client.km.transport = "ipc"
    client.execute()
    return notebook


def reports(notebook):
    return {
        report["exercise"]: report
        for cell in notebook.cells
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
def test_every_solution_passes_and_every_cell_runs(week, tmp_path, monkeypatch):
    solved = execute(ensure_source(COURSE, week), tmp_path, monkeypatch)
    assert errors(solved) == []
    found = reports(solved)
    assert {name: report["earned"] for name, report in found.items()} == {
        exercise.id: exercise.points for exercise in week.exercises
    }
    for cell in solved.cells:  # nbgrader gives no points to a check cell that wrote to stderr
        if cell.metadata.get("nbgrader", {}).get("grade"):
            assert not [output for output in cell.outputs if output.get("name") == "stderr"]


@pytest.mark.slow
def test_every_released_exercise_is_not_attempted_yet(week, tmp_path, monkeypatch):
    released = execute(
        COURSE.root / "notebooks" / week.folder / f"{week.folder}.ipynb", tmp_path, monkeypatch
    )
    found = reports(released)
    assert set(found) == {exercise.id for exercise in week.exercises}
    for report in found.values():
        assert report["earned"] == 0
        assert {result["state"] for result in report["results"]} == {"not attempted"}
    # What a student did not write yet may stop a demonstration, and nothing else may.
    assert {name for _, name, _ in errors(released)} <= {"NotImplementedError", "NameError"}
