import numpy as np
import pytest
from matplotlib.colors import to_hex

from mmdl_course import viz
from mmdl_course.viz.style import CYCLIC, PALETTE, SEQUENTIAL


@pytest.fixture
def sphere(rng):
    points = rng.normal(size=(200, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def dots(axes):
    return axes.collections[0]


def test_panels_of_all_dimensions_have_titles_scores_and_every_point(sphere, assert_complete):
    figure = viz.scatter_panels(
        {"sphere": sphere, "map": sphere[:, :2], "line": sphere[:, :1]},
        colour=sphere[:, 2],
        colour_label="height",
        scores={"map": "trustworthiness 0.91"},
        title="One manifold",
    )
    panels = figure.axes[:3]
    assert [axes.name for axes in panels] == ["3d", "rectilinear", "rectilinear"]
    assert [axes.get_title() for axes in panels] == ["sphere", "map", "line"]
    assert [text.get_text() for text in panels[1].texts] == ["trustworthiness 0.91"]
    assert all(len(dots(axes).get_offsets()) == 200 for axes in panels)
    np.testing.assert_allclose(dots(panels[1]).get_offsets(), sphere[:, :2])
    np.testing.assert_allclose(dots(panels[2]).get_offsets()[:, 0], sphere[:, 0])
    assert figure.axes[3].get_ylabel() == "height"
    assert_complete(figure)


def test_headings_of_a_row_stand_at_one_height(sphere, assert_complete):
    figure = viz.scatter_panels({"in space": sphere, "flat": sphere[:, :2]}, scores={"flat": "0.9"})
    assert_complete(figure)
    space, flat = (axes.title.get_window_extent() for axes in figure.axes)
    assert space.y0 == pytest.approx(flat.y0, abs=1.0)


@pytest.mark.parametrize(("cyclic", "colormap"), [(False, SEQUENTIAL), (True, CYCLIC)])
def test_numbers_are_coloured_on_a_scale(cyclic, colormap):
    colour = np.array([0.0, 5.0, 10.0])
    figure = viz.scatter_panels({"a": np.eye(3)[:, :2]}, colour=colour, cyclic=cyclic)
    np.testing.assert_allclose(dots(figure.axes[0]).get_facecolors(), colormap(colour / 10))


@pytest.mark.parametrize(
    "labels", [np.array([0, 1, 0]), np.array(["cat", "dog", "cat"]), np.array([False, True, False])]
)
def test_categories_get_the_palette_a_legend_and_their_names_in_place(labels, assert_complete):
    points = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    figure = viz.scatter_panels({"a": points}, colour=labels, colour_label="kind")
    names = [str(name) for name in np.unique(labels)]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names
    assert figure.legends[0].get_title().get_text() == "kind"
    clouds = figure.axes[0].collections  # one for each shape
    assert [{to_hex(c) for c in cloud.get_facecolors()} for cloud in clouds] == [{PALETTE[0]}, {PALETTE[1]}]
    assert [len(cloud.get_offsets()) for cloud in clouds] == [2, 1]
    assert len({cloud.get_paths()[0].vertices.tobytes() for cloud in clouds}) == 2
    assert {text.get_text(): tuple(text.xy) for text in figure.axes[0].texts} == {
        names[0]: (0.0, 1.0),
        names[1]: (1.0, 1.0),
    }
    assert_complete(figure)


def test_what_is_far_fades():
    points = np.array([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0], [0.3, 0.0, 0.5]])
    figure = viz.scatter_3d(points, title="a", view=(0.0, -90.0))  # seen from −y
    near, far = dots(figure.axes[0])._facecolors[np.argsort([-1, 1, 0])[[0, 2]]][:, :3]
    assert near.sum() < far.sum()


def test_points_in_space_fill_their_panel(sphere):
    figure = viz.scatter_3d(3.0 + 0.01 * sphere, title="small and far from the origin")
    axes = figure.axes[0]
    figure.draw_without_rendering()
    offsets = dots(axes).get_offsets()
    seen = (axes.transData + axes.transAxes.inverted()).transform(offsets)
    assert 0.0 <= seen.min() < 0.1
    assert 0.9 < seen.max() <= 1.0


@pytest.mark.parametrize(
    ("panels", "options", "message"),
    [
        ({}, {}, "no panels"),
        (
            {"a": np.zeros((5, 4))},
            {},
            r"panel 'a': expected points of shape \(n, 1\) or \(n, 2\) or \(n, 3\)",
        ),
        ({"a": np.full((2, 2), np.nan)}, {}, "panel 'a': 2 of 2 points are NaN"),
        ({"a": np.eye(2)}, {"colour": [1.0]}, "one value for each of the 2 points"),
        ({"a": np.eye(2)}, {"colour": [1.0, np.inf]}, "NaN or infinite"),
        ({"a": np.eye(11)[:, :2]}, {"colour": np.arange(11)}, "11 categories, but only 10 colours"),
        ({"a": np.eye(2)}, {"scores": {"b": "1"}}, "score for 'b', but the panels are a"),
        ({"a": np.eye(2), "b": np.eye(3)}, {"colour": [1.0, 2.0]}, "as many points; got {'a': 2, 'b': 3}"),
    ],
)
def test_what_cannot_be_drawn_is_refused(panels, options, message):
    with pytest.raises(ValueError, match=message):
        viz.scatter_panels(panels, **options)


def test_ways_are_drawn_over_their_manifold_with_one_legend(sphere, assert_complete):
    way = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    figure = viz.paths_3d(
        {"earth": sphere, "map": sphere[:, :2]},
        paths={"earth": {"geodesic": way, "chord": way[[0, 2]]}, "map": {"geodesic": way[:, :2]}},
        colour={"earth": sphere[:, 2]},
    )
    earth, flat = figure.axes
    np.testing.assert_allclose(np.array(earth.lines[0].get_data_3d()).T, way)
    np.testing.assert_allclose(np.array(flat.lines[0].get_data()).T, way[:, :2])
    assert earth.lines[0].get_color() == flat.lines[0].get_color() != earth.lines[2].get_color()
    assert earth.lines[0].get_linestyle() != earth.lines[2].get_linestyle()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["geodesic", "chord"]
    assert_complete(figure)


def test_ways_that_belong_nowhere_are_refused(sphere):
    with pytest.raises(ValueError, match="paths for 'moon', but the panels are earth"):
        viz.paths_3d({"earth": sphere}, paths={"moon": {}})
    with pytest.raises(ValueError, match=r"'earth', 'way': expected points of shape \(n, 3\)"):
        viz.paths_3d({"earth": sphere}, paths={"earth": {"way": np.eye(2)}})
    with pytest.raises(ValueError, match="at most 4 names"):
        viz.paths_3d({"earth": sphere}, paths={"earth": {str(k): np.eye(3) for k in range(5)}})
