"""Captions of scenes in several styles and levels of detail, and the way back from text to claims.

What is said (`speaker`) and how it is worded (`styles`) are drawn apart; `grammar` reads every style.
"""

from collections.abc import Mapping, Sequence

import torch

from mmdl_course.data.world.claims import ATTRIBUTES, Claim
from mmdl_course.data.world.grammar import CaptionError, read
from mmdl_course.data.world.inputs import check_between, check_generator, check_names, index_of
from mmdl_course.data.world.scene import Scenes
from mmdl_course.data.world.speaker import LEVELS, speak_of
from mmdl_course.data.world.styles import STYLES
from mmdl_course.data.world.threads import one_thread

__all__ = ["CaptionError", "caption", "parse"]


@one_thread()
def caption(
    scenes: Scenes,
    *,
    generator: torch.Generator,
    detail: float = 0.5,
    style: str | Sequence[str] | Mapping[str, float | int] = "plain",
    level: str = "pair",
    leave_out: Sequence[str] = (),
) -> list[str]:
    """One caption per scene, true of it: "a large red shiny sphere next to a small blue cone".

    Scenes with several objects are told by a relation of two of them, sometimes by two objects side by side
    ("a red cube and a torus") or, where objects are alike, by their number ("two green cones"); `level` asks
    for less or more. With the generator in the same state all styles say the same.

    Args:
        scenes: what to speak about; each holds an object.
        generator: source of randomness.
        detail: probability, 0..1, that each of size, colour and material is named. Then the shape may be left
            out ("a small red object"), a fifth as often as the others.
        style: wording, from STYLES; several names to draw from for each scene, or names with their weights.
        level: how much of a scene of several objects is told, from LEVELS.
        leave_out: attributes never named: any of "size", "colour", "material" and "shape".

    Returns:
        The captions, in the order of the scenes.

    Raises:
        ValueError: a scene is empty, detail is out of range, or no such style, level or attribute.
    """
    check_generator(generator)
    check_between("detail", detail, 0, 1)
    index_of(level, LEVELS, "level")
    check_names("leave_out", leave_out, ATTRIBUTES, "attribute")
    shares = _shares(style)
    if not scenes.present.any(1).all():
        raise ValueError(
            f"scene {int(scenes.present.any(1).int().argmin())} is empty: nothing to say about it"
        )
    said = speak_of(scenes, generator=generator, level=level, detail=detail, leave_out=leave_out)
    if set(shares) == {"plain"}:
        return [STYLES["plain"].write(clauses) for clauses in said]
    chosen = [STYLES[name] for name in shares]
    weights = torch.tensor(list(shares.values()), dtype=torch.float32).expand(max(len(said), 1), -1)
    drawn = torch.multinomial(weights, 1, generator=generator).flatten().tolist()
    openings = torch.rand(len(said), generator=generator).tolist()
    return [
        chosen[place].write(clauses, opening=opening)
        for clauses, place, opening in zip(said, drawn, openings, strict=False)
    ]


def _shares(style: str | Sequence[str] | Mapping[str, float | int]) -> dict[str, float | int]:
    if isinstance(style, str):
        style = (style,)
    shares = dict(style) if isinstance(style, Mapping) else dict.fromkeys(style, 1)
    for name, share in shares.items():
        index_of(name, STYLES, "style")
        check_between(f"the weight of style '{name}'", share, 0)
    if not sum(shares.values()):
        raise ValueError(f"style names nothing to draw from: give at least one of {', '.join(STYLES)}")
    return shares


def parse(text: str) -> tuple[Claim, ...]:
    """Read a text into the claims it makes.

    "a red sphere next to a blue cone" makes three: there is a red sphere, there is a blue cone, and one
    is next to the other. So does "a photo of a red ball beside a blue cone".

    Args:
        text: in the grammar of `grammar`, in any style; capitals and full stops do not matter.

    Returns:
        The claims in the order in which they are made, none twice.

    Raises:
        CaptionError: a word the grammar cannot read there, or an unfinished sentence.
    """
    return tuple(dict.fromkeys(claim for clause in read(text) for claim in clause.claims))
