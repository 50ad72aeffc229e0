"""Real handwritten digits that scikit-learn ships: 1,797 of 8 × 8 pixels, by 13 writers."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

__all__ = ["Digits", "load_digits"]


@dataclass(frozen=True)
class Digits:
    """Handwritten digits, split into training and test images.

    Attributes:
        train_images: 0 (paper) to 1 (ink).
        train_labels: 0..9.
        test_images: images that are not among the training images.
        test_labels: 0..9.
        source: where the images come from.
        licence: under which terms.
    """

    train_images: Float[Tensor, "train 8 8"]
    train_labels: Int64[Tensor, " train"]
    test_images: Float[Tensor, "test 8 8"]
    test_labels: Int64[Tensor, " test"]
    source: str = (
        "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
        "Repository, 1998 (doi:10.24432/C50P49); the 1,797 images of its test set, as shipped by scikit-learn"
    )
    licence: str = "CC BY 4.0"


def load_digits(*, generator: torch.Generator, test_share: float = 0.25) -> Digits:
    """Load the digits and split them at random.

    Args:
        generator: decides the split: the same seed gives the same split.
        test_share: part of the 1,797 images that is kept for testing, between 0 and 1.

    Returns:
        The images and labels.

    Raises:
        ValueError: test_share leaves no image for training or for testing.
    """
    from sklearn.datasets import load_digits as load

    bunch = load()
    images = torch.tensor(bunch.images / 16, dtype=torch.float32)
    labels = torch.tensor(bunch.target, dtype=torch.int64)
    count = round(len(images) * test_share)
    if not 0 < count < len(images):
        raise ValueError(f"test_share must leave images on both sides of the split, not {test_share}")
    order = torch.randperm(len(images), generator=generator)
    test, train = order[:count], order[count:]
    return Digits(images[train], labels[train], images[test], labels[test])
