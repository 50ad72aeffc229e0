"""What an audit's runs mean: scores as nbgrader gives them, and whether the tests did what they are for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mmdl_course.course import Week
from mmdl_course.grading.submissions import Kind, Variant

__all__ = ["Judged", "Run", "judge", "print_table", "score_run"]

_CHECKS = "application/vnd.mmdl.checks+json"


@dataclass(frozen=True)
class Run:
    """One variant of one exercise, run once."""

    week: str
    exercise: str
    variant: str
    kind: Kind
    seed: int
    score: float
    max_score: float
    failed: tuple[tuple[str, str, str], ...]  # (check, state, message) of each check that did not pass
    trouble: str = ""  # what went wrong outside the checks

    @property
    def messages(self) -> list[str]:
        """What a student would read of what did not pass."""
        texts = [f"{name} [{state}]: {message}" for name, state, message in self.failed]
        return [self.trouble, *texts] if self.trouble else texts

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` writes."""
        names = ("week", "exercise", "variant", "kind", "seed", "score", "max_score", "messages")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Judged:
    """One row of the audit's table."""

    exercise: str
    variant: str
    kind: Kind
    runs: tuple[Run, ...]
    complaints: tuple[str, ...]  # at most one: the first seed tells the story


def score_run(week: Week, message: dict[str, Any], check_cell: Any) -> Run:
    """Score what a child sent, with nbgrader's own function on the check cell's outputs.

    Args:
        week: the week.
        message: `run` (exercise, variant, kind, seed) and `solution`, `check` (outputs), or `error`.
        check_cell: the restored check cell; its metadata hold the points.

    Returns:
        The run.
    """
    from nbformat import from_dict
    from nbgrader.utils import determine_grade

    run = {name: message["run"][name] for name in ("exercise", "variant", "kind", "seed")}
    points = float(check_cell.metadata.nbgrader.points)
    if "error" in message:
        return Run(week.id, **run, score=0.0, max_score=points, failed=(), trouble=message["error"])
    outputs = message["check"]
    cell = from_dict({**check_cell, "outputs": outputs})
    trouble = [
        _error("the solution cell", output)
        for output in message["solution"]
        if output["output_type"] == "error"
    ]
    trouble += [_error("the check cell", output) for output in outputs if output["output_type"] == "error"]
    trouble += [
        f"the check cell wrote to stderr, which costs all points: {output['text'].strip()}"
        for output in outputs
        if output.get("name") == "stderr"
    ]
    try:
        score, _ = determine_grade(cell)
    except (ValueError, KeyError) as error:
        score, trouble = 0.0, [*trouble, f"nbgrader cannot read the score: {error}"]
    reports = [output["data"][_CHECKS] for output in outputs if _CHECKS in output.get("data", {})]
    if not reports:
        trouble.append("the check cell shows no report")
    results = reports[-1]["results"] if reports else []
    failed = tuple(
        (result["name"], result["state"], result["message"])
        for result in results
        if result["state"] != "passed"
    )
    return Run(week.id, **run, score=score, max_score=points, failed=failed, trouble="; ".join(trouble))


def judge(runs: Sequence[Run], variants: Sequence[Variant]) -> list[Judged]:
    """Group runs by variant and say what is wrong with each.

    Args:
        runs: all runs of a week.
        variants: its wheats and chaffs, for what the chaffs expect.

    Returns:
        One entry per exercise and variant, in the order of the runs.
    """
    expects = {
        (variant.exercise, variant.name): variant.expects for variant in variants if variant.kind == "chaff"
    }
    groups: dict[tuple[str, Kind, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.exercise, run.kind, run.variant), []).append(run)
    judged = []
    for (exercise, kind, name), group in groups.items():
        expected = expects.get((exercise, name), ("", ""))
        judged.append(Judged(exercise, name, kind, tuple(group), tuple(_complaints(group, expected))))
    return judged


def print_table(console: Console, week: Week, judged: Sequence[Judged]) -> list[str]:
    """Show exercise × variant with scores and messages.

    Args:
        console: where to.
        week: the week.
        judged: what `judge` said.

    Returns:
        Every complaint, one sentence each.
    """
    table = Table(title=f"{week.id}: {week.title}", title_justify="left")
    table.add_column("exercise and variant", overflow="fold")
    table.add_column("kind", min_width=5, max_width=9)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("what the student reads", overflow="fold", ratio=1, min_width=24)
    before = ""
    for row in judged:
        if row.exercise != before:
            table.add_section()
            table.add_row(f"[bold]{row.exercise}[/]")
        low = min(row.runs, key=lambda run: run.score)
        high = max(run.score for run in row.runs)
        score = f"{low.score:g}" if low.score == high else f"{low.score:g}–{high:g}"
        table.add_row(
            f"  {row.variant}",
            row.kind,
            f"{score}/{low.max_score:g}",
            "[red]✗[/]" if row.complaints else "[green]✓[/]",
            Text(_gist(low)),
        )
        before = row.exercise
    console.print(table)
    return [f"{week.id} {row.exercise}, {_title(row)}: {text}" for row in judged for text in row.complaints]


def _complaints(runs: Sequence[Run], expected: tuple[str, str]) -> list[str]:
    found = [(run, text) for run in runs if (text := _complaint(run, expected))]
    if not found:
        return []
    run, text = found[0]
    return [f"{text} (seed {run.seed}; {len(found)} of {len(runs)} runs)"]


def _complaint(run: Run, expected: tuple[str, str]) -> str:
    said = run.messages[0] if run.messages else "no message"
    if run.kind in ("reference", "wheat"):
        if run.score < run.max_score or run.messages:
            return f"is not simply right: {run.score:g} of {run.max_score:g}. {_short(said, 400)}"
        return ""
    if run.kind == "empty":
        untouched = run.failed and all(state == "not attempted" for _, state, _ in run.failed)
        if run.score != 0 or run.trouble or not untouched:
            return f'the stub earns {run.score:g} and is not simply "not attempted": {_short(said, 400)}'
        return ""
    if run.score >= run.max_score:
        return "keeps full marks: no check notices this mistake"
    name, words = (_plain(text) for text in expected)
    named = [message for check, _, message in run.failed if name in _plain(check)]
    if not named:
        lost = ", ".join(f'"{check}"' for check, _, _ in run.failed) or run.trouble
        return f'a check called "…{expected[0]}…" should fail; these did: {lost}'
    if not any(words in _plain(message) for message in named):
        return f'its message should say "{expected[1]}"; it says: {_short(run.trouble or named[0], 400)}'
    return ""


def _title(row: Judged) -> str:
    return row.kind if row.kind == row.variant else f"{row.kind} {row.variant}"


def _gist(run: Run) -> str:
    if run.trouble or not run.failed:
        return _short(run.trouble)
    name, state, message = run.failed[0]
    if state == "not attempted":
        return state
    return f"{name}: {_short(message.split('Likely cause:')[-1])}"


def _error(where: str, output: dict[str, Any]) -> str:
    return f"{where} stopped: {output['ename']}: {output['evalue']}"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _short(text: str, length: int = 160) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
