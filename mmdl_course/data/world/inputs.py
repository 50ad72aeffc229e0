"""What callers give, checked where it comes in: the error names the field, what it is, and what it can be."""

import math
import operator
from collections.abc import Iterable

import torch

__all__ = ["check_between", "check_count", "check_generator", "check_names", "index_of"]


def index_of(name: object, names: Iterable[str], kind: str) -> int:
    """Where a name stands in its list.

    Args:
        name: what was asked for.
        names: what there is.
        kind: what the names are of, for the message.

    Raises:
        ValueError: it does not; the message lists what there is.
    """
    names = list(names)
    if name not in names:
        raise ValueError(f"no {kind} is called '{name}'; there are {', '.join(names)}")
    return names.index(name)


def check_names(field: str, chosen: object, names: Iterable[str], kind: str) -> None:
    """Refuse all but a sequence of known names, each once.

    Args:
        field: what is being set.
        chosen: what it is set to.
        names: what there is.
        kind: what the names are of.

    Raises:
        ValueError: one name without its sequence, an unknown name, or one twice.
    """
    if isinstance(chosen, str) or not isinstance(chosen, Iterable):
        example = chosen if isinstance(chosen, str) else next(iter(names))
        raise ValueError(f"{field} takes a sequence of names, not {chosen!r}: write ('{example}',)")
    seen = set()
    for name in chosen:
        index_of(name, names, kind)
        if name in seen:
            raise ValueError(f"{field} names '{name}' twice: name each {kind} once")
        seen.add(name)


def check_count(field: str, value: object, *, least: int = 1) -> None:
    """Refuse all but whole numbers.

    Args:
        field: what is being set.
        value: what it is set to.
        least: smallest number allowed.

    Raises:
        ValueError: no whole number, or too small.
    """
    try:
        whole = operator.index(value)
    except TypeError:
        raise ValueError(f"{field} must be a whole number, not {value!r}") from None
    if whole < least:
        raise ValueError(f"{field} must be at least {least}, not {whole}")


def check_between(
    field: str, value: object, low: float | int, high: float | int = math.inf, *, open_low: bool = False
) -> None:
    """Refuse all but finite numbers in a range.

    Args:
        field: what is being set.
        value: what it is set to.
        low: smallest number allowed.
        high: largest number allowed.
        open_low: whether `low` itself is refused.

    Raises:
        ValueError: no number, not finite, or outside.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{field} must be a number, not {value!r}") from None
    if not (low <= number <= high and math.isfinite(number)) or (open_low and number == low):
        if math.isinf(low):
            wanted = "be finite"
        elif math.isinf(high):
            wanted = f"be {'more than' if open_low else 'at least'} {low:g} and finite"
        else:
            wanted = f"lie in {'(' * open_low}{low:g}{', ' if open_low else '..'}{high:g}{']' * open_low}"
        raise ValueError(f"{field} must {wanted}, not {value}")


def check_generator(generator: object) -> None:
    """Refuse all but torch's generators: numpy's, a seed, or nothing at all.

    Args:
        generator: source of randomness.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(generator, torch.Generator):
        raise ValueError(
            "generator must be a torch.Generator, such as torch.Generator().manual_seed(0), "
            f"not {type(generator).__name__}"
        )
