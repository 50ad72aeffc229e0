"""An image autoencoder with a small grid of latent vectors."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["ImageAutoencoder"]


class ImageAutoencoder(nn.Module):
    """Convolutions down to a grid an eighth of the image's height and width, and back.

    Each image's latent numbers have mean 0 and variance 1, so that noise of a given strength means the same
    for all of them: diffusion in this space starts from there.

    Source: Rombach et al. 2022, "High-resolution image synthesis with latent diffusion models", section 3.1,
    in miniature and without its adversarial term.

    Args:
        size: height and width of the images, pixels; a multiple of 8.
        channels: numbers per latent vector.
        width: channels at half the resolution; two and three times as many at a quarter and an eighth.
    """

    def __init__(self, *, size: int = 32, channels: int = 8, width: int = 32) -> None:
        super().__init__()
        if size % 8:
            raise ValueError(f"images of {size} pixels cannot be halved three times")
        self.config: dict[str, Any] = {"size": size, "channels": channels, "width": width}
        first, second, third = width, 2 * width, 3 * width
        self.encoder = nn.Sequential(
            nn.Conv2d(3, first, kernel_size=4, stride=2, padding=1),
            _Residual(first),
            nn.Conv2d(first, second, kernel_size=4, stride=2, padding=1),
            _Residual(second),
            nn.Conv2d(second, third, kernel_size=4, stride=2, padding=1),
            _Residual(third),
            nn.Conv2d(third, channels, kernel_size=1),
            nn.GroupNorm(1, channels, affine=False),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(channels, third, kernel_size=3, padding=1),
            _Residual(third),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(third, second, kernel_size=3, padding=1),
            _Residual(second),
            _Residual(second),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(second, first, kernel_size=3, padding=1),
            _Residual(first),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(first, first // 2, kernel_size=3, padding=1),
            nn.GELU(),
            nn.Conv2d(first // 2, 3, kernel_size=3, padding=1),
            nn.Sigmoid(),
        )

    def encode(
        self, image: Float[Tensor, "image 3 height width"]
    ) -> Float[Tensor, "image channel row column"]:
        """Images to latent grids.

        Args:
            image: 0..1, of the autoencoder's size.

        Raises:
            ValueError: the images have another size.
        """
        size = self.config["size"]
        if image.shape[-2:] != (size, size):
            raise ValueError(
                f"this autoencoder sees {size} × {size} pixels, not {' × '.join(map(str, image.shape[-2:]))}"
            )
        return self.encoder(image * 2 - 1)

    def decode(self, z: Float[Tensor, "image channel row column"]) -> Float[Tensor, "image 3 height width"]:
        """Latent grids to images, 0..1."""
        return self.decoder(z)

    def forward(self, image: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 3 height width"]:
        """There and back."""
        return self.decode(self.encode(image))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.GroupNorm(1, width),
            nn.GELU(),
            nn.Conv2d(width, width, kernel_size=3, padding=1),
            nn.GroupNorm(1, width),
            nn.GELU(),
            nn.Conv2d(width, width, kernel_size=3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.change(x)
