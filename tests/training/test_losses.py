"""Losses that no exercise asks for."""

import math

import torch

from mmdl_course.training import one_against_one


def test_two_pairs_by_hand():
    logits = torch.tensor([[2.0, 1.0], [0.0, 3.0]])
    gaps = torch.tensor([1.0 - 2.0, 0.0 - 3.0, 0.0 - 2.0, 1.0 - 3.0])  # rivals in rows, then in columns
    expected = torch.nn.functional.softplus(gaps).sum() / 4
    torch.testing.assert_close(one_against_one(logits, torch.eye(2).bool()), expected)


def test_one_who_knows_nothing_pays_log_two_a_rival():
    loss = one_against_one(torch.zeros(5, 5), torch.eye(5).bool())
    torch.testing.assert_close(loss, torch.tensor(4 * math.log(2)))


def test_a_second_right_text_is_no_rival():
    positive = torch.tensor([[True, True, False], [False, False, True]])
    logits = torch.tensor([[9.0, 9.0, -9.0], [-9.0, -9.0, 9.0]])
    assert one_against_one(logits, positive) < 1e-4
    lower = logits.clone()
    lower[0, 1] = 0.0
    assert one_against_one(lower, positive) < 1e-2  # the two right texts do not compete


def test_gradients_lift_right_pairs_and_push_down_wrong_ones():
    logits = torch.randn(4, 4, requires_grad=True)
    one_against_one(logits, torch.eye(4).bool()).backward()
    assert (logits.grad.diag() < 0).all()
    assert (logits.grad[~torch.eye(4).bool()] > 0).all()


def test_a_shift_of_all_logits_changes_nothing():
    logits = torch.arange(9.0).view(3, 3).sin()
    right = torch.eye(3).bool()
    torch.testing.assert_close(one_against_one(logits, right), one_against_one(logits + 5, right))
