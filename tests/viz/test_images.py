import numpy as np
import pytest
import torch

from mmdl_course import viz


def pictures(figure) -> list[np.ndarray]:
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes]


def test_each_image_is_drawn_unchanged_with_its_title(rng, assert_complete):
    images = rng.random((3, 3, 5, 4))
    figure = viz.image_grid(images, titles=["a", "b", "c"], title="Three")
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "c"]
    for drawn, image in zip(pictures(figure), images, strict=True):
        np.testing.assert_allclose(drawn, image.transpose(1, 2, 0))
    assert_complete(figure)


def test_torch_with_gradient_and_numpy_give_the_same_picture(rng):
    images = rng.random((2, 8, 8))
    ours = pictures(viz.image_grid(torch.tensor(images, requires_grad=True)))
    np.testing.assert_allclose(ours, pictures(viz.image_grid(images)))
    np.testing.assert_allclose(ours[0][..., 0], images[0])


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, 1, 1), (8, 8, 1), (10, 5, 2), (16, 8, 2), (12, 6, 2)]
)
def test_rows_come_out_even(count, columns, rows):
    figure = viz.image_grid(np.zeros((count, 4, 4)))
    boxes = np.round([axes.get_position().p0 for axes in figure.axes], 6)
    assert (len(set(boxes[:, 0])), len(set(boxes[:, 1]))) == (columns, rows)


def test_images_of_a_grid_keep_their_aspect_and_do_not_overlap():
    figure = viz.image_grid(np.zeros((7, 10, 20)), columns=3)
    width, height = figure.get_size_inches()
    boxes = [axes.get_position() for axes in figure.axes]
    for box in boxes:
        assert box.width * width == pytest.approx(2 * box.height * height)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.full((2, 3, 4, 4), 200.0), r"values must lie in 0 … 1, got 200 … 200\. Divide bytes by 255"),
        (np.full((2, 4, 4), -0.5), r"clamp what a decoder returns"),
        (np.full((2, 4, 4), np.nan), "NaN"),
        (np.zeros((4, 4)), r"images\[None\]"),
        (np.zeros((2, 4, 4, 3)), r"images\.permute\(0, 3, 1, 2\)"),
        (np.zeros((2, 1, 4, 4)), r"images\[:, 0\]"),
        (np.zeros((0, 4, 4)), "nothing to draw"),
        (np.zeros(5), r"expected shape \(image, 3, height, width\) or \(image, height, width\), got \(5,\)"),
    ],
)
def test_what_is_no_image_is_refused_with_the_remedy(images, message):
    with pytest.raises(ValueError, match=message):
        viz.image_grid(images)


def test_titles_and_columns_must_fit():
    with pytest.raises(ValueError, match="2 titles for 3 images"):
        viz.image_grid(np.zeros((3, 4, 4)), titles=["a", "b"])
    with pytest.raises(ValueError, match="columns must be 1 or more"):
        viz.image_grid(np.zeros((3, 4, 4)), columns=0)


def test_a_strip_has_its_labels_numbers_and_headings(rng, assert_complete):
    figure = viz.strip(
        {"through z": rng.random((5, 8, 8)), "through x": rng.random((5, 3, 8, 8))},
        numbers={"through x": [0, 0.5, 1, 0.5, 0]},
        columns=[f"t = {t}" for t in range(5)],
        title="Half-way",
    )
    above, below = figure.axes[:5], figure.axes[5:]
    assert [axes.get_title() for axes in above] == ["t = 0", "t = 1", "t = 2", "t = 3", "t = 4"]
    assert [axes.get_xlabel() for axes in below] == ["0.00", "0.50", "1.00", "0.50", "0.00"]
    assert [axes.get_xlabel() for axes in above] == [""] * 5
    assert (above[0].get_ylabel(), below[0].get_ylabel()) == ("through z", "through x")
    assert_complete(figure)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ({}, {}, "no rows"),
        ({"a": np.zeros((2, 4, 4)), "b": np.zeros((3, 4, 4))}, {}, "'a': 2, 'b': 3"),
        ({"a": np.zeros((2, 4, 4))}, {"numbers": {"b": [1, 2]}}, "numbers for 'b', but the rows are a"),
        ({"a": np.zeros((2, 4, 4))}, {"numbers": {"a": [1]}}, r"expected shape \(2,\), got \(1,\)"),
        ({"a": np.zeros((2, 4, 4))}, {"columns": ["x"]}, "1 column titles for 2 columns"),
        ({"a": np.full((2, 4, 4), 2.0)}, {}, "strip, row 'a': values must lie in 0 … 1"),
    ],
)
def test_a_strip_that_does_not_fit_is_refused(rows, options, message):
    with pytest.raises(ValueError, match=message):
        viz.strip(rows, **options)
