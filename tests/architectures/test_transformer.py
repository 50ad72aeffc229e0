"""Blocks: what sees what."""

import pytest
import torch

from mmdl_course.architectures.transformer import Attention, Block


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_attention_agrees_with_torchs():
    own, torchs = Attention(8, heads=2), torch.nn.MultiheadAttention(8, 2, batch_first=True)
    layers = (own.query, own.key, own.value)
    torchs.load_state_dict(
        {
            "in_proj_weight": torch.cat([layer.weight for layer in layers]),
            "in_proj_bias": torch.cat([layer.bias for layer in layers]),
            "out_proj.weight": own.out.weight,
            "out_proj.bias": own.out.bias,
        }
    )
    x = torch.randn(3, 5, 8)
    torch.testing.assert_close(own(x), torchs(x, x, x, need_weights=False)[0])


def test_a_causal_block_never_looks_ahead():
    block = Block(8, heads=2, causal=True)
    x = torch.randn(1, 6, 8)
    changed = x.clone()
    changed[:, 4, 0] += 1
    before, after = block(x), block(changed)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 5], after[:, 5])


def test_without_positions_a_block_treats_its_sequence_as_a_set():
    block = Block(8, heads=2)
    x, order = torch.randn(2, 6, 8), torch.randperm(6)
    torch.testing.assert_close(block(x)[:, order], block(x[:, order]))


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="3 heads"):
        Attention(8, heads=3)
