"""What is said of a scene, before it is put into words."""

from collections.abc import Collection

import torch

from mmdl_course.data.world.claims import ATTRIBUTES, RELATIONS, Clause, Phrase, describe, related, without
from mmdl_course.data.world.scene import SLOTS, Scenes

__all__ = ["LEVELS", "speak_of"]

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
