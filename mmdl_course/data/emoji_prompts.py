"""Kinds of emoji, prompts for them as MiniLM reads them, and prompts that were learned: they ship."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mmdl_course.data.card import Shipped, ship
from mmdl_course.data.emoji_archive import read_emoji_archive

__all__ = ["FILE", "EmojiPrompts", "load_emoji_prompts", "map_to_names"]

FILE = Path(__file__).parent / "features" / "emoji_prompts.npz"
"""Made by `python solutions/week10_prompt_learning/_emoji_prompts.py`."""

_RECIPE = "'mmdl fetch minilm', then 'python solutions/week10_prompt_learning/_emoji_prompts.py'"


@dataclass(frozen=True, kw_only=True, repr=False)
class EmojiPrompts(Shipped):
    """A task for an image classifier that reads its classes: which kind of thing does an emoji show?

    Numbers of emoji are places in the order of `load_emoji`.

    Attributes:
        classes: what the kinds are called, to be put into a template.
        label: class of each emoji; -1 for those of no class.
        train: emoji of the classes from which shots may be drawn.
        test: emoji of the classes that nothing was fitted to.
        map_train: emoji whose names `map_to_names` may see: `train` and those of no class.
        ridge: strength of its penalty, the best of a few for the names of held-out training emoji.
        templates: wordings, with {} where the class goes.
        texts: unit vectors of each class in each template.
        shots: how many training emoji of each class a prompt was learned from.
        shot_numbers: for each seed 16 training emoji per class; k shots are the first k.
        learned: unit vectors of each class behind four learned context vectors.
        read: for each seed of the 16 shots, the word piece nearest to each context vector, and how far it is.
        neighbour_distance: median distance between a word piece and the word piece nearest to it.
    """

    classes: tuple[str, ...]
    label: Int64[Tensor, " emoji"]
    train: Int64[Tensor, " train"]
    test: Int64[Tensor, " test"]
    map_train: Int64[Tensor, " some"]
    ridge: float
    templates: tuple[str, ...]
    texts: Float[Tensor, "template class_ 384"]
    shots: tuple[int, ...]
    shot_numbers: Int64[Tensor, "seed class_ 16"]
    learned: Float[Tensor, "shots seed class_ 384"]
    read: tuple[tuple[tuple[str, float], ...], ...]
    neighbour_distance: float


def load_emoji_prompts(*, file: Path = FILE) -> EmojiPrompts:
    """Load classes, halves, prompts and learned prompts that ship: no model is needed, nothing is computed.

    Vectors are stored as 16-bit floats, which changes a cosine by less than 0.001.

    Args:
        file: where they are.

    Returns:
        The task, with emoji numbered in the order of `load_emoji`.

    Raises:
        DataError: the file is missing or damaged, or the packages that list the emoji are of another version.

    Source:
        Zhou et al., Learning to prompt for vision-language models, 2022 (arXiv:2109.01134), equation 3, with
        one context for all classes.
    """
    card = ship(
        "mmdl_course",
        title="Emoji prompts",
        source="computed by this course in 2026 from the emoji features, Unicode's subgroups and "
        "all-MiniLM-L6-v2 (sentence-transformers, 2021); classes and templates worded by this course",
        licence="CC BY 4.0; the model's weights are under Apache-2.0",
    )

    def take(archive: Mapping[str, np.ndarray], listed: dict[str, Any]) -> EmojiPrompts:
        return EmojiPrompts(
            **{name: tuple(listed[name]) for name in ("classes", "templates", "shots")},
            **{name: float(listed[name]) for name in ("ridge", "neighbour_distance")},
            read=tuple(tuple((word, float(far)) for word, far in seed) for seed in listed["read"]),
            **{
                name: torch.from_numpy(archive[name]).long()
                for name in ("label", "train", "test", "map_train", "shot_numbers")
            },
            **{name: torch.from_numpy(archive[name]).float() for name in ("texts", "learned")},
            card=card,
        )

    return read_emoji_archive(file, take, recipe=_RECIPE)


def map_to_names(
    images: Float[Tensor, "emoji feature"],
    names: Float[Tensor, "emoji 384"],
    *,
    train: Int64[Tensor, " train"],
    ridge: float,
) -> Float[Tensor, "emoji 384"]:
    """Place images among texts, by ridge regression with a bias from their features to their names' vectors.

    A training emoji is placed by the map that was fitted without it. Placed by a map that has seen its name,
    it would lie much closer to that name than any new image does, and be no model of one.

    Args:
        images: features; standardised here with the training emoji's means and deviations.
        names: vectors of the names; only those of the training emoji are looked at.
        train: numbers of the emoji that the map is fitted to.
        ridge: strength of the penalty, above 0.

    Returns:
        Unit vectors; the inner product with a text's is the cosine similarity.

    Source:
        Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, equations 3.44 for the
        map and 7.64 for leaving one out. The deviations are those of all training emoji, also for the one
        left out.
    """
    x, y = images.double(), names[train].double()  # hundreds of nearly dependent features
    x = (x - x[train].mean(0)) / x[train].std(0).clamp(min=1e-6)
    bias = y.mean(0)
    inverse = torch.linalg.inv(x[train].T @ x[train] + ridge * torch.eye(x.shape[1], dtype=x.dtype))
    placed = x @ (inverse @ (x[train].T @ (y - bias))) + bias  # (emoji, 384)
    pull = ((x[train] @ inverse) * x[train]).sum(1) + 1 / len(train)  # (train): of its own name on a place
    placed[train] = y - (y - placed[train]) / (1 - pull)[:, None]
    return torch.nn.functional.normalize(placed, dim=1).float()
