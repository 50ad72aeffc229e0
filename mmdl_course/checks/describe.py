"""Values in words: short, with what matters when something is wrong (kind, shape, dtype, range, NaN)."""

import math
import re
import sys
from typing import Any

__all__ = [
    "article",
    "describe",
    "error_text",
    "is_array",
    "is_tensor",
    "number",
    "plural",
    "shape_text",
    "shorten",
]

SMALL = 12  # up to so many elements an array is shown in full
ITEMS = 4  # of a list or dict
DIGITS = 6  # significant ones of a number
LENGTH = 300  # characters of one description


def is_tensor(value: object) -> bool:
    """Whether `value` is a torch tensor; does not import torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_array(value: object) -> bool:
    """Whether `value` is a numpy array or numpy scalar; does not import numpy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray | numpy.generic)


def article(word: str) -> str:
    """A word with "a" or "an" before it."""
    return f"an {word}" if word[:1].lower() in "aeiou" else f"a {word}"


def plural(count: int, thing: str) -> str:
    """A count and its noun: "1 value", "3 values"."""
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


def shorten(text: str, length: int = LENGTH) -> str:
    """One line of at most `length` characters; what is cut off is replaced by "…"."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def shape_text(shape: object) -> str:
    """A shape as it is written in Python; None stands for any length."""
    sizes = ["any" if size is None else str(size) for size in shape]  # type: ignore[attr-defined]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def number(value: Any, digits: int = DIGITS) -> str:
    """A Python number with `digits` significant digits; a huge integer as a power of ten."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        if abs(value) < 10**15:
            return str(value)
        return f"{'-' if value < 0 else ''}about 10^{math.log10(abs(value)):,.2f}"
    if isinstance(value, complex):
        return f"{value:.{digits}g}"
    text = f"{value:.{digits}g}"
    return text if any(mark in text for mark in ".enai") else text + ".0"


def error_text(error: BaseException) -> str:
    """An exception's class and message, however broken its own `__str__` is."""
    name = type(error).__name__
    try:
        text = shorten(str(error).partition("\n-----")[0], 400)  # what jaxtyping adds below a rule
    except Exception:  # noqa: BLE001  (a student's own exception class)
        return name
    return f"{name}: {text}" if text else name


def describe(value: object, *, digits: int = DIGITS) -> str:
    """A value in a few words, on one line.

    Args:
        value: anything a student's function may take or return.
        digits: significant digits of numbers.

    Returns:
        At most a few hundred characters: small arrays in full, large ones by shape, dtype and range.
    """
    try:
        return shorten(_describe(value, digits, depth=0))
    except Exception as error:  # noqa: BLE001  (a student's own __repr__ may raise anything)
        return f"an object of class {type(value).__name__} (its repr raises {type(error).__name__})"


def _describe(value: Any, digits: int, depth: int) -> str:
    if value is None or isinstance(value, bool):
        return str(value)
    if is_tensor(value):
        return _tensor(value, digits)
    if is_array(value):
        return _array(value, digits)
    if isinstance(value, int | float | complex):
        return number(value, digits)
    if isinstance(value, str):
        return repr(value if len(value) <= 80 else value[:79] + "…")
    if isinstance(value, list | tuple | set | frozenset | dict):
        return _container(value, digits, depth)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if hasattr(value, "named_parameters"):
        count = sum(parameter.numel() for _, parameter in value.named_parameters())
        return f"{type(value).__name__} with {plural(count, 'parameter')}"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}"
    return shorten(re.sub(r" at 0x[0-9a-f]+", "", repr(value)), 100)


def _container(value: Any, digits: int, depth: int) -> str:
    if depth > 2:
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, dict):
        shown = [
            f"{_describe(key, digits, depth + 1)}: {_describe(item, digits, depth + 1)}"
            for key, item in list(value.items())[:ITEMS]
        ]
        opening, closing = "{", "}"
    else:
        flat = all(isinstance(item, int | float | bool) for item in value)
        shown = [_describe(item, digits, depth + 1) for item in list(value)[: SMALL if flat else ITEMS]]
        opening, closing = {list: "[]", set: "{}", frozenset: "{}"}.get(type(value), "()")
    rest = len(value) - len(shown)
    if rest:
        shown.append(f"… {rest} more")
    comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
    return f"{opening}{', '.join(shown)}{comma}{closing}"


def _tensor(value: Any, digits: int) -> str:
    import torch

    kind = "parameter" if isinstance(value, torch.nn.Parameter) else "tensor"
    where = "" if value.device.type == "cpu" else f" on {value.device}"
    plain = value.detach().cpu()
    if plain.layout is not torch.strided:
        plain = plain.to_dense()
    if plain.dtype in (torch.bfloat16, torch.float16):
        plain = plain.float()
    return _values(plain.numpy(), str(value.dtype).removeprefix("torch."), kind + where, digits, "float32")


def _array(value: Any, digits: int) -> str:
    import numpy as np

    if not isinstance(value, np.ndarray):
        return f"np.{value.dtype.name}({_describe(value.item(), digits, depth=1)})"
    return _values(value, str(value.dtype), "array", digits, "float64")


def _values(values: Any, dtype: str, kind: str, digits: int, usual: str) -> str:
    """Describe a numpy array that belongs to a `kind` of this dtype; a `usual` float goes without saying."""
    import numpy as np

    if values.size and values.size <= SMALL and values.dtype.kind in "biufc":
        digits = digits if values.size == 1 or digits > DIGITS else 4
        said = "" if dtype in (usual, "int64", "bool") else f", {dtype}"
        return f"{kind}({_nested(values.tolist(), digits)}{said})"
    head = f"{dtype} {kind} of shape {shape_text(values.shape)}"
    if values.size == 0:
        return f"{head}, empty"
    if values.dtype.kind not in "biufc":
        return f"{head}: {shorten(str(values.tolist()), 80)}"
    if values.dtype.kind == "b":
        return f"{head}, {int(values.sum()):,} of {values.size:,} True"
    if values.dtype.kind == "c":
        return head
    if values.ndim == 2 and values.shape[0] == values.shape[1] and (values == np.eye(len(values))).all():
        return f"{head}, the identity"
    finite = values[np.isfinite(values)]
    flags = [
        f"{plural(int(count), 'value')} {word}"
        for word, count in (("NaN", np.isnan(values).sum()), ("infinite", np.isinf(values).sum()))
        if count
    ]
    if finite.size == 0:
        return f"{head}, {', '.join(flags)}"
    low, high = finite.min().item(), finite.max().item()
    if low == high and not flags:
        return f"{head}, all {number(low, digits)}"
    span = f"values from {number(low, min(digits, 4))} to {number(high, min(digits, 4))}"
    return ", ".join([head, span, *flags])


def _nested(value: Any, digits: int) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_nested(item, digits) for item in value)}]"
    return number(value, digits)
