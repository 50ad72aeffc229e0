"""Where in the student's code an exception came from, and whether it means "not attempted"."""

import linecache
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

from mmdl_course.checks.describe import error_text, shorten

__all__ = ["CUT", "Place", "explain", "is_stub", "student_place"]


@dataclass(frozen=True)
class Place:
    """A line of the student's code."""

    function: str
    line: int
    source: str

    def __str__(self) -> str:
        code = f": {self.source}" if self.source else ""
        return f"{self.function}, line {self.line}{code}"


def student_place(trace: TracebackType | None, namespace: dict[str, Any], check_file: str) -> Place | None:
    """The innermost line of the notebook on the way to the exception, the check cell's own lines left out."""
    place = None
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_globals is namespace and frame.f_code.co_filename != check_file:
            # An interrupt may hit between two lines; then there is no number.
            place = _place(frame, trace.tb_lineno or frame.f_code.co_firstlineno)
        trace = trace.tb_next
    return place


def is_stub(trace: TracebackType | None, namespace: dict[str, Any]) -> bool:
    """Whether the exception was raised by the notebook itself, not by a library that the notebook called."""
    last = None
    while trace is not None:
        last, trace = trace, trace.tb_next
    return last is not None and last.tb_frame.f_globals is namespace


def explain(error: BaseException) -> str:
    """A likely cause of a frequent exception, or nothing."""
    text = error_text(error)
    return next((cause for words, cause in _SYMPTOMS if all(word in text for word in words)), "")


def _place(frame: FrameType, line: int) -> Place:
    source = linecache.getline(frame.f_code.co_filename, line, frame.f_globals).strip()
    name = frame.f_code.co_qualname.replace(".<locals>", "")
    return Place("your cell" if name == "<module>" else name, line, shorten(source, 120))


CUT = "`.item()`, `.detach()`, `.numpy()`, `float()` or `torch.tensor(…)` on the way cuts the gradient off."

_SHAPES = (
    "The shapes do not fit: print both just before this line, and look for a missing `[:, None]` or "
    "`keepdim=True`."
)

_PARAMETERS = "The parameters differ from the ones in the task: compare the first line of your function."

_SYMPTOMS = [
    (
        ("Type-check error",),
        "The value does not have the kind or shape that the first line of the function promises.",
    ),
    (("does not require grad",), CUT),
    (("appears to not have been used in the graph",), CUT),
    (
        ("requires grad. Use tensor.detach().numpy()",),
        "numpy cannot follow gradients: stay in torch all the way.",
    ),
    (("mat1 and mat2 shapes",), "A matrix product needs (n, k) @ (k, m): print both shapes just before it."),
    (
        ("must match the size of tensor",),
        _SHAPES,
    ),
    (
        ("could not be broadcast together",),
        _SHAPES,
    ),
    (("NoneType",), "Something is None here: a function without `return`, or a method that works in place."),
    (
        ("expected scalar type",),
        "Two dtypes meet: check `.dtype` of both, convert with `.float()` or `.long()`.",
    ),
    (
        ("Boolean value of Tensor",),
        "`if` and `and` need one truth value: use `.all()`, `.any()`, `&`, or `torch.where`.",
    ),
    (
        ("truth value of an array",),
        "`if` and `and` need one truth value: use `.all()`, `.any()`, `&`, or `np.where`.",
    ),
    (
        ("leaf Variable that requires grad", "in-place"),
        "An input or a parameter was changed in place: make a new tensor, or use `torch.no_grad()`.",
    ),
    (
        ("modified by an inplace operation",),
        "A tensor that the gradient still needs was changed in place: `y = y + …` instead of `y += …`.",
    ),
    (
        ("Cannot assign non-leaf Tensor to parameter",),
        "The new value carries a gradient: write into `.data`, or under `torch.no_grad()`.",
    ),
    (
        ("cannot assign", "torch.nn.Parameter or None expected"),
        "In a parameter's place only an `nn.Parameter` fits: write into the numbers of the old one, `.data`.",
    ),
    (
        ("not implemented for '",),
        "This operation does not know the dtype: are there integers or booleans among floats?",
    ),
    (
        ("RecursionError",),
        "The function calls itself without end: does it call the name it is defined under?",
    ),
    (("missing", "required positional argument"), _PARAMETERS),
    (("unexpected keyword argument",), _PARAMETERS),
    (("takes", "positional argument"), _PARAMETERS),
]
