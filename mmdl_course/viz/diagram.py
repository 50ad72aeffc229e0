"""The deck's picture of every pipeline, with the place where the lesson is."""

import itertools
from collections.abc import Collection, Mapping

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon

from mmdl_course.viz.style import ACCENT, INK, MUTED, new_figure, style

__all__ = ["STAGES", "flow"]

STAGES = ("x", "encoder", "z", "decoder", "y")
_SYMBOLS = {"x": "x", "encoder": "f", "z": "z", "decoder": "g", "y": "y"}
_NAMES = {"x": "data", "encoder": "encoder", "z": "latent", "decoder": "decoder", "y": "output"}
# Left edge, right edge, height at the left, height at the right; the encoder narrows, the decoder widens.
_SHAPES = {
    "x": (0.35, 1.25, 1.0, 1.0),
    "encoder": (1.95, 3.45, 1.0, 0.45),
    "z": (4.15, 4.85, 0.45, 0.45),
    "decoder": (5.55, 7.05, 0.45, 1.0),
    "y": (7.75, 8.65, 1.0, 1.0),
}


def flow(*, highlight: str | Collection[str], notes: Mapping[str, str] | None = None) -> Figure:
    """Draw x → encoder f → z → decoder g → y and mark where we are.

    Args:
        highlight: the stage or stages this lesson is about, of `STAGES`.
        notes: stage → what it is in this lesson, such as "64 × 64 image" for x; else its general name.

    Returns:
        The figure, 9 inches wide.

    Raises:
        ValueError: a stage that does not exist.

    Source: deck A, slides A52–A59.
    """
    lit_stages = {highlight} if isinstance(highlight, str) else set(highlight)
    for stage in (*lit_stages, *(notes or {})):
        if stage not in STAGES:
            raise ValueError(f"flow: there is no stage '{stage}'; the stages are {', '.join(STAGES)}.")
    with style():
        figure = new_figure(9.0, 1.55)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, 9), ylim=(-0.95, 0.6))
        axes.set_axis_off()
        for stage in STAGES:
            left, right, tall, short = _SHAPES[stage]
            lit = stage in lit_stages
            axes.add_patch(
                Polygon(
                    [(left, -tall / 2), (left, tall / 2), (right, short / 2), (right, -short / 2)],
                    facecolor=ACCENT if lit else "#eef0f4",
                    edgecolor=ACCENT if lit else MUTED,
                    linewidth=1.5,
                    joinstyle="round",
                    label=stage,
                )
            )
            middle = (left + right) / 2
            axes.text(
                middle,
                0,
                _SYMBOLS[stage],
                ha="center",
                va="center",
                fontsize=16,
                fontstyle="italic",
                fontfamily="DejaVu Serif",
                color="white" if lit else INK,
            )
            axes.text(
                middle,
                -0.62,
                (notes or {}).get(stage, _NAMES[stage]),
                ha="center",
                va="top",
                fontsize=10.5,
                fontweight="bold" if lit else "normal",
                color=ACCENT if lit else INK,
            )
        for before, after in itertools.pairwise(STAGES):
            axes.add_patch(
                FancyArrowPatch(
                    (_SHAPES[before][1] + 0.08, 0),
                    (_SHAPES[after][0] - 0.08, 0),
                    arrowstyle="-|>",
                    mutation_scale=13,
                    color=INK,
                    shrinkA=0,
                    shrinkB=0,
                )
            )
    return figure
