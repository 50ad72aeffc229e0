import base64
import io
import re
import wave
from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.colors import to_hex

from mmdl_course import viz
from mmdl_course.viz.explorers import SwitchboardTask, switchboard
from mmdl_course.viz.style import ACCENT, BASELINE


@dataclass
class Part:
    letter: str
    name: str = ""
    numbers: int = 0
    moves: int = 0
    size: str = "64 × 64"


ONE = [Part("x", "image"), Part("f", "image", 30), Part("z", "image"), Part("g", "", 20, 20), Part("y")]
TWO = [
    *ONE[:3],
    Part("x", "question"),
    Part("f", "question", 10, 10),
    Part("z", "question"),
    Part("g"),
    Part("y"),
]
IMAGE = np.full((3, 8, 8), 0.5)


def colours(figure):
    return {patch.get_label(): to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches}


def texts(figure):
    return " ".join(text.get_text() for text in figure.axes[0].texts)


def test_what_learns_what_is_frozen_and_what_has_nothing_look_different(assert_complete):
    figure = viz.pipeline_diagram(TWO, signal="true answers", title="asking")
    shown = colours(figure)
    assert shown["f question"] == ACCENT
    assert shown["f image"] == BASELINE
    assert shown["g"] == "#ffffff"
    assert "θ: 10 numbers learn here, from true answers" in texts(figure)
    assert_complete(figure)


def test_a_pipeline_that_learns_nothing_says_so(assert_complete):
    still = [Part("x", "image"), Part("f", "image", 30), Part("z", "image"), Part("g"), Part("y")]
    figure = viz.pipeline_diagram(still, signal="it was learned elsewhere")
    assert "nothing is learned here; it was learned elsewhere" in texts(figure)
    assert_complete(figure)


def test_inputs_stand_above_each_other_and_meet_in_the_decoder():
    places = {}
    for patch in viz.pipeline_diagram(TWO, signal="").axes[0].patches:
        if patch.get_label() in {"x image", "x question", "g", "y"}:
            places[patch.get_label()] = patch.get_xy().mean(axis=0)
    assert places["x image"][1] > places["g"][1] > places["x question"][1]
    assert places["x image"][0] == places["x question"][0] < places["g"][0] < places["y"][0]


@pytest.mark.parametrize(
    "parts",
    [ONE[3:], ONE[:-1], [*ONE, Part("g")], [*ONE, Part("h")], [*ONE[:2], Part("z", "text"), *ONE[3:]]],
)
def test_what_is_no_pipeline_is_refused(parts):
    with pytest.raises(ValueError, match="give x, f and z of each input, one g and one y"):
        viz.pipeline_diagram(parts, signal="")


@pytest.fixture
def asked():
    return []


@pytest.fixture
def board(asked):
    def answer(scene):
        asked.append(scene)
        return {"image": IMAGE, "attention": IMAGE}, f"what is it?\nscene {scene}, right"

    def say(_scene):
        return {"world": np.zeros((4, 9)), "model": np.ones((4, 9))}, "a red cube", (np.zeros(800), 8000)

    scores = {"ours": [0.8, 0.9], "shuffled": [0.2, 0.1], "chance": 0.25, "ceiling": 1.0}
    return switchboard(
        {
            "asking": SwitchboardTask("fusion", TWO, "true answers", "accuracy", scores, answer),
            "speaking": SwitchboardTask("translation", ONE, "true sound", "words heard", scores, say),
        },
        scenes=3,
    )


def alt_of(board):
    return re.search('alt="([^"]*)"', board.box.children[-1].value).group(1)


def test_the_switch_shows_another_task_and_another_scene(board, asked):
    assert "Scene 1, asking, a pipeline of fusion. what is it? scene 0, right." in alt_of(board)
    assert "ours 0.85, shuffled 0.15, chance 0.25, ceiling 1.00" in alt_of(board)
    board.sliders["scene"].value = 3
    assert "Scene 3, asking" in alt_of(board)
    board.sliders["task"].value = "speaking"
    assert "Scene 3, speaking, a pipeline of translation. a red cube." in alt_of(board)
    assert asked == [0, 2]  # each answer is asked for once


def test_only_what_has_a_sound_has_a_player(board):
    assert "<audio" not in board.picture_of(task="asking", scene=1)
    said = board.picture_of(task="speaking", scene=1)
    assert 'aria-label="Sound of scene 1, speaking"' in said
    raw = base64.b64decode(re.search('audio/wav;base64,([^"]*)"', said).group(1))
    with wave.open(io.BytesIO(raw)) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (8000, 800)


def one(**changes):
    given = {"family": "translation", "parts": ONE, "signal": "", "unit": "accuracy", "scores": {"ours": 1.0}}
    return SwitchboardTask(**{**given, "answer": lambda _: ({"image": IMAGE}, ""), **changes})


@pytest.mark.parametrize(
    ("tasks", "scenes", "message"),
    [
        ({}, 3, "0 tasks and 3 scenes"),
        ({"a": one()}, 0, "1 tasks and 0 scenes"),
        ({"a": one(scores={})}, 1, "scores of 'a': give at least one row"),
        ({"a": one(scores={"ours": [np.nan]})}, 1, "scores of 'a'"),
        ({"a": one(methods=("theirs",))}, 1, "method 'theirs' has no row among ours"),
        ({"a": one(answer=lambda _: "text")}, 1, "answer of 'a': give \\(pictures, text\\)"),
        ({"a": one(answer=lambda _: ({}, "text"))}, 1, "answer of 'a'"),
        ({"a": one(answer=lambda _: ({"image": np.zeros(3)}, ""))}, 1, "'a', image: expected shape"),
    ],
)
def test_what_cannot_be_shown_is_refused(tasks, scenes, message):
    with pytest.raises(ValueError, match=message):
        switchboard(tasks, scenes=scenes)


@pytest.mark.parametrize("task", ["asking", "speaking"])
def test_nothing_is_cut_off(board, task, assert_complete):
    assert_complete(board._draw(task=task, scene=2))


def test_a_choice_is_a_list(board):
    assert board.sliders["task"].options == ("asking", "speaking")


def test_a_text_is_called_so_once():
    parts = [*(Part(letter, "text", size="text") for letter in "xfz"), *ONE[3:]]
    told = [text.get_text() for text in viz.pipeline_diagram(parts, signal="").axes[0].texts]
    assert "text" in told
    assert "text\ntext" not in told
