"""The real CLIP, by transformers, from a folder or the Hugging Face cache."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmdl_course.architectures.pretrained.loading import check_images, check_texts, frozen, quietly
from mmdl_course.cache import CacheError
from mmdl_course.models import Card

__all__ = ["CLIP", "load_clip"]


class CLIP:
    """Two towers, for images and for texts, into one space in which a picture lies near its caption.

    Source: Radford et al., Learning transferable visual models from natural language supervision, 2021
    (arXiv:2103.00020).

    Attributes:
        network: transformers' `CLIPModel`.
        tokenizer: byte-level BPE in lower case.
        image_processor: scales, crops and normalises as the weights expect.
        card: what was loaded.
    """

    def __init__(self, network: nn.Module, tokenizer: Any, image_processor: Any, card: Card):
        self.network = network
        self.tokenizer = tokenizer
        self.image_processor = image_processor
        self.card = card

    @property
    def scale(self) -> float:
        """The learned inverse temperature, a factor of every cosine similarity; 100 for OpenAI's CLIPs."""
        return self.network.logit_scale.exp().item()

    def encode_image(
        self, images: Float[Tensor, "image 3 height width"], *, batch: int = 32
    ) -> Float[Tensor, "image embedding"]:
        """Embed images.

        Args:
            images: RGB, 0 to 1, any size; rounded to 8 bits, scaled and cropped as the weights expect.
            batch: how many pass through the network at once.

        Returns:
            Unit vectors, on the model's device.

        Raises:
            ValueError: images of another shape or range, or batch below 1.
        """
        check_images(images)
        pixels = (255 * images.detach().cpu()).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        parts = []
        for start in _starts(len(images), batch):
            inputs = self.image_processor(images=list(pixels[start : start + batch]), return_tensors="pt")
            hidden = self.network.vision_model(pixel_values=inputs["pixel_values"].to(self.network.device))
            parts.append(self.network.visual_projection(hidden.pooler_output))
        return self._unit(parts)

    def encode_text(self, texts: Sequence[str], *, batch: int = 64) -> Float[Tensor, "text embedding"]:
        """Embed texts.

        Args:
            texts: captions; what lies beyond the tower's length (77 tokens for OpenAI's CLIPs) is not read.
            batch: how many pass through the network at once.

        Returns:
            Unit vectors, on the model's device.

        Raises:
            ValueError: one string instead of a list, something that is no string, or batch below 1.
        """
        texts = check_texts(texts)
        longest = self.network.config.text_config.max_position_embeddings
        parts = []
        for start in _starts(len(texts), batch):
            tokens = self.tokenizer(
                texts[start : start + batch],
                padding=True,
                truncation=True,
                max_length=longest,
                return_tensors="pt",
            ).to(self.network.device)
            hidden = self.network.text_model(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
            )
            parts.append(self.network.text_projection(hidden.pooler_output))
        return self._unit(parts)

    def similarity(
        self, images: Float[Tensor, "image 3 height width"], texts: Sequence[str]
    ) -> Float[Tensor, "image text"]:
        """Logits of the match between every image and every text: `scale` times the cosine.

        Args:
            images: RGB, 0 to 1.
            texts: captions.

        Returns:
            From -scale to scale; a softmax along the texts is CLIP's zero-shot classifier.

        Raises:
            ValueError: as `encode_image` and `encode_text`.
        """
        return self.scale * self.encode_image(images) @ self.encode_text(texts).T

    def _unit(self, parts: list[Tensor]) -> Float[Tensor, "item embedding"]:
        none = torch.empty(0, self.network.config.projection_dim, device=self.network.device)
        return nn.functional.normalize(torch.cat([none, *parts]), dim=1)


def load_clip(name: str | Path, *, device: torch.device | str = "cpu") -> CLIP:
    """Load a CLIP that is on this machine; nothing is downloaded.

    Args:
        name: a folder with a saved `CLIPModel`, its tokeniser and image processor; or a model's name on the
            Hugging Face hub, "openai/clip-vit-base-patch32" for example, that has been downloaded.
        device: where it computes.

    Returns:
        The model, frozen, in evaluation mode.

    Raises:
        CacheError: it is not on this machine, or is damaged; the message says what to type.
    """
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoImageProcessor, AutoTokenizer, CLIPModel

    try:
        with quietly():
            config = AutoConfig.from_pretrained(name, local_files_only=True)
            if config.model_type != "clip":
                raise ValueError(f"it is a model of type {config.model_type}")
            network, loaded = CLIPModel.from_pretrained(
                name, config=config, local_files_only=True, dtype=torch.float32, output_loading_info=True
            )
            tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=True)
            image_processor = AutoImageProcessor.from_pretrained(name, local_files_only=True)
        if loaded["missing_keys"]:
            raise ValueError(f"the weights lack {min(loaded['missing_keys'])}")
        if len(tokenizer) <= len(tokenizer.all_special_ids):  # what transformers makes of no files
            raise ValueError("there is no tokeniser")
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        if Path(name).is_dir():
            raise CacheError(f"{name} holds no CLIP that can be loaded: {_first_line(error)}") from error
        raise CacheError(
            f"CLIP '{name}' is neither a folder nor in the Hugging Face cache. "
            f'With the internet, type once: hf download {name} --exclude "*.h5" --exclude "*.msgpack"'
        ) from error
    card = Card(
        name=str(name),
        what="CLIP, images and texts → one space",
        made_by="see the model's own card",
        licence="see the model's own card",
        source="Radford et al., CLIP, ICML 2021 (arXiv:2103.00020)",
        size=sum(value.nbytes for value in network.state_dict().values()),
        sha256="",  # it comes in several files
    )
    return CLIP(frozen(network, device), tokenizer, image_processor, card)


def _starts(count: int, batch: int) -> range:
    if batch < 1:
        raise ValueError(f"batch is at least 1, not {batch}.")
    return range(0, count, batch)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
