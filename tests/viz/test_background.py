import threading

import pytest

from mmdl_course.viz.explorers import in_background


def finish(steps):
    shares = []
    while True:
        try:
            shares.append(next(steps))
        except StopIteration as end:
            return shares, end.value


def test_the_result_is_returned_and_the_share_grows():
    enough = threading.Event()
    steps = in_background(lambda: enough.wait(30) and "result", expected=0.1)
    shares = [next(steps) for _ in range(10)]
    enough.set()
    more, value = finish(steps)
    assert value == "result"
    assert shares == sorted(shares)
    assert max(shares + more) <= 0.95  # nothing is done before it is done


def test_an_error_is_raised_where_the_result_is_waited_for():
    with pytest.raises(ZeroDivisionError):
        finish(in_background(lambda: 1 / 0, expected=1.0))


def test_computations_take_turns_and_one_that_is_unwanted_never_begins():
    first_may_end, begun = threading.Event(), []
    first = in_background(lambda: first_may_end.wait(30), expected=1.0)
    next(first)
    second = in_background(lambda: begun.append("second"), expected=1.0)
    third = in_background(lambda: begun.append("third"), expected=1.0)
    next(second)
    next(third)
    second.close()
    assert begun == []
    first_may_end.set()
    finish(first)
    finish(third)
    assert begun == ["third"]
