"""Losses that no exercise asks for."""

import math

import torch

from mmdl_course.training import decoupled_contrast


def test_two_pairs_by_hand():
    logits = torch.tensor([[2.0, 1.0], [0.0, 3.0]])
    gaps = [1.0 - 2.0, 0.0 - 3.0, 0.0 - 2.0, 1.0 - 3.0]  # the one rival in rows, then in columns
    torch.testing.assert_close(decoupled_contrast(logits, torch.eye(2).bool()), torch.tensor(sum(gaps) / 4))


def test_one_who_knows_nothing_pays_the_logarithm_of_the_rivals():
    loss = decoupled_contrast(torch.zeros(5, 5), torch.eye(5).bool())
    torch.testing.assert_close(loss, torch.tensor(math.log(4)))


def test_right_answers_do_not_compete():
    positive = torch.tensor([[True, True, False], [False, False, True]])
    logits = torch.tensor([[9.0, 2.0, 0.0], [0.0, 0.0, 5.0]])
    by_hand = torch.tensor([0.0 - 9.0, 0.0 - 2.0, math.log(2) - 5.0]).mean()  # rivals of the image
    by_hand += torch.tensor([0.0 - 9.0, 0.0 - 2.0, 0.0 - 5.0]).mean()  # rivals of the text
    torch.testing.assert_close(decoupled_contrast(logits, positive), by_hand / 2)


def test_gradients_lift_right_pairs_and_push_down_wrong_ones():
    logits = torch.randn(4, 4, requires_grad=True)
    decoupled_contrast(logits, torch.eye(4).bool()).backward()
    assert (logits.grad.diag() < 0).all()
    assert (logits.grad[~torch.eye(4).bool()] > 0).all()


def test_a_shift_of_all_logits_changes_nothing():
    logits = torch.arange(9.0).view(3, 3).sin()
    right = torch.eye(3).bool()
    torch.testing.assert_close(decoupled_contrast(logits, right), decoupled_contrast(logits + 5, right))
