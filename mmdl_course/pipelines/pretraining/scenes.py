"""The scenes that the course's models are pretrained on."""

import torch
from jaxtyping import UInt8
from torch import Tensor
from tqdm.auto import tqdm

from mmdl_course.data.world import SceneConfig, Scenes, render, sample_scenes, shifted

__all__ = ["HELD_OUT", "ONE_HELD_OUT", "ONE_SEEN", "PIXELS", "SIZE", "TRAINING", "draw", "pictures"]

SIZE = 64
"""Height and width of the images, pixels."""

PIXELS = (0.60, 0.12)
"""Mean and standard deviation of their pixels."""

HELD_OUT = (
    ("red", "sphere"),
    ("orange", "cube"),
    ("yellow", "cone"),
    ("green", "cylinder"),
    ("cyan", "torus"),
    ("blue", "wedge"),
    ("purple", "sphere"),
    ("white", "cube"),
)
"""Pairs of colour and shape that no pretrained model has seen together, though it has seen each apart."""

TRAINING = SceneConfig(objects=(1, 3), held_out=HELD_OUT)
"""One to three objects, no held-out pair."""

ONE_SEEN = SceneConfig(objects=(1, 1), held_out=HELD_OUT)
ONE_HELD_OUT = SceneConfig(objects=(1, 1), held_out=HELD_OUT, pairs="held_out")

_CHUNK = 1000


def pictures(
    scenes: Scenes,
    *,
    size: int = SIZE,
    shift: str | None = None,
    generator: torch.Generator | None = None,
    bar: bool = False,
) -> UInt8[Tensor, "scene 3 height width"]:
    """The scenes' images in 8 bits, as files would hold them: a quarter of the memory.

    Args:
        scenes: what to draw.
        size: height and width, pixels.
        shift: another look, from SHIFTS, in full; the plain one when left out.
        generator: source of randomness of the shift; needed with one.
        bar: whether to show progress.
    """

    def seen(some: Scenes) -> Tensor:
        if shift is None:
            return render(some, size=size).image
        return shifted(some, shift, 1.0, size=size, generator=generator).views.image

    starts = tqdm(range(0, len(scenes), _CHUNK), desc="drawing", leave=False, disable=not bar)
    return torch.cat([(seen(scenes[start : start + _CHUNK]) * 255).round().byte() for start in starts])


def draw(
    count: int,
    *,
    config: SceneConfig,
    generator: torch.Generator,
    size: int = SIZE,
    shift: str | None = None,
) -> tuple[Scenes, UInt8[Tensor, "scene 3 height width"]]:
    """Scenes and their pictures.

    Args:
        count: number of scenes.
        config: what may appear.
        generator: source of randomness.
        size: height and width of the pictures, pixels.
        shift: another look of the pictures, from SHIFTS, in full; the plain one when left out.
    """
    scenes = sample_scenes(count, generator=generator, config=config)
    return scenes, pictures(scenes, size=size, shift=shift, generator=generator, bar=count > 10 * _CHUNK)
