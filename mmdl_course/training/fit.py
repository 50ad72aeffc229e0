"""One small training loop for every lesson."""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from mmdl_course.training.budget import is_full_budget

__all__ = ["batches", "fit"]


def batches(count: int, *, size: int, steps: int, generator: torch.Generator) -> Iterable[Tensor]:
    """Index batches for `steps` steps: every sample once per epoch, in a fresh order, without a ragged end.

    Args:
        count: number of samples.
        size: samples per batch; a data set smaller than that makes one batch of all.
        steps: number of batches.
        generator: decides the order.

    Yields:
        Int64 indices, shape (min(size, count),).
    """
    size = min(size, count)
    done = 0
    while done < steps:
        order = torch.randperm(count, generator=generator)
        for start in range(0, count - size + 1, size):
            if done == steps:
                return
            yield order[start : start + size]
            done += 1


def fit(
    loss: Callable[[Tensor], Tensor],
    parameters: Iterable[torch.nn.Parameter],
    *,
    count: int,
    steps: int,
    generator: torch.Generator,
    batch_size: int = 128,
    learning_rate: float = 2e-3,
    warm_up: int = 0,
    label: str = "training",
) -> Float[Tensor, " step"]:
    """Minimise `loss(indices)` with Adam and a cosine schedule, with a progress bar.

    Args:
        loss: takes Int64 sample indices, returns the scalar loss of that batch.
        parameters: what is trained; everything else stays as it is.
        count: number of samples that indices may point to.
        steps: optimiser steps.
        generator: decides the order of the samples.
        batch_size: samples per step.
        learning_rate: at the start; it falls to zero along half a cosine.
        warm_up: steps over which it first rises in a straight line, as transformers like it.
        label: what the progress bar says.

    Returns:
        The loss of every step.

    Raises:
        FloatingPointError: the loss became NaN or infinite.
    """
    optimiser = torch.optim.Adam(parameters, lr=learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=steps)
    if warm_up:
        rise = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: (step + 1) / (warm_up + 1))
        fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=steps - warm_up)
        schedule = torch.optim.lr_scheduler.SequentialLR(optimiser, [rise, fall], [warm_up])
    history = torch.zeros(steps)
    order = batches(count, size=batch_size, steps=steps, generator=generator)
    bar = tqdm(order, total=steps, desc=label, leave=False, disable=not is_full_budget())
    for step, indices in enumerate(bar):
        value = loss(indices)
        if not torch.isfinite(value):
            raise FloatingPointError(
                f"{label}: the loss is {value.item()} at step {step}. Try a smaller learning rate."
            )
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        schedule.step()
        history[step] = value.detach()
        if step % 50 == 0:
            bar.set_postfix(loss=f"{value.item():.4f}")
    return history
