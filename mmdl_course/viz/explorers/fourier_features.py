"""A slider over the bandwidth of Fourier features: the fit, and its errors on what it saw and what not."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from mmdl_course.viz.arrays import as_array, as_images
from mmdl_course.viz.explorers.base import Control, Explorer
from mmdl_course.viz.images import draw_image
from mmdl_course.viz.style import (
    ACCENT,
    INK,
    KNOWN,
    draw_references,
    looks_of,
    new_figure,
    style,
)

__all__ = ["fourier_features"]

_MOST_LINES = 4


def fourier_features(
    target: Any,
    *,
    fits: Mapping[float, Any],
    errors: Mapping[str, Mapping[float, Any]],
    x: Any | None = None,
    points: tuple[Any, Any] | None = None,
    references: Mapping[str, float] | None = None,
    error_label: str = "error",
    start: float | None = None,
) -> Explorer:
    """A slider over the bandwidth: a function or a picture beside its fit, and the errors at all bandwidths.

    Args:
        target: what is fitted: Float "x" (a function) or "3 height width", 0 … 1 (a picture, of which the fit
            sees a part of the pixels).
        fits: bandwidth → the fit, shaped like the target; values of a picture's fit outside 0 … 1 are cut
            off. The bandwidths, all above 0, are the slider's values.
        errors: name, such as "training" → bandwidth → Float "seed"; at most four names, the same bandwidths.
        x: of a function: where it was evaluated, Float "x", rising.
        points: of a function: x and y of what the fit was trained on, two Float "n"; drawn as dots.
        references: name → error of a horizontal line.
        error_label: what the errors are, with their unit.
        start: the bandwidth of the first picture; the one in the middle when left out.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: no or other bandwidths, shapes that differ, a function without its x, numbers that are
            not finite, or a start that was not fitted.

    Source: Tancik et al. 2020, "Fourier features let networks learn high frequency functions in low
        dimensional domains", figure 1 and section 6.
    """
    widths = tuple(sorted(fits))
    if not widths or widths[0] <= 0:
        raise ValueError(f"fourier_features: give fits at bandwidths above 0, got {list(widths)}.")
    measured = _checked_errors(errors, widths)
    start = widths[len(widths) // 2] if start is None else start
    if start not in widths:
        raise ValueError(f"fourier_features, start: nothing was fitted at {start}; choose one of {widths}.")
    truth, fitted = _checked_fits(target, fits, widths)
    picture = truth.ndim == 3
    if not picture:
        if x is None:
            raise ValueError("fourier_features: a function needs its x.")
        x = as_array(x, name="fourier_features, x", shape=truth.shape, kinds="f")
    dots = _checked_points(points)
    lines = dict(references or {})

    def draw(bandwidth: float) -> Figure:
        with style():
            if picture:
                figure = new_figure(9.0, 3.5, layout="constrained")
                left, right, curve = figure.subplots(1, 3, width_ratios=(1.0, 1.0, 1.25))
                draw_image(left, truth)
                left.set_title("target", loc="left")
                draw_image(right, fitted[bandwidth])
                right.set_title(f"bandwidth {bandwidth:g}", loc="left")
            else:
                figure = new_figure(9.0, 3.5, layout="constrained")
                left, curve = figure.subplots(1, 2, width_ratios=(1.7, 1.0))
                _draw_function(left, x, truth, fitted[bandwidth], dots)
                left.set_title(f"bandwidth {bandwidth:g}", loc="left")
            _draw_errors(curve, measured, lines, bandwidth, error_label)
        return figure

    def describe(bandwidth: float) -> str:
        what = "A picture" if picture else "A function"
        numbers = "; ".join(
            f"{name}: " + ", ".join(f"{values[width].mean():.3f} at {width:g}" for width in widths)
            for name, values in measured.items()
        )
        now = ", ".join(f"{name} {values[bandwidth].mean():.3f}" for name, values in measured.items())
        return (
            f"{what} beside its fit from Fourier features of bandwidth {bandwidth:g}; {error_label} now: "
            f"{now}. At all bandwidths, {numbers}"
            + "".join(f"; {name}: {value:.3f}" for name, value in lines.items())
            + "."
        )

    control = Control("bandwidth", widths, start, "{:g}".format)
    best = ", ".join(f"{name} at {_best(seeds):g}" for name, seeds in measured.items())
    return Explorer(
        draw,
        describe=describe,
        notice=f"The bandwidth decides how fine the fit may be; on average over the seeds the {error_label} "
        f"is lowest for {best}.",
        controls={"bandwidth": control},
    )


def _best(measured: Mapping[float, np.ndarray]) -> float:
    return min(measured, key=lambda width: measured[width].mean())


def _checked_fits(
    target: Any, fits: Mapping[float, Any], widths: tuple[float, ...]
) -> tuple[np.ndarray, dict[float, np.ndarray]]:
    """The target and the fits; pictures with the colour last, as matplotlib wants them."""
    if np.ndim(target) not in (1, 3):
        raise ValueError(
            f"fourier_features, target: expected shape (x,) or (3, height, width), got {np.shape(target)}."
        )
    shape = ("x",) if np.ndim(target) == 1 else (3, "height", "width")
    truth = as_array(target, name="fourier_features, target", shape=shape, kinds="f")
    fitted = {
        width: as_array(fits[width], name=f"fourier_features, fit at {width:g}", shape=truth.shape, kinds="f")
        for width in widths
    }
    for name, values in (("target", truth), *((f"fit at {width:g}", fit) for width, fit in fitted.items())):
        if not np.isfinite(values).all():
            raise ValueError(f"fourier_features, {name}: some values are NaN or infinite.")
    if truth.ndim == 1:
        return truth, fitted
    name = "fourier_features, target"
    return as_images(truth[None], name=name)[0], {
        width: as_images(fit.clip(0, 1)[None], name=name)[0] for width, fit in fitted.items()
    }


def _checked_errors(
    errors: Mapping[str, Mapping[float, Any]], widths: tuple[float, ...]
) -> dict[str, dict[float, np.ndarray]]:
    if not 1 <= len(errors) <= _MOST_LINES:
        raise ValueError(
            f"fourier_features, errors: 1 … {_MOST_LINES} lines can be told apart, got {len(errors)}."
        )
    measured = {}
    for name, values in errors.items():
        if tuple(sorted(values)) != widths:
            raise ValueError(
                f"fourier_features, errors of '{name}': measured at {sorted(values)}, fitted at "
                f"{list(widths)}; give both at the same bandwidths."
            )
        measured[name] = {
            width: as_array(
                values[width],
                name=f"fourier_features, errors of '{name}' at {width:g}, one for each seed",
                shape=("seed",),
                kinds="f",
            )
            for width in widths
        }
        if not all((seeds > 0).all() and np.isfinite(seeds).all() for seeds in measured[name].values()):
            raise ValueError(
                f"fourier_features, errors of '{name}': the axis is logarithmic; errors must be finite and "
                "above 0."
            )
    return measured


def _checked_points(points: tuple[Any, Any] | None) -> tuple[np.ndarray, np.ndarray] | None:
    if points is None:
        return None
    across = as_array(points[0], name="fourier_features, x of the points", shape=("n",), kinds="f")
    up = as_array(points[1], name="fourier_features, y of the points", shape=across.shape, kinds="f")
    return across, up


def _draw_function(
    axes: Axes,
    x: np.ndarray,
    truth: np.ndarray,
    fit: np.ndarray,
    dots: tuple[np.ndarray, np.ndarray] | None,
) -> None:
    known = KNOWN["truth"]
    axes.plot(x, truth, color=known.colour, linestyle=known.line, linewidth=3.0, label="truth")
    axes.plot(x, fit, color=ACCENT, linewidth=1.6, label="fit", zorder=3)
    reach = [truth.min(), truth.max()]
    if dots is not None:
        axes.plot(*dots, "o", color=INK, markersize=3.5, label="trained on", zorder=4)
        reach += [dots[1].min(), dots[1].max()]
    # the same axes for every bandwidth; where a fit leaves them, it leaves them
    low, high = min(reach), max(reach)
    room = 0.15 * ((high - low) or 1.0)
    axes.set(xlabel="x (a number)", ylabel="y (a number)", xlim=(x[0], x[-1]), ylim=(low - room, high + room))
    axes.legend(loc="lower left", bbox_to_anchor=(0.28, 1.0), ncols=3, borderaxespad=0.2)


def _draw_errors(
    axes: Axes,
    measured: Mapping[str, Mapping[float, np.ndarray]],
    references: Mapping[str, float],
    bandwidth: float,
    label: str,
) -> None:
    axes.axvline(bandwidth, color=ACCENT, linewidth=1.5, zorder=1)
    widths = list(next(iter(measured.values())))
    looks = looks_of(measured)
    for name, values in measured.items():
        seeds = np.stack([values[width] for width in widths])  # (bandwidth, seed)
        mean = seeds.mean(axis=1)
        drawn = looks[name]
        look = {"color": drawn.colour, "marker": drawn.marker, "linestyle": drawn.line}
        axes.plot(widths, mean, markersize=5, label=name, zorder=3, **look)
        axes.plot(bandwidth, mean[widths.index(bandwidth)], **{**look, "markersize": 10}, zorder=4)
        if seeds.shape[1] > 1:
            axes.fill_between(
                widths, seeds.min(axis=1), seeds.max(axis=1), color=drawn.colour, alpha=0.2, linewidth=0
            )
    axes.set(xscale="log", yscale="log", xlabel="bandwidth (a number)", ylabel=label)
    axes.set_xticks(widths, [f"{width:g}" for width in widths], fontsize=9)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y")
    draw_references(axes, references, side="right")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.2)
