"""Where in the notebook something went wrong."""

import sys
import types

from mmdl_course.checks.blame import student_place


def test_an_interrupt_between_two_lines_has_a_place_too() -> None:
    namespace: dict = {"sys": sys}
    exec("def stuck():\n    return sys._getframe()", namespace)
    frame = namespace["stuck"]()
    nowhere = types.TracebackType(None, frame, 100_000, -1)  # an instruction that no line owns
    assert nowhere.tb_lineno is None
    place = student_place(nowhere, namespace, check_file="check")
    assert place is not None
    assert place.line == 1
