"""A walk along a straight line in the latent space, on and off the manifold."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_images, to_numpy
from mmdl_course.viz.explorers.base import Control, Explorer
from mmdl_course.viz.images import draw_image
from mmdl_course.viz.style import ACCENT, INK, new_figure, place, style

__all__ = ["POSITIONS", "latent_line", "latent_line_figure"]

POSITIONS = np.linspace(-1, 2, 61).round(2)  # t: 0 and 1 are the two codes, the rest lies beyond them
_FILM = slice(None, None, 10)  # the positions whose images are always seen: −1, −0.5, …, 2


def latent_line(
    decode: Callable[[Any], Any],
    *,
    start: Any,
    end: Any,
    distance: Callable[[Any], float],
    distance_label: str = "distance to the nearest\nreal image (pixel units)",
) -> Explorer:
    """Decode z = (1 − t) · start + t · end, with a slider for t that goes past both ends.

    Args:
        decode: z of start's type and shape → image, Float "3 height width" or "height width". What lies
            outside 0 … 1 is clamped for the eye.
        start: z at t = 0, the code of a real image.
        end: z at t = 1, the code of another.
        distance: decoded image, as `decode` returned it → how far it is from what is real; drawn over t.
        distance_label: the curve's name and unit.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: start and end differ in shape, or decode returns no image.

    Source: deck A, slides A54 and A58.
    """
    if tuple(start.shape) != tuple(end.shape):
        raise ValueError(f"latent_line: start has shape {tuple(start.shape)}, end {tuple(end.shape)}.")
    decoded = [decode((1 - t) * start + t * end) for t in POSITIONS.tolist()]
    film = as_images(np.stack([to_numpy(image).clip(0, 1) for image in decoded]), name="latent_line, decode")
    distances = np.array([float(distance(image)) for image in decoded])
    if not np.isfinite(distances).all():
        raise ValueError("latent_line: distance returned NaN or infinity for some decoded images.")

    def draw(t: float) -> Figure:
        return latent_line_figure(film, t=t, distances=distances, distance_label=distance_label)

    def describe(t: float) -> str:
        where = "between the two codes" if 0 <= t <= 1 else "beyond the two codes"
        name = " ".join(distance_label.split())
        curve = ", ".join(f"{distances[_nearest(at)]:.2f} at t = {at:g}" for at in (-1.0, 0.0, 0.5, 1.0, 2.0))
        return (
            f"What the decoder makes of t = {t:.2f}, {where}; {name}: {distances[_nearest(t)]:.2f}. "
            f"Beside it the images from t = -1 to t = 2 and the curve of that distance: {curve}."
        )

    values = POSITIONS.tolist()
    return Explorer(
        draw,
        describe=describe,
        notice="Walk past both ends: the curve tells how far what is decoded is from anything real, and the "
        "shaded part is all that lies between the two codes.",
        controls={"t": Control("t (0: start, 1: end)", values, values[_nearest(0.5)], "{:.2f}".format)},
    )


def latent_line_figure(
    film: Float[np.ndarray, "t height width 3"],
    *,
    t: float,
    distances: Float[np.ndarray, " t"],
    distance_label: str,
) -> Figure:
    """Draw one position of the walk: the decoded image, the film of the whole walk, the distance to reality.

    Args:
        film: the decoded images at all `POSITIONS`, 0 … 1.
        t: where we are, one of `POSITIONS`.
        distances: how far each image of the film is from what is real.
        distance_label: the curve's name and unit.

    Returns:
        The figure, 9 inches wide.
    """
    left, width, frame = 3.9, 4.65, 0.72  # inches: the axis of t and the film's frames above it
    height = frame * film.shape[1] / film.shape[2]
    top, gap, below = 0.34, 0.12, 1.6
    with style():
        figure = new_figure(9.0, top + height + gap + below + 0.55)
        large = figure.add_axes(place(figure, left=0.1, top=top, width=2.9, height=height + gap + below))
        draw_image(large, film[_nearest(t)])
        large.set_title(f"t = {t:.2f}")
        for position, picture in zip(POSITIONS[_FILM], film[_FILM], strict=True):
            middle = left + width * (position - POSITIONS[0]) / np.ptp(POSITIONS)
            rectangle = place(figure, left=middle - frame / 2, top=top, width=frame, height=height)
            draw_image(figure.add_axes(rectangle), picture)
        axes = figure.add_axes(
            place(figure, left=left, top=top + height + gap, width=width, height=below), label="distance"
        )
        axes.axvspan(0, 1, color="#e4eef8")
        axes.axvline(t, color=ACCENT, linewidth=2.5)
        axes.plot(POSITIONS, distances, color=INK)
        axes.plot(t, distances[_nearest(t)], "o", color=ACCENT, markersize=9)
        axes.set(
            xlim=(POSITIONS[0], POSITIONS[-1]),
            ylim=(0, 1.15 * float(distances.max()) or 1.0),
            xlabel="t (a number; shaded: between the two codes)",
        )
        axes.set_ylabel(distance_label, fontsize=10)
        axes.grid(axis="y")
    return figure


def _nearest(t: float) -> int:
    return int(np.abs(POSITIONS - t).argmin())
