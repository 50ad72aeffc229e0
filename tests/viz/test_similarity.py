import numpy as np
import pytest

from mmdl_course.viz import modality_gap, similarity_matrix


def axes_of(figure, label):
    return [axes for axes in figure.axes if axes.get_label() == label]


def test_the_matrix_is_drawn_with_thumbnails_captions_and_outlined_pairs(rng, assert_complete):
    similarity = rng.uniform(-0.2, 0.9, (4, 5))
    captions = ["a large red shiny sphere left of a cyan cube", "a cube", "a cone", "a torus", "a red cone"]
    figure = similarity_matrix(similarity, images=rng.random((4, 3, 8, 8)), captions=captions, title="pairs")
    (matrix,) = axes_of(figure, "similarity")
    np.testing.assert_array_equal(matrix.images[0].get_array(), similarity)
    assert len(axes_of(figure, "thumbnail")) == 4
    assert [label.get_text().replace("\n", " ") for label in matrix.get_xticklabels()] == captions
    outlined = {(patch.get_x() + 0.5, patch.get_y() + 0.5) for patch in matrix.patches}
    assert outlined == {(place, place) for place in range(4)}
    (scale,) = axes_of(figure, "scale")
    assert scale.get_ylabel() == "cosine similarity"
    assert_complete(figure)


def test_without_images_and_captions_the_axes_say_what_they_are(rng, assert_complete):
    figure = similarity_matrix(rng.random((6, 6)))
    (matrix,) = axes_of(figure, "similarity")
    assert (matrix.get_xlabel(), matrix.get_ylabel()) == ("captions", "images")
    assert_complete(figure)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"similarity": np.zeros(3)}, r"similarity: expected shape \(image, text\)"),
        ({"similarity": np.zeros((17, 3))}, "at most 16"),
        ({"similarity": np.full((2, 3), np.nan)}, "NaN"),
        ({"images": np.zeros((3, 3, 4, 4))}, "3 images for 2 rows"),
        ({"captions": ["a cube"]}, "1 captions for 3 columns"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        similarity_matrix(**{"similarity": np.zeros((2, 3)), **change})


def test_the_gap_joins_pairs_and_means(rng, assert_complete):
    images, texts = rng.normal(size=(30, 2)), rng.normal(size=(30, 2)) + 4
    figure = modality_gap(images, texts, gap=1.234)
    (axes,) = figure.axes
    assert len(axes.lines) == 31
    np.testing.assert_allclose(axes.lines[-1].get_xydata(), [images.mean(0), texts.mean(0)])
    (legend,) = figure.legends
    told = [text.get_text() for text in legend.get_texts()]
    assert told == ["images", "captions", "gap between the means: 1.23"]
    assert_complete(figure)


def test_a_long_title_widens_a_small_matrix(rng, assert_complete):
    figure = similarity_matrix(
        rng.random((3, 3)), title="Cosine similarities before the first step of training"
    )
    assert_complete(figure)


def test_a_gap_needs_pairs(rng):
    with pytest.raises(ValueError, match="3 images, but 4 captions"):
        modality_gap(rng.normal(size=(3, 2)), rng.normal(size=(4, 2)), gap=0.1)
    with pytest.raises(ValueError, match=r"texts_xy: expected points of shape \(n, 2\)"):
        modality_gap(rng.normal(size=(3, 2)), rng.normal(size=(3, 3)), gap=0.1)
    with pytest.raises(ValueError, match="gap is a distance"):
        modality_gap(rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), gap=float("nan"))


@pytest.mark.parametrize("size", [1, 2, 16])
def test_small_and_large_matrices_fit(rng, size, assert_complete):
    captions = ["a large red shiny sphere left of a small yellow shiny torus behind a green cone"] * size
    for given in ({}, {"captions": captions, "images": rng.random((size, 3, 8, 8))}):
        figure = similarity_matrix(rng.random((size, size)), **given)
        assert figure.get_figwidth() <= 9
        assert_complete(figure)
        (matrix,) = axes_of(figure, "similarity")
        assert all(label.get_window_extent().y0 >= 0 for label in matrix.get_xticklabels())
