"""What `mmdl pretrain` does at the terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from mmdl_course.course import CourseError
from mmdl_course.pipelines.pretraining import RECIPES, compare, pretrain

__all__ = ["run_pretraining"]


def run_pretraining(name: str, *, folder: Path, seed: int, repeats: int, steps: int | None) -> int:
    """Run a recipe, write the checkpoint and its card, show the scores.

    Args:
        name: from RECIPES.
        folder: where the checkpoint goes.
        seed: of the run that is kept.
        repeats: further seeds.
        steps: optimiser steps; the recipe's when left out.

    Returns:
        Exit status: 0, or 1 when a full run of the recipe is below what ships by more than the noise.

    Raises:
        CourseError: no such recipe, or the folder cannot be written.
    """
    if name not in RECIPES:
        raise CourseError(f"no model is called '{name}'; there are {', '.join(RECIPES)}")
    console = Console()
    facts = pretrain(RECIPES[name], folder=folder, seed=seed, repeats=repeats, steps=steps)
    shipped = compare(facts, name)
    beside = {task: (old, noise) for task, _, old, noise in shipped or []}
    table = Table(title=f"{name}, seed {seed}, {facts['steps']:,} steps, {facts['minutes']:.0f} minutes")
    for heading in ("task", "measure", "score", "chance", "baseline", "ceiling", "ships", "noise"):
        table.add_column(heading, justify="left" if heading in ("task", "measure") else "right")
    worse = []
    for score in facts["scores"]:
        old, noise = beside.get(score["task"], (None, None))
        if old is not None and score["value"] < old - noise:
            worse.append(score["task"])
        numbers = (score["value"], score["chance"], score["baseline"], score["ceiling"], old, noise)
        shown = ("–" if number is None else f"{number:.3f}" for number in numbers)
        table.add_row(score["task"], score["measure"], *shown)
    console.print(table)
    console.print(f"{folder / name}.safetensors, and its card beside it")
    if steps is not None or shipped is None:
        return 0
    if worse:
        console.print(f"[red]Below what ships by more than the noise:[/red] {'; '.join(worse)}")
        return 1
    console.print("Every score is within the noise of what ships, or better.")
    return 0
