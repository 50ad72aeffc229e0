"""What a gain costs: scores against a size on a logarithmic axis."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_array
from mmdl_course.viz.style import (
    HALO,
    INK,
    PALETTE,
    draw_references,
    looks_of,
    new_figure,
    put_title,
    style,
    title_height,
)

__all__ = ["tradeoff"]


def tradeoff(
    series: Mapping[str, tuple[Any, Any]],
    *,
    x_label: str,
    y_label: str,
    references: Mapping[str, float] | None = None,
    notes: Mapping[str, Any] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw methods as points, or as a line where a method comes in several sizes, with error bars over seeds.

    Args:
        series: name → (sizes, scores): sizes Float "n" above 0; scores Float "seed n", mean ± one standard
            deviation is drawn, or "n". At most ten.
        x_label: what the sizes count; the axis is logarithmic.
        y_label: what the scores are.
        references: name → score of a horizontal line, such as chance.
        notes: name of a series → one short text for each of its points.
        title: the figure's title.

    Returns:
        The figure, 9 inches wide.

    Raises:
        ValueError: no series or too many, sizes that are not above 0, or scores or notes that do not fit the
            sizes.
    """
    if not 1 <= len(series) <= len(PALETTE):
        raise ValueError(f"tradeoff: 1 … {len(PALETTE)} methods can be told apart, got {len(series)}.")
    checked = {name: _checked(name, *pair) for name, pair in series.items()}
    for name, texts in (notes or {}).items():
        if name not in checked or len(texts) != len(checked[name][0]):
            raise ValueError(f"tradeoff, notes of '{name}': give one text for each point of a series.")
    with style():
        figure = new_figure(9.0, 4.2 + title_height(title, 9.0), layout="constrained")
        axes = figure.subplots()
        axes.set(xlabel=x_label, ylabel=y_label, xscale="log")
        put_title(figure, title)
        looks = looks_of(checked)
        for name, (sizes, scores) in checked.items():
            look = looks[name]
            mean = scores.mean(axis=0)
            spread = scores.std(axis=0, ddof=1) if len(scores) > 1 else None
            axes.errorbar(
                sizes,
                mean,
                yerr=spread,
                color=look.colour,
                marker=look.marker,
                markersize=8,
                markeredgecolor=INK,
                markeredgewidth=0.6,
                linestyle=look.line if len(sizes) > 1 else "none",
                capsize=3,
                label=name,
                zorder=3,
            )
            for text, x, y in zip((notes or {}).get(name, ()), sizes, mean, strict=False):
                axes.annotate(
                    text,
                    (x, y),
                    xytext=(0, 9),
                    textcoords="offset points",
                    ha="center",
                    fontsize=9,
                    path_effects=HALO,
                    zorder=5,
                )
        axes.margins(y=0.12)
        draw_references(axes, references or {}, side="left")
        axes.grid(axis="y")
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return figure


def _checked(name: str, sizes: Any, scores: Any) -> tuple[np.ndarray, np.ndarray]:
    x = as_array(sizes, name=f"tradeoff, sizes of '{name}'", shape=("n",), kinds="if").astype(np.float64)
    y = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    if not len(x) or not (x > 0).all():
        raise ValueError(f"tradeoff, sizes of '{name}': a logarithmic axis needs numbers above 0.")
    if y.ndim != 2 or y.shape[1] != len(x) or not np.isfinite(y).all():
        raise ValueError(
            f"tradeoff, scores of '{name}': expected finite numbers of shape (seed, {len(x)}) or "
            f"({len(x)},), got shape {np.shape(scores)}."
        )
    return x, y
