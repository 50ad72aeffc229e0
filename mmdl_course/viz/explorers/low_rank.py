"""A slider over the rank of an update: the matrix, what is left of it, singular values, the accuracy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_array
from mmdl_course.viz.explorers.base import Control, Explorer
from mmdl_course.viz.style import ACCENT, BASELINE, DIVERGING, MUTED, draw_references, new_figure, style

__all__ = ["low_rank"]


def low_rank(
    update: Any,
    *,
    approximations: Mapping[int, Any],
    singular_values: Any,
    accuracy: Mapping[int, float],
    references: Mapping[str, float] | None = None,
    start: int | None = None,
) -> Explorer:
    """A slider over the rank r: an update of a weight matrix beside its approximation of rank r.

    Args:
        update: ΔW, Float "row column".
        approximations: r → Float "row column"; the slider's values.
        singular_values: of the update, Float "value", falling.
        accuracy: r → accuracy of the model whose updates all have rank r, 0 … 1; the same r's.
        references: name → accuracy of a horizontal line.
        start: the r of the first picture; the one in the middle when left out.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: shapes that differ, no or other r's, accuracies outside 0 … 1, or a start that was not
            measured.

    Source: Hu et al. 2022, "LoRA: low-rank adaptation of large language models", section 7.
    """
    whole = as_array(update, name="low_rank, update", shape=("row", "column"), kinds="f")
    values = as_array(singular_values, name="low_rank, singular_values", shape=("value",), kinds="f")
    ranks = tuple(sorted(approximations))
    if not ranks or set(ranks) != set(accuracy):
        raise ValueError(
            f"low_rank: approximations and accuracy need the same ranks, "
            f"got {list(ranks)} and {sorted(accuracy)}."
        )
    low = {
        rank: as_array(
            approximations[rank], name=f"low_rank, approximation of rank {rank}", shape=whole.shape, kinds="f"
        )
        for rank in ranks
    }
    lines = {f"rank {rank}": accuracy[rank] for rank in ranks} | dict(references or {})
    for name, value in lines.items():
        if not 0 <= value <= 1:
            raise ValueError(f"low_rank, accuracy of '{name}': it lies in 0 … 1, got {value}.")
    start = ranks[len(ranks) // 2] if start is None else start
    if start not in ranks:
        raise ValueError(f"low_rank, start: no rank {start} was given; choose one of {list(ranks)}.")

    def kept(rank: int) -> float:
        return float((values[:rank] ** 2).sum() / max((values**2).sum(), 1e-30))

    def draw(rank: int) -> Figure:
        return _figure(whole, low, values, accuracy, dict(references or {}), rank, kept(rank))

    def describe(rank: int) -> str:
        rows, columns = whole.shape
        return (
            f"An update of {rows} × {columns} numbers beside its approximation of rank {rank}, which keeps "
            f"{100 * kept(rank):.0f} % of its squared singular values. With updates of this rank the model "
            f"has an accuracy of {accuracy[rank]:.2f}; "
            + ", ".join(f"rank {r}: {accuracy[r]:.2f}" for r in ranks if r != rank)
            + "".join(f"; {name}: {value:.2f}" for name, value in (references or {}).items())
            + "."
        )

    first, last = ranks[0], ranks[-1]
    return Explorer(
        draw,
        describe=describe,
        notice=f"From rank {first} to rank {last} the share of the update that is kept goes from "
        f"{100 * kept(first):.0f} % to {100 * kept(last):.0f} %, the accuracy from {accuracy[first]:.2f} "
        f"to {accuracy[last]:.2f}: a rank is enough when the accuracy stops rising.",
        controls={"rank": Control("rank r of the update", ranks, start)},
    )


def _figure(
    whole: np.ndarray,
    low: Mapping[int, np.ndarray],
    values: np.ndarray,
    accuracy: Mapping[int, float],
    references: Mapping[str, float],
    rank: int,
    kept: float,
) -> Figure:
    with style():
        figure = new_figure(9.0, 6.2, layout="constrained")
        grid = figure.subplots(2, 2)
        limit = float(np.abs(whole).max()) or 1.0
        for axes, matrix, name in zip(
            grid[0], (whole, low[rank]), ("update ΔW", f"rank {rank}: {100 * kept:.0f} % kept"), strict=True
        ):
            picture = axes.imshow(
                matrix, cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest", aspect="auto"
            )
            axes.set(xticks=[], yticks=[])
            axes.set_title(name, loc="left")
        bar = figure.colorbar(picture, ax=grid[0], pad=0.01)
        bar.outline.set_visible(False)
        bar.set_label("change of a weight")
        bars, curve = grid[1]
        places = np.arange(1, len(values) + 1)
        bars.bar(places, values, color=[ACCENT if place <= rank else BASELINE for place in places])
        bars.set(xlabel="rank of the singular value", ylabel="singular value (units of weight)")
        ranks = list(low)
        curve.plot(range(len(ranks)), [accuracy[r] for r in ranks], "o-", color=MUTED)
        at = ranks.index(rank)
        curve.plot(at, accuracy[rank], "o", color=ACCENT, markersize=11, zorder=4)
        curve.set_title(f"rank {rank}: accuracy {accuracy[rank]:.2f}", loc="left")
        curve.set_xticks(range(len(ranks)), [str(r) for r in ranks])
        curve.set(xlabel="rank of all updates", ylabel="accuracy")
        curve.margins(y=0.2)
        curve.grid(axis="y")
        draw_references(curve, references, side="left")
    return figure
