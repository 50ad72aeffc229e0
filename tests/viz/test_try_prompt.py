import numpy as np
import pytest

from mmdl_course.viz import explorers
from mmdl_course.viz.style import written

ROWS, COLUMNS = ("red", "blue"), ("cube", "cone", "ball")
CLASSES = [f"{row} {column}" for row in ROWS for column in COLUMNS]
TRUTH = np.array([0, 0, 1, 1, 3, 3, 5, 5])  # no red ball, no blue cone
RIGHT = {
    "{}": [1, 0, 1, 1, 0, 0, 1, 0],
    "a photo of a {}": [1, 1, 1, 1, 1, 0, 0, 0],
    "every {}": [1] * 8,
    "no {}": [0] * 8,
}
PAIRED = (  # +1, +1, −1 among 8: mean 1/8, variance 3/8 − 1/64
    "Accuracy on 8 images: 50.0 ± 17.7 % with the reference “{}”, 62.5 ± 17.1 % with “a photo of a {}”. "
    "Paired difference +12.5 ± 21.2 points (standard errors); 2 images changed to right, 1 to wrong. "
    "2 of 6 classes gained, 1 lost. Gained most, in points: red cube +50, blue cube +50. "
    "Lost most: blue ball −50."
)


@pytest.fixture
def calls():
    return []


@pytest.fixture
def classify(calls):
    def classify(prompt):
        calls.append(prompt)
        if "{}" not in prompt:
            raise ValueError("a template needs {} where the class's <name> goes")
        right = np.array(RIGHT.get(prompt, RIGHT["{}"]), dtype=bool)
        return np.where(right, TRUTH, (TRUTH + 1) % len(CLASSES))

    return classify


@pytest.fixture
def tried(classify):
    return explorers.try_prompt(
        classify, truth=TRUTH, classes=CLASSES, prompts=["{}", "a photo of a {}"], grid=(ROWS, COLUMNS)
    )


def panel(figure, label):
    return next(axes for axes in figure.axes if axes.get_label() == label)


def words_of(axes):
    return [text.get_text() for text in axes.texts]


def test_the_second_prompt_is_compared_with_the_first_on_the_same_images(tried, calls):
    assert tried.sliders["prompt"].value == "a photo of a {}"
    assert tried._describe(prompt="a photo of a {}") == PAIRED
    assert calls == ["{}", "a photo of a {}"]


def test_each_prompt_is_classified_once(tried, calls):
    for prompt in ("every {}", "{}", "a photo of a {}", "every {}"):
        tried.sliders["prompt"].value = prompt
    assert calls == ["{}", "a photo of a {}", "every {}"]


def test_what_is_refused_is_shown_in_the_pictures_place(tried):
    tried.sliders["prompt"].value = "a photo"
    assert "a template needs {} where the class&#x27;s &lt;name&gt; goes" in tried.box.children[-1].value
    tried.sliders["prompt"].value = "every {}"
    assert "Lost most: none" in tried.box.children[-1].value


def test_the_grid_shows_the_change_of_each_pair(tried, assert_complete):
    figure = tried._draw(prompt="a photo of a {}")
    assert_complete(figure)
    axes = panel(figure, "change")
    change = axes.images[0].get_array()  # (row, column)
    np.testing.assert_array_equal(change.mask, [[False, False, True], [False, True, False]])
    np.testing.assert_array_equal(change.filled(0), [[50, 0, 0], [50, 0, -50]])
    assert [label.get_text() for label in axes.get_yticklabels()] == list(ROWS)
    assert [label.get_text() for label in axes.get_xticklabels()] == list(COLUMNS)
    written_at = {text.get_position(): text.get_text() for text in axes.texts}  # (column, row)
    assert written_at == {(0, 0): "+50", (0, 1): "+50", (2, 1): "−50"}
    assert (axes.images[0].norm.vmin, axes.images[0].norm.vmax) == (-50, 50)
    assert [bool(cell.get_hatch()) for cell in axes.patches] == [False, False, True, False, True, False]
    assert "0 … 2 images a class (0: hatched)" in words_of(figure)


def test_small_changes_do_not_fill_the_colour_scale():
    truth = np.repeat([0, 1], 50)
    typed = truth.copy()
    typed[0] = 1  # 2 points of class 0
    explorer = explorers.try_prompt(
        lambda prompt: typed if "photo" in prompt else truth,
        truth=truth,
        classes=["cat", "dog"],
        prompts=["{}", "photo {}"],
        grid=(["pet"], ["cat", "dog"]),
    )
    image = panel(explorer._draw(prompt="photo {}"), "change").images[0]
    np.testing.assert_allclose(image.get_array(), [[-2, 0]])
    assert image.norm.vmax == 20


def test_the_bars_are_the_accuracies(tried):
    axes = panel(tried._draw(prompt="a photo of a {}"), "accuracy")
    assert [bar.get_width() for bar in axes.patches] == [50, 62.5]
    assert {"50.0 ± 17.7 %", "62.5 ± 17.1 %", "reference: “{}”"} <= set(words_of(axes))


@pytest.mark.parametrize("grid", [None, (ROWS, COLUMNS)])
@pytest.mark.parametrize(("prompt", "changed"), [("{}", 0), ("every {}", 3), ("no {}", 3)])
def test_extremes_can_be_drawn(classify, assert_complete, grid, prompt, changed):
    explorer = explorers.try_prompt(classify, truth=TRUTH, classes=CLASSES, prompts=["{}"], grid=grid)
    figure = explorer._draw(prompt=prompt)
    assert_complete(figure)
    told = f"{changed} of 6 classes changed" if changed else "no class changed in accuracy"
    assert told in words_of(figure)
    if not changed:
        assert explorer._describe(prompt=prompt).endswith(
            "Paired difference 0.0 ± 0.0 points (standard errors); 0 images changed to right, 0 to wrong. "
            "No class changed in accuracy."
        )


def test_without_a_grid_the_twelve_classes_that_changed_most_are_sorted_bars(assert_complete):
    truth = np.repeat(np.arange(20), 20)
    image = np.tile(np.arange(20), 20)
    # At first each has 10 of 20 right; class 1 loses 1, class 2 gains 2, class 3 loses 3, … up to class 10.
    right = {"{}": 10 + np.zeros(20), "a {}": 10 + np.array([*(n * (-1) ** n for n in range(11)), *[0] * 9])}
    right["all {}"] = 11 + np.arange(20) / 2

    def classify(prompt):
        return np.where(image < right[prompt][truth], truth, (truth + 1) % 20)

    names = [f"kind {n} with a long name to be read" for n in range(20)]
    explorer = explorers.try_prompt(classify, truth=truth, classes=names, prompts=list(right))
    figure = explorer._draw(prompt="a {}")
    assert_complete(figure)
    widths = [bar.get_width() for bar in panel(figure, "change").patches]
    np.testing.assert_allclose(widths, [50, 40, 30, 20, 10, -5, -15, -25, -35, -45])
    assert "10 of 20 classes changed" in words_of(figure)
    figure = explorer._draw(prompt="all {}")
    assert_complete(figure)
    labels = [label.get_text() for label in panel(figure, "change").get_yticklabels()]
    assert labels[0].startswith("kind 17")
    assert len(labels) == 12
    assert "the 12 of 20 changed classes that changed most" in words_of(figure)


def test_typed_text_is_no_formula_and_has_no_missing_letters(tried, assert_complete):
    prompt = r"$\cost$ of 猫 {}, " + "very " * 30
    figure = tried._draw(prompt=prompt)
    assert_complete(figure)
    title = next(text for text in words_of(figure) if text.startswith("“"))
    assert title.startswith(r"“\$\cost\$ of [U+732B] {}, very")
    assert title.endswith("…”")
    assert f"“{prompt}”" in tried._describe(prompt=prompt)


def test_texts_are_shortened_into_one_line():
    assert written("a\n  cat", 10) == "a cat"
    assert written("abcdef", 6) == "abcdef"
    assert written("abcdefg", 6) == "abcde…"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompts": []}, "list of prompts, the reference first"),
        ({"prompts": "a {}"}, "list of prompts, the reference first"),
        ({"classes": ["one"], "grid": None}, "names of at least two classes"),
        ({"grid": (ROWS,)}, "names of rows and of columns, got 1 lists"),
        ({"grid": (ROWS, ROWS)}, "2 rows × 2 columns are 4 cells for 6 classes"),
        ({"grid": (["all"], ["c"] * 13), "classes": ["c"] * 13}, "at most 20 rows × 12 columns"),
        ({"truth": TRUTH + 1}, r"truth: class numbers must be 0 … 5, .* got 1 … 6"),
        ({"truth": TRUTH / 1}, "truth: expected whole numbers"),
        ({"truth": TRUTH[:0]}, r"truth: expected shape \(image,\)"),
        ({"classify": lambda _: TRUTH[1:]}, r"what classify returns: expected shape \(8,\), got \(7,\)"),
        ({"classify": lambda _: TRUTH - 1}, "what classify returns: class numbers must be 0 … 5"),
        ({"classify": lambda _: np.full(8, np.nan)}, "what classify returns: expected whole numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused(classify, change, words):
    given = {
        "classify": classify,
        "truth": TRUTH,
        "classes": CLASSES,
        "prompts": ["{}"],
        "grid": (ROWS, COLUMNS),
        **change,
    }
    with pytest.raises(ValueError, match="try_prompt.*" + words):
        explorers.try_prompt(given.pop("classify"), **given)
