"""Pictures through a small grid of numbers."""

import pytest
import torch

from mmdl_course.architectures.autoencoder import ImageAutoencoder


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ImageAutoencoder(size=16, channels=4, width=8)


def test_shapes_and_ranges(model):
    image = torch.rand(3, 3, 16, 16)
    z = model.encode(image)
    assert z.shape == (3, 4, 2, 2)
    back = model(image)
    assert back.shape == image.shape
    assert 0 <= back.min() <= back.max() <= 1


def test_every_latent_has_mean_zero_and_variance_one(model):
    z = model.encode(torch.rand(5, 3, 16, 16)).flatten(1)
    torch.testing.assert_close(z.mean(1), torch.zeros(5), atol=1e-5, rtol=0)
    torch.testing.assert_close(z.var(1, correction=0), torch.ones(5), atol=1e-2, rtol=0)


def test_wrong_sizes_are_refused(model):
    with pytest.raises(ValueError, match="16 × 16 pixels, not 32 × 32"):
        model.encode(torch.rand(1, 3, 32, 32))
    with pytest.raises(ValueError, match="12 pixels cannot be halved three times"):
        ImageAutoencoder(size=12)
