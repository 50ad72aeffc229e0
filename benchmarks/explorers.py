"""How fast the explorers follow a hand: from a new state to the picture that is sent to the page.

Prints one line for each explorer: median and worst redraw, with 5,000 points where there are points. Times
are of one processor, without what other programs took of it; what the browser then needs is not among them.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from mmdl_course.data import manifolds
from mmdl_course.viz import explorers

POINTS = 5000
TARGET = 0.150  # seconds


@dataclass(frozen=True)
class _Part:
    """A part of a pipeline, as the switchboard draws it."""

    letter: str
    name: str
    size: str
    numbers: int = 1000
    moves: int = 1000


def times(states: Iterator[Callable[[], None]]) -> list[float]:
    """Processor time of each change of state; the first one warms up."""
    taken = []
    for change in states:
        gc.collect()
        gc.disable()
        start = time.process_time()
        change()
        taken.append(time.process_time() - start)
        gc.enable()
    return taken[1:]


def slider(explorer: Any, name: str, turns: int) -> Iterator[Callable[[], None]]:
    """Move one control of a drawn explorer through its values; nothing is remembered."""
    control = explorer.sliders[name]
    values = [value for _, value in control.options]
    for turn in range(turns):
        explorer._pictures.clear()
        value = values[turn % len(values)]
        if value == control.value:
            value = values[(turn + 1) % len(values)]
        yield partial(setattr, control, "value", value)


def typed(explorer: Any, name: str, texts: list[str], turns: int) -> Iterator[Callable[[], None]]:
    """Type texts into an explorer's box, one after the other."""
    for turn in range(turns):
        explorer._pictures.clear()
        yield partial(setattr, explorer.sliders[name], "value", texts[turn % len(texts)])


def drawn(rng: np.random.Generator, turns: int) -> dict[str, Iterator[Callable[[], None]]]:
    """The explorers whose pictures are drawn anew for every state."""
    images = rng.random((POINTS, 3, 16, 16))
    labels = rng.integers(0, 10, POINTS)
    cloud = rng.normal(size=(POINTS, 2))
    view = {
        "image": rng.random((3, 128, 128)),
        "depth": rng.random((128, 128)),
        "caption": "a large red sphere next to a small blue cone",
        "table": [{"shape": "sphere", "colour": "red"}],
    }
    x = np.linspace(0, 1, 400)
    widths = (1.0, 2.0, 4.0, 8.0)
    words = [f"word{number}" for number in range(POINTS)]
    task = explorers.SwitchboardTask(
        family="translation",
        parts=[_Part(letter, "image" if letter in "xfz" else "", "16 × 16") for letter in "xfzgy"],
        signal="the caption",
        unit="accuracy",
        scores={"ours": [0.7, 0.8], "chance": 0.1},
        answer=lambda scene: ({"image": images[scene]}, "a caption"),
    )
    classes = [f"class {number}" for number in range(48)]
    truth = rng.integers(0, 48, POINTS)
    return {
        f"embedding, {POINTS:,} points": slider(
            explorers.embedding(
                lambda k: cloud * k,
                images=images,
                parameters={"k": (1, 2, 3)},
                start={"k": 1},
                title="cloud",
                notice="-",
                colour=labels,
            ),
            "k",
            turns,
        ),
        "latent_line": slider(
            explorers.latent_line(
                lambda z: np.full((3, 24, 24), abs(z[1])).clip(0, 1),
                start=np.array([1.0, 0.0]),
                end=np.array([0.0, 1.0]),
                distance=lambda image: float(image.mean()),
            ),
            "t",
            turns,
        ),
        "modalities": slider(explorers.modalities(lambda *_: view, scenes=8, notice="-"), "azimuth", turns),
        "fourier_features": slider(
            explorers.fourier_features(
                np.sin(9 * x),
                fits={width: np.sin(width * x) for width in widths},
                errors={"known": {width: np.array([1 / width, 0.9 / width]) for width in widths}},
                x=x,
            ),
            "bandwidth",
            turns,
        ),
        "low_rank": slider(
            explorers.low_rank(
                rng.normal(size=(64, 64)),
                approximations={rank: rng.normal(size=(64, 64)) for rank in (1, 2, 4, 8)},
                singular_values=np.linspace(1, 0, 64),
                accuracy=dict.fromkeys((1, 2, 4, 8), 0.5),
            ),
            "rank",
            turns,
        ),
        f"neighbours, {POINTS:,} words": typed(
            explorers.neighbours({"space": rng.normal(size=(POINTS, 50))}, words=words, queries=words[:1]),
            "word",
            words,
            turns,
        ),
        f"rank_images, {POINTS:,} images": typed(
            explorers.rank_images(
                lambda text: np.cos(np.arange(POINTS) + len(text)), images=images, queries=["a"]
            ),
            "query",
            ["bb", "ccc", "dddd"],
            turns,
        ),
        "switchboard": slider(explorers.switchboard({"captioning": task}, scenes=8), "scene", turns),
        "training_similarity": slider(
            explorers.training_similarity(
                {step: rng.normal(size=(8, 8)) for step in (0, 50, 100, 150)},
                losses=np.linspace(3, 1, 200),
                images=images[:8],
                captions=classes[:8],
            ),
            "step",
            turns,
        ),
        f"try_prompt, {POINTS:,} images": typed(
            explorers.try_prompt(
                lambda prompt: (truth + (np.arange(POINTS) % (2 + len(prompt) % 5) == 0)) % 48,
                truth=truth,
                classes=classes,
                prompts=["a {}", "the {}"],
            ),
            "prompt",
            ["one {}", "some {}", "many a {}"],
            turns,
        ),
        "context_length": slider(
            explorers.context_length(
                {"new": {count: np.array([0.5, 0.6]) for count in (1, 4, 16)}},
                words={count: [("word", 0.5)] * count for count in (1, 4, 16)},
            ),
            "length",
            turns,
        ),
    }


def live(rng: np.random.Generator, turns: int) -> dict[str, Iterator[Callable[[], None]]]:
    """The explorers that the browser draws: the time until all changes are on their way to it."""
    scatter = explorers.latent_scatter(
        rng.normal(size=(POINTS, 2)),
        images=rng.random((POINTS, 3, 16, 16)),
        factors={"label": rng.integers(0, 10, POINTS), "number": rng.random(POINTS)},
        inputs=rng.normal(size=(POINTS, 3)),
        notice="-",
    )
    band = manifolds.roll(POINTS, generator=torch.Generator().manual_seed(0))

    def ways(start: int, end: int) -> dict[str, tuple[Any, Any]]:
        share = torch.linspace(0, 1, 200)[:, None]
        flat = (1 - share) * band.coordinates[start] + share * band.coordinates[end]
        return {"straight": (None, flat), "chord": (band.points[[start, end]], None)}

    unfolded = explorers.unfold(
        band.points,
        band.coordinates,
        ways=ways,
        start=(0, 1),
        colour=band.coordinates[:, 0],
        colour_label="along",
        notice="-",
    )
    numbers = rng.integers(0, POINTS, turns).tolist()
    chosen = [np.sort(rng.choice(POINTS, 500, replace=False)) for _ in range(turns)]
    colours = ("number", "label")
    return {
        f"latent_scatter, {POINTS:,} points: hover": (partial(scatter.mark, number) for number in numbers),
        f"latent_scatter, {POINTS:,} points: lasso around 500": (
            partial(scatter._take, some) for some in chosen
        ),
        f"latent_scatter, {POINTS:,} points: colour": (
            partial(setattr, scatter.colour, "value", colours[turn % 2]) for turn in range(turns)
        ),
        f"unfold, {POINTS:,} points: an end moves": (
            partial(setattr, unfolded.ends["to"], "value", number) for number in numbers
        ),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=20, help="measured redraws (default 20)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    print(f"{'explorer':<52}{'median, ms':>11}{'worst, ms':>11}")
    for name, states in (drawn(rng, options.turns + 1) | live(rng, options.turns + 1)).items():
        taken = times(states)
        late = "  over the target" if statistics.median(taken) > TARGET else ""
        print(f"{name:<52}{1000 * statistics.median(taken):>11.0f}{1000 * max(taken):>11.0f}{late}")


if __name__ == "__main__":
    main()
