import base64
import re

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from mmdl_course.viz import explorers
from mmdl_course.viz.explorers.samples import count_factors, thumbnail_strip

NEAREST = "the marked sample and its nearest"


@pytest.fixture
def given():
    return {
        "latent": np.array([[float(number), 0.0] for number in range(20)]),
        "images": np.linspace(0, 1, 20)[:, None, None] * np.ones((20, 4, 4)),
        "factors": {
            "half": np.where(np.arange(20) < 10, "first", "second"),
            "angle": np.linspace(0, 350, 20),
        },
        "inputs": np.random.default_rng(0).normal(size=(20, 3)),
        "cyclic": ("angle",),
        "notice": "Neighbours are neighbours in both.",
    }


@pytest.fixture
def shown(given):
    return explorers.latent_scatter(given.pop("latent"), **given)


def hand(explorer, space, event, numbers):
    """What the page sends when the mouse does something in one of the spaces."""
    explorer.clouds[space].widget._receive(None, {"event": event, "points": numbers}, [])


def traces(explorer, space):
    return explorer.clouds[space].widget.figure["data"]


def coordinates(explorer, space, number):
    """The first coordinate of a trace's points."""
    packed = traces(explorer, space)[number]["x"]["bdata"]
    return np.frombuffer(base64.b64decode(packed), "<f4").tolist()


def test_pointing_at_a_sample_shows_it_and_marks_it_in_both_spaces(shown):
    hand(shown, "input space", "hover", [7])
    assert "sample 7" in shown._inspector.value
    assert "first" in shown._inspector.value
    (ring,) = shown.clouds["latent space"].widget.figure["layout"]["shapes"]
    assert (ring["xanchor"], ring["yanchor"]) == (7, 0)
    assert traces(shown, "input space")[2]["x"]["bdata"]


def test_drawing_around_samples_shows_them_with_their_counts_in_both_spaces(shown):
    hand(shown, "latent space", "select", [8, 9, 10])
    assert shown.show.value == "what I draw around"
    assert shown.chosen.tolist() == [8, 9, 10]
    assert (
        "3 samples chosen. half: first × 2, second × 1; angle: 166 on average (147 … 184)."
        in shown._strip.value
    )
    assert coordinates(shown, "latent space", 1) == [8, 9, 10]
    for space in shown.clouds:
        faint, _ = traces(shown, space)[:2]
        assert faint["marker"]["opacity"] < 0.5
        assert faint["selectedpoints"] is None  # plotly's own fading is undone
    assert len(coordinates(shown, "input space", 1)) == 3
    hand(shown, "latent space", "select", [])
    assert "Nothing chosen" in shown._strip.value
    assert coordinates(shown, "latent space", 1) == []
    assert traces(shown, "latent space")[0]["marker"]["opacity"] == 1


def test_everything_can_be_done_without_a_mouse(shown):
    shown.sample.value = 3
    assert shown.nearest(3)[:3].tolist() == [3, 2, 4]
    assert "Sample 3 (half first, angle 55.3) and the 11 nearest to it" in shown._strip.value
    shown.show.value = "half = second"
    assert shown.chosen.tolist() == list(range(10, 20))
    assert "10 samples chosen. half: second × 10" in shown._strip.value


def test_a_click_marks_a_sample_for_good(shown):
    hand(shown, "latent space", "click", [5])
    assert shown.sample.value == 5


def test_colours_change_in_both_spaces_and_have_one_key(shown):
    assert traces(shown, "latent space")[0]["marker"]["colorbar"]["ticktext"] == ["first", "second"]
    names = shown.clouds["latent space"].widget.figure["layout"]["annotations"]
    assert [name["text"] for name in names] == ["<b>first</b>", "<b>second</b>"]
    shown.colour.value = "angle"
    for space, keyed in (("latent space", True), ("input space", False)):
        marker = traces(shown, space)[0]["marker"]
        assert (marker["cmin"], marker["cmax"], marker["showscale"]) == (0, 350, keyed)
        assert marker["colorscale"][0][1] == marker["colorscale"][-1][1]  # the ends of a circle meet
    assert shown.clouds["latent space"].widget.figure["layout"]["annotations"] == []


def test_reset_brings_the_first_picture_back(shown):
    shown.colour.value, shown.sample.value = "angle", 9
    hand(shown, "latent space", "select", [1])
    shown._reset()
    assert (shown.colour.value, shown.sample.value, shown.show.value) == ("half", 0, NEAREST)
    assert shown.chosen.tolist() == []
    assert "Sample 0" in shown._strip.value
    assert coordinates(shown, "latent space", 1) == []
    assert traces(shown, "latent space")[0]["marker"]["opacity"] == 1


def test_the_widgets_say_what_they_are(shown):
    assert shown.clouds["latent space"].widget.alt == (
        "latent space: 20 samples as points: latent space in 2 dimensions beside input space in 3 "
        "dimensions, coloured by half."
    )
    assert {shown.colour.description, shown.sample.description, shown.show.description} == {
        "colour by",
        "mark sample number",
        "show",
    }


def test_only_changes_travel_to_the_page(shown, monkeypatch):
    sent = []
    widget = shown.clouds["latent space"].widget
    monkeypatch.setattr(type(widget), "send", lambda self, content: sent.append((self, content)))
    hand(shown, "latent space", "hover", [2])
    (message,) = [content for target, content in sent if target is widget]
    assert message["data"] == {}
    assert list(message["layout"]) == ["shapes"]


def test_where_nobody_can_use_it_there_is_a_still_picture(given, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    explorer = explorers.latent_scatter(given.pop("latent"), **given)
    InteractiveShell.instance()
    with capture_output() as captured:
        explorer._ipython_display_()
    InteractiveShell.clear_instance()
    (output,) = captured.outputs
    assert "Neighbours are neighbours in both." in output.data["text/html"]
    assert (
        len(re.findall('<img src="data:image/png[^>]* alt="20 samples as points', output.data["text/html"]))
        == 2
    )
    assert explorer.frame is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"factors": {}}, "at least one factor"),
        ({"inputs": np.zeros((3, 2))}, "3 points in input space but 20 images"),
        ({"cyclic": ("hue",)}, "'hue' is none of the factors half, angle"),
        (
            {"factors": {"half": np.zeros(3), "angle": np.zeros(20)}},
            "factor 'half': colour needs one value for each of the 20",
        ),
        ({"latent": np.zeros((20, 4))}, "latent: expected points of shape"),
    ],
)
def test_what_does_not_fit_is_refused(given, change, words):
    given |= change
    with pytest.raises(ValueError, match=words):
        explorers.latent_scatter(given.pop("latent"), **given)


def test_a_strip_shows_some_of_many_and_counts_all():
    images = np.zeros((500, 3, 3, 3))
    heading = count_factors(np.arange(500), {"kind": np.arange(500) % 2})
    strip = thumbnail_strip(images, np.arange(500), heading=heading)
    assert "kind: 0 × 250, 1 × 250" in strip
    assert 'role="status"' in strip
    assert len(strip) < 3000
