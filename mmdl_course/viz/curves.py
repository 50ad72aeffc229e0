"""Lines over a scale, with their spread over seeds and their names at their ends."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import to_numpy
from mmdl_course.viz.style import (
    KNOWN,
    PALETTE,
    looks_of,
    new_figure,
    put_title,
    reference_look,
    style,
    title_height,
)

__all__ = ["curves"]


def curves(
    series: Mapping[str, Any],
    *,
    x: Any,
    x_label: str,
    y_label: str,
    title: str | None = None,
    references: Mapping[str, float] | None = None,
    diagonal: str | None = None,
    log_x: bool = False,
    log_y: bool = False,
) -> Figure:
    """Draw one line for each series; several seeds give the mean and a band of one standard deviation.

    Args:
        series: name → Float "seed x" or "x"; at most ten. NaN leaves a gap.
        x: Float "x", or names in their order (such as the layers of a network).
        x_label: quantity and unit.
        y_label: quantity and unit.
        title: the figure's title.
        references: name → y of a horizontal line, such as chance.
        diagonal: name of the line y = x; none when not given.
        log_x: logarithmic axis.
        log_y: logarithmic axis.

    Returns:
        The figure, 8 inches wide.

    Raises:
        ValueError: wrong shapes, too many series, or values ≤ 0 on a logarithmic axis.
    """
    lines = _checked(series, count=len(x))
    named = isinstance(x[0], str)
    positions = np.arange(len(x), dtype=np.float64) if named else to_numpy(x).astype(np.float64)
    if log_x and (named or positions.min() <= 0):
        raise ValueError("curves: log_x needs numbers above 0.")
    if log_y and any(np.nanmin(values) <= 0 for values in lines.values()):
        raise ValueError("curves: log_y needs values above 0; a loss of exactly 0 has no logarithm.")

    with style():
        figure = new_figure(8.0, 4.2 + title_height(title, 8.0), layout="constrained")
        axes = figure.subplots()
        put_title(figure, title)
        axes.set(xlabel=x_label, ylabel=y_label)
        if log_x:
            axes.set_xscale("log")
        if log_y:
            axes.set_yscale("log")
        ends: list[tuple[str, float, float, Any]] = []  # name, x and y of its line's end, colour
        looks = looks_of(lines)
        for name, values in lines.items():
            look = looks[name]
            mean = values.mean(axis=0)
            axes.plot(
                positions,
                mean,
                color=look.colour,
                linestyle=look.line,
                marker=look.marker if len(positions) <= 20 else None,
                markersize=6,
                label=name,
                zorder=3,
            )
            if len(values) > 1:
                spread = values.std(axis=0, ddof=1)
                low = np.maximum(mean - spread, values.min(axis=0)) if log_y else mean - spread
                axes.fill_between(positions, low, mean + spread, color=look.colour, alpha=0.2, linewidth=0)
            last = np.flatnonzero(np.isfinite(mean))[-1]
            ends.append((name, positions[last], float(mean[last]), look.colour))
        for name, value in (references or {}).items():
            look = reference_look(name)
            axes.axhline(value, color=look.colour, linewidth=1.4, linestyle=look.line, label=name)
            ends.append((name, positions.max(), value, look.colour))
        if diagonal is not None:
            start, end, look = positions.min(), positions.max(), KNOWN["truth"]
            axes.axline(
                (start, start),
                (end, end),
                color=look.colour,
                linewidth=1.4,
                linestyle=look.line,
                label=diagonal,
            )
            ends.append((diagonal, end, end, look.colour))
        if named:
            axes.set_xticks(positions, x)
        elif len(positions) <= (6 if log_x else 12) and (positions == positions.round()).all():
            axes.set_xticks(positions, [f"{position:g}" for position in positions])  # counts, not a scale
            axes.set_xticks([], minor=True)
        axes.grid(axis="y")
        axes.autoscale_view()
        _name_at_the_end(axes, ends)
    return figure


def _checked(series: Mapping[str, Any], *, count: int) -> dict[str, Float[np.ndarray, "seed x"]]:
    if not 1 <= len(series) <= len(PALETTE):
        raise ValueError(f"curves: 1 … {len(PALETTE)} lines can be told apart, got {len(series)}.")
    lines = {}
    for name, values in series.items():
        array = np.atleast_2d(to_numpy(values)).astype(np.float64)
        if array.ndim != 2 or array.shape[1] != count or not np.isfinite(array).any():
            raise ValueError(
                f"curves, '{name}': expected shape (seed, {count}) or ({count},), as x has {count} values; "
                f"got {to_numpy(values).shape}."
            )
        lines[name] = array
    return lines


def _name_at_the_end(axes: Axes, ends: Sequence[tuple[str, float, float, Any]]) -> None:
    # Names stand to the right at the height of their lines, pushed apart where they would touch.
    to_axes = axes.transData + axes.transAxes.inverted()
    wanted = np.array([to_axes.transform((x, y))[1] for _, x, y, _ in ends])
    heights = _pushed_apart(wanted, gap=0.075)
    for (name, x, y, shade), height in zip(ends, heights, strict=True):
        axes.annotate(
            name,
            (x, y),
            xytext=(1.05, height),
            textcoords="axes fraction",
            va="center",
            arrowprops={
                "arrowstyle": "-",
                "color": shade,
                "linewidth": 1.2,
                "relpos": (0, 0.5),  # from the name's first letter: no leader crosses a name
                "shrinkA": 2,
                "shrinkB": 4,
            },
        )


def _pushed_apart(wanted: Float[np.ndarray, " n"], *, gap: float) -> Float[np.ndarray, " n"]:
    # The nearest positions in 0 … 1 (least squares) in the same order that keep the gap: neighbours that are
    # too close form a block around their mean, and blocks merge (pool adjacent violators).
    order = np.argsort(wanted, kind="stable")
    blocks: list[list[float]] = []  # positions less the gaps below them
    for rank, index in enumerate(order):
        blocks.append([wanted[index] - rank * gap])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1].extend(last)
    heights = np.empty(len(wanted))
    heights[order] = np.repeat([np.mean(block) for block in blocks], [len(block) for block in blocks])
    heights = heights.clip(0, max(0.0, 1 - gap * (len(wanted) - 1)))  # none leaves the axes
    heights[order] += gap * np.arange(len(wanted))
    return heights
