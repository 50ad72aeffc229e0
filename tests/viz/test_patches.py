import numpy as np
import pytest

from mmdl_course.viz import patch_maps


def test_each_word_has_a_row_with_its_map_outline_and_number(rng, assert_complete):
    maps = {"a red object": rng.normal(size=(2, 4, 4)), "a sphere": rng.normal(size=(2, 4, 4))}
    mask = np.zeros((2, 16, 16), dtype=bool)
    mask[:, 4:9, 4:9] = True
    figure = patch_maps(
        rng.random((2, 3, 16, 16)),
        maps,
        masks={"a sphere": mask},
        numbers={"a sphere": np.array([0.25, 0.5])},
    )
    for word, grid in maps.items():
        drawn = [axes for axes in figure.axes if axes.get_label() == f"map {word}"]
        for axes, values in zip(drawn, grid, strict=True):
            np.testing.assert_array_equal(axes.images[-1].get_array(), values)
            assert bool(axes.collections) == (word == "a sphere")
    assert [axes.get_xlabel() for axes in figure.axes if axes.get_label() == "map a sphere"] == [
        "0.25",
        "0.50",
    ]
    assert_complete(figure)


def test_five_images_are_no_wider_than_a_page(rng, assert_complete):
    figure = patch_maps(rng.random((5, 3, 8, 8)), {"a cube": rng.normal(size=(5, 4, 4))})
    assert figure.get_figwidth() <= 9
    assert_complete(figure)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": np.zeros((6, 3, 8, 8))}, "1 … 5 images"),
        ({"maps": {}}, "at least one word"),
        ({"maps": {"a cube": np.full((2, 2, 2), np.nan)}}, "'a cube': some similarities are NaN"),
        ({"maps": {"a cube": np.zeros((3, 2, 2))}}, "'a cube'.*shape"),
        ({"masks": {"a cone": np.zeros((2, 8, 8), dtype=bool)}}, "'a cone' has no map"),
        ({"masks": {"a cube": np.zeros((2, 4, 8), dtype=bool)}}, "masks, 'a cube'.*shape"),
        ({"numbers": {"a cube": np.zeros(3)}}, "numbers, 'a cube'.*shape"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    given = {"images": np.zeros((2, 3, 8, 8)), "maps": {"a cube": np.zeros((2, 2, 2))}, **change}
    with pytest.raises(ValueError, match=words):
        patch_maps(given.pop("images"), given.pop("maps"), **given)


def test_the_scale_says_what_is_counted(rng):
    figure = patch_maps(rng.random((1, 3, 8, 8)), {"attention": rng.random((1, 4, 4))}, unit="weight")
    assert [axes.get_ylabel() for axes in figure.axes if axes.get_label() == "scale"] == ["weight"]
