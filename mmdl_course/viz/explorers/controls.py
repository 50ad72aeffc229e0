"""What a reader can turn: sliders, lists and boxes, each with its label and where it starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["LOOK", "Choice", "Control", "TextControl"]

LOOK = {"style": {"description_width": "12em"}, "layout": {"width": "36em", "max_width": "100%"}}


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
                **LOOK,
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
            widgets.Dropdown(description=self.label, options=list(self.values), value=self.start, **LOOK),
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

        # A text is a question only when it is ended with Enter: half a word would ask the model in vain.
        box = widgets.Text(description=self.label, value=self.start, continuous_update=False, **LOOK)
        choice = widgets.Dropdown(description="or take", options=list(self.values), value=self.start, **LOOK)

        def take(change: Any) -> None:
            if change["new"] is not None:
                box.value = change["new"]

        def typed(change: Any) -> None:
            # Nothing is chosen beside a text of one's own: each suggestion can be taken again.
            choice.value = change["new"] if change["new"] in self.values else None

        choice.observe(take, names="value")
        box.observe(typed, names="value")
        return box, choice
