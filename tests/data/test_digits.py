import pytest
import torch

from mmdl_course.data.digits import load_digits


def test_every_image_is_on_one_side_of_the_split():
    digits = load_digits(generator=torch.Generator().manual_seed(0))
    assert len(digits.train_images) + len(digits.test_images) == 1797
    assert len(digits.test_images) == round(1797 / 4)
    images = torch.cat([digits.train_images, digits.test_images])
    assert images.min() == 0
    assert images.max() == 1
    assert len(images.flatten(1).unique(dim=0)) == 1797  # so no test image is a training image


def test_a_nearest_neighbour_reads_the_digits():
    digits = load_digits(generator=torch.Generator().manual_seed(1))
    distance = torch.cdist(digits.test_images.flatten(1), digits.train_images.flatten(1))
    assert (digits.train_labels[distance.argmin(1)] == digits.test_labels).float().mean() > 0.96


def test_the_seed_decides_the_split():
    first, second, third = (load_digits(generator=torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(first.test_images, second.test_images)
    assert not torch.equal(first.test_labels, third.test_labels)


@pytest.mark.parametrize("share", [0.0, 1.0, 1e-6])
def test_a_split_needs_two_sides(share):
    with pytest.raises(ValueError, match="both sides"):
        load_digits(generator=torch.Generator(), test_share=share)
