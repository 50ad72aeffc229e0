"""How fast the world is: items a second for every modality, and what the parts of a picture cost.

Prints three tables. Times are of one processor, without what other programs took of it, and without Python's
collection of garbage. What is measured together takes turns; ratios are of two actions of the same turns.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

from mmdl_course.data.world import (
    LEVELS,
    SHIFTS,
    STYLES,
    answer,
    ask,
    attribute_table,
    caption,
    claims,
    multi_view,
    orbit,
    parse,
    point_cloud,
    refer,
    render,
    resolve,
    sample_scenes,
    scene_graph,
    shifted,
    triples,
    turning_video,
    voxels,
)
from mmdl_course.data.world.questions import KINDS
from mmdl_course.data.world.render import visible_boxes
from mmdl_course.data.world.sound import speak

SCENES = {32: 1024, 64: 256, 128: 64}
TARGETS = {32: 500, 64: 100}
FRAMES = 24
TEXTS = 1000  # scenes to speak about


def seconds(*actions: Callable[[], object], repeats: int) -> list[float]:
    """Median processor time of each action; they take turns."""
    times = [[] for _ in actions]
    for _ in range(repeats + 1):
        for action, record in zip(actions, times, strict=True):
            gc.collect()
            gc.disable()
            start = time.process_time()
            action()
            record.append(time.process_time() - start)
            gc.enable()
    return [statistics.median(record[1:]) for record in times]  # the first turn warms up


def pictures(generator: torch.Generator, repeats: int) -> None:
    """Images with depth, masks and boxes, which come with every one, and what the options cost."""
    print(f"{'pixels':>8}{'images/s':>10}{'target':>8}{'shadows':>9}{'4 rays':>8}{'boxes':>7}{'normals':>9}")
    for size, count in SCENES.items():
        scenes = sample_scenes(count, generator=generator)
        instance = render(scenes, size=size).instance
        plain, flat, coarse, boxes, normals = seconds(
            partial(render, scenes, size=size),
            partial(render, scenes, size=size, shadows=False),
            partial(render, scenes, size=size, samples=1),
            partial(visible_boxes, instance, 4),
            partial(render, scenes, size=size, normals=True),
            repeats=repeats,
        )
        costs = (1 - flat / plain, 1 - coarse / plain, boxes / plain, normals / plain - 1)
        shares = "".join(f"{cost:>{width}.0%}" for cost, width in zip(costs, (9, 8, 7, 9), strict=True))
        print(f"{size:>8}{count / plain:>10.0f}{TARGETS.get(size, '-'):>8}{shares}")
    print("shadows, 4 rays a pixel (not 1), boxes: part of this time; normals: what they add to it")


def looks(generator: torch.Generator, repeats: int) -> None:
    """Shifts, and what they cost beside the picture they change."""
    scenes = sample_scenes(SCENES[64], generator=generator)
    actions = [partial(shifted, scenes, name, 0.5, size=64, generator=generator) for name in SHIFTS]
    plain, *times = seconds(partial(render, scenes, size=64), *actions, repeats=repeats)
    print(f"\n{'shift at 64 pixels':<34}{'images/s':>10}{'times a plain image':>21}")
    for name, taken in zip(SHIFTS, times, strict=True):
        print(f"{name:<34}{len(scenes) / taken:>10.0f}{taken / plain:>20.1f}x")


def modalities(generator: torch.Generator, repeats: int) -> None:
    """Everything else: items a second, whatever an item is."""
    scenes = sample_scenes(TEXTS, generator=generator)
    seen, solid = scenes[:8], scenes[:200]
    tell = partial(caption, scenes, generator=generator)
    rows: dict[str, tuple[int, Callable[[], object]]] = {
        "scenes drawn": (TEXTS, partial(sample_scenes, TEXTS, generator=generator)),
        f"video frames, {FRAMES} a scene, 64 pixels": (
            FRAMES * len(seen),
            partial(turning_video, seen, frames=FRAMES, size=64),
        ),
        "views with labels, 64 pixels": (
            FRAMES * len(seen),
            partial(multi_view, seen, camera=orbit(FRAMES), size=64),
        ),
        "point clouds of 1024": (len(solid), partial(point_cloud, solid, generator=generator)),
        "voxel grids of 16 x 32 x 32": (len(solid), partial(voxels, solid)),
    }
    for style in STYLES:
        rows[f"captions, {style}, pair"] = TEXTS, partial(tell, style=style)
    for level in LEVELS:
        rows[f"captions, plain, {level}"] = TEXTS, partial(tell, level=level)
    for style in STYLES:
        texts = tell(style=style)
        rows[f"captions parsed, {style}"] = TEXTS, partial(_each, parse, texts)
    spoken = tell()[:30]
    for rate in (8000, 16000):
        rows[f"captions spoken at {rate} Hz"] = len(spoken), partial(speak, spoken, sample_rate=rate)
    rows["scenes told claim by claim"] = (
        100,
        partial(_each, claims, [scenes[number] for number in range(100)]),
    )
    for kind in KINDS:
        draw = partial(ask, solid, generator=generator, kinds=(kind,))
        rows[f"questions, {kind}"] = len(draw()), draw
    even = partial(ask, solid, generator=generator, balanced=True)
    rows["questions, balanced"] = len(even()), even
    questions = [question.text for question in ask(solid, generator=generator)][:200]
    rows["questions answered, of one scene"] = (
        len(questions),
        partial(_each, partial(answer, scenes=solid[0]), questions),
    )
    name = partial(refer, solid, generator=generator)
    expressions = name().text[:200]
    rows["referring expressions with boxes"] = len(name()), name
    rows["expressions resolved, in one scene"] = (
        len(expressions),
        partial(_each, partial(resolve, scenes=solid[0]), expressions),
    )
    rows["scene graphs"] = TEXTS, partial(scene_graph, scenes)
    rows["scene graphs as triples"] = TEXTS, partial(triples, scenes)
    rows["table rows"] = len(attribute_table(scenes)), partial(attribute_table, scenes)
    times = seconds(*(action for _, action in rows.values()), repeats=repeats)
    print(f"\n{'item':<36}{'items/s':>10}")
    for (title, (count, _)), taken in zip(rows.items(), times, strict=True):
        print(f"{title:<36}{count / taken:>10.0f}")


def _each(action: Callable, items: list) -> None:
    for item in items:
        action(item)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="measured turns (default 5)")
    options = parser.parse_args()
    torch.set_num_threads(1)  # the world keeps to one; the little that is measured apart from it should, too
    generator = torch.Generator().manual_seed(0)
    print(f"1-4 objects a scene, torch {torch.__version__}, one thread\n")
    for table in (pictures, looks, modalities):
        table(generator, options.repeats)


if __name__ == "__main__":
    main()
