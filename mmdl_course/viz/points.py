"""Clouds of points on axes: what `scatter` and `paths` have in common."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import proj3d

from mmdl_course.viz.arrays import as_points
from mmdl_course.viz.colours import Coding
from mmdl_course.viz.style import MUTED, new_figure, place, put_title, title_height

__all__ = ["VIEW", "checked_panels", "draw_points", "panel_axes", "refuse_strangers", "set_heading"]

VIEW = (12.0, -72.0)  # elevation and azimuth of the eye in 3-D panels, in degrees
_GAP = 0.14  # inches between panels

Shapes = Sequence[tuple[str, Bool[np.ndarray, " n"]]]


def checked_panels(
    panels: Mapping[str, Any], *, name: str, dimensions: tuple[int, ...]
) -> dict[str, Float[np.ndarray, "..."]]:
    """Check every panel's points; a message names the panel."""
    if not panels:
        raise ValueError(f"{name}: there are no panels to draw.")
    return {
        heading: as_points(points, name=f"{name}, panel '{heading}'", dimensions=dimensions)
        for heading, points in panels.items()
    }


def refuse_strangers(given: Mapping[str, Any], panels: Mapping[str, Any], *, name: str) -> None:
    """Refuse what belongs to no panel: most likely a title was misspelt."""
    for heading in given:
        if heading not in panels:
            raise ValueError(f"{name} for '{heading}', but the panels are {', '.join(panels)}.")


def panel_axes(
    clouds: Mapping[str, np.ndarray],
    *,
    coding: Coding | None,
    columns: int | None = None,
    title: str | None = None,
    scored: bool = False,
    footer: float = 0.0,
    largest: float = 5.0,
) -> tuple[Figure, list[Axes]]:
    """Make a figure with one square panel for each cloud and the key to its colours.

    Args:
        clouds: heading → points; points with three coordinates get a panel in space.
        coding: the colours that the panels share; None if there is no key to draw.
        columns: panels in a row; at most four when not given.
        title: the figure's title.
        scored: leave room for scores below the headings.
        footer: inches to leave at the bottom.
        largest: largest side of a panel in inches.

    Returns:
        The figure and its panels.
    """
    columns = min(columns or 4, len(clouds))
    rows = math.ceil(len(clouds) / columns)
    key_width = coding.key_width if coding else 0.0
    side = min((9.0 - key_width) / columns - _GAP, largest)
    heading = 0.54 if scored else 0.34
    width = columns * (side + _GAP) + key_width
    head = title_height(title, width)
    body = rows * (heading + side + _GAP)
    figure = new_figure(width, head + body + footer)
    put_title(figure, title)
    axes = []
    for index, points in enumerate(clouds.values()):
        row, column = divmod(index, columns)
        rectangle = place(
            figure,
            left=_GAP / 2 + column * (side + _GAP),
            top=head + row * (heading + side + _GAP) + heading,
            width=side,
            height=side,
        )
        axes.append(figure.add_axes(rectangle, projection="3d" if points.shape[1] == 3 else None))
    if coding:
        coding.draw_key(
            figure, left=columns * (side + _GAP), top=head + heading, height=body - heading - _GAP
        )
    return figure, axes


def set_heading(axes: Axes, heading: str, *, score: str | None) -> None:
    """Put a panel's title and, below it, its score; an empty score ("") keeps the room of one."""
    axes.set_title(heading, pad=6 if score is None else 22)
    axes.title.set_y(1.0)  # mplot3d moves it into the panel
    if score:
        axes.annotate(
            score,
            (0.5, 1),
            xytext=(0, 7),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            fontsize=10,
        )


def draw_points(
    axes: Axes,
    points: Float[np.ndarray, "n dim"],
    rgba: Float[np.ndarray, "n 4"],
    *,
    view: tuple[float, float] = VIEW,
    shapes: Shapes = (),
) -> None:
    """Draw a cloud with 1, 2 or 3 dimensions; the scale is the same in all directions and has no ticks.

    Args:
        axes: where to.
        points: any unit.
        rgba: their colours.
        view: elevation and azimuth of the eye in 3-D panels, in degrees.
        shapes: marker and which points have it, as `Coding.shapes`; dots when not given.
    """
    shapes = shapes or [("o", np.ones(len(points), dtype=bool))]
    side = axes.get_position().width * axes.figure.get_figwidth()
    # In square points: a panel is neither bare nor full.
    size = float(np.clip(5500 * side / len(points), 3, 30))
    if points.shape[1] == 3:
        _draw_in_space(axes, points, rgba, size=size, view=view, shapes=shapes)
        return
    if points.shape[1] == 1:
        points = np.column_stack([points[:, 0], _sideways(points[:, 0])])  # (n, 2)
    for marker, mask in shapes:
        axes.scatter(*points[mask].T, c=rgba[mask], s=size, linewidths=0, marker=marker)
    axes.set(xticks=[], yticks=[])
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[:].set(visible=True, color=MUTED, linewidth=0.6)


def _draw_in_space(
    axes: Axes,
    points: Float[np.ndarray, "n 3"],
    rgba: Float[np.ndarray, "n 4"],
    *,
    size: float,
    view: tuple[float, float],
    shapes: Shapes,
) -> None:
    elevation, azimuth = np.radians(view)
    eye = [
        math.cos(elevation) * math.cos(azimuth),
        math.cos(elevation) * math.sin(azimuth),
        math.sin(elevation),
    ]
    nearness = points @ np.array(eye)
    far = (nearness.max() - nearness) / (np.ptp(nearness) or 1.0)  # 0 nearest … 1 farthest
    # What lies behind fades towards the panel, as in haze: a still picture has no other cue for depth.
    haze = 0.6 * far[:, None] * (1, 1, 1, 0)
    hazy = rgba * (1 - haze) + haze  # (n, 4)
    for marker, mask in shapes:
        axes.scatter(*points[mask].T, c=hazy[mask], s=size, linewidths=0, depthshade=False, marker=marker)
    axes.set_axis_off()
    axes.view_init(*view)
    axes.computed_zorder = False  # ways stay in front of the points they run over
    low, extent = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-9)
    axes.set(xlim3d=(low[0], low[0] + extent[0]), ylim3d=(low[1], low[1] + extent[1]))
    axes.set(zlim3d=(low[2], low[2] + extent[2]))
    axes.set_box_aspect(extent)
    # mplot3d leaves room for axes on all sides; there are none here, so fill the panel with the points.
    x, y, _ = proj3d.proj_transform(*points.T, axes.get_proj())
    seen = (axes.transData + axes.transAxes.inverted()).transform(np.column_stack([x, y]))
    axes.set_box_aspect(extent, zoom=0.46 / np.abs(seen - 0.5).max())


def _sideways(positions: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    # The golden-ratio sequence spreads points evenly without a random generator.
    width = 0.12 * (np.ptp(positions) or 1.0)
    return width * ((np.arange(len(positions)) * 0.6180339887498949) % 1.0)
