"""What is said of a scene, before it is put into words, and how likely just that is said."""

import math
from collections.abc import Collection, Sequence
from itertools import permutations

import torch
from jaxtyping import Float64
from torch import Tensor

from mmdl_course.data.world.claims import ATTRIBUTES, RELATIONS, Clause, Phrase, describe, related, without
from mmdl_course.data.world.inputs import index_of
from mmdl_course.data.world.scene import SLOTS, Scenes

__all__ = ["LEVELS", "likelihood", "speak_of"]

LEVELS = {
    "gist": "one object",
    "pair": "two objects and a relation between them, two side by side, or how many are alike",
    "full": "every object, each with a relation to the next one if there is one",
}
"""Level of a caption to what it tells of a scene of several objects."""

_COUNT_SHARE, _LIST_SHARE = (
    0.2,
    0.3,
)  # up to here a pair caption counts, up to there it lists, else it relates


def speak_of(
    scenes: Scenes, *, generator: torch.Generator, level: str, detail: float, leave_out: Collection[str]
) -> list[tuple[Clause, ...]]:
    """Draw what to say of each scene, which holds an object; arguments as `caption` takes them."""
    relations = torch.stack([related(name, scenes) for name in RELATIONS], -1).tolist()
    draws = torch.rand(len(scenes), SLOTS * len(ATTRIBUTES) + 4, generator=generator).tolist()
    order = torch.rand(len(scenes), 2, SLOTS, generator=generator) if level == "full" else None
    found = []
    for scene, full in enumerate(describe(scenes)):
        form, first, second, which, *leave = draws[scene]
        slots = [slot for slot, phrase in enumerate(full) if phrase is not None]
        said = {
            slot: _leave_out(full[slot], leave[4 * slot : 4 * slot + 4], detail, leave_out) for slot in slots
        }
        if level == "full":
            place, which = order[scene].tolist()
            found.append(_chain(said, sorted(slots, key=place.__getitem__), relations[scene], which))
            continue
        a = slots[int(first * len(slots))]
        if level == "gist" or len(slots) == 1:
            found.append((Clause((said[a],)),))
            continue
        alike = sum(_fits(said[a], full[slot]) for slot in slots)
        if form < _COUNT_SHARE and alike > 1:
            found.append((Clause((said[a],), number=alike),))
            continue
        rest = [slot for slot in slots if slot != a]
        b = rest[int(second * len(rest))]
        able = {} if form < _LIST_SHARE else relations[scene]
        found.append(_chain(said, [a, b], able, [which]))
    return found


def _chain(
    said: dict[int, Phrase], slots: list[int], relations: list | dict, which: list[float]
) -> tuple[Clause, ...]:
    """Objects in this order, each related to the next, or in a new clause where `relations` has nothing."""
    clauses = [Clause((said[slots[0]],))]
    for first, second, draw in zip(slots, slots[1:], which, strict=False):
        true = []
        if relations:
            true = [name for name, holds in zip(RELATIONS, relations[first][second], strict=True) if holds]
        if true:
            last = clauses.pop()
            relation = true[int(draw * len(true))]
            clauses.append(Clause((*last.things, said[second]), (*last.relations, relation)))
        else:
            clauses.append(Clause((said[second],)))
    return tuple(clauses)


def _leave_out(phrase: Phrase, draws: list[float], detail: float, never: Collection[str]) -> Phrase:
    drop = [
        kind
        for kind, draw in zip(("size", "colour", "material"), draws, strict=False)
        if draw >= detail or kind in never
    ]
    if "shape" in never or (len(drop) < 3 and draws[3] < (1 - detail) / 5):
        drop.append("shape")
    return without(phrase, *drop)


def _fits(said: Phrase, full: Phrase) -> bool:
    return all(getattr(said, kind) in (None, getattr(full, kind)) for kind in ATTRIBUTES)


def likelihood(
    captions: Sequence[tuple[Clause, ...]], scenes: Scenes, *, level: str
) -> Float64[Tensor, "caption scene"]:
    """How likely `speak_of` says just this of each scene, given which attributes of the things it names.

    Whether an attribute is named does not depend on the scene, so the factor that is missing is the same for
    all scenes of a caption.

    Args:
        captions: what is said.
        scenes: what it may be said of.
        level: of the captions, from LEVELS.

    Returns:
        Probabilities.

    Raises:
        ValueError: no such level.
    """
    index_of(level, LEVELS, "level")
    relations = torch.stack([related(name, scenes) for name in RELATIONS]).double()
    objects = scenes.present.sum(1)
    found = torch.zeros(len(captions), len(scenes), dtype=torch.float64, device=objects.device)
    for row, clauses in zip(found, captions, strict=True):
        things = [thing for clause in clauses for thing in clause.things]
        if len(things) > SLOTS or any(clause.quality is not None for clause in clauses):
            continue
        fits = torch.stack([thing.matches(scenes) for thing in things])  # (thing, scene, object)
        able = fits.any(2).all(0) & (objects >= len(things))
        some = able.nonzero().flatten()  # few: the rest is only worked out for these
        row[some] = _LIKELIHOODS[level](
            clauses, fits[:, some].double(), relations[:, some], objects[some].double()
        )
    return found


def _gist(clauses: tuple[Clause, ...], fits: Tensor, _relations: Tensor, objects: Tensor) -> Tensor:
    """One object, each as likely as the others."""
    if len(fits) > 1 or clauses[0].number is not None:
        return torch.zeros_like(objects)
    return fits[0].sum(1) / objects


def _pair(clauses: tuple[Clause, ...], fits: Tensor, relations: Tensor, objects: Tensor) -> Tensor:
    """As `_gist` where there is one object; else a count, or two objects in order."""
    alike = fits[0].sum(1)
    counted = _COUNT_SHARE * (alike > 1).double()
    if clauses[0].number is not None:
        told = len(clauses) == 1
        return counted * (alike == clauses[0].number) * alike / objects * told
    if len(fits) == 1:
        return _gist(clauses, fits, relations, objects) * (objects == 1)
    if len(fits) > 2 or clauses[-1].number is not None:
        return torch.zeros_like(objects)
    number = relations.sum(0)  # (scene, object, object)
    if clauses[0].relations:
        (name,) = clauses[0].relations
        way = (1 - _LIST_SHARE) * relations[RELATIONS.index(name)] / number.clamp(min=1)
    else:
        share = 1 - (1 - _LIST_SHARE) * (number > 0).double() - counted[:, None, None]
        way = share * ~torch.eye(fits.shape[2], dtype=torch.bool, device=fits.device)
    total = torch.einsum("sa,sb,sab->s", fits[0], fits[1], way)
    return total / (objects * (objects - 1)).clamp(min=1)


def _full(clauses: tuple[Clause, ...], fits: Tensor, relations: Tensor, objects: Tensor) -> Tensor:
    """All objects, every order as likely; each link as likely as the others that hold."""
    if any(clause.number is not None for clause in clauses):
        return torch.zeros_like(objects)
    number = relations.sum(0)  # (scene, object, object)
    links = [link for clause in clauses for link in (*clause.relations, None)][:-1]
    ways = [
        (number == 0).double() if link is None else relations[RELATIONS.index(link)] / number.clamp(min=1)
        for link in links
    ]
    total = torch.zeros_like(objects)
    for order in permutations(range(fits.shape[2]), len(fits)):
        chance = torch.ones_like(objects)
        for place, slot in enumerate(order):
            chance = chance * fits[place, :, slot]
        for way, first, second in zip(ways, order, order[1:], strict=False):
            chance = chance * way[:, first, second]
        total += chance
    return total / math.factorial(len(fits)) * (objects == len(fits))


_LIKELIHOODS = {"gist": _gist, "pair": _pair, "full": _full}
