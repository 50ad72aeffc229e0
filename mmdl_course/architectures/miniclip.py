"""MiniCLIP: an image tower and a text tower that end in one space."""

from collections.abc import Sequence
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float, Int64
from torch import Tensor, nn

from mmdl_course.architectures.tokenizer import END, WordTokenizer
from mmdl_course.architectures.transformer import Block, positions

__all__ = ["ImageTower", "MiniCLIP", "TextTower"]


class ImageTower(nn.Module):
    """Convolutions down to a grid of patches.

    No attention over the grid: tried on the world's scenes, it made learning far slower, and each patch can
    be asked what it shows.

    Args:
        size: height and width of the images, pixels; a multiple of the stride.
        stride: pixels per patch, each way; a power of 2.
        dim: numbers per patch.
        channels: of the first convolution; each halving of the resolution doubles them.
        pixels: mean and standard deviation of the pixels it will see, to start from numbers about 0.
    """

    def __init__(
        self,
        *,
        size: int = 64,
        stride: int = 8,
        dim: int = 64,
        channels: int = 32,
        pixels: tuple[float, float] = (0.5, 0.5),
    ) -> None:
        super().__init__()
        self.pixels = tuple(pixels)
        if stride < 2 or stride & (stride - 1):
            raise ValueError(f"the stride must be a power of 2, not {stride}")
        if size % stride:
            raise ValueError(f"images of {size} pixels do not divide into patches of {stride}")
        self.size, self.grid = size, size // stride
        layers: list[nn.Module] = []
        before, after = 3, channels
        for _ in range(stride.bit_length() - 1):
            layers += [
                nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1),
                nn.GroupNorm(1, after),
                nn.GELU(),
            ]
            before, after = after, 2 * after
        layers += [nn.Conv2d(before, before, kernel_size=3, padding=1), nn.GELU()]
        self.stem = nn.Sequential(*layers, nn.Conv2d(before, dim, kernel_size=1))
        self.position = positions(self.grid**2, dim)

    def forward(self, image: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image patch dim"]:
        """One vector a patch, rows of the grid one after the other.

        Args:
            image: 0..1, of the tower's size.

        Raises:
            ValueError: the images have another size.
        """
        if image.shape[-2:] != (self.size, self.size):
            raise ValueError(
                f"this tower sees {self.size} × {self.size} pixels, "
                f"not {' × '.join(map(str, image.shape[-2:]))}"
            )
        mean, deviation = self.pixels
        x = self.stem((image - mean) / deviation)  # (image, dim, row, column)
        x = rearrange(x, "image dim row column -> image (row column) dim") + self.position
        return x.contiguous()  # as transformers' decoder wants it


class TextTower(nn.Module):
    """Word vectors and causal transformer blocks; the end token has seen the whole text and speaks for it.

    Args:
        vocabulary: number of tokens.
        length: most tokens of a text, start and end included.
        dim: width.
        depth: number of blocks.
        heads: attention heads.
    """

    def __init__(
        self, *, vocabulary: int, length: int = 48, dim: int = 64, depth: int = 2, heads: int = 4
    ) -> None:
        super().__init__()
        self.length = length
        self.words = nn.Embedding(vocabulary, dim)
        nn.init.normal_(self.words.weight, std=0.1)
        self.position = positions(length, dim)
        self.blocks = nn.ModuleList(Block(dim, heads=heads, causal=True) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(
        self, words: Float[Tensor, "text position dim"], end: Int64[Tensor, " text"]
    ) -> Float[Tensor, "text dim"]:
        """One vector a text, read off at its end token.

        It takes vectors, not token numbers, so that a lesson may put vectors of its own among the words.

        Args:
            words: vectors from `self.words`, or learned ones in their place.
            end: position of each text's end token.

        Raises:
            ValueError: more positions than the tower has.
        """
        if words.shape[1] > self.length:
            raise ValueError(f"this tower reads {self.length} tokens, not {words.shape[1]}")
        x = words + self.position[: words.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.norm(x[torch.arange(len(x), device=x.device), end])


class MiniCLIP(nn.Module):
    """Two towers whose outputs are compared by their angle.

    Source: Radford et al. 2021, "Learning transferable visual models from natural language supervision",
    section 2.4, in miniature.

    Args:
        words: vocabulary of the text tower.
        size: height and width of the images, pixels.
        stride: pixels per patch, each way.
        length: most tokens of a text.
        dim: width of both towers.
        depth: blocks of the text tower.
        heads: attention heads of the text tower.
        embedding: dimension of the shared space.
        pixels: mean and standard deviation of the pixels it will see.
    """

    def __init__(
        self,
        *,
        words: Sequence[str],
        size: int = 64,
        stride: int = 8,
        length: int = 48,
        dim: int = 64,
        depth: int = 2,
        heads: int = 4,
        embedding: int = 64,
        pixels: Sequence[float] = (0.5, 0.5),
    ) -> None:
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
            "embedding": embedding,
            "pixels": list(pixels),
        }
        self.image = ImageTower(size=size, stride=stride, dim=dim, pixels=tuple(pixels))
        self.text = TextTower(
            vocabulary=len(self.tokenizer), length=length, dim=dim, depth=depth, heads=heads
        )
        self.image_projection = nn.Linear(dim, embedding, bias=False)
        self.text_projection = nn.Linear(dim, embedding, bias=False)
        self.log_scale = nn.Parameter(torch.tensor(10.0).log())

    def encode_patches(
        self, image: Float[Tensor, "image 3 height width"]
    ) -> Float[Tensor, "image row column embedding"]:
        """Where each patch alone would lie in the shared space; not normalised.

        Args:
            image: 0..1.
        """
        places = self.image_projection(self.image(image))
        return rearrange(places, "image (row column) dim -> image row column dim", row=self.image.grid)

    def encode_image(self, image: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image embedding"]:
        """Where images lie in the shared space; not normalised.

        Of each feature the largest value over the patches counts: objects are small, and a mean would be
        a mean over ground.

        Args:
            image: 0..1.
        """
        return self.image_projection(self.image(image).amax(dim=1))

    def encode_tokens(self, tokens: Int64[Tensor, "text position"]) -> Float[Tensor, "text embedding"]:
        """Where texts lie in the shared space; not normalised.

        Args:
            tokens: from `self.tokenizer.encode`.
        """
        end = (tokens == END).int().argmax(dim=1)
        return self.encode_words(self.text.words(tokens), end)

    def encode_words(
        self, words: Float[Tensor, "text position dim"], end: Int64[Tensor, " text"]
    ) -> Float[Tensor, "text embedding"]:
        """The same for word vectors, which may be learned ones.

        Args:
            words: as `self.text` takes them.
            end: position of each text's end token.
        """
        return self.text_projection(self.text(words, end))

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "text embedding"]:
        """Where texts lie in the shared space; not normalised.

        Args:
            texts: words outside the vocabulary all count as the same unknown word.

        Raises:
            ValueError: a text is longer than the tower reads.
        """
        return self.encode_tokens(self.tokenizer.encode(texts).to(self.log_scale.device))
