"""Samples in a page: one beside its factors, many in a strip with their counts."""

import base64
import html
import io
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int
from PIL import Image

__all__ = ["count_factors", "one_sample", "thumbnail_strip", "write_factors"]

_COLUMNS = 12
_MOST = 36  # thumbnails in a strip
_CELL = 48  # CSS pixels of a thumbnail
_LARGE = 128  # CSS pixels of one sample


def one_sample(
    image: Float[np.ndarray, "height width 3"], *, number: int, factors: Mapping[str, np.ndarray]
) -> str:
    """Show one sample large, above its factors, as HTML."""
    rows = "".join(
        f'<tr><th scope="row" style="text-align: left; padding-right: 0.8em">{html.escape(name)}</th>'
        f"<td>{html.escape(_written(values[number]))}</td></tr>"
        for name, values in factors.items()
    )
    return (
        f"{_picture(image, alt=f'sample {number}', width=_LARGE)}"
        f'<table style="line-height: 1.5"><caption style="text-align: left"><b>sample {number}</b></caption>'
        f"{rows}</table>"
    )


def thumbnail_strip(
    images: Float[np.ndarray, "image height width 3"], chosen: Int[np.ndarray, " chosen"], *, heading: str
) -> str:
    """Show samples side by side as one picture, as HTML; of many, some that are spread over all of them.

    Args:
        images: of all samples.
        chosen: numbers of those to show.
        heading: what they are and how many, with their factors; it is also the picture's alt text.

    Returns:
        The heading, which screen readers announce, and the picture.
    """
    said = f'<p role="status" style="line-height: 1.45; max-width: 60em">{html.escape(heading)}</p>'
    if not len(chosen):
        return said
    some = chosen[np.linspace(0, len(chosen) - 1, min(_MOST, len(chosen))).round().astype(int)]
    rows = -(-len(some) // _COLUMNS)
    height, width = images.shape[1:3]
    sheet = np.ones((rows * (height + 1), _COLUMNS * (width + 1), 3))
    for place, number in enumerate(some.tolist()):
        top, left = (place // _COLUMNS) * (height + 1), (place % _COLUMNS) * (width + 1)
        sheet[top : top + height, left : left + width] = images[number]
    return said + _picture(sheet, alt=f"Images of {heading}", width=_COLUMNS * _CELL)


def count_factors(chosen: Int[np.ndarray, " chosen"], factors: Mapping[str, np.ndarray]) -> str:
    """Say how the factors of these samples are spread: counts of categories, mean and range of numbers."""
    told = []
    for name, values in factors.items():
        these = values[chosen]
        if values.dtype.kind == "f":
            told.append(f"{name}: {these.mean():.3g} on average ({these.min():.3g} … {these.max():.3g})")
            continue
        found, counts = np.unique(these, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        told.append(f"{name}: " + ", ".join(f"{found[place]} × {counts[place]}" for place in order))
    return "; ".join(told)


def write_factors(number: int, factors: Mapping[str, np.ndarray]) -> str:
    """Say what one sample is."""
    return ", ".join(f"{name} {_written(values[number])}" for name, values in factors.items())


def _written(value: np.generic) -> str:
    return f"{value:.3g}" if isinstance(value, np.floating) else str(value)


def _picture(image: Float[np.ndarray, "height width 3"], *, alt: str, width: int) -> str:
    raw = io.BytesIO()
    Image.fromarray((255 * image).round().astype(np.uint8)).save(raw, format="png", compress_level=1)
    data = base64.b64encode(raw.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}" width="{width}" '
        'style="max-width: 100%; height: auto; image-rendering: pixelated; background: white">'
    )
