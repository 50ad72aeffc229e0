"""Transformer blocks whose parts are plain, named linear layers: easy to look into, to freeze, to adapt."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Attention", "Block"]


class Attention(nn.Module):
    """Multi-head attention of a sequence to itself.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.2; the core is torch's own.

    Args:
        dim: width of the sequence.
        heads: divides `dim`.
    """

    def __init__(self, dim: int, *, heads: int) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"{heads} heads do not divide a width of {dim}")
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def forward(
        self, sequence: Float[Tensor, "batch position dim"], *, causal: bool = False
    ) -> Float[Tensor, "batch position dim"]:
        """What each position takes from the sequence.

        Args:
            sequence: asks and answers.
            causal: whether a position sees itself and earlier ones only.
        """
        query, key, value = (
            rearrange(layer(sequence), "batch place (head dim) -> batch head place dim", head=self.heads)
            for layer in (self.query, self.key, self.value)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
        return self.out(rearrange(mixed, "batch head place dim -> batch place (head dim)"))


class Block(nn.Module):
    """One layer: attention of the sequence to itself, and a two-layer network.

    Each part reads a normalised copy and adds to the stream.

    Source: Xiong et al. 2020, "On layer normalization in the transformer architecture", for norm first.

    Args:
        dim: width.
        heads: attention heads.
        causal: whether positions see only themselves and earlier ones.
    """

    def __init__(self, dim: int, *, heads: int, causal: bool = False) -> None:
        super().__init__()
        self.causal = causal
        self.norm = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads=heads)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, sequence: Float[Tensor, "batch position dim"]) -> Float[Tensor, "batch position dim"]:
        """The sequence, refined."""
        sequence = sequence + self.attention(self.norm(sequence), causal=self.causal)
        return sequence + self.mlp(self.mlp_norm(sequence))


def positions(count: int, dim: int) -> nn.Parameter:
    """Learned position vectors, small at the start; shape (count, dim)."""
    return nn.Parameter(torch.randn(count, dim) * 0.02)
