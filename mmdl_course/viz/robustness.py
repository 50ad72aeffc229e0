"""Accuracy under a shift against accuracy without it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from mmdl_course.viz.arrays import as_array, to_numpy
from mmdl_course.viz.style import (
    INK,
    KNOWN,
    MUTED,
    PALETTE,
    looks_of,
    new_figure,
    put_title,
    style,
    title_height,
)

__all__ = ["robustness_plot"]

# The first ones matter most: a tick is left out where it would stand too close to one before it.
_TICKS = (0.5, 0.9, 0.1, 0.99, 0.01, 0.75, 0.25, 0.999, 0.001, 0.95, 0.05, 0.6, 0.4, 0.8, 0.2, 0.98, 0.02)
_ENDS = (0.001, 0.999)
_EDGE = 0.4  # logits between the outermost point and the frame
_WIDEST = 1e-6  # how far lines are drawn: the frame cuts them


def robustness_plot(panels: Mapping[str, Mapping[str, Any]], *, title: str | None = None) -> Figure:
    """Draw effective robustness: how far models lie above the line of the reference models.

    Both axes have a logit scale, on which ordinary models lie along a line; accuracies are clamped to
    0.001 … 0.999.

    Args:
        panels: name of the shift → {"reference": (x, y), "line": (x, y), "models": {name: (x, y)}}, where x
            is accuracy on the original distribution and y under the shift, Float "model" each, 0 … 1.
            "line" is what the references let one expect, at some x in rising order; without it, or with
            a y that is NaN, there is no line. All panels name the same models.
        title: the figure's title.

    Returns:
        The figure, 9 inches wide.

    Raises:
        ValueError: no panel, a panel without references or models, more than ten families of models or
            others in another panel, wrong shapes, or accuracies outside 0 … 1.

    Source: Taori et al. 2020, "Measuring robustness to natural distribution shifts in image classification",
        figure 1.
    """
    if not panels:
        raise ValueError("robustness_plot: there are no panels.")
    for shift, panel in panels.items():
        if not {"reference", "models"} <= set(panel):
            raise ValueError(
                f"robustness_plot, '{shift}': expected 'reference' and 'models', got {list(panel)}."
            )
    names = list(next(iter(panels.values()))["models"])
    if len(names) > len(PALETTE):
        raise ValueError(f"robustness_plot: at most {len(PALETTE)} families of models, got {len(names)}.")
    for shift, panel in panels.items():
        if list(panel["models"]) != names:
            raise ValueError(
                f"robustness_plot, '{shift}': models {list(panel['models'])}, the first panel has {names}."
            )
    checked = {shift: _checked(shift, panel) for shift, panel in panels.items()}
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    with style():
        figure = new_figure(9.0, title_height(title, 9.0) + 0.7 + 2.75 * rows, layout="constrained")
        put_title(figure, title)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axes, (shift, panel) in zip(grid, checked.items(), strict=False):
            _draw(axes, shift, *panel)
        _set_scales(grid[0], list(checked.values()))
        for axes in grid[1:]:
            axes.grid(visible=True)
        for axes in grid[len(panels) :]:
            axes.axis("off")
        for place, axes in enumerate(grid[: len(panels)]):
            if place % columns == 0:
                axes.set_ylabel("accuracy under shift")
            if place + columns >= len(panels):
                axes.set_xlabel("original accuracy")
                axes.tick_params(labelbottom=True)
        # The first panel need not have everything: references that are all alike have no line.
        known = {}
        for axes in grid:
            known |= dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
        order = [label for label in known if label not in names] + names
        handles, labels = [known[label] for label in order], order
        if len(panels) < len(grid):
            grid[-1].legend(handles, labels, loc="center")
        else:
            figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _checked(
    shift: str, panel: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray | None, dict[str, np.ndarray]]:
    reference = _pair(panel["reference"], name=f"robustness_plot, '{shift}', reference")
    models = {
        name: _pair(points, name=f"robustness_plot, '{shift}', '{name}'")
        for name, points in panel["models"].items()
    }
    line = panel.get("line")
    if line is not None:
        x, y = (to_numpy(values) for values in line)
        line = None if np.isnan(y).any() else _pair((x, y), name=f"robustness_plot, '{shift}', line")
        if line is not None and (np.diff(line[0]) < 0).any():
            raise ValueError(f"robustness_plot, '{shift}', line: x must rise.")
    return reference, line, models


def _draw(
    axes: Axes,
    shift: str,
    reference: np.ndarray,
    line: np.ndarray | None,
    models: Mapping[str, np.ndarray],
) -> None:
    axes.set_xscale("logit")
    axes.set_yscale("logit")
    axes.plot(
        *reference, "+", color=MUTED, markersize=7, markeredgewidth=1.6, label="reference models", zorder=2
    )
    ends = np.linspace(_logit(_WIDEST), _logit(1 - _WIDEST), 200)
    same = KNOWN["truth"]
    axes.plot(
        _sigmoid(ends),
        _sigmoid(ends),
        linestyle=same.line,
        color=same.colour,
        linewidth=1.2,
        label="nothing lost (y = x)",
    )
    if line is not None:
        axes.plot(*line, color=MUTED, linewidth=1.5, label="their line", zorder=1.5)
    looks = looks_of(models)
    for name, judged in models.items():
        colour = looks[name].colour
        axes.plot(
            *judged,
            looks[name].marker,
            color=colour,
            markeredgecolor=INK,
            markeredgewidth=0.6,
            markersize=8,
            label=name,
            zorder=4,
        )
        if line is not None:
            for at, value in judged.T:
                axes.plot([at, at], [np.interp(at, *line), value], color=colour, linewidth=1.2, zorder=3)
    axes.set_title(shift, loc="left")


def _set_scales(
    axes: Axes, panels: Sequence[tuple[np.ndarray, np.ndarray | None, Mapping[str, np.ndarray]]]
) -> None:
    """Frame all points of all panels, which share their axes, and write accuracies at the ticks."""
    points = [points for reference, _, models in panels for points in (reference, *models.values())]
    every = _logit(np.concatenate(points, axis=1))  # (2, point)
    for axis, values, set_limits in zip(
        (axes.xaxis, axes.yaxis), every, (axes.set_xlim, axes.set_ylim), strict=True
    ):
        middle, half = (values.min() + values.max()) / 2, max(np.ptp(values) / 2 + _EDGE, 1.5)
        shown: list[float] = []
        for tick in _TICKS:
            at = _logit(tick)
            if abs(at - middle) < half and all(abs(at - _logit(other)) > 0.3 * half for other in shown):
                shown.append(tick)
        axis.set_minor_locator(NullLocator())
        axis.set_ticks(sorted(shown), [f"{tick:g}" for tick in sorted(shown)])
        set_limits(_sigmoid(middle - half), _sigmoid(middle + half))
    axes.grid(visible=True)


def _pair(points: Any, *, name: str) -> np.ndarray:
    arrays = [
        as_array(values, name=name, shape=("model",), kinds="f").astype(np.float64) for values in points
    ]
    if len(arrays) != 2 or arrays[0].shape != arrays[1].shape:
        raise ValueError(f"{name}: expected original and shifted accuracies, as many of each.")
    for array in arrays:
        if not ((array >= 0) & (array <= 1)).all():
            raise ValueError(
                f"{name}: accuracies lie between 0 and 1, got {array.min():.3g} … {array.max():.3g}."
            )
    return np.stack(arrays).clip(*_ENDS)  # (2, model)


def _logit(share: Any) -> Any:
    return np.log(np.asarray(share) / (1 - np.asarray(share)))


def _sigmoid(logit: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(logit)))
