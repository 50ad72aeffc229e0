"""EfficientNet-Lite0: an image classifier for phones, trained on ImageNet."""

from importlib import resources

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmdl_course.architectures.pretrained.loading import check_images, frozen
from mmdl_course.models import MODELS, Card, model_folder

__all__ = ["EfficientNetLite0", "load_efficientnet_lite0"]


class EfficientNetLite0:
    """Convolutional image classifier with 4.65 million parameters.

    Source: Tan and Le, EfficientNet, 2019 (arXiv:1905.11946). The Lite variant has no squeeze-and-excitation
    and ReLU6 for swish: Liu, Higher accuracy on vision models with EfficientNet-Lite, TensorFlow blog, 2020.

    Attributes:
        network: takes normalised images; its parts are `efficientnet_lite_pytorch`'s.
        classes: names of the 1,000 ImageNet classes, in the order of the logits.
        card: where the weights come from.
    """

    side = 224  # pixels: the network's padding is made for this size alone

    def __init__(self, network: nn.Module, classes: tuple[str, ...], card: Card):
        self.network = network
        self.classes = classes
        self.card = card

    def prepare(
        self, images: Float[Tensor, "image 3 height width"], *, crop: float = 0.875
    ) -> Float[Tensor, "image 3 224 224"]:
        """Cut the square in the middle and scale it (bicubic) to the network's size.

        Args:
            images: RGB, 0 to 1, any size.
            crop: side of the square over the shorter side of the image, above 0 and at most 1. The published
                accuracy is measured with 0.875; use 1 for drawings that fill their frame.

        Returns:
            RGB, 0 to 1.

        Raises:
            ValueError: images of another shape or range, or crop out of range.
        """
        check_images(images)
        if not 0 < crop <= 1:
            raise ValueError(f"crop is above 0 and at most 1, not {crop}.")
        height, width = images.shape[2:]
        side = max(1, round(crop * min(height, width)))
        top, left = (height - side) // 2, (width - side) // 2
        middle = images[:, :, top : top + side, left : left + side]
        size = (self.side, self.side)
        return nn.functional.interpolate(middle, size=size, mode="bicubic", antialias=True).clamp(0, 1)

    def feature_map(
        self, images: Float[Tensor, "image 3 height width"]
    ) -> Float[Tensor, "image 1280 row column"]:
        """What the network sees at 7 × 7 places, each about 32 pixels wide.

        Args:
            images: RGB, 0 to 1, 224 × 224 pixels; see `prepare`.

        Returns:
            1,280 features per place, 0 to 6.

        Raises:
            ValueError: images of another shape, size or range.
        """
        check_images(images)
        if images.shape[2:] != (self.side, self.side):
            height, width = images.shape[2:]
            raise ValueError(f"images are 224 × 224 pixels, not {height} × {width}. Try prepare(images).")
        return self.network.extract_features((255 * images - 127) / 128)  # (image, 1280, 7, 7)

    def features(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 1280"]:
        """The mean of `feature_map` over all places: what the classifier's linear head reads.

        Args:
            images: RGB, 0 to 1, 224 × 224 pixels; see `prepare`.

        Returns:
            1,280 features per image, 0 to 6.

        Raises:
            ValueError: images of another shape, size or range.
        """
        return self.feature_map(images).mean(dim=(2, 3))  # (image, 1280)

    def logits(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 1000"]:
        """Scores of the ImageNet classes before the softmax.

        Args:
            images: RGB, 0 to 1, 224 × 224 pixels; see `prepare`.

        Returns:
            Natural logarithms of the probabilities, up to a constant per image.

        Raises:
            ValueError: images of another shape, size or range.
        """
        return self.network._fc(self.features(images))  # its dropout does nothing in evaluation mode

    def top(self, images: Float[Tensor, "image 3 height width"], *, count: int = 5) -> list[dict[str, float]]:
        """The most probable classes of every image.

        Args:
            images: RGB, 0 to 1, 224 × 224 pixels; see `prepare`.
            count: how many classes, 1 to 1,000.

        Returns:
            For each image: class name → probability, the most probable first.

        Raises:
            ValueError: images of another shape, size or range, or count out of range.
        """
        if not 1 <= count <= len(self.classes):
            raise ValueError(f"count is from 1 to {len(self.classes)}, not {count}.")
        best = self.logits(images).softmax(dim=1).topk(count)
        return [
            {self.classes[place]: share for place, share in zip(places, shares, strict=True)}
            for places, shares in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]


def load_efficientnet_lite0(*, device: torch.device | str = "cpu") -> EfficientNetLite0:
    """Load the classifier that `mmdl fetch efficientnet-lite0` has put into the cache.

    Args:
        device: where it computes.

    Returns:
        The model, frozen, in evaluation mode.

    Raises:
        CacheError: not fetched, or damaged.
    """
    from efficientnet_lite_pytorch import EfficientNet

    card = MODELS["efficientnet-lite0"]
    weights = model_folder(card) / "efficientnet-lite0-57934424.pth"
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return EfficientNetLite0(frozen(network, device), _classes(), card)


def _classes() -> tuple[str, ...]:
    """Short names of the ImageNet classes, from WordNet, as torchvision (BSD-3-Clause) lists them."""
    path = resources.files("mmdl_course.architectures.pretrained") / "imagenet_classes.txt"
    return tuple(path.read_text(encoding="utf-8").splitlines())
