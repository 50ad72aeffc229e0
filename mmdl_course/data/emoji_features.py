"""What two real pretrained models make of the emoji: features that ship, so that nobody has to fetch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from mmdl_course.data.card import Shipped, ship
from mmdl_course.data.emoji_archive import read_emoji_archive

__all__ = ["FILE", "EmojiFeatures", "load_emoji_features", "pack", "unpack"]

FILE = Path(__file__).parent / "features" / "emoji.npz"
"""Made by `python -m mmdl_course.pipelines.emoji_features`."""

_RECIPE = "'mmdl fetch', then 'python -m mmdl_course.pipelines.emoji_features'"


@dataclass(frozen=True, kw_only=True, repr=False)
class EmojiFeatures(Shipped):
    """Emoji as seen by EfficientNet-Lite0, their English names and some questions as read by MiniLM.

    Attributes:
        images: features of the coloured drawings, in the order of `load_emoji`.
        outlines: features of the drawings as black lines.
        texts: unit vectors of the English names.
        queries: everyday texts that are no emoji's name, to search with.
        query_texts: their unit vectors.
    """

    images: Float[Tensor, "emoji 1280"]
    outlines: Float[Tensor, "emoji 1280"]
    texts: Float[Tensor, "emoji 384"]
    queries: tuple[str, ...]
    query_texts: Float[Tensor, "query 384"]


def load_emoji_features(*, file: Path = FILE) -> EmojiFeatures:
    """Load the features that ship: no model is needed, and nothing is computed.

    They are stored with 256 steps per feature, which changes a cosine by less than 0.01.

    Args:
        file: where they are.

    Returns:
        The features, in the order of `load_emoji`.

    Raises:
        DataError: the file is missing or damaged, or the packages that list the emoji are of another version.
    """
    card = ship(
        "mmdl_course",
        title="Emoji features",
        source="computed by this course in 2026 from OpenMoji's drawings (HfG Schwäbisch Gmünd and others, "
        "2018-2025) with EfficientNet-Lite0 (Google, 2020), and from Unicode's English names with "
        "all-MiniLM-L6-v2 (sentence-transformers, 2021)",
        licence="image features: CC BY-SA 4.0, like the drawings; text features: CC BY 4.0; the models' "
        "weights are under Apache-2.0",
    )

    def take(archive: Mapping[str, np.ndarray], listed: dict[str, Any]) -> dict[str, Any]:
        parts = {
            name: unpack(archive[name], archive[f"{name}_range"])
            for name in ("images", "outlines", "texts", "query_texts")
        }
        return {"queries": tuple(listed["queries"]), **parts}

    return EmojiFeatures(**read_emoji_archive(file, take, recipe=_RECIPE), card=card)


def pack(values: Float[Tensor, "row feature"]) -> tuple[UInt8[np.ndarray, "row feature"], np.ndarray]:
    """Numbers in bytes: 256 steps between each feature's smallest and largest value.

    Args:
        values: features.

    Returns:
        Steps, and the smallest value and the step's size of each feature, float32 (2, feature).
    """
    low, high = values.amin(0), values.amax(0)
    step = ((high - low) / 255).clamp(min=1e-12)
    steps = ((values - low) / step).round().byte()
    return steps.numpy(), torch.stack([low, step]).numpy().astype(np.float32)


def unpack(steps: np.ndarray, limits: np.ndarray) -> Float[Tensor, "row feature"]:
    """The numbers again.

    Args:
        steps: from `pack`.
        limits: from `pack`.
    """
    low, step = torch.from_numpy(limits)
    return low + step * torch.from_numpy(steps).float()
