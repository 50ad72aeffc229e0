"""An embedding with some of its images on it."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmdl_course.viz.arrays import as_images, as_points
from mmdl_course.viz.colours import code
from mmdl_course.viz.points import draw_points, panel_axes, set_heading
from mmdl_course.viz.style import style

__all__ = ["latent_scatter", "spaced_apart"]

_SIDE = 6.0  # inches of the panel
_GAP = 1.5  # distance of neighbouring thumbnails in thumbnails: the points between them stay visible


def latent_scatter(
    embedding: Any,
    *,
    images: Any,
    colour: Any = None,
    colour_label: str | None = None,
    cyclic: bool = False,
    title: str,
    score: str | None = None,
    thumbnail: float = 0.45,
) -> Figure:
    """Draw a two-dimensional embedding, and at well-spaced points the images they stand for.

    Args:
        embedding: Float "image 2".
        images: Float "image 3 height width" or "image height width", 0 … 1, in the same order.
        colour: one value for each point: floats are a scale, integers and strings categories (at most ten).
            A thumbnail's frame has its point's colour.
        colour_label: what the colour means.
        cyclic: the colour scale's ends meet, as angles do.
        title: what it is.
        score: a line under the title, such as "trustworthiness 0.98".
        thumbnail: longer side of a thumbnail in inches.

    Returns:
        The figure, about 7 inches wide. Thumbnails do not overlap.

    Raises:
        ValueError: wrong shapes, values outside 0 … 1, or not as many images as points.
    """
    points = as_points(embedding, name="latent_scatter", dimensions=(2,))
    pictures = as_images(images, name="latent_scatter")
    if len(pictures) != len(points):
        raise ValueError(f"latent_scatter: {len(points)} points but {len(pictures)} images.")
    coding = code(colour, count=len(points), label=colour_label, cyclic=cyclic, name="latent_scatter")

    span = 1.12 * float(np.ptp(points, axis=0).max() or 1.0)
    unit = span / _SIDE  # data units in an inch
    height, width = np.array(pictures.shape[1:3]) / max(pictures.shape[1:3]) * thumbnail * unit
    with style():
        figure, (axes,) = panel_axes({title: points}, coding=coding, scored=score is not None, largest=_SIDE)
        draw_points(axes, points, coding.rgba, shapes=coding.shapes)
        set_heading(axes, title, score=score)
        for index in spaced_apart(points, width=_GAP * width, height=_GAP * height):
            left, bottom = points[index] - (width / 2, height / 2)
            axes.imshow(
                pictures[index],
                extent=(left, left + width, bottom, bottom + height),
                interpolation="nearest",
                vmin=0,
                vmax=1,
                zorder=3,
            )
            frame = Rectangle((left, bottom), width, height, fill=False, linewidth=2, zorder=4)
            frame.set_edgecolor(coding.rgba[index])
            axes.add_patch(frame)
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_xlim(middle[0] - span / 2, middle[0] + span / 2)
        axes.set_ylim(middle[1] - span / 2, middle[1] + span / 2)
    return figure


def spaced_apart(
    points: Float[np.ndarray, "n 2"], *, width: float, height: float
) -> Int[np.ndarray, " chosen"]:
    """Choose points such that boxes of the given size around them do not overlap, and no further box fits.

    Args:
        points: the boxes' centres.
        width: of a box, in the points' unit.
        height: of a box, in the points' unit.

    Returns:
        Indices of the chosen points, the outermost first.
    """
    scaled = points / (width, height)
    # From the outside inwards: the rim of an embedding, where the odd images are, gets its pictures.
    order = np.argsort(-np.linalg.norm(scaled - scaled.mean(axis=0), axis=1), kind="stable")
    chosen: list[int] = []
    for index in order:
        if not chosen or np.abs(scaled[chosen] - scaled[index]).max(axis=1).min() >= 1.0:
            chosen.append(int(index))
    return np.array(chosen)
