import base64
import io
import re

import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbconvert import HTMLExporter
from PIL import Image

from mmdl_course import viz
from mmdl_course.viz.display import figure_html


@pytest.fixture
def figure():
    return viz.flow(highlight={"z"})


@pytest.fixture
def published(monkeypatch):
    outputs = []
    monkeypatch.setattr("mmdl_course.viz.display.display", lambda data, raw: outputs.append((data, raw)))
    return outputs


def png_of(markup: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", markup).group(1))))


def test_show_publishes_the_picture_and_its_text(figure, published):
    assert viz.show(figure, alt=" The pipeline. ") is None
    ((output, raw),) = published
    assert raw
    assert output["text/plain"] == "The pipeline."
    assert 'alt="The pipeline."' in output["text/html"]
    assert output["text/html"].startswith("<figure")


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_an_empty_alt_is_refused_with_the_remedy(figure, published, alt):
    with pytest.raises(ValueError, match=r"alt is empty\. Say in a sentence what is drawn"):
        viz.show(figure, alt=alt)
    assert published == []


def test_a_missing_alt_is_refused(figure):
    with pytest.raises(TypeError, match="alt"):
        viz.show(figure)


def test_alt_text_cannot_break_out_of_its_attribute(figure):
    assert "&lt;b&gt; &quot;x&quot; &amp; y" in figure_html(figure, alt='<b> "x" & y')


def test_the_picture_is_twice_as_dense_as_the_page_and_opaque_white(figure):
    markup = figure_html(figure, alt="The pipeline.")
    picture = png_of(markup)
    assert f'width="{picture.width // 2}"' in markup
    assert "A" not in picture.getbands()
    assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_drawings_are_small_and_pictures_keep_their_colours(figure, rng):
    drawing = png_of(figure_html(figure, alt="The pipeline."))
    assert drawing.mode == "P"
    assert len(figure_html(figure, alt="The pipeline.")) < 40_000
    assert png_of(figure_html(viz.image_grid(rng.random((1, 3, 40, 40))), alt="Noise.")).mode == "RGB"


def test_a_figure_can_be_shown_twice_with_the_same_result(figure):
    assert figure_html(figure, alt="a") == figure_html(figure, alt="a")


def test_the_alt_text_survives_in_exported_html(figure):
    InteractiveShell.instance()
    with capture_output() as captured:
        viz.show(figure, alt="Where we are: z.")
    (output,) = captured.outputs
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", data=dict(output.data))])
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    InteractiveShell.clear_instance()
    assert 'alt="Where we are: z."' in page
    assert np.prod(png_of(page[page.index('alt="Where we are') - 50_000 :]).size) > 0
