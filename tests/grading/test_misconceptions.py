"""What is behind failed checks: each student once, with what the first failed check says."""

from typing import Any

import pytest

from mmdl_course.grading.misconceptions import misconception


def _failed(message: str, state: str = "wrong") -> dict[str, Any]:
    return {"name": "a check", "state": state, "message": message}


PASSED = _failed("", "passed")
UNTRIED = _failed("Not attempted: `double` is not written yet.\nLikely cause: none", "not attempted")
WRONG = _failed(
    "Called: double(3)\nReturned: 9\nProblem: It is off by 3.\nLikely cause: It squares.\nHint: Add."
)
LATER = _failed("Likely cause: Something else.")
CRASHED = _failed("Stopped with: TypeError: 'NoneType' …\nIn: double, line 2\nHint: Return.", "crashed")
AGAIN = _failed("Stopped with: TypeError, as in “a check”\nHint: Return.", "crashed")


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([], ""),
        ([PASSED, UNTRIED], ""),
        ([PASSED, WRONG, LATER], "It squares."),
        ([CRASHED, LATER], "Something else."),
        ([CRASHED, AGAIN], "the code stops with TypeError"),
        ([AGAIN], "the code stops with TypeError"),
        ([{"state": "wrong"}], ""),
    ],
)
def test_the_first_cause_that_a_failed_check_names(results: list[dict[str, Any]], said: str) -> None:
    assert misconception(results) == said
