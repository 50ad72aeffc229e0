"""A check cell's outputs, and the mark that nbgrader reads from them after they are settled."""

from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbgrader.utils import determine_grade

from mmdl_course.checks import MIME
from mmdl_course.grading.scores import CHECKS, append_error, reported, settle

MARKS = {"grade": True, "solution": False, "locked": True, "grade_id": "a-check", "points": 3}


def _value(text: str) -> Any:
    return new_output("execute_result", data={"text/plain": text}, execution_count=1)


def _stderr(text: str = "noise") -> Any:
    return new_output("stream", name="stderr", text=text)


def _report(earned: float) -> Any:
    table = {"exercise": "a", "points": 3, "earned": earned, "seed": 1, "results": []}
    return new_output("display_data", data={CHECKS: table, "text/plain": "a table"})


def _error(name: str = "ValueError") -> Any:
    return new_output("error", ename=name, evalue="", traceback=[])


def _settled(*outputs: Any) -> tuple[float, list[str]]:
    cell = new_code_cell("exercise.report()", metadata={"nbgrader": dict(MARKS)}, outputs=list(outputs))
    flags = settle(new_notebook(cells=[cell]))
    return determine_grade(cell)[0], flags


@pytest.mark.parametrize("score", [0.0, 1.5, 3.0])
def test_the_reported_score_is_the_mark(score: float) -> None:
    assert _settled(_report(score), _value(repr(score))) == (score, [])


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-1.0", "4.0", "True", "np.float64(1.5)", "tensor(3.)", "(3.0,)", "''"]
)
def test_a_value_that_is_no_score_earns_nothing(text: str) -> None:
    mark, flags = _settled(_value(text))
    assert mark == 0
    assert "without a score" in flags[0]


def test_a_cell_that_shows_nothing_earns_nothing() -> None:
    assert _settled()[0] == 0
    assert _settled(_report(3.0))[0] == 0
    assert _settled(new_output("execute_result", data={"text/html": "<b>3</b>"}))[0] == 0


def test_a_score_shown_before_an_error_does_not_count() -> None:
    mark, flags = _settled(_value("3.0"), _error())
    assert mark == 0
    assert "before it failed" in flags[0]


def test_an_executors_own_error_is_not_called_forgery() -> None:
    assert _settled(_report(1.0), _value("1.0"), _error("CellTimeoutError")) == (0, [])


def test_of_several_scores_the_cells_own_counts() -> None:
    mark, flags = _settled(_value("3.0"), _report(1.0), _value("1.0"))
    assert mark == 1
    assert "showed 2 scores" in flags[0]


def test_a_score_that_the_checks_did_not_report_is_flagged() -> None:
    mark, flags = _settled(_report(1.0), _value("3.0"))
    assert mark == 3
    assert "is not what the checks reported" in flags[0]


def test_a_score_without_a_report_is_flagged() -> None:
    assert _settled(_value("3.0")) == (3, ["a-check: the score 3 comes without a report of the checks"])


def test_noise_on_stderr_costs_nothing_and_is_flagged() -> None:
    mark, flags = _settled(_stderr(), _report(3.0), _value("3.0"))
    assert mark == 3
    assert "stderr" in flags[0]


def test_an_appended_error_counts_as_one() -> None:
    cell = new_code_cell("1", metadata={"nbgrader": dict(MARKS)})
    append_error(cell, "NotRun", "why")
    assert determine_grade(cell)[0] == 0


def test_the_last_report_is_read_and_nonsense_is_not() -> None:
    cell = new_code_cell("1", outputs=[_report(1.0), _report(2.0)])
    assert reported(cell)["earned"] == 2
    cell.outputs = [new_output("display_data", data={CHECKS: "{ broken"}), _value("1")]
    assert reported(cell) is None


def test_the_name_of_the_report_is_the_one_that_checks_use() -> None:
    assert CHECKS == MIME
