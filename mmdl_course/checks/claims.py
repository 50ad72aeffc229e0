"""What a check can claim about a value: closeness, equality, shape, dtype, finiteness, an exception."""

from collections.abc import Callable, Sequence
from typing import Any

from mmdl_course.checks.blame import CUT
from mmdl_course.checks.compare import compare_close, compare_equal, to_array
from mmdl_course.checks.describe import article, describe, error_text, is_array, is_tensor, shape_text
from mmdl_course.checks.results import ChecksError, NotAttempted, Skipped, Wrong

__all__ = ["Claims"]


class Claims:
    """The claims about one value. Each returns None when it holds and ends the check when it does not."""

    __slots__ = ()

    def _claim(self) -> None:
        """Called first by every claim: inside a check? still to be run?"""
        raise NotImplementedError

    def close(
        self, got: Any, expected: Any, *, atol: int | float, rtol: int | float = 0, why: str = ""
    ) -> None:
        """Claim that two values agree within a tolerance: |got - expected| <= atol + rtol·|expected|.

        Python numbers, numpy and torch of any float dtype compare with each other; shapes do not broadcast,
        except that one number in brackets equals the same number without. NaN equals nothing. Tuples, lists
        and dicts of arrays are compared entry by entry.

        Args:
            got: what the student's function returned, or a value computed from it.
            expected: the value it should have; may be another return value.
            atol: absolute tolerance, in the unit of the value.
            rtol: relative tolerance, a fraction of the expected value.
            why: the reason for the tolerance, shown beside it ("float32 rounds", "20,000 samples").
        """
        self._claim()
        if not (atol >= 0 and rtol >= 0):
            raise ChecksError(f"close(): atol={atol}, rtol={rtol}: tolerances are zero or larger.")
        compare_close(got, expected, atol=atol, rtol=rtol, why=why)

    def equal(self, got: Any, expected: Any) -> None:
        """Claim that two values are the same, exactly. For numbers that were computed in floats use close().

        A list equals a tuple with the same entries, an array a tensor with the same shape and values. True
        is not 1.
        """
        self._claim()
        compare_equal(got, expected)

    def shape(self, got: Any, shape: Sequence[int | None]) -> None:
        """Claim the shape of a tensor or array; None stands for any length. A Python number has shape ()."""
        self._claim()
        if isinstance(got, int | float) and not isinstance(got, bool):
            found: tuple[int, ...] = ()
        elif is_tensor(got) or is_array(got):
            found = tuple(got.shape)
        else:
            raise Wrong(
                f"it is {'None' if got is None else article(type(got).__name__)}, not a tensor or array",
                got=got,
                expected=f"shape {shape_text(shape)}",
                cause="The function ends without `return`." if got is None else "",
            )
        if len(found) != len(shape) or any(
            b is not None and a != b for a, b in zip(found, shape, strict=True)
        ):
            raise Wrong(
                f"the shape is {shape_text(found)}, expected {shape_text(shape)}",
                got=got,
                expected=f"shape {shape_text(shape)}",
            )

    def dtype(self, got: Any, dtype: Any) -> None:
        """Claim the dtype. torch.float32 asks for a tensor, np.float32 for an array, "float32" for either."""
        self._claim()
        name = getattr(dtype, "__name__", None) or str(dtype).removeprefix("torch.")
        wants_tensor = str(dtype).startswith("torch.")
        wants_array = not wants_tensor and not isinstance(dtype, str)
        owner = "a tensor of " if wants_tensor else "an array of " if wants_array else ""
        expected = f"{owner}dtype {name}"
        if not (is_tensor(got) or is_array(got)):
            raise Wrong(
                f"it is {article(type(got).__name__)}, which has no dtype", got=got, expected=expected
            )
        found = str(got.dtype).removeprefix("torch.")
        if found != name or (wants_tensor and not is_tensor(got)) or (wants_array and not is_array(got)):
            kind = "a tensor" if is_tensor(got) else "an array"
            raise Wrong(f"it is {kind} of dtype {found}, expected {expected}", got=got, expected=expected)

    def finite(self, got: Any) -> None:
        """Claim that every number is finite: no NaN, no infinity."""
        self._claim()
        import numpy as np

        try:
            values = to_array(got, "it")
        except Wrong as wrong:
            wrong.expected = "finite numbers"
            raise
        if values.dtype.kind == "b":
            raise Wrong("it is True or False, not a number", got=got, expected="finite numbers")
        bad = values[~np.isfinite(values)]
        if bad.size:
            kinds = " and ".join(
                name
                for name, found in (("NaN", np.isnan(bad).any()), ("infinite", np.isinf(bad).any()))
                if found
            )
            raise Wrong(
                f"it is {kinds}"
                if values.ndim == 0
                else f"{bad.size:,} of {values.size:,} values are {kinds}",
                got=got,
                expected="finite numbers",
                cause="Division by zero, log of zero, root of a negative number, or exp of a large one.",
            )

    def finite_nonzero(self, got: Any) -> None:
        """Claim finite numbers, not all of them zero: what a gradient that arrived looks like."""
        self._claim()
        if got is None:
            raise Wrong(
                "it is None: nothing arrived",
                got=got,
                expected="finite numbers, not all zero",
                cause=CUT,
            )
        self.finite(got)
        if not to_array(got).any():
            raise Wrong("every value is exactly zero", got=got, expected="finite numbers, not all zero")

    def true(self, condition: Any, message: str) -> None:
        """Claim anything else.

        Args:
            condition: True, False, or a tensor or array with one of them.
            message: what is the matter when the condition does not hold; a full sentence.
        """
        self._claim()
        try:
            holds = condition is not None and bool(condition)
        except (ValueError, RuntimeError):
            raise Wrong(
                f"{message} (the condition has no single truth value: {describe(condition)})"
            ) from None
        if not holds:
            raise Wrong(message)

    def raises(
        self, exception: type[BaseException], function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> None:
        """Claim that a call is refused with this exception."""
        self._claim()
        name = exception.__name__
        try:
            returned = function(*args, **kwargs)
        except (NotAttempted, Skipped, NotImplementedError, KeyboardInterrupt):
            raise
        except exception:
            return
        except Exception as error:
            raise Wrong(f"it raised {error_text(error)}", expected=f"the exception {name}") from error
        raise Wrong(
            f"it returned a value instead of raising {name}", got=returned, expected=f"the exception {name}"
        )
