"""Scoreboards: a method beside honest baselines, between chance and ceiling, as a picture and as a table."""

import html
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import to_numpy
from mmdl_course.viz.style import (
    ACCENT,
    BASELINE,
    HALO,
    INK,
    MUTED,
    new_figure,
    put_title,
    reference_look,
    style,
    title_height,
)

__all__ = ["Table", "draw_scores", "scoreboard", "scoreboard_table"]


def scoreboard(
    rows: Mapping[str, Any],
    *,
    unit: str,
    methods: str | Collection[str],
    chance: float | None = None,
    ceiling: float | None = None,
    lower_is_better: bool = False,
    title: str | None = None,
) -> Figure:
    """Draw scores as bars, best on top: what the lesson is about in blue, its baselines grey and hatched.

    A bar is the mean over seeds, each dot one seed.

    Args:
        rows: name → its score, or one score for each seed.
        unit: what the scores are, such as "accuracy" or "error in degrees"; the axis's label.
        methods: the row or rows the lesson is about; every other row is a baseline.
        chance: score of guessing, drawn as a line.
        ceiling: best score there can be, drawn as a line.
        lower_is_better: the scores are errors or distances.
        title: the figure's title.

    Returns:
        The figure, 9 inches wide; mean ± standard deviation over seeds stand at the right.

    Raises:
        ValueError: no rows, scores that are not finite, or a method without a row.
    """
    ours = _names(methods)
    ordered = _ordered(rows, methods=ours, lower_is_better=lower_is_better)
    with style():
        figure = new_figure(9.0, 0.95 + 0.42 * len(ordered) + title_height(title, 9.0), layout="constrained")
        put_title(figure, title)
        axes = figure.subplots()
        heights = np.arange(len(ordered))[::-1]
        for y, (name, scores) in zip(heights, ordered.items(), strict=True):
            mine = name in ours
            draw_scores(axes, float(y), scores, mine=mine)
            axes.annotate(
                _written(scores),
                (1.015, y),
                xycoords=("axes fraction", "data"),
                va="center",
                fontweight="bold" if mine else "normal",
                annotation_clip=False,
            )
        axes.set_yticks(heights, list(ordered))
        for tick, name in zip(axes.get_yticklabels(), ordered, strict=True):
            tick.set_fontweight("bold" if name in ours else "normal")
        top = len(ordered) - 0.45
        lines = {"chance": chance, "ceiling": ceiling}
        reached = [value for value in lines.values() if value is not None]
        worst = min(0.0, *(scores.min() for scores in ordered.values()), *reached)
        best = max(0.0, *(scores.max() for scores in ordered.values()), *reached)
        width = (best - worst) or 1.0
        close = len(reached) == 2 and abs(reached[1] - reached[0]) < 0.25 * width
        for label, value in lines.items():
            if value is not None:
                look = reference_look(label)
                axes.axvline(value, color=look.colour, linewidth=1.6, linestyle=look.line, path_effects=HALO)
                # Names of lines that stand close go to either side.
                side = "center" if not close else "right" if value == min(reached) else "left"
                axes.text(value, top, f"{label} {_number(value)}", va="bottom", ha=side, fontsize=10)
        axes.set_xlim(worst, best + 0.02 * width)
        axes.set_ylim(-0.6, top)
        axes.set_xlabel(unit + (" (lower is better)" if lower_is_better else ""))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    return figure


def draw_scores(
    axes: Axes, y: float, scores: Float[np.ndarray, " seed"], *, mine: bool, dot: float = 5.0
) -> None:
    """Draw one row: a bar to the mean, a dot for each seed.

    Args:
        axes: where to.
        y: height of the row.
        scores: one for each seed.
        mine: whether it is what the lesson is about, and not a baseline.
        dot: size of a dot, points.
    """
    axes.barh(
        y,
        scores.mean(),
        height=0.62,
        color=ACCENT if mine else BASELINE,
        edgecolor=ACCENT if mine else MUTED,
        hatch=None if mine else "///",
        linewidth=0.8,
    )
    if len(scores) > 1:
        axes.plot(
            scores,
            np.full(len(scores), y),
            "o",
            markersize=dot,
            markerfacecolor="white",
            markeredgecolor=INK,
            markeredgewidth=dot / 5,
            zorder=4,
        )


@dataclass(frozen=True)
class Table:
    """A table that a notebook draws as HTML and a terminal as Markdown."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        """The table in Markdown."""
        widths = [max(map(len, cells)) for cells in zip(self.columns, *self.rows, strict=True)]
        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        lines = [
            " | ".join(
                cell.ljust(width) if index == 0 else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in (self.columns, rule, *self.rows)
        ]
        return "\n".join([f"**{self.caption}**", "", *(f"| {line} |" for line in lines)])

    def __repr__(self) -> str:
        """The table in Markdown: what a terminal and a text-only reader of the notebook get."""
        return str(self)

    def _repr_html_(self) -> str:
        left, right = 'style="text-align: left"', 'style="text-align: right"'
        head = "".join(
            f'<th scope="col" {left if index == 0 else right}>{html.escape(name)}</th>'
            if name
            else "<td></td>"
            for index, name in enumerate(self.columns)
        )
        body = "".join(
            f'<tr><th scope="row" {left}>{html.escape(name)}</th>'
            + "".join(f"<td {right}>{html.escape(cell)}</td>" for cell in cells)
            + "</tr>"
            for name, *cells in self.rows
        )
        return (
            '<table><caption style="caption-side: top; text-align: left">'
            f"{html.escape(self.caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def scoreboard_table(
    rows: Mapping[str, Any],
    *,
    unit: str,
    methods: str | Collection[str],
    chance: float | None = None,
    ceiling: float | None = None,
    lower_is_better: bool = False,
    title: str | None = None,
) -> Table:
    """Write the same scoreboard as a table, for screen readers, for copying and for the terminal.

    Args:
        rows: name → its score, or one score for each seed.
        unit: what the scores are.
        methods: the row or rows the lesson is about; every other row is a baseline.
        chance: score of guessing; a row of its own.
        ceiling: best score there can be; a row of its own.
        lower_is_better: the scores are errors or distances.
        title: the table's caption; the unit when not given.

    Returns:
        The table, best first; a notebook draws it when it is a cell's last expression.

    Raises:
        ValueError: see `scoreboard`.
    """
    ours = _names(methods)
    ordered = _ordered(rows, methods=ours, lower_is_better=lower_is_better)
    lines = [
        (name, "method" if name in ours else "baseline", _written(scores), str(len(scores)))
        for name, scores in ordered.items()
    ]
    if ceiling is not None:
        lines.insert(0, ("ceiling", "reference", _number(ceiling), "–"))
    if chance is not None:
        lines.append(("chance", "reference", _number(chance), "–"))
    return Table(
        title or unit,
        ("", "what", unit + (" (lower is better)" if lower_is_better else ""), "seeds"),
        tuple(lines),
    )


def _names(methods: str | Collection[str]) -> set[str]:
    return {methods} if isinstance(methods, str) else set(methods)


def _ordered(
    rows: Mapping[str, Any], *, methods: set[str], lower_is_better: bool
) -> dict[str, Float[np.ndarray, " seed"]]:
    if not rows:
        raise ValueError("scoreboard: there are no rows.")
    for name in methods:
        if name not in rows:
            raise ValueError(f"scoreboard: method '{name}' has no row; the rows are {', '.join(rows)}.")
    scores = {}
    for name, values in rows.items():
        array = np.atleast_1d(to_numpy(values)).astype(np.float64)
        if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
            raise ValueError(
                f"scoreboard, row '{name}': expected a number or one for each seed, got {values!r}."
            )
        scores[name] = array
    return dict(sorted(scores.items(), key=lambda row: row[1].mean(), reverse=not lower_is_better))


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _written(scores: Float[np.ndarray, " seed"]) -> str:
    # The spread is the standard deviation over seeds, as in the papers' tables.
    if len(scores) == 1:
        return _number(float(scores[0]))
    return f"{_number(float(scores.mean()))} ± {_number(float(scores.std(ddof=1)))}"
