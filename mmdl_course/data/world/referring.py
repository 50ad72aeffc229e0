"""Referring expressions: a noun phrase that means exactly one object of a scene, and the box it stands for.

expression = "the" words [ relation "the" words ]

"the cube left of the red object": exactly one object is a red object, and exactly one cube stands left of it.
Relations are meant from the default camera, wherever the picture is taken from.
"""

import re
from dataclasses import astuple, dataclass
from itertools import combinations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from mmdl_course.data.world.camera import FRONT, Camera
from mmdl_course.data.world.claims import RELATIONS, Phrase, describe, related
from mmdl_course.data.world.grammar import CaptionError, read_phrase
from mmdl_course.data.world.inputs import check_between, check_generator
from mmdl_course.data.world.render import render
from mmdl_course.data.world.scene import Scenes
from mmdl_course.data.world.threads import one_thread

__all__ = ["References", "refer", "resolve"]

LEAST = 1 / 24
"""An object whose visible part is narrower or lower than this share of the picture counts as hidden."""

_SUBSETS = tuple(kinds for size in range(5) for kinds in combinations(range(4), size))


@dataclass(frozen=True)
class References:
    """Expressions and what they mean, one entry for each object that was named.

    Attributes:
        text: the expressions.
        scene: which scene of the batch each is about.
        slot: the object it means.
        box: x0, y0, x1, y1 of the object's visible part in pixels, as in `Views.boxes`.
        ambiguous: objects left out because no expression tells them from the others.
        hidden: objects left out because the picture does not show enough of them.
    """

    text: tuple[str, ...]
    scene: Int64[Tensor, " reference"]
    slot: Int64[Tensor, " reference"]
    box: Float[Tensor, "reference 4"]
    ambiguous: int
    hidden: int

    def __len__(self) -> int:
        return len(self.text)


@one_thread()
def refer(
    scenes: Scenes,
    *,
    generator: torch.Generator,
    camera: Camera = FRONT,
    size: int = 64,
    relational: float = 0.3,
) -> References:
    """Name every visible object of the scenes in as few words as tell it from the others.

    Args:
        scenes: what there is to name.
        generator: source of randomness; decides among expressions of the same length.
        camera: from where the picture is taken that the boxes are for.
        size: pixels per side of that picture.
        relational: probability, 0..1, to name an object by a relation, with words that would not do
            alone, where such an expression exists. An object that no attributes tell apart is always named
            by a relation.

    Returns:
        The expressions, ordered by scene and slot, with the number of objects left out.

    Raises:
        ValueError: relational is out of range, or what `render` refuses.
    """
    check_generator(generator)
    check_between("relational", relational, 0, 1)
    boxes = render(scenes, camera=camera, size=size, shadows=False).boxes
    shown = (boxes[..., 2:] - boxes[..., :2] >= LEAST * size).all(-1)  # nan compares false
    shown = shown.tolist()
    relations = torch.stack([related(name, scenes) for name in RELATIONS], 1).tolist()
    draws = torch.rand(*scenes.present.shape, 2, generator=generator).tolist()
    text, where, ambiguous, hidden = [], [], 0, 0
    for scene, phrases in enumerate(describe(scenes)):
        objects = {slot: astuple(phrase) for slot, phrase in enumerate(phrases) if phrase is not None}
        plain = {slot: _plain(objects, slot) for slot in objects}
        for slot in objects:
            which, relate = draws[scene][slot]
            found = []
            if relate < relational or not plain[slot]:
                found = _relational(objects, slot, plain, relations[scene])
            found = found or plain[slot]
            if not shown[scene][slot]:
                hidden += 1
            elif not found:
                ambiguous += 1
            else:
                text.append(found[int(which * len(found))])
                where.append((scene, slot))
    scene, slot = torch.tensor(where, dtype=torch.long).reshape(-1, 2).unbind(1)
    return References(tuple(text), scene, slot, boxes[scene, slot], ambiguous, hidden)


def resolve(expression: str, scenes: Scenes) -> Int64[Tensor, " scene"]:
    """The object that an expression means, in each scene.

    Args:
        expression: as `refer` writes it; capitals do not matter.
        scenes: the scenes to look at.

    Returns:
        A slot per scene; -1 where the expression means none, or more than one.

    Raises:
        CaptionError: an expression that cannot be read.
    """
    plain = " ".join(expression.lower().split())
    found = re.fullmatch(rf"the (.+?)(?: ({'|'.join(RELATIONS)}) the (.+))?", plain)
    if not found:
        raise CaptionError(
            f"cannot read '{expression}': it should look like 'the red cube', or "
            "'the cube left of the red sphere'"
        )
    words, relation, anchor = found.groups()
    fits = _read(words, expression).matches(scenes)
    if relation:
        other = _read(anchor, expression).matches(scenes)
        only = other & (other.sum(1, keepdim=True) == 1)
        fits = fits & (related(relation, scenes) & only[:, None]).any(2)
    return _single(fits)


def _read(words: str, expression: str) -> Phrase:
    try:
        return read_phrase(words)
    except CaptionError as error:
        raise CaptionError(f"cannot read '{expression}': {error}") from None


def _single(fits: Bool[Tensor, "scene object"]) -> Int64[Tensor, " scene"]:
    return torch.where(fits.sum(1) == 1, fits.int().argmax(1), -1)


_Object = tuple[str, str, str, str]  # its attributes, in the order of ATTRIBUTES


def _said(item: _Object, kinds: tuple[int, ...]) -> str:
    """A noun phrase without article; shape is the last attribute."""
    return " ".join([item[kind] for kind in kinds] + ["object"] * (3 not in kinds))


def _alike(objects: dict[int, _Object], slot: int, kinds: tuple[int, ...]) -> list[int]:
    """Slots that share the named attributes of one of them, that one included."""
    own = objects[slot]
    return [other for other, item in objects.items() if all(item[kind] == own[kind] for kind in kinds)]


def _plain(objects: dict[int, _Object], slot: int) -> list[str]:
    """The shortest expressions by attributes alone; none where another object is just like it."""
    unique = [kinds for kinds in _SUBSETS if _alike(objects, slot, kinds) == [slot]]
    return [f"the {_said(objects[slot], kinds)}" for kinds in unique if len(kinds) == len(unique[0])]


def _relational(
    objects: dict[int, _Object], slot: int, plain: dict[int, list[str]], relations: list[list[list[bool]]]
) -> list[str]:
    """The shortest expressions that need their relation."""
    found, least = [], 8
    for kinds in _SUBSETS:
        alike = _alike(objects, slot, kinds)
        if alike == [slot]:
            continue
        for anchor, names in plain.items():
            if anchor == slot or not names:
                continue
            length = len(kinds) + sum(word not in ("the", "object") for word in names[0].split())
            for name, true in zip(RELATIONS, relations, strict=True):
                if [other for other in alike if true[other][anchor]] == [slot] and length <= least:
                    found = found if length == least else []
                    found += [f"the {_said(objects[slot], kinds)} {name} {other}" for other in names]
                    least = length
    return found
