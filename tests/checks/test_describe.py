import numpy as np
import pytest
import torch
from torch import nn

from mmdl_course.checks.describe import describe


class Loud:
    def __repr__(self):
        raise ValueError("no")


VALUES = [
    (None, "None"),
    (True, "True"),
    (3, "3"),
    (2.0, "2.0"),
    (1 / 3, "0.333333"),
    (1e-7, "1e-07"),
    (float("nan"), "nan"),
    (float("-inf"), "-inf"),
    (10**473479, "about 10^473,479.00"),
    (-(10**20), "-about 10^20.00"),
    (1 + 2j, "1+2j"),
    ("text", "'text'"),
    ([1, 2.5], "[1, 2.5]"),
    ((1,), "(1,)"),
    ([], "[]"),
    ({"a": [1, (2, 3)]}, "{'a': [1, (2, 3)]}"),
    (["a"] * 9, "['a', 'a', 'a', 'a', … 5 more]"),
    (np.float64(1.5), "np.float64(1.5)"),
    (np.True_, "np.bool(True)"),
    (torch.tensor(1.5), "tensor(1.5)"),
    (torch.tensor(1.5).double(), "tensor(1.5, float64)"),
    (torch.tensor([1, 2]), "tensor([1, 2])"),
    (torch.tensor([True, False]), "tensor([True, False])"),
    (torch.tensor([[0.25, 1.0]]).bfloat16(), "tensor([[0.25, 1.0]], bfloat16)"),
    (torch.tensor([float("nan"), 1.0]), "tensor([nan, 1.0])"),
    (nn.Parameter(torch.ones(2)), "parameter([1.0, 1.0])"),
    (np.array([1.0, 2.0]), "array([1.0, 2.0])"),
    (np.array([1.0, 2.0], np.float32), "array([1.0, 2.0], float32)"),
    (torch.zeros(0, 3), "float32 tensor of shape (0, 3), empty"),
    (torch.eye(5), "float32 tensor of shape (5, 5), the identity"),
    (torch.ones(5, 5), "float32 tensor of shape (5, 5), all 1.0"),
    (torch.arange(100), "int64 tensor of shape (100,), values from 0 to 99"),
    (torch.full((20,), float("nan")), "float32 tensor of shape (20,), 20 values NaN"),
    (
        torch.tensor([float("nan"), float("inf")] + [0.5] * 20),
        "float32 tensor of shape (22,), values from 0.5 to 0.5, 1 value NaN, 1 value infinite",
    ),
    (np.arange(30) > 9, "bool array of shape (30,), 20 of 30 True"),
    (np.array(["a", "b"]), "<U1 array of shape (2,): ['a', 'b']"),
    (torch.eye(5).to_sparse(), "float32 tensor of shape (5, 5), the identity"),
    (nn.Linear(2, 3), "Linear with 9 parameters"),
    (nn.Linear, "the class Linear"),
    (describe, "the function describe"),
    (Loud(), "an object of class Loud (its repr raises ValueError)"),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=[text for _, text in VALUES])
def test_a_value_in_words(value, text):
    assert describe(value) == text


@pytest.mark.parametrize(
    "value", ["x" * 10**6, [list(range(1000))] * 1000, dict.fromkeys(range(999), "y" * 99)]
)
def test_a_description_is_short_and_on_one_line(value):
    assert len(describe(value)) <= 300
    assert "\n" not in describe(value)
