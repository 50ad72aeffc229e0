"""Drawings of a few emoji, taken apart and put together again."""

import numpy as np
import pytest

from mmdl_course.data.card import DataError
from mmdl_course.data.openmoji import draw

FAMILY, KEYCAP, SCOTLAND, FIRE = "👨‍👩‍👧", "#️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "❤️‍🔥"
GERMANY, NEPAL = "🇩🇪", "🇳🇵"
JOINED = [FAMILY, GERMANY, KEYCAP, SCOTLAND, FIRE]
OTHERS = [
    "😀",
    "🌇",
    "🛹",
    NEPAL,
    "🆕",
    "💯",
    "🏭",
    "🌑",
    "🌚",
    "🆖",
    "◻️",
    "🅿️",
    "👨",
    "👩",
    "👧",
    "❤️",
    "🔥",
    "🏴",
]
SIZE = 96


@pytest.fixture(scope="module")
def pictures():
    texts = JOINED + OTHERS
    return dict(zip(texts, draw(texts, size=SIZE).astype(int), strict=True))


def test_a_smiling_face_is_yellow_on_white_with_a_black_line_around(pictures):
    face = pictures["😀"]
    assert (face[:3, 0, 0] == 255).all()
    assert face[3, 0, 0] == 0  # nothing is drawn in the corner
    np.testing.assert_array_equal(face[:3, 30, 48], (0xFC, 0xEA, 0x2B))  # OpenMoji's yellow, on the forehead
    assert face[3, 30, 48] == 255
    assert face[4, 30, 48] == 255  # which the outline leaves white
    ring = 48 - round(23 / 72 * SIZE)  # the drawing is a circle of radius 23 in a square of 72
    assert face[4, ring, 48] < 60
    rows, columns = np.nonzero(face[4] < 128)
    assert abs(rows.min() + rows.max() - 95) <= 1  # in the middle
    assert abs(columns.min() + columns.max() - 95) <= 1


@pytest.mark.parametrize("text", JOINED)
def test_joined_characters_are_one_drawing(pictures, text):
    assert pictures[text][3].max() == 255
    for other, drawn in pictures.items():
        assert other == text or (drawn != pictures[text]).any()


def test_text_layout_plays_no_part(monkeypatch, pictures):
    """Where Pillow was built without raqm the pictures are the same: only basic layout is asked for."""
    from PIL import ImageFont

    real, asked = ImageFont.truetype, []
    monkeypatch.setattr(
        ImageFont, "truetype", lambda *args, **options: asked.append(options) or real(*args, **options)
    )
    (family,) = draw([FAMILY], size=SIZE)
    assert [options["layout_engine"] for options in asked] == [ImageFont.Layout.BASIC]
    assert (family == pictures[FAMILY]).all()


def test_a_drawing_is_its_colours_laid_on_white(pictures):
    """Alpha says how much of another ground would show: on white, nothing is darker than alpha allows."""
    for red, green, blue, alpha, _ in pictures.values():
        assert (np.stack([red, green, blue]) >= 254 - alpha).all()


@pytest.mark.parametrize("text", JOINED + OTHERS)
def test_an_outline_lies_within_the_drawing(pictures, text):
    alpha, outline = pictures[text][3:]
    assert (outline < 200).mean() > 0.01
    assert (255 - outline <= alpha + 1).all()


def test_letters_on_buttons_show_in_the_outline(pictures):
    assert (pictures["🆖"][4] < 128).sum() > 1.3 * (pictures["◻️"][4] < 128).sum()
    # the font paints this button's letters over, in the colour of its frame; here they show
    new = pictures["🆕"][:3, 24:72, 24:72]
    assert 0.4 < (new.min(0) > 200).mean() < 0.95


def test_stripes_that_lie_over_black_hide_it_in_the_outline_of_flags(pictures):
    flag = pictures[GERMANY][4]
    top, bottom = np.nonzero((flag < 60).any(1))[0][[0, -1]]
    stripe = round((bottom - top) / 3)
    inside = flag[:, 20:-20]  # without the frame
    assert (inside[top + 4 : top + stripe - 4] < 60).all()
    assert (inside[top + stripe + 4 : bottom - 4] > 200).all()


def test_what_is_not_drawn_is_named():
    with pytest.raises(DataError, match="no drawing of 'ab'"):
        draw(["😀", "ab"], size=16)
