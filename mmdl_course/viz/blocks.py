"""Pages put together from blocks of known size, beside and below each other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text
from matplotlib.textpath import text_to_path

from mmdl_course.viz.style import ACCENT, INK, PALETTE, QUIET, place

__all__ = [
    "Block",
    "below",
    "beside",
    "headed",
    "panel",
    "table_block",
    "text_block",
    "write",
    "write_behind",
]

_LINE = 0.185  # inches from line to line of a text
_HEADING = 0.25  # inches that a block's heading takes
_SIZE = 9.0  # points of a text's letters


@dataclass(frozen=True)
class Block:
    """Part of a page.

    Attributes:
        width: inches.
        height: inches.
        draw: puts it onto a figure; takes the figure and the inches from its left and its top edge.
    """

    width: float
    height: float
    draw: Callable[[Figure, float, float], None]


def beside(blocks: Iterable[Block | None], *, gap: float) -> Block | None:
    """Blocks from left to right, their tops in line; None where nothing is left to show."""
    shown = [block for block in blocks if block is not None]
    if not shown:
        return None

    def draw(figure: Figure, left: float, top: float) -> None:
        for block in shown:
            block.draw(figure, left, top)
            left += block.width + gap

    width = sum(block.width for block in shown) + gap * (len(shown) - 1)
    return Block(width, max(block.height for block in shown), draw)


def below(blocks: Iterable[Block | None], *, gap: float) -> Block | None:
    """Blocks from top to bottom, their left sides in line; None where nothing is left to show."""
    shown = [block for block in blocks if block is not None]
    if not shown:
        return None

    def draw(figure: Figure, left: float, top: float) -> None:
        for block in shown:
            block.draw(figure, left, top)
            top += block.height + gap

    height = sum(block.height for block in shown) + gap * (len(shown) - 1)
    return Block(max(block.width for block in shown), height, draw)


def headed(block: Block, heading: str, finding: str = "") -> Block:
    """A block below its heading: in bold what it is, then what to see in it."""

    def draw(figure: Figure, left: float, top: float) -> None:
        name = write(figure, heading, left=left, top=top, size=10.5, bold=True)
        if finding:
            write_behind(figure, name, finding, size=9.5)
        block.draw(figure, left, top + _HEADING)

    return Block(block.width, _HEADING + block.height, draw)


def panel(
    width: float, height: float, draw: Callable[[Axes], None], *, space: bool = False, margin: float = 0.0
) -> Block:
    """A block that is one panel.

    Args:
        width: inches.
        height: inches.
        draw: draws on the panel's axes.
        space: whether the axes have three dimensions.
        margin: inches to leave below the axes.
    """

    def put(figure: Figure, left: float, top: float) -> None:
        rectangle = place(figure, left=left, top=top, width=width, height=height)
        draw(figure.add_axes(rectangle, projection="3d" if space else None))

    return Block(width, height + margin, put)


def write(
    figure: Figure,
    text: str,
    *,
    left: float,
    top: float,
    size: float = _SIZE,
    bold: bool = False,
    colour: str = INK,
) -> Text:
    """Write one line with its upper left corner at a place given in inches."""
    x, y, *_ = place(figure, left=left, top=top, width=0.0, height=0.0)
    weight = "bold" if bold else "normal"
    return figure.text(x, y, text, ha="left", va="top", fontsize=size, fontweight=weight, color=colour)


def write_behind(
    figure: Figure, text: Text, more: str, *, size: float = _SIZE, bold: bool = False, colour: str = INK
) -> None:
    """Go on in the same line as a text, however wide that is, in another look."""
    behind = {"xycoords": text, "xytext": (5, 0), "textcoords": "offset points", "va": "bottom"}
    weight = "bold" if bold else "normal"
    figure.add_artist(Annotation(more, (1, 0), **behind, fontsize=size, fontweight=weight, color=colour))


def text_block(texts: Sequence[tuple[str, str, str]], *, width: float, column: float = 0.0) -> Block:
    """Texts below each other, broken into lines.

    Args:
        texts: name (written to the left), text, and what stands out behind it; each may be "".
        width: inches.
        column: inches for the names.
    """
    rows = []
    for name, text, answer in texts:
        lines = _wrap(text, width=width - column)
        if answer and _width(f"{lines[-1]}  {answer}") > width - column:
            lines.append("")
        names = [name, *[""] * (len(lines) - 1)]
        answers = [*[""] * (len(lines) - 1), answer]
        rows += zip(names, lines, answers, strict=True)

    def draw(figure: Figure, left: float, top: float) -> None:
        for number, (name, line, answer) in enumerate(rows):
            y = top + number * _LINE
            write(figure, name, left=left, top=y, colour=QUIET)
            text = write(figure, line, left=left + column, top=y)
            if answer and not line:
                write(figure, answer, left=left + column, top=y, bold=True, colour=ACCENT)
            elif answer:
                write_behind(figure, text, answer, bold=True, colour=ACCENT)

    return Block(width, len(rows) * _LINE, draw)


def table_block(rows: Sequence[Mapping[str, Any]], *, width: float) -> Block:
    """A table of objects, each with its number and the colour of its box.

    Args:
        rows: one dict for each object, all with the same keys.
        width: inches.
    """
    cells = [[_cell(value) for value in row.values()] for row in rows]
    lines = [list(rows[0]), *cells]
    longest = np.array([max(map(len, column)) + 2.0 for column in zip(*lines, strict=True)])
    starts = 0.3 + (width - 0.3) * np.cumsum([0, *longest[:-1]]) / longest.sum()

    def draw(figure: Figure, left: float, top: float) -> None:
        for number, line in enumerate(lines):
            y = top + number * _LINE
            if number:
                x, bottom, *size = place(figure, left=left, top=y + 0.02, width=0.1, height=0.1)
                colour = PALETTE[(number - 1) % len(PALETTE)]
                figure.add_artist(Rectangle((x, bottom), *size, color=colour, transform=figure.transFigure))
                write(figure, str(number - 1), left=left + 0.15, top=y, bold=True)
            for start, cell in zip(starts, line, strict=True):
                write(figure, cell, left=left + float(start), top=y, colour=INK if number else QUIET)

    return Block(width, len(lines) * _LINE, draw)


def _wrap(text: str, *, width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and _width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _width(text: str) -> float:
    """Inches that a text takes at most from 96 dpi up, where letters are rounded to whole pixels."""
    points, *_ = text_to_path.get_text_width_height_descent(text, FontProperties(size=_SIZE), ismath=False)
    return 1.06 * points / 72


def _cell(value: Any) -> str:
    value = value.item() if hasattr(value, "item") else value
    return f"{value:.2f}".replace("-", "−") if isinstance(value, float) else str(value)
