import numpy as np
import pytest
import torch

from mmdl_course.checks.recorder import changed, snapshot


@pytest.mark.parametrize(
    "value",
    [
        torch.ones(3),
        torch.tensor([1.0, float("nan")]),
        torch.ones(3, requires_grad=True),
        torch.eye(3).to_sparse(),
        torch.tensor([True]),
        np.ones(3),
        np.array([1.0, np.nan]),
        np.array(["a", "b"]),
        np.array([None, np.ones(3)], dtype=object),
        np.float64("nan"),
        [torch.ones(2), {"a": (np.ones(2),)}],
        None,
        pytest.param(object(), id="object()"),  # its repr is another in each process
    ],
    ids=repr,
)
def test_an_untouched_value_has_not_changed(value):
    assert not changed(snapshot(value), value)


def test_a_change_in_place_is_seen_wherever_it_is():
    tensor, array = torch.ones(2), np.ones(2)
    value = [tensor, {"a": (array,)}]
    before = snapshot(value)
    array[0] = 5
    assert changed(before, value)
    array[0] = 1
    assert not changed(before, value)
    tensor.mul_(2)
    assert changed(before, value)


@pytest.mark.parametrize(
    "change",
    [lambda x: x.resize_(1), lambda x: x.fill_(float("nan")), lambda x: x.data.add_(1), lambda x: x.t_()],
)
def test_a_tensor_may_change_in_many_ways(change):
    value = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    before = snapshot(value)
    change(value)
    assert changed(before, value)


def test_list_that_grew_has_changed():
    value = [1]
    before = snapshot(value)
    value.append(2)
    assert changed(before, value)
