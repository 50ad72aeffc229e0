"""all-MiniLM-L6-v2: English sentences as points whose nearness is nearness of meaning."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from mmdl_course.architectures.pretrained.loading import check_texts, frozen, quietly
from mmdl_course.models import MODELS, Card, model_folder

__all__ = ["MiniLM", "load_minilm"]

_LONGEST = 256  # tokens: what the model was trained with; the rest of a longer text is not read


class MiniLM:
    """Sentence encoder with 22.7 million parameters: a BERT of six layers, trained with a contrastive loss.

    Source: Reimers and Gurevych, Sentence-BERT, 2019 (arXiv:1908.10084), for the pooling and the training;
    Wang et al., MiniLM, 2020 (arXiv:2002.10957), for the six layers, distilled from a larger model.

    Attributes:
        network: transformers' `BertModel`.
        tokenizer: its WordPiece tokeniser; lower case, 30,522 tokens.
        card: where the weights come from.
    """

    width = 384  # numbers per sentence

    def __init__(self, network: nn.Module, tokenizer: Any, card: Card):
        self.network = network
        self.tokenizer = tokenizer
        self.card = card

    def encode(self, texts: Sequence[str], *, batch: int = 64) -> Float[Tensor, "text 384"]:
        """Embed sentences: the mean of the last layer over the tokens, scaled to length 1.

        Args:
            texts: English sentences or short paragraphs; what lies beyond 256 tokens is not read.
            batch: how many pass through the network at once; changes nothing but time and memory.

        Returns:
            Unit vectors, on the model's device; the inner product of two is their cosine similarity.

        Raises:
            ValueError: one string instead of a list, something that is no string, or batch below 1.
        """
        texts = check_texts(texts)
        if batch < 1:
            raise ValueError(f"batch is at least 1, not {batch}.")
        device = self.network.device
        parts = [torch.empty(0, self.width, device=device)]
        for start in range(0, len(texts), batch):
            tokens = self.tokenizer(
                texts[start : start + batch],
                padding=True,
                truncation=True,
                max_length=_LONGEST,
                return_tensors="pt",
            ).to(device)
            hidden = self.network(**tokens).last_hidden_state  # (text, token, 384)
            parts.append(self.pool(hidden, tokens["attention_mask"]))  # (text, 384)
        return torch.cat(parts)

    @staticmethod
    def pool(
        hidden: Float[Tensor, "text token 384"], mask: Int64[Tensor, "text token"]
    ) -> Float[Tensor, "text 384"]:
        """Unit vectors of texts from the network's last layer: the mean over the tokens, scaled to length 1.

        Args:
            hidden: what the network says of each token.
            mask: 1 for a token, 0 for filling.
        """
        real = mask[:, :, None].to(hidden)  # (text, token, 1)
        return nn.functional.normalize((hidden * real).sum(dim=1) / real.sum(dim=1), dim=1)


def load_minilm(*, device: torch.device | str = "cpu") -> MiniLM:
    """Load the sentence encoder that `mmdl fetch minilm` has put into the cache.

    Args:
        device: where it computes.

    Returns:
        The model, frozen, in evaluation mode.

    Raises:
        CacheError: not fetched, or damaged.
    """
    from transformers import AutoModel, AutoTokenizer

    card = MODELS["minilm"]
    folder = model_folder(card)
    with quietly():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    return MiniLM(frozen(network, device), tokenizer, card)
