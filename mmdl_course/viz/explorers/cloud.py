"""A cloud of points that a reader can turn, point at and choose from, drawn in the browser."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib.colors import Colormap, to_hex

from mmdl_course.viz.colours import Coding
from mmdl_course.viz.explorers.plot import Plot, packed
from mmdl_course.viz.scatter import WAYS
from mmdl_course.viz.style import ACCENT, INK, MUTED

__all__ = ["Cloud"]

_SIDE = 430  # CSS pixels
_KEY = 105  # CSS pixels for the colours' key
_FAINT = 0.12  # opacity of what is not chosen
_PALE = 0.45  # opacity of the ground on which ways are drawn
_FONT = "DejaVu Sans, Verdana, sans-serif"
_DASHES = {"-": "solid", "-.": "dashdot", ":": "dot"}
_CAMERA = {"eye": {"x": 0.5, "y": -1.6, "z": 0.5}, "up": {"x": 0, "y": 0, "z": 1}}
_RING = 10  # CSS pixels


class Cloud:
    """Points in the plane or in space, in a widget of their own.

    In the plane the reader draws a lasso or a box around points; in space the mouse turns the cloud. Several
    clouds of the same samples are linked by whoever owns them: what one reports, the others are told to show.
    """

    def __init__(
        self,
        points: Float[np.ndarray, "n dim"],
        *,
        heading: str,
        alt: str,
        coding: Coding,
        values: Any,
        keyed: bool,
        ways: Mapping[str, Float[np.ndarray, "step dim"]] | None = None,
    ) -> None:
        """Make the widget.

        Args:
            points: two or three numbers for each; all finite.
            heading: what the cloud is.
            alt: what stands for the cloud where it cannot be seen.
            coding: the points' colours, see `code`.
            values: what was coded.
            keyed: whether the key to the colours stands beside this cloud.
            ways: name → points of a line over the cloud, which then steps back.
        """
        self._points = points
        self._in_space = points.shape[1] == 3
        self._keyed = keyed
        self._chosen = np.array([], dtype=int)
        self._marker, self._numbers = _marker(coding, values, keyed=keyed)
        traces = [self._cloud(pale=ways is not None), self._again()]
        if self._in_space:
            traces.append(self._ring_in_space())
        self._ways = len(traces)
        looks = dict(zip(ways or {}, WAYS, strict=False))
        traces += [self._way(name, steps, looks[name]) for name, steps in (ways or {}).items()]
        layout = self._layout(heading, named=ways is not None) | self._names(coding)
        self.widget = Plot(traces, layout, alt=alt)

    def on_hover(self, report: Callable[[int], None]) -> None:
        """Have the number of the point reported at which the mouse points."""
        self.widget.on("hover", lambda numbers: report(numbers[0]))

    def on_click(self, report: Callable[[int], None]) -> None:
        """Have the number of the point reported that is clicked."""
        self.widget.on("click", lambda numbers: report(numbers[0]))

    def on_select(self, report: Callable[[Int[np.ndarray, " chosen"]], None]) -> None:
        """Have the numbers of the points reported that a lasso or box encloses; none when it is undone."""
        self.widget.on("select", lambda numbers: report(np.array(numbers, dtype=int)))

    def paint(self, coding: Coding, values: Any) -> None:
        """Colour all points; see `code`."""
        self._marker, self._numbers = _marker(coding, values, keyed=self._keyed)
        all_points = {f"marker.{name}": value for name, value in self._marker.items()}
        self.widget.change({0: all_points, 1: self._chosen_again()}, self._names(coding))

    def choose(self, chosen: Int[np.ndarray, " chosen"]) -> None:
        """Show these points, and let the others step back; none: all are shown."""
        self._chosen = chosen
        # Plotly's own fading knows no space and no other cloud: what is chosen is drawn over a faint cloud.
        # The reader's line goes, as plotly would fade by it again.
        cloud = {"marker.opacity": _FAINT if len(chosen) else 1.0, "selectedpoints": None}
        again = self._chosen_again() | {"selectedpoints": None}
        self.widget.change({0: cloud, 1: again}, {} if self._in_space else {"selections": []})

    def mark(self, number: int) -> None:
        """Draw a ring around one point."""
        if self._in_space:
            self.widget.change({2: self._places(self._points[number : number + 1])})
        else:
            self.widget.change(layout={"shapes": [_ring(*self._points[number].tolist())]})

    def draw_ways(self, ways: Mapping[str, Float[np.ndarray, "step dim"]]) -> None:
        """Draw other ways of the same names."""
        lines = enumerate(ways.values(), self._ways)
        self.widget.change({number: self._places(steps) for number, steps in lines})

    def reset(self) -> None:
        """Show everything from where it was seen first."""
        if self._in_space:
            self.widget.change(layout={"scene.camera": _CAMERA})
        else:
            self.widget.change(
                layout={
                    "xaxis.autorange": True,
                    "yaxis.autorange": True,
                    "dragmode": "lasso",
                    "selections": [],
                }
            )

    @property
    def _kind(self) -> str:
        return "scatter3d" if self._in_space else "scattergl"

    def _places(self, points: Float[np.ndarray, "n dim"]) -> dict[str, Any]:
        return {axis: packed(values) for axis, values in zip("xyz", points.T, strict=False)}

    def _cloud(self, *, pale: bool) -> dict[str, Any]:
        look = {"size": 3.5, "line": {"width": 0}} if self._in_space else {"size": 6}
        return {
            **self._places(self._points),
            "type": self._kind,
            "mode": "markers",
            "marker": {**look, **self._marker, "opacity": _PALE if pale else 1.0},
            "hoverinfo": "none",
            "showlegend": False,
        }

    def _again(self) -> dict[str, Any]:
        size = 5.5 if self._in_space else 7.5
        marker = {"size": size, "line": {"width": 0}, **self._marker, "showscale": False}
        if self._numbers is not None:
            marker["color"] = packed(self._numbers[:0])
        return self._empty() | {"marker": marker}

    def _ring_in_space(self) -> dict[str, Any]:
        return self._empty() | {"marker": {"size": 12, "symbol": "circle-open", "color": INK}}

    def _empty(self) -> dict[str, Any]:
        nowhere = self._places(self._points[:0])
        return nowhere | {"type": self._kind, "mode": "markers", "hoverinfo": "skip", "showlegend": False}

    def _chosen_again(self) -> dict[str, Any]:
        colours = {f"marker.{name}": value for name, value in self._marker.items()}
        if self._numbers is not None:
            colours["marker.color"] = packed(self._numbers[self._chosen])
        return self._places(self._points[self._chosen]) | colours | {"marker.showscale": False}

    def _way(self, name: str, steps: Float[np.ndarray, "step dim"], look: tuple[str, Any]) -> dict[str, Any]:
        colour, dash = look
        line = {"color": colour, "width": 7}
        if not self._in_space:  # in space plotly draws broken lines as thin as a hair
            line |= {"width": 3.5, "dash": _DASHES.get(dash, "dash") if isinstance(dash, str) else "dash"}
        kind = "scatter3d" if self._in_space else "scatter"
        return {
            **self._places(steps),
            "type": kind,
            "mode": "lines",
            "name": name,
            "line": line,
            "hoverinfo": "skip",
        }

    def _names(self, coding: Coding) -> dict[str, Any]:
        """The names of categories at the middle of their points: nobody needs to match colours."""
        if self._in_space:
            return {}
        return {
            "annotations": [
                {
                    **dict(zip("xy", np.median(self._points[mask], axis=0).tolist(), strict=True)),
                    "text": f"<b>{name}</b>",
                    "showarrow": False,
                    "bgcolor": "rgba(255, 255, 255, 0.75)",
                    "borderpad": 1,
                }
                for name, mask in coding.members.items()
            ]
        }

    def _layout(self, heading: str, *, named: bool) -> dict[str, Any]:
        bare = {"showgrid": False, "zeroline": False, "showticklabels": False, "title": {"text": ""}}
        key = _KEY if self._keyed else 0
        layout = {
            "title": {
                "text": f"<b>{heading}</b>",
                "x": 0.02,
                "y": 0.985,
                "yanchor": "top",
                "font": {"size": 14},
            },
            "font": {"family": _FONT, "size": 13, "color": INK},
            "paper_bgcolor": "white",  # also in a dark theme: colours were chosen against white
            "plot_bgcolor": "white",
            "width": _SIDE + key,
            "height": _SIDE + (60 if named else 30),
            "margin": {"l": 6, "r": 6 + key, "t": 38, "b": 36 if named else 6},
            "modebar": {"color": MUTED, "activecolor": ACCENT, "bgcolor": "white"},
            "legend": {"orientation": "h", "x": 0.0, "y": -0.01, "yanchor": "top", "itemclick": False},
            "showlegend": named,
        }
        if self._in_space:
            axis = {**bare, "showbackground": False, "showspikes": False}
            scene = {f"{name}axis": axis for name in "xyz"}
            return layout | {"scene": {**scene, "aspectmode": "data", "camera": _CAMERA, "dragmode": "orbit"}}
        frame = {**bare, "showline": True, "mirror": True, "linecolor": MUTED, "linewidth": 1}
        return layout | {
            "xaxis": {**frame},
            "yaxis": {**frame, "scaleanchor": "x"},
            "dragmode": "lasso",
            "hovermode": "closest",
            "newselection": {"line": {"color": ACCENT, "width": 2}},
        }


def _ring(x: float, y: float) -> dict[str, Any]:
    box = {"x0": -_RING, "x1": _RING, "y0": -_RING, "y1": _RING}
    modes = {"xsizemode": "pixel", "ysizemode": "pixel", "xanchor": x, "yanchor": y}
    return {"type": "circle", **box, **modes, "line": {"color": INK, "width": 2.5}}


def _marker(coding: Coding, values: Any, *, keyed: bool) -> tuple[dict[str, Any], np.ndarray | None]:
    """Plotly's marker for the colours, and the numbers in it; for categories, a scale of as many steps."""
    bar = {"title": {"text": coding.label or "", "side": "top"}, "thickness": 13, "len": 0.75}
    if coding.scale is not None:
        norm, colormap = coding.scale
        numbers = np.asarray(values, dtype=np.float32)
        ends = {"cmin": float(norm.vmin), "cmax": float(norm.vmax), "colorscale": _stops(colormap)}
    elif coding.categories:
        numbers = np.zeros(len(coding.rgba), dtype=np.float32)
        for number, mask in enumerate(coding.members.values()):
            numbers[mask] = number
        count = len(coding.categories)
        steps = [
            [edge / count, to_hex(look.colour)]
            for number, look in enumerate(coding.categories.values())
            for edge in (number, number + 1)
        ]
        ends = {"cmin": -0.5, "cmax": count - 0.5, "colorscale": steps}
        bar |= {"tickvals": list(range(count)), "ticktext": list(coding.categories)}
    else:
        return {"color": ACCENT, "showscale": False}, None
    return {"color": packed(numbers), **ends, "showscale": keyed, "colorbar": bar}, numbers


def _stops(colormap: Colormap, count: int = 17) -> list[list[Any]]:
    return [[share, to_hex(colormap(share))] for share in np.linspace(0, 1, count).tolist()]
