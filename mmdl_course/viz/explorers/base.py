"""What every explorer does: controls → figure, a still picture where controls are dead, errors in sight."""

import html
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from IPython.display import display
from matplotlib.figure import Figure

from mmdl_course.viz.display import figure_html

__all__ = ["Choice", "Control", "Explorer", "TextControl"]

_REMEMBERED = 64  # pictures
_UNSEEN = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)"


@dataclass(frozen=True)
class Control:
    """One slider: the positions it can take, in order."""

    label: str  # what the reader sees, with the unit
    values: Sequence[Any]
    start: Any  # the position of the first picture
    write: Callable[[Any], str] = str  # how a position is written

    def widgets(self) -> tuple[Any, ...]:
        """The slider; the first widget's value counts."""
        import ipywidgets as widgets  # here, because most figures need no widgets

        return (
            widgets.SelectionSlider(
                description=self.label,
                options=[(self.write(value), value) for value in self.values],
                value=self.start,
                continuous_update=False,
                **_LOOK,
            ),
        )


@dataclass(frozen=True)
class Choice:
    """One list to choose from, for things without an order."""

    label: str  # what the reader sees
    values: Sequence[str]
    start: str  # what the first picture shows

    def widgets(self) -> tuple[Any, ...]:
        """The list; the first widget's value counts."""
        import ipywidgets as widgets  # here, because most figures need no widgets

        return (
            widgets.Dropdown(description=self.label, options=list(self.values), value=self.start, **_LOOK),
        )


@dataclass(frozen=True)
class TextControl:
    """A box to type into, and a list of texts to take from."""

    label: str  # what the reader sees
    values: Sequence[str]  # suggestions; anything else may be typed
    start: str  # the text of the first picture

    def widgets(self) -> tuple[Any, ...]:
        """Box and list; the first widget's value counts."""
        import ipywidgets as widgets  # here, because most figures need no widgets

        box = widgets.Text(description=self.label, value=self.start, continuous_update=False, **_LOOK)
        choice = widgets.Dropdown(description="or take", options=list(self.values), value=self.start, **_LOOK)

        def take(change: Any) -> None:
            if change["new"] is not None:
                box.value = change["new"]

        def typed(change: Any) -> None:
            # Nothing is chosen beside a text of one's own: each suggestion can be taken again.
            choice.value = change["new"] if change["new"] in self.values else None

        choice.observe(take, names="value")
        box.observe(typed, names="value")
        return box, choice


_LOOK = {"style": {"description_width": "12em"}, "layout": {"width": "36em", "max_width": "100%"}}


class Explorer:
    """A figure with controls; a cell shows it when it is the cell's last expression.

    The figure is drawn when a slider is let go or moved with the arrow keys, or a text is ended with Enter.
    What went wrong while drawing is shown in the figure's place; the controls stay usable.
    """

    def __init__(
        self,
        draw: Callable[..., Figure],
        *,
        describe: Callable[..., str],
        controls: Mapping[str, Control | Choice | TextControl],
        below: Callable[..., str] | None = None,
    ) -> None:
        """Draw the first picture and make the controls.

        Args:
            draw: gets each control's value by name, returns the figure.
            describe: gets the same, returns the picture's alt text.
            controls: name of the argument → its slider, list or text box.
            below: gets the same, returns HTML that stands below the picture, such as a sound's player.

        Raises:
            ValueError: a control does not start at one of its values. Whatever `draw` raises at the start.
        """
        for name, control in controls.items():
            if control.start not in control.values:
                raise ValueError(
                    f"explorer: '{name}' starts at {control.start!r}, which is none of its values "
                    f"{list(control.values)}."
                )
        self._draw = draw
        self._describe = describe
        self._below = below
        self._pictures: dict[tuple[Any, ...], str] = {}
        self._first = {name: control.start for name, control in controls.items()}
        self.picture_of(**self._first)  # a mistake in `draw` shows up in the cell, not in the widget
        # Whoever grades runs no browser: widgets would only swell the feedback.
        made = {} if os.environ.get("NBGRADER_EXECUTION") else _widgets(controls)
        self.sliders = {name: widgets[0] for name, widgets in made.items()}
        self.box = _box(made, self.picture_of(**self._first)) if made else None
        for slider in self.sliders.values():
            slider.observe(self._follow, names="value")

    def picture_of(self, **values: Any) -> str:
        """Draw the figure for the given slider values, or remember it, as HTML with alt text."""
        key = tuple(values.values())
        if key not in self._pictures:
            picture = figure_html(self._draw(**values), alt=self._describe(**values))
            if self._below is not None:
                picture += self._below(**values)
            if len(self._pictures) >= _REMEMBERED:
                del self._pictures[next(iter(self._pictures))]
            self._pictures[key] = picture
        return self._pictures[key]

    def _follow(self, _change: Any) -> None:
        *_, status, picture = self.box.children
        values = {name: slider.value for name, slider in self.sliders.items()}
        status.value = '<p role="status">drawing …</p>'
        try:
            picture.value = self.picture_of(**values)
        except Exception as error:  # noqa: BLE001  (anything the lesson's own code raises; it would be lost)
            status.value = ""
            picture.value = (
                '<p role="alert" style="border-left: 4px solid #bd1f01; padding: 0.5em 1em">'
                f"<b>{html.escape(type(error).__name__)}</b>: {html.escape(str(error))}<br>"
                "Nothing is broken: change it to try again, or run the cell again after a change.</p>"
            )
        else:
            # A screen reader says what the new picture shows; who sees the picture need not read it.
            status.value = f'<p role="status" style="{_UNSEEN}">{html.escape(self._describe(**values))}</p>'

    def _ipython_display_(self) -> None:
        # The still picture is an output of its own; the live widget brings the style that hides it. So it is
        # seen exactly where the widget is not: in feedback, in saved notebooks, on the web.
        name = f"mmdl-still-{uuid.uuid4().hex}"
        still = f'<div class="{name}">{self.picture_of(**self._first)}</div>'
        display({"text/html": still, "text/plain": self._describe(**self._first)}, raw=True)
        if self.box is not None:
            self.box.children[0].value = f"<style>.{name} {{ display: none }}</style>"
            bundle = {**self.box._repr_mimebundle_(), "text/plain": "(controls: run the cell to use them)"}
            display(bundle, raw=True)


def _widgets(controls: Mapping[str, Control | Choice | TextControl]) -> dict[str, tuple[Any, ...]]:
    return {name: control.widgets() for name, control in controls.items()}


def _box(made: Mapping[str, tuple[Any, ...]], picture: str) -> Any:
    import ipywidgets as widgets

    shown = [widget for each in made.values() for widget in each]
    return widgets.VBox([widgets.HTML(), *shown, widgets.HTML(), widgets.HTML(picture)])
