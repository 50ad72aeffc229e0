"""Losses that no exercise asks for."""

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

__all__ = ["one_against_one"]


def one_against_one(
    logits: Float[Tensor, "image text"], positive: Bool[Tensor, "image text"]
) -> Float[Tensor, ""]:
    """How far pairs that belong together are from beating, one by one, those that do not.

    Every right text of an image is held against every wrong one of that image, and every right image of a
    text against every wrong one. An image may have several right texts and a text several right images.

    Source: Sohn 2016, "Improved deep metric learning with multi-class N-pair loss objective", equation 8
    (N-pair-ovo), in both directions.

    Args:
        logits: scaled similarities.
        positive: which pairs belong together; at least one.

    Returns:
        The mean over right pairs of the sum over their rivals of log(1 + exp(rival − right)), nats, halved
        because there are two directions.
    """
    image, text = positive.nonzero().unbind(1)
    right = logits[image, text][:, None]  # (pair, 1)
    texts = functional.softplus(logits[image] - right).masked_fill(positive[image], 0)
    images = functional.softplus(logits.T[text] - right).masked_fill(positive.T[text], 0)
    return (texts.sum() + images.sum()) / (2 * len(right))
