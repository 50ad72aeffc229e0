"""Two real photographs that scikit-learn ships."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mmdl_course.data.card import Shipped, ship

__all__ = ["Photos", "load_photos"]

SIDES = (427, 640)
"""Height and width of the photographs, pixels."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Photos(Shipped):
    """Photographs.

    Attributes:
        images: red, green, blue in 0..1, as stored (sRGB).
        names: china (a temple) and flower (a dahlia), one per image.
    """

    images: Float[Tensor, "image 3 height width"]
    names: tuple[str, ...]


def load_photos(*, size: int | None = None) -> Photos:
    """Load the photographs.

    Args:
        size: None for the whole picture, 427 × 640 pixels; otherwise pixels per side of the square in its
            middle, made smaller with antialiasing, 1..427.

    Returns:
        The photographs.

    Raises:
        DataError: scikit-learn is not installed.
        ValueError: size is not a number of pixels within the picture.
    """
    short = min(SIDES)
    if size is not None and not 1 <= size <= short:
        raise ValueError(f"size must be None or between 1 and {short} pixels, not {size}")
    card = ship(
        "scikit-learn",
        title="Two photographs",
        source="china: danielbuechele, flickr.com/photos/danielbuechele/6061409035; "
        "flower: vultilion, flickr.com/photos/vultilion/6056698931; both retrieved in 2011 by Robert Layton",
        licence="CC BY 2.0",
    )
    from sklearn.datasets import load_sample_images

    bunch = load_sample_images()
    images = torch.stack([torch.tensor(image) for image in bunch.images])
    images = images.permute(0, 3, 1, 2) / 255  # image 3 height width
    if size is not None:
        top, left = ((side - short) // 2 for side in SIDES)
        images = images[:, :, top : top + short, left : left + short]
        images = torch.nn.functional.interpolate(
            images, size=(size, size), mode="bilinear", antialias=True, align_corners=False
        )
    names = tuple(str(name).removesuffix(".jpg").rpartition("/")[2] for name in bunch.filenames)
    return Photos(images=images.contiguous(), names=names, card=card)
