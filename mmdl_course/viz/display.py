"""Put a figure into the notebook together with the sentence that stands for it."""

import base64
import html
import io

from IPython.display import display
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

from mmdl_course.viz.style import style

__all__ = ["figure_html", "show"]

_CSS_PIXELS_PER_INCH = 96  # CSS's own definition of an inch
_DENSITY = 2  # image pixels to one CSS pixel: sharp on high-resolution screens


def show(figure: Figure, *, alt: str) -> None:
    """Show a figure in the notebook, with a text for those who cannot see it.

    The picture is self-contained HTML, so it looks the same in JupyterLab and in nbgrader's feedback; where
    only text can be shown, the alt text is.

    Args:
        figure: what to show. It is not changed and can be shown again.
        alt: what a reader who cannot see the figure needs to know: what is drawn, and what can be seen in it.

    Raises:
        ValueError: alt is empty.
    """
    display({"text/html": figure_html(figure, alt=alt), "text/plain": alt.strip()}, raw=True)


def figure_html(figure: Figure, *, alt: str, quick: bool = False) -> str:
    """Render a figure as a `<figure>` element that holds the picture and its alt text.

    Args:
        figure: what to render.
        alt: see `show`.
        quick: for a picture that is soon replaced, such as one that follows a slider: written as JPEG in a
            fraction of the time, and several times as large.

    Returns:
        HTML with the picture inside. White background, also in a dark theme; never wider than the page.

    Raises:
        ValueError: alt is empty.
    """
    if not alt.strip():
        raise ValueError(
            "show: alt is empty. Say in a sentence what is drawn and what can be seen in it, for readers who "
            'cannot see the figure: show(figure, alt="…").'
        )
    kind, written = ("jpeg", _jpeg(figure)) if quick else ("png", _png(figure))
    data = base64.b64encode(written).decode("ascii")
    width = round(figure.get_figwidth() * _CSS_PIXELS_PER_INCH)
    return (
        '<figure style="margin: 0.5em 0; max-width: 100%">'
        f'<img src="data:image/{kind};base64,{data}" alt="{html.escape(alt.strip())}" width="{width}" '
        'style="max-width: 100%; height: auto; background: white"></figure>'
    )


def _drawn(figure: Figure) -> Image.Image:
    raw = io.BytesIO()
    dpi = _CSS_PIXELS_PER_INCH * _DENSITY
    with style():
        figure.savefig(raw, format="rgba", dpi=dpi)
    size = tuple(int(inches * dpi) for inches in figure.get_size_inches())
    # The background is opaque, so there is nothing to say about transparency.
    return Image.frombuffer("RGBA", size, raw.getvalue()).convert("RGB")


def _png(figure: Figure) -> bytes:
    image = _drawn(figure)
    # Without pictures and colour bars, 256 colours lose nothing that can be seen and save two thirds.
    if not figure.findobj(lambda artist: isinstance(artist, AxesImage | QuadMesh)):
        image = image.quantize(256, dither=Image.Dither.NONE)
    compressed = io.BytesIO()
    image.save(compressed, format="png", optimize=True)
    return compressed.getvalue()


def _jpeg(figure: Figure) -> bytes:
    compressed = io.BytesIO()
    # Without subsampling, coloured letters and thin lines stay sharp.
    _drawn(figure).save(compressed, format="jpeg", quality=90, subsampling=0)
    return compressed.getvalue()
