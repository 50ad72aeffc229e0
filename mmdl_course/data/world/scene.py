"""Reality: a batch of scenes of solid objects on a ground plane, every factor known."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import SupportsIndex

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

__all__ = ["COLOURS", "MATERIALS", "SHAPES", "SIZES", "SLOTS", "Scenes", "concatenate", "make_scenes"]

SLOTS = 4
"""Objects a scene can hold."""

SHAPES = ("sphere", "cube", "cone", "cylinder", "torus", "wedge")
"""Each fits into a circle of radius `scale` on the ground. The wedge alone has no rotational symmetry."""

COLOURS = {
    "red": (0.83, 0.11, 0.12),
    "orange": (0.98, 0.50, 0.05),
    "yellow": (0.98, 0.86, 0.14),
    "green": (0.12, 0.60, 0.18),
    "cyan": (0.16, 0.78, 0.82),
    "blue": (0.12, 0.26, 0.85),
    "purple": (0.53, 0.15, 0.67),
    "white": (0.94, 0.94, 0.94),
}
"""Name to red, green, blue in 0..1."""

SIZES = {"small": 0.48, "large": 0.78}
"""Name to radius in world units."""

MATERIALS = ("matte", "shiny")


@dataclass(frozen=True)
class Scenes:
    """A batch of scenes with up to four objects each.

    World frame: x to the right and y away from the default camera, z up; the ground is z = 0. Slots that are
    not present hold zeros (scale 1) and mean nothing.

    Attributes:
        shape: index into SHAPES.
        colour: index into COLOURS (the nearest one where rgb is continuous).
        size: index into SIZES (the nearest one where scale is continuous).
        material: index into MATERIALS.
        position: centre of the footprint on the ground, world units.
        yaw: turn about the vertical axis, radians, counter-clockwise seen from above.
        scale: radius of the footprint, world units.
        rgb: surface colour, 0..1.
        present: whether the slot holds an object.
    """

    shape: Int64[Tensor, "scene object"]
    colour: Int64[Tensor, "scene object"]
    size: Int64[Tensor, "scene object"]
    material: Int64[Tensor, "scene object"]
    position: Float[Tensor, "scene object 2"]
    yaw: Float[Tensor, "scene object"]
    scale: Float[Tensor, "scene object"]
    rgb: Float[Tensor, "scene object 3"]
    present: Bool[Tensor, "scene object"]

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, index: SupportsIndex | slice | Tensor) -> "Scenes":
        """Some of the scenes, always as a batch: `scenes[3]` holds one scene.

        Args:
            index: a number, a slice, or a tensor of numbers or truth values.
        """
        if not isinstance(index, slice) and not (isinstance(index, Tensor) and index.ndim):
            index = operator.index(index)
            if not -len(self) <= index < len(self):
                raise IndexError(f"scene {index} of a batch of {len(self)}")
            index = slice(index, index + 1 or None)
        return Scenes(*(getattr(self, field.name)[index] for field in fields(self)))

    def to(self, device: torch.device | str) -> "Scenes":
        """The same scenes on another device."""
        return Scenes(*(getattr(self, field.name).to(device) for field in fields(self)))


def concatenate(parts: Iterable[Scenes]) -> Scenes:
    """One batch from several.

    Args:
        parts: at least one batch; all have the same number of slots.

    Returns:
        The scenes of all parts in order.
    """
    parts = tuple(parts)
    return Scenes(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Scenes)))


def make_scenes(*scenes: Iterable[dict]) -> Scenes:
    """Scenes written by hand, one sequence of objects each.

    Args:
        scenes: for each scene up to four dictionaries with `position` (x, y in world units) and any of
            `shape`, `colour`, `size`, `material` (names), `yaw` (radians), `scale` (world units) and
            `rgb` (0..1).

    Returns:
        A batch with one scene per argument; what an object leaves out is a large red matte sphere's.

    Raises:
        ValueError: more than four objects, or an unknown name or key.
    """
    rows = {field.name: [] for field in fields(Scenes)}
    for objects in scenes:
        objects = list(objects)
        if len(objects) > SLOTS:
            raise ValueError(f"a scene holds at most {SLOTS} objects, this one has {len(objects)}")
        filled = [_row(**item) for item in objects] + [_EMPTY] * (SLOTS - len(objects))
        for name, values in rows.items():
            values.append([row[name] for row in filled])
    return Scenes(**{name: torch.tensor(values) for name, values in rows.items()})


_EMPTY = {
    "shape": 0,
    "colour": 0,
    "size": 0,
    "material": 0,
    "position": (0.0, 0.0),
    "yaw": 0.0,
    "scale": 1.0,
    "rgb": (0.0, 0.0, 0.0),
    "present": False,
}


def _row(
    *,
    position: tuple[float | int, float | int],
    shape: str = "sphere",
    colour: str = "red",
    size: str = "large",
    material: str = "matte",
    yaw: float | int = 0,
    scale: float | int | None = None,
    rgb: tuple[float | int, ...] | None = None,
) -> dict:
    return {
        "shape": index_of(shape, SHAPES, "shape"),
        "colour": index_of(colour, COLOURS, "colour"),
        "size": index_of(size, SIZES, "size"),
        "material": index_of(material, MATERIALS, "material"),
        "position": tuple(map(float, position)),
        "yaw": float(yaw),
        "scale": float(SIZES[size] if scale is None else scale),
        "rgb": COLOURS[colour] if rgb is None else tuple(map(float, rgb)),
        "present": True,
    }


def index_of(name: str, names: Iterable[str], kind: str) -> int:
    """Where a name stands in its list.

    Raises:
        ValueError: it does not; the message lists what there is.
    """
    names = list(names)
    if name not in names:
        raise ValueError(f"no {kind} is called '{name}'; there are {', '.join(names)}")
    return names.index(name)
