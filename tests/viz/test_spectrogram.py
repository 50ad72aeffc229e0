import numpy as np
import pytest

from mmdl_course.viz import spectrogram


def panels_of(figure):
    return [axes for axes in figure.axes if axes.get_label().startswith("panel ")]


def test_panels_share_the_time_and_count_down_from_their_loudest(rng, assert_complete):
    long, short = rng.normal(size=(20, 65)), 30 + rng.normal(size=(28, 9))
    figure = spectrogram(
        {"long": long, "short": short}, rate=1000.0, hop=16, words=[("red", 40, 160), ("cube", 180, 400)]
    )
    for axes, level in zip(panels_of(figure), (long, short), strict=True):
        np.testing.assert_allclose(axes.images[0].get_array(), level.T - level.max())
        assert axes.get_xlim() == pytest.approx((0, (27 * 16 + 16) / 1000))
        assert axes.get_ylim() == pytest.approx((0, 500))
        assert axes.get_ylabel() == "frequency (Hz)"
        assert [line.get_xdata()[0] for line in axes.lines] == [0.04, 0.16, 0.18, 0.4]
    first, last = panels_of(figure)
    assert [text.get_text() for text in first.texts] == ["red", "cube"]
    assert not last.texts
    assert last.get_xlabel() == "time (s)"
    assert_complete(figure)


def test_a_frame_stands_around_its_middle_and_a_bin_around_its_frequency():
    figure = spectrogram({"": np.zeros((3, 5))}, rate=100.0, hop=2)
    (axes,) = panels_of(figure)
    left, right, low, high = axes.images[0].get_extent()
    assert (left + 0.01, right - 0.01) == pytest.approx((0.04, 0.08))  # frames 0 … 7 and 4 … 11
    assert (low, high) == pytest.approx((-6.25, 56.25))  # bins 0, 12.5, …, 50 Hz


def test_the_frequencies_can_be_cut_and_a_title_fits(rng, assert_complete):
    figure = spectrogram(
        {"a heart": rng.normal(size=(9, 33))},
        rate=360.0,
        hop=8,
        highest=80.0,
        title="The heart's electricity",
    )
    (axes,) = panels_of(figure)
    assert axes.get_ylim() == (0, 80)
    assert_complete(figure)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"panels": {}}, "1 … 4 panels"),
        ({"panels": {str(number): np.zeros((2, 3)) for number in range(5)}}, "got 5"),
        ({"panels": {"x": np.zeros(3)}}, r"'x': expected shape \(frame, bin\)"),
        ({"panels": {"x": np.full((2, 3), -np.inf)}}, "needs a floor"),
        ({"panels": {"x": np.zeros((2, 1))}}, "one bin"),
        ({"rate": 0.0}, "rate must be above 0"),
        ({"hop": -1}, "hop must be above 0"),
        ({"reach": float("nan")}, "reach must be above 0"),
        ({"highest": -5.0}, "highest must be above 0"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    given = {"panels": {"x": np.zeros((2, 3))}, "rate": 100.0, "hop": 4, **change}
    with pytest.raises(ValueError, match=words):
        spectrogram(given.pop("panels"), **given)
