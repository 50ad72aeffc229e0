"""How every figure of the course looks: palette, colour maps, titles, the same look for the same thing."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patheffects import withStroke
from matplotlib.textpath import text_to_path

__all__ = [
    "ACCENT",
    "BASELINE",
    "CYCLIC",
    "DIVERGING",
    "GROUND",
    "HALO",
    "INK",
    "KNOWN",
    "LINES",
    "LOOKS",
    "MARKERS",
    "MUTED",
    "NOTHING",
    "PALETTE",
    "QUIET",
    "ROLES",
    "SEQUENTIAL",
    "Look",
    "draw_references",
    "looks_of",
    "new_figure",
    "place",
    "put_title",
    "reference_look",
    "style",
    "title_height",
    "written",
]

# Ten colours that stay apart under protanopia, deuteranopia and tritanopia: Okabe–Ito has only eight, and
# there are ten digits. Source: Petroff 2021, "Accessible color sequences for data visualization".
PALETTE = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
MARKERS = "osD^vPX*<>"  # one for each colour: nothing is told by colour alone
LINES = ("-", "--", "-.", (0, (1, 1)), (0, (9, 2)), (0, (3, 1, 1, 1, 1, 1)))
INK = "#1f2430"  # text and axes
QUIET = "#5f6570"  # text that steps back: 6 to 1 against white
MUTED = "#8a8f99"  # lines that step back; too faint for text
BASELINE = "#dfe2e8"  # bars that something is compared with
GROUND = "#eef0f4"  # areas behind lines and letters
NOTHING = "#e3e5ea"  # grid lines, and where there is nothing: no object, no depth
ACCENT = "#0b5fa5"  # what the figure is about: 6.4 to 1 against white

SEQUENTIAL = mpl.colormaps["viridis"]
DIVERGING = mpl.colormaps["RdBu"]  # ColorBrewer: its ends stay apart under all three colour blindnesses
# matplotlib's cyclic maps pass through near-white, where points vanish on paper.
CYCLIC = LinearSegmentedColormap.from_list(
    "course_cyclic", ["#5b2a4c", "#8c3b2e", "#c07a2c", "#c9c06a", "#79bfa5", "#3f83b5", "#3d4a8c", "#5b2a4c"]
)

HALO = (withStroke(linewidth=3, foreground="white"),)  # around what is written on a picture or on lines

_TITLE = FontProperties(family="DejaVu Sans", size=13.0, weight="bold")
_TITLE_LINE = 0.24  # inches
_TITLE_EDGE = 0.1  # inches from the figure's edges


@dataclass(frozen=True)
class Look:
    """How one thing is drawn wherever it appears."""

    colour: str
    line: Any
    marker: str | None


LOOKS = tuple(
    Look(colour, LINES[index % len(LINES)], marker)
    for index, (colour, marker) in enumerate(zip(PALETTE, MARKERS, strict=True))
)

# What is not learned or measured but known steps back, and is the same in every week.
KNOWN = {
    "truth": Look(MUTED, "--", None),
    "chance": Look(MUTED, ":", None),
    "ceiling": Look(MUTED, (0, (6, 2)), None),
}
_OTHER_REFERENCE = Look(MUTED, "-.", None)

# Things that come again in other weeks. What is seen and what is held out, and what is from images and from
# texts, are each the first two; methods that are compared in several weeks keep their own.
ROLES = {
    **dict.fromkeys(("known", "training", "base classes", "images"), LOOKS[0]),
    **dict.fromkeys(("held out", "new classes", "captions"), LOOKS[1]),
    "linear probe": LOOKS[2],
    **dict.fromkeys(("prompt", "learned prompt"), LOOKS[4]),
    "LoRA": LOOKS[6],
    "full": LOOKS[5],
}

_SETTINGS = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same figure on every machine
    "font.size": 11.0,
    "axes.titlesize": 12.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 8.0,
    "axes.labelsize": 11.0,
    "xtick.labelsize": 10.0,
    "ytick.labelsize": 10.0,
    "legend.fontsize": 10.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=PALETTE),
    "axes.axisbelow": True,
    "grid.color": NOTHING,
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "image.cmap": "viridis",
    "figure.facecolor": "white",  # also in a dark theme: colours were chosen against white
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "text.usetex": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the course's look inside a `with` block and nowhere else.

    Figures must be drawn as well as made inside it; the functions of this package and `show` do so.
    """
    with mpl.rc_context(_SETTINGS):
        yield


def new_figure(width: float, height: float, *, layout: str | None = None) -> Figure:
    """Make a figure that pyplot does not know of, so nobody has to close it.

    Args:
        width: inches; 9 is the width of a notebook's output.
        height: inches.
        layout: "constrained" where matplotlib is to find room for tick labels. Where sizes are known, axes
            are put with `place`, which is exact and faster.

    Returns:
        An empty figure.
    """
    return Figure(figsize=(width, height), layout=layout)


def place(
    figure: Figure, *, left: float, top: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """Give the rectangle that `add_axes` wants, from inches counted from the figure's top left corner.

    Args:
        figure: where the axes go.
        left: inches from the left edge.
        top: inches from the top edge.
        width: inches.
        height: inches.

    Returns:
        Left, bottom, width and height as fractions of the figure.
    """
    across, down = figure.get_size_inches()
    return left / across, 1 - (top + height) / down, width / across, height / down


def looks_of(names: Iterable[str]) -> dict[str, Look]:
    """Give each of the things in a figure its look: `KNOWN` and `ROLES` theirs, all others what is left.

    Args:
        names: at most ten that are not in `KNOWN`.

    Returns:
        Name → look, in the names' order.
    """
    given: dict[str, Look] = {}
    for name in (names := list(names)):
        role = KNOWN.get(name) or ROLES.get(name)
        if role is not None and role not in given.values():
            given[name] = role
    left = iter([look for look in LOOKS if look not in given.values()])
    return {name: given[name] if name in given else next(left) for name in names}


def reference_look(name: str) -> Look:
    """The look of a line that is there to compare with: chance is dotted, a ceiling dashed, others both."""
    return KNOWN.get(name, _OTHER_REFERENCE)


def title_height(title: str | None, width: float) -> float:
    """Say how many inches a figure's title takes at its top.

    Args:
        title: the title, or None.
        width: inches of the figure.
    """
    return 0.14 + _TITLE_LINE * len(_title_lines(title, width)) if title else 0.0


def put_title(figure: Figure, title: str | None) -> None:
    """Write the figure's title into the `title_height` inches at its top left; nothing if there is none.

    A layout engine is told to leave that room.
    """
    if not title:
        return
    width, height = figure.get_size_inches()
    if (engine := figure.get_layout_engine()) is not None:
        engine.set(rect=(0, 0, 1, 1 - title_height(title, width) / height))
    figure.suptitle(
        "\n".join(_title_lines(title, width)),
        x=_TITLE_EDGE / width,
        y=1 - 0.08 / height,
        ha="left",
        va="top",
        fontproperties=_TITLE,
        linespacing=1.15,
    )


def _title_lines(title: str, width: float) -> list[str]:
    """Break a title where it would reach the figure's other edge."""
    lines: list[str] = []
    for paragraph in title.split("\n"):
        lines.append("")
        for word in paragraph.split():
            longer = f"{lines[-1]} {word}".lstrip()
            points, *_ = text_to_path.get_text_width_height_descent(longer, _TITLE, ismath=False)
            if lines[-1] and 1.04 * points / 72 > width - 2 * _TITLE_EDGE:
                lines.append(word)
            else:
                lines[-1] = longer
    return lines


def draw_references(axes: Axes, references: Mapping[str, float], *, side: str) -> None:
    """Draw horizontal lines with their names above them, or below where another name stands above.

    Call it when everything else is drawn: it looks where there is room.

    Args:
        axes: where to.
        references: name → height.
        side: "left" or "right", where the names stand.
    """
    for name, height in references.items():
        look = reference_look(name)
        axes.axhline(height, color=look.colour, linewidth=1.4, linestyle=look.line, zorder=1)
    to_axes = axes.transData + axes.transAxes.inverted()
    above = 2.0  # where the line above the present one is, in heights of the axes
    for name in sorted(references, key=lambda name: references[name], reverse=True):
        here = to_axes.transform((1, references[name]))[1]
        crowded = above - here < 0.08
        axes.annotate(
            name,
            (0.005 if side == "left" else 0.99, references[name]),
            xycoords=("axes fraction", "data"),
            xytext=(0, -3 if crowded else 3),
            textcoords="offset points",
            ha=side,
            va="top" if crowded else "bottom",
            fontsize=9,
            path_effects=HALO,
            zorder=5,
        )
        above = here


def written(text: str, length: int) -> str:
    """Make a text of any origin fit for a figure: in one line, short, in characters that the font has.

    Args:
        text: what somebody typed, or a tokenizer's word.
        length: letters at most; what is longer ends in an ellipsis.

    Returns:
        The text; [U+4E00] stands for a character that the font lacks, of which matplotlib would warn.
    """
    with style():
        font = get_font(findfont("DejaVu Sans"))
    letters = [
        letter if font.get_char_index(ord(letter)) else f"[U+{ord(letter):04X}]"
        for letter in " ".join(text.split())
    ]
    line = "".join(letters)
    return line if len(line) <= length else line[: length - 1] + "…"
