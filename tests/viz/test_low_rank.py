"""The rank slider."""

import numpy as np
import pytest

from mmdl_course.viz import explorers

UPDATE = np.diag([3.0, 2.0, 1.0, 0.0])[:, :3]
VALUES = np.array([3.0, 2.0, 1.0])
LOW = {r: np.diag([3.0, 2.0, 1.0, 0.0][:r] + [0.0] * (4 - r))[:, :3] for r in (0, 1, 2)}
ACCURACY = {0: 0.25, 1: 0.5, 2: 0.875}


def test_the_picture_follows_the_rank_and_says_what_is_kept():
    explorer = explorers.low_rank(
        UPDATE, approximations=LOW, singular_values=VALUES, accuracy=ACCURACY, references={"full": 0.9}
    )
    assert explorer._first == {"rank": 1}
    text = explorer._describe(rank=2)
    assert "4 × 3 numbers" in text
    assert f"keeps {100 * 13 / 14:.0f} %" in text
    assert "accuracy of 0.88; rank 0: 0.25, rank 1: 0.50; full: 0.90" in text
    figure = explorer._draw(rank=2)
    whole, low, bars, curve, _scale = figure.axes
    assert np.array_equal(low.images[0].get_array(), LOW[2])
    assert whole.images[0].get_clim() == low.images[0].get_clim() == (-3.0, 3.0)
    colours = [patch.get_facecolor() for patch in bars.patches]
    assert colours[0] == colours[1] != colours[2]
    assert curve.lines[1].get_ydata()[0] == 0.875


def test_nothing_moved_is_drawn_too():
    explorer = explorers.low_rank(
        np.zeros((2, 2)), approximations={0: np.zeros((2, 2))}, singular_values=np.zeros(2), accuracy={0: 0.5}
    )
    assert "keeps 0 %" in explorer._describe(rank=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accuracy": {0: 0.1}}, "need the same ranks"),
        ({"approximations": {}, "accuracy": {}}, "need the same ranks"),
        ({"accuracy": {0: 0.1, 1: 0.2, 2: 1.5}}, "accuracy of 'rank 2'"),
        ({"references": {"full": -1.0}}, "accuracy of 'full'"),
        ({"start": 7}, "no rank 7"),
        ({"approximations": LOW | {1: np.zeros((2, 2))}}, "approximation of rank 1"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    given = {"approximations": LOW, "singular_values": VALUES, "accuracy": ACCURACY} | change
    with pytest.raises(ValueError, match=message):
        explorers.low_rank(UPDATE, **given)
