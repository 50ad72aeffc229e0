"""How the similarities of images and captions come about while two towers train."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_array, as_images
from mmdl_course.viz.explorers.base import Control, Explorer
from mmdl_course.viz.similarity import BAR, CELL, LEFT, caption_height, colour_scale, draw_similarity
from mmdl_course.viz.style import ACCENT, INK, new_figure, place, style

__all__ = ["training_similarity"]


def training_similarity(
    matrices: Mapping[int, Any], *, losses: Any, images: Any, captions: Sequence[str]
) -> Explorer:
    """Move through a training: the similarity matrix at a step, beside the loss.

    A colour means the same similarity at every step.

    Args:
        matrices: step → Float "image text", cosine similarities at that step; 2 … 12 of each.
        losses: Float "step", the loss of every step, nats.
        images: Float "image 3 height width", 0 … 1, of the rows.
        captions: of the columns; the pairs stand on the diagonal.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: no matrix, wrong shapes, a similarity that is no number, or a step without a loss.
    """
    if not matrices:
        raise ValueError("training_similarity: there are no matrices.")
    pictures = as_images(images, name="training_similarity, images")
    curve = as_array(losses, name="training_similarity, losses", shape=("step",), kinds="f")
    shape = (len(pictures), len(captions))
    values = {
        step: as_array(matrix, name=f"training_similarity, step {step}", shape=shape, kinds="f")
        for step, matrix in sorted(matrices.items())
    }
    if min(shape) < 2 or max(shape) > 12:
        raise ValueError(f"training_similarity: 2 … 12 images and captions can be compared, got {shape}.")
    for step, matrix in values.items():
        if not 0 <= step <= len(curve):
            raise ValueError(f"training_similarity: a matrix of step {step}, but {len(curve)} losses.")
        if not np.isfinite(matrix).all():
            raise ValueError(f"training_similarity, step {step}: some similarities are NaN or infinite.")
    scale = colour_scale(np.stack(list(values.values())))

    def draw(step: int) -> Figure:
        return _figure(values[step], step, curve, pictures, captions, scale)

    def describe(step: int) -> str:
        own = np.eye(*shape, dtype=bool)
        right, wrong = values[step][own].mean(), values[step][~own].mean()
        return (
            f"Cosine similarities of {shape[0]} images and {shape[1]} captions at step {step} of training: "
            f"pairs {right:.2f} on average, all others {wrong:.2f}. Beside it the loss, from {curve[0]:.2f} "
            f"to {curve[-1]:.2f}."
        )

    steps = tuple(values)
    own = np.eye(*shape, dtype=bool)
    (pairs_before, pairs_after), (others_before, others_after) = (
        [float(values[step][mask].mean()) for step in (steps[0], steps[-1])] for mask in (own, ~own)
    )
    return Explorer(
        draw,
        describe=describe,
        notice=f"From step {steps[0]} to step {steps[-1]} the pairs on the diagonal go from "
        f"{pairs_before:.2f} to {pairs_after:.2f} on average, all other cells from {others_before:.2f} to "
        f"{others_after:.2f}.",
        controls={"step": Control("step of training", steps, steps[-1])},
    )


def _figure(
    matrix: np.ndarray,
    step: int,
    losses: np.ndarray,
    pictures: np.ndarray,
    captions: Sequence[str],
    scale: Normalize,
) -> Figure:
    rows, columns = matrix.shape
    top = 0.38
    left = LEFT + columns * CELL + BAR + 0.72  # of the loss, with its labels before it
    width = min(2.8, 9.0 - left - 0.22)
    height = min(max(rows * CELL, 1.6), 2.4)
    with style():
        figure = new_figure(
            left + width + 0.22, top + max(rows * CELL + caption_height(captions), height + 0.6)
        )
        draw_similarity(figure, matrix, pictures, captions, top=top, scale=scale)
        axes = figure.add_axes(place(figure, left=left, top=top, width=width, height=height), label="loss")
        axes.plot(losses, color=INK, linewidth=1.0)
        axes.axvline(step, color=ACCENT, linewidth=1.5)
        # The last matrix may be of the model after its last update, which has no loss any more.
        axes.plot(step, losses[min(step, len(losses) - 1)], "o", color=ACCENT, markersize=8, clip_on=False)
        axes.set(xlabel="number of steps", ylabel="loss (nats)", xlim=(0, len(losses)))
        figure.text(
            LEFT / figure.get_figwidth(),
            1 - 0.08 / figure.get_figheight(),
            f"step {step}",
            va="top",
            fontweight="bold",
        )
    return figure
