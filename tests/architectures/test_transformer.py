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
    x, context = torch.randn(3, 5, 8), torch.randn(3, 7, 8)
    seen = torch.tensor([[True] * 4 + [False] * 3] * 3)
    expected = torchs(x, context, context, key_padding_mask=~seen, need_weights=False)[0]
    torch.testing.assert_close(own(x, context, mask=seen), expected)


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


def test_cross_attention_listens_to_its_context():
    block = Block(8, heads=2, cross=True)
    x = torch.randn(2, 3, 8)
    assert not torch.allclose(block(x, torch.randn(2, 4, 8)), block(x, torch.randn(2, 4, 8)))


@pytest.mark.parametrize("cross", [True, False])
def test_a_context_is_given_just_where_it_is_needed(cross):
    block, x = Block(8, heads=2, cross=cross), torch.randn(1, 3, 8)
    with pytest.raises(ValueError, match="cross attention"):
        block(x, None if cross else x)


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="3 heads"):
        Attention(8, heads=3)
