"""Reality: a batch of scenes of solid objects on a ground plane, every factor known."""

import math
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import SupportsIndex

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from mmdl_course.data.world.inputs import check_between, index_of

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
    not present hold zeros (scale 1) and mean nothing. What is said of an object goes by its indices, what is
    seen by `scale` and `rgb`: who changes one with `dataclasses.replace` changes the other too.

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

    def __post_init__(self) -> None:
        batch = tuple(self.present.shape)
        for field in fields(self):
            value, (dtype, last) = getattr(self, field.name), _FORM[field.name]
            if value.dtype != dtype or tuple(value.shape) != (*batch, *last):
                raise ValueError(
                    f"{field.name} must be a {dtype} tensor of shape {(*batch, *last)}, as present is "
                    f"{batch}; it is {value.dtype} of shape {tuple(value.shape)}"
                )
        indices = torch.stack([getattr(self, name) for name in _LISTS], -1)
        limits = torch.tensor([len(names) for names in _LISTS.values()], device=indices.device)
        wrong = ((indices < 0) | (indices >= limits)).flatten(0, -2).any(0)
        if wrong.any():
            name = list(_LISTS)[int(wrong.int().argmax())]
            raise ValueError(
                f"{name} holds indices into a list of {len(_LISTS[name])} names: 0..{len(_LISTS[name]) - 1}"
            )

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


_LISTS = {"shape": SHAPES, "colour": COLOURS, "size": SIZES, "material": MATERIALS}
_FORM = dict.fromkeys(_LISTS, (torch.int64, ())) | dict.fromkeys(("yaw", "scale"), (torch.float32, ()))
_FORM |= {"position": (torch.float32, (2,)), "rgb": (torch.float32, (3,)), "present": (torch.bool, ())}


def concatenate(parts: Iterable[Scenes]) -> Scenes:
    """One batch from several.

    Args:
        parts: at least one batch; all have the same number of slots.

    Returns:
        The scenes of all parts in order.

    Raises:
        ValueError: no parts.
    """
    parts = tuple(parts)
    if not parts:
        raise ValueError("there is nothing to put together: give at least one batch of scenes")
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
        ValueError: more than four objects, an unknown name or key, or a number out of range.
    """
    if not scenes:
        return make_scenes([])[:0]
    rows = {field.name: [] for field in fields(Scenes)}
    for objects in scenes:
        if isinstance(objects, Mapping):
            raise ValueError("a scene is a sequence of objects: put the dictionary into a list")
        objects = list(objects)
        if len(objects) > SLOTS:
            raise ValueError(f"a scene holds at most {SLOTS} objects, this one has {len(objects)}")
        filled = [_row(item) for item in objects] + [_EMPTY] * (SLOTS - len(objects))
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


_KEYS = ("position", "shape", "colour", "size", "material", "yaw", "scale", "rgb")


def _row(item: Mapping) -> dict:
    for key in item:
        index_of(key, _KEYS, "property of an object")
    if "position" not in item:
        raise ValueError(f"an object needs its position, (x, y) in world units; this one has {list(item)}")
    item = {"shape": "sphere", "colour": "red", "size": "large", "material": "matte", "yaw": 0} | dict(item)
    item = {"scale": SIZES.get(item["size"]), "rgb": COLOURS.get(item["colour"])} | item
    row = {
        "shape": index_of(item["shape"], SHAPES, "shape"),
        "colour": index_of(item["colour"], COLOURS, "colour"),
        "size": index_of(item["size"], SIZES, "size"),
        "material": index_of(item["material"], MATERIALS, "material"),
        "present": True,
    }
    check_between("yaw", item["yaw"], -math.inf)
    check_between("scale", item["scale"], 0, open_low=True)
    return row | {
        "position": _numbers("position", item["position"], 2, -math.inf, math.inf),
        "yaw": float(item["yaw"]),
        "scale": float(item["scale"]),
        "rgb": _numbers("rgb", item["rgb"], 3, 0, 1),
    }


def _numbers(
    field: str, values: Iterable, count: int, low: float | int, high: float | int
) -> tuple[float, ...]:
    values = tuple(values)
    if len(values) != count:
        raise ValueError(f"{field} takes {count} numbers, not {values}")
    for value in values:
        check_between(field, value, low, high)
    return tuple(map(float, values))
