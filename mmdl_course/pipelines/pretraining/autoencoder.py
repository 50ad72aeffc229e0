"""How the image autoencoder is made: pictures through a small grid of numbers and back."""

import torch
from jaxtyping import Float
from torch import Tensor

from mmdl_course.architectures.autoencoder import ImageAutoencoder
from mmdl_course.pipelines.pretraining.recipe import Recipe, Score
from mmdl_course.pipelines.pretraining.scenes import ONE_HELD_OUT, TRAINING, draw
from mmdl_course.training import fit

__all__ = ["AUTOENCODER"]

SIZE = 32
"""Height and width of the images, pixels."""

SCENES = 24_000
BATCH = 32
NOISE = 0.1
"""Standard deviation of the noise on z while training, where z has 1: near-by z means near-by pictures."""
TEST = 1000


def build() -> ImageAutoencoder:
    """The untrained model."""
    return ImageAutoencoder(size=SIZE)


def train(model: ImageAutoencoder, generator: torch.Generator, steps: int) -> None:
    """Train it in place."""
    _, images = draw(SCENES, config=TRAINING, generator=generator, size=SIZE)

    def loss(indices: Tensor) -> Tensor:
        image = images[indices] / 255
        z = model.encode(image)
        z = z + NOISE * torch.randn(z.shape, generator=generator)
        difference = model.decode(z) - image
        return difference.abs().mean() + 10 * difference.square().mean()

    fit(
        loss,
        model.parameters(),
        count=SCENES,
        steps=steps,
        generator=generator,
        batch_size=BATCH,
        learning_rate=2e-3,
        warm_up=min(50, steps // 2),
        label="autoencoder",
    )


@torch.no_grad()
def score(model: ImageAutoencoder, generator: torch.Generator) -> list[Score]:
    """How like the picture what comes back is, beside PCA with as many numbers."""
    from sklearn.decomposition import PCA

    _, learned = draw(4 * TEST, config=TRAINING, generator=generator, size=SIZE)
    learned = learned / 255
    numbers = model.encode(learned[:1]).numel()
    pca = PCA(numbers, svd_solver="randomized", random_state=0).fit(learned.flatten(1).numpy())
    mean = learned.mean(0)
    scores = []
    for kind, config in (("new scenes", TRAINING), ("one object, held-out pair", ONE_HELD_OUT)):
        images = draw(TEST, config=config, generator=generator, size=SIZE)[1] / 255
        z = model.encode(images)
        flat = pca.inverse_transform(pca.transform(images.flatten(1).numpy()))
        linear = psnr(torch.from_numpy(flat).view_as(images).float(), images).mean().item()
        empty = psnr(mean.expand_as(images), images).mean().item()
        for told, latent in (
            ("", z),
            (", noise of 0.1 on z", z + NOISE * torch.randn(z.shape, generator=generator)),
        ):
            value = psnr(model.decode(latent), images)
            scores.append(
                Score(
                    task=f"give back {kind} through {numbers} numbers{told}",
                    measure="PSNR, dB",
                    value=value.mean().item(),
                    error=(value.std() / TEST**0.5).item(),
                    baseline=linear,
                    baseline_name=f"PCA with {numbers} components",
                    chance=empty,
                    ceiling=None,
                )
            )
    return scores


def psnr(
    image: Float[Tensor, "image 3 height width"], target: Float[Tensor, "image 3 height width"]
) -> Float[Tensor, " image"]:
    """Peak signal-to-noise ratio of images in 0..1, dB; at most 60."""
    return -10 * (image - target).square().mean(dim=(1, 2, 3)).clamp(min=1e-6).log10()


AUTOENCODER = Recipe(
    name="autoencoder",
    summary="Convolutions from an image down to an 4 × 4 grid of 8 numbers, and back.",
    data=f"{SCENES:,} scenes of one to three objects at {SIZE} × {SIZE} pixels, without the held-out pairs",
    steps=2400,
    build=build,
    train=train,
    score=score,
)
