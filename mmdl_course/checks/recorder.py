"""The student's functions, watched: what they were called with, what they returned, what they changed."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mmdl_course.checks.describe import describe, is_array, is_tensor
from mmdl_course.checks.plain import plain
from mmdl_course.checks.results import NOTHING

__all__ = ["Call", "Recorder", "changed", "snapshot"]


def snapshot(value: Any, depth: int = 0) -> Any:
    """A copy of the tensors and arrays in `value` and in its lists, tuples and dicts; the rest as it is."""
    if is_tensor(value):
        return value.detach().clone()
    if is_array(value):
        return value.copy()
    if depth < 3:
        if type(value) in (list, tuple):
            return type(value)(snapshot(item, depth + 1) for item in value)
        if type(value) is dict:
            return {key: snapshot(item, depth + 1) for key, item in value.items()}
    return value


def changed(before: Any, after: Any) -> bool:
    """Whether a tensor or array in `after` differs from the copy that `snapshot` took."""
    if is_tensor(before) or is_array(before):
        if before.shape != after.shape or before.dtype != after.dtype:
            return True
        if is_tensor(before) and before.is_sparse:
            before, after = before.to_dense(), after.to_dense()
        if is_array(before) and before.dtype.kind == "O":
            return False  # what objects say of equality cannot be relied upon
        if bool((before == after).all()):
            return False
        # NaN differs from itself, so what counts as unchanged is equality or NaN in both
        return not bool(((before == after) | ((before != before) & (after != after))).all())
    if type(before) in (list, tuple):
        return len(before) != len(after) or any(map(changed, before, after))
    if type(before) is dict:
        return before.keys() != after.keys() or any(changed(before[key], after[key]) for key in before)
    return False


@dataclass
class Call:
    """One call of a student's function. `arguments` are copies, as the function found them."""

    name: str
    arguments: tuple[tuple[str, Any], ...]  # (parameter name or "", value)
    returned: Any = NOTHING
    modified: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [(name, describe(value)) for name, value in self.arguments]
        line = f"{self.name}({', '.join(f'{name}={text}' if name else text for name, text in parts)})"
        if len(line) <= 80:
            return line
        names = [name or f"argument {index}" for index, (name, _) in enumerate(self.arguments, start=1)]
        listed = [f"    {name} = {text}" for name, (_, text) in zip(names, parts, strict=True)]
        return "\n".join([f"{self.name}({', '.join(names)}) with", *listed])


class Recorder:
    """A stand-in for a student's function or class: call it like the original.

    The original is looked up at each call, so that a cell that was run again counts.
    """

    def __init__(
        self,
        name: str,
        find: Callable[[], Any],
        keep: Callable[[Call], None],
        guard: Callable[[], Callable[[], None]],
    ) -> None:
        self.__name__ = name
        self._find = find
        self._keep = keep
        self._guard = guard  # called before the original; what it returns is called after

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the original and remember how that went."""
        function = self._find()
        named = _name_arguments(function, args, kwargs)
        call = Call(self.__name__, tuple((name, snapshot(value)) for name, value in named))
        self._keep(call)
        over = self._guard()
        try:
            call.returned = plain(function(*args, **kwargs))
        finally:
            over()
            call.modified = tuple(
                name or f"argument {index}"
                for index, ((name, after), (_, before)) in enumerate(
                    zip(named, call.arguments, strict=True), start=1
                )
                if changed(before, after)
            )
        return call.returned

    def __repr__(self) -> str:
        return f"<the student's {self.__name__}>"


def _name_arguments(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[str, Any], ...]:
    """Pairs (parameter name, value); positional arguments without a known name get ""."""
    names: list[str] = []
    if not isinstance(function, type):
        function = getattr(function, "forward", function)  # an nn.Module's own parameters are in its forward
    try:
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                break
            names.append(parameter.name)
    except (TypeError, ValueError):
        pass  # a builtin without a signature
    if len(names) < len(args):
        names = [""] * len(args)
    return (*zip(names, args, strict=False), *kwargs.items())
