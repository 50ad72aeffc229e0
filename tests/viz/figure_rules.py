"""Rules that every figure of the course keeps, checked on the figure as `viz.show` draws it.

Each rule takes a `Drawn` figure and returns complaints that name what is wrong.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from unittest import mock

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection, PathCollection
from matplotlib.colors import Colormap, ListedColormap, to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from seen_colours import contrast

from mmdl_course.viz import style as look
from mmdl_course.viz.display import _CSS_PIXELS_PER_INCH, _DENSITY

SMALLEST = 9.0  # points: 9 in a figure 9 inches wide is 1/72 of the slide's width
CONTRAST = 4.5  # WCAG 2.2, 1.4.3, for text
LARGE_CONTRAST = 3.0  # the same, for text of 14 points in bold or 18 points
GREY_CONTRAST = 3.0  # WCAG 2.2, 1.4.11: areas that are told apart without their hue
_TOUCHING = 2.0  # pixels that boxes of texts may share: they include room above and below the letters

# A scale of numbers says its unit, or that it has none: one of these words stands in its label.
UNITS = (
    "%", "s", "ms", "minutes", "Hz", "kHz", "dB", "nats", "bits", "degrees", "°", "radians", "pixels",
    "points", "units", "bytes", "numbers", "steps", "words", "tokens", "samples", "seconds",
    "hours", "positions",
)  # fmt: skip
DIMENSIONLESS = (
    "accuracy", "recall", "precision", "IoU", "AUC", "R²", "F1", "share", "probability", "similarity",
    "cosine", "trustworthiness", "rank", "number", "amplitude", "weight", "ratio", "score", "relative",
)  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """A figure after it was drawn once with its letters and once without them."""

    figure: Figure
    texts: dict[Text, Bbox]  # what is really drawn, in pixels from the lower left corner
    scales: dict[Text, tuple[Axes, str]]  # the texts among them that stand at an axis's ticks; "x" or "y"
    behind: np.ndarray  # (height, width, 3), 0 … 1: the figure without letters, the top row first


def drawn(figure: Figure) -> Drawn:
    """Draw a figure as `viz.show` does and note which texts appear where."""
    shown: list[Text] = []
    draw_text = Text.draw

    def note(text: Text, renderer: object) -> None:
        if text.get_visible() and text.get_text().strip():
            shown.append(text)
        draw_text(text, renderer)

    with look.style(), mock.patch.object(Text, "draw", note):
        figure.set_dpi(_CSS_PIXELS_PER_INCH * _DENSITY)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        # Of an annotation the text without its arrow.
        texts = {text: Text.get_window_extent(text, renderer) for text in shown}
        with mock.patch.object(renderer, "draw_text"):
            canvas.draw()
        behind = np.asarray(canvas.buffer_rgba())[..., :3] / 255
    ticks = {
        label: (axes, name)
        for axes in figure.findobj(Axes)
        for name, axis in (("x", axes.xaxis), ("y", axes.yaxis))
        for tick in (*axis.majorTicks, *axis.minorTicks)
        for label in (tick.label1, tick.label2)
    }
    return Drawn(figure, texts, {text: ticks[text] for text in texts if text in ticks}, behind)


def no_title(seen: Drawn) -> Iterator[str]:
    """A figure has a title: its own, or one above each panel, or a bold line at its top."""
    figure = seen.figure
    titles = [axes.get_title(loc) for axes in figure.findobj(Axes) for loc in ("left", "center", "right")]
    top = seen.behind.shape[0] - 0.6 * figure.dpi
    headings = [
        text for text, box in seen.texts.items() if text.get_weight() in ("bold", 700) and box.y1 > top
    ]
    if not any(title.strip() for title in titles) and not headings:
        yield "the figure has no title: say what is seen in it"


def no_label(seen: Drawn) -> Iterator[str]:
    """An axis with numbers at its ticks has a label; names at the ticks speak for themselves."""
    for axes, side in _numbered(seen):
        if not getattr(axes, f"{side}axis").label.get_text().strip():
            yield f"{_named(axes)}: numbers along {side}, but no label says what they are"


def no_unit(seen: Drawn) -> Iterator[str]:
    """The label of an axis with numbers says a unit, or a quantity that has none."""
    for axes, side in _numbered(seen):
        label = getattr(axes, f"{side}axis").label.get_text()
        if label.strip() and not says_unit(label):
            yield f"{_named(axes)}: no unit in the label {label!r} along {side}"


def says_unit(label: str) -> bool:
    """Whether a label names a unit of `UNITS` or a quantity of `DIMENSIONLESS`, or counts: "number of …"."""
    words = "|".join(re.escape(word) for word in (*UNITS, *DIMENSIONLESS))
    return bool(re.search(rf"(?<![\w])({words})(?![\w])", label))


def clipped(seen: Drawn) -> Iterator[str]:
    """No text leaves the picture."""
    height, width = seen.behind.shape[:2]
    for text, box in seen.texts.items():
        if min(box.x0, box.y0, width - box.x1, height - box.y1) < 0:
            yield f"cut off at the figure's edge: {text.get_text()!r}"


def overlapping(seen: Drawn) -> Iterator[str]:
    """No text stands on another."""
    # Slanted tick labels are parallel: their boxes overlap where the letters do not.
    slanted = {text for text in seen.texts if text.get_rotation() % 90 and text in seen.scales}
    for (one, first), (other, second) in itertools.combinations(seen.texts.items(), 2):
        if {one, other} <= slanted:
            continue
        common = Bbox.intersection(first, second)
        if common is not None and min(common.width, common.height) > _TOUCHING:
            yield f"one text on another: {one.get_text()!r} and {other.get_text()!r}"


def too_small(seen: Drawn) -> Iterator[str]:
    """Letters can be read from the back row."""
    for text in seen.texts:
        if text.get_fontsize() < SMALLEST - 1e-6:
            yield f"{text.get_fontsize():g} points are too small to read: {text.get_text()!r}"


def too_faint(seen: Drawn) -> Iterator[str]:
    """Letters stand out against what is behind them."""
    height, width = seen.behind.shape[:2]
    for text, box in seen.texts.items():
        colour = to_rgba(text.get_color(), text.get_alpha())
        bold = text.get_weight() in ("bold", 700)
        asked = LARGE_CONTRAST if text.get_fontsize() >= (14 if bold else 18) else CONTRAST
        halo = [effect for effect in text.get_path_effects() if isinstance(effect, withStroke)]
        if halo:
            pixels = np.array([to_rgb(halo[0]._gc["foreground"])])
        else:
            rows = slice(max(0, height - int(box.y1)), max(1, height - int(box.y0)))
            pixels = seen.behind[rows, max(0, int(box.x0)) : min(width, int(box.x1) + 1)].reshape(-1, 3)
        if not len(pixels):
            continue  # outside the picture: `clipped` says so
        letters = np.array(colour[:3]) * colour[3] + pixels * (1 - colour[3])
        # A line that runs behind a word does not hide it: a tenth of the pixels may be anything.
        reached = float(np.quantile(contrast(letters, pixels), 0.1))
        if reached < asked - 0.05:
            yield f"contrast of {reached:.1f}, {asked} are asked for: {text.get_text()!r}"


def colour_alone(seen: Drawn) -> Iterator[str]:
    """What is told by colour is told by a shape, dashes, a hatch, a name beside it or its lightness, too."""
    for legend in seen.figure.findobj(Legend):
        if shared := _same_shape(_keys_of(legend)):
            yield f"a legend tells {shared} entries apart by colour alone"
    beside = {text.get_text() for text in seen.texts if not _in_legend(text)}
    for axes in seen.figure.findobj(Axes):
        lines = [line for line in axes.lines if not line.get_label().startswith("_")]
        keys = [(_colour_of(line), _shape_of(line)) for line in lines if line.get_label() not in beside]
        if shared := _same_shape(keys):
            yield f"{_named(axes)}: {shared} lines are told apart by colour alone"
        yield from _clouds(axes)
        bars = [patch for container in axes.containers for patch in container if isinstance(patch, Patch)]
        for one, other in itertools.combinations({_bar_look(bar) for bar in bars}, 2):
            # What points the other way is told by its direction.
            if one[1:] == other[1:] and contrast(np.array(one[0]), np.array(other[0])) < GREY_CONTRAST:
                yield f"{_named(axes)}: bars are told apart by their hue alone"


def strange_colours(seen: Drawn) -> Iterator[str]:
    """Colours are the style's, or between them and white; artists called "picture" are as the camera saw."""
    for artist in seen.figure.findobj(lambda artist: artist.get_visible()):
        if artist.get_gid() == "picture":
            continue
        is_map = isinstance(artist, AxesImage) and artist.get_array().ndim == 2
        if is_map and not _known_map(artist.get_cmap()):
            yield f"a colour map that is none of the course's: {artist.get_cmap().name}"
        strange = [colour for colour in _colours_of(artist) if not _is_known(colour)]
        if strange:
            shown = np.round(strange[0], 2).tolist()
            yield f"{type(artist).__name__}: a colour that is not the course's, {shown}"


RULES: tuple[Callable[[Drawn], Iterator[str]], ...] = (
    no_title,
    no_label,
    no_unit,
    clipped,
    overlapping,
    too_small,
    too_faint,
    colour_alone,
    strange_colours,
)


def complaints(figure: Figure, *, rules: Sequence[Callable[[Drawn], Iterator[str]]] = RULES) -> list[str]:
    """Hold a figure against the rules: each complaint once, after its rule's name."""
    seen = drawn(figure)
    return list(dict.fromkeys(f"{rule.__name__}: {what}" for rule in rules for what in rule(seen)))


def _numbered(seen: Drawn) -> list[tuple[Axes, str]]:
    """Axes with numbers at their ticks, and along which side."""
    found = {
        seen.scales[text]: None
        for text in seen.texts
        if text in seen.scales and re.search(r"\d", text.get_text()) and not _words(text.get_text())
    }
    return list(found)


def _words(label: str) -> bool:
    return bool(re.search(r"[^\W\d_]{2,}", re.sub(r"\\[a-z]+", "", label)))


def _named(axes: Axes) -> str:
    return axes.get_label() or axes.get_title() or axes.get_title("left") or "axes"


def _in_legend(text: Text) -> bool:
    return any(text in legend.get_texts() for legend in text.figure.findobj(Legend))


def _keys_of(legend: Legend) -> list[tuple[tuple[float, ...], tuple[object, ...]]]:
    """Each colour of a legend and all shapes that are drawn in it: a line with error bars has three."""
    shapes: dict[tuple[float, ...], list[tuple[object, ...]]] = {}
    for part in legend.findobj(lambda part: isinstance(part, Line2D | Patch | PathCollection)):
        if part is legend.get_frame():
            continue
        shapes.setdefault(_colour_of(part), []).append(_shape_of(part))
    return [(colour, tuple(found)) for colour, found in shapes.items()]


def _colour_of(artist: object) -> tuple[float, ...]:
    if isinstance(artist, Line2D):
        return to_rgb(artist.get_color())
    if isinstance(artist, Patch):
        return to_rgb(artist.get_facecolor())
    if isinstance(artist, Collection) and len(artist.get_facecolor()):
        return to_rgb(artist.get_facecolor()[0])
    return (0.0, 0.0, 0.0)


def _shape_of(artist: object) -> tuple[object, ...]:
    if isinstance(artist, Line2D):
        dashes = artist._dash_pattern if artist.get_linestyle() != "None" else "none"
        return "line", str(artist.get_marker()), str(dashes)
    if isinstance(artist, Patch):
        return "patch", artist.get_hatch()
    if isinstance(artist, PathCollection):
        return "cloud", artist.get_paths()[0].vertices.round(3).tobytes()
    return (type(artist).__name__, "")


def _same_shape(keys: Sequence[tuple[tuple[float, ...], tuple[object, ...]]]) -> int:
    """How many differ in colour from another of the same shape, though not in lightness."""
    return sum(
        any(
            shape == other_shape
            and colour != other
            and contrast(np.array(colour), np.array(other)) < GREY_CONTRAST
            for other, other_shape in keys
        )
        for colour, shape in keys
    )


def _clouds(axes: Axes) -> Iterator[str]:
    clouds = [cloud for cloud in axes.collections if isinstance(cloud, PathCollection)]
    known = {tuple(np.round(to_rgb(shade), 3)) for shade in look.PALETTE}
    shapes: dict[object, set[tuple[float, ...]]] = {}
    for cloud in clouds:
        if cloud.get_gid() == "picture":
            continue
        shades = {tuple(shade) for shade in np.round(cloud.get_facecolor()[:, :3], 3)}
        shapes.setdefault(_shape_of(cloud), set()).update(shades & known)
    for shades in shapes.values():
        names = [text for text in axes.texts if text.get_visible() and text.get_text().strip()]
        if len(shades) > 1 and len(names) < len(shades):
            yield f"{_named(axes)}: {len(shades)} kinds of points are told apart by colour alone"


def _bar_look(bar: Patch) -> tuple[tuple[float, ...], str | None, bool]:
    backwards = min(bar.get_width(), bar.get_height()) < 0
    return _colour_of(bar), bar.get_hatch(), backwards


def _known_map(colours: Colormap) -> bool:
    if isinstance(colours, ListedColormap) and len(colours.colors) <= 1 + len(look.PALETTE):
        return all(_is_known(np.array(to_rgb(colour))) for colour in colours.colors)
    steps = np.linspace(0, 1, 9)
    ours = (look.SEQUENTIAL, look.CYCLIC, look.DIVERGING)
    ways = (each(order) for each in ours for order in (steps, steps[::-1]))
    return any(np.allclose(colours(steps), way, atol=0.03) for way in ways)


def _colours_of(artist: object) -> np.ndarray:
    """Opaque or not, (n, 3): the colours in which something of the artist is drawn."""
    if isinstance(artist, Text):
        given = [artist.get_color()] if artist.get_text().strip() else []
    elif isinstance(artist, Line2D):
        marked = artist.get_marker() not in (None, "", "None", " ")
        given = [artist.get_color()] if artist.get_linestyle() != "None" else []
        given += [artist.get_markeredgecolor()] if marked else []
        given += [artist.get_markerfacecolor()] if marked and artist._marker.is_filled() else []
    elif isinstance(artist, Patch):
        given = [artist.get_facecolor(), artist.get_edgecolor()]
    elif isinstance(artist, Collection) and artist.get_array() is None:
        given = [*artist.get_facecolor(), *artist.get_edgecolor()]
    else:
        given = []
    rgba = np.array([to_rgba(colour) for colour in given if not isinstance(colour, str) or colour != "none"])
    return np.unique(rgba[rgba[:, 3] > 0, :3], axis=0) if len(rgba) else np.zeros((0, 3))


def _is_known(colour: np.ndarray) -> bool:
    """Whether a colour is one of the style's, or one of them mixed with white."""
    towards = 1 - _OURS  # (colour, 3)
    share = ((colour - _OURS) * towards).sum(1) / np.maximum((towards**2).sum(1), 1e-9)  # least squares
    mixed = _OURS + share.clip(0, 1)[:, None] * towards
    return bool(np.abs(mixed - colour).max(1).min() < 0.02)


_NAMED = (
    *look.PALETTE,
    look.INK,
    look.MUTED,
    look.QUIET,
    look.BASELINE,
    look.ACCENT,
    look.GROUND,
    look.NOTHING,
)
_OURS = np.concatenate(
    [
        [to_rgb(colour) for colour in _NAMED],
        *(each(np.linspace(0, 1, 256))[:, :3] for each in (look.SEQUENTIAL, look.CYCLIC, look.DIVERGING)),
    ]
)
