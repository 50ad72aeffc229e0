"""How many context vectors to learn for a prompt: accuracy at each length, and the words nearest to them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from mmdl_course.viz.arrays import as_array
from mmdl_course.viz.explorers.base import Control, Explorer
from mmdl_course.viz.style import (
    ACCENT,
    BASELINE,
    INK,
    MUTED,
    QUIET,
    looks_of,
    new_figure,
    place,
    reference_look,
    style,
    written,
)

__all__ = ["context_length"]

_MOST_LINES = 6
_ROW = 0.26  # inches of a word
_WORDS = 4.75  # inches, where the list of words starts
_MOST_WORDS = 16


def context_length(
    accuracy: Mapping[str, Mapping[int, Any]],
    *,
    words: Mapping[int, Sequence[tuple[str, float]]],
    start: int = 4,
    chance: float | None = None,
) -> Explorer:
    """A slider over the number M of learned context vectors: how accurate the prompt is, and how it reads.

    Args:
        accuracy: name of the classes, such as "new classes" → M → Float "seed", 0 … 1; at most six names, all
            measured at the same M's with as many seeds.
        words: M → for each of the M context vectors in order, the nearest word of the vocabulary and its
            distance; M is at most 16.
        start: the M of the first picture.
        chance: accuracy of guessing, 0 … 1; a dotted line.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: no accuracies, seeds or lengths that differ between names, accuracies outside 0 … 1, not M
            words for M vectors, a distance that is none, or a start that was not measured.

    Source: Zhou et al. 2022, "Learning to prompt for vision-language models" (CoOp).
    """
    values = _checked_accuracy(accuracy)
    lengths = tuple(next(iter(values.values())))
    if start not in lengths:
        raise ValueError(
            f"context_length, start: nothing was measured at M = {start}; choose one of {_listed(lengths)}."
        )
    if chance is not None and not 0 <= chance <= 1:
        raise ValueError(f"context_length, chance: an accuracy lies in 0 … 1, got {chance}.")
    read = _checked_words(words, lengths)

    def draw(length: int) -> Figure:
        return _figure(values, read, length, chance)

    def describe(length: int) -> str:
        measured = "; ".join(f"{name} {_percent(seeds[length])}" for name, seeds in values.items())
        count = len(next(iter(values.values()))[length])
        guessed = "" if chance is None else f" Chance is {100 * chance:.1f} %."
        nearest = ", ".join(
            f"{position} {word} {distance:.2f}" for position, (word, distance) in enumerate(read[length], 1)
        )
        return (
            f"Accuracy with M = {length} learned context vectors ({_spread(count)}): {measured}.{guessed} "
            f"Measured at M = {_listed(lengths)}. Position, nearest word and its distance "
            f"for M = {length}: {nearest}."
        )

    control = Control("context vectors, M", lengths, start)
    best = ", ".join(f"{name} at M = {_best(seeds)}" for name, seeds in values.items())
    return Explorer(
        draw,
        describe=describe,
        notice=f"On average over the seeds the accuracy is highest for {best}; see whether the words read "
        "any better there.",
        controls={"length": control},
    )


def _checked_accuracy(
    accuracy: Mapping[str, Mapping[int, Any]],
) -> dict[str, dict[int, Float[np.ndarray, " seed"]]]:
    if not 1 <= len(accuracy) <= _MOST_LINES:
        raise ValueError(
            f"context_length, accuracy: 1 … {_MOST_LINES} lines can be told apart, got {len(accuracy)}."
        )
    first, lengths = next((name, sorted(measured)) for name, measured in accuracy.items())
    if not lengths or lengths[0] < 1 or lengths[-1] > _MOST_WORDS:
        raise ValueError(
            f"context_length, accuracy: give accuracies at lengths M of 1 … {_MOST_WORDS}, got "
            f"{_listed(lengths) or 'none'}."
        )
    values: dict[str, dict[int, np.ndarray]] = {}
    for name, measured in accuracy.items():
        if sorted(measured) != lengths:
            raise ValueError(
                f"context_length, accuracy of '{name}': measured at M = {_listed(sorted(measured))}, "
                f"'{first}' at M = {_listed(lengths)}; measure all at the same lengths."
            )
        values[name] = {
            length: as_array(
                measured[length],
                name=f"context_length, accuracy of '{name}' at M = {length}, one for each seed",
                shape=("seed",),
                kinds="fiu",
            ).astype(np.float64)
            for length in lengths
        }
        for length, seeds in values[name].items():
            where = f"context_length, accuracy of '{name}' at M = {length}"
            expected = len(values[first][lengths[0]])
            if len(seeds) != expected:
                raise ValueError(
                    f"{where}: {len(seeds)} seeds, but '{first}' at M = {lengths[0]} has {expected}; give "
                    "one accuracy for each seed everywhere."
                )
            if not ((seeds >= 0) & (seeds <= 1)).all():  # NaN is neither
                raise ValueError(
                    f"{where}: accuracies lie in 0 … 1, got {seeds.tolist()}; divide per cent by 100, and "
                    "train again what became NaN."
                )
    return values


def _checked_words(
    words: Mapping[int, Sequence[tuple[str, float]]], lengths: Sequence[int]
) -> dict[int, list[tuple[str, float]]]:
    if sorted(words) != list(lengths):
        raise ValueError(
            f"context_length, words: given for M = {_listed(sorted(words)) or 'none'}, but accuracy was "
            f"measured at M = {_listed(lengths)}; give the words of each of these contexts."
        )
    read = {}
    for length in lengths:
        read[length] = [(str(word), float(distance)) for word, distance in words[length]]
        if len(read[length]) != length:
            raise ValueError(
                f"context_length, words at M = {length}: {len(read[length])} words; give one (word, "
                f"distance) to each of the {length} context vectors."
            )
        for word, distance in read[length]:
            if not 0 <= distance < np.inf:
                raise ValueError(
                    f"context_length, words at M = {length}: the distance of '{word}' is {distance}; it must "
                    "be finite and not below 0."
                )
    return read


def _figure(
    values: Mapping[str, Mapping[int, np.ndarray]],
    read: Mapping[int, Sequence[tuple[str, float]]],
    length: int,
    chance: float | None,
) -> Figure:
    # The same height for every M, so that the page below does not jump while the slider moves.
    bars, legend = _ROW * max(read), 0.26 * (len(values) + (chance is not None)) + 0.35
    top, lines = 0.45, max(2.5, bars - legend)
    with style():
        figure = new_figure(9.0, top + max(lines + 0.55 + legend, bars + 0.6))
        axes = figure.add_axes(place(figure, left=0.75, top=top, width=3.65, height=lines), label="accuracy")
        _draw_lines(axes, values, length, chance)
        x, y, *_ = place(figure, left=0.65, top=top + lines + 0.5, width=0.0, height=0.0)
        figure.legend(
            *axes.get_legend_handles_labels(),
            loc="upper left",
            bbox_to_anchor=(x, y),
            borderaxespad=0.0,
            title=_spread(len(next(iter(values.values()))[length])),
            alignment="left",
            handlelength=3.0,
        )
        widest = max(len(written(word, 18)) for nearest in read.values() for word, _ in nearest)
        left = _WORDS + 0.45 + 0.088 * widest
        box = place(figure, left=left, top=top, width=8.4 - left, height=_ROW * length)
        farthest = max(distance for nearest in read.values() for _, distance in nearest)
        _draw_words(figure.add_axes(box, label="words"), read[length], farthest)
        for inches, heading in ((0.75, f"M = {length}"), (_WORDS, "nearest word to each context vector")):
            x, y, *_ = place(figure, left=inches, top=0.1, width=0.0, height=0.0)
            figure.text(x, y, heading, va="top", fontsize=12.5, fontweight="bold")
    return figure


def _draw_lines(
    axes: Axes, values: Mapping[str, Mapping[int, np.ndarray]], length: int, chance: float | None
) -> None:
    axes.axvline(length, color=ACCENT, linewidth=1.5, zorder=1)
    lengths = list(next(iter(values.values())))
    looks = looks_of(values)
    for name, measured in values.items():
        seeds = 100 * np.stack(list(measured.values()))  # (length, seed)
        mean = seeds.mean(axis=1)
        label = f"{written(name, 26)}: {_percent(measured[length])}"
        drawn = looks[name]
        look = {"color": drawn.colour, "marker": drawn.marker, "linestyle": drawn.line}
        axes.plot(lengths, mean, markersize=6, label=label.replace("$", r"\$"), zorder=3, **look)
        axes.plot(length, mean[lengths.index(length)], **{**look, "markersize": 10}, zorder=4)
        if seeds.shape[1] > 1:
            spread = seeds.std(axis=1, ddof=1)
            axes.fill_between(
                lengths, mean - spread, mean + spread, color=drawn.colour, alpha=0.2, linewidth=0
            )
    if chance is not None:
        drawn = reference_look("chance")
        axes.axhline(
            100 * chance,
            color=drawn.colour,
            linewidth=1.4,
            linestyle=drawn.line,
            label=f"chance: {100 * chance:.1f} %",
        )
    axes.set_xscale("log", base=2)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(lengths, [str(each) for each in lengths])
    axes.set_xlim(lengths[0] / 1.2, lengths[-1] * 1.2)
    axes.set(xlabel="number M of context vectors", ylabel="accuracy (%)")
    axes.grid(axis="y")


def _draw_words(axes: Axes, nearest: Sequence[tuple[str, float]], farthest: float) -> None:
    heights = np.arange(len(nearest))[::-1]
    distances = [distance for _, distance in nearest]
    axes.barh(heights, distances, height=0.62, color=BASELINE, edgecolor=MUTED, linewidth=0.8)
    words_at = -(axes.get_position().x0 * axes.figure.get_figwidth() - _WORDS)  # inches before the bars
    across = axes.get_position().width * axes.figure.get_figwidth()
    for y, (word, distance), number in zip(heights, nearest, range(1, len(nearest) + 1), strict=True):
        for inches, text, look in (
            (words_at + 0.22, str(number), {"ha": "right", "color": QUIET}),
            (words_at + 0.32, written(word, 18), {"ha": "left"}),
        ):
            axes.text(
                inches / across,
                y,
                text,
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=10,
                parse_math=False,
                **look,
            )
        axes.annotate(
            f"{distance:.2f}",
            (distance, y),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
            annotation_clip=False,
        )
    axes.set(
        xlim=(0, 1.02 * farthest or 1.0),
        ylim=(-0.5, len(nearest) - 0.5),
        yticks=[],
        xlabel="distance (units of the vectors)",
    )
    axes.spines["left"].set_color(INK)


def _best(measured: Mapping[int, np.ndarray]) -> int:
    return max(measured, key=lambda length: measured[length].mean())


def _percent(seeds: Float[np.ndarray, " seed"]) -> str:
    spread = f" ± {100 * seeds.std(ddof=1):.1f}" if len(seeds) > 1 else ""
    return f"{100 * seeds.mean():.1f}{spread} %"


def _spread(seeds: int) -> str:
    return f"mean ± standard deviation, {seeds} seeds" if seeds > 1 else "one seed"


def _listed(lengths: Sequence[int]) -> str:
    return ", ".join(map(str, lengths))
