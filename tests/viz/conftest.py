import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from mmdl_course.viz.style import style


@pytest.fixture(autouse=True)
def nothing_is_left_in_pyplot():
    yield
    assert plt.get_fignums() == []


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture
def assert_complete():
    """Draw the figure and fail when some text of it is cut off at the figure's edge."""

    def check(figure: Figure) -> None:
        with style():
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            renderer = canvas.get_renderer()
            edge = figure.bbox.padded(1.0)
            for text in _texts(figure):
                box = Text.get_window_extent(text, renderer)  # of an annotation, the text without its line
                assert edge.contains(box.x0, box.y0), f"cut off: {text.get_text()!r}"
                assert edge.contains(box.x1, box.y1), f"cut off: {text.get_text()!r}"

    return check


def _texts(figure: Figure) -> list[Text]:
    # Without tick labels: matplotlib keeps those of ticks that it does not draw.
    texts = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    texts += [artist for artist in figure.artists if isinstance(artist, Text)]
    for axes in figure.axes:
        texts += [axes.title, axes._left_title, *axes.texts]
        if axes.axison:
            texts += [axes.xaxis.label, axes.yaxis.label]
    return [text for text in texts if text.get_text().strip()]
