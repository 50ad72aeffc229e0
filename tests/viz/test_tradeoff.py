"""Scores against sizes on a logarithmic axis."""

import numpy as np
import pytest

from mmdl_course import viz

SERIES = {
    "LoRA": ([10, 100, 1000], np.array([[0.1, 0.5, 0.9], [0.3, 0.5, 0.7]])),
    "full": ([5000], [[0.9], [0.8]]),
}
LABELS = {"x_label": "trained parameters", "y_label": "accuracy"}


def test_points_are_means_and_bars_are_deviations_over_seeds(assert_complete):
    figure = viz.tradeoff(SERIES, **LABELS, references={"zero-shot": 0.4}, notes={"LoRA": ["a", "b", "c"]})
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    line = axes.containers[0].lines[0]
    assert list(line.get_xdata()) == [10, 100, 1000]
    assert np.allclose(line.get_ydata(), [0.2, 0.5, 0.8])
    (low, high) = axes.containers[0].lines[2][0].get_segments()[0][:, 1]
    assert high - low == pytest.approx(2 * np.std([0.1, 0.3], ddof=1))
    assert {"zero-shot", "a", "b", "c"} == {text.get_text() for text in axes.texts}
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["LoRA", "full"]
    assert_complete(figure)


def test_one_seed_has_no_bars():
    axes = viz.tradeoff({"a": ([1, 2], [0.3, 0.4])}, **LABELS).axes[0]
    assert len(axes.containers[0].lines[2]) == 0


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        ({}, {}, "methods can be told apart"),
        ({str(i): ([1], [0.5]) for i in range(11)}, {}, "got 11"),
        ({"a": ([0, 1], [0.1, 0.2])}, {}, "numbers above 0"),
        ({"a": ([1, 2], [0.1])}, {}, r"expected finite numbers of shape \(seed, 2\)"),
        ({"a": ([1], [np.nan])}, {}, "finite"),
        ({"a": ([1], [0.5])}, {"notes": {"a": ["x", "y"]}}, "one text for each point"),
        ({"a": ([1], [0.5])}, {"notes": {"b": ["x"]}}, "notes of 'b'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(series, options, message):
    with pytest.raises(ValueError, match=message):
        viz.tradeoff(series, **LABELS, **options)
