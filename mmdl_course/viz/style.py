"""How every figure of the course looks: one palette, three colour maps, sizes that can be read on a slide."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

__all__ = [
    "ACCENT",
    "BASELINE",
    "CYCLIC",
    "INK",
    "LINES",
    "MARKERS",
    "MUTED",
    "PALETTE",
    "SEQUENTIAL",
    "TITLE_HEIGHT",
    "draw_references",
    "new_figure",
    "place",
    "put_title",
    "style",
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
LINES = ("-", "--", "-.", (0, (1, 1)))
INK = "#1f2430"  # text and axes
MUTED = "#8a8f99"  # baselines, reference lines, what should step back
BASELINE = "#dfe2e8"  # bars that something is compared with
ACCENT = "#0b5fa5"  # what the figure is about: 6.4 to 1 against white

SEQUENTIAL = mpl.colormaps["viridis"]
# matplotlib's cyclic maps pass through near-white, where points vanish on paper.
CYCLIC = LinearSegmentedColormap.from_list(
    "course_cyclic", ["#5b2a4c", "#8c3b2e", "#c07a2c", "#c9c06a", "#79bfa5", "#3f83b5", "#3d4a8c", "#5b2a4c"]
)

TITLE_HEIGHT = 0.38  # inches for a figure's title

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
    "grid.color": "#e3e5ea",
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


def put_title(figure: Figure, title: str | None) -> None:
    """Write the figure's title into the `TITLE_HEIGHT` inches at its top; nothing if there is none."""
    if title:
        figure.text(
            0.5,
            1 - 0.1 / figure.get_figheight(),
            title,
            ha="center",
            va="top",
            fontsize="x-large",
            fontweight="bold",
        )


def draw_references(axes: Axes, references: Mapping[str, float], *, side: str) -> None:
    """Draw dotted horizontal lines with their names above them.

    Args:
        axes: where to.
        references: name → height.
        side: "left" or "right", where the names stand.
    """
    for name, height in references.items():
        axes.axhline(height, color=INK, linewidth=1.2, linestyle=":", zorder=1)
        axes.annotate(
            name,
            (0.005 if side == "left" else 0.99, height),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            ha=side,
            fontsize=9,
        )


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
