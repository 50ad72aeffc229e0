"""What every explorer with a drawn picture does: controls → figure, in step with the reader's hand."""

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from matplotlib.figure import Figure

from mmdl_course.viz.display import figure_html
from mmdl_course.viz.explorers.controls import Choice, Control, TextControl
from mmdl_course.viz.explorers.frame import Frame, has_controls, still_output
from mmdl_course.viz.explorers.latest import Latest

__all__ = ["Choice", "Control", "Explorer", "TextControl"]

_REMEMBERED = 64  # pictures


class Explorer:
    """A figure with controls; a cell shows it when it is the cell's last expression.

    The figure follows a slider while it is dragged or moved with the arrow keys, and a text when it is ended
    with Enter: of all that was asked for in the meantime, only the latest is drawn. What went wrong while
    drawing is shown in the figure's place; the controls stay usable.
    """

    def __init__(
        self,
        draw: Callable[..., Figure | Generator[float, None, Figure]],
        *,
        describe: Callable[..., str],
        controls: Mapping[str, Control | Choice | TextControl],
        notice: str,
        below: Callable[..., str] | None = None,
    ) -> None:
        """Draw the first picture and make the controls.

        Args:
            draw: gets each control's value by name, returns the figure. What computes for more than about a
                second is a generator: it yields the share that is done (0 … 1) as often as it can, for a bar
                with a button that cancels, and returns the figure; see `in_background`.
            describe: gets the same, returns the picture's alt text. Called after `draw`.
            controls: name of the argument → its slider, list or text box.
            notice: one sentence that says what to notice, and what to do for it. True for every state.
            below: gets the same, returns HTML that stands below the picture, such as a sound's player.

        Raises:
            ValueError: a control does not start at one of its values, or there is nothing to notice. Whatever
                `draw` raises at the start.
        """
        for name, control in controls.items():
            if control.start not in control.values:
                raise ValueError(
                    f"explorer: '{name}' starts at {control.start!r}, which is none of its values "
                    f"{list(control.values)}."
                )
        if not notice.strip():
            raise ValueError("explorer: notice is empty. Say in a sentence what the reader should notice.")
        self._draw = draw
        self._describe = describe
        self._below = below
        self._notice = notice
        self._pictures: dict[tuple[Any, ...], str] = {}
        self._first = {name: control.start for name, control in controls.items()}
        # Drawn in the cell, where a mistake in `draw` shows up; and in full quality, as it is what is kept.
        self._still = self.picture_of(**self._first)
        self.sliders: dict[str, Any] = {}
        self.frame = self._framed(controls) if has_controls() else None
        self.box = self.frame.box if self.frame else None

    def picture_of(self, **values: Any) -> str:
        """Draw the figure for the given control values, or remember it, as HTML with alt text."""
        key = tuple(values.values())
        if key not in self._pictures:
            for _ in self._computed(values, live=False):
                pass
        return self._pictures[key]

    def _framed(self, controls: Mapping[str, Control | Choice | TextControl]) -> Frame:
        import ipywidgets as widgets

        made = {name: control.widgets() for name, control in controls.items()}
        self.sliders = {name: parts[0] for name, parts in made.items()}
        self._picture = widgets.HTML(self._still)
        self._latest = Latest(self._redrawn)
        self._seen = dict(self._first)  # the values of the picture that is shown
        self._held = False  # whether controls are being moved by us and not by the reader
        frame = Frame(
            notice=self._notice,
            controls=[widget for parts in made.values() for widget in parts],
            picture=[self._picture],
            reset=lambda: self._go_to(self._first),
            cancel=self._cancel,
        )
        for slider in self.sliders.values():
            slider.observe(self._follow, names="value")
        return frame

    def _follow(self, _change: Any) -> None:
        if not self._held:
            self._latest.wish({name: slider.value for name, slider in self.sliders.items()})

    def _go_to(self, values: Mapping[str, Any]) -> None:
        self._move(values)
        self._latest.wish(dict(values))

    def _cancel(self) -> None:
        self._latest.cancel()
        self._move(self._seen)
        self.frame.say("Cancelled: the picture and the controls are as they were before.")

    def _move(self, values: Mapping[str, Any]) -> None:
        self._held = True
        try:
            for name, value in values.items():
                self.sliders[name].value = value
        finally:
            self._held = False

    def _redrawn(self, values: dict[str, Any]) -> Iterator[float]:
        key = tuple(values.values())
        try:
            if key not in self._pictures:
                self.frame.say("drawing …")
                for share in self._computed(values, live=True):
                    self.frame.busy(share)
                    yield share
            self._picture.value = self._pictures[key]
            described = self._describe(**values)
        except Exception as error:  # noqa: BLE001  (anything the lesson's own code raises; it would be lost)
            self.frame.hush()
            self._picture.value = self.frame.error(error)
        else:
            self.frame.tell(described)
        finally:
            self.frame.free()
        self._seen = values

    def _computed(self, values: dict[str, Any], *, live: bool) -> Iterator[float]:
        """Draw and remember; yields as often as `draw` does."""
        drawn = self._draw(**values)
        figure = (yield from drawn) if isinstance(drawn, Generator) else drawn
        picture = figure_html(figure, alt=self._describe(**values), quick=live)
        if self._below is not None:
            picture += self._below(**values)
        if len(self._pictures) >= _REMEMBERED:
            del self._pictures[next(iter(self._pictures))]
        self._pictures[tuple(values.values())] = picture

    def _ipython_display_(self) -> None:
        still_output(self.frame, still=self._still, notice=self._notice, alt=self._describe(**self._first))
