import base64

import numpy as np
import pytest

from mmdl_course.viz import explorers


@pytest.fixture
def given():
    angle = np.linspace(0, 3, 40)
    flat = np.column_stack([angle, np.zeros(40)])
    surface = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(40)])

    def ways(start, end):
        between = slice(min(start, end), max(start, end) + 1)
        if start == 13:
            raise RuntimeError("nobody knows the <way>")
        return {
            "geodesic": (surface[between], flat[[start, end]]),
            "chord": (surface[[start, end]], None),
            "ruler": (None, flat[[start, end]]),
        }

    return {
        "surface": surface,
        "flat": flat,
        "ways": ways,
        "start": (0, 39),
        "colour": angle,
        "colour_label": "angle",
        "notice": "The chord is shorter.",
    }


@pytest.fixture
def shown(given):
    return explorers.unfold(given.pop("surface"), given.pop("flat"), **given)


def steps(explorer, place):
    """Name → x of the way's steps in one of the two pictures."""
    lines = [trace for trace in explorer.clouds[place].widget.figure["data"] if trace["mode"] == "lines"]
    return {line["name"]: np.frombuffer(base64.b64decode(line["x"]["bdata"]), "<f4") for line in lines}


def test_the_same_ways_are_drawn_on_both(shown):
    assert {name: len(x) for name, x in steps(shown, 0).items()} == {"geodesic": 40, "chord": 2, "ruler": 0}
    assert {name: len(x) for name, x in steps(shown, 1).items()} == {"geodesic": 2, "chord": 0, "ruler": 2}
    assert "Lengths: geodesic: 3.0, chord: 2.0, ruler: 3.0." in shown._lengths.value


def test_a_slider_moves_an_end_on_both(shown):
    shown.ends["to"].value = 20
    np.testing.assert_allclose(steps(shown, 1)["geodesic"], [0, 60 / 39], atol=1e-6)
    assert len(steps(shown, 0)["geodesic"]) == 21
    assert "geodesic: 1.5" in shown._lengths.value


def test_a_click_in_either_picture_moves_an_end(shown):
    shown.clouds[1].widget._receive(None, {"event": "click", "points": [10]}, [])
    assert shown.ends["to"].value == 10
    shown.moved.value = "from"
    shown.clouds[0].widget._receive(None, {"event": "click", "points": [5]}, [])
    assert (shown.ends["from"].value, shown.ends["to"].value) == (5, 10)
    shown._reset()
    assert (shown.ends["from"].value, shown.ends["to"].value, shown.moved.value) == (0, 39, "to")


def test_what_the_lesson_raises_is_shown(shown):
    shown.ends["from"].value = 13
    assert "nobody knows the &lt;way&gt;" in shown._lengths.value
    shown.ends["from"].value = 1
    assert "Lengths" in shown._lengths.value


def test_where_nobody_can_use_it_there_is_a_still_picture(given, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    explorer = explorers.unfold(given.pop("surface"), given.pop("flat"), **given)
    assert explorer.frame is None
    assert (
        'alt="in data space and in coordinate space (a map), coloured by angle. Lengths: geodesic: 3.0'
        in (explorer._still)
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"flat": np.zeros((3, 2))}, "40 points in space but 3 on the map"),
        ({"start": (0, 40)}, "there are points 0 … 39"),
        ({"ways": lambda *_: {"way": (np.zeros((2, 2)), None)}}, "'way' in space: expected points of shape"),
    ],
)
def test_what_does_not_fit_is_refused(given, change, words):
    given |= change
    with pytest.raises(ValueError, match=words):
        explorers.unfold(given.pop("surface"), given.pop("flat"), **given)


def test_a_way_may_leave_the_map_on_one_side_and_come_back_on_another(given):
    gap = np.array([[3.0, 0.0], [np.nan, np.nan], [-3.0, 0.0], [-2.0, 0.0]])
    given["ways"] = lambda start, end: {"around": (None, gap)}  # noqa: ARG005
    shown = explorers.unfold(given.pop("surface"), given.pop("flat"), **given)
    assert np.isnan(steps(shown, 1)["around"]).tolist() == [False, True, False, False]
    assert "around: 1.0" in shown._lengths.value


def test_a_way_of_another_kind_is_refused(given):
    given["ways"] = lambda start, end: {"around": (None, np.array([[0.0, np.nan], [1.0, 1.0]]))}  # noqa: ARG005
    with pytest.raises(ValueError, match="'around' on the map: 1 of 2 points are NaN"):
        explorers.unfold(given.pop("surface"), given.pop("flat"), **given)
