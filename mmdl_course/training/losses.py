"""Losses that no exercise asks for."""

from jaxtyping import Bool, Float
from torch import Tensor

__all__ = ["decoupled_contrast"]


def decoupled_contrast(
    logits: Float[Tensor, "image text"], positive: Bool[Tensor, "image text"]
) -> Float[Tensor, ""]:
    """How far pairs that belong together are above those that do not, which compete among themselves.

    Each pair is held against the wrong texts of its image and against the wrong images of its text; right
    answers do not compete with each other. An image may have several right texts, and the reverse.

    Source: Yeh et al. 2022, "Decoupled contrastive learning", equation 6.

    Args:
        logits: scaled similarities.
        positive: which pairs belong together; at least one, and every image and text has a wrong answer.

    Returns:
        The mean over right pairs of log(sum of exp(rival)) − right, nats; of two such means, one for each
        direction. Below 0 when all rivals are far behind.
    """
    image, text = positive.nonzero().unbind(1)
    right = logits[image, text]
    wrong = logits.masked_fill(positive, -1e4)
    texts, images = wrong.logsumexp(1)[image], wrong.logsumexp(0)[text]
    return ((texts - right).mean() + (images - right).mean()) / 2
