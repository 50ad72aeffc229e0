"""Manifolds and their embeddings as points, side by side, in shared colours."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from mmdl_course.viz.arrays import as_points, as_steps
from mmdl_course.viz.colours import Coding, code
from mmdl_course.viz.points import (
    VIEW,
    checked_panels,
    draw_points,
    panel_axes,
    refuse_strangers,
    set_heading,
)
from mmdl_course.viz.style import HALO, INK, PALETTE, style

__all__ = ["WAYS", "paths_3d", "scatter_3d", "scatter_panels"]

# Ways are told apart by colour and by dashes.
WAYS = ((PALETTE[2], "-"), (INK, (0, (2.2, 1.2))), (PALETTE[4], "-."), (PALETTE[0], ":"))


def scatter_3d(
    points: Any,
    *,
    title: str,
    colour: Any = None,
    colour_label: str | None = None,
    cyclic: bool = False,
    view: tuple[float, float] = VIEW,
) -> Figure:
    """Draw one cloud of points in space.

    Args:
        points: Float "n 3".
        title: what it is.
        colour: one value for each point: floats are a scale, integers and strings categories (at most ten).
        colour_label: what the colour means.
        cyclic: the colour scale's ends meet, as angles do.
        view: elevation and azimuth of the eye in degrees.

    Returns:
        The figure, at most 6 inches wide.

    Raises:
        ValueError: wrong shapes or values that are not finite.
    """
    return scatter_panels(
        {title: as_points(points, name=f"scatter_3d, '{title}'", dimensions=(3,))},
        colour=colour,
        colour_label=colour_label,
        cyclic=cyclic,
        view=view,
    )


def scatter_panels(
    panels: Mapping[str, Any],
    *,
    colour: Any = None,
    colour_label: str | None = None,
    cyclic: bool = False,
    scores: Mapping[str, str] | None = None,
    columns: int | None = None,
    title: str | None = None,
    view: tuple[float, float] = VIEW,
) -> Figure:
    """Draw several clouds of points side by side; panels with 1, 2 and 3 dimensions may be mixed.

    Args:
        panels: title of the panel → Float "n 1", "n 2" or "n 3". A panel with one dimension is drawn along a
            line, with the points spread sideways so that they can be seen.
        colour: one value for each point, the same in all panels: floats are a scale, integers and strings
            categories (at most ten).
        colour_label: what the colour means.
        cyclic: the colour scale's ends meet, as angles do.
        scores: title of the panel → a line under its title, such as "trustworthiness 0.98".
        columns: panels in a row; at most four when not given.
        title: the figure's title.
        view: elevation and azimuth of the eye in 3-D panels, in degrees.

    Returns:
        The figure, at most 9 inches wide.

    Raises:
        ValueError: wrong shapes, values that are not finite, or a score without a panel.
    """
    clouds = checked_panels(panels, name="scatter_panels", dimensions=(1, 2, 3))
    refuse_strangers(scores or {}, clouds, name="scatter_panels: score")
    counts = {heading: len(points) for heading, points in clouds.items()}
    if colour is not None and len(set(counts.values())) > 1:
        raise ValueError(
            "scatter_panels: the panels share one colour for each point, so all need as many points; got "
            f"{counts}."
        )
    coding = code(
        colour, count=max(counts.values()), label=colour_label, cyclic=cyclic, name="scatter_panels"
    )
    with style():
        figure, axes = panel_axes(clouds, coding=coding, columns=columns, title=title, scored=bool(scores))
        for panel, (heading, points) in zip(axes, clouds.items(), strict=True):
            draw_points(
                panel,
                points,
                coding.rgba[: len(points)],
                view=view,
                shapes=coding.shapes if coding.members else (),
            )
            set_heading(panel, heading, score=scores.get(heading, "") if scores else None)
            if points.shape[1] == 2:
                _name_categories(panel, points, coding)
    return figure


def paths_3d(
    panels: Mapping[str, Any],
    *,
    paths: Mapping[str, Mapping[str, Any]],
    colour: Mapping[str, Any] | None = None,
    columns: int | None = None,
    title: str | None = None,
    view: tuple[float, float] = VIEW,
) -> Figure:
    """Draw ways over manifolds, such as the geodesic and the chord between two points.

    Args:
        panels: title of the panel → Float "n 3" (or "n 2": a map), the manifold's points.
        paths: title of the panel → {what the way is called → its points, Float "step 3" or "step 2"}. A name
            has the same colour and line in all panels; at most four names.
        colour: title of the panel → Float "n", a scale for the manifold's points; grey when not given.
        columns: panels in a row; at most four when not given.
        title: the figure's title.
        view: elevation and azimuth of the eye in degrees.

    Returns:
        The figure, at most 9 inches wide.

    Raises:
        ValueError: wrong shapes, paths without a panel, or too many names.
    """
    clouds = checked_panels(panels, name="paths_3d", dimensions=(2, 3))
    shades = colour or {}
    refuse_strangers(paths, clouds, name="paths_3d: paths")
    refuse_strangers(shades, clouds, name="paths_3d: colour")
    names = list(dict.fromkeys(name for ways in paths.values() for name in ways))
    if len(names) > len(WAYS):
        raise ValueError(f"paths_3d: at most {len(WAYS)} names of ways can be told apart, got {names}.")
    looks = dict(zip(names, WAYS, strict=False))
    with style():
        figure, axes = panel_axes(clouds, coding=None, columns=columns, title=title, footer=0.4)
        handles = {}
        for panel, (heading, points) in zip(axes, clouds.items(), strict=True):
            draw_points(panel, points, _pale(shades.get(heading), len(points), heading), view=view)
            set_heading(panel, heading, score=None)
            for name, way in paths.get(heading, {}).items():
                steps = as_steps(way, name=f"paths_3d, '{heading}', '{name}'", dimensions=(points.shape[1],))
                shade, dashes = looks[name]
                (handles[name],) = panel.plot(
                    *steps.T, color=shade, linestyle=dashes, linewidth=2.8, zorder=5
                )
                panel.plot(*steps[[0, -1]].T, "o", color=INK, markersize=6, zorder=6)
        if handles:
            figure.legend(handles.values(), handles, loc="lower center", ncols=len(handles), handlelength=3.0)
    return figure


def _pale(values: Any, count: int, heading: str) -> Float[np.ndarray, "n 4"]:
    # The manifold is the ground on which the ways are drawn: it stays in the background.
    if values is None:
        return np.tile((0.55, 0.58, 0.64, 0.5), (count, 1))
    coding = code(values, count=count, label=None, cyclic=False, name=f"paths_3d, panel '{heading}'")
    return coding.rgba * (1, 1, 1, 0.5)


def _name_categories(axes: Axes, points: Float[np.ndarray, "n 2"], coding: Coding) -> None:
    # The name at the middle of its points, so that the reader need not match colours.
    # Where clouds lie on each other there is no room for all names: the key has them.
    axes.apply_aspect()
    taken: list[Bbox] = []
    for name, mask in coding.members.items():
        text = axes.annotate(
            name,
            np.median(points[mask], axis=0),
            ha="center",
            va="center",
            fontweight="bold",
            path_effects=HALO,
        )
        box = text.get_window_extent()
        if any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)
