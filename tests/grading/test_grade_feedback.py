"""Hidden tests leave feedback without a trace, their results stay."""

from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mmdl_course.grading.feedback import HideHiddenTests

CHECK = """exercise = Exercise("a", points=3)
visible_line_of_the_check()
### BEGIN HIDDEN TESTS
with exercise.check("fresh", points=1):
    exercise.close(a(1) < b(2), "quoted & escaped")
    else:
### END HIDDEN TESTS
exercise.report()"""
SECRET = 'exercise.close(a(1) < b(2), "quoted & escaped")'


def _hidden(*outputs: Any) -> Any:
    marks = {"grade": True, "solution": False, "locked": True, "grade_id": "a-check", "points": 3}
    check = new_code_cell(CHECK, metadata={"nbgrader": marks})
    student = new_code_cell("def a(): pass", outputs=list(outputs))
    notebook, _ = HideHiddenTests().preprocess(new_notebook(cells=[student, check]), {})
    return notebook


def test_the_source_of_hidden_tests_goes_and_the_rest_stays() -> None:
    source = _hidden().cells[1].source
    assert source.split("\n") == [
        'exercise = Exercise("a", points=3)',
        "visible_line_of_the_check()",
        "# hidden tests ran here; their results are below",
        "exercise.report()",
    ]


@pytest.mark.parametrize(
    "output",
    [
        new_output("stream", name="stdout", text=f"before\n  {SECRET}\nafter"),
        new_output("error", ename="E", evalue=SECRET, traceback=[f"\x1b[0;32m----> 5 \x1b[0m {SECRET}"]),
        new_output("display_data", data={"text/plain": SECRET}),
        new_output(
            "display_data",
            data={"text/html": "<b>exercise.close(a(1) &lt; b(2), &quot;quoted &amp; escaped&quot;)</b>"},
        ),
        new_output(
            "error",
            ename="E",
            evalue="",
            traceback=['\x1b[36mexercise\x1b[39m.close(a(\x1b[32m1\x1b[39m) < b(2), "quoted & escaped")'],
        ),
    ],
)
def test_whatever_quotes_a_hidden_line_is_cleaned(output: Any) -> None:
    text = str(_hidden(output).cells[0].outputs[0])
    assert "quoted" not in text
    assert "[hidden test]" in text


def test_ordinary_outputs_are_left_alone() -> None:
    output = new_output("stream", name="stdout", text="\x1b[31mred\x1b[0m else:\nvisible_line_of_the_check()")
    assert _hidden(output).cells[0].outputs[0].text == output.text
