"""Real handwritten digits that scikit-learn ships: 1,797 of 8 × 8 pixels, by 13 writers."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mmdl_course.data.card import Shipped, ship

__all__ = ["Digits", "load_digits"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Digits(Shipped):
    """Handwritten digits, split into training and test images.

    Attributes:
        train_images: 0 (paper) to 1 (ink).
        train_labels: 0..9.
        test_images: images that are not among the training images.
        test_labels: 0..9.
    """

    train_images: Float[Tensor, "train 8 8"]
    train_labels: Int64[Tensor, " train"]
    test_images: Float[Tensor, "test 8 8"]
    test_labels: Int64[Tensor, " test"]


def load_digits(*, generator: torch.Generator, test_share: float = 0.25) -> Digits:
    """Load the digits and split them at random.

    Args:
        generator: decides the split: the same seed gives the same split.
        test_share: part of the 1,797 images that is kept for testing, between 0 and 1.

    Returns:
        The images and labels.

    Raises:
        DataError: scikit-learn is not installed.
        ValueError: test_share leaves no image for training or for testing.

    Source:
        E. Alpaydin and C. Kaynak 1998, "Optical Recognition of Handwritten Digits".
    """
    card = ship(
        "scikit-learn",
        title="Handwritten digits",
        source="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
        "Repository, 1998 (doi:10.24432/C50P49): the 1,797 images of its test set",
        licence="CC BY 4.0 (the repository's)",
    )
    from sklearn.datasets import load_digits as load

    bunch = load()
    images = torch.tensor(bunch.images / 16, dtype=torch.float32)
    labels = torch.tensor(bunch.target, dtype=torch.int64)
    count = round(len(images) * test_share)
    if not 0 < count < len(images):
        raise ValueError(f"test_share must leave images on both sides of the split, not {test_share}")
    order = torch.randperm(len(images), generator=generator)
    test, train = order[:count], order[count:]
    return Digits(
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        card=card,
    )
