"""Manifolds and their embeddings as points, side by side, in shared colours."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from mmdl_course.viz.arrays import as_points
from mmdl_course.viz.colours import Coding, code
from mmdl_course.viz.style import INK, MUTED, PALETTE, new_figure, style

__all__ = ["paths_3d", "scatter_3d", "scatter_panels"]

_VIEW = (22.0, -60.0)  # elevation and azimuth of 3-D panels in degrees


def scatter_3d(
    points: Any,
    *,
    title: str,
    colour: Any = None,
    colour_label: str | None = None,
    cyclic: bool = False,
    view: tuple[float, float] = _VIEW,
) -> Figure:
    """Draw one cloud of points in space.

    Args:
        points: Float "n 3".
        title: what it is.
        colour: one value for each point: floats are a scale, integers and strings are categories (at most ten).
        colour_label: what the colour means.
        cyclic: the colour scale's ends meet, as angles do.
        view: elevation and azimuth of the eye in degrees.

    Returns:
        The figure, 6 inches wide.

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
    view: tuple[float, float] = _VIEW,
) -> Figure:
    """Draw several clouds of points side by side; panels with 1, 2 and 3 dimensions may be mixed.

    Args:
        panels: title of the panel → Float "n 1", "n 2" or "n 3". A panel with one dimension is drawn along a
            line, with the points spread sideways so that they can be seen.
        colour: one value for each point, the same for all panels: floats are a scale, integers and strings are
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
    clouds = _checked(panels, name="scatter_panels")
    counts = {len(points) for points in clouds.values()}
    if colour is not None and len(counts) > 1:
        raise ValueError(
            "scatter_panels: the panels share one colour for each point, so all need as many points; got "
            f"{ {heading: len(points) for heading, points in clouds.items()} }."
        )
    scores = scores or {}
    _refuse_strangers(scores, clouds, "scatter_panels: score")
    coding = code(colour, count=max(counts), label=colour_label, cyclic=cyclic, name="scatter_panels")
    with style():
        figure, axes = _panel_axes(clouds, columns=columns, title=title, key=colour is not None, extra=0.3)
        for panel, (heading, points) in zip(axes, clouds.items(), strict=True):
            _draw_points(panel, points, coding.rgba[: len(points)], view=view)
            _head(panel, heading, scores.get(heading))
            if points.shape[1] == 2:
                _name_categories(panel, points, coding)
        coding.key(figure, axes)
    return figure


def paths_3d(
    panels: Mapping[str, Any],
    *,
    paths: Mapping[str, Mapping[str, Any]],
    colour: Any = None,
    columns: int | None = None,
    title: str | None = None,
    view: tuple[float, float] = _VIEW,
) -> Figure:
    """Draw ways over manifolds, such as the geodesic and the chord between two points, each panel with its own.

    Args:
        panels: title of the panel → Float "n 3" (or "n 2": a map), the manifold's points.
        paths: title of the panel → {what the way is called: its points, Float "step 3" or "step 2"}. The same
            name has the same colour and line in all panels.
        colour: title of the panel → Float "n", to colour the manifold's points; grey when not given.
        columns: panels in a row; at most four when not given.
        title: the figure's title.
        view: elevation and azimuth of the eye in degrees.

    Returns:
        The figure, at most 9 inches wide.

    Raises:
        ValueError: wrong shapes, or paths without a panel.
    """
    clouds = _checked(panels, name="paths_3d", dimensions=(2, 3))
    _refuse_strangers(paths, clouds, "paths_3d: paths")
    _refuse_strangers(colour or {}, clouds, "paths_3d: colour")
    names = list(dict.fromkeys(name for ways in paths.values() for name in ways))
    looks = {
        name: {"color": shade, "linestyle": dashes}
        for name, shade, dashes in zip(
            names, (PALETTE[2], INK, PALETTE[4], PALETTE[0]), ("-", (0, (2.2, 1.2)), "-.", ":"), strict=False
        )
    }
    if len(looks) < len(names):
        raise ValueError(f"paths_3d: at most {len(looks)} names of ways can be told apart, got {len(names)}.")
    with style():
        figure, axes = _panel_axes(clouds, columns=columns, title=title, key=False, extra=0.3)
        handles = {}
        for panel, (heading, points) in zip(axes, clouds.items(), strict=True):
            shades = (colour or {}).get(heading)
            rgba = np.tile((0.62, 0.65, 0.70, 1.0), (len(points), 1))
            if shades is not None:
                rgba = code(
                    shades, count=len(points), label=None, cyclic=False, name=f"paths_3d, '{heading}'"
                ).rgba
            rgba = rgba * (1, 1, 1, 0.45)
            _draw_points(panel, points, rgba, view=view)
            for name, way in paths.get(heading, {}).items():
                way = as_points(way, name=f"paths_3d, '{heading}', '{name}'", dimensions=(points.shape[1],))
                (handles[name],) = panel.plot(*way.T, **looks[name], linewidth=2.6, zorder=5)
                panel.plot(*way[[0, -1]].T, "o", color=INK, markersize=6, zorder=6)
            _head(panel, heading, None)
        if handles:
            figure.legend(
                handles.values(), handles, loc="outside lower center", ncols=len(handles), handlelength=3.0
            )
    return figure


def _checked(
    panels: Mapping[str, Any], *, name: str, dimensions: tuple[int, ...] = (1, 2, 3)
) -> dict[str, Any]:
    if not panels:
        raise ValueError(f"{name}: there are no panels to draw.")
    return {
        heading: as_points(points, name=f"{name}, panel '{heading}'", dimensions=dimensions)
        for heading, points in panels.items()
    }


def _refuse_strangers(given: Mapping[str, Any], panels: Mapping[str, Any], what: str) -> None:
    for heading in given:
        if heading not in panels:
            raise ValueError(f"{what} for '{heading}', but the panels are {', '.join(panels)}.")


def _panel_axes(
    clouds: Mapping[str, np.ndarray], *, columns: int | None, title: str | None, key: bool, extra: float
) -> tuple[Figure, list[Axes]]:
    columns = min(columns or 4, len(clouds))
    rows = math.ceil(len(clouds) / columns)
    room = 9.0 - (1.0 if key else 0.0)
    side = min(room / columns, 5.0)
    figure = new_figure(
        side * columns + (1.0 if key else 0.0), (side + extra) * rows + (0.4 if title else 0.0)
    )
    if title:
        figure.suptitle(title)
    axes = [
        figure.add_subplot(rows, columns, index, projection="3d" if points.shape[1] == 3 else None)
        for index, points in enumerate(clouds.values(), start=1)
    ]
    return figure, axes


def _head(axes: Axes, heading: str, score: str | None) -> None:
    # The score line takes its room even when it is empty, so that the panels of a row stay aligned.
    axes.set_title(heading, pad=22 if score else 6)
    if score:
        axes.annotate(
            score,
            (0.5, 1),
            xytext=(0, 6),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            fontsize=10,
            color=INK,
        )


def _draw_points(
    axes: Axes,
    points: Float[np.ndarray, "n dim"],
    rgba: Float[np.ndarray, "n 4"],
    *,
    view: tuple[float, float],
) -> None:
    size = float(np.clip(12_000 / len(points), 3, 24))
    if points.shape[1] == 1:
        points = np.column_stack([points[:, 0], _spread(len(points))])  # (n, 2)
    if points.shape[1] == 2:
        axes.scatter(*points.T, c=rgba, s=size, linewidths=0, rasterized=True)
        axes.set(xticks=[], yticks=[])
        axes.set_aspect("equal", adjustable="datalim")
        axes.spines[:].set(visible=True, color=MUTED, linewidth=0.6)
        return
    axes.scatter(*points.T, c=rgba, s=size, linewidths=0, depthshade=False)
    axes.view_init(*view)
    axes.computed_zorder = False  # ways stay in front of the points they run over
    extent = np.ptp(points, axis=0)
    axes.set_box_aspect(np.maximum(extent, 0.25 * extent.max()), zoom=1.2)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_ticklabels([])
        axis.set_pane_color((0.96, 0.965, 0.975, 1.0))
        axis._axinfo["grid"].update(color="white", linewidth=0.8)
        axis._axinfo["tick"].update(inward_factor=0.0, outward_factor=0.0)
        axis.line.set_color(MUTED)


def _spread(count: int) -> Float[np.ndarray, " n"]:
    # The golden-ratio sequence fills 0 … 1 evenly without a random generator.
    return (np.arange(count) * 0.6180339887498949) % 1.0


def _name_categories(axes: Axes, points: Float[np.ndarray, "n 2"], coding: Coding) -> None:
    # The name at the middle of its points, so that the reader need not match colours.
    for name, mask in coding.members.items():
        axes.annotate(
            name,
            np.median(points[mask], axis=0),
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold",
            color=INK,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
