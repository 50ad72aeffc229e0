import numpy as np
import pytest
import torch

from mmdl_course.viz import robustness_plot


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def panels(count=5):
    x = np.array([0.6, 0.8, 0.9, 0.97])
    y = sigmoid(0.5 * np.log(x / (1 - x)) - 1)
    grid = sigmoid(np.linspace(-7, 7, 281))
    expected = sigmoid(0.5 * np.log(grid / (1 - grid)) - 1)
    return {
        f"shift {place}": {
            "reference": (x, y),
            "line": (grid, expected),
            "models": {"ours": (np.array([0.9]), np.array([0.8]))},
        }
        for place in range(count)
    }


@pytest.mark.parametrize("count", [1, 3, 5])
def test_models_stand_above_the_line_of_the_references(count, assert_complete):
    figure = robustness_plot(panels(count))
    drawn = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title("left") for axes in drawn] == [f"shift {place}" for place in range(count)]
    labelled = {line.get_label(): line for line in drawn[0].lines}
    line = labelled["their line"].get_xydata()
    inside = (line[:, 0] > 0.3) & (line[:, 0] < 0.99)
    x, y = line[inside].T
    np.testing.assert_allclose(np.log(y / (1 - y)), 0.5 * np.log(x / (1 - x)) - 1, atol=1e-6)
    np.testing.assert_allclose(labelled["ours"].get_xydata(), [[0.9, 0.8]])
    foot, head = drawn[0].lines[-1].get_xydata()
    np.testing.assert_allclose(foot, [0.9, sigmoid(0.5 * np.log(9) - 1)], atol=1e-4)
    np.testing.assert_allclose(head, [0.9, 0.8])
    assert_complete(figure)


@pytest.mark.parametrize("line", [{}, {"line": (np.array([0.1, 0.9]), np.full(2, np.nan))}])
def test_references_that_are_all_alike_have_no_line(line, assert_complete):
    alike = {"reference": (np.full(3, 0.5), np.full(3, 0.4)), **line}
    figure = robustness_plot({"sketch": {**alike, "models": {"ours": (np.ones(1), np.zeros(1))}}})
    assert "their line" not in {line.get_label() for line in figure.axes[0].lines}
    assert_complete(figure)


def test_the_legend_has_the_line_of_any_panel_and_every_point_is_inside(assert_complete):
    shown = panels(5)
    del shown["shift 0"]["line"]
    shown["shift 0"]["reference"] = (torch.full((3,), 0.5), torch.full((3,), 0.4))
    shown["shift 4"]["models"]["ours"] = (torch.tensor([0.0]), torch.tensor([1.0]))
    figure = robustness_plot(shown)
    (legend,) = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    told = [text.get_text() for text in legend.get_texts()]
    assert told == ["reference models", "nothing lost (y = x)", "their line", "ours"]
    for axes in figure.axes[:5]:
        for line in axes.lines:
            if line.get_label() in ("ours", "reference models"):
                (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
                x, y = line.get_xydata().T
                assert ((left < x) & (x < right) & (low < y) & (y < high)).all()
                assert x.min() >= 0.001
                assert y.max() <= 0.999
    assert_complete(figure)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="no panels"):
        robustness_plot({})
    with pytest.raises(ValueError, match=r"'sketch': expected 'reference' and 'models'"):
        robustness_plot({"sketch": {"models": {}}})
    other = panels(2)
    other["shift 1"]["models"] = {"theirs": other["shift 1"]["models"]["ours"]}
    with pytest.raises(ValueError, match=r"'shift 1'.*theirs"):
        robustness_plot(other)
    percent = panels(1)
    percent["shift 0"]["models"]["ours"] = (np.array([90.0]), np.array([80.0]))
    with pytest.raises(ValueError, match=r"'ours'.*between 0 and 1"):
        robustness_plot(percent)
    falling = panels(1)
    falling["shift 0"]["line"] = (np.array([0.9, 0.1]), np.array([0.8, 0.2]))
    with pytest.raises(ValueError, match="line: x must rise"):
        robustness_plot(falling)
    uneven = panels(1)
    uneven["shift 0"]["reference"] = (np.array([0.9]), np.array([0.8, 0.7]))
    with pytest.raises(ValueError, match="as many of each"):
        robustness_plot(uneven)
