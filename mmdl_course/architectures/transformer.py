"""Transformer blocks whose parts are plain, named linear layers: easy to look into, to freeze, to adapt."""

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Attention", "Block"]


class Attention(nn.Module):
    """Multi-head attention of one sequence to another, or to itself.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.2; the core is torch's own.

    Args:
        dim: width of both sequences.
        heads: divides `dim`.
    """

    def __init__(self, dim: int, *, heads: int) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"{heads} heads do not divide a width of {dim}")
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def forward(
        self,
        sequence: Float[Tensor, "batch position dim"],
        context: Float[Tensor, "batch source dim"] | None = None,
        *,
        causal: bool = False,
        mask: Bool[Tensor, "batch source"] | None = None,
    ) -> Float[Tensor, "batch position dim"]:
        """What each position takes from the context.

        Args:
            sequence: asks.
            context: answers; the sequence itself when left out.
            causal: whether a position sees itself and earlier ones only.
            mask: which places of the context may be seen; all when left out. Not together with `causal`.
        """
        context = sequence if context is None else context
        query, key, value = (
            rearrange(layer(x), "batch place (head dim) -> batch head place dim", head=self.heads)
            for layer, x in ((self.query, sequence), (self.key, context), (self.value, context))
        )
        seen = None if mask is None else mask[:, None, None, :]  # (batch, 1, 1, source)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen, is_causal=causal)
        return self.out(rearrange(mixed, "batch head place dim -> batch place (head dim)"))


class Block(nn.Module):
    """One layer: attention to itself, attention to a context where there is one, and a two-layer network.

    Each part reads a normalised copy and adds to the stream.

    Source: Xiong et al. 2020, "On layer normalization in the transformer architecture", for norm first.

    Args:
        dim: width.
        heads: attention heads.
        cross: whether it also attends to a context.
        causal: whether positions see only themselves and earlier ones.
    """

    def __init__(self, dim: int, *, heads: int, cross: bool = False, causal: bool = False) -> None:
        super().__init__()
        self.causal = causal
        self.norm = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads=heads)
        self.cross_norm = nn.LayerNorm(dim) if cross else None
        self.cross = Attention(dim, heads=heads) if cross else None
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(
        self,
        sequence: Float[Tensor, "batch position dim"],
        context: Float[Tensor, "batch source dim"] | None = None,
    ) -> Float[Tensor, "batch position dim"]:
        """The sequence, refined.

        Raises:
            ValueError: a context is given to a block without cross attention, or missing where it has one.
        """
        if (context is None) != (self.cross is None):
            raise ValueError(f"this block has {'no ' if self.cross is None else ''}cross attention")
        sequence = sequence + self.attention(self.norm(sequence), causal=self.causal)
        if self.cross is not None:
            sequence = sequence + self.cross(self.cross_norm(sequence), context)
        return sequence + self.mlp(self.mlp_norm(sequence))


def positions(count: int, dim: int) -> nn.Parameter:
    """Learned position vectors, small at the start; shape (count, dim)."""
    return nn.Parameter(torch.randn(count, dim) * 0.02)
