"""Images in rows and columns."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_images, to_numpy
from mmdl_course.viz.style import INK, new_figure, style

__all__ = ["draw_image", "image_grid", "strip"]


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
        columns: images in a row; at most eight when not given.
        title: the figure's title.

    Returns:
        The figure, 9 inches wide unless there are few images.

    Raises:
        ValueError: wrong shape, values outside 0 … 1, or as many titles as images is not met.
    """
    pictures = as_images(images, name="image_grid")
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"image_grid: {len(titles)} titles for {len(pictures)} images; give one to each.")
    if columns is None:
        columns = min(len(pictures), 8) if len(pictures) <= 8 else _even_columns(len(pictures))
    if columns < 1:
        raise ValueError(f"image_grid: columns must be 1 or more, got {columns}.")
    columns = min(columns, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    cell = min(9.0 / columns, 2.4)
    height = cell * pictures.shape[1] / pictures.shape[2] + (0.3 if titles else 0.0)
    with style():
        figure = new_figure(cell * columns, height * rows + (0.45 if title else 0.0))
        figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
        if title:
            figure.suptitle(title)
        axes = figure.subplots(rows, columns, squeeze=False).flat
        for index, panel in enumerate(axes):
            if index < len(pictures):
                draw_image(panel, pictures[index])
                if titles is not None:
                    panel.set_title(titles[index], fontsize=10, fontweight="normal", pad=3)
            else:
                panel.remove()
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
        rows: label of the row → Float "image 3 height width" or "image height width", 0 … 1; as many images in
            each row.
        numbers: label of the row → one number for each image, written under it (a distance, a score).
        number_format: how a number is written.
        columns: one short line above each column.
        title: the figure's title.

    Returns:
        The figure, 9 inches wide.

    Raises:
        ValueError: wrong shapes, values outside 0 … 1, rows of different length, or numbers without a row.
    """
    if not rows:
        raise ValueError("strip: there are no rows to draw.")
    pictures = {label: as_images(images, name=f"strip, row '{label}'") for label, images in rows.items()}
    lengths = {label: len(row) for label, row in pictures.items()}
    length = next(iter(lengths.values()))
    if set(lengths.values()) != {length}:
        raise ValueError(f"strip: every row needs as many images as the others, got {lengths}.")
    if columns is not None and len(columns) != length:
        raise ValueError(f"strip: {len(columns)} column titles for {length} columns.")
    notes = {label: to_numpy(values) for label, values in (numbers or {}).items()}
    for label, values in notes.items():
        if label not in pictures:
            raise ValueError(f"strip: numbers for '{label}', but the rows are {', '.join(pictures)}.")
        if values.shape != (length,):
            raise ValueError(f"strip: numbers of '{label}': expected shape ({length},), got {values.shape}.")

    label_width = 1.5
    cell = (9.0 - label_width) / max(length, 4)
    heights = [
        cell * row.shape[1] / row.shape[2] + (0.26 if label in notes else 0.06)
        for label, row in pictures.items()
    ]
    with style():
        figure = new_figure(
            label_width + cell * length, sum(heights) + (0.3 if columns else 0.0) + (0.45 if title else 0.0)
        )
        figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02)
        if title:
            figure.suptitle(title)
        grid = figure.subplots(len(pictures), length, squeeze=False, height_ratios=heights)
        for panels, (label, row) in zip(grid, pictures.items(), strict=True):
            for index, panel in enumerate(panels):
                draw_image(panel, row[index])
                if label in notes:
                    panel.set_xlabel(number_format.format(notes[label][index]), fontsize=10, labelpad=3)
            panels[0].set_ylabel(
                label, rotation=0, ha="right", va="center", fontsize=11, fontweight="bold", labelpad=8
            )
        if columns is not None:
            for panel, heading in zip(grid[0], columns, strict=True):
                panel.set_title(heading, fontsize=10, fontweight="normal", pad=4)
    return figure


def draw_image(axes: Axes, image: np.ndarray) -> None:
    """Draw one image "height width 3" with a hairline around it and without ticks."""
    axes.imshow(image, vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=INK, linewidth=0.4)


def _even_columns(count: int) -> int:
    # The widest of 5 … 8 columns that leaves the fewest gaps in the last row.
    return min(range(8, 4, -1), key=lambda columns: -count % columns)
