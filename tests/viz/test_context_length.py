import numpy as np
import pytest

from mmdl_course.viz import explorers

ACCURACY = {
    "base classes": {4: [0.8, 0.9], 1: [0.7, 0.7], 16: [0.9, 0.94]},
    "new classes": {1: [0.6, 0.64], 4: [0.5, 0.5], 16: [0.3, 0.5]},
}
WORDS = {
    1: [("the", 0.5)],
    4: [("a", 1.0), ("photo", 1.25), ("##ing", 0.75), ("$of$", 2.0)],
    16: [(f"internationalisation{n}", n / 10) for n in range(16)],
}


@pytest.fixture
def explorer():
    return explorers.context_length(ACCURACY, words=WORDS, chance=0.05)


def panel(figure, label):
    return next(axes for axes in figure.axes if axes.get_label() == label)


def test_the_alt_text_says_everything_about_the_chosen_length(explorer):
    assert explorer._describe(length=4) == (
        "Accuracy with M = 4 learned context vectors (mean ± standard deviation, 2 seeds): base classes "
        "85.0 ± 7.1 %; new classes 50.0 ± 0.0 %. Chance is 5.0 %. Measured at M = 1, 4, 16. Position, "
        "nearest word and its distance for M = 4: 1 a 1.00, 2 photo 1.25, 3 ##ing 0.75, 4 $of$ 2.00."
    )


def test_moving_the_slider_marks_another_length(explorer):
    slider = explorer.sliders["length"]
    assert [value for _, value in slider.options] == [1, 4, 16]
    assert slider.value == 4
    slider.value = 1
    assert "for M = 1: 1 the 0.50." in explorer.box.children[-1].value


@pytest.mark.parametrize("length", [1, 4, 16])
def test_lines_and_words_are_drawn(explorer, assert_complete, length):
    figure = explorer._draw(length=length)
    assert_complete(figure)
    lines = panel(figure, "accuracy")
    assert set(lines.lines[0].get_xdata()) == {length}  # the mark
    np.testing.assert_allclose(lines.lines[1].get_xydata(), [[1, 70], [4, 85], [16, 92]])
    np.testing.assert_allclose(lines.lines[3].get_xydata(), [[1, 62], [4, 50], [16, 40]])
    assert [tick.get_text() for tick in lines.get_xticklabels()] == ["1", "4", "16"]
    bars = panel(figure, "words")
    assert [bar.get_width() for bar in bars.patches] == [distance for _, distance in WORDS[length]]
    assert bars.get_xlim()[1] == pytest.approx(2.04)  # a bar's length means the same for every M
    from_the_top = [bar.get_y() for bar in bars.patches]
    assert from_the_top == sorted(from_the_top, reverse=True)


def test_the_figure_stands_still_while_the_slider_moves(explorer):
    sizes = {tuple(explorer._draw(length=length).get_size_inches()) for length in WORDS}
    assert len(sizes) == 1


def test_the_values_of_the_chosen_length_are_written(explorer, assert_complete):
    figure = explorer._draw(length=4)
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert told == ["base classes: 85.0 ± 7.1 %", "new classes: 50.0 ± 0.0 %", "chance: 5.0 %"]
    assert figure.legends[0].get_title().get_text() == "mean ± standard deviation, 2 seeds"
    words = [text.get_text() for text in panel(figure, "words").texts]
    assert words == ["1", "a", "1.00", "2", "photo", "1.25", "3", "##ing", "0.75", "4", "$of$", "2.00"]
    assert_complete(figure)


def test_one_seed_at_one_length_has_no_spread(assert_complete):
    explorer = explorers.context_length({"all": {2: [0.5]}}, words={2: [("猫", 0.0), ("a", 0.0)]}, start=2)
    assert explorer._describe(length=2) == (
        "Accuracy with M = 2 learned context vectors (one seed): all 50.0 %. Measured at M = 2. Position, "
        "nearest word and its distance for M = 2: 1 猫 0.00, 2 a 0.00."
    )
    figure = explorer._draw(length=2)
    assert_complete(figure)
    assert "[U+732B]" in [text.get_text() for text in panel(figure, "words").texts]


def changed(length, seeds):
    return {**ACCURACY, "new classes": {**ACCURACY["new classes"], length: seeds}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"accuracy": {}}, "accuracy: 1 … 6 lines can be told apart, got 0"),
        ({"accuracy": {"all": {}}}, "lengths M of 1 … 16, got none"),
        ({"accuracy": {"all": {0: [0.5], 4: [0.5]}}}, "lengths M of 1 … 16, got 0, 4"),
        ({"accuracy": {"all": {4: [0.5], 32: [0.5]}}}, "lengths M of 1 … 16, got 4, 32"),
        (
            {"accuracy": changed(8, [0.1, 0.1])},
            "'new classes': measured at M = 1, 4, 8, 16, 'base classes' at",
        ),
        (
            {"accuracy": changed(4, [])},
            r"'new classes' at M = 4, one for each seed: expected shape \(seed,\)",
        ),
        (
            {"accuracy": changed(4, [0.1])},
            "'new classes' at M = 4: 1 seeds, but 'base classes' at M = 1 has 2",
        ),
        ({"accuracy": changed(4, [0.1, np.nan])}, "'new classes' at M = 4: accuracies lie in 0 … 1"),
        ({"accuracy": changed(4, [10, 50.0])}, "divide per cent by 100"),
        ({"words": {**WORDS, 4: WORDS[4][:3]}}, "words at M = 4: 3 words; give one"),
        ({"words": {4: WORDS[4]}}, "words: given for M = 4, but accuracy was measured at M = 1, 4, 16"),
        ({"words": {**WORDS, 1: [("the", np.nan)]}}, "the distance of 'the' is nan"),
        ({"words": {**WORDS, 1: [("the", -1.0)]}}, "the distance of 'the' is -1.0"),
        ({"start": 2}, "start: nothing was measured at M = 2; choose one of 1, 4, 16"),
        ({"chance": 5.0}, "chance: an accuracy lies in 0 … 1, got 5.0"),
        ({"chance": np.nan}, "chance: an accuracy lies in 0 … 1, got nan"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, words):
    given = {"accuracy": ACCURACY, "words": WORDS, **change}
    with pytest.raises(ValueError, match="context_length.*" + words):
        explorers.context_length(given.pop("accuracy"), **given)
