"""Type a text, and see which images are most similar to it."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_array, as_images
from mmdl_course.viz.explorers.base import Explorer, TextControl
from mmdl_course.viz.images import image_grid

__all__ = ["rank_images"]


def rank_images(
    score: Callable[[str], Any],
    *,
    images: Any,
    queries: Sequence[str],
    titles: Sequence[str] | None = None,
    count: int = 8,
) -> Explorer:
    """A search box: the images that a model finds most similar to a text, in order.

    Works for any images that a text can be compared with: scenes, photos, drawings of emoji.

    Args:
        score: text → Float "image", the similarity of each image. What it raises is shown in the picture's
            place, so that it may refuse a text with a reason.
        images: Float "image 3 height width", 0 … 1.
        queries: texts to begin with; the first one is asked at the start.
        titles: a name for each image, shown above it.
        count: how many images are shown.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: no queries, not as many titles as images, or similarities that do not fit the images.
    """
    pictures = as_images(images, name="rank_images, images")
    if not queries:
        raise ValueError("rank_images: give at least one query to begin with.")
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"rank_images: {len(titles)} titles for {len(pictures)} images; give one to each.")
    if not 1 <= count <= 40:
        raise ValueError(f"rank_images: count must be 1 … 40, got {count}.")

    @lru_cache(maxsize=64)  # the picture and its alt text ask the same; a model may be slow
    def best(query: str) -> list[tuple[int, float]]:
        similarity = as_array(
            score(query), name="rank_images, what score returns", shape=(len(pictures),), kinds="f"
        )
        if not np.isfinite(similarity).all():
            raise ValueError("rank_images, what score returns: some similarities are NaN or infinite.")
        order = np.argsort(-similarity, kind="stable")[:count]
        return [(number, float(similarity[number])) for number in order.tolist()]

    def named(number: int, similarity: float) -> str:
        return f"{similarity:.2f}" if titles is None else f"{_short(titles[number])} {similarity:.2f}"

    def draw(query: str) -> Figure:
        found = best(query)
        columns = min(8 if titles is None else 5, len(found))
        return image_grid(
            np.moveaxis(pictures[[number for number, _ in found]], -1, 1),
            titles=[named(number, value) for number, value in found],
            columns=columns,
            title=f"“{_short(query, min(60, 16 * columns))}”".replace("$", r"\$"),  # no formula
        )

    def describe(query: str) -> str:
        found = best(query)
        told = ", ".join(named(number, value) for number, value in found)
        return (
            f"The {len(found)} images most similar to “{query}”, with their similarity, best first: {told}."
        )

    return Explorer(
        draw,
        describe=describe,
        notice="Some image always comes first: ask for something that no image shows, and compare how high "
        "the similarities are.",
        controls={"query": TextControl("what to look for", queries, queries[0])},
    )


def _short(text: str, length: int = 16) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
