"""Run a recipe: train, measure, write the checkpoint with its card, compare with what ships."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mmdl_course.architectures.checkpoints import CheckpointError, checkpoint_facts, save_checkpoint
from mmdl_course.course import CourseError
from mmdl_course.files import replace_file
from mmdl_course.pipelines.pretraining.card import card_text, noise
from mmdl_course.pipelines.pretraining.recipe import Recipe
from mmdl_course.pipelines.pretraining.scenes import HELD_OUT

__all__ = ["compare", "evaluate", "pretrain"]

_TEST_SEED = 1_000_000  # the test scenes of seed n come from this plus n: far from any training seed


def pretrain(
    recipe: Recipe, *, folder: Path, seed: int = 0, repeats: int = 0, steps: int | None = None
) -> dict[str, Any]:
    """Make a model from nothing and write it down.

    The checkpoint and its card are written after the first run and again after each repeat, so that nothing
    is lost when it is interrupted.

    Args:
        recipe: what to make.
        folder: gets NAME.safetensors and NAME.md.
        seed: decides weights, scenes, captions and their order.
        repeats: how many further seeds to run, for the noise of the scores alone.
        steps: optimiser steps; the recipe's when left out.

    Returns:
        What is known of the checkpoint.

    Raises:
        CourseError: the folder cannot be written.
    """
    _writable(folder)
    model, facts = _run(recipe, seed, steps or recipe.steps)
    facts = {**facts, "repeats": []}
    _write(model, facts, folder)
    for other in range(seed + 1, seed + 1 + repeats):
        values = [score["value"] for score in _run(recipe, other, facts["steps"])[1]["scores"]]
        facts["repeats"].append({"seed": other, "values": values})
        _write(model, facts, folder)
    return facts


def evaluate(recipe: Recipe, model: torch.nn.Module, *, seed: int) -> list[dict[str, Any]]:
    """The recipe's scores of a model, on test scenes of a seed.

    Args:
        recipe: whose scores.
        model: what it makes.
        seed: decides the test scenes.
    """
    with torch.random.fork_rng():
        torch.manual_seed(_TEST_SEED + seed)
        generator = torch.Generator().manual_seed(_TEST_SEED + seed)
        return [score.as_dict() for score in recipe.score(model.eval(), generator)]


def compare(facts: Mapping[str, Any], name: str) -> list[tuple[str, float, float, float]] | None:
    """Scores beside those of the checkpoint that ships.

    Args:
        facts: of the new run.
        name: of the checkpoint.

    Returns:
        Task, new score, shipped score, noise; None where none of that kind ships.
    """
    try:
        shipped = checkpoint_facts(name)
    except CheckpointError:
        return None
    old = {
        score["task"]: (score["value"], noise(shipped, place))
        for place, score in enumerate(shipped["scores"])
    }
    return [
        (score["task"], score["value"], *old[score["task"]])
        for score in facts["scores"]
        if score["task"] in old
    ]


def _run(recipe: Recipe, seed: int, steps: int) -> tuple[torch.nn.Module, dict[str, Any]]:
    start = time.perf_counter()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = recipe.build()
            recipe.train(model.train(), torch.Generator().manual_seed(seed), steps)
        minutes = (time.perf_counter() - start) / 60
        scores = evaluate(recipe, model, seed=seed)
    finally:
        torch.set_num_threads(threads)
    return model, {
        "name": recipe.name,
        "summary": recipe.summary,
        "data": recipe.data,
        "held_out": [f"{colour} {shape}" for colour, shape in HELD_OUT],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": steps,
        "seed": seed,
        "minutes": round(minutes, 1),
        "torch": torch.__version__.split("+")[0],
        "licence": "CC BY 4.0, like the course's text (LICENSE-content)",
        "scores": scores,
    }


def _write(model: torch.nn.Module, facts: dict[str, Any], folder: Path) -> None:
    try:
        save_checkpoint(model, facts["name"], facts=facts, folder=folder)
        replace_file(folder / f"{facts['name']}.md", card_text(facts))
    except OSError as error:
        raise CourseError(
            f"cannot write into {folder}: {error.strerror or error}. Free some space, or choose another "
            "--output."
        ) from error


def _writable(folder: Path) -> None:
    """Find out before the training, not after."""
    probe = folder / ".writable"
    try:
        replace_file(probe, b"")
        probe.unlink()
    except OSError as error:
        raise CourseError(
            f"cannot write into {folder}: {error.strerror or error}. Choose another --output."
        ) from error
