"""The picture of a graded week: how each exercise came out, which checks failed, what is behind that."""

import math
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdl_course.grading.exercise_statistics import ExerciseStatistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_exercises", "group_counts"]

# Light to dark along one blue, so that the order shows without hue; grey hatching is what was never tried.
_GROUPS = (
    ("not attempted", "#ffffff", "#22262e"),
    ("no points", "#dfe3e8", "#22262e"),
    ("under half", "#a9c9e8", "#22262e"),
    ("half or more", "#4f8fcb", "#ffffff"),
    ("full marks", "#0b3c6f", "#ffffff"),
)
_INK, _PALE = "#22262e", "#5b626d"
_HATCHED = {"facecolor": "#ffffff", "edgecolor": "#8a8f99", "hatch": "///", "linewidth": 1}
_DOTTED = {"facecolor": "#ffffff", "edgecolor": "#8a8f99", "hatch": "..", "linewidth": 1}
_WAITING = "waits for a person"  # beside the groups, and in the legend only when there is one

# In inches.
_WIDTH, _MARGIN, _LINE = 17.0, 0.35, 0.185
_TOP, _BOTTOM, _GAP = 1.05, 0.6, 0.7  # the gap is in lines
_COLUMNS = ((0.35, 4.6), (5.55, 4.6), (10.75, 5.95))  # left edge and width: scores, checks, causes
_LETTERS = (60, 52, 70)  # of a line in each
_MOST_CHECKS, _MOST_CAUSES = 3, 3


@dataclass(frozen=True)
class _Panel:
    """What is written about one exercise, in lines."""

    entry: ExerciseStatistics
    title: list[str]
    checks: list[tuple[list[str], int]]
    causes: list[tuple[list[str], int]]

    @property
    def height(self) -> float:
        """In inches."""
        lines = [
            len(self.title) + 4.2,
            *(sum(len(text) + _GAP for text, _ in found) for found in (self.checks, self.causes)),
        ]
        return max(lines) * _LINE + 0.3


def draw_exercises(statistics: Sequence[ExerciseStatistics], *, title: str, path: Path) -> None:
    """Draw a panel per exercise: marks, the checks that failed most, the most frequent likely causes.

    Args:
        statistics: one entry per exercise.
        title: the heading.
        path: the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [_panel(number, entry) for number, entry in enumerate(statistics, start=1)]
    height = _TOP + sum(panel.height for panel in panels) + _BOTTOM
    figure = Figure(figsize=(_WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)
    _write(figure, _COLUMNS[0][0], height - 0.4, title, size=15.0, weight="bold")
    heads = (
        "students by their points",
        "checks that failed most",
        "likely cause, as the first failed check names it",
    )
    for (left, _), head in zip(_COLUMNS, heads, strict=True):
        _write(figure, left, height - 0.85, head, colour=_PALE)
    students = max((len(entry.scores) + entry.to_mark for entry in statistics), default=0)
    top = height - _TOP
    for panel in panels:
        _draw_panel(figure, panel, top, max(1, students))
        top -= panel.height
    _legend(figure, waiting=any(entry.to_mark for entry in statistics))
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # of a student's alphabet: a box is drawn
        figure.savefig(path, dpi=110)


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


def _panel(number: int, entry: ExerciseStatistics) -> _Panel:
    return _Panel(
        entry,
        _lines(f"{number}. {entry.exercise.title}", _LETTERS[0] - 8, most=2),
        [(_lines(name, _LETTERS[1], most=2), count) for name, count in entry.failed_checks[:_MOST_CHECKS]],
        [(_lines(text, _LETTERS[2], most=3), count) for text, count in entry.misconceptions[:_MOST_CAUSES]],
    )


def _lines(text: str, letters: int, *, most: int) -> list[str]:
    return textwrap.wrap(text, letters, max_lines=most, placeholder=" …") or [""]


def _draw_panel(figure: "Figure", panel: _Panel, top: float, students: int) -> None:
    left, width = _COLUMNS[0]
    _rule(figure, top)
    top -= 0.22
    _write(figure, left, top, "\n".join(panel.title), size=11.5, weight="bold")
    below = top - len(panel.title) * _LINE * 1.1
    _draw_bar(_axes(figure, left, below - 0.36, width, 0.38), panel.entry, students)
    entry = panel.entry
    facts = [f"mean {_number(entry.mean)} of {entry.exercise.points:g}"]
    if not math.isnan(entry.discrimination):
        facts.append(f"correlation with the other exercises {entry.discrimination:.2f}")
    _write(figure, left, below - 0.58, " · ".join(facts), colour=_PALE)
    place = top
    for text, count in panel.checks:
        _draw_count(figure, *_COLUMNS[1], place, text, count, share=count / students)
        place -= (len(text) + _GAP) * _LINE
    place = top
    for text, count in panel.causes:
        _draw_count(figure, *_COLUMNS[2], place, text, count, share=0.0)
        place -= (len(text) + _GAP) * _LINE
    for (left, _), found in zip(_COLUMNS[1:], (panel.checks, panel.causes), strict=True):
        if not found:
            _write(figure, left, top, "–", colour=_PALE)


def _draw_count(
    figure: "Figure", left: float, width: float, top: float, text: list[str], count: int, *, share: float
) -> None:
    """A number, words, and below the words a thin line as long as the share of the class."""
    _write(figure, left + 0.32, top, f"{count}×", weight="bold", align="right")
    _write(figure, left + 0.4, top, "\n".join(text))
    if share:
        below = top - len(text) * _LINE + 0.035
        axes = _axes(figure, left + 0.4, below, width - 0.4, 0.05)
        axes.barh(0, 1, color="#e9ecf0", height=1)
        axes.barh(0, share, color="#b4552d", height=1)
        axes.set_xlim(0, 1)


def _draw_bar(axes: "Axes", entry: ExerciseStatistics, students: int) -> None:
    left = 0
    parts: list[tuple[int, dict[str, Any], str]] = [
        (count, _HATCHED if colour == "#ffffff" else {"facecolor": colour, "edgecolor": "white"}, ink)
        for (_, colour, ink), count in zip(_GROUPS, group_counts(entry), strict=True)
    ]
    for count, look, ink in [*parts, (entry.to_mark, _DOTTED, _INK)]:
        if not count:
            continue
        axes.barh(0, count, left=left, height=1, **look)
        box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"} if "hatch" in look else None
        axes.text(left + count / 2, 0, str(count), ha="center", va="center", color=ink, fontsize=11, bbox=box)
        left += count
    axes.set_xlim(0, students)
    axes.set_ylim(-0.55, 0.55)


def _legend(figure: "Figure", *, waiting: bool) -> None:
    from matplotlib.patches import Patch

    names = [name for name, _, _ in _GROUPS]
    handles = [
        Patch(**_HATCHED) if colour == "#ffffff" else Patch(facecolor=colour) for _, colour, _ in _GROUPS
    ]
    if waiting:
        handles.append(Patch(**_DOTTED))
        names.append(_WAITING)
    place = (_MARGIN / _WIDTH, 0.12 / figure.get_figheight())
    figure.legend(
        handles, names, loc="lower left", bbox_to_anchor=place, ncols=len(names), frameon=False, fontsize=10.5
    )


def _axes(figure: "Figure", left: float, bottom: float, width: float, height: float) -> "Axes":
    wide, high = figure.get_size_inches()
    axes = figure.add_axes((left / wide, bottom / high, width / wide, height / high))
    axes.set_axis_off()
    return axes


def _rule(figure: "Figure", top: float) -> None:
    from matplotlib.lines import Line2D

    place = [top / figure.get_figheight()] * 2
    ends = [_MARGIN / _WIDTH, 1 - _MARGIN / _WIDTH]
    figure.add_artist(Line2D(ends, place, color="#d5d9df", linewidth=0.8))


def _write(
    figure: "Figure",
    left: float,
    top: float,
    text: str,
    *,
    size: float = 10.0,
    weight: str = "normal",
    colour: str = _INK,
    align: str = "left",
) -> None:
    """Text whose first line's middle is at `top`, in inches from the lower left corner."""
    figure.text(
        left / _WIDTH,
        (top + 0.08) / figure.get_figheight(),
        text,
        fontsize=size,
        fontweight=weight,
        color=colour,
        ha=align,
        va="top",
        parse_math=False,
        linespacing=1.25,
    )


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1f}"
