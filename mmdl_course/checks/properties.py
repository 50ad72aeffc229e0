"""Claims about functions: agreement, invariance, equivariance, and where gradients go."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from mmdl_course.checks.blame import CUT
from mmdl_course.checks.claims import Claims
from mmdl_course.checks.compare import compare_close
from mmdl_course.checks.describe import describe, is_tensor
from mmdl_course.checks.recorder import snapshot
from mmdl_course.checks.results import ChecksError, Wrong

__all__ = ["Properties"]


class Properties(Claims):
    """The claims about functions. `f` is the student's; tolerances as in close()."""

    __slots__ = ()

    def agree(
        self,
        f: Callable[..., Any],
        g: Callable[..., Any],
        *inputs: Any,
        atol: int | float,
        rtol: int | float = 0,
        why: str = "",
    ) -> None:
        """Claim that two implementations return the same for the same inputs. Each gets its own copy."""
        self._claim()
        copies = snapshot(inputs)
        got = f(*inputs)
        expected = g(*copies)
        _compare(got, expected, "an independent computation on the same input gives", atol, rtol, why)

    def invariant(
        self,
        f: Callable[[Any], Any],
        x: Any,
        transform: Callable[[Any], Any],
        *,
        atol: int | float,
        rtol: int | float = 0,
        why: str = "",
    ) -> None:
        """Claim that f(transform(x)) = f(x)."""
        self._claim()
        before = f(snapshot(x))
        after = f(transform(x))
        _compare(after, before, "the same as before the input was transformed:", atol, rtol, why)

    def equivariant(
        self,
        f: Callable[[Any], Any],
        x: Any,
        transform_in: Callable[[Any], Any],
        transform_out: Callable[[Any], Any],
        *,
        atol: int | float,
        rtol: int | float = 0,
        why: str = "",
    ) -> None:
        """Claim that f(transform_in(x)) = transform_out(f(x)): the output follows the input."""
        self._claim()
        before = f(snapshot(x))
        after = f(transform_in(x))
        _compare(after, transform_out(before), "the earlier output, transformed likewise:", atol, rtol, why)

    def gradients_reach(
        self,
        loss: Any,
        parameters: Any,
        *,
        exactly: Sequence[str] | None = None,
    ) -> None:
        """Claim that the loss sends gradients to these parameters and to no others.

        A parameter is reached when it takes part in the loss, even where its gradient happens to be zero.
        The `.grad` fields stay as they are.

        Args:
            loss: scalar tensor.
            parameters: a module, a dict, or pairs (name, tensor).
            exactly: names, or patterns such as "encoder.*"; None asks for all.
        """
        self._claim()
        import torch

        named = _named(parameters)
        patterns = ["*"] if exactly is None else list(exactly)
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in named):
                raise Wrong(
                    f"there is no parameter called '{pattern}'; there are {describe(list(named))}",
                    expected=f"parameters {', '.join(patterns)}",
                )
        wanted = [name for name in named if any(fnmatchcase(name, pattern) for pattern in patterns)]
        expected = f"gradients reach {_listed(wanted)}" + ("" if exactly is None else " and nothing else")
        if not is_tensor(loss) or loss.numel() != 1:
            raise Wrong("the loss is not a single number in a tensor", got=loss, expected=expected)
        if not loss.requires_grad:
            raise Wrong(
                "the loss is not connected to any parameter",
                got=loss,
                expected=expected,
                cause=CUT,
            )
        learnable = {name: tensor for name, tensor in named.items() if tensor.requires_grad}
        gradients = (
            torch.autograd.grad(
                loss.reshape(()), list(learnable.values()), retain_graph=True, allow_unused=True
            )
            if learnable
            else ()
        )
        reached = [name for name, gradient in zip(learnable, gradients, strict=True) if gradient is not None]
        missing = [name for name in wanted if name not in reached]
        extra = [name for name in reached if name not in wanted]
        if missing or extra:
            parts = [f"no gradient reaches {_listed(missing)}"] * bool(missing)
            parts += [f"gradients also reach {_listed(extra)}"] * bool(extra)
            raise Wrong(", and ".join(parts), expected=expected)


def _compare(got: Any, expected: Any, words: str, atol: int | float, rtol: int | float, why: str) -> None:
    if not (atol >= 0 and rtol >= 0):
        raise ChecksError(f"atol={atol}, rtol={rtol}: tolerances are zero or larger.")
    try:
        compare_close(got, expected, atol=atol, rtol=rtol, why=why)
    except Wrong as wrong:
        wrong.got, wrong.expected = got, f"{words} {wrong.expected or describe(expected)}"
        raise


def _named(parameters: Any) -> dict[str, Any]:
    if hasattr(parameters, "named_parameters"):
        named = dict(parameters.named_parameters())
    elif isinstance(parameters, Mapping | Iterable):
        named = dict(parameters)
    else:
        raise Wrong("it has no parameters: it is not an nn.Module", got=parameters)
    if not named:
        raise Wrong(
            "it has no parameters",
            got=parameters,
            cause="Layers kept in a plain list are not registered: use nn.ModuleList or nn.Sequential.",
        )
    return named


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return shown or "no parameter"
