"""Accuracy under a shift against accuracy without it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_array
from mmdl_course.viz.style import INK, MUTED, PALETTE, new_figure, style

__all__ = ["robustness_plot"]

_MARKERS = "Ds^vP*"
_TICKS = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
_ENDS = (0.001, 0.999)


def robustness_plot(panels: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw effective robustness: how far models lie above the line of the reference models.

    Both axes have a logit scale, on which ordinary models lie along a line; accuracies are clamped to
    0.001 … 0.999.

    Args:
        panels: name of the shift → {"reference": (x, y), "models": {name: (x, y)}}, where x is accuracy on
            the original distribution and y under the shift, Float "model" each, 0 … 1. All panels name
            the same models.

    Returns:
        The figure, 9 inches wide.

    Raises:
        ValueError: no panel, other models in another panel, wrong shapes, or accuracies outside 0 … 1.

    Source: Taori et al. 2020, "Measuring robustness to natural distribution shifts in image classification",
        figure 1.
    """
    if not panels:
        raise ValueError("robustness_plot: there are no panels.")
    names = list(next(iter(panels.values()))["models"])
    for shift, panel in panels.items():
        if list(panel["models"]) != names:
            raise ValueError(
                f"robustness_plot, '{shift}': models {list(panel['models'])}, the first panel has {names}."
            )
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    with style():
        figure = new_figure(9.0, 0.7 + 2.75 * rows, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axes, (shift, panel) in zip(grid, panels.items(), strict=False):
            _draw(axes, shift, panel)
        for axes in grid[len(panels) :]:
            axes.axis("off")
        for place, axes in enumerate(grid[: len(panels)]):
            if place % columns == 0:
                axes.set_ylabel("accuracy under shift")
            if place + columns >= len(panels):
                axes.set_xlabel("original accuracy")
                axes.tick_params(labelbottom=True)
        handles, labels = grid[0].get_legend_handles_labels()
        if len(panels) < len(grid):
            grid[-1].legend(handles, labels, loc="center")
        else:
            figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _draw(axes: Axes, shift: str, panel: Mapping[str, Any]) -> None:
    reference = _pair(panel["reference"], name=f"robustness_plot, '{shift}', reference")
    axes.plot(*reference, "o", color=MUTED, markersize=5, label="reference models", zorder=2)
    ends = np.linspace(_logit(_ENDS[0]), _logit(_ENDS[1]), 200)
    axes.plot(_sigmoid(ends), _sigmoid(ends), ":", color=INK, linewidth=1.2, label="nothing lost (y = x)")
    line = None
    x, y = _logit(reference[0]), _logit(reference[1])
    if np.ptp(x) > 1e-6:
        line = np.poly1d(np.polyfit(x, y, 1))
        axes.plot(_sigmoid(ends), _sigmoid(line(ends)), color=MUTED, linewidth=1.5, label="their line")
    for number, (name, points) in enumerate(panel["models"].items()):
        colour = PALETTE[number]
        judged = _pair(points, name=f"robustness_plot, '{shift}', '{name}'")
        axes.plot(
            *judged,
            _MARKERS[number % len(_MARKERS)],
            color=colour,
            markeredgecolor=INK,
            markeredgewidth=0.6,
            markersize=8,
            label=name,
            zorder=4,
        )
        if line is not None:
            for at, value in zip(*judged, strict=True):
                axes.plot(
                    [at, at], [_sigmoid(line(_logit(at))), value], color=colour, linewidth=1.2, zorder=3
                )
    axes.set_xscale("logit")
    axes.set_yscale("logit")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(lambda _value, _place: "")
        axis.set_minor_locator(_nothing())
        axis.set_ticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    axes.set(xlim=(0.2, _ENDS[1]), ylim=(0.05, _ENDS[1]))
    axes.grid(visible=True)
    axes.set_title(shift, loc="left")


def _pair(points: Any, *, name: str) -> tuple[np.ndarray, np.ndarray]:
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
    return arrays[0].clip(*_ENDS), arrays[1].clip(*_ENDS)


def _logit(share: Any) -> Any:
    return np.log(np.asarray(share) / (1 - np.asarray(share)))


def _sigmoid(logit: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(logit)))


def _nothing() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()
