"""A student's own subclasses have no say in a comparison."""

import enum

import numpy as np
import pytest
import torch

from mmdl_course.checks.compare import compare_close, compare_equal
from mmdl_course.checks.plain import home_made, plain
from mmdl_course.checks.results import Wrong


def _always(self, other):  # noqa: ARG001  (Python's signature)
    return True


def _zero(self, other=None):  # noqa: ARG001  (Python's signature)
    return 0


def _an_int(self):  # noqa: ARG001  (Python's signature)
    return int


YES = {
    "__eq__": _always,
    "__sub__": _zero,
    "__rsub__": _zero,
    "__abs__": _zero,
    "__hash__": None,
    "__module__": "__main__",
}


@pytest.mark.parametrize("value", [3, 2.5, 1 + 2j, "six", b"six"], ids=repr)
def test_a_subclass_becomes_what_it_holds(value):
    kind = type("Yes", (type(value),), dict(YES))
    got = plain(kind(value))
    assert type(got) is type(value)
    assert got == value


def test_a_tensor_keeps_its_gradient():
    class Yes(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            return True

    base = torch.ones(2, requires_grad=True)
    made = (base * 3).as_subclass(Yes)
    got = plain({"a": [made]})["a"][0]
    assert type(got) is torch.Tensor
    got.sum().backward()
    assert base.grad.tolist() == [3.0, 3.0]


def test_an_array_becomes_one():
    class Yes(np.ndarray):
        def __array_ufunc__(self, *args, **kwargs):
            return np.zeros(())

    assert type(plain(np.ones(2).view(Yes))) is np.ndarray


@pytest.mark.parametrize(
    "value",
    [
        True,
        np.float64(1),
        torch.nn.Parameter(torch.ones(1)),
        torch.Size([1]),
        [1, "a"],
        {"a": 1},
        None,
        print,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_libraries_bring_stays_the_same_object(value):
    assert plain(value) is value


def test_a_class_that_lies_about_its_home_is_found_out():
    assert home_made(type("Tensor", (), {"__module__": "torch"}))
    assert not home_made(torch.Tensor)
    assert not home_made(enum.Enum)


@pytest.mark.parametrize("base", [int, float, object])
def test_nothing_equals_everything(base):
    yes = type("Yes", (base,), {**YES, "__class__": property(_an_int)})()
    with pytest.raises(Wrong):
        compare_equal(yes, 6)
    with pytest.raises(Wrong):
        compare_close(yes, 6, atol=1e-6, rtol=0, why="")


def test_an_object_that_says_what_it_holds_is_no_number():
    class Later:
        def __array__(self, dtype=None, copy=None):
            return np.asarray(6.0)

    for value in (Later(), [Later()]):
        with pytest.raises(Wrong, match="not a number or an array"):
            compare_close(value, 6.0, atol=1, rtol=0, why="")
