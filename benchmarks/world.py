"""How fast the world is: scenes, captions and shifts a second, what shadows and anti-aliasing cost.

Prints one table. The ratios come from alternating runs, so that a busy machine disturbs both sides alike.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

from mmdl_course.data.world import SHIFTS, caption, parse, render, sample_scenes, shifted

SCENES = {32: 1024, 64: 256, 128: 64}
TARGETS = {32: 500, 64: 100}


def seconds(*actions: Callable[[], object], repeats: int) -> list[float]:
    """Median time of each action; they take turns."""
    times = [[] for _ in actions]
    for _ in range(repeats + 1):
        for action, record in zip(actions, times, strict=True):
            start = time.perf_counter()
            action()
            record.append(time.perf_counter() - start)
    return [statistics.median(record[1:]) for record in times]  # the first turn warms up


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="measured turns (default 5)")
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    print(f"1-4 objects a scene, torch {torch.__version__}, one thread (the world keeps to it)")
    print(f"{'pixels':>8} {'scenes/s':>10} {'target':>8} {'no shadows':>12} {'samples=1':>11}")
    for size, count in SCENES.items():
        scenes = sample_scenes(count, generator=generator)
        full = partial(render, scenes, size=size)
        plain, flat, coarse = seconds(
            full,
            partial(render, scenes, size=size, shadows=False),
            partial(render, scenes, size=size, samples=1),
            repeats=options.repeats,
        )
        target = f"{TARGETS[size]}" if size in TARGETS else "-"
        print(f"{size:>8} {count / plain:>10.0f} {target:>8} {plain / flat:>11.2f}x {plain / coarse:>10.2f}x")
    scenes = sample_scenes(2000, generator=generator)
    captions = caption(scenes, generator=generator)
    drawn, told, read = seconds(
        partial(sample_scenes, 2000, generator=generator),
        partial(caption, scenes, generator=generator),
        lambda: [parse(text) for text in captions],
        repeats=options.repeats,
    )
    for name, taken in (("scenes drawn", drawn), ("captions", told), ("captions parsed", read)):
        print(f"{name + '/s':>18} {2000 / taken:>10.0f}")
    scenes = sample_scenes(SCENES[64], generator=generator)
    shifts = [partial(shifted, scenes, name, 0.5, size=64, generator=generator) for name in SHIFTS]
    for name, taken in zip(SHIFTS, seconds(*shifts, repeats=options.repeats), strict=True):
        print(f"{name + ' at 64, scenes/s':>28} {len(scenes) / taken:>6.0f}")


if __name__ == "__main__":
    main()
