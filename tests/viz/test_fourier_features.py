"""The bandwidth slider."""

import numpy as np
import pytest

from mmdl_course.viz import explorers

X = np.linspace(0, 1, 5)
TRUTH = X**2
FITS = {0.5: np.zeros(5), 2.0: X, 8.0: TRUTH}
ERRORS = {
    "training": {0.5: np.array([0.5, 0.7]), 2.0: np.array([0.1, 0.3]), 8.0: np.array([0.01, 0.01])},
    "held out": {0.5: np.array([0.6, 0.8]), 2.0: np.array([0.2, 0.4]), 8.0: np.array([0.9, 0.9])},
}
POINTS = (np.array([0.1, 0.9]), np.array([0.0, 1.5]))


def test_the_fit_of_a_function_follows_the_bandwidth():
    explorer = explorers.fourier_features(
        TRUTH, fits=FITS, errors=ERRORS, x=X, points=POINTS, references={"mean": 1.0}, error_label="RMSE"
    )
    assert explorer._first == {"bandwidth": 2.0}
    text = explorer._describe(bandwidth=8.0)
    assert text.startswith("A function beside its fit from Fourier features of bandwidth 8")
    assert "RMSE now: training 0.010, held out 0.900" in text
    assert "training: 0.600 at 0.5, 0.200 at 2, 0.010 at 8; held out: 0.700 at 0.5" in text
    assert text.endswith("mean: 1.000.")
    function, curve = explorer._draw(bandwidth=0.5).axes
    truth, fit, dots = function.lines
    assert np.array_equal(truth.get_ydata(), TRUTH)
    assert np.array_equal(fit.get_ydata(), FITS[0.5])
    assert np.array_equal(dots.get_ydata(), POINTS[1])
    assert function.get_ylim() == explorer._draw(bandwidth=8.0).axes[0].get_ylim()  # nothing jumps
    assert curve.lines[2].get_xdata()[0] == 0.5
    assert curve.lines[2].get_ydata()[0] == pytest.approx(0.6)


def test_the_fit_of_a_picture_is_cut_off_where_there_is_no_colour():
    picture = np.linspace(0, 1, 3 * 4 * 6).reshape(3, 4, 6)
    fits = {width: picture * width for width in FITS}
    explorer = explorers.fourier_features(picture, fits=fits, errors=ERRORS, start=8.0)
    assert explorer._first == {"bandwidth": 8.0}
    assert explorer._describe(bandwidth=8.0).startswith("A picture")
    target, fit, _ = explorer._draw(bandwidth=8.0).axes
    assert np.allclose(target.images[0].get_array(), np.moveaxis(picture, 0, -1))
    assert np.allclose(fit.images[0].get_array(), np.moveaxis(picture * 8.0, 0, -1).clip(0, 1))


def test_one_seed_and_one_bandwidth_are_enough():
    errors = {"training": {1.0: np.array([0.5])}}
    explorer = explorers.fourier_features(TRUTH, fits={1.0: X}, errors=errors, x=X)
    assert explorer.sliders["bandwidth"].options == (("1", 1.0),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fits": {}}, "bandwidths above 0"),
        ({"fits": {0.0: X}}, "bandwidths above 0"),
        ({"errors": {}}, "lines can be told apart"),
        ({"errors": {"training": {0.5: np.ones(2)}}}, "at the same bandwidths"),
        ({"errors": {"training": {width: np.zeros(2) for width in FITS}}}, "logarithmic"),
        ({"errors": {"training": {width: np.full(2, np.nan) for width in FITS}}}, "finite"),
        ({"errors": {"training": dict.fromkeys(FITS, 1.0)}}, "one for each seed"),
        ({"fits": FITS | {2.0: np.zeros(4)}}, "fit at 2"),
        ({"fits": FITS | {2.0: np.full(5, np.nan)}}, "fit at 2: some values are NaN"),
        ({"target": np.zeros((2, 2))}, "target"),
        ({"target": np.zeros((1, 2, 2))}, "target"),
        ({"x": None}, "needs its x"),
        ({"x": np.zeros(3)}, "fourier_features, x"),
        ({"points": (np.zeros(2), np.zeros(3))}, "y of the points"),
        ({"start": 7.0}, "nothing was fitted at 7"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    given = {"target": TRUTH, "fits": FITS, "errors": ERRORS, "x": X} | change
    with pytest.raises(ValueError, match=message):
        explorers.fourier_features(**given)
