"""How every figure of the course looks: one palette, three colour maps, sizes that can be read on a slide."""

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

__all__ = ["ACCENT", "CYCLIC", "DIVERGING", "INK", "MUTED", "PALETTE", "SEQUENTIAL", "new_figure", "style"]

# Ten colours that stay apart under protanopia, deuteranopia and tritanopia; Okabe–Ito has only eight, and there
# are ten digits. Source: Petroff 2021, "Accessible color sequences for data visualization", table 1.
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
INK = "#1f2430"  # text and axes
MUTED = "#8a8f99"  # baselines, reference lines, what should step back
ACCENT = "#0b5fa5"  # what the figure is about: 6.4 to 1 against white

SEQUENTIAL = mpl.colormaps["viridis"]
DIVERGING = mpl.colormaps["PuOr_r"]
# matplotlib's cyclic maps pass through near-white, where points vanish on paper.
CYCLIC = LinearSegmentedColormap.from_list(
    "course_cyclic", ["#5b2a4c", "#8c3b2e", "#c07a2c", "#c9c06a", "#79bfa5", "#3f83b5", "#3d4a8c", "#5b2a4c"]
)

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
    "figure.titlesize": 14.0,
    "figure.titleweight": "bold",
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


def new_figure(width: float, height: float) -> Figure:
    """Make a figure that pyplot does not know of, so nobody has to close it.

    Args:
        width: inches; 9 is the width of a notebook's output.
        height: inches.

    Returns:
        An empty figure with constrained layout.
    """
    return Figure(figsize=(width, height), layout="constrained")
