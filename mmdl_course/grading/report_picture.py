"""The picture of a graded week: for each exercise, which share of the class got how much."""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

from mmdl_course.grading.exercise_statistics import ExerciseStatistics

__all__ = ["draw_exercises"]

# Light to dark along one blue, so that the order shows without hue; grey hatching is what was never tried.
_GROUPS = (
    ("not attempted", "#ffffff", "#22262e"),
    ("no points", "#dfe3e8", "#22262e"),
    ("under half", "#a9c9e8", "#22262e"),
    ("half or more", "#4f8fcb", "#ffffff"),
    ("full marks", "#0b3c6f", "#ffffff"),
)
_INK = "#22262e"
_DOTTED = {"facecolor": "#ffffff", "edgecolor": "#8a8f99", "hatch": "..", "linewidth": 1}
_WAITING = "to be marked"  # by hand: beside the groups, and in the legend only when there is one


def draw_exercises(statistics: Sequence[ExerciseStatistics], *, title: str, path: Path) -> None:
    """Draw a bar per exercise, divided by the marks that students got.

    Args:
        statistics: one entry per exercise.
        title: the heading.
        path: the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    rows = len(statistics)
    figure = Figure(figsize=(10, 1.9 + 0.62 * rows), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for row, entry in enumerate(statistics):
        left = 0
        for (_, colour, ink), count in zip(_GROUPS, group_counts(entry), strict=True):
            hatched = colour == "#ffffff"
            axes.barh(
                row,
                count,
                left=left,
                height=0.68,
                color=colour,
                edgecolor="#8a8f99" if hatched else "white",
                hatch="///" if hatched else None,
                linewidth=1,
            )
            if count:
                box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"} if hatched else None
                axes.text(
                    left + count / 2,
                    row,
                    str(count),
                    ha="center",
                    va="center",
                    color=ink,
                    fontsize=11,
                    bbox=box,
                )
            left += count
        if entry.to_mark:
            axes.barh(row, entry.to_mark, left=left, height=0.68, **_DOTTED)
            axes.text(
                left + entry.to_mark / 2,
                row,
                str(entry.to_mark),
                ha="center",
                va="center",
                color=_INK,
                fontsize=11,
                bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"},
            )
        mean = "–" if math.isnan(entry.mean) else f"{entry.mean:.1f}"
        axes.text(
            1.015,
            row,
            f"{mean} of {entry.exercise.points:g}",
            transform=axes.get_yaxis_transform(),
            va="center",
            color=_INK,
            fontsize=11,
        )
    titles = [textwrap.fill(entry.exercise.title, 34) for entry in statistics]
    axes.set_yticks(range(rows), titles, fontsize=11, color=_INK)
    axes.invert_yaxis()
    students = max((len(entry.scores) + entry.to_mark for entry in statistics), default=0)
    axes.set_xlim(0, max(1, students))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("students", color=_INK, fontsize=11)
    axes.text(
        1.015, 1.0, "mean", transform=axes.transAxes, va="bottom", color=_INK, fontsize=11, fontweight="bold"
    )
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=14, fontweight="bold", color=_INK)
    handles = [_handle(colour) for _, colour, _ in _GROUPS]
    names = [name for name, _, _ in _GROUPS]
    if any(entry.to_mark for entry in statistics):
        handles.append(Patch(**_DOTTED))
        names.append(_WAITING)
    figure.legend(
        handles,
        names,
        loc="outside lower center",
        ncols=len(names),
        frameon=False,
        fontsize=11,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def group_counts(entry: ExerciseStatistics) -> list[int]:
    """How many students fall into each group of the picture: all graded ones but those still to be marked.

    Args:
        entry: one exercise.

    Returns:
        Counts for not attempted, no points, under half, half or more, full marks.
    """
    counts = [0] * len(_GROUPS)
    for score, skipped in zip(entry.scores, entry.unattempted, strict=True):
        fraction = score / entry.exercise.points if entry.exercise.points else 1.0
        if skipped and score == 0:
            counts[0] += 1
        elif fraction <= 0:
            counts[1] += 1
        elif fraction < 0.5:
            counts[2] += 1
        elif fraction < 1 - 1e-9:
            counts[3] += 1
        else:
            counts[4] += 1
    return counts


def _handle(colour: str) -> object:
    from matplotlib.patches import Patch

    if colour == "#ffffff":
        return Patch(facecolor=colour, edgecolor="#8a8f99", hatch="///")
    return Patch(facecolor=colour)
