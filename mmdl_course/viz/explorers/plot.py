"""A figure of plotly's in a notebook: Python sends changes, the reader's hand is reported.

Plotly's own widget is not used: it sends five megabytes of JavaScript with every figure, and on a busy
machine it is not ready before anywidget gives up. Here they are sent once, and loaded when the first figure
is to be seen.
"""

import base64
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from ipywidgets import widget_serialization
from plotly.offline import get_plotlyjs

__all__ = ["Plot", "packed"]


class _Library(anywidget.AnyWidget):
    """Plotly's JavaScript, which all figures of a notebook share."""

    _esm = "export default {}"
    source = traitlets.Unicode().tag(sync=True)


class Plot(anywidget.AnyWidget):
    """One figure. `figure` is the state to begin with; `change` changes what is seen."""

    _esm = (Path(__file__).parent / "plot.js").read_text(encoding="utf-8")
    library = traitlets.Instance(_Library).tag(sync=True, **widget_serialization)
    figure = traitlets.Dict().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)

    def __init__(self, data: list[dict[str, Any]], layout: dict[str, Any], *, alt: str) -> None:
        """Make the figure.

        Args:
            data: plotly's traces; the points of the first one are what the reader's hand is reported for.
            layout: plotly's layout.
            alt: what stands for the figure where it cannot be seen.
        """
        self._reports: dict[str, Callable[[list[int]], None]] = {}
        super().__init__(library=_library(), figure={"data": data, "layout": layout}, alt=alt)
        self.on_msg(self._receive)

    def on(self, event: str, report: Callable[[list[int]], None]) -> None:
        """Have the points' numbers reported at which the mouse points ("hover"), "click" or "select"."""
        self._reports[event] = report

    def change(
        self, data: Mapping[int, Mapping[str, Any]] | None = None, layout: Mapping[str, Any] | None = None
    ) -> None:
        """Change the figure that is seen.

        Args:
            data: number of a trace → path of an attribute, such as "marker.color" → value.
            layout: path of an attribute → value.
        """
        # Kept here too, for a page that is loaded again; not sent as a whole.
        for number, paths in (data or {}).items():
            for path, value in paths.items():
                _put(self.figure["data"][number], path, value)
        for path, value in (layout or {}).items():
            _put(self.figure["layout"], path, value)
        self.send({"data": data or {}, "layout": layout or {}})

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        report = self._reports.get(content.get("event", ""))
        if report is not None:
            report([int(number) for number in content["points"]])


def packed(values: np.ndarray) -> dict[str, str]:
    """Numbers as plotly reads them fastest: bytes, in single precision."""
    return {"dtype": "f4", "bdata": base64.b64encode(values.astype("<f4").tobytes()).decode("ascii")}


@cache
def _library() -> _Library:
    return _Library(source=get_plotlyjs())


def _put(target: dict[str, Any], path: str, value: Any) -> None:
    *names, last = path.split(".")
    for name in names:
        target = target.setdefault(name, {})
    target[last] = value
