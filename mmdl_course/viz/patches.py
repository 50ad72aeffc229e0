"""What each patch of an image has to do with a word."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_array, as_images
from mmdl_course.viz.images import draw_image
from mmdl_course.viz.style import INK, PALETTE, SEQUENTIAL, new_figure, place, put_title, style, title_height

__all__ = ["patch_maps"]

_SIDE = 1.35  # inches of an image, at most
_GAP = 0.08
_LABEL = 1.5
_BAR = 1.0
_LINE = 0.22  # inches for a number below an image


def patch_maps(
    images: Any,
    maps: Mapping[str, Any],
    *,
    masks: Mapping[str, Any] | None = None,
    numbers: Mapping[str, Any] | None = None,
    unit: str = "cosine similarity",
    title: str | None = None,
) -> Figure:
    """Draw images, and under them for each word how much each patch is like it.

    Args:
        images: Float "image 3 height width", 0 … 1; at most five.
        maps: word → Float "image row column", in any unit; all words share one colour scale.
        masks: word → Bool "image height width", what the word means; outlined.
        numbers: word → Float "image", such as an intersection over union; written below.
        unit: what the maps count, at the colour scale.
        title: the figure's title.

    Returns:
        The figure, at most 9 inches wide.

    Raises:
        ValueError: wrong shapes, too many images, no words, a similarity that is no number, or masks or
            numbers of other words.
    """
    pictures = as_images(images, name="patch_maps, images")
    count, height, width = pictures.shape[:3]
    if not 1 <= count <= 5 or not maps:
        raise ValueError(f"patch_maps: 1 … 5 images and at least one word, got {count} and {len(maps)}.")
    values = {
        word: as_array(grid, name=f"patch_maps, '{word}'", shape=(count, "row", "column"), kinds="f")
        for word, grid in maps.items()
    }
    outlines, written = {}, {}
    for name, given, kept, shape, kinds in (
        ("masks", masks, outlines, (count, height, width), "b"),
        ("numbers", numbers, written, (count,), "f"),
    ):
        for word, array in (given or {}).items():
            if word not in values:
                raise ValueError(
                    f"patch_maps, {name}: '{word}' has no map; the words are {', '.join(values)}."
                )
            kept[word] = as_array(array, name=f"patch_maps, {name}, '{word}'", shape=shape, kinds=kinds)
    for word, grid in values.items():
        if not np.isfinite(grid).all():
            raise ValueError(f"patch_maps, '{word}': some similarities are NaN or infinite.")
    side = min(_SIDE, (9.0 - _LABEL - _BAR) / count - _GAP)
    low, high = (float(pick([pick(grid) for grid in values.values()])) for pick in (np.min, np.max))
    scale = Normalize(low, high if high > low else low + 1)
    step = side + _GAP + (_LINE if written else 0.0)
    across = _LABEL + count * (side + _GAP) + _BAR
    head = title_height(title, across) + 0.06  # inches above the images
    with style():
        figure = new_figure(across, head + (side + _GAP) + len(values) * step)
        put_title(figure, title)
        for column, picture in enumerate(pictures):
            left = _LABEL + column * (side + _GAP)
            panel = figure.add_axes(place(figure, left=left, top=head, width=side, height=side))
            draw_image(panel, picture)
            if column == 0:
                _label(panel, "image")
            for row, (word, grid) in enumerate(values.items()):
                top = head + side + _GAP + row * step
                panel = figure.add_axes(
                    place(figure, left=left, top=top, width=side, height=side), label=f"map {word}"
                )
                draw_image(panel, np.repeat(picture.mean(-1, keepdims=True), 3, axis=-1))
                panel.imshow(
                    grid[column],
                    cmap=SEQUENTIAL,
                    norm=scale,
                    alpha=0.65,
                    interpolation="nearest",
                    extent=(-0.5, width - 0.5, height - 0.5, -0.5),
                )
                if word in outlines and outlines[word][column].any():
                    panel.contour(outlines[word][column], levels=[0.5], colors=["white"], linewidths=[2.6])
                    panel.contour(outlines[word][column], levels=[0.5], colors=[PALETTE[2]], linewidths=[1.2])
                if word in written:
                    panel.set_xlabel(f"{written[word][column]:.2f}", fontsize=10, labelpad=2)
                if column == 0:
                    _label(panel, word)
        bar = figure.colorbar(
            ScalarMappable(scale, SEQUENTIAL),
            cax=figure.add_axes(
                place(
                    figure,
                    left=_LABEL + count * (side + _GAP) + 0.08,
                    top=head + side + _GAP,
                    width=0.13,
                    height=min(2.6, len(values) * step - 0.3),
                ),
                label="scale",
            ),
        )
        bar.outline.set_visible(False)
        bar.set_label(unit)
    return figure


def _label(axes: Any, text: str) -> None:
    axes.set_ylabel(
        textwrap.fill(text, 13), rotation=0, ha="right", va="center", fontweight="bold", labelpad=7, color=INK
    )
