"""Similarities of images and captions as a matrix, and the two clouds that they come from."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmdl_course.viz.arrays import as_array, as_images, as_points
from mmdl_course.viz.images import draw_image
from mmdl_course.viz.style import (
    INK,
    MUTED,
    PALETTE,
    ROLES,
    SEQUENTIAL,
    new_figure,
    place,
    put_title,
    style,
    title_height,
)

__all__ = [
    "BAR",
    "CELL",
    "LEFT",
    "caption_height",
    "colour_scale",
    "draw_similarity",
    "modality_gap",
    "similarity_matrix",
]

CELL = 0.42  # inches
LEFT = 0.55  # inches before the first cell, with room for a thumbnail
BAR = 1.05  # inches for the colour bar and what is written at it
_BAR_HEIGHT = 1.6  # inches at least: its label must fit
_THUMBNAIL = 0.4
_LINE = 26  # letters in a line of a caption
_LETTER = 0.083  # inches, of a caption
_MOST = 16  # images or captions


def similarity_matrix(
    similarity: Any,
    *,
    images: Any = None,
    captions: Sequence[str] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw which image is how similar to which caption.

    Pairs that belong together, the diagonal, are outlined.

    Args:
        similarity: Float "image text", cosine similarities; at most 16 of each.
        images: Float "image 3 height width", 0 … 1: shown before their rows.
        captions: one for each column.
        title: the figure's title.

    Returns:
        The figure, at most 9 inches wide.

    Raises:
        ValueError: wrong shapes, not as many images or captions as rows or columns, more than 16, or a
            similarity that is no number.
    """
    values, pictures = _checked(similarity, images, captions, name="similarity_matrix")
    width = min(9.0, max(4.5, LEFT + values.shape[1] * CELL + BAR))
    head = title_height(title, width) + 0.12
    below = 0.4 if captions is None else caption_height(captions)
    with style():
        figure = new_figure(
            width,
            head + max(values.shape[0] * CELL + below, _BAR_HEIGHT + 0.12),
        )
        put_title(figure, title)
        draw_similarity(figure, values, pictures, captions, top=head, scale=colour_scale(values))
    return figure


def colour_scale(values: np.ndarray) -> Normalize:
    """Give colours to similarities: from 0 or below to the next tenth above the largest.

    Args:
        values: all similarities that are to be compared by colour.

    Returns:
        The scale.
    """
    return Normalize(min(0.0, np.floor(values.min() * 10) / 10), max(0.1, np.ceil(values.max() * 10) / 10))


def caption_height(captions: Sequence[str]) -> float:
    """Say how many inches the captions below a matrix need."""
    return 0.2 + _LETTER * max(len(line) for caption in captions for line in _lines(caption).split("\n"))


def draw_similarity(
    figure: Figure,
    values: np.ndarray,
    pictures: np.ndarray | None,
    captions: Sequence[str] | None,
    *,
    top: float,
    scale: Normalize,
) -> None:
    """Draw the matrix, its thumbnails, captions and colour bar into a figure.

    Args:
        figure: where to.
        values: (image, text).
        pictures: (image, height, width, 3) or None.
        captions: one for each column, or None.
        top: inches from the top edge to the first row.
        scale: from similarity to colour.
    """
    rows, columns = values.shape
    rectangle = place(figure, left=LEFT, top=top, width=columns * CELL, height=rows * CELL)
    axes = figure.add_axes(rectangle, label="similarity")
    axes.imshow(values, cmap=SEQUENTIAL, norm=scale, aspect="auto", interpolation="nearest")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.set_xticks([])
    for place_on in range(min(rows, columns)):
        axes.add_patch(
            Rectangle((place_on - 0.5, place_on - 0.5), 1, 1, fill=False, edgecolor="white", linewidth=2.5)
        )
        axes.add_patch(
            Rectangle((place_on - 0.5, place_on - 0.5), 1, 1, fill=False, edgecolor=PALETTE[2], linewidth=1.3)
        )
    if captions is not None:
        axes.set_xticks(range(columns), [_lines(caption) for caption in captions], rotation=90, fontsize=9)
        for tick in axes.get_xticklabels():
            tick.set_linespacing(1.0)  # three lines are as wide as a cell
    else:
        axes.set_xlabel("captions")
    if pictures is not None:
        for row, picture in enumerate(pictures):
            thumbnail = place(
                figure,
                left=LEFT - CELL - 0.03,
                top=top + row * CELL + 0.01,
                width=_THUMBNAIL,
                height=_THUMBNAIL,
            )
            draw_image(figure.add_axes(thumbnail, label="thumbnail"), picture)
    else:
        axes.set_ylabel("images")
    bar = figure.colorbar(
        ScalarMappable(scale, SEQUENTIAL),
        cax=figure.add_axes(
            place(
                figure,
                left=LEFT + columns * CELL + 0.15,
                top=top,
                width=0.13,
                height=max(_BAR_HEIGHT, min(2.4, rows * CELL)),
            ),
            label="scale",
        ),
    )
    bar.outline.set_visible(False)
    bar.set_label("cosine similarity")


def modality_gap(images_xy: Any, texts_xy: Any, *, gap: float, title: str | None = None) -> Figure:
    """Draw images and their captions as points of one plane, pairs joined, the way between the two means.

    Args:
        images_xy: Float "pair 2", where images lie in the plane.
        texts_xy: Float "pair 2", where their captions lie.
        gap: distance of the two means in the full space; written above the points.
        title: the figure's title.

    Returns:
        The figure, 6.5 inches wide.

    Raises:
        ValueError: wrong shapes, not as many images as captions, or a gap that is no length.
    """
    pictures = as_points(images_xy, name="modality_gap, images_xy", dimensions=(2,))
    texts = as_points(texts_xy, name="modality_gap, texts_xy", dimensions=(2,))
    if len(pictures) != len(texts):
        raise ValueError(f"modality_gap: {len(pictures)} images, but {len(texts)} captions; they are pairs.")
    if not 0 <= gap < np.inf:
        raise ValueError(f"modality_gap: gap is a distance, 0 or more, got {gap}.")
    width, height = np.ptp(np.concatenate([pictures, texts]), axis=0)
    with style():
        above = title_height(title, 6.5) + 1.3  # with the key and the label below
        shape = min(max(height / max(width, 1e-9), 0.3), 0.8)
        figure = new_figure(6.5, above + 5.5 * shape, layout="constrained")
        put_title(figure, title)
        axes = figure.subplots()
        for image, text in zip(pictures, texts, strict=True):
            axes.plot(*np.stack([image, text]).T, color=MUTED, linewidth=0.5, alpha=0.5, zorder=1)
        for name, points in (("images", pictures), ("captions", texts)):
            look = ROLES[name]
            axes.scatter(*points.T, s=18, marker=look.marker, color=look.colour, label=name, zorder=2)
        means = np.stack([pictures.mean(0), texts.mean(0)])
        told = f"gap between the means: {gap:.2f}"
        axes.plot(
            *means.T,
            color=INK,
            linewidth=2.5,
            marker="X",
            markersize=11,
            markeredgecolor="white",
            label=told,
            zorder=3,
        )
        axes.set(
            xlabel="first principal axis (units)", ylabel="second principal axis (units)", aspect="equal"
        )
        figure.legend(loc="outside lower center", ncols=3)
    return figure


def _checked(
    similarity: Any, images: Any, captions: Sequence[str] | None, *, name: str
) -> tuple[np.ndarray, np.ndarray | None]:
    values = as_array(similarity, name=f"{name}, similarity", shape=("image", "text"), kinds="f")
    if max(values.shape) > _MOST:
        raise ValueError(f"{name}: at most {_MOST} images and captions can be read, got {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: some similarities are NaN or infinite.")
    pictures = None if images is None else as_images(images, name=f"{name}, images")
    if pictures is not None and len(pictures) != values.shape[0]:
        raise ValueError(f"{name}: {len(pictures)} images for {values.shape[0]} rows.")
    if captions is not None and len(captions) != values.shape[1]:
        raise ValueError(f"{name}: {len(captions)} captions for {values.shape[1]} columns.")
    return values, pictures


def _lines(caption: str) -> str:
    # Three lines are as wide as a cell.
    return textwrap.fill(caption, max(_LINE, len(caption) // 3 + 6))
