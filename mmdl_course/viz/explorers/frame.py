"""What stands around every explorer's picture: what to notice, reset, a bar with cancel, errors, a still."""

import html
import os
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from IPython.display import display

__all__ = ["Frame", "has_controls", "still_output"]

_UNSEEN = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)"


def has_controls() -> bool:
    """Whether somebody can turn them: whoever grades runs no browser, and they would swell the feedback."""
    return not os.environ.get("NBGRADER_EXECUTION")


class Frame:
    """The widgets around a picture, the same for every explorer."""

    def __init__(
        self,
        *,
        notice: str,
        controls: Sequence[Any],
        picture: Sequence[Any],
        reset: Callable[[], None],
        cancel: Callable[[], None],
    ) -> None:
        """Put them together.

        Args:
            notice: one sentence that says what to notice.
            controls: the explorer's own widgets, above the picture.
            picture: the widgets of the picture.
            reset: called by the button that brings the first state back.
            cancel: called by the button that stands beside the bar.
        """
        import ipywidgets as widgets  # here, because most figures need no widgets

        self._hider = widgets.HTML()
        self._bar = widgets.FloatProgress(value=0.0, min=0.0, max=1.0, description="computing")
        self._cancel = widgets.Button(description="Cancel", tooltip="Stop computing and keep the picture")
        self._reset = widgets.Button(description="Reset", tooltip="Bring back the first picture")
        self._status = widgets.HTML()
        self._reset.on_click(lambda _: reset())
        self._cancel.on_click(lambda _: cancel())
        buttons = widgets.HBox(
            [self._reset, self._bar, self._cancel], layout={"flex_flow": "row wrap", "margin": "2px"}
        )
        self.free()
        self.box = widgets.VBox(
            [self._hider, *controls, buttons, widgets.HTML(_sentence(notice)), self._status, *picture]
        )

    def busy(self, share: float) -> None:
        """Show the bar and the button that cancels; `share` is done, 0 … 1."""
        self._bar.value = share
        for widget in (self._bar, self._cancel):
            widget.layout.display = None

    def free(self) -> None:
        """Hide the bar and its button."""
        for widget in (self._bar, self._cancel):
            widget.layout.display = "none"

    def say(self, text: str) -> None:
        """Tell everybody how things stand."""
        self._status.value = f'<p role="status" style="min-height: 1.2em">{html.escape(text)}</p>'

    def tell(self, text: str) -> None:
        """Say to a screen reader what the picture shows; who sees the picture need not read it."""
        self._status.value = f'<p role="status" style="{_UNSEEN}">{html.escape(text)}</p>'

    def hush(self) -> None:
        """Say nothing."""
        self._status.value = ""

    @staticmethod
    def error(error: Exception) -> str:
        """What stands in the picture's place when it cannot be drawn, as HTML."""
        return (
            '<p role="alert" style="border-left: 4px solid #bd1f01; padding: 0.5em 1em">'
            f"<b>{html.escape(type(error).__name__)}</b>: {html.escape(str(error))}<br>"
            "Nothing is broken: change it to try again, or run the cell again after a change.</p>"
        )

    def hide_still(self, name: str) -> dict[str, Any]:
        """Hide the still picture of that class wherever this widget lives; gives the output to display."""
        self._hider.value = f"<style>.{name} {{ display: none }}</style>"
        return {**self.box._repr_mimebundle_(), "text/plain": "(controls: run the cell to use them)"}


def still_output(frame: Frame | None, *, still: str, notice: str, alt: str) -> None:
    """Put an explorer into the cell's output: a still picture, and the live one that hides it.

    The still picture is an output of its own; the live widget brings the style that hides it. So it is seen
    exactly where the widget is not: in feedback, in saved notebooks, on the web.

    Args:
        frame: the live explorer, None where nobody can use it.
        still: the still picture as HTML.
        notice: one sentence that says what to notice.
        alt: the text that stands for the picture.
    """
    name = f"mmdl-still-{uuid.uuid4().hex}"
    markup = f'<div class="{name}">{_sentence(notice)}{still}</div>'
    display({"text/html": markup, "text/plain": alt}, raw=True)
    if frame is not None:
        display(frame.hide_still(name), raw=True)


def _sentence(notice: str) -> str:
    return (
        '<p style="max-width: 60em; margin: 0.3em 0; line-height: 1.45"><b>Notice:</b> '
        f"{html.escape(notice)}</p>"
    )
