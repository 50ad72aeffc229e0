import numpy as np
import pytest

from mmdl_course import viz
from mmdl_course.viz.curves import _pushed_apart

X = np.array([1.0, 2.0, 4.0])


def test_a_line_is_the_mean_and_the_band_one_standard_deviation(assert_complete):
    y = np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]])
    figure = viz.curves({"a": y, "b": [1.0, 1.0, 1.0]}, x=X, x_label="n", y_label="loss", title="T")
    axes = figure.axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [2, 3, 4])
    (band,) = axes.collections  # one seed has no spread
    np.testing.assert_allclose(band.get_datalim(axes.transData).intervaly, [2 - np.sqrt(2), 4 + np.sqrt(2)])
    assert (axes.get_xlabel(), axes.get_ylabel(), figure.get_suptitle()) == ("n", "loss", "T")
    assert_complete(figure)


def test_lines_differ_without_colour_and_are_named_at_their_ends():
    axes = viz.curves({"a": X, "b": X[::-1]}, x=X, x_label="x", y_label="y").axes[0]
    looks = {(line.get_linestyle(), line.get_marker()) for line in axes.lines}
    assert len(looks) == 2
    assert {text.get_text(): text.xy for text in axes.texts} == {"a": (4.0, 4.0), "b": (4.0, 1.0)}


def test_names_at_the_ends_do_not_touch(assert_complete):
    series = {f"line {k}": X + 0.001 * k for k in range(10)}
    figure = viz.curves(series, x=X, x_label="x", y_label="y", references={"chance": 4.0})
    assert_complete(figure)
    heights = sorted(text.get_position()[1] for text in figure.axes[0].texts)
    axes_height = figure.axes[0].bbox.height
    assert len(heights) == 11
    assert min(np.diff(heights)) * axes_height > 1.3 * 11 / 72 * figure.dpi


def test_pushed_apart_moves_as_little_as_possible():
    np.testing.assert_allclose(_pushed_apart(np.array([0.0, 1.0]), gap=0.1), [0.0, 1.0])
    np.testing.assert_allclose(_pushed_apart(np.array([0.5, 0.5]), gap=0.1), [0.45, 0.55])
    np.testing.assert_allclose(_pushed_apart(np.array([0.52, 0.5, 0.0]), gap=0.1), [0.56, 0.46, 0.0])
    np.testing.assert_allclose(_pushed_apart(np.array([1.0, 1.0, 0.0]), gap=0.2), [0.8, 1.0, 0.0])


def test_the_diagonal_and_references_are_there():
    axes = viz.curves(
        {"a": X}, x=X, x_label="x", y_label="y", diagonal="truth", references={"chance": 0.5}
    ).axes[0]
    by_name = {line.get_label(): line for line in axes.lines}
    assert by_name["chance"].get_ydata() == [0.5, 0.5]
    (x1, y1), (x2, y2) = by_name["truth"].get_xy1(), by_name["truth"].get_xy2()
    assert (x1, x2) == (y1, y2)
    assert {"truth", "chance", "a"} == {text.get_text() for text in axes.texts}


def test_named_positions_are_written_on_the_axis(assert_complete):
    figure = viz.curves({"shape": [0.2, 0.9]}, x=["pixels", "layer 1"], x_label="layer", y_label="accuracy")
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["pixels", "layer 1"]
    assert_complete(figure)


def test_logarithmic_axes(assert_complete):
    figure = viz.curves({"a": 1 / X}, x=X, x_label="x", y_label="y", log_x=True, log_y=True, diagonal="y = x")
    assert (figure.axes[0].get_xscale(), figure.axes[0].get_yscale()) == ("log", "log")
    assert_complete(figure)


def test_few_whole_numbers_are_written_as_they_are_on_a_logarithmic_axis():
    x = [1, 2, 4, 8, 16]
    axes = viz.curves({"a": x}, x=x, x_label="shots", y_label="y", log_x=True).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "4", "8", "16"]
    assert not axes.get_xticks(minor=True).size


def test_gaps_are_left_where_values_are_missing():
    axes = viz.curves({"a": [1.0, 2.0, np.nan]}, x=X, x_label="x", y_label="y").axes[0]
    assert axes.texts[0].xy == (2.0, 2.0)


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        ({}, {}, "1 … 10 lines can be told apart, got 0"),
        ({str(k): X for k in range(11)}, {}, "got 11"),
        ({"a": [1.0, 2.0]}, {}, r"'a': expected shape \(seed, 3\) or \(3,\), as x has 3 values; got \(2,\)"),
        ({"a": [np.nan] * 3}, {}, "'a'"),
        ({"a": [1.0, 0.0, 1.0]}, {"log_y": True}, "log_y needs values above 0"),
        ({"a": X}, {"log_x": True, "x": [0.0, 1.0, 2.0]}, "log_x needs numbers above 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(series, options, message):
    with pytest.raises(ValueError, match=message):
        viz.curves(series, **{"x": X, "x_label": "x", "y_label": "y", **options})


def test_counts_are_marked_as_counts():
    figure = viz.curves({"a": [1.0, 2.0, 4.0]}, x=[1, 2, 3], x_label="factors", y_label="dimension")
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["1", "2", "3"]
