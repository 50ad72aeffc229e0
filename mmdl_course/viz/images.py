"""Images in rows and columns."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_images, to_numpy
from mmdl_course.viz.style import INK, new_figure, place, put_title, style, title_height

__all__ = ["draw_image", "image_grid", "strip"]

_GAP = 0.07  # inches between images
_LINE = 0.24  # inches for a line of text above or below an image
_MARGIN = 0.06  # inches around everything


def image_grid(
    images: Any,
    *,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    title: str | None = None,
) -> Figure:
    """Draw images in a grid, row by row.

    Args:
        images: Float "image 3 height width" or "image height width" (grey), 0 … 1; numpy or torch.
        titles: one short line above each image.
        columns: images in a row; five to eight when not given.
        title: the figure's title.

    Returns:
        The figure, at most 9 inches wide.

    Raises:
        ValueError: wrong shape, values outside 0 … 1, or not as many titles as images.
    """
    pictures = as_images(images, name="image_grid")
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"image_grid: {len(titles)} titles for {len(pictures)} images; give one to each.")
    if columns is not None and columns < 1:
        raise ValueError(f"image_grid: columns must be 1 or more, got {columns}.")
    columns = min(columns or _even_columns(len(pictures)), len(pictures))
    rows = math.ceil(len(pictures) / columns)
    width = min((9.0 - 2 * _MARGIN) / columns - _GAP, 2.4)
    height = width * pictures.shape[1] / pictures.shape[2]
    above = _LINE if titles else 0.0
    across = 2 * _MARGIN + columns * (width + _GAP) - _GAP
    head = _MARGIN + title_height(title, across)
    with style():
        figure = new_figure(across, head + rows * (above + height + _GAP) - _GAP + _MARGIN)
        put_title(figure, title)
        for index, picture in enumerate(pictures):
            row, column = divmod(index, columns)
            left = _MARGIN + column * (width + _GAP)
            top = head + row * (above + height + _GAP) + above
            panel = figure.add_axes(place(figure, left=left, top=top, width=width, height=height))
            draw_image(panel, picture)
            if titles is not None:
                panel.set_title(titles[index], fontsize=10, fontweight="normal", pad=3)
    return figure


def strip(
    rows: Mapping[str, Any],
    *,
    numbers: Mapping[str, Any] | None = None,
    number_format: str = "{:.2f}",
    columns: Sequence[str] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw rows of images under each other to compare them column by column.

    For example the way through z above the way through x from the same image to the same image.

    Args:
        rows: label of the row → Float "image 3 height width" or "image height width", 0 … 1; as many images
            in each row.
        numbers: label of the row → one number for each image, written under it (a distance, a score).
        number_format: how a number is written.
        columns: one short line above each column.
        title: the figure's title.

    Returns:
        The figure, 9 inches wide unless there are few images.

    Raises:
        ValueError: wrong shapes, values outside 0 … 1, rows of different length, or numbers without a row.
    """
    pictures, notes = _checked_rows(rows, numbers or {}, columns)
    length = len(next(iter(pictures.values())))
    label_width = 1.45
    width = (9.0 - label_width) / max(length, 4) - _GAP
    heights = {label: width * row.shape[1] / row.shape[2] for label, row in pictures.items()}
    across = label_width + length * (width + _GAP)
    tops, bottom = {}, title_height(title, across) + (_LINE if columns else 0.0) + _MARGIN
    for label, height in heights.items():
        tops[label] = bottom
        bottom += height + (_LINE + _GAP if label in notes else _GAP)
    with style():
        figure = new_figure(across, bottom)
        put_title(figure, title)
        for label, row in pictures.items():
            for index, picture in enumerate(row):
                left = label_width + index * (width + _GAP)
                panel = figure.add_axes(
                    place(figure, left=left, top=tops[label], width=width, height=heights[label])
                )
                draw_image(panel, picture)
                if label in notes:
                    panel.set_xlabel(number_format.format(notes[label][index]), fontsize=10, labelpad=3)
                if columns is not None and label == next(iter(pictures)):
                    panel.set_title(columns[index], fontsize=10, fontweight="normal", pad=4)
                if index == 0:
                    panel.set_ylabel(
                        textwrap.fill(label, 13),
                        rotation=0,
                        ha="right",
                        va="center",
                        fontweight="bold",
                        labelpad=7,
                    )
    return figure


def draw_image(axes: Axes, image: np.ndarray) -> None:
    """Draw one image "height width 3" with a hairline around it and without ticks."""
    axes.imshow(image, vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=INK, linewidth=0.4)


def _checked_rows(
    rows: Mapping[str, Any], numbers: Mapping[str, Any], columns: Sequence[str] | None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    if not rows:
        raise ValueError("strip: there are no rows to draw.")
    pictures = {label: as_images(images, name=f"strip, row '{label}'") for label, images in rows.items()}
    lengths = {label: len(row) for label, row in pictures.items()}
    length = next(iter(lengths.values()))
    if set(lengths.values()) != {length}:
        raise ValueError(f"strip: every row needs as many images as the others, got {lengths}.")
    if columns is not None and len(columns) != length:
        raise ValueError(f"strip: {len(columns)} column titles for {length} columns.")
    notes = {label: to_numpy(values) for label, values in numbers.items()}
    for label, values in notes.items():
        if label not in pictures:
            raise ValueError(f"strip: numbers for '{label}', but the rows are {', '.join(pictures)}.")
        if values.shape != (length,):
            raise ValueError(f"strip: numbers of '{label}': expected shape ({length},), got {values.shape}.")
    return pictures, notes


def _even_columns(count: int) -> int:
    # Up to eight in one row; else the widest of 5 … 8 columns that leaves the fewest gaps in the last row.
    return count if count <= 8 else min(range(8, 4, -1), key=lambda columns: -count % columns)
