from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from seen_colours import DEFICIENCIES, contrast, lab, luminance, seen_with

from mmdl_course.viz.style import (
    ACCENT,
    BASELINE,
    CYCLIC,
    DIVERGING,
    INK,
    KNOWN,
    LINES,
    LOOKS,
    MARKERS,
    MUTED,
    PALETTE,
    QUIET,
    ROLES,
    SEQUENTIAL,
    looks_of,
    new_figure,
    place,
    put_title,
    reference_look,
    style,
    title_height,
)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_any_two_colours_of_the_palette_can_be_told_apart(deficiency):
    seen = [lab(seen_with(deficiency, colour)) for colour in PALETTE]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15  # 2.3 is just noticeable


@pytest.mark.parametrize("colour", [INK, ACCENT, QUIET])
def test_text_and_accent_have_the_contrast_that_wcag_asks_for(colour):
    assert contrast(colour, "white") > 4.5


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_the_two_ends_of_what_gains_and_loses_can_be_told_apart(deficiency):
    low, high = (lab(seen_with(deficiency, DIVERGING(end)[:3])) for end in (0.1, 0.9))
    assert np.linalg.norm(low - high) > 30


def test_on_grey_paper_ours_stands_out_from_a_baseline_and_lines_from_the_paper():
    assert contrast(ACCENT, BASELINE) > 3  # and the baseline is hatched
    assert contrast(MUTED, "white") > 3


def test_on_grey_paper_looks_differ_in_marker_and_the_first_six_in_their_dashes():
    """Ten lightnesses cannot be told apart: two of the palette differ by 0.2 % of white's luminance."""
    assert len(set(MARKERS)) == len(PALETTE)
    assert len({str(line) for line in LINES}) == 6
    assert [look.line for look in LOOKS[:6]] == list(LINES)
    assert len({str(look.line) for look in KNOWN.values()}) == len(KNOWN)


def test_the_same_thing_looks_the_same_whatever_stands_beside_it():
    alone = looks_of(["linear probe"])["linear probe"]
    beside = looks_of(["zero", "full", "linear probe", "learned prompt"])
    assert beside["linear probe"] == alone == ROLES["linear probe"]
    assert len(set(beside.values())) == 4
    assert looks_of(["training"])["training"] == looks_of(["base classes"])["base classes"]


def test_two_names_of_one_role_in_one_figure_stay_apart():
    looks = looks_of(["images", "known", "a", *(f"line {n}" for n in range(7))])
    assert looks["images"] == ROLES["images"] != looks["known"]
    assert len(set(looks.values())) == 10


def test_what_is_known_steps_back_and_has_its_own_dashes():
    assert {look.colour for look in KNOWN.values()} == {MUTED}
    assert reference_look("chance") == KNOWN["chance"] != reference_look("zero-shot")
    assert looks_of(["chance", "a"])["chance"] == KNOWN["chance"]


def test_a_long_title_breaks_and_gets_the_room_it_needs():
    figure = new_figure(6.0, 4.0)
    title = "What is found is told in a sentence that is longer than the figure is wide"
    put_title(figure, title)
    shown = figure.get_suptitle()
    assert shown.replace("\n", " ") == title
    lines = shown.count("\n") + 1
    assert lines > 1
    assert title_height(title, 6.0) - title_height("short", 6.0) == pytest.approx(0.24 * (lines - 1))
    assert title_height(None, 6.0) == 0.0


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
