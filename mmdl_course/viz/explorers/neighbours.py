"""Type a word, and see its nearest neighbours in several spaces side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_array
from mmdl_course.viz.explorers.base import Explorer, TextControl
from mmdl_course.viz.style import (
    ACCENT,
    BASELINE,
    INK,
    MUTED,
    QUIET,
    new_figure,
    place,
    put_title,
    style,
    written,
)

__all__ = ["neighbours"]

_MOST_SPACES = 4
_MOST_WORDS = 20
_LETTERS = 14  # of a neighbour's name
_ROW = 0.28  # inches of a word
_TOP = 0.95  # inches above the bars
_SAME = 1e-6  # similarities that differ by less are tied


def neighbours(
    spaces: Mapping[str, Any],
    *,
    words: Sequence[str],
    queries: Sequence[str],
    count: int = 8,
) -> Explorer:
    """A box for a word: its most similar words in each space, by the cosine of the angle between vectors.

    Where more words are equally similar than can be shown, the choice among them means nothing: their bars
    are grey and hatched, and the panel says how many they are.

    Args:
        spaces: name → Float "word dim", a vector for each word; dim may differ. At most four.
        words: the words, each once.
        queries: words to begin with; the first one is asked at the start.
        count: how many neighbours are shown, 1 … 20.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: no or too many spaces, words that repeat, vectors that do not fit the words, are not
            finite or zero (such a vector has no direction), or a query that is not among the words.
    """
    if not 1 <= len(spaces) <= _MOST_SPACES:
        raise ValueError(f"neighbours: 1 … {_MOST_SPACES} spaces fit side by side, got {len(spaces)}.")
    places = {word: number for number, word in enumerate(words)}
    if len(places) < len(words):
        raise ValueError("neighbours: some words are given twice; give each word once.")
    if len(words) < 2:
        raise ValueError(f"neighbours: give at least two words, got {list(words)}.")
    if not 1 <= count <= _MOST_WORDS:
        raise ValueError(f"neighbours: count must be 1 … {_MOST_WORDS}, got {count}.")
    directions = {
        name: _directions(vectors, words=words, name=f"neighbours, '{name}'")
        for name, vectors in spaces.items()
    }
    if isinstance(queries, str) or not queries:
        raise ValueError("neighbours: give a list with at least one query to begin with.")
    for query in queries:
        _place(query, places)

    def found(word: str) -> dict[str, _Nearest]:
        asked = _place(word, places)
        return {name: _nearest(vectors, asked, words, count=count) for name, vectors in directions.items()}

    def draw(word: str) -> Figure:
        return _figure(word, found(word), count=min(count, len(words) - 1))

    def describe(word: str) -> str:
        told = (f"In {name}: {_told(nearest)}" for name, nearest in found(word).items())
        return f"Words most similar to “{word}”, with their cosine, best first. {' '.join(told)}"

    return Explorer(
        draw,
        describe=describe,
        notice="Who is near depends on the space, and somebody always comes first: read the cosine before "
        "you believe that two words are alike.",
        controls={"word": TextControl("word", queries, queries[0])},
    )


@dataclass(frozen=True)
class _Nearest:
    words: list[tuple[str, float]]  # with the cosine, best first
    tied: list[bool]  # whether it is one of those that were chosen among equals
    equals: int  # words as similar as the last one shown, where not all of them are shown; else 0
    others: int  # all words but the one asked for


def _nearest(
    directions: Float[np.ndarray, "word dim"], asked: int, words: Sequence[str], *, count: int
) -> _Nearest:
    cosine = directions @ directions[asked]  # (word,)
    cosine[asked] = -np.inf  # nobody is their own neighbour
    order = np.argsort(-cosine.round(6), kind="stable")[: min(count, len(words) - 1)]
    last = np.abs(cosine - cosine[order[-1]]) < _SAME  # (word,)
    all_shown = last.sum() == last[order].sum()
    return _Nearest(
        words=[(words[number], float(cosine[number])) for number in order],
        tied=[bool(last[number]) and not all_shown for number in order],
        equals=0 if all_shown else int(last.sum()),
        others=len(words) - 1,
    )


def _directions(vectors: Any, *, words: Sequence[str], name: str) -> Float[np.ndarray, "word dim"]:
    array = as_array(vectors, name=name, shape=(len(words), "dim"), kinds="fiu").astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: some numbers are NaN or infinite.")
    length = np.linalg.norm(array, axis=1, keepdims=True)
    if not length.all():
        empty = words[int(length[:, 0].argmin())]
        raise ValueError(
            f"{name}: the vector of “{empty}” is zero and has no direction; leave such words out."
        )
    return array / length


def _place(word: str, places: Mapping[str, int]) -> int:
    if word not in places:
        close = get_close_matches(word, places, n=5)
        hint = f" Did you mean {', '.join(close)}?" if close else ""
        raise ValueError(f"neighbours: “{word}” is not among the {len(places):,} words.{hint}")
    return places[word]


def _told(nearest: _Nearest) -> str:
    told = ", ".join(f"{word} {cosine:z.2f}" for word, cosine in nearest.words)
    return told + (f" ({_tie(nearest)})." if nearest.equals else ".")


def _tie(nearest: _Nearest) -> str:
    if nearest.equals == nearest.others:
        return f"all {nearest.others:,} tie"
    return f"hatched: {nearest.equals:,} tie"


def _figure(asked: str, found: Mapping[str, _Nearest], *, count: int) -> Figure:
    with style():
        figure = new_figure(9.0, _TOP + _ROW * count + 0.6)
        put_title(figure, f"“{written(asked, 40)}”".replace("$", r"\$"))  # no formula
        column = 9.0 / len(found)
        lowest = min(0.0, *(cosine for nearest in found.values() for _, cosine in nearest.words))
        for number, (name, nearest) in enumerate(found.items()):
            left = number * column
            names = 0.2 + 0.088 * _LETTERS
            width = column - names - 0.6
            box = place(figure, left=left + names, top=_TOP, width=width, height=_ROW * len(nearest.words))
            axes = figure.add_axes(box, label=name)
            _draw(axes, nearest, lowest=lowest)
            x, y, *_ = place(figure, left=left + 0.15, top=0.45, width=0.0, height=0.0)
            heading = written(name, max(12, int(column * 9)))
            figure.text(x, y, heading, va="top", fontweight="bold", parse_math=False)
            if nearest.equals:
                x, y, *_ = place(figure, left=left + 0.15, top=0.68, width=0.0, height=0.0)
                figure.text(x, y, _tie(nearest), va="top", fontsize=10)
    return figure


def _draw(axes: Axes, nearest: _Nearest, *, lowest: float) -> None:
    for row, ((word, cosine), tied) in enumerate(zip(nearest.words, nearest.tied, strict=True)):
        y = len(nearest.words) - 1 - row
        look = {"color": BASELINE, "edgecolor": MUTED, "hatch": "///"} if tied else {"color": ACCENT}
        axes.barh(y, cosine, height=0.6, linewidth=0.8, **look)
        axes.text(
            -0.04,
            y,
            written(word, _LETTERS),
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=10,
            parse_math=False,
            color=QUIET if tied else INK,
        )
        axes.annotate(
            f"{cosine:z.2f}".replace("-", "−"),
            (max(cosine, 0.0), y),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
            annotation_clip=False,
        )
    axes.set(xlim=(1.02 * lowest, 1.02), ylim=(-0.5, len(nearest.words) - 0.5), yticks=[], xlabel="cosine")
    axes.spines["left"].set_color(INK)
