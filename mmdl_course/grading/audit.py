"""`mmdl audit`: test the tests. Correct answers must earn all points, plausible mistakes must lose some."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.grading.kernels.sandbox import THREADS
from mmdl_course.grading.submissions import Variant, read_submissions
from mmdl_course.grading.verdicts import Run, judge, print_table, score_run

__all__ = ["audit_weeks"]

CHAFF_SEEDS = 3  # a mistake that escapes one seed in twenty is a flaky check: the wheats' seeds find those
TIMEOUT = 120.0  # seconds per variant and seed
_JOBS = 2  # children at a time


def audit_weeks(course: Course, weeks: Sequence[str], *, seeds: int, json_file: Path | None) -> int:
    """Run every variant of every exercise through the released-and-restored check cells.

    The reference and the wheats run with the seeds 1 … `seeds`, the chaffs with the first 3 of them, the
    empty stub with the first.

    Args:
        course: the registry.
        weeks: ids or folders; every ready week when empty.
        seeds: 1 or more.
        json_file: where to write the runs as a JSON list, or None.

    Returns:
        Exit status: 0 when the reference and all wheats earn full marks with every seed, all chaffs lose
        marks with the message they expect, the stubs count as not attempted, and there are enough of each.
        Else 1.

    Raises:
        CourseError: unknown week, mistakes in a lesson, `json_file` cannot be written.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 160  # a log has no edge, and the messages are what one reads it for
    complaints: list[str] = []
    everything: list[Run] = []
    for week in course.select(weeks):
        variants, wrong = read_submissions(course, week)
        runs, stopped = _run_week(course, week, variants, seeds, console)
        everything += runs
        complaints += wrong + stopped + print_table(console, week, judge(runs, variants))
    if json_file is not None:
        _write(json_file, everything)
    if complaints:
        console.print(f"[bold red]{len(complaints)} to mend:[/]")
        for complaint in complaints:
            console.print(f"- {complaint}", style="red", markup=False, soft_wrap=True)
        return 1
    console.print("[green]Every correct answer earns full marks, every mistake loses some and is named.[/]")
    return 0


def _run_week(
    course: Course, week: Week, variants: list[Variant], seeds: int, console: Console
) -> tuple[list[Run], list[str]]:
    from mmdl_course.grading.restore import restored_release

    with console.status(f"{week.id}: building, releasing, restoring"):
        restored = restored_release(course, week)
    written = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in restored.source.cells
        if "nbgrader" in cell.metadata
    }
    stubs = {
        cell.metadata.nbgrader.grade_id: cell
        for cell in restored.submitted.cells
        if "nbgrader" in cell.metadata
    }
    every: list[Variant] = []
    for exercise in week.exercises:
        if exercise.by_hand:
            console.print(
                f"{week.id} {exercise.id}: marked by hand, so there is no check to test.", markup=False
            )
            continue
        every.append(Variant(exercise.id, "reference", "reference", written[exercise.id]))
        every += [variant for variant in variants if variant.exercise == exercise.id]
        every.append(Variant(exercise.id, "empty", "empty", stubs[exercise.id].source))
    runs = [
        {
            "exercise": variant.exercise,
            "variant": variant.name,
            "kind": variant.kind,
            "seed": seed,
            "source": variant.source,
        }
        for variant in every
        for seed in range(1, _seeds(variant, seeds) + 1)
    ]
    cells = [_cell(cell, written, number) for number, cell in enumerate(restored.submitted.cells, start=1)]
    last = max((number for number, cell in enumerate(cells) if cell["role"] == "check"), default=-1)
    job = {"cells": cells[: last + 1], "runs": runs, "timeout": TIMEOUT, "jobs": _JOBS}
    done: list[Run] = []
    complaints: list[str] = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(week.id, total=len(runs))
        at = "the start"
        for message in _work(course, week, job):
            if "run" in message:
                done.append(score_run(week, message, stubs[f"{message['run']['exercise']}-check"]))
                progress.advance(bar)
            elif "stopped" in message:
                complaints.append(
                    f"{week.id}: the reference stops in {message['stopped']} ({message['message']}); "
                    'exercises from there on were not audited. Mend the lesson, or tag the cell "demo".'
                )
            elif "died" in message:
                complaints.append(f"{week.id}: the audit's process died in {at}: {message['died']}")
            elif "at" in message:
                at = message["at"]
                progress.update(bar, description=f"{week.id} {at}")
    order = {(run["exercise"], run["kind"], run["variant"], run["seed"]): at for at, run in enumerate(runs)}
    done.sort(key=lambda run: order[run.exercise, run.kind, run.variant, run.seed])
    return done, complaints


def _seeds(variant: Variant, seeds: int) -> int:
    return {"empty": 1, "chaff": min(seeds, CHAFF_SEEDS)}.get(variant.kind, seeds)


def _cell(cell: Any, written: dict[str, str], number: int) -> dict[str, str]:
    metadata = cell.metadata.get("nbgrader", {})
    grade_id = metadata.get("grade_id", "")
    source = cell.source
    if cell.cell_type != "code" or "demo" in cell.metadata.get("tags", []):
        role = "skipped"  # nothing later needs it
    elif metadata.get("solution"):
        role, source = "solution", written[grade_id]
    else:
        role = "check" if metadata.get("grade") else "plain"
    return {"role": role, "grade_id": grade_id, "source": source, "where": grade_id or f"cell {number}"}


def _work(course: Course, week: Week, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Start the worker and yield what it tells; the last word is its death if it did not finish."""
    log = course.root / "build" / "audit" / f"{week.folder}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    one_thread = dict.fromkeys(THREADS, "1")
    environment = {
        **os.environ,
        **one_thread,
        "NUMBA_THREADING_LAYER": "workqueue",  # survives a fork, which GNU OpenMP does not
        "LOKY_MAX_CPU_COUNT": "1",
        "MPLBACKEND": "Agg",
        "MMDL_BUDGET": "grading",
        "NBGRADER_EXECUTION": "autograde",
        "MMDL_SEED": "1",
    }
    finished = False
    with (
        tempfile.TemporaryDirectory(prefix="mmdl-audit-") as folder,
        log.open("w", encoding="utf-8") as words,
    ):
        path = Path(folder) / "job.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        with _worker([str(path)], folder, environment, words) as lines:
            for line in lines:
                message = json.loads(line)
                finished = finished or "finished" in message or "stopped" in message
                yield message
    if not finished:
        tail = log.read_text(encoding="utf-8", errors="replace").strip()[-1500:]
        yield {"died": tail or "it said nothing (killed for want of memory?)"}


@contextmanager
def _worker(
    arguments: list[str], folder: str, environment: dict[str, str], words: IO[str]
) -> Iterator[IO[str]]:
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "mmdl_course.grading.warm", *arguments, str(writer)]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=words,
        stderr=words,
        pass_fds=[writer],
    )
    os.close(writer)
    try:
        with os.fdopen(reader, encoding="utf-8") as lines:
            yield lines
    except BaseException:  # interrupted: the worker ends its children before itself
        process.terminate()
        raise
    finally:
        process.wait()


def _write(path: Path, runs: list[Run]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps([run.as_json() for run in runs], indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise CourseError(f"--json {path}: {error.strerror}. Name a file that can be written.") from None
