import pytest
import torch

from mmdl_course.architectures import ConvNet, mlp


def test_mlp_maps_widths():
    assert mlp(5, 7, 3)(torch.zeros(2, 5)).shape == (2, 3)


def test_mlp_ends_without_a_nonlinearity():
    assert (mlp(4, 8, 2)(torch.randn(500, 4)) < -0.2).any()  # GELU never goes below -0.17


def test_mlp_needs_two_widths():
    with pytest.raises(ValueError, match=r"input and an output width, got \(3,\)"):
        mlp(3)


def test_convnet_stages_halve_the_resolution():
    stages = ConvNet(4).features(torch.zeros(2, 3, 32, 32))
    assert [tuple(stage.shape[1:]) for stage in stages] == [
        (3, 32, 32), (16, 16, 16), (32, 8, 8), (64, 4, 4), (64, 2, 2), (64,),
    ]  # fmt: skip


def test_convnet_head_reads_the_last_stage():
    net = ConvNet(4)
    image = torch.rand(3, 3, 32, 32)
    assert torch.allclose(net(image), net.head(net.features(image)[-1]))
