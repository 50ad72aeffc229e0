import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from mmdl_course import viz
from mmdl_course.viz.style import PALETTE
from mmdl_course.viz.thumbnails import spaced_apart


@pytest.mark.parametrize("stretch", [(1.0, 1.0), (30.0, 0.5), (1e-3, 1e-3)])
def test_thumbnails_do_not_overlap_on_the_page(rng, stretch, assert_complete):
    embedding = rng.normal(size=(300, 2)) * stretch
    figure = viz.latent_scatter(embedding, images=rng.random((300, 6, 8)), title="a", score="0.9")
    assert_complete(figure)
    axes = figure.axes[0]
    boxes = [picture.get_window_extent() for picture in axes.images]
    assert len(boxes) >= 3
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    for box in boxes:
        assert axes.bbox.contains(box.x0, box.y0)
        assert axes.bbox.contains(box.x1, box.y1)
        assert box.width == pytest.approx(0.45 * figure.dpi, rel=0.02)
        assert box.height == pytest.approx(0.45 * 6 / 8 * figure.dpi, rel=0.02)


def test_a_thumbnail_lies_on_its_point_and_its_frame_has_its_colour(rng):
    embedding = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    images = rng.random((3, 5, 5))
    figure = viz.latent_scatter(embedding, images=images, colour=np.array(["a", "b", "c"]), title="t")
    axes = figure.axes[0]
    frames = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(axes.images) == len(frames) == 3
    for picture, frame in zip(axes.images, frames, strict=True):
        left, right, bottom, top = picture.get_extent()
        index = int(np.linalg.norm(embedding - ((left + right) / 2, (bottom + top) / 2), axis=1).argmin())
        np.testing.assert_allclose(np.asarray(picture.get_array())[..., 0], images[index])
        np.testing.assert_allclose(frame.get_center(), embedding[index], atol=1e-9)
        assert to_hex(frame.get_edgecolor()) == PALETTE[index]


def test_spaced_apart_leaves_no_room_for_another_box(rng):
    points = rng.random((400, 2))
    chosen = spaced_apart(points, width=0.2, height=0.1)
    gaps = np.abs(points[:, None] - points[chosen]) / (0.2, 0.1)
    assert (gaps.max(axis=-1) < 1).any(axis=1).all()
    between = gaps[chosen].max(axis=-1)
    assert (between[~np.eye(len(chosen), dtype=bool)] >= 1).all()


def test_points_in_one_place_get_one_thumbnail(assert_complete):
    figure = viz.latent_scatter(np.zeros((5, 2)), images=np.zeros((5, 4, 4)), title="collapsed")
    assert len(figure.axes[0].images) == 1
    assert_complete(figure)


def test_images_must_match_the_points():
    with pytest.raises(ValueError, match="3 points but 2 images"):
        viz.latent_scatter(np.zeros((3, 2)), images=np.zeros((2, 4, 4)), title="t")
    with pytest.raises(ValueError, match=r"expected points of shape \(n, 2\), got \(3, 3\)"):
        viz.latent_scatter(np.zeros((3, 3)), images=np.zeros((3, 4, 4)), title="t")
