"""`mmdl grade`: every submission of a week becomes a row with a mark or a reason, several at once."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.files import replace_file
from mmdl_course.grading import gradebook, intake
from mmdl_course.grading.executors import Sandbox, make_executor
from mmdl_course.grading.journal import FAILED, FLAGGED, Entry, journal_path, open_journal
from mmdl_course.grading.lesson import lesson_path
from mmdl_course.grading.nbgrader_speed import import_jsonschema
from mmdl_course.grading.release import load_configuration

__all__ = ["NEEDS_A_PERSON", "default_jobs", "grade_week"]

NEEDS_A_PERSON = 3  # exit status; 2 is "could not run", see cli.py

_SHOWN = ("student", "state", "score", "max_score", "reason", "flags", "seconds", "to_mark")
_SHOWN += ("withheld", "penalty")


def grade_week(
    course: Course,
    week: str,
    *,
    json_file: Path | None,
    force: bool,
    jobs: int | None = None,
    sandbox: Sandbox | None = None,
    scheduler: str | None = None,
) -> int:
    """Grade submitted/<student>/<week>/ into the gradebook, write feedback, show the report.

    What is graded already and has not changed (nor has the lesson) is kept.

    Args:
        course: the registry.
        week: id or folder of a ready week.
        json_file: where to write the rows as JSON as well.
        force: grade again what is already graded.
        jobs: notebooks to run at once; when None as many as there are cores, or threads of the workers.
        sandbox: how student code is kept in; see `make_executor`.
        scheduler: address of a Dask scheduler; see `make_executor`.

    Returns:
        Exit status: 0 when every submission has a mark that nobody has to look at, else `NEEDS_A_PERSON`:
        one is flagged, has no mark, or waits to be marked by hand.

    Raises:
        CourseError: nothing to grade, the lesson does not build, the journal cannot be read, or Ctrl-C.
    """
    from mmdl_course.grading.report import report_week

    (chosen,) = course.select([week])
    students = intake.find_students(course)
    _mention_strays(course)
    log_file = journal_path(course, chosen).with_name("grade.log")
    start = time.monotonic()
    with _alone(journal_path(course, chosen), chosen), gradebook.nbgrader_log(log_file) as log:
        config = load_configuration(course)
        import_jsonschema()
        for left in log_file.parent.glob(".*.json.*"):  # half of a journal: its writer was killed
            left.unlink()
        journal = open_journal(course, chosen)
        try:
            with make_executor(
                config,
                log,
                seed=journal.seed,
                sandbox=sandbox,
                scheduler=scheduler,
                lesson=lesson_path(course, chosen),
            ) as running:
                from mmdl_course.grading.grader import Grader  # not before the executor has begun

                grader = Grader(course, chosen, journal, log=log)
                at_once = default_jobs(jobs or running.threads, len(students))
                running.wait()
                rows = grader.grade(students, running, jobs=at_once, force=force)
        except KeyboardInterrupt:
            raise CourseError(
                f"stopped. What is graded is kept: run `mmdl grade {chosen.id}` again to go on."
            ) from None
        except OSError as error:
            raise CourseError(f"cannot go on: {error}. What is graded so far is kept.") from None
    if json_file is not None:
        write_rows(rows, json_file)
    report_week(course, chosen.id)
    return _sum_up(rows, seconds=time.monotonic() - start)


def default_jobs(jobs: int | None, submissions: int) -> int:
    """How many notebooks to run at once.

    Args:
        jobs: what the person asked for.
        submissions: how many there are.

    Returns:
        As asked, else as many as there are cores for this process; not more than submissions.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(jobs or cores, submissions))


def write_rows(rows: list[Entry], path: Path) -> None:
    """Write rows as a JSON list of objects with the fields of `_SHOWN`.

    Args:
        rows: from grading.
        path: the file.

    Raises:
        CourseError: it cannot be written.
    """
    table = [{name: asdict(row)[name] for name in _SHOWN} for row in rows]
    try:
        replace_file(path, json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise CourseError(
            f"--json {path}: {error}. The marks are in the gradebook; give another file and run again."
        ) from None


def _sum_up(rows: list[Entry], *, seconds: float) -> int:
    """Say in a line or two how it went and whether somebody has to look, as words and as exit status."""
    failed = sum(row.state == FAILED for row in rows)
    flagged = sum(row.state == FLAGGED for row in rows)
    waiting = sum(bool(row.to_mark) for row in rows)
    console = Console(highlight=False)
    console.print(
        f"This run: {len(rows)} submissions in {seconds:.0f} s; {len(rows) - failed - flagged} graded, "
        f"{flagged} flagged, {failed} failed; {waiting} to be marked by hand.",
        soft_wrap=True,
    )
    if failed or flagged or waiting:
        console.print("A person should look: see the reasons and flags above.", style="yellow")
        return NEEDS_A_PERSON
    return 0


def _mention_strays(course: Course) -> None:
    strays = sorted(path.name for path in (course.root / "submitted").iterdir() if path.is_file())
    strays = [intake.printable(name) for name in strays if not name.startswith(".")]
    if strays:
        Console(stderr=True, highlight=False).print(
            f"Not in a student's folder, so not graded: {', '.join(strays)} (in submitted/)", markup=False
        )


@contextmanager
def _alone(journal: Path, week: Week) -> Iterator[None]:
    """Hold the week's lock: two runs at once would write the same files."""
    try:
        import fcntl
    except ImportError:  # not a Unix: nobody watches
        yield
        return
    journal.parent.mkdir(parents=True, exist_ok=True)
    with journal.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CourseError(
                f"{week.id} is being graded already, in another terminal. Wait for it."
            ) from None
        yield
