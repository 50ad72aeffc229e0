import numpy as np
import pytest

from mmdl_course.viz import explorers

WORDS = ["red", "orange", "cube", "ball", "$big$", "猫"]
MEANING = np.array([[1, 0.0], [4, 3], [0, 1], [0, 2], [-1, 0], [-1, -1]])
SPACES = {"meaning": MEANING, "one-hot": np.eye(6, dtype=int)}


@pytest.fixture
def explorer():
    return explorers.neighbours(SPACES, words=WORDS, queries=["red", "cube"], count=3)


def panel(figure, label):
    return next(axes for axes in figure.axes if axes.get_label() == label)


def test_the_alt_text_tells_the_neighbours_and_the_ties(explorer):
    assert explorer._describe(word="red") == (
        "Words most similar to “red”, with their cosine, best first. In meaning: orange 0.80, cube 0.00, "
        "ball 0.00. In one-hot: orange 0.00, cube 0.00, ball 0.00 (all 5 tie)."
    )


def test_a_tie_that_is_cut_is_told_and_one_that_is_shown_is_not():
    explorer = explorers.neighbours({"m": MEANING}, words=WORDS, queries=["red"], count=2)
    assert "orange 0.80, cube 0.00 (hatched: 2 tie)." in explorer._describe(word="red")
    axes = panel(explorer._draw(word="red"), "m")
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False, True]


def test_nobody_is_their_own_neighbour_and_length_does_not_matter(explorer):
    assert "In meaning: ball 1.00, orange 0.60, red 0.00 (hatched: 2 tie)." in explorer._describe(word="cube")


def test_all_numbers_stay_as_they_were():
    vectors = MEANING.copy()
    explorers.neighbours({"m": vectors}, words=WORDS, queries=["red"])._draw(word="cube")
    np.testing.assert_array_equal(vectors, MEANING)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("count", [1, 5, 20])
@pytest.mark.parametrize("copies", [1, 2, 4])
def test_bars_are_the_cosines(assert_complete, word, count, copies):
    spaces = {f"a long name of space {number}": MEANING for number in range(copies)}
    explorer = explorers.neighbours(spaces, words=WORDS, queries=[word], count=count)
    figure = explorer._draw(word=word)
    assert_complete(figure)
    directions = MEANING / np.linalg.norm(MEANING, axis=1, keepdims=True)
    cosines = np.delete(directions @ directions[WORDS.index(word)], WORDS.index(word))
    expected = np.sort(cosines)[::-1][: min(count, 5)]
    assert len(figure.axes) == copies
    for axes in figure.axes:
        np.testing.assert_allclose([bar.get_width() for bar in axes.patches], expected, atol=1e-12)
        from_the_top = [bar.get_y() for bar in axes.patches]
        assert from_the_top == sorted(from_the_top, reverse=True)


def test_words_are_no_formulas_and_have_no_missing_letters(assert_complete):
    figure = explorers.neighbours(SPACES, words=WORDS, queries=["$big$"], count=5)._draw(word="$big$")
    assert_complete(figure)
    assert "[U+732B]" in [text.get_text() for text in panel(figure, "meaning").texts]
    assert r"“\$big\$”" in [text.get_text() for text in figure.texts]


def test_another_word_is_asked_by_typing(explorer):
    box = explorer.sliders["word"]
    assert box.value == "red"
    box.value = "ball"
    assert "most similar to “ball”" in explorer.box.children[-1].value


def test_an_unknown_word_gets_suggestions(explorer):
    explorer.sliders["word"].value = "oragne"
    shown = explorer.box.children[-1].value
    assert "“oragne” is not among the 6 words. Did you mean orange?" in shown
    explorer.sliders["word"].value = "qqq"
    assert "Did you mean" not in explorer.box.children[-1].value
    explorer.sliders["word"].value = "cube"
    assert "most similar to “cube”" in explorer.box.children[-1].value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spaces": {}}, "1 … 4 spaces fit side by side, got 0"),
        ({"spaces": {str(number): MEANING for number in range(5)}}, "got 5"),
        ({"words": ["red"] * 6}, "some words are given twice"),
        ({"words": ["red"], "spaces": {"m": MEANING[:1]}}, "at least two words"),
        ({"count": 0}, "count must be 1 … 20, got 0"),
        ({"count": 21}, "count must be 1 … 20, got 21"),
        ({"queries": []}, "a list with at least one query"),
        ({"queries": "red"}, "a list with at least one query"),
        ({"queries": ["red", "rad"]}, "“rad” is not among the 6 words. Did you mean red"),
        ({"spaces": {"m": MEANING[:5]}}, r"'m': expected shape \(6, dim\), got \(5, 2\)"),
        ({"spaces": {"m": MEANING * np.nan}}, "'m': some numbers are NaN or infinite"),
        ({"spaces": {"m": MEANING * (np.arange(6) != 2)[:, None]}}, "'m': the vector of “cube” is zero"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, message):
    given = {"spaces": SPACES, "words": WORDS, "queries": ["red"], "count": 3, **change}
    with pytest.raises(ValueError, match="neighbours.*" + message):
        explorers.neighbours(given.pop("spaces"), **given)
