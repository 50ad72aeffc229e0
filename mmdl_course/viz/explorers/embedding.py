"""An embedding whose parameters can be turned."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.figure import Figure

from mmdl_course.viz.explorers.background import in_background
from mmdl_course.viz.explorers.base import Control, Explorer
from mmdl_course.viz.thumbnails import latent_scatter

__all__ = ["embedding"]

_LONG = 0.5  # seconds from which on the reader gets a bar and a way to cancel


def embedding(
    embed: Callable[..., Any],
    *,
    images: Any,
    parameters: Mapping[str, Sequence[Any]],
    start: Mapping[str, Any],
    title: str,
    notice: str,
    colour: Any = None,
    colour_label: str | None = None,
    cyclic: bool = False,
    score: Callable[[Any], str] | None = None,
) -> Explorer:
    """Embed the same images again and again with other parameters, such as UMAP's n_neighbors and min_dist.

    Args:
        embed: gets each parameter by name, returns the embedding, Float "image 2". Called once for each
            setting; fix its random seed, or the picture changes for two reasons. If the first call takes
            long, the others run in a thread, with a bar.
        images: Float "image 3 height width" or "image height width", 0 … 1, in the same order.
        parameters: name → the values its slider can take.
        start: name → the value of the first picture.
        title: the method's name.
        notice: one sentence that says what to notice.
        colour: one value for each image, as in `latent_scatter`.
        colour_label: what the colour means.
        cyclic: the colour scale's ends meet.
        score: embedding → a line under the title, such as "trustworthiness 0.98".

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: start does not name every parameter, or what `latent_scatter` refuses.
    """
    if set(start) != set(parameters):
        raise ValueError(f"embedding: start must name {', '.join(parameters)}; it names {', '.join(start)}.")

    seconds = 0.0  # of the latest call

    def draw(**values: Any) -> Generator[float, None, Figure]:
        nonlocal seconds
        begin = time.monotonic()
        compute = partial(embed, **values)
        points = (yield from in_background(compute, expected=seconds)) if seconds > _LONG else compute()
        seconds = time.monotonic() - begin
        return latent_scatter(
            points,
            images=images,
            colour=colour,
            colour_label=colour_label,
            cyclic=cyclic,
            title=f"{title}, {_settings(values)}",
            score=score(points) if score else None,
        )

    def describe(**values: Any) -> str:
        what = f", coloured by {colour_label}" if colour_label else ""
        return f"{title} of {len(images)} images with {_settings(values)}{what}; some images shown in place."

    return Explorer(
        draw,
        describe=describe,
        notice=notice,
        controls={name: Control(name, tuple(values), start[name]) for name, values in parameters.items()},
    )


def _settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())
