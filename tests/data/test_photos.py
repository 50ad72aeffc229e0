import pytest
import torch

from mmdl_course.data.photos import load_photos


def test_the_whole_pictures():
    photos = load_photos()
    assert photos.names == ("china", "flower")
    assert photos.images.shape == (2, 3, 427, 640)
    assert photos.images.dtype == torch.float32
    assert photos.images.min() >= 0
    assert 0.9 < photos.images.max() <= 1


def test_the_sky_is_blue_and_the_flower_is_red():
    china, flower = load_photos().images
    assert china[:, :40].mean((1, 2)).argmax() == 2  # above
    assert flower[:, 180:240, 300:380].mean((1, 2)).argmax() == 0  # in the middle


def test_a_small_picture_is_the_middle_of_the_large_one():
    large, small = load_photos().images, load_photos(size=61)
    assert small.images.shape == (2, 3, 61, 61)
    middle = large[:, :, :, 106 : 106 + 427]
    # 427 = 7 · 61: every pixel stands for 7 × 7 of them
    averages = torch.nn.functional.avg_pool2d(middle, 7)
    assert (small.images - averages).abs().mean() < 0.02
    torch.testing.assert_close(load_photos(size=427).images, middle)


@pytest.mark.parametrize("size", [0, -3, 428])
def test_a_size_outside_the_picture_is_refused(size):
    with pytest.raises(ValueError, match=f"between 1 and 427 pixels, not {size}"):
        load_photos(size=size)
