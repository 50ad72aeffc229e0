"""What is known of a picture, drawn on it or beside it: boxes, maps of distances, masks."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int, Shaped
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgba
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from mmdl_course.viz.style import HALO, INK, NOTHING, PALETTE, SEQUENTIAL

__all__ = ["draw_box", "draw_map", "draw_mask"]


def draw_box(axes: Axes, box: Float[np.ndarray, "4"], *, colour: str) -> None:
    """Frame a part of the picture that the axes show.

    Args:
        axes: with the picture.
        box: left, top, right, bottom in pixels, of which the first covers 0 … 1.
        colour: of the frame; it has a white seam on both sides.
    """
    left, top, right, bottom = box
    # Pixel i covers i − ½ … i + ½ on matplotlib's axes, i … i + 1 in the box's coordinates.
    corner, size = (left - 0.5, top - 0.5), (right - left, bottom - top)
    axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor="white", linewidth=4))
    axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, linewidth=2))


def draw_map(
    axes: Axes, values: Float[np.ndarray, "height width"], *, unit: str = "", label_size: float = 9.0
) -> None:
    """Draw a map of distances, near bright, with its scale below.

    Args:
        axes: where to draw.
        values: in any unit; infinite or NaN where there is nothing.
        unit: written below the scale.
        label_size: of what is written at the scale, points.
    """
    colours = SEQUENTIAL.reversed().with_extremes(bad=NOTHING)
    picture = axes.imshow(
        np.ma.masked_invalid(values.astype(np.float64)), cmap=colours, interpolation="nearest"
    )
    _frame(axes)
    # Inside the figure, below the picture: pictures stay in line.
    inch = 1 / (axes.get_position().height * axes.figure.get_figheight())
    scale = axes.inset_axes((0.1, -0.13 * inch, 0.8, 0.07 * inch))
    bar = axes.figure.colorbar(picture, cax=scale, orientation="horizontal")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=label_size)
    bar.set_label(unit, fontsize=label_size, labelpad=1)


def draw_mask(
    axes: Axes,
    mask: Shaped[np.ndarray, "height width"],
    *,
    name: str,
    labels: Sequence[str] | None = None,
    label_size: float = 11.0,
) -> None:
    """Draw a mask and write on each part of it which it is.

    Args:
        axes: where to draw.
        mask: whole numbers −1 … 9, of which −1 is nothing and i has the colour of box i; or truth values.
        name: what the caller calls it; appears in the message.
        labels: what to write on part i; i itself when not given.
        label_size: points.

    Raises:
        ValueError: other numbers, or no label for one of them.
    """
    parts = np.where(mask, 0, -1) if mask.dtype == bool else mask.astype(np.int64)
    if parts.min() < -1 or parts.max() >= len(PALETTE):
        raise ValueError(
            f"{name} must number the objects 0 … {len(PALETTE) - 1} and mark what is none with -1, got "
            f"{parts.min()} … {parts.max()}."
        )
    if labels is not None and parts.max() >= len(labels):
        raise ValueError(f"{name} holds the number {parts.max()}, but there are {len(labels)} labels.")
    colours = ListedColormap([to_rgba(NOTHING), *(to_rgba(shade) for shade in PALETTE)])
    axes.imshow(parts, cmap=colours, vmin=-1.5, vmax=len(PALETTE) - 0.5, interpolation="nearest")
    _frame(axes)
    middle = np.nonzero(parts >= 0)[0].mean() if (parts >= 0).any() else 0.0
    for number in np.unique(parts[parts >= 0]):
        rows, columns = np.nonzero(parts == number)
        text = axes.text(
            np.median(columns),
            np.median(rows),
            str(number) if labels is None else labels[number],
            ha="center",
            va="center",
            fontsize=label_size,
            fontweight="bold",
            path_effects=HALO,
        )
        _keep_clear(text, rows, columns, above=bool(np.median(rows) < middle))


def _keep_clear(
    text: Text, rows: Int[np.ndarray, " pixel"], columns: Int[np.ndarray, " pixel"], *, above: bool
) -> None:
    """Move a text that would hide its part above or below it; and sideways into the panel."""
    panel, box = text.axes.get_window_extent(), text.get_window_extent()
    across = np.ptp(text.axes.get_xlim()) / panel.width  # the picture's pixels in one of the screen's
    if box.width * across > np.ptp(columns) + 1:
        y, va = (rows.min() - 0.5, "bottom") if above else (rows.max() + 0.5, "top")
        text.set(y=y, va=va)
    shift = max(panel.x0 + 3 - box.x0, 0) - max(box.x1 + 3 - panel.x1, 0)
    text.set_x(text.get_position()[0] + shift * across)


def _frame(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=INK, linewidth=0.4)
