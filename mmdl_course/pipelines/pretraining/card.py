"""The model card of a checkpoint, as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmdl_course.pipelines.pretraining.recipe import Score

__all__ = ["card_text", "noise", "spread"]


def spread(values: Sequence[float]) -> float:
    """Standard deviation over seeds; 0 for a single one, which says nothing.

    Args:
        values: one score per seed.
    """
    mean = sum(values) / len(values)
    return (sum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1)) ** 0.5


def noise(facts: Mapping[str, Any], place: int) -> float:
    """How far another run of the recipe may well be from the score: three standard deviations.

    Two things make runs differ: the seed, and the finite test set.

    Args:
        facts: of a checkpoint.
        place: which of its scores.
    """
    over_seeds = spread(
        [facts["scores"][place]["value"], *(run["values"][place] for run in facts["repeats"])]
    )
    return 3 * (2 * over_seeds**2 + 2 * facts["scores"][place]["error"] ** 2) ** 0.5


def card_text(facts: Mapping[str, Any]) -> str:
    """A model card in Markdown.

    Args:
        facts: of a checkpoint.
    """
    seeds = ", ".join(str(run["seed"]) for run in facts["repeats"])
    lines = [
        f"# {facts['name']}",
        "",
        facts["summary"],
        "",
        f"- **Data:** {facts['data']}. Made by the course's own world; no picture or text of anyone else.",
        f"- **Pairs never seen together:** {', '.join(facts['held_out'])}.",
        f"- **Parameters:** {facts['parameters']:,}.",
        f"- **Training:** {facts['steps']:,} steps, seed {facts['seed']}, {facts['minutes']:.0f} minutes on "
        f"one thread of a shared processor, torch {facts['torch']}.",
        f"- **Make it again:** `mmdl pretrain {facts['name']}`.",
        f"- **Licence:** {facts['licence']}.",
        "- **What it is not for:** anything outside the course's world of scenes.",
        "",
        "| task | measure | score | chance | baseline | ceiling | noise |",
        "|---|---|---|---|---|---|---|",
    ]
    for place, entry in enumerate(facts["scores"]):
        score = Score(**entry)
        row = (
            score.task,
            score.measure,
            f"**{_number(score.value)}**",
            _number(score.chance),
            f"{_number(score.baseline)} ({score.baseline_name})",
            _number(score.ceiling),
            f"± {_number(noise(facts, place))}",
        )
        lines.append(f"| {' | '.join(row)} |")
    told = (
        f"over the recipe with seeds {facts['seed']}, {seeds} and over"
        if seeds
        else "over other seeds (not measured here) and"
    )
    lines += [
        "",
        f"Noise: another run should come out within this of the score (three standard deviations, {told} "
        "test sets).",
        "",
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if abs(value) >= 5 else f"{value:.3f}"
