"""Type a prompt template, and see what it does to a zero-shot classifier: overall and class by class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Integer
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmdl_course.viz.arrays import as_array
from mmdl_course.viz.explorers.base import Explorer, TextControl
from mmdl_course.viz.style import (
    ACCENT,
    BASELINE,
    DIVERGING,
    INK,
    MUTED,
    NOTHING,
    PALETTE,
    new_figure,
    place,
    put_title,
    style,
    written,
)

__all__ = ["try_prompt"]

_SMALLEST_SCALE = 20  # points: a change of one image shall not look dramatic
_MOST_BARS = 12  # classes, where there is no grid
_LARGEST_GRID = (20, 12)  # rows and columns whose cells can still be read
_TOP = 0.56  # inches, of both panels' headings
_RIGHT = 4.1  # inches, where the right panel starts
_LETTER = 0.083  # inches, of a tick label


def try_prompt(
    classify: Callable[[str], Any],
    *,
    truth: Any,
    classes: Sequence[str],
    prompts: Sequence[str],
    grid: Sequence[Sequence[str]] | None = None,
) -> Explorer:
    """A box for a prompt template: the accuracy it gives, beside that of a reference on the same images.

    Both prompts see the same images, so their difference is known better than either accuracy: its standard
    error is that of the paired differences. It starts with the second prompt if there is one.

    Args:
        classify: template with one {} for the class's name → Int "image", the class number that each image
            gets. What it raises is shown in the picture's place, so that it may refuse a template with a
            reason.
        truth: Int "image", each image's class number.
        classes: their names, by number.
        prompts: templates to begin with; the first is the reference that all others are compared with.
        grid: names of rows and names of columns where the classes are all pairs of two things, such as
            colours and shapes; class = row · columns + column.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: no prompts, fewer than two classes, a grid that does not fit the classes or is larger than
            20 × 12, or class numbers that do not fit the images or the classes. Whatever `classify` raises
            for the first two prompts.
    """
    if isinstance(prompts, str) or not prompts:
        raise ValueError(
            'try_prompt: give a list of prompts, the reference first, such as ["a photo of a {}"].'
        )
    if isinstance(classes, str) or len(classes) < 2:
        raise ValueError(f"try_prompt: give the names of at least two classes, got {classes!r}.")
    if grid is not None:
        _check_grid(grid, count=len(classes))
    labels = _class_numbers(truth, name="try_prompt, truth", shape=("image",), count=len(classes))

    def right(prompt: str) -> Bool[np.ndarray, " image"]:
        name = "try_prompt, what classify returns"
        return _class_numbers(classify(prompt), name=name, shape=labels.shape, count=len(classes)) == labels

    reference = right(prompts[0])

    @lru_cache(maxsize=64)  # the picture and its alt text ask the same; a model may be slow
    def compared(prompt: str) -> _Comparison:
        typed = reference if prompt == prompts[0] else right(prompt)
        return _compare(reference, typed, labels, count=len(classes))

    def draw(prompt: str) -> Figure:
        return _figure(compared(prompt), prompt=prompt, reference=prompts[0], classes=classes, grid=grid)

    def describe(prompt: str) -> str:
        return _told(compared(prompt), prompt=prompt, reference=prompts[0], classes=classes)

    control = TextControl("prompt template", prompts, prompts[min(1, len(prompts) - 1)])
    return Explorer(
        draw,
        describe=describe,
        notice="A difference that is smaller than about twice its standard error may be chance: watch it, "
        "and not the two accuracies alone, when you change a word.",
        controls={"prompt": control},
    )


@dataclass(frozen=True)
class _Comparison:
    accuracy: tuple[float, float]  # %, of the reference and of the typed prompt
    error: tuple[float, float]  # % points, standard error of each
    difference: float  # points
    paired_error: float  # points, standard error of the difference
    to_right: int  # images
    to_wrong: int
    images: Integer[np.ndarray, " class_"]
    change: Float[np.ndarray, " class_"]  # points; NaN without images

    @property
    def ordered(self) -> list[int]:
        """Classes whose accuracy changed, the largest gain first."""
        order = np.argsort(-self.change, kind="stable")
        return [number for number in order.tolist() if abs(self.change[number]) > 0]  # NaN is not


def _compare(
    before: Bool[np.ndarray, " image"],
    after: Bool[np.ndarray, " image"],
    labels: Integer[np.ndarray, " image"],
    *,
    count: int,
) -> _Comparison:
    paired = after.astype(int) - before.astype(int)  # (image,)
    images = np.bincount(labels, minlength=count)  # (class,)
    gained = np.bincount(labels, weights=paired, minlength=count)  # (class,)
    root = np.sqrt(len(labels))
    return _Comparison(
        accuracy=(100 * float(before.mean()), 100 * float(after.mean())),
        error=(100 * float(before.std() / root), 100 * float(after.std() / root)),  # √(p (1 − p) / n)
        difference=100 * float(paired.mean()),
        paired_error=100 * float(paired.std() / root),
        to_right=int((paired > 0).sum()),
        to_wrong=int((paired < 0).sum()),
        images=images,
        change=np.where(images > 0, 100 * gained / images.clip(1), np.nan),
    )


def _check_grid(grid: Sequence[Sequence[str]], *, count: int) -> None:
    if len(grid) != 2:
        raise ValueError(f"try_prompt, grid: expected names of rows and of columns, got {len(grid)} lists.")
    rows, columns = map(len, grid)
    if rows * columns != count:
        raise ValueError(
            f"try_prompt, grid: {rows} rows × {columns} columns are {rows * columns} cells for {count} "
            "classes; name every row and column, or leave grid out."
        )
    if rows > _LARGEST_GRID[0] or columns > _LARGEST_GRID[1]:
        raise ValueError(
            f"try_prompt, grid: at most {_LARGEST_GRID[0]} rows × {_LARGEST_GRID[1]} columns can be read, "
            f"got {rows} × {columns}; leave grid out to see the classes that changed most."
        )


def _class_numbers(
    values: Any, *, name: str, shape: tuple[str | int, ...], count: int
) -> Integer[np.ndarray, " image"]:
    numbers = as_array(values, name=name, shape=shape, kinds="iu")
    low, high = int(numbers.min()), int(numbers.max())
    if low < 0 or high >= count:
        raise ValueError(
            f"{name}: class numbers must be 0 … {count - 1}, as there are {count} names in classes; got "
            f"{low} … {high}."
        )
    return numbers.astype(np.int64)


def _told(comparison: _Comparison, *, prompt: str, reference: str, classes: Sequence[str]) -> str:
    order = comparison.ordered
    gained = [number for number in order if comparison.change[number] > 0]
    lost = [number for number in reversed(order) if comparison.change[number] < 0]

    def most(numbers: Sequence[int]) -> str:
        listed = [f"{classes[number]} {_points(comparison.change[number])}" for number in numbers[:3]]
        return ", ".join(listed) or "none"

    by_class = (
        f"{len(gained)} of {len(classes)} classes gained, {len(lost)} lost. Gained most, in points: "
        f"{most(gained)}. Lost most: {most(lost)}."
        if order
        else "No class changed in accuracy."
    )
    before, after = (
        f"{accuracy:.1f} ± {error:.1f} %"
        for accuracy, error in zip(comparison.accuracy, comparison.error, strict=True)
    )
    return (
        f"Accuracy on {comparison.images.sum()} images: {before} with the reference “{reference}”, {after} "
        f"with “{prompt}”. Paired difference {_signed(comparison.difference)} ± "
        f"{comparison.paired_error:.1f} points (standard errors); {_moved(comparison)}. {by_class}"
    )


def _figure(
    comparison: _Comparison,
    *,
    prompt: str,
    reference: str,
    classes: Sequence[str],
    grid: Sequence[Sequence[str]] | None,
) -> Figure:
    if grid is None:
        below = 0.8 + 0.3 * min(_MOST_BARS, len(comparison.ordered))
    else:
        rows, columns = ([written(name, 18) for name in names] for names in grid)
        below = 0.36 * len(rows) + _labels_below(rows, columns)[1] + 0.95
    with style():
        figure = new_figure(9.0, _TOP + 0.32 + max(3.0, below))
        put_title(figure, f"“{written(prompt, 56)}”".replace("$", r"\$"))  # no formula
        _draw_accuracies(figure, comparison, reference)
        few, many = int(comparison.images.min()), int(comparison.images.max())
        note = f"{few} images a class" if few == many else f"{few} … {many} images a class"
        if not comparison.ordered:
            heading = "no class changed in accuracy"
        elif grid is None and len(comparison.ordered) > _MOST_BARS:
            heading = f"the {_MOST_BARS} of {len(comparison.ordered)} changed classes that changed most"
        else:
            heading = f"{len(comparison.ordered)} of {len(classes)} classes changed"
        _write(figure, heading, left=_RIGHT, top=_TOP, fontweight="bold")
        if grid is not None:
            _draw_grid(figure, comparison, rows, columns, note)
        elif comparison.ordered:
            _draw_bars(figure, comparison, classes, note)
    return figure


def _draw_accuracies(figure: Figure, comparison: _Comparison, reference: str) -> None:
    _write(figure, "accuracy ± standard error", left=0.15, top=_TOP, fontweight="bold")
    names = (f"reference: “{written(reference, 30)}”", "typed: the prompt above")
    axes = figure.add_axes(place(figure, left=0.15, top=_TOP + 0.3, width=2.4, height=1.4), label="accuracy")
    looks = ({"color": BASELINE, "edgecolor": MUTED, "hatch": "///"}, {"color": ACCENT, "edgecolor": ACCENT})
    for y, name, accuracy, error, look in zip(
        (1, 0), names, comparison.accuracy, comparison.error, looks, strict=True
    ):
        axes.barh(y, accuracy, xerr=error, height=0.45, linewidth=0.8, ecolor=INK, capsize=3, **look)
        axes.annotate(
            f"{accuracy:.1f} ± {error:.1f} %",
            (1.03, y),
            xycoords=("axes fraction", "data"),
            va="center",
            fontweight="bold",
            annotation_clip=False,
        )
        axes.text(0, y + 0.28, name, va="bottom", fontsize=10, parse_math=False)
    axes.set(xlim=(0, 100), ylim=(-0.35, 1.65), yticks=[], xticks=range(0, 101, 25), xlabel="accuracy (%)")
    axes.spines["left"].set_visible(False)
    told = f"{_signed(comparison.difference)} ± {comparison.paired_error:.1f} points"
    _write(figure, told, left=0.15, top=_TOP + 2.35, fontweight="bold", fontsize=13)
    _write(figure, "paired difference ± its standard error", left=0.15, top=_TOP + 2.63)
    _write(figure, _moved(comparison), left=0.15, top=_TOP + 2.91)


def _draw_grid(
    figure: Figure, comparison: _Comparison, rows: Sequence[str], columns: Sequence[str], note: str
) -> None:
    change = comparison.change.reshape(len(rows), len(columns))  # (row, column)
    left = _RIGHT + 0.15 + _LETTER * max(map(len, rows))
    cell = _cell_width(rows, columns)
    height = 0.36 * len(rows)
    axes = figure.add_axes(
        place(figure, left=left, top=_TOP + 0.32, width=cell * len(columns), height=height), label="change"
    )
    limit = _limit(change)
    scale = Normalize(-limit, limit)
    axes.imshow(
        np.ma.masked_invalid(change), cmap=DIVERGING, norm=scale, aspect="auto", interpolation="nearest"
    )
    for (row, column), points in np.ndenumerate(change):
        look = {"facecolor": "none", "edgecolor": "white", "linewidth": 1.0}
        if np.isnan(points):
            look = {"facecolor": NOTHING, "edgecolor": MUTED, "hatch": "////", "linewidth": 0.0}
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **look))
        if abs(points) > 0:  # neither 0 nor NaN
            axes.text(
                column,
                row,
                _points(points),
                ha="center",
                va="center",
                fontsize=9.5 if cell >= 0.42 else 9,
                color=_ink_on(DIVERGING(scale(points))),
            )
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(MUTED)
    axes.tick_params(length=0)
    axes.set_yticks(range(len(rows)), rows, parse_math=False)
    slanted, labels_height = _labels_below(rows, columns)
    look = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks(range(len(columns)), columns, parse_math=False, **look)
    bar_top = _TOP + 0.32 + height + labels_height + 0.08
    bar = figure.colorbar(
        ScalarMappable(scale, DIVERGING),
        cax=figure.add_axes(place(figure, left=left, top=bar_top, width=1.7, height=0.13), label="scale"),
        orientation="horizontal",
        ticks=[-limit, 0, limit],
    )
    bar.ax.set_xticklabels([_points(-limit), "0", _points(limit)])
    bar.outline.set_visible(False)
    bar.set_label("change (points)", fontsize=10, labelpad=1)
    if np.isnan(change).any():
        note += " (0: hatched)"
    _write(figure, note, left=left, top=bar_top + 0.6, fontsize=10)


def _draw_bars(figure: Figure, comparison: _Comparison, classes: Sequence[str], note: str) -> None:
    order = comparison.ordered
    kept = set(sorted(order, key=lambda number: -abs(comparison.change[number]))[:_MOST_BARS])
    shown = [number for number in order if number in kept]
    names = [written(classes[number], 24) for number in shown]
    change = comparison.change[shown]  # (bar,)
    left = _RIGHT + 0.2 + _LETTER * max(map(len, names))
    axes = figure.add_axes(
        place(figure, left=left, top=_TOP + 0.32, width=8.85 - left, height=0.3 * len(shown)), label="change"
    )
    heights = np.arange(len(shown))[::-1]
    axes.barh(heights, change, height=0.62, color=np.where(change > 0, ACCENT, PALETTE[2]))
    for y, points in zip(heights, change.tolist(), strict=True):
        axes.annotate(
            _points(points),
            (points, y),
            xytext=(4 if points > 0 else -4, 0),
            textcoords="offset points",
            ha="left" if points > 0 else "right",
            va="center",
            fontsize=10,
        )
    axes.axvline(0, color=INK, linewidth=1.0)
    limit = _limit(change)
    axes.set(xlim=(-1.4 * limit, 1.4 * limit), ylim=(-0.6, len(shown) - 0.4))
    axes.set_xticks([-limit, 0, limit], [_points(-limit), "0", _points(limit)])
    axes.set_yticks(heights, names, parse_math=False)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"change (points)\n{note}")


def _cell_width(rows: Sequence[str], columns: Sequence[str]) -> float:
    return min(0.62, (8.85 - _RIGHT - 0.15 - _LETTER * max(map(len, rows))) / len(columns))


def _labels_below(rows: Sequence[str], columns: Sequence[str]) -> tuple[bool, float]:
    """Whether the columns' names must slant to stay apart, and the inches they need."""
    longest = _LETTER * max(map(len, columns))
    slanted = longest + 0.06 > _cell_width(rows, columns)
    return slanted, 0.16 + 0.74 * longest if slanted else 0.28


def _write(figure: Figure, text: str, *, left: float, top: float, **look: Any) -> None:
    x, y, *_ = place(figure, left=left, top=top, width=0.0, height=0.0)
    figure.text(x, y, text, va="top", parse_math=False, **look)


def _limit(change: Float[np.ndarray, "*shape"]) -> float:
    largest = np.nanmax(np.abs(change))
    return float(max(_SMALLEST_SCALE, 10 * np.ceil(largest / 10)))


def _ink_on(rgba: Any) -> str:
    red, green, blue = to_rgb(rgba)
    return "white" if 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 < 0.24 else INK


def _moved(comparison: _Comparison) -> str:
    return f"{comparison.to_right} images changed to right, {comparison.to_wrong} to wrong"


def _signed(points: float) -> str:
    rounded = round(points, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def _points(points: float) -> str:
    return f"{points:+.0f}".replace("-", "−") if abs(points) >= 1 else _signed(points)
