"""What can be said about a scene, and whether it is true: exactly, claim by claim."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Bool
from torch import Tensor

from mmdl_course.data.world.inputs import index_of
from mmdl_course.data.world.scene import COLOURS, MATERIALS, SHAPES, SIZES, Scenes

__all__ = ["NUMBERS", "RELATIONS", "Claim", "Clause", "Phrase", "claims", "holds", "related"]

RELATIONS = ("next to", "far from", "left of", "right of", "in front of", "behind")
"""Relations between two objects, seen from the default camera; `related` defines them."""

NUMBERS = ("no", "one", "two", "three", "four")

MARGIN = 0.4
"""Least offset for left, right, in front and behind, world units."""

NEAR = 0.6
"""Objects whose footprints are less than this apart are next to each other, world units."""

FAR = 2.4
"""Objects whose centres are more than this apart are far from each other, world units."""

ATTRIBUTES = {"size": tuple(SIZES), "colour": tuple(COLOURS), "material": MATERIALS, "shape": SHAPES}
"""Attribute to its values, in the order in which a noun phrase names them."""


@dataclass(frozen=True)
class Phrase:
    """What a noun phrase says of an object; None says nothing.

    Attributes:
        size: from SIZES.
        colour: from COLOURS.
        material: from MATERIALS.
        shape: from SHAPES.
    """

    size: str | None = None
    colour: str | None = None
    material: str | None = None
    shape: str | None = None

    def __post_init__(self) -> None:
        for kind, names in ATTRIBUTES.items():
            if getattr(self, kind) is not None:
                index_of(getattr(self, kind), names, kind)

    def __str__(self) -> str:
        words = [word for word in (self.size, self.colour, self.material) if word]
        return " ".join([*words, self.shape or "object"])

    @property
    def with_article(self) -> str:
        """As a phrase of its own: "a red sphere", "an orange object"."""
        text = str(self)
        return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"

    @property
    def plural(self) -> str:
        """For counting: "red spheres", "tori"."""
        return "tori".join(str(self).rsplit("torus", 1)) if self.shape == "torus" else f"{self}s"

    def matches(self, scenes: Scenes) -> Bool[Tensor, "scene object"]:
        """Which objects it fits."""
        fits = scenes.present
        for kind, names in ATTRIBUTES.items():
            if getattr(self, kind) is not None:
                fits = fits & (getattr(scenes, kind) == names.index(getattr(self, kind)))
        return fits


@dataclass(frozen=True)
class Claim:
    """One statement about a scene that is true or false.

    Attributes:
        kind: "exists": some object fits `subject`. "attribute": some object fits `subject`, and whatever does
            also fits `other`. "count": exactly `number` objects fit `subject`. "relation": some object that
            fits `subject` stands in `relation` to another one that fits `other`.
        subject: what is spoken of.
        other: what it is said to be, or what it is related to.
        relation: from RELATIONS.
        number: 0..4.
    """

    kind: Literal["exists", "attribute", "count", "relation"]
    subject: Phrase
    other: Phrase | None = None
    relation: str | None = None
    number: int | None = None

    def __post_init__(self) -> None:
        needed = {"attribute": {"other"}, "count": {"number"}, "relation": {"other", "relation"}}
        needed = needed.get(self.kind, set())
        given = {field for field in ("other", "relation", "number") if getattr(self, field) is not None}
        if given != needed:
            raise ValueError(
                f"a claim of kind '{self.kind}' needs {sorted(needed)} and nothing else, "
                f"this one has {sorted(given)}"
            )
        if self.relation is not None:
            index_of(self.relation, RELATIONS, "relation")

    def __str__(self) -> str:
        """A sentence that `parse` reads back."""
        match self.kind:
            case "exists":
                return self.subject.with_article
            case "attribute" if self.other.shape:
                return f"the {self.subject} is {self.other.with_article}"
            case "attribute":
                return f"the {self.subject} is {str(self.other).removesuffix(' object')}"
            case "count":
                noun = str(self.subject) if self.number == 1 else self.subject.plural
                return f"{NUMBERS[self.number]} {noun}"
        return f"{self.subject.with_article} {self.relation} {self.other.with_article}"


@dataclass(frozen=True)
class Clause:
    """Things, each related to the next; or one sort of thing, counted or said to be something.

    Attributes:
        things: what is named, in order; one where `number` or `quality` is given.
        relations: how each thing stands to the next, from RELATIONS; one fewer than things.
        number: how many of the one thing there are, 0..4.
        quality: what the one thing is said to be.
    """

    things: tuple[Phrase, ...]
    relations: tuple[str, ...] = ()
    number: int | None = None
    quality: Phrase | None = None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What must hold for the clause to be true; things exist before they are related."""
        if self.number is not None:
            return (Claim("count", self.things[0], number=self.number),)
        if self.quality is not None:
            return (Claim("attribute", self.things[0], other=self.quality),)
        found = [Claim("exists", self.things[0])]
        for first, relation, second in zip(self.things, self.relations, self.things[1:], strict=False):
            found += [Claim("exists", second), Claim("relation", first, other=second, relation=relation)]
        return tuple(found)


def related(relation: str, scenes: Scenes) -> Bool[Tensor, "scene object object"]:
    """Whether the first object of each pair stands in a relation to the second one.

    Directions are the default camera's: right is +x, behind is +y. "left of" and its kin need an offset of
    more than MARGIN along their own axis, and at least as much as along the other axis; then the picture
    shows them too. "next to": footprints (circles of radius `scale`) less than NEAR apart. "far from":
    centres more than FAR apart. In between neither holds.

    Args:
        relation: from RELATIONS.
        scenes: the scenes.

    Returns:
        False where a slot is empty, and for an object with itself.

    Raises:
        ValueError: no such relation.
    """
    index_of(relation, RELATIONS, "relation")
    offset = scenes.position[:, :, None] - scenes.position[:, None]  # (scene, first, second, 2)
    x, y = offset.unbind(-1)
    distance = (x * x + y * y).sqrt()
    match relation:
        case "left of":
            true = (x < -MARGIN) & (x.abs() >= y.abs())
        case "right of":
            true = (x > MARGIN) & (x.abs() >= y.abs())
        case "in front of":
            true = (y < -MARGIN) & (y.abs() >= x.abs())
        case "behind":
            true = (y > MARGIN) & (y.abs() >= x.abs())
        case "next to":
            true = distance - scenes.scale[:, :, None] - scenes.scale[:, None] < NEAR
        case _:
            true = distance > FAR
    other = ~torch.eye(x.shape[1], dtype=torch.bool, device=x.device)
    return true & other & scenes.present[:, :, None] & scenes.present[:, None]


def holds(claim: Claim, scenes: Scenes) -> Bool[Tensor, " scene"]:
    """Whether a claim is true, in each scene.

    Args:
        claim: what is said.
        scenes: the scenes.

    Returns:
        One truth value per scene.
    """
    subject = claim.subject.matches(scenes)
    match claim.kind:
        case "exists":
            return subject.any(1)
        case "attribute":
            return subject.any(1) & (claim.other.matches(scenes) | ~subject).all(1)
        case "count":
            return subject.sum(1) == claim.number
    other = claim.other.matches(scenes)
    return (related(claim.relation, scenes) & subject[:, :, None] & other[:, None]).flatten(1).any(1)


def claims(scene: Scenes) -> tuple[Claim, ...]:
    """What is true of one scene: each object in full, how many of each shape, and all relations.

    Args:
        scene: a batch of one.

    Returns:
        Claims that all hold, none twice.

    Raises:
        ValueError: not exactly one scene.
    """
    if len(scene) != 1:
        raise ValueError(f"claims speaks about one scene at a time, this batch has {len(scene)}")
    phrases = describe(scene)[0]
    slots = [slot for slot, phrase in enumerate(phrases) if phrase is not None]
    found = [Claim("exists", phrases[slot]) for slot in slots]
    for shape in SHAPES:
        number = sum(phrases[slot].shape == shape for slot in slots)
        if number:
            found.append(Claim("count", Phrase(shape=shape), number=number))
    for relation in RELATIONS:
        true = related(relation, scene)[0].tolist()
        found += [
            Claim("relation", phrases[first], other=phrases[second], relation=relation)
            for first in slots
            for second in slots
            if true[first][second]
        ]
    return tuple(dict.fromkeys(found))


def describe(scenes: Scenes) -> list[list[Phrase | None]]:
    """Every object in full: its size, colour, material and shape; None for empty slots."""
    columns = [(names, getattr(scenes, kind).tolist()) for kind, names in ATTRIBUTES.items()]
    return [
        [
            Phrase(*(names[values[scene][slot]] for names, values in columns)) if there else None
            for slot, there in enumerate(row)
        ]
        for scene, row in enumerate(scenes.present.tolist())
    ]


def without(phrase: Phrase, *kinds: str) -> Phrase:
    """The phrase with some attributes left out."""
    return replace(phrase, **dict.fromkeys(kinds))
