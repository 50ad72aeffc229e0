import numpy as np
import pytest
from matplotlib.colors import to_hex

from mmdl_course import viz
from mmdl_course.viz.style import PALETTE


@pytest.fixture
def scene():
    mask = np.full((16, 16), -1)
    mask[4:8, 2:6] = 0
    return {
        "image": np.full((3, 16, 16), 0.5),
        "depth": np.where(mask == 0, 3.0, np.inf),
        "instance mask": mask,
        "boxes": np.array([[2, 4, 6, 8], [np.nan] * 4]),
        "caption": "a red sphere " * 20,
        "attributes": [{"shape": "sphere", "x": np.float32(1.0)}, {"shape": "cone", "x": -2}],
    }


def test_every_modality_is_drawn_as_what_it_is(scene, assert_complete):
    figure = viz.modality_panels(scene, title="Scene 0")
    panels = {axes.get_title(): axes for axes in figure.axes if axes.get_title()}
    assert list(panels) == ["image", "depth", "instance mask", "boxes"]
    assert np.ma.count(panels["depth"].images[0].get_array()) == 16  # the background has no depth
    assert [text.get_text() for text in panels["instance mask"].texts] == ["0"]
    frame = panels["boxes"].patches[-1]
    assert len(panels["boxes"].patches) == 2  # one object is hidden
    assert to_hex(frame.get_edgecolor()) == PALETTE[0]
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((1.5, 3.5), 4, 4)
    words = [text.get_text() for text in figure.texts]
    assert "Scene 0" in words
    assert sum(word.count("sphere") for word in words) == 21  # the caption, broken into lines, and the table
    assert {"shape", "x", "sphere", "cone", "1.00", "-2"} <= set(words)
    assert_complete(figure)


def test_what_has_no_picture_is_refused(scene):
    with pytest.raises(ValueError, match="no picture among caption"):
        viz.modality_panels({"caption": "text"})
    with pytest.raises(ValueError, match='"boxes" are drawn on "image", which is missing'):
        viz.modality_panels({"boxes": scene["boxes"], "depth": scene["depth"]})


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (np.zeros((4, 16, 16)), r"cannot draw 'odd', an array of float64 with shape \(4, 16, 16\)"),
        (np.full((3, 4, 4), 9.0), "'odd': values must lie in 0 … 1"),
        (np.full((4, 4), 10), "must number the objects 0 … 9 and mark what is none with -1, got 10 … 10"),
    ],
)
def test_what_cannot_be_drawn_is_named(part, message):
    with pytest.raises(ValueError, match=message):
        viz.modality_panels({"odd": part})
