"""MiniLM, fine-tuned in several ways to name an emoji's kind from its German name: results that ship."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mmdl_course.data.card import Shipped, ship
from mmdl_course.data.emoji_archive import read_emoji_archive

__all__ = ["FILE", "EmojiTuning", "load_emoji_tuning"]

FILE = Path(__file__).parent / "features" / "emoji_tuning.npz"
"""Made by `python solutions/week11_peft/_emoji_tuning.py`."""

_RECIPE = "'mmdl fetch minilm', then 'python solutions/week11_peft/_emoji_tuning.py'"


@dataclass(frozen=True, kw_only=True, repr=False)
class EmojiTuning(Shipped):
    """What an English sentence encoder learns of German from the names of 16 emoji of each kind.

    Kinds, shots, seeds and test emoji are those of `load_emoji_prompts`.

    Attributes:
        methods: ways of fine-tuning: with M context vectors, adapters of width w, LoRA of rank r, ….
        moving: how many numbers move, for each method; for the linear probe those of the probe itself.
        right: whether each test emoji's kind was told from its German name.
        english: share of the same test emoji told from their English names.
        subgroups: share of the emoji of no kind whose subgroup, out of 98, was told from their English names,
            without training for it.
        zero_shot: the three shares before training: German, English, subgroups.
        matrices: names of the linear layers in the six blocks: of the attention four, of the network two.
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

    Returns:
        What came out, method by method.

    Raises:
        DataError: the file is missing or damaged, or the packages that list the emoji are of another version.

    Source:
        Houlsby et al. 2019 (arXiv:1902.00751) for adapters, Hu et al. 2022 (arXiv:2106.09685) for LoRA,
        Ben Zaken et al. 2022 (arXiv:2106.10199) for BitFit, Zhou et al. 2022 (arXiv:2109.01134) for prompts.
    """
    card = ship(
        "mmdl_course",
        title="Emoji tuning",
        source="computed by this course in 2026 from Unicode's German and English names of emoji, Unicode's "
        "subgroups and all-MiniLM-L6-v2 (sentence-transformers, 2021)",
        licence="CC BY 4.0; the model's weights are under Apache-2.0",
    )

    def take(archive: Mapping[str, np.ndarray], listed: dict[str, Any]) -> EmojiTuning:
        return EmojiTuning(
            **{name: tuple(listed[name]) for name in ("methods", "moving", "zero_shot", "matrices")},
            right=torch.from_numpy(archive["right"]),
            **{
                name: torch.from_numpy(archive[name]).float()
                for name in ("english", "subgroups", "update", "weight")
            },
            card=card,
        )

    return read_emoji_archive(file, take, recipe=_RECIPE)
