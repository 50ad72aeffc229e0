"""An exercise's checks: they all run, each is decided on its own, and the sum is the cell's value."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mmdl_course.checks import witness
from mmdl_course.checks.check import Check, Run
from mmdl_course.checks.describe import describe, number
from mmdl_course.checks.draws import current_seed, numpy_generator, torch_generator
from mmdl_course.checks.marks import Marks
from mmdl_course.checks.progress import note
from mmdl_course.checks.recorder import Recorder
from mmdl_course.checks.render import Report, as_json, as_text, show
from mmdl_course.checks.results import ChecksError, NotAttempted, Result, Skipped, Wrong

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["Exercise"]


class Exercise(Marks):
    """The checks of one exercise.

    A check cell begins with `exercise = Exercise("<id>", points=N)`, holds `with exercise.check(…):` blocks
    and ends with `exercise.report()`.

    Args:
        id: the exercise's id in syllabus.toml; the student's function is called the same by default.
        points: the sum of the points of all its checks, hidden ones included.

    Raises:
        ChecksError: here and below, a mistake of the lesson's author; it stops the cell.
    """

    __slots__ = ("_run", "id", "points")  # no other attributes: a claim cannot be covered by a student's

    def __init__(self, id: str, *, points: int | float) -> None:  # noqa: A002  (the registry's word)
        if not id:
            raise ChecksError('Exercise("", …): give the id that syllabus.toml has.')
        if isinstance(points, bool) or not points > 0:
            raise ChecksError(f'Exercise("{id}"): points={points!r}; give a positive number.')
        self.id = id
        self.points = points
        frame = _caller()
        self._run = Run(id, current_seed(), frame.f_globals, frame.f_code.co_filename, witness.present())
        self._run.witness.begun(id, self._run.check_file)

    # what a check cell is made of ---------------------------------------------------------------------

    def student(self, name: str | None = None) -> Recorder:
        """A stand-in for the student's function or class of this name (default: the exercise's id).

        It is called like the original and remembers arguments and return value for the messages. The
        original is looked up in the notebook at each call.
        """
        name = name or self.id

        def find() -> Any:
            if name not in self._run.namespace:
                raise NotAttempted(
                    f"`{name}` does not exist in this notebook yet: write it, run the cell that defines it, "
                    f"then run this cell again."
                )
            found = self._run.namespace[name]
            if isinstance(found, Recorder):
                raise ChecksError(
                    f'Exercise "{self.id}": `{name} = exercise.student()` took the name `{name}` '
                    f"away from the student's work. Give the recorder a name of its own."
                )
            return found

        return self._recorder(name, find)

    def watch(self, function: Callable[..., Any], name: str | None = None) -> Recorder:
        """The same for something that a student's code returned: a model, its method, a closure.

        The messages call it by `name`; without one, by its own, as in "Autoencoder.encode".
        """
        name = name or getattr(function, "__qualname__", type(function).__name__)
        return self._recorder(name.rpartition("<locals>.")[2], lambda: function)

    def check(self, name: str, *, points: int | float, hint: str = "", seconds: int | float = 20) -> Check:
        """One named check, as a `with` block.

        Args:
            name: the claim in words, unique within the exercise.
            points: what it is worth; 0 for a check that only informs.
            hint: the likely cause when it fails, without the solution.
            seconds: after this long the check is stopped and counts as crashed. A second one that takes too
                long ends the rest, so that a cell never uses up the grader's patience.
        """
        if not name.strip():
            raise ChecksError(f'Exercise "{self.id}": a check has no name.')
        if name in (check.name for check in self._run.checks):
            raise ChecksError(
                f'Exercise "{self.id}": two checks are called "{name}". Give each its own name.'
            )
        if isinstance(points, bool) or not points >= 0:
            raise ChecksError(f'Check "{name}": points={points!r}; give zero or a positive number.')
        total = round(sum(check.points for check in self._run.checks) + points, 6)
        if total > self.points:
            raise ChecksError(
                f'Exercise "{self.id}": with check "{name}" its checks have {number(total)} points, '
                f"but Exercise(…, points={self.points}) says less."
            )
        check = Check(self._run, name, points, hint, seconds)
        self._run.checks.append(check)
        return check

    def report(self) -> float:
        """Show the table of checks and return the earned points, a plain float, as the cell's last value.

        Under `nbgrader validate` a student's copy holds the visible checks alone: when they all pass, the
        value is the exercise's full points, as validation asks for nothing less. When not, the report goes to
        stderr as well, because that is all that validation shows of a cell.
        """
        if self._run.open is not None:
            raise ChecksError(
                f'report() stands inside check "{self._run.open.name}". Move it to the left margin.'
            )
        for check in self._run.checks:
            if check.name not in (result.name for result in self.results):
                raise ChecksError(f'Check "{check.name}" never ran: write `with exercise.check(…):`.')
        if not self._run.checks:
            raise ChecksError(f'Exercise "{self.id}" has no checks.')
        remaining = round(self.points - sum(check.points for check in self._run.checks), 6)
        validating = os.environ.get("NBGRADER_EXECUTION") == "validate"
        report = Report(
            exercise=self.id,
            points=float(self.points),
            earned=self.earned,
            seed=self.seed,
            remaining=float(remaining),
            results=tuple(self.results),
            notes=tuple(self._run.notes),
        )
        self._run.witness.reported({**as_json(report), "notes": list(report.notes)})
        show(report)
        note(report)
        if validating and all(result.state == "passed" for result in self.results):
            return float(self.points)
        if validating:
            sys.stderr.write(as_text(report) + "\n")
        return self.earned

    @property
    def results(self) -> list[Result]:
        """The checks that were decided so far, in order."""
        return self._run.results

    @property
    def seed(self) -> int:
        """The seed of all draws: MMDL_SEED, else fresh once per process. For a number of its own use rng."""
        return self._run.seed

    @property
    def earned(self) -> float:
        """Points earned so far: never above `points`, never below 0, without the dust of float sums."""
        total = round(sum(result.earned for result in self.results), 6)
        return float(min(max(total, 0.0), self.points))

    # randomness ---------------------------------------------------------------------------------------

    @property
    def generator(self) -> "torch.Generator":
        """This check's torch generator, seeded from (seed, exercise, check name)."""
        return self._running().once(torch_generator)

    @property
    def rng(self) -> "np.random.Generator":
        """This check's numpy generator, seeded likewise."""
        return self._running().once(numpy_generator)

    def draw(self, *shape: int) -> "torch.Tensor":
        """Standard normal float32 numbers in a tensor of this shape."""
        import torch

        return torch.randn(*shape, generator=self.generator)

    def rotation(self, n: int) -> "torch.Tensor":
        """A random rotation matrix, float32 (n, n), uniformly distributed, determinant +1."""
        import torch

        q, r = torch.linalg.qr(torch.randn(n, n, generator=self.generator, dtype=torch.float64))
        q = q * r.diagonal().sign()  # makes it uniform over the orthogonal matrices
        if torch.linalg.det(q) < 0:
            q[:, 0] = -q[:, 0]
        return q.float()

    # between the exercise and its checks --------------------------------------------------------------

    def _running(self) -> Check:
        if self._run.open is None:
            raise ChecksError(
                f'Exercise "{self.id}": students\' functions, claims and draws belong inside '
                f"`with exercise.check(…):`."
            )
        if self._run.stopped:
            raise Skipped(self._run.stopped)
        return self._run.open

    def _claim(self) -> None:
        self._running()
        # The claim's arguments are computed: a student's method may have run that no recorder watches.
        self._run.witness.returned([])

    def _grant(self, fraction: float, wrong: Wrong) -> None:
        self._running().grant(fraction, wrong)

    def _recorder(self, name: str, find: Callable[[], Any]) -> Recorder:
        def find_callable() -> Any:
            self._running()
            function = find()
            if not callable(function):
                raise Wrong(
                    f"`{name}` is {describe(function)}, not a function",
                    expected=f"a function called `{name}`",
                    cause=f"A later line of the notebook gave the name `{name}` to something else.",
                )
            return function

        return Recorder(
            name, find_callable, lambda call: self._running().calls.append(call), self._run.guard_call
        )


def _caller() -> Any:
    """The frame of the cell that called Exercise(…), run-time type checkers between it and us left out."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        own = frame.f_code.co_filename == __file__ or frame.f_code.co_filename.startswith("<@beartype")
        if not own and module not in ("beartype", "jaxtyping"):
            break
        frame = frame.f_back
    return frame
