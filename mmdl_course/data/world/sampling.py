"""Drawing scenes: under constraints (held-out pairs, spurious correlation), or with few free factors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mmdl_course.data.world.inputs import check_between, check_count, check_generator, check_names, index_of
from mmdl_course.data.world.scene import (
    COLOURS,
    MATERIALS,
    SHAPES,
    SIZES,
    SLOTS,
    Scenes,
    make_scenes,
)
from mmdl_course.data.world.threads import one_thread

__all__ = ["FACTORS", "FIELD_RADIUS", "SceneConfig", "sample_factors", "sample_scenes", "scenes_from_factors"]

FIELD_RADIUS = 2.0
"""Objects stand (their centres) in a disc of this radius about the origin, world units."""

FACTORS = {
    "x": (-0.6, 0.6),
    "y": (-0.6, 0.6),
    "yaw": (-0.8, 0.8),
    "hue": (0.0, 0.6),
    "scale": (0.9, 1.3),
}
"""Continuous factor to its range: world units, radians, turns of the colour circle, world units."""

_ROUNDS = 2000


@dataclass(frozen=True)
class SceneConfig:
    """What may appear in a sampled scene.

    Attributes:
        objects: fewest and most objects, within 1..4; the number is uniform between them.
        shapes: allowed shapes.
        colours: allowed colours.
        sizes: allowed sizes.
        materials: allowed materials.
        held_out: (colour, shape) pairs set apart.
        pairs: "seen" never draws a held-out pair, "held_out" draws nothing else.
        spurious: strength p in 0..1 of a correlation shape → colour. With probability p an object has its
            shape's own colour (the first free one, counting from the shape's place among `shapes`), otherwise
            any allowed colour.
        gap: least distance between the footprints of two objects, world units.
    """

    objects: tuple[int, int] = (1, SLOTS)
    shapes: tuple[str, ...] = SHAPES
    colours: tuple[str, ...] = tuple(COLOURS)
    sizes: tuple[str, ...] = tuple(SIZES)
    materials: tuple[str, ...] = MATERIALS
    held_out: tuple[tuple[str, str], ...] = ()
    pairs: Literal["seen", "held_out"] = "seen"
    spurious: float = 0.0
    gap: float = 0.15

    def __post_init__(self) -> None:
        if not isinstance(self.objects, Sequence) or len(self.objects) != 2:
            raise ValueError(f"objects takes two numbers, (fewest, most), not {self.objects!r}")
        fewest, most = self.objects
        for number in self.objects:
            check_count("objects", number, least=0)
        if not 1 <= fewest <= most <= SLOTS:
            raise ValueError(f"objects must be (fewest, most) within 1..{SLOTS}, not {self.objects}")
        check_between("spurious", self.spurious, 0, 1)
        check_between("gap", self.gap, 0)
        for field, names, kind in _KINDS:
            check_names(field, getattr(self, field), names, kind)
            if not getattr(self, field):
                raise ValueError(f"{field} is empty: allow at least one {kind}")
        for pair in self.held_out:
            if isinstance(pair, str) or len(pair) != 2:
                raise ValueError(
                    f"held_out takes (colour, shape) pairs, such as (('red', 'cube'),), not {pair!r}"
                )
            index_of(pair[0], COLOURS, "colour, the first of a held_out pair,")
            index_of(pair[1], SHAPES, "shape, the second of a held_out pair,")
        index_of(self.pairs, ("seen", "held_out"), "choice of pairs")
        self.joint()

    def joint(self) -> Float[Tensor, "shape colour"]:
        """Probability of each (shape, colour) pair, rows SHAPES, columns COLOURS.

        Raises:
            ValueError: no pair is left.
        """
        allowed = torch.zeros(len(SHAPES), len(COLOURS))
        rows = [SHAPES.index(shape) for shape in self.shapes]
        columns = [list(COLOURS).index(colour) for colour in self.colours]
        allowed[torch.tensor(rows)[:, None], torch.tensor(columns)] = 1
        apart = torch.zeros_like(allowed)
        for colour, shape in self.held_out:
            apart[SHAPES.index(shape), list(COLOURS).index(colour)] = 1
        allowed = allowed * (apart if self.pairs == "held_out" else 1 - apart)
        if not allowed.any():
            raise ValueError(
                f"no (colour, shape) pair is left to draw with pairs='{self.pairs}' and {len(self.held_out)} "
                "pairs in held_out: allow more shapes or colours, or change held_out"
            )
        joint = torch.zeros_like(allowed)
        for place, row in enumerate(rows):
            free = [column for column in columns if allowed[row, column]]
            if free:
                turned = columns[place % len(columns) :] + columns[: place % len(columns)]
                own = next(column for column in turned if column in free)
                joint[row, free] = (1 - self.spurious) / len(free)
                joint[row, own] += self.spurious
        return joint / joint.sum()


_KINDS = (
    ("shapes", SHAPES, "shape"),
    ("colours", COLOURS, "colour"),
    ("sizes", SIZES, "size"),
    ("materials", MATERIALS, "material"),
)

ANY = SceneConfig()


@one_thread()
def sample_scenes(count: int, *, generator: torch.Generator, config: SceneConfig = ANY) -> Scenes:
    """Draw scenes: attributes independent (but for `config`), positions uniform where objects do not overlap.

    Args:
        count: number of scenes.
        generator: source of randomness; lives on the CPU, as the scenes do.
        config: what may appear.

    Returns:
        `count` scenes. Objects fill the first slots.

    Raises:
        ValueError: the objects do not fit into the field with the gap that `config` asks for.
    """
    check_count("count", count, least=0)
    check_generator(generator)
    fewest, most = config.objects
    number = torch.randint(fewest, most + 1, (count, 1), generator=generator)
    present = torch.arange(SLOTS) < number  # (scene, object)
    pair = torch.multinomial(
        config.joint().flatten(), max(count * SLOTS, 1), replacement=True, generator=generator
    )
    pair = pair[: count * SLOTS].view(count, SLOTS)
    shape, colour = pair // len(COLOURS), pair % len(COLOURS)
    size = _choose(config.sizes, SIZES, count, generator)
    material = _choose(config.materials, MATERIALS, count, generator)
    yaw = (torch.rand(count, SLOTS, generator=generator) * 2 - 1) * math.pi
    scale = torch.tensor(list(SIZES.values()))[size]
    position = _place(scale, present, config, generator)
    rgb = torch.tensor(list(COLOURS.values()))[colour]
    whole = present.long()
    return Scenes(
        shape=shape * whole,
        colour=colour * whole,
        size=size * whole,
        material=material * whole,
        position=position * present[..., None],
        yaw=yaw * present,
        scale=torch.where(present, scale, torch.ones(())),
        rgb=rgb * present[..., None],
        present=present,
    )


def sample_factors(
    count: int, *, free: Sequence[str], generator: torch.Generator
) -> tuple[Scenes, Float[Tensor, "scene factor"]]:
    """One wedge per scene in which just the named factors vary, uniformly in the ranges of FACTORS.

    What is not free stays fixed in the middle of its range. Each factor changes the picture smoothly and by a
    like amount, so the images lie on a manifold with as many dimensions as there are free factors.

    Args:
        count: number of scenes.
        free: names from FACTORS, each once; may be empty.
        generator: source of randomness.

    Returns:
        The scenes, and the values of the free factors in the order of `free`.

    Raises:
        ValueError: an unknown factor, or one named twice.
    """
    check_count("count", count, least=0)
    check_generator(generator)
    check_names("free", free, FACTORS, "factor")
    low, high = torch.tensor([FACTORS[name] for name in free]).reshape(-1, 2).T
    factors = low + (high - low) * torch.rand(count, len(free), generator=generator)
    if not free:
        return scenes_from_factors(x=torch.full((count,), sum(FACTORS["x"]) / 2)), factors
    return scenes_from_factors(**dict(zip(free, factors.unbind(1), strict=True))), factors


def hue_to_rgb(hue: Float[Tensor, "*any"]) -> Float[Tensor, "*any 3"]:
    """A smooth circle of colours through red (0), green (1/3) and blue (2/3).

    Args:
        hue: in turns.

    Returns:
        Red, green, blue in 0..1.
    """
    return 0.5 + 0.42 * torch.cos(2 * math.pi * (hue[..., None] - torch.tensor([0.0, 1 / 3, 2 / 3])))


def scenes_from_factors(**values: Float[Tensor, " scene"]) -> Scenes:
    """One wedge per scene, made from given factors.

    Args:
        values: names from FACTORS, at least one; the others stay in the middle of their ranges.

    Returns:
        One scene per value.

    Raises:
        ValueError: an unknown factor, none, or not one finite number per scene.
    """
    for name in values:
        index_of(name, FACTORS, "factor")
    if not values:
        raise ValueError(f"give at least one factor of {', '.join(FACTORS)}")
    shapes = {name: tuple(torch.as_tensor(value).shape) for name, value in values.items()}
    if len(set(shapes.values())) > 1 or len(next(iter(shapes.values()))) != 1:
        raise ValueError(
            f"factors are tensors with one number per scene, all alike; their shapes are {shapes}"
        )
    for name, value in values.items():
        if not torch.as_tensor(value).isfinite().all():
            raise ValueError(f"factor '{name}' has values that are not finite")
    count = len(next(iter(values.values())))
    middle = {name: torch.full((count,), sum(limits) / 2) for name, limits in FACTORS.items()}
    x, y, yaw, hue, scale = (middle | values).values()  # in the order of FACTORS
    blank = make_scenes([{"position": (0, 0), "shape": "wedge"}])[torch.zeros(count, dtype=torch.long)]
    rgb, palette = hue_to_rgb(hue), torch.tensor(list(COLOURS.values()))
    radii = torch.tensor(list(SIZES.values()))
    filled = {
        "colour": (rgb[:, None] - palette).square().sum(-1).argmin(1),
        "size": (scale[:, None] - radii).abs().argmin(1),
        "position": torch.stack([x, y], -1),
        "yaw": yaw,
        "scale": scale,
        "rgb": rgb,
    }
    parts = {}
    for name, column in filled.items():
        parts[name] = getattr(blank, name).clone()
        parts[name][:, 0] = column
    return replace(blank, **parts)


def _choose(
    allowed: Sequence[str], names: Sequence[str] | dict, count: int, generator: torch.Generator
) -> Tensor:
    places = torch.tensor([list(names).index(name) for name in allowed])
    return places[torch.randint(len(allowed), (count, SLOTS), generator=generator)]


def _place(
    scale: Float[Tensor, "scene object"],
    present: Bool[Tensor, "scene object"],
    config: SceneConfig,
    generator: torch.Generator,
) -> Float[Tensor, "scene object 2"]:
    """Uniform positions in the field, drawn again for a whole scene until none of its objects collide."""
    position = torch.zeros(*scale.shape, 2)
    left = torch.arange(len(scale))
    apart = scale[:, :, None] + scale[:, None, :] + config.gap
    both = present[:, :, None] & present[:, None, :] & ~torch.eye(SLOTS, dtype=torch.bool)
    apart = torch.where(both, apart, torch.zeros(()))  # (scene, object, object)
    for _ in range(_ROUNDS):
        if not len(left):
            return position
        uniform = torch.rand(len(left), SLOTS, 2, generator=generator)
        radius, angle = FIELD_RADIUS * uniform[..., 0].sqrt(), 2 * math.pi * uniform[..., 1]
        drawn = torch.stack([radius * angle.cos(), radius * angle.sin()], -1)
        position[left] = drawn
        distance = (drawn[:, :, None] - drawn[:, None, :]).square().sum(-1).sqrt()
        left = left[(distance < apart[left]).any(2).any(1)]
    raise ValueError(
        f"{len(left)} of {len(scale)} scenes found no room for their objects in {_ROUNDS} draws: "
        f"with objects={config.objects}, sizes={config.sizes} and gap={config.gap}, ask for fewer or smaller "
        "objects or a smaller gap"
    )
