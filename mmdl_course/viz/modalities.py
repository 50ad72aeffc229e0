"""One reality in all its modalities, side by side."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_images, to_numpy
from mmdl_course.viz.images import draw_image
from mmdl_course.viz.pictures import draw_box, draw_map, draw_mask
from mmdl_course.viz.style import INK, PALETTE, QUIET, new_figure, place, put_title, style, title_height

__all__ = ["modality_panels"]


_HEADING = 0.34  # inches above a picture
_SCALE = 0.6  # inches below a picture, where a map has its scale
_LINE = 0.24  # inches of a line of text
_PARAGRAPH = 0.14  # inches between paragraphs
_NAME_WIDTH = 1.25  # inches


def modality_panels(parts: Mapping[str, Any], *, title: str | None = None) -> Figure:
    """Draw each modality of one scene as what it is.

    Args:
        parts: name → modality. What it is decides how it is drawn:
            Float "3 height width", 0 … 1: an image;
            Float "height width": a map of distances, any unit; infinite or NaN where there is nothing;
            Int or Bool "height width": a mask, −1 … 9; −1 is no object, object i has the colour of box i;
            "boxes" (the name decides), "object 4": left, top, right, bottom in pixels, drawn on "image"; NaN
            where an object cannot be seen;
            str: a text; list of dicts with the same keys: a table.
        title: the figure's title.

    Returns:
        The figure, 9 inches wide: pictures above, texts and tables below.

    Raises:
        ValueError: a modality that cannot be drawn, or boxes without an image.
    """
    kinds = {name: _kind(name, part) for name, part in parts.items()}
    if "boxes" in kinds.values() and kinds.get("image") != "image":
        raise ValueError('modality_panels: "boxes" are drawn on "image", which is missing.')
    pictures = [name for name, kind in kinds.items() if kind in _PICTURES]
    texts = {name: textwrap.wrap(parts[name], width=88) for name, kind in kinds.items() if kind == "text"}
    tables = [name for name, kind in kinds.items() if kind == "table"]
    if not pictures:
        raise ValueError(f"modality_panels: there is no picture among {', '.join(parts) or 'nothing'}.")

    gap = 0.16
    side = min(9.0 / len(pictures) - gap, 3.0)
    head = title_height(title, 9.0)
    below = head + _HEADING + side + _SCALE  # where the texts begin, inches from the top
    lines = [*(len(text) for text in texts.values()), *(len(parts[name]) + 1 for name in tables)]
    with style():
        figure = new_figure(9.0, below + sum(count * _LINE + _PARAGRAPH for count in lines))
        put_title(figure, title)
        for index, name in enumerate(pictures):
            left, top = gap / 2 + index * (side + gap), head + _HEADING
            axes = figure.add_axes(place(figure, left=left, top=top, width=side, height=side))
            _PICTURES[kinds[name]](axes, parts, name)
            axes.set_title(name)
        for name, text in texts.items():
            below = _write(figure, name, [[line] for line in text], top=below)
        for name in tables:
            keys = list(parts[name][0])
            cells = [[_cell(row.get(key, "")) for key in keys] for row in parts[name]]
            below = _write(figure, name, [keys, *cells], top=below)
    return figure


def _kind(name: str, part: Any) -> str:
    if isinstance(part, str):
        return "text"
    if isinstance(part, Sequence) and part and all(isinstance(row, Mapping) for row in part):
        return "table"
    array = to_numpy(part)
    if name == "boxes":
        if array.ndim == 2 and array.shape[1] == 4:
            return "boxes"
    elif array.ndim == 3 and array.shape[0] == 3:
        return "image"
    elif array.ndim == 2 and array.dtype.kind == "f":
        return "map"
    elif array.ndim == 2 and array.dtype.kind in "iub":
        return "mask"
    raise ValueError(
        f"modality_panels: cannot draw '{name}', an array of {array.dtype} with shape {array.shape}. Images "
        'have shape (3, height, width), maps and masks (height, width), "boxes" (object, 4); a table is a '
        "list of dicts."
    )


def _draw_image(axes: Axes, parts: Mapping[str, Any], name: str) -> None:
    draw_image(axes, as_images(to_numpy(parts[name])[None], name=f"modality_panels, '{name}'")[0])


def _draw_boxes(axes: Axes, parts: Mapping[str, Any], name: str) -> None:
    _draw_image(axes, parts, "image")
    for index, box in enumerate(to_numpy(parts[name])):
        if not np.isnan(box).any():  # an object that cannot be seen
            draw_box(axes, box, colour=PALETTE[index % len(PALETTE)])


def _draw_map(axes: Axes, parts: Mapping[str, Any], name: str) -> None:
    draw_map(axes, to_numpy(parts[name]), unit="distance (units)")


def _draw_mask(axes: Axes, parts: Mapping[str, Any], name: str) -> None:
    draw_mask(axes, to_numpy(parts[name]), name=f"modality_panels: '{name}'")


_PICTURES = {"image": _draw_image, "boxes": _draw_boxes, "map": _draw_map, "mask": _draw_mask}


def _write(figure: Figure, name: str, rows: Sequence[Sequence[str]], *, top: float) -> float:
    """Write a name and beside it a text (one column) or a table (its keys first); return where it ends."""
    longest = np.array([max(map(len, cells)) + 2 for cells in zip(*rows, strict=True)])
    lefts = _NAME_WIDTH + (9.0 - _NAME_WIDTH) * np.cumsum([0, *longest[:-1]]) / max(longest.sum(), 80)
    for line, cells in enumerate([[name], *rows]):
        height = top + max(line - 1, 0) * _LINE
        for column, cell in enumerate(cells):
            left = 0.1 if line == 0 else float(lefts[column])
            x, y, *_ = place(figure, left=left, top=height, width=0.0, height=0.0)
            is_key = line == 1 and len(cells) > 1
            figure.text(
                x, y, cell, va="top", fontweight="bold" if line == 0 else None, color=QUIET if is_key else INK
            )
    return top + len(rows) * _LINE + _PARAGRAPH


def _cell(value: Any) -> str:
    value = value.item() if hasattr(value, "item") else value
    return f"{value:.2f}" if isinstance(value, float) else str(value)
