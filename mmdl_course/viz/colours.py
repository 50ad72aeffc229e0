"""From labels or numbers to point colours, the same in every panel of a figure."""

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mmdl_course.viz.arrays import to_numpy
from mmdl_course.viz.style import ACCENT, CYCLIC, LOOKS, PALETTE, SEQUENTIAL, Look, place

__all__ = ["Coding", "code"]

_LETTER = 0.1  # inches of a letter of a colour bar's label, at most


@dataclass(frozen=True)
class Coding:
    """How values became colours: what a legend or a colour bar has to say."""

    rgba: np.ndarray  # (n, 4)
    label: str | None
    categories: dict[str, Look]  # empty for numbers on a scale
    members: dict[str, np.ndarray]  # name → mask of its points
    scale: tuple[Normalize, Colormap] | None

    @property
    def shapes(self) -> list[tuple[str, Bool[np.ndarray, " n"]]]:
        """Markers, and the points that have each: what has a colour of its own has a shape of its own."""
        if not self.members:
            return [("o", np.ones(len(self.rgba), dtype=bool))]
        return [(self.categories[name].marker, mask) for name, mask in self.members.items()]

    @property
    def key_width(self) -> float:
        """Inches that the legend or colour bar takes."""
        if self.scale is not None:
            return 1.0
        if not self.categories:
            return 0.0
        return 0.5 + 0.09 * max(len(name) for name in (*self.categories, self.label or ""))

    def draw_key(self, figure: Figure, *, left: float, top: float, height: float) -> None:
        """Draw the legend or the colour bar, if there is anything to say, into a place given in inches."""
        if self.scale is not None:
            shorter = min(0.8 * height, 3.0)
            top += (height - shorter) / 2
            bar = figure.colorbar(
                ScalarMappable(*self.scale),
                cax=figure.add_axes(place(figure, left=left + 0.12, top=top, width=0.13, height=shorter)),
            )
            bar.outline.set_visible(False)
            if self.label:
                bar.set_label(textwrap.fill(self.label, max(8, int(height / _LETTER))))
        elif self.categories:
            x, y, *_ = place(figure, left=left, top=top + height / 2, width=0.0, height=0.0)
            handles = [
                Line2D([], [], marker=look.marker, linestyle="", markersize=7, color=look.colour, label=name)
                for name, look in self.categories.items()
            ]
            figure.legend(
                handles=handles,
                loc="center left",
                bbox_to_anchor=(x, y),
                title=self.label,
                handletextpad=0.2,
                labelspacing=0.35,
                borderaxespad=0,
            )


def code(colour: Any, *, count: int, label: str | None, cyclic: bool, name: str) -> Coding:
    """Give each of `count` points a colour.

    Args:
        colour: None, or one value for each point. Integers, booleans and strings are categories (at most
            ten); floats are numbers on a scale.
        count: number of points.
        label: what the colour means.
        cyclic: the scale's ends meet, as angles do.
        name: the caller, for messages.

    Returns:
        Colours and what a legend needs.

    Raises:
        ValueError: not one value for each point, more than ten categories, or numbers that are not finite.
    """
    if colour is None:
        return Coding(np.tile(to_rgba(ACCENT), (count, 1)), None, {}, {}, None)
    values = to_numpy(colour)
    if values.shape != (count,):
        raise ValueError(
            f"{name}: colour needs one value for each of the {count} points, got shape {values.shape}."
        )
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise ValueError(f"{name}: some colour values are NaN or infinite.")
        norm, colormap = Normalize(float(values.min()), float(values.max())), CYCLIC if cyclic else SEQUENTIAL
        return Coding(colormap(norm(values)), label, {}, {}, (norm, colormap))
    names = np.unique(values)
    if len(names) > len(PALETTE):
        raise ValueError(
            f"{name}: {len(names)} categories, but only {len(PALETTE)} colours can be told apart. "
            "Group them, or pass floats to colour on a scale."
        )
    members = {str(value): values == value for value in names}
    categories = dict(zip(members, LOOKS, strict=False))
    rgba = np.empty((count, 4))
    for category, mask in members.items():
        rgba[mask] = to_rgba(categories[category].colour)
    return Coding(rgba, label, categories, members, None)
