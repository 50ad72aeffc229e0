"""Chance and ceiling of captions themselves: how right and how complete they can be."""

from collections.abc import Sequence
from itertools import permutations

import torch

from mmdl_course.data.world.ceilings.bounds import Bounds, mean_and_error
from mmdl_course.data.world.claims import ATTRIBUTES, Phrase, describe, holds
from mmdl_course.data.world.grammar import read
from mmdl_course.data.world.inputs import check_count
from mmdl_course.data.world.language import caption, parse
from mmdl_course.data.world.sampling import ANY, SceneConfig, sample_scenes
from mmdl_course.data.world.scene import Scenes
from mmdl_course.data.world.threads import one_thread

__all__ = ["captioning"]


@one_thread()
def captioning(
    *,
    generator: torch.Generator,
    config: SceneConfig = ANY,
    detail: float,
    level: str = "pair",
    leave_out: Sequence[str] = (),
    scenes: int = 2000,
) -> dict[str, Bounds]:
    """How right and how complete a caption can be; its style makes no difference.

    Args:
        generator: source of randomness.
        config: the scenes.
        detail: as `caption` takes it, 0..1.
        level: as `caption` takes it.
        leave_out: as `caption` takes it.
        scenes: number of scenes of the estimate, at least 2.

    Returns:
        "precision": share of a caption's claims that are true. Ceiling 1; chance is that of the caption of
        another scene. "recall": share of the attributes of all objects (four each) that the caption states
        truly: each thing that it names is matched to an object of its own that fits, in the best way there
        is. The ceiling is what a caption of this level and detail states; chance again that of the caption
        of another scene.

    Raises:
        ValueError: fewer than two scenes, or what `caption` refuses.
    """
    check_count("scenes", scenes, least=2)
    batch = sample_scenes(scenes, generator=generator, config=config)
    texts = caption(batch, generator=generator, detail=detail, level=level, leave_out=leave_out)
    objects = [[phrase for phrase in row if phrase is not None] for row in describe(batch)]
    right, told, lucky = [], [], []
    for place, text in enumerate(texts):
        other = (place + 1) % scenes
        right.append(_precision(text, batch[other]))
        told.append(_recall(text, objects[place]))
        lucky.append(_recall(text, objects[other]))
    (right, right_error), (told, told_error), (lucky, lucky_error) = (
        mean_and_error(torch.tensor(values)) for values in (right, told, lucky)
    )
    return {
        "precision": Bounds(right, 1.0, chance_error=right_error),
        "recall": Bounds(lucky, told, lucky_error, told_error),
    }


def _precision(text: str, scene: Scenes) -> float:
    true = [holds(claim, scene).item() for claim in parse(text)]
    return sum(true) / len(true)


def _recall(text: str, objects: Sequence[Phrase]) -> float:
    """Share of the objects' attributes that the things named state, each of one object at most."""
    things = [
        thing
        for clause in read(text)
        for thing in clause.things * (1 if clause.number is None else clause.number)
    ]
    values = [[_stated(thing, item) for item in objects] for thing in things]
    if len(things) > len(objects):
        values = list(zip(*values, strict=True))  # whichever are fewer are matched to some of the others
    many = range(max(len(things), len(objects)))
    best = max(
        sum(row[place] for row, place in zip(values, chosen, strict=True))
        for chosen in permutations(many, len(values))
    )
    return best / (len(ATTRIBUTES) * len(objects))


def _stated(thing: Phrase, item: Phrase) -> int:
    """How many attributes of an object a phrase names; none where it does not fit."""
    named = [kind for kind in ATTRIBUTES if getattr(thing, kind) is not None]
    return len(named) if all(getattr(thing, kind) == getattr(item, kind) for kind in named) else 0
