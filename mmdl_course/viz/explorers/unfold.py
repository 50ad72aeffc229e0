"""A manifold in space beside its map: the way between two of its points, drawn on both."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from mmdl_course.viz.arrays import as_points, as_steps
from mmdl_course.viz.colours import code
from mmdl_course.viz.display import figure_html
from mmdl_course.viz.explorers.controls import LOOK
from mmdl_course.viz.explorers.frame import Frame, has_controls, still_output
from mmdl_course.viz.explorers.latest import Latest
from mmdl_course.viz.scatter import paths_3d

__all__ = ["Unfold", "unfold"]

_VIEW = (18.0, -80.0)


def unfold(
    surface: Any,
    flat: Any,
    *,
    ways: Callable[[int, int], Mapping[str, tuple[Any, Any]]],
    start: tuple[int, int],
    colour: Any,
    colour_label: str,
    notice: str,
    surface_title: str = "in data space",
    flat_title: str = "in coordinate space (a map)",
) -> "Unfold":
    """Explore the ways between two points of a manifold, on the manifold and on its map.

    The mouse turns the manifold; a click in either picture, or a slider, moves an end of the way.

    Args:
        surface: Float "n 3", the manifold's points in space.
        flat: Float "n 2", the same points on the map, in the same order.
        ways: (number of one point, number of another) → name → (its steps in space, Float "step 3", its steps
            on the map, Float "step 2"); None where a way does not exist in one of the two, a row of NaN where
            it leaves the map on one side and comes back on another. At most four, always the same names.
        start: the two points of the first picture.
        colour: one number for each point.
        colour_label: what the colour means.
        notice: one sentence that says what to notice.
        surface_title: what the left picture is.
        flat_title: what the right picture is.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: arrays that do not fit each other. Whatever `ways` raises for the start.
    """
    points = {
        surface_title: as_points(surface, name="unfold, surface", dimensions=(3,)),
        flat_title: as_points(flat, name="unfold, flat", dimensions=(2,)),
    }
    count = len(points[surface_title])
    if len(points[flat_title]) != count:
        raise ValueError(
            f"unfold: {count} points in space but {len(points[flat_title])} on the map; give each point on "
            "both."
        )
    if not all(0 <= number < count for number in start):
        raise ValueError(f"unfold, start: there are points 0 … {count - 1}, got {start}.")
    return Unfold(points, ways=ways, start=start, colour=colour, colour_label=colour_label, notice=notice)


class Unfold:
    """What `unfold` returns; a cell shows it when it is the cell's last expression."""

    def __init__(
        self,
        points: Mapping[str, Float[np.ndarray, "n dim"]],
        *,
        ways: Callable[[int, int], Mapping[str, tuple[Any, Any]]],
        start: tuple[int, int],
        colour: Any,
        colour_label: str,
        notice: str,
    ) -> None:
        """Draw the first picture, and make the widgets; see `unfold` for what is given."""
        self._points, self._ways, self._start, self._notice = points, ways, start, notice
        count = len(next(iter(points.values())))
        self._coding = code(colour, count=count, label=colour_label, cyclic=False, name="unfold")
        self._colour = colour
        # The sliders go along the map: neighbouring positions are neighbours at least in one direction.
        self._order = np.argsort(list(points.values())[1][:, 0], kind="stable")
        self._rank = np.argsort(self._order)
        first = self._found(*start)
        self._alt = f"{' and '.join(points)}, coloured by {colour_label}. {self._told(first)}"
        figure = paths_3d(
            points,
            paths={
                title: {name: steps[place] for name, steps in first.items() if steps[place] is not None}
                for place, title in enumerate(points)
            },
            colour=dict.fromkeys(points, colour),
            view=_VIEW,
        )
        self._still = figure_html(figure, alt=self._alt)
        self.frame = self._framed(first) if has_controls() else None

    def _framed(self, first: Mapping[str, Any]) -> Frame:
        import ipywidgets as widgets

        from mmdl_course.viz.explorers.cloud import Cloud

        self.ends = {
            name: widgets.IntSlider(
                description=f"{name} (place along the map)",
                value=int(self._rank[number]),
                min=0,
                max=len(self._rank) - 1,
                style={"description_width": "16em"},
                layout=LOOK["layout"],
            )
            for name, number in zip(("from", "to"), self._start, strict=True)
        }
        self.moved = widgets.Dropdown(
            description="a click in a picture moves",
            options=list(self.ends),
            value="to",
            style={"description_width": "16em"},
            layout=LOOK["layout"],
        )
        self._lengths = widgets.HTML(self._said(first))
        self.clouds = [
            Cloud(
                points,
                heading=title,
                alt=self._alt,
                coding=self._coding,
                values=self._colour,
                keyed=place == 1,
                ways=_of(first, place),
            )
            for place, (title, points) in enumerate(self._points.items())
        ]
        self._latest = Latest(self._redrawn)
        for cloud in self.clouds:
            cloud.on_click(self._clicked)
        for slider in self.ends.values():
            slider.observe(self._follow, names="value")
        row = widgets.HBox([cloud.widget for cloud in self.clouds], layout={"flex_flow": "row wrap"})
        return Frame(
            notice=self._notice,
            controls=[*self.ends.values(), self.moved],
            picture=[self._lengths, row],
            reset=self._reset,
            cancel=lambda: None,
        )

    def _clicked(self, number: int) -> None:
        self.ends[self.moved.value].value = int(self._rank[number])

    def _follow(self, _change: Any) -> None:
        self._latest.wish(tuple(int(self._order[slider.value]) for slider in self.ends.values()))

    def _reset(self) -> None:
        for slider, number in zip(self.ends.values(), self._start, strict=True):
            slider.value = int(self._rank[number])
        self.moved.value = "to"
        for cloud in self.clouds:
            cloud.reset()

    def _redrawn(self, ends: tuple[int, int]) -> Iterator[float]:
        try:
            found = self._found(*ends)
        except Exception as error:  # noqa: BLE001  (anything the lesson's own code raises; it would be lost)
            self._lengths.value = Frame.error(error)
        else:
            for place, cloud in enumerate(self.clouds):
                cloud.draw_ways(_of(found, place))
            self._lengths.value = self._said(found)
        yield 1.0

    def _found(self, start: int, end: int) -> dict[str, tuple[Any, Any]]:
        return {
            name: tuple(
                None
                if steps is None
                else as_steps(steps, name=f"unfold, '{name}' {where}", dimensions=(dimension,))
                for steps, where, dimension in zip(pair, ("in space", "on the map"), (3, 2), strict=True)
            )
            for name, pair in self._ways(start, end).items()
        }

    def _told(self, found: Mapping[str, tuple[Any, Any]]) -> str:
        lengths = (f"{name}: {_length(*pair):.1f}" for name, pair in found.items())
        return f"Lengths: {', '.join(lengths)}."

    def _said(self, found: Mapping[str, tuple[Any, Any]]) -> str:
        return f'<p role="status" style="margin: 0.3em 0"><b>{self._told(found)}</b></p>'

    def _ipython_display_(self) -> None:
        still_output(self.frame, still=self._still, notice=self._notice, alt=self._alt)


def _of(found: Mapping[str, tuple[Any, Any]], place: int) -> dict[str, np.ndarray]:
    """The ways of one of the two pictures; one that does not exist there has no steps."""
    return {
        name: np.empty((0, 3 - place)) if pair[place] is None else pair[place] for name, pair in found.items()
    }


def _length(in_space: Any, on_the_map: Any) -> float:
    steps = on_the_map if in_space is None else in_space
    return float(np.nansum(np.linalg.norm(np.diff(steps, axis=0), axis=1)))
