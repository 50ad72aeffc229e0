"""What every pretrained model goes through when it is loaded."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["check_images", "check_texts", "frozen", "quietly"]


def frozen(network: nn.Module, device: torch.device | str) -> nn.Module:
    """The same network in evaluation mode, on the device, without gradients for its parameters."""
    return network.eval().requires_grad_(False).to(device)


@contextmanager
def quietly() -> Iterator[None]:
    """Transformers without its progress bars and notices; its settings are put back afterwards."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def check_images(images: Float[Tensor, "image 3 height width"]) -> None:
    """Refuse what is not a batch of RGB images from 0 to 1.

    Raises:
        ValueError: wrong shape, kind of number or range; the message says what to do.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(
            f"images have the shape (image, 3, height, width), not {tuple(images.shape)}. "
            "A single image: image[None]."
        )
    if not images.is_floating_point():
        raise ValueError(f"images are floats from 0 to 1, not {images.dtype}. Try images.float() / 255.")
    if images.numel() and not (images.min() >= 0 and images.max() <= 1):  # not (…): NaN fails, too
        low, high = images.min().item(), images.max().item()
        raise ValueError(f"image values go from 0 (dark) to 1 (bright), not from {low:g} to {high:g}.")


def check_texts(texts: Sequence[str]) -> list[str]:
    """The texts as a list.

    Raises:
        ValueError: one string instead of several, or something that is no string.
    """
    if isinstance(texts, str):
        raise ValueError(f"texts is one string; give a list of strings: [{texts[:20]!r}].")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"texts[{position}] is of type {type(text).__name__}, not a string.")
    return list(texts)
