"""Comparison of two values: numbers across libraries, without silent broadcasting, and never with NaN."""

from numbers import Number
from typing import Any

from mmdl_course.checks.describe import article, describe, is_array, is_tensor, number, plural, shape_text
from mmdl_course.checks.plain import home_made, plain
from mmdl_course.checks.results import Wrong

__all__ = ["compare_close", "compare_equal", "to_array"]


def to_array(value: Any, what: str = "the value") -> Any:
    """A number, array, tensor or nested list as a numpy array of float64, complex128 or bool.

    Args:
        value: what a student's function returned.
        what: how the message calls it.

    Raises:
        Wrong: it holds no numbers; the message says what it is instead and the likely cause.
    """
    import numpy as np

    value = plain(value)
    if value is None:
        raise Wrong(f"{what} is None", got=None, cause="The function ends without `return`.")
    if isinstance(value, str | bytes):
        raise Wrong(f"{what} is a string, not a number", got=value)
    if is_tensor(value):
        import torch

        dense = value.detach().cpu()
        if dense.layout is not torch.strided:
            dense = dense.to_dense()
        if dense.dtype is torch.bool:
            return dense.numpy()
        return dense.to(torch.complex128 if dense.dtype.is_complex else torch.float64).numpy()
    if _plain_integer(value) and value.bit_length() > 1023:
        raise Wrong(f"{what} is too large for a float", got=value)
    try:
        array = np.asarray(_without_tensors(value, what))
    except ValueError:
        raise Wrong(
            f"{what} is a {type(value).__name__} of {len(value)} whose entries differ in shape", got=value
        ) from None
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind in "iuf":
        return array.astype(np.float64)
    if array.dtype.kind == "c":
        return array.astype(np.complex128)
    raise Wrong(f"{what} is {article(type(value).__name__)}, not a number or an array of numbers", got=value)


def compare_close(
    got: Any, expected: Any, *, atol: int | float, rtol: int | float, why: str, where: str = ""
) -> None:
    """Raise Wrong unless |got - expected| <= atol + rtol·|expected| everywhere.

    Containers are compared entry by entry when the expected one holds arrays or names.
    """
    got = plain(got)
    if isinstance(expected, dict) or (isinstance(expected, list | tuple) and not _is_table(expected)):
        for key, part, other in _entries(got, expected, where):
            compare_close(part, other, atol=atol, rtol=rtol, why=why, where=f"{where}[{key!r}]")
        return
    if _plain_integer(got) and _plain_integer(expected):
        _compare_integers(got, expected, atol=atol, rtol=rtol, why=why, where=where)
        return
    import numpy as np

    it = f"entry {where}" if where else "it"
    tolerance = _tolerance(atol, rtol, why)
    try:
        mine = to_array(got, it)
        other = to_array(expected, "the value it is compared with")
    except Wrong as wrong:
        wrong.expected = wrong.expected or describe(expected) + tolerance
        raise
    if mine.dtype.kind == "b" and other.dtype.kind != "b":
        raise Wrong(
            f"{it} is True or False where a number is expected",
            got=got,
            expected=describe(expected) + tolerance,
            cause="A comparison (`==`, `<`) was returned instead of the value.",
        )
    if other.dtype.kind == "b" and mine.dtype.kind != "b":
        raise Wrong(f"{it} is a number where True or False is expected", got=got, expected=describe(expected))
    # One number in brackets is still that number: lenient, as long as shape is not the claim.
    if other.ndim == 0 and mine.size == 1:
        mine = mine.reshape(())
    if mine.shape != other.shape:
        of = f" of {it}" if where else ""
        raise Wrong(
            f"the shape{of} is {shape_text(mine.shape)}, expected {shape_text(other.shape)}",
            got=got,
            expected=_shaped(expected, other.shape),
            reference=expected,
        )
    for name, values in ((it, mine), ("the value it is compared with", other)):
        missing = int(np.isnan(values).sum()) if values.dtype.kind != "b" else 0
        if missing:
            raise Wrong(
                f"{name} is NaN (not a number)"
                if values.ndim == 0
                else f"{missing:,} of {plural(values.size, 'value')} are NaN (not a number)",
                got=got,
                expected=describe(expected) + tolerance,
                reference=expected,
                cause="0/0, log or square root of a negative number, or ∞ - ∞.",
            )
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.where(mine == other, 0.0, np.abs(mine * 1.0 - other * 1.0))
        scale = np.where(np.isfinite(other), np.abs(other * 1.0), 0.0)
        outside = ~(distance <= atol + rtol * scale)
    if not outside.any():
        return
    if mine.ndim == 0:
        margin = atol + rtol * abs(other.item())
        digits = _telling_digits(mine.item(), other.item(), margin=margin)
        raise Wrong(
            f"{it} is off by {number(distance.item(), 3)}",
            got=got,
            shown=describe(got, digits=digits),
            expected=describe(expected, digits=digits) + tolerance,
            reference=expected,
        )
    worst = np.unravel_index(np.argmax(np.where(outside, distance, -1.0)), mine.shape)
    digits = _telling_digits(mine[worst].item(), other[worst].item())
    place = ", ".join(str(int(index)) for index in worst)
    count = f"{int(outside.sum()):,} of {plural(mine.size, 'value')}" + (f" of {it}" if where else "")
    verb = "is" if mine.size == 1 else "are"
    raise Wrong(
        f"{count} {verb} off; the farthest, [{place}], is "
        f"{number(mine[worst].item(), digits)} instead of {number(other[worst].item(), digits)}",
        got=got,
        expected=describe(expected) + tolerance,
        reference=expected,
    )


def compare_equal(got: Any, expected: Any, where: str = "") -> None:
    """Raise Wrong unless both are the same, exactly. A list equals the tuple with the same entries."""
    got = plain(got)
    it = f"entry {where}" if where else "it"
    wrong = Wrong(f"{it} is not the same", got=got, expected=describe(expected), reference=expected)
    if got is None and expected is not None:
        raise Wrong(
            f"{it} is None", got=got, expected=wrong.expected, cause="The function ends without `return`."
        )
    if is_tensor(expected) or is_array(expected) or is_tensor(got) or is_array(got):
        compare_close(got, expected, atol=0.0, rtol=0.0, why="exactly", where=where)
        return
    if isinstance(expected, dict | list | tuple):
        for key, part, other in _entries(got, expected, where):
            compare_equal(part, other, f"{where}[{key!r}]")
        return
    if not _same_kind(got, expected):
        kind = "True or False" if isinstance(got, bool) else article(type(got).__name__)
        wrong.message = f"{it} is {kind}"
        raise wrong
    if isinstance(got, set | frozenset) and isinstance(expected, set | frozenset) and got != expected:
        missing, extra = expected - got, got - expected
        parts = [f"missing: {describe(missing)}"] * bool(missing) + [
            f"not expected: {describe(extra)}"
        ] * bool(extra)
        wrong.message = "; ".join(parts)
        raise wrong
    if not bool(got == expected):
        raise wrong


def _entries(got: Any, expected: Any, where: str) -> list[tuple[Any, Any, Any]]:
    """Triples (key, got, expected) of two containers of the same kind and size."""
    it = f"entry {where}" if where else "it"
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            raise Wrong(
                f"{it} is {article(type(got).__name__)}, not a dict", got=got, expected=describe(expected)
            )
        if got.keys() != expected.keys():
            raise Wrong(
                f"{it} has the keys {describe(list(got))}, expected {describe(list(expected))}",
                got=got,
                expected=describe(expected),
            )
        return [(key, got[key], expected[key]) for key in expected]
    if not (isinstance(got, list | tuple) or is_tensor(got) or is_array(got)) or not hasattr(got, "__len__"):
        raise Wrong(
            f"{it} is {article(type(got).__name__)}, not a {type(expected).__name__}",
            got=got,
            expected=describe(expected),
        )
    if len(got) != len(expected):
        raise Wrong(
            f"{it} has {plural(len(got), 'entry').replace('entrys', 'entries')}, expected {len(expected)}",
            got=got,
            expected=describe(expected),
        )
    return [(index, got[index], expected[index]) for index in range(len(expected))]


def _compare_integers(
    got: int, expected: int, *, atol: int | float, rtol: int | float, why: str, where: str
) -> None:
    """Integers of any size, without passing through floats."""
    if abs(got - expected) <= int(atol) + int(rtol * 10**12) * abs(expected) // 10**12:
        return
    raise Wrong(
        f"{f'entry {where}' if where else 'it'} is off by {number(abs(got - expected))}",
        got=got,
        expected=number(expected) + _tolerance(atol, rtol, why),
        reference=expected,
    )


def _without_tensors(value: Any, what: str) -> Any:
    """Nested lists with arrays in place of tensors, as numpy reads no tensor that requires a gradient."""
    if isinstance(value, list | tuple):
        return [_without_tensors(item, what) for item in value]
    if home_made(type(value)) and type(plain(value)) is type(value):
        # numpy would ask the object what it holds, and it could say anything
        kind = article(type(value).__name__)
        raise Wrong(f"{what} is {kind}, not a number or an array of numbers", got=value)
    return to_array(value) if is_tensor(value) else value


def _is_table(value: Any) -> bool:
    """Whether nested lists hold numbers in rows of the same length, so that they are an array."""
    if not isinstance(value, list | tuple):
        return isinstance(value, Number)
    sizes = {len(item) if isinstance(item, list | tuple) else None for item in value}
    return len(sizes) <= 1 and all(map(_is_table, value))


def _same_kind(got: Any, expected: Any) -> bool:
    """Whether two values may be asked if they are equal: a student's class may say it equals everything."""
    # type(), not isinstance(): an object may say that its __class__ is another.
    if type(got) is bool or type(expected) is bool:
        return type(got) is bool and type(expected) is bool
    kinds: tuple[Any, ...] = (Number, set | frozenset, type(expected))
    return any(issubclass(type(got), kind) and isinstance(expected, kind) for kind in kinds)


def _plain_integer(value: object) -> bool:
    return issubclass(type(value), int) and type(value) is not bool  # not isinstance(): see _same_kind


def _tolerance(atol: int | float, rtol: int | float, why: str) -> str:
    parts = [f"{atol:g}"] * bool(atol) + [f"{rtol * 100:g} %"] * bool(rtol)
    text = f", give or take {' plus '.join(parts)}" if parts else ""
    return f"{text} ({why})" if why else text


def _shaped(expected: Any, shape: tuple[int, ...]) -> str:
    """An array in words, with its shape."""
    text = describe(expected)
    if not shape:
        return f"one number, {text}"
    return text if "of shape" in text else f"shape {shape_text(shape)}: {text}"


def _telling_digits(got: Any, expected: Any, *, margin: float = 0.0) -> int:
    """The fewest digits that show two numbers apart, and the expected one to within the tolerance."""
    digits = next((d for d in (6, 9, 12) if number(got, d) != number(expected, d)), 17)
    if margin > 0 and isinstance(expected, float) and expected - expected == 0:  # neither inf nor nan
        told = (d for d in (6, 9, 12) if abs(float(f"{expected:.{d}g}") - expected) <= margin)
        digits = max(digits, next(told, 17))
    return digits
