"""What a pretraining recipe is, and how its scores are told."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import nn

__all__ = ["Recipe", "Score"]


@dataclass(frozen=True)
class Score:
    """One measurement of a pretrained model.

    Attributes:
        task: what it was asked to do, and on what.
        measure: what is measured, with its unit.
        value: how it did.
        error: standard error of `value` from the finite test set.
        baseline: the honest alternative's value on the same test set.
        baseline_name: what that alternative is.
        chance: value of one that does not look, or looks at the wrong thing; None where that means nothing.
        ceiling: best value there can be; None where nothing bounds it.
    """

    task: str
    measure: str
    value: float
    error: float
    baseline: float
    baseline_name: str
    chance: float | None
    ceiling: float | None

    def as_dict(self) -> dict[str, float | str | None]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Recipe:
    """How one of the course's models is made.

    Attributes:
        name: of the checkpoint.
        summary: what the model is, in one sentence.
        data: what it learns from, in one sentence.
        steps: optimiser steps of the full recipe.
        build: makes the untrained model; uses torch's global generator.
        train: trains it in place: (model, generator, steps).
        score: measures it, on scenes of its own: (model, generator). Does not depend on what `train` drew.
    """

    name: str
    summary: str
    data: str
    steps: int
    build: Callable[[], nn.Module]
    train: Callable[[nn.Module, torch.Generator, int], None]
    score: Callable[[nn.Module, torch.Generator], list[Score]]
