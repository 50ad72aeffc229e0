"""How the similarities of images and captions come about while two towers train."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_array, as_images
from mmdl_course.viz.explorers.base import Control, Explorer
from mmdl_course.viz.similarity import draw_similarity
from mmdl_course.viz.style import ACCENT, INK, new_figure, place, style

__all__ = ["training_similarity"]


def training_similarity(
    matrices: Mapping[int, Any], *, losses: Any, images: Any, captions: Sequence[str]
) -> Explorer:
    """Move through a training: the similarity matrix at a step, beside the loss.

    Args:
        matrices: step → Float "image text", cosine similarities at that step; at most 12 of each.
        losses: Float "step", the loss of every step, nats.
        images: Float "image 3 height width", 0 … 1, of the rows.
        captions: of the columns; the pairs stand on the diagonal.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: no matrix, or wrong shapes.
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
    if max(shape) > 12:
        raise ValueError(f"training_similarity: at most 12 images and captions can be read, got {shape}.")

    def draw(step: int) -> Figure:
        return _figure(values[step], step, curve, pictures, captions)

    def describe(step: int) -> str:
        own = np.eye(*shape, dtype=bool)
        right, wrong = values[step][own].mean(), values[step][~own].mean()
        return (
            f"Cosine similarities of {shape[0]} images and {shape[1]} captions at step {step} of training: "
            f"pairs {right:.2f} on average, all others {wrong:.2f}. Beside it the loss, from {curve[0]:.2f} "
            f"to {curve[-1]:.2f}."
        )

    steps = tuple(values)
    return Explorer(draw, describe=describe, controls={"step": Control("step of training", steps, steps[-1])})


def _figure(
    matrix: np.ndarray, step: int, losses: np.ndarray, pictures: np.ndarray, captions: Sequence[str]
) -> Figure:
    with style():
        rows, columns = matrix.shape
        left = 1.55
        figure = new_figure(left + 0.42 * columns + 3.0, 0.42 * rows + 2.2)
        draw_similarity(figure, matrix, pictures, captions, left=left, top=0.35)
        axes = figure.add_axes(
            place(
                figure,
                left=left + 0.42 * columns + 1.35,
                top=0.42 * rows - 1.2,
                width=1.5,
                height=1.3,
            ),
            label="loss",
        )
        axes.plot(losses, color=INK, linewidth=1.0)
        axes.axvline(step, color=ACCENT, linewidth=2.5)
        axes.set(xlabel="step", ylabel="loss, nats", xlim=(0, len(losses)))
        figure.text(
            left / figure.get_figwidth(),
            1 - 0.08 / figure.get_figheight(),
            f"step {step}",
            va="top",
            fontweight="bold",
        )
    return figure
