"""A captioner: a small language decoder that looks at an image, or at nothing."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from mmdl_course.architectures.miniclip import ImageTower
from mmdl_course.architectures.tokenizer import END, PAD, START, WordTokenizer

__all__ = ["Captioner"]


class Captioner(nn.Module):
    """An image tower, and GPT-2's decoder with cross attention to the tower's patches.

    Without an image the same decoder is a language model: it knows how captions go, and no scene.

    Source: Radford et al. 2019, "Language models are unsupervised multitask learners", for the decoder
    (transformers' GPT2LMHeadModel); Xu et al. 2015, "Show, attend and tell", for looking while writing.

    Args:
        words: vocabulary.
        size: height and width of the images, pixels.
        stride: pixels per patch, each way.
        length: most tokens of a text, start and end included.
        dim: width of tower and decoder.
        depth: blocks of the decoder.
        heads: attention heads of the decoder.
        pixels: mean and standard deviation of the pixels it will see.
    """

    def __init__(
        self,
        *,
        words: Sequence[str],
        size: int = 64,
        stride: int = 8,
        length: int = 64,
        dim: int = 64,
        depth: int = 3,
        heads: int = 4,
        pixels: Sequence[float] = (0.5, 0.5),
    ) -> None:
        from transformers import GPT2Config, GPT2LMHeadModel

        super().__init__()
        self.tokenizer = WordTokenizer(words)
        self.config: dict[str, Any] = {
            "words": list(self.tokenizer.words),
            "size": size,
            "stride": stride,
            "length": length,
            "dim": dim,
            "depth": depth,
            "heads": heads,
            "pixels": list(pixels),
        }
        self.image = ImageTower(size=size, stride=stride, dim=dim, pixels=tuple(pixels))
        self.decoder = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=len(self.tokenizer),
                n_positions=length,
                n_embd=dim,
                n_layer=depth,
                n_head=heads,
                add_cross_attention=True,
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                initializer_range=0.1,
                bos_token_id=START,
                eos_token_id=END,
            )
        )
        self.decoder.loss_type = "ForCausalLM"  # transformers finds no name of a loss in the class's name

    def loss(
        self,
        tokens: Int64[Tensor, "text position"],
        image: Float[Tensor, "text 3 height width"] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean cross-entropy of a token given those before it, nats; filling does not count.

        Args:
            tokens: from `self.tokenizer.encode`.
            image: 0..1, one per text; the language model's loss when left out.
        """
        labels = tokens.masked_fill(tokens == PAD, -100)  # transformers leaves -100 out
        return self._decode(tokens, image, labels=labels).loss

    def next_word(
        self,
        tokens: Int64[Tensor, "text position"],
        image: Float[Tensor, "text 3 height width"] | None = None,
    ) -> Float[Tensor, "text position token"]:
        """Logits of the token that follows each position.

        Args:
            tokens: from `self.tokenizer.encode`.
            image: 0..1, one per text, or none.
        """
        return self._decode(tokens, image).logits

    @torch.no_grad()
    def write(
        self,
        image: Float[Tensor, "image 3 height width"] | None = None,
        *,
        count: int = 1,
        sample: bool = False,
    ) -> list[str]:
        """Captions.

        Args:
            image: 0..1; nothing to look at when left out.
            count: how many texts to write where there is no image.
            sample: draw each word (from torch's global generator) instead of taking the likeliest.

        Returns:
            One text per image, or `count` texts.
        """
        rows = count if image is None else len(image)
        start = torch.full((rows, 1), START, device=self.image.position.device)
        draw = {"do_sample": True, "top_k": 0} if sample else {"do_sample": False}
        tokens = self.decoder.generate(
            start,
            attention_mask=torch.ones_like(start),
            encoder_hidden_states=None if image is None else self.image(image),
            max_length=self.config["length"],
            pad_token_id=PAD,
            **draw,
        )
        return self.tokenizer.decode(tokens)

    def _decode(self, tokens: Tensor, image: Tensor | None, labels: Tensor | None = None) -> Any:
        return self.decoder(
            tokens,
            attention_mask=(tokens != PAD).long(),
            encoder_hidden_states=None if image is None else self.image(image),
            labels=labels,
        )
