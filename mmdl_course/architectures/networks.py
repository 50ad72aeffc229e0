"""Small networks that lessons build on."""

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["ConvNet", "mlp"]


def mlp(*widths: int) -> nn.Sequential:
    """Fully connected layers with GELU between them and nothing after the last.

    Args:
        widths: input, hidden …, output widths; at least two.

    Raises:
        ValueError: fewer than two widths.
    """
    if len(widths) < 2:
        raise ValueError(f"mlp needs at least an input and an output width, got {widths}.")
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.GELU()]
    return nn.Sequential(*layers[:-1])


class ConvNet(nn.Module):
    """Image classifier: convolution blocks that each halve the resolution, a mean over places, a linear head.

    Args:
        classes: number of classes.
        widths: channels of the blocks.
        channels: channels of the image.
    """

    def __init__(self, classes: int, *, widths: Sequence[int] = (16, 32, 64, 64), channels: int = 3):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1),
                nn.GroupNorm(1, after),
                nn.GELU(),
            )
            for before, after in pairwise((channels, *widths))
        )
        self.head = nn.Linear(widths[-1], classes)

    def features(
        self, image: Float[Tensor, "image channel height width"]
    ) -> list[Float[Tensor, "image feature_map ..."]]:
        """What each stage holds: the image itself, the output of every block, the mean over places."""
        stages = [image]
        for block in self.blocks:
            stages.append(block(stages[-1]))
        stages.append(stages[-1].mean(dim=(2, 3)))  # (image, channel)
        return stages

    def forward(self, image: Float[Tensor, "image channel height width"]) -> Float[Tensor, "image class_"]:
        """Logits."""
        return self.head(self.features(image)[-1])
