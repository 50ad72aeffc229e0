"""One way to put models together: an encoder for each input, one decoder, and what of them is learned."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["FAMILIES", "Part", "Pipeline"]

FAMILIES = ("translation", "alignment", "fusion")


@dataclass(frozen=True)
class Part:
    """One letter of a pipeline.

    Attributes:
        letter: "x", "f", "z", "g" or "y".
        name: which input x, f and z belong to; empty for g and y.
        shape: of one sample, for x, z and y: lengths of the axes, or none where it is no tensor.
        numbers: what f or g holds, in numbers; 0 for x, z and y.
        moves: how many of these are learned in this pipeline.
    """

    letter: str
    name: str
    shape: tuple[int, ...] | None = None
    numbers: int = 0
    moves: int = 0

    def __str__(self) -> str:
        """The part in one line."""
        return f"{self.letter}{f' ({self.name})' if self.name else ''}: {self.size}"

    @property
    def size(self) -> str:
        """Its shape, or what it holds and whether that is learned."""
        if self.letter in "fg":
            if not self.numbers:
                return "nothing to learn"
            learned = "learned" if self.moves == self.numbers else f"{self.moves:,} learned"
            return f"{self.numbers:,} numbers, {learned if self.moves else 'frozen'}"
        if self.shape is None:
            return "text"
        return " × ".join(map(str, self.shape)) or "1"


@dataclass(frozen=True)
class Pipeline:
    """y = g(z, …) with z = f(x) for each input x: translation, alignment and fusion in one form.

    Attributes:
        task: what it is for, such as "captioning".
        family: "translation" (one input), "alignment" or "fusion" (two or more).
        f: name of an input → its encoder: a module, or a function without anything to learn.
        g: the decoder, likewise; it gets the z of its input or, where there are more, each z by name.
        signal: who tells θ what to learn, in a few words.
        frozen: parts that do not move: names of inputs (their encoders), and "g". Weights that ask for no
            gradient do not move either, wherever they are.

    Source: deck A, slides 67 to 69.

    Raises:
        ValueError: an unknown family, a number of inputs that does not fit it, or a frozen part that is not
            there.
    """

    task: str
    family: str
    f: Mapping[str, Callable[[Any], Any]]
    g: Callable[..., Any]
    signal: str
    frozen: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse what fits no slide."""
        if self.family not in FAMILIES:
            raise ValueError(f"{self.task}: the family is one of {', '.join(FAMILIES)}, not '{self.family}'")
        if (len(self.f) == 1) != (self.family == "translation"):
            raise ValueError(
                f"{self.task}: translation has one input, alignment and fusion have more; this {self.family} "
                f"has {len(self.f)}"
            )
        if "g" in self.f:
            raise ValueError(f"{self.task}: call no input 'g', which is the decoder's name")
        unknown = sorted({*self.frozen} - {*self.f, "g"})
        if unknown:
            raise ValueError(
                f"{self.task}: frozen names {', '.join(unknown)}; its parts are {', '.join([*self.f, 'g'])}"
            )

    def encode(self, **x: Any) -> dict[str, Any]:
        """The z of each input.

        Raises:
            ValueError: an input is missing, or is none of this pipeline's.
        """
        if x.keys() != self.f.keys():
            raise ValueError(
                f"{self.task} takes {' and '.join(self.f)}, and was given {' and '.join(x) or 'nothing'}"
            )
        return {name: encoder(x[name]) for name, encoder in self.f.items()}

    def __call__(self, **x: Any) -> Any:
        """The answer y to a batch of inputs, given by name."""
        return self.decode(**self.encode(**x))

    def decode(self, **z: Any) -> Any:
        """The answer y to a batch of z, given by the names of their inputs."""
        return self.g(*z.values()) if len(z) == 1 else self.g(**z)

    def parameters(self) -> Iterator[nn.Parameter]:
        """θ: what is learned, each once."""
        seen: set[int] = set()
        for name in (*self.f, "g"):
            for parameter in self._moving(name):
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield parameter

    @torch.no_grad()
    def parts(self, **x: Any) -> list[Part]:
        """Every letter of the pipeline with its size, found by running it on a batch of inputs."""
        z = self.encode(**x)
        y = self.decode(**z)
        found = []
        for name in self.f:
            found += [
                Part("x", name, shape=_shape(x[name])),
                self._block("f", name),
                Part("z", name, shape=_shape(z[name])),
            ]
        return [*found, self._block("g", ""), Part("y", "", shape=_shape(y))]

    def _weights(self, name: str) -> list[nn.Parameter]:
        part = self.g if name == "g" else self.f[name]
        return list(part.parameters()) if isinstance(part, nn.Module) else []

    def _moving(self, name: str) -> list[nn.Parameter]:
        if name in self.frozen:
            return []
        return [parameter for parameter in self._weights(name) if parameter.requires_grad]

    def _block(self, letter: str, name: str) -> Part:
        numbers, moves = (
            sum(parameter.numel() for parameter in parameters)
            for parameters in (self._weights(name or "g"), self._moving(name or "g"))
        )
        return Part(letter, name, numbers=numbers, moves=moves)


def _shape(value: Any) -> tuple[int, ...] | None:
    """Of one sample: the batch axis left out."""
    if isinstance(value, Tensor):
        return tuple(value.shape[1:])
    if isinstance(value, Sequence) and not isinstance(value, str) and value and isinstance(value[0], Tensor):
        return tuple(value[0].shape)  # a list of tensors of their own lengths, such as boxes
    return None
