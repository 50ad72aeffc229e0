"""Bounds of scores, and what the bounds of several tasks are worked out from."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mmdl_course.data.world.claims import ATTRIBUTES
from mmdl_course.data.world.sampling import SceneConfig

__all__ = ["Bounds", "mean_and_error", "object_table"]


@dataclass(frozen=True)
class Bounds:
    """Between what scores of a task lie.

    Attributes:
        chance: expected score of the best that does not look at the input, 0..1.
        ceiling: expected score of one that knows the scene, or all that the input says of it, 0..1.
        chance_error: standard error of `chance`; 0 where it is exact.
        ceiling_error: standard error of `ceiling`; 0 where it is exact.
    """

    chance: float
    ceiling: float
    chance_error: float = 0.0
    ceiling_error: float = 0.0


def object_table(config: SceneConfig) -> Float[Tensor, "size colour material shape"]:
    """Probability of each kind of object; the dimensions in the order of ATTRIBUTES."""
    single = []
    for chosen, names in ((config.sizes, ATTRIBUTES["size"]), (config.materials, ATTRIBUTES["material"])):
        counts = torch.tensor([chosen.count(name) for name in names], dtype=torch.float64)
        single.append(counts / counts.sum())
    joint = config.joint().double().T
    return torch.einsum("i,ck,m->icmk", single[0], joint / joint.sum(), single[1])


def mean_and_error(values: Tensor) -> tuple[float, float]:
    """Mean and its standard error."""
    values = values.double()
    return values.mean().item(), (values.std() / len(values) ** 0.5).item()
