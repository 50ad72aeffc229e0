"""Which frequencies sound when: spectrograms under each other, with the words that are spoken."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_array
from mmdl_course.viz.style import BASELINE, INK, SEQUENTIAL, new_figure, place, put_title, style, title_height

__all__ = ["spectrogram"]

_LEFT, _WIDTH, _RIGHT = 0.85, 7.05, 1.1  # inches: labels, picture, colour bar
_HEIGHT = 1.75  # inches of a panel
_NAME = 0.32  # inches for a panel's name above it
_WORDS = 0.2  # inches for the words
_SCALE = 0.55  # inches below the last panel
_MOST = 4  # panels


def spectrogram(
    panels: Mapping[str, Any],
    *,
    rate: float,
    hop: int,
    words: Sequence[tuple[str, int, int]] = (),
    reach: float = 60.0,
    highest: float | None = None,
    title: str | None = None,
) -> Figure:
    """Draw spectrograms of one signal under each other, on one axis of time.

    The colours of each panel count down from its own loudest number, as longer frames gather more power. A
    frame is drawn around the middle of the samples that it was computed from, as wide as the hop; before the
    first and after the last the panel is grey.

    Args:
        panels: name → Float "frame bin", decibels, bins from 0 to half the rate; at most four. The frames
            have 2·(bins - 1) samples.
        rate: samples a second.
        hop: samples from the start of one frame to the start of the next.
        words: word, its first sample and the sample after its last one; written above, and marked by lines.
        reach: decibels below the loudest that are shown.
        highest: frequency at the top, Hz; half the rate when not given.
        title: the figure's title.

    Returns:
        The figure, 9 inches wide.

    Raises:
        ValueError: wrong shapes, too many panels, values that are no numbers, or a scale that is no scale.
    """
    if not 1 <= len(panels) <= _MOST:
        raise ValueError(f"spectrogram: 1 … {_MOST} panels, got {len(panels)}.")
    for name, value in {"rate": rate, "hop": hop, "reach": reach, "highest": highest or rate / 2}.items():
        if not 0 < value < np.inf:
            raise ValueError(f"spectrogram: {name} must be above 0, got {value}.")
    values = {name: _checked(name, given) for name, given in panels.items()}
    seconds = max((len(level) - 1) * hop + 2 * (level.shape[1] - 1) for level in values.values()) / rate
    width = _LEFT + _WIDTH + _RIGHT
    head = (title_height(title, width) or 0.05) + (_WORDS if words else 0.0)
    with style():
        figure = new_figure(width, head + len(values) * (_NAME + _HEIGHT) + _SCALE)
        put_title(figure, title)
        for row, (name, level) in enumerate(values.items()):
            top = head + row * (_NAME + _HEIGHT) + _NAME
            axes = figure.add_axes(
                place(figure, left=_LEFT, top=top, width=_WIDTH, height=_HEIGHT), label=f"panel {name}"
            )
            _draw(axes, level, rate=rate, hop=hop, reach=reach)
            axes.set(xlim=(0, seconds), ylim=(0, highest or rate / 2), ylabel="frequency (Hz)")
            axes.set_title(name, loc="left", fontsize=10, fontweight="normal", pad=4)
            for word, start, end in words:
                axes.axvline(start / rate, color="white", linewidth=0.7)
                axes.axvline(end / rate, color="white", linewidth=0.7, linestyle=":")
                if row == 0:
                    axes.annotate(
                        word,
                        ((start + end) / 2 / rate, 1.0),
                        xycoords=("data", "axes fraction"),
                        xytext=(0, 72 * _NAME - 5),
                        textcoords="offset points",
                        ha="center",
                        va="bottom",
                        fontsize=9.5,
                        color=INK,
                    )
            if row + 1 < len(values):
                axes.tick_params(labelbottom=False)
            else:
                axes.set_xlabel("time (s)")
        bar = figure.colorbar(
            ScalarMappable(Normalize(-reach, 0), SEQUENTIAL),
            cax=figure.add_axes(
                place(figure, left=_LEFT + _WIDTH + 0.12, top=head + _NAME, width=0.13, height=_HEIGHT),
                label="scale",
            ),
        )
        bar.outline.set_visible(False)
        bar.set_label("dB from loudest")
    return figure


def _checked(name: str, given: Any) -> Float[np.ndarray, "frame bin"]:
    level = as_array(given, name=f"spectrogram, '{name}'", shape=("frame", "bin"), kinds="f")
    if not np.isfinite(level).all():
        raise ValueError(
            f"spectrogram, '{name}': some values are NaN or infinite; the log of zero needs a floor."
        )
    if level.shape[1] < 2:
        raise ValueError(f"spectrogram, '{name}': one bin alone is no spectrogram.")
    return level


def _draw(axes: Axes, level: np.ndarray, *, rate: float, hop: int, reach: float) -> None:
    size = 2 * (level.shape[1] - 1)
    first = (size - hop) / 2 / rate  # left edge of the first frame's column
    half = rate / size / 2  # of a bin
    axes.imshow(
        level.T - level.max(),
        cmap=SEQUENTIAL,
        norm=Normalize(-reach, 0),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(first, first + len(level) * hop / rate, -half, rate / 2 + half),
    )
    axes.set_facecolor(BASELINE)  # where there is no frame: not silence
