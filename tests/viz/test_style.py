from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from mmdl_course.viz.style import ACCENT, CYCLIC, INK, PALETTE, SEQUENTIAL, new_figure, place, style

# Machado, Oliveira and Fernandes 2009, severity 1.0, for linear RGB.
DEFICIENCIES = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}


def linear(colour) -> np.ndarray:
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def luminance(colour) -> float:
    return float(linear(colour) @ (0.2126, 0.7152, 0.0722))


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.072175],
        [0.0193339, 0.119192, 0.9503041],
    ]
    x, y, z = np.cbrt(np.maximum(np.array(to_xyz) @ rgb / (0.95047, 1.0, 1.08883), 0.0))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_any_two_colours_of_the_palette_can_be_told_apart(deficiency):
    seen = [lab(np.clip(np.array(DEFICIENCIES[deficiency]) @ linear(colour), 0, 1)) for colour in PALETTE]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15  # 2.3 is just noticeable


@pytest.mark.parametrize("colour", [INK, ACCENT])
def test_text_and_accent_have_the_contrast_that_wcag_asks_for(colour):
    assert 1.05 / (luminance(colour) + 0.05) > 4.5


def test_the_cyclic_scale_closes_and_is_seen_on_white_everywhere():
    assert np.allclose(CYCLIC(0.0), CYCLIC(1.0), atol=0.01)
    assert max(luminance(CYCLIC(t)[:3]) for t in np.linspace(0, 1, 100)) < 0.6


def test_the_sequential_scale_rises_in_lightness():
    light = [luminance(SEQUENTIAL(t)[:3]) for t in np.linspace(0, 1, 50)]
    assert all(np.diff(light) > 0)


def test_the_style_ends_with_its_block():
    before = dict(mpl.rcParams)
    with style():
        assert mpl.rcParams["axes.titleweight"] == "bold"
    assert dict(mpl.rcParams) == before


def test_place_counts_inches_from_the_top_left():
    assert place(new_figure(8.0, 4.0), left=2.0, top=1.0, width=4.0, height=2.0) == pytest.approx(
        (0.25, 0.25, 0.5, 0.5)
    )
