"""The deck's picture of every pipeline: where the lesson is, or what one pipeline is made of."""

import itertools
import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon

from mmdl_course.viz.style import (
    ACCENT,
    BASELINE,
    GROUND,
    INK,
    MUTED,
    new_figure,
    put_title,
    style,
    title_height,
)

__all__ = ["STAGES", "DrawnPart", "draw_pipeline", "flow", "pipeline_diagram", "pipeline_height"]

STAGES = ("x", "encoder", "z", "decoder", "y")
_SYMBOLS = {"x": "x", "encoder": "f", "z": "z", "decoder": "g", "y": "y"}
_NAMES = {"x": "data", "encoder": "encoder", "z": "latent", "decoder": "decoder", "y": "output"}
# Left edge, right edge, height at the left, height at the right; the encoder narrows, the decoder widens.
_SHAPES = {
    "x": (0.35, 1.25, 1.0, 1.0),
    "encoder": (1.95, 3.45, 1.0, 0.45),
    "z": (4.15, 4.85, 0.45, 0.45),
    "decoder": (5.55, 7.05, 0.45, 1.0),
    "y": (7.75, 8.65, 1.0, 1.0),
}


def flow(*, highlight: str | Collection[str], notes: Mapping[str, str] | None = None) -> Figure:
    """Draw x → encoder f → z → decoder g → y and mark where we are.

    Args:
        highlight: the stage or stages this lesson is about, of `STAGES`.
        notes: stage → what it is in this lesson, such as "64 × 64 image" for x; else its general name.

    Returns:
        The figure, 9 inches wide.

    Raises:
        ValueError: a stage that does not exist.

    Source: deck A, slides A52–A59.
    """
    lit_stages = {highlight} if isinstance(highlight, str) else set(highlight)
    for stage in (*lit_stages, *(notes or {})):
        if stage not in STAGES:
            raise ValueError(f"flow: there is no stage '{stage}'; the stages are {', '.join(STAGES)}.")
    with style():
        figure = new_figure(9.0, 1.55)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, 9), ylim=(-0.95, 0.6))
        axes.set_axis_off()
        for stage in STAGES:
            left, right, tall, short = _SHAPES[stage]
            lit = stage in lit_stages
            axes.add_patch(
                Polygon(
                    [(left, -tall / 2), (left, tall / 2), (right, short / 2), (right, -short / 2)],
                    facecolor=ACCENT if lit else GROUND,
                    edgecolor=ACCENT if lit else MUTED,
                    linewidth=1.5,
                    joinstyle="round",
                    label=stage,
                )
            )
            middle = (left + right) / 2
            _draw_letter(axes, _SYMBOLS[stage], middle, 0.0, size=16.0, lit=lit)
            axes.text(
                middle,
                -0.62,
                (notes or {}).get(stage, _NAMES[stage]),
                ha="center",
                va="top",
                fontsize=10.5,
                fontweight="bold" if lit else "normal",
                color=ACCENT if lit else INK,
            )
        for before, after in itertools.pairwise(STAGES):
            axes.add_patch(
                FancyArrowPatch(
                    (_SHAPES[before][1] + 0.08, 0),
                    (_SHAPES[after][0] - 0.08, 0),
                    arrowstyle="-|>",
                    mutation_scale=13,
                    color=INK,
                    shrinkA=0,
                    shrinkB=0,
                )
            )
    return figure


@runtime_checkable
class DrawnPart(Protocol):
    """What is drawn of a part of a pipeline; `mmdl_course.pipelines.compose.Part` has it."""

    letter: str  # "x", "f", "z", "g" or "y"
    name: str  # the input that x, f and z belong to
    numbers: int  # what f or g holds
    moves: int  # how many of these are learned

    @property
    def size(self) -> str:
        """One short text, such as "64 × 64" or "4,160 numbers, learned"."""


_COLUMN = {"x": 0.75, "f": 2.55, "z": 4.35, "g": 6.2, "y": 8.15}  # inches, the middles
_HALF = {"x": 0.42, "f": 0.5, "z": 0.3, "g": 0.5, "y": 0.42}  # half widths
_ENDS = {"x": (0.6, 0.6), "f": (0.6, 0.34), "z": (0.34, 0.34), "g": (0.34, 0.6), "y": (0.6, 0.6)}
_LANE = 1.35  # inches for an input
_SIGNAL = 0.5  # inches for what teaches


def pipeline_height(parts: Sequence[DrawnPart]) -> float:
    """Inches that a pipeline's drawing needs."""
    return _LANE * max(1, len(_inputs(parts))) + _SIGNAL


def pipeline_diagram(parts: Sequence[DrawnPart], *, signal: str, title: str | None = None) -> Figure:
    """Draw what a pipeline is made of: its letters, their sizes, and which of them learn from what.

    What learns is blue, what is frozen is grey and hatched, what has nothing to learn is white.

    Args:
        parts: x, f and z of each input, then g and y.
        signal: who tells θ what to learn.
        title: the figure's title.

    Returns:
        The figure, 9 inches wide.

    Raises:
        ValueError: a letter that does not exist, or no input, g or y.

    Source: deck A, slides 67 to 69.
    """
    height = pipeline_height(parts)
    head = title_height(title, 9.0) or 0.05
    with style():
        figure = new_figure(9.0, height + head)
        axes = figure.add_axes((0, 0, 1, height / (height + head)))
        draw_pipeline(axes, parts, signal=signal)
        put_title(figure, title)
    return figure


def draw_pipeline(axes: Axes, parts: Sequence[DrawnPart], *, signal: str) -> None:
    """The same into axes that are 9 inches wide and `pipeline_height` high.

    Args:
        axes: where to.
        parts: x, f and z of each input, then g and y.
        signal: who tells θ what to learn.

    Raises:
        ValueError: see `pipeline_diagram`.
    """
    inputs = _inputs(parts)
    letters = [part.letter for part in parts]
    lacking = any(sorted(p.name for p in parts if p.letter == letter) != sorted(inputs) for letter in "fz")
    if lacking or {*letters} - {*_COLUMN} or not inputs or letters.count("g") != 1 or letters.count("y") != 1:
        raise ValueError(
            "pipeline_diagram: give x, f and z of each input, one g and one y; got "
            + ", ".join(f"{part.letter} {part.name}".strip() for part in parts)
        )
    lanes = len(inputs)
    height = pipeline_height(parts)
    axes.set(xlim=(0, 9), ylim=(0, height))
    axes.set_axis_off()
    middle = _SIGNAL + lanes * _LANE / 2
    level = {name: _SIGNAL + (lanes - 1 - lane + 0.5) * _LANE for lane, name in enumerate(inputs)}
    place = {}
    for part in parts:
        across, up = _COLUMN[part.letter], level.get(part.name, middle) if part.letter in "xfz" else middle
        up += 0.22  # room for the text below
        place[part.letter, part.name if part.letter in "xfz" else ""] = (across, up)
        _draw_part(axes, part, across, up)
    for name in inputs:
        for before, after in (("x", "f"), ("f", "z"), ("z", "g")):
            start = place[before, name]
            end = place[after, "" if after == "g" else name]
            _draw_arrow(axes, (start[0] + _HALF[before], start[1]), (end[0] - _HALF[after], end[1]))
    start, end = place["g", ""], place["y", ""]
    _draw_arrow(axes, (start[0] + _HALF["g"], start[1]), (end[0] - _HALF["y"], end[1]))

    learned = sum(part.moves for part in parts)
    first = min((_COLUMN[part.letter] for part in parts if part.moves), default=None)
    if first is not None:
        axes.plot([_COLUMN["y"], _COLUMN["y"], first], [0.52, 0.4, 0.4], color=ACCENT, linestyle="--", lw=1.3)
        axes.annotate(
            "",
            (first, 0.6),
            (first, 0.38),
            arrowprops={"arrowstyle": "-|>", "color": ACCENT, "linestyle": "--", "shrinkA": 0, "shrinkB": 0},
        )
    told = f"θ: {learned:,} numbers learn here, from " if learned else "θ: nothing is learned here; "
    axes.text(0.2, 0.16, told + signal, fontsize=10, va="center")


def _inputs(parts: Sequence[DrawnPart]) -> list[str]:
    return [part.name for part in parts if part.letter == "x"]


def _draw_part(axes: Axes, part: DrawnPart, across: float, up: float) -> None:
    half, (left, right) = _HALF[part.letter], _ENDS[part.letter]
    learned, frozen = part.moves > 0, part.numbers > 0 and part.moves == 0
    axes.add_patch(
        Polygon(
            [
                (across - half, up - left / 2),
                (across - half, up + left / 2),
                (across + half, up + right / 2),
                (across + half, up - right / 2),
            ],
            facecolor=ACCENT if learned else BASELINE if frozen else "white",
            edgecolor=ACCENT if learned else MUTED,
            hatch="///" if frozen else None,
            linewidth=1.4,
            joinstyle="round",
            label=f"{part.letter} {part.name}".strip(),
        )
    )
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85} if frozen else None
    _draw_letter(axes, part.letter, across, up, size=15.0, lit=learned, bbox=behind)
    lines = [part.name] if part.letter == "x" and part.name != part.size else []
    lines += textwrap.wrap(part.size, width=22)
    axes.text(across, up - 0.36, "\n".join(lines), ha="center", va="top", fontsize=9, linespacing=1.15)


def _draw_letter(
    axes: Axes, letter: str, across: float, up: float, *, size: float, lit: bool, **options: Any
) -> None:
    """A letter of the deck, as the deck writes it."""
    axes.text(
        across,
        up,
        letter,
        ha="center",
        va="center",
        fontsize=size,
        fontstyle="italic",
        fontfamily="DejaVu Serif",
        color="white" if lit else INK,
        **options,
    )


def _draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(
        FancyArrowPatch(
            (start[0] + 0.06, start[1]),
            (end[0] - 0.06, end[1]),
            arrowstyle="-|>",
            mutation_scale=11,
            color=INK,
            shrinkA=0,
            shrinkB=0,
        )
    )
