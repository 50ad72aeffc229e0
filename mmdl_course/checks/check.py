"""One named check: it runs a block, catches whatever comes out of it, and decides."""

import contextlib
import re
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any

from mmdl_course.checks.blame import Place, is_stub, student_place
from mmdl_course.checks.capture import Captured, capture
from mmdl_course.checks.describe import error_text, shorten
from mmdl_course.checks.draws import derive, global_seed
from mmdl_course.checks.limits import kernel_stays, time_limit
from mmdl_course.checks.messages import Line, crashed_lines, stopped_lines, unwritten, wrong_lines
from mmdl_course.checks.recorder import Call
from mmdl_course.checks.results import ChecksError, NotAttempted, Result, Skipped, State, TimeUp, Wrong
from mmdl_course.checks.witness import NOBODY, Witness

__all__ = ["Check", "Run"]


# How Python complains about a claim called with the wrong arguments: that is the author's mistake.
_CLAIM = re.compile(r"(Claims|Properties|Marks|Exercise)\.\w+\(\) ")

_PROGRESS = re.compile(r"\d+%\||\d+it \[")  # tqdm's bars, which need no note


@dataclass
class Run:
    """What the checks of one exercise share while its cell runs."""

    exercise: str
    seed: int
    namespace: dict[str, Any]  # the notebook's
    check_file: str  # the check cell's file name in tracebacks
    witness: Witness = NOBODY
    checks: "list[Check]" = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    open: "Check | None" = None
    stopped: str = ""  # why the remaining checks are not run
    slow: str = ""  # the check that took too long
    crashes: dict[str, str] = field(default_factory=dict)  # what was raised and where: first check
    notes: dict[str, None] = field(default_factory=dict)  # in the order they came, each once

    def guard_call(self) -> Callable[[], None]:
        """Look at the checks' state now; what is returned looks again and tells the witness."""
        if self.witness is NOBODY:
            return _nothing
        witness, before = self.witness, self._state()
        depth = witness.depth()
        names = {name: self.namespace.get(name) for name in witness.names}

        def over() -> None:
            changed = [name for name, value in names.items() if self.namespace.get(name) is not value]
            if self._state() != before:
                changed.append("the checks' own state")
            if witness.depth() != depth:
                changed.append("a mode of torch")
            witness.returned(changed)

        return over

    def _state(self) -> tuple[Any, ...]:
        checks = [
            (id(check), check.name, check.points, id(check._partial), check._seed) for check in self.checks
        ]
        return (id(self.witness), id(self.open), self.stopped, self.slow, [*map(id, self.results)], checks)


def _nothing() -> None:
    pass


class Check:
    """One `with exercise.check(…)` block."""

    __slots__ = (
        "_captured",
        "_hint",
        "_made",
        "_partial",
        "_run",
        "_seconds",
        "_seed",
        "_surroundings",
        "calls",
        "name",
        "points",
    )

    def __init__(self, run: Run, name: str, points: int | float, hint: str, seconds: int | float) -> None:
        self.name = name
        self.points = points
        self.calls: deque[Call] = deque(maxlen=16)  # they hold copies of their arguments
        self._run = run
        self._hint = hint
        self._seconds = seconds
        self._seed = derive(run.seed, run.exercise, name)
        self._made: dict[Callable[[int], Any], Any] = {}
        self._partial: tuple[float, Wrong] | None = None
        self._surroundings = contextlib.ExitStack()

    def once(self, make: Callable[[int], Any]) -> Any:
        """What `make` makes of this check's seed; the same object when asked again."""
        if make not in self._made:
            self._made[make] = make(self._seed)
        return self._made[make]

    def grant(self, fraction: float, wrong: Wrong) -> None:
        """Earn at most this fraction of the points, for this reason."""
        if self._partial is None or fraction < self._partial[0]:
            self._partial = (fraction, wrong)

    def __enter__(self) -> None:
        if self._run.open is not None:
            raise ChecksError(f'Check "{self.name}" stands inside check "{self._run.open.name}".')
        if any(result.name == self.name for result in self._run.results):
            raise ChecksError(f'Check "{self.name}" is entered twice.')
        self._run.open = self
        self._captured: Captured = self._surroundings.enter_context(capture())
        self._surroundings.enter_context(global_seed(self._seed))
        self._surroundings.enter_context(kernel_stays())
        self._surroundings.enter_context(time_limit(self._seconds))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._surroundings.close()
        if self._run.open is not self:
            raise ChecksError(f'Check "{self.name}" is left without having been entered.')
        self._run.open = None
        if isinstance(error, ChecksError | GeneratorExit):
            return False
        if isinstance(error, TypeError) and _CLAIM.match(str(error)):
            raise ChecksError(f'Check "{self.name}": {error}.') from None
        try:
            state, lines = self._decide(error, trace)
        except Exception as own:  # noqa: BLE001  (a student's object may break whatever looks at it)
            state, lines = (
                "crashed",
                [("Stopped with", f"{error_text(own)}, while looking at what came back")],
            )
        earned = 0.0
        if state == "passed":
            earned = float(self.points)
        elif error is None and self._partial is not None:
            earned = min(round(self._partial[0] * self.points, 2), float(self.points))
        shown = tuple((label, text) for label, text in lines if text)
        message = "\n".join(f"{label}: {text}" for label, text in shown)
        result = Result(self.name, float(self.points), earned, state, message, shown)
        self._run.results.append(result)
        self._run.witness.decided(asdict(result))
        self._note()
        return True

    def _decide(self, error: BaseException | None, trace: TracebackType | None) -> tuple[State, list[Line]]:
        run = self._run
        if error is None:
            if self._partial is None:
                return "passed", []
            error = self._partial[1]
        if isinstance(error, Wrong):
            return "wrong", wrong_lines(error, self.calls, self._hint)
        if isinstance(error, NotAttempted):
            return "not attempted", [("Not attempted", str(error))]
        if isinstance(error, Skipped):
            return "crashed", [("Not run", str(error))]
        place = student_place(trace, run.namespace, run.check_file)
        from_notebook = is_stub(trace, run.namespace)
        if isinstance(error, NotImplementedError) and from_notebook and _own(error, place):
            return "not attempted", [("Not attempted", unwritten(place, self.calls, run.exercise))]
        if isinstance(error, NameError) and from_notebook and place is None:
            reason = f"`{error.name}` does not exist in this notebook yet: run the cells above this one."
            return "not attempted", [("Not attempted", reason)]
        if isinstance(error, AssertionError) and place is None:
            return "wrong", wrong_lines(Wrong(str(error) or "it does not hold"), self.calls, self._hint)
        if isinstance(error, KeyboardInterrupt):
            return "crashed", self._stop(error, stopped_lines(error, place, self.calls))
        fingerprint = f"{type(error).__name__} {place}"
        first = run.crashes.setdefault(fingerprint, self.name) if place else self.name
        told = first if first != self.name else ""
        return "crashed", crashed_lines(error, place, self.calls, self._hint, told)

    def _stop(self, error: KeyboardInterrupt, lines: list[Line]) -> list[Line]:
        """An interrupt ends the checks, as each might hang; so does the second that takes too long."""
        if not isinstance(error, TimeUp):
            self._run.stopped = f"the check “{self.name}” was interrupted."
        elif self._run.slow:
            self._run.stopped = f"the checks “{self._run.slow}” and “{self.name}” took too long."
        else:
            self._run.slow = self.name
        return lines

    def _note(self) -> None:
        for text in self._captured.warnings:
            self._run.notes[f"Your code warned: {shorten(text)}"] = None
        lines = self._captured.stderr.replace("\r", "\n").splitlines()
        if said := [line for line in lines if line.strip() and not _PROGRESS.search(line)]:
            self._run.notes[f"Your code wrote to stderr: {shorten(said[-1], 160)}"] = None


def _own(error: NotImplementedError, place: Place | None) -> bool:
    """Whether it was raised by a line of the notebook, and not by an operation in C that lacks a dtype."""
    return not error.args or (place is not None and "raise" in place.source)
