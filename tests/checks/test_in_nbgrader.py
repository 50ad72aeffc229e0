"""Check cells in a real kernel, and what nbgrader makes of them."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.preprocessors import Execute
from nbgrader.utils import determine_grade
from nbgrader.validator import Validator

from mmdl_course.checks import MIME

FORM = """
exercise = Exercise("task", points=6)
call = exercise.student()
with exercise.check("one", points=2.5):
    exercise.close(call(1), 2.0, atol=0)
with exercise.check("two", points=1):
    exercise.close(call(2), 4.0, atol=0)
{hidden}
exercise.report()
"""
HIDDEN = 'with exercise.check("three", points=2.5):\n    exercise.close(call(3), 6.0, atol=0)'

WORKS = {
    "full": "def task(x):\n    return 2 * x",
    "partial": "def task(x):\n    return 2 * x if x < 3 else 0",
    "zero": "def task(x):\n    return None",
    "not attempted": "def task(x):\n    raise NotImplementedError('not attempted yet')",
    "missing": "del task",
    "crash": "def task(x):\n    return x.double()",
    "quits": "def task(x):\n    exit()",
    "exits": "import sys\ndef task(x):\n    sys.exit(0)",
    "loud": "import sys, os, warnings\ndef task(x):\n    print('!', file=sys.stderr)\n"
    "    os.system('echo ! >&2')\n    os.write(2, b'!')\n    warnings.warn('!')\n    return 2 * x",
    "forged": "import sys\ndef task(x):\n    sys.displayhook(6.0)\n    return 0",
    "hangs": "def task(x):\n    while x == 2:\n        pass\n    return 2 * x",
    "author": "",
}


def graded(source, points=6):
    facts = {"grade": True, "grade_id": "task-check", "locked": True, "schema_version": 3, "solution": False}
    return new_code_cell(source, metadata={"nbgrader": {**facts, "task": False, "points": points}})


def write(path, *cells):
    notebook = new_notebook(cells=[new_code_cell("from mmdl_course.checks import Exercise"), *cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    if path is not None:
        nbformat.write(notebook, path)
    return notebook


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The executed check cell of each kind of work: one kernel, one cell after the other."""
    notebook = write(None)
    places = {}
    for name, source in WORKS.items():
        check = FORM.format(hidden=HIDDEN)
        if name == "author":
            check = check.replace(", atol=0", "")
        notebook.cells += [new_code_cell(source), graded(check)]
        places[name] = len(notebook.cells) - 1
    # nbgrader's patience with "hangs" is shorter than the check's own, so that it is interrupted from outside
    hangs = notebook.cells[places["hangs"]]
    resources = {"metadata": {"path": str(tmp_path_factory.mktemp("kernel"))}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMDL_SEED", "7")
        executed, _ = Execute(timeout_func=lambda cell: 3 if cell is hangs else 60).preprocess(
            notebook, resources
        )
    return {name: executed.cells[place] for name, place in places.items()}


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("full", 6),
        ("partial", 3.5),
        ("zero", 0),
        ("not attempted", 0),
        ("missing", 0),
        ("crash", 0),
        ("quits", 0),
        ("exits", 0),
        ("loud", 6),
        ("forged", 0),
        ("hangs", 2.5),
        ("author", 0),
    ],
)
def test_nbgrader_reads_the_score(cells, name, score):
    assert determine_grade(cells[name]) == (score, 6)


def bundle(cell):
    return next(output.data for output in cell.outputs if output.output_type == "display_data")


def test_the_cell_shows_text_html_and_json(cells):
    shown = bundle(cells["partial"])
    assert "task: 3.5 of 6 points" in shown["text/plain"]
    assert "task: 3.5 of 6 points" in shown["text/html"]
    assert (shown[MIME]["earned"], shown[MIME]["seed"]) == (3.5, 7)
    assert [result["state"] for result in shown[MIME]["results"]] == ["passed", "passed", "wrong"]


def test_nothing_reaches_stderr(cells):
    for name, cell in cells.items():
        assert not [output for output in cell.outputs if output.get("name") == "stderr"], name
    assert "Your code warned: UserWarning: !" in bundle(cells["loud"])["text/plain"]


def test_a_crash_names_the_students_line_in_a_notebook(cells):
    message = bundle(cells["crash"])[MIME]["results"][0]["message"]
    assert "In: task, line 2: return x.double()" in message


def test_an_interrupt_from_outside_keeps_what_was_earned(cells):
    states = [result["state"] for result in bundle(cells["hangs"])[MIME]["results"]]
    assert states == ["passed", "crashed", "crashed"]


def test_a_claim_with_wrong_arguments_is_the_authors_mistake(cells):
    (error,) = [output for output in cells["author"].outputs if output.output_type == "error"]
    assert error.ename == "ChecksError"
    assert 'Check "one"' in error.evalue
    assert "'atol'" in error.evalue


@pytest.mark.parametrize(("name", "failed"), [("full", False), ("zero", True)])
def test_nbgrader_validate_asks_for_what_a_student_can_see(tmp_path, name, failed):
    path = tmp_path / "week.ipynb"
    write(path, new_code_cell(WORKS[name]), graded(FORM.format(hidden="")))
    assert ("failed" in Validator().validate(str(path))) is failed


def test_nbgrader_validate_shows_the_report_of_a_check_that_failed(tmp_path):
    path = tmp_path / "week.ipynb"
    write(path, new_code_cell(WORKS["zero"]), graded(FORM.format(hidden="")))
    (failed,) = Validator().validate(str(path))["failed"]
    assert failed["raw_error"].startswith("task: 0 of 3.5 points")
    assert "Partial credit" not in failed["raw_error"]
