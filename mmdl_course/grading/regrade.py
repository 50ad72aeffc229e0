"""`mmdl regrade`: run a graded submission again, as it was graded, and lay the two marks side by side."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mmdl_course.course import Course, CourseError, Exercise, Week
from mmdl_course.grading import gradebook, intake
from mmdl_course.grading.companions import companions
from mmdl_course.grading.executors import Sandbox, make_executor
from mmdl_course.grading.grade import NEEDS_A_PERSON
from mmdl_course.grading.journal import Entry, journal_path, open_journal
from mmdl_course.grading.late import duration
from mmdl_course.grading.lesson import lesson_path
from mmdl_course.grading.provenance import Provenance, differences, present_versions
from mmdl_course.grading.scores import is_check, reported

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["regrade_submission"]


@dataclass(frozen=True)
class _Result:
    """What one run of a submission gave."""

    points: dict[str, float]  # exercise -> what the checks gave, before any mark by hand
    reports: dict[str, dict[str, Any]]  # exercise -> what its checks said
    provenance: Provenance
    flags: tuple[str, ...]


def regrade_submission(
    course: Course, student: str, week: str, *, sandbox: Sandbox | None = None, scheduler: str | None = None
) -> int:
    """Reproduce a mark from what the journal has recorded with it. Nothing of the course is written.

    The lesson is the one that graded the submission then, where it was kept; the seed is the recorded one.

    Args:
        course: the registry.
        student: the student's id.
        week: id or folder of the week.
        sandbox: how student code is kept in; see `make_executor`.
        scheduler: address of a Dask scheduler; see `make_executor`.

    Returns:
        Exit status: 0 when every exercise has the same points again, else `NEEDS_A_PERSON`.

    Raises:
        CourseError: there is no such mark, or the submission cannot be graded any more.
    """
    (chosen,) = course.select([week])
    entry = _recorded(course, chosen, student)
    recorded = entry.provenance
    assert recorded is not None
    marks = gradebook.read_marks(course, chosen, student=student).get(student)
    if marks is None:
        raise CourseError(f"The gradebook has no mark of {student} for {chosen.id}. Grade it first.")
    before = _Result(marks.automatic, _reports(_published(course, chosen, student)), recorded, entry.flags)
    with tempfile.TemporaryDirectory(prefix="mmdl-regrade-") as folder:
        try:
            after = _run(
                course,
                chosen,
                student,
                recorded,
                Path(folder).resolve(),
                sandbox=sandbox,
                scheduler=scheduler,
            )
        except intake.Refusal as refusal:
            raise CourseError(f"{student} cannot be graded again: {refusal}") from None
        except KeyboardInterrupt:
            raise CourseError("stopped. Nothing was changed.") from None
    console = Console(highlight=False)
    if marks.late:
        console.print(
            f"Handed in {duration(marks.late)} late: {marks.penalty:g} points taken off. That is apart from "
            "the points that are compared here, and is not worked out again.",
            markup=False,
            soft_wrap=True,
        )
    by_hand = {name for name, points in marks.exercises.items() if points != marks.automatic.get(name)}
    return _compare(console, chosen, student, before, after, by_hand=by_hand)


def _recorded(course: Course, week: Week, student: str) -> Entry:
    if not journal_path(course, week).is_file():
        raise CourseError(f"Nothing of {week.id} is graded yet. Run: mmdl grade {week.id}")
    journal = open_journal(course, week)
    entry = journal.entries.get(student)
    if entry is None:
        known = ", ".join(sorted(journal.entries)[:10])
        raise CourseError(f"{week.id} has no mark of a student called '{student}'. Some it has: {known}.")
    if student in journal.begun:
        raise CourseError(f"Grading {student} was stopped half-way. Run: mmdl grade {week.id}")
    if entry.score is None:
        raise CourseError(f"{student} has no mark for {week.id}: {entry.reason}")
    if entry.provenance is None:
        raise CourseError(
            f"What {student}'s mark came from was not recorded; an older version graded it. It is "
            f"recorded when the submission is graded again: mmdl grade {week.id} --force"
        )
    return entry


def _run(
    course: Course,
    week: Week,
    student: str,
    recorded: Provenance,
    scratch: Path,
    *,
    sandbox: Sandbox | None,
    scheduler: str | None,
) -> _Result:
    """Grade a submission with a gradebook and folders of its own."""
    from mmdl_course.grading.autograde import Phases
    from mmdl_course.grading.grader import prepare
    from mmdl_course.grading.release import throwaway_gradebook
    from mmdl_course.grading.scores import settle

    own = {
        "db_url": throwaway_gradebook(scratch),
        "autograded_directory": str(scratch / "final"),
    }
    handed_in = intake.find_notebook(course.root / "submitted" / student, week)
    with gradebook.nbgrader_log(scratch / "regrade.log") as log:
        assignment = _assignment(course, week, recorded, scratch, own["db_url"])
        phases = Phases(course, week, scratch=scratch, log=log, **own)
        notebook, flags = prepare(handed_in, assignment, course=course, week=week)
        files, file_flags = companions(handed_in.path)
        beside = [(file, file.relative_to(handed_in.path.parent)) for file in files]
        planned = phases.plan(student, notebook, beside)
        options = {"seed": recorded.seed, "sandbox": sandbox, "scheduler": scheduler}
        lesson = lesson_path(course, week)
        with make_executor(phases.staged.config, log, **options, lesson=lesson) as running:
            done = running.executor.execute(planned.notebook, planned.resources)
        flags = [*handed_in.flags, *file_flags, *flags, *done.flags, *settle(done.notebook)]
        phases.record(planned, done.notebook)
    marks = gradebook.read_marks(course, week, student=student, **own)[student]
    submission = intake.digest([handed_in.path, *files])
    provenance = Provenance(recorded.seed, submission, assignment.digest, running.words, present_versions())
    return _Result(marks.automatic, _reports(done.notebook), provenance, tuple(flags))


def _assignment(
    course: Course, week: Week, recorded: Provenance, scratch: Path, db_url: str
) -> gradebook.Assignment:
    """The week's notebook as it was when the submission was graded; as it is now where it was not kept."""
    from mmdl_course.grading.grader import assignment_path

    kept = assignment_path(course, week, recorded.assignment)
    source = None
    if kept.is_file():
        source = scratch / "source"
        (source / week.folder).mkdir(parents=True)
        shutil.copyfile(kept, source / week.folder / f"{week.folder}.ipynb")
    return gradebook.register_assignment(
        course, week, scratch=scratch / "release", db_url=db_url, source=source
    )


def _compare(
    console: Console, week: Week, student: str, before: _Result, after: _Result, *, by_hand: set[str]
) -> int:
    table = Table(title=f"{week.id}, {student}", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("exercise", ratio=1)
    for name in ("recorded", "again"):
        table.add_column(name, justify="right")
    table.add_column("", ratio=1)
    differing = 0
    for exercise in week.exercises:
        if exercise.by_hand:
            table.add_row(escape(exercise.title), "", "", "a person marks it: not run")
            continue
        old, new = (result.points.get(exercise.id) for result in (before, after))
        notes = _check_differences(exercise, before, after)
        same = old is not None and new is not None and abs(old - new) < 1e-9
        differing += not same
        if exercise.id in by_hand:
            notes.append("a person has changed the mark since; what the checks gave is compared")
        shown = ["" if points is None else f"{points:g}" for points in (old, new)]
        style = "" if same else "red"
        table.add_row(escape(exercise.title), *shown, escape("\n".join(notes)), style=style)
    console.print(table)
    for title, sentences in (
        ("Not as it was then", differences(before.provenance, after.provenance)),
        ("Flags that are new", [flag for flag in after.flags if flag not in before.flags]),
    ):
        if sentences:
            listed = "".join(f"\n  {sentence}" for sentence in sentences)
            console.print(f"{title}:{listed}", style="yellow", markup=False, soft_wrap=True)
    if not differing:
        console.print(f"The mark came out again (grading seed {before.provenance.seed}).", style="green")
        return 0
    noun = "exercise has" if differing == 1 else "exercises have"
    console.print(
        f"{differing} {noun} other points now. The gradebook was not touched: change a mark in "
        f"formgrader, or grade all of {week.id} again with `mmdl grade {week.id} --force`.",
        style="red",
        soft_wrap=True,
    )
    return NEEDS_A_PERSON


def _check_differences(exercise: Exercise, before: _Result, after: _Result) -> list[str]:
    """The checks that did not say the same twice."""
    old, new = (
        {
            result.get("name"): (result.get("state"), result.get("earned"))
            for result in side.reports.get(exercise.id, {}).get("results", [])
        }
        for side in (before, after)
    )
    return [
        f"{name}: {_outcome(old.get(name))} → {_outcome(new.get(name))}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _outcome(found: tuple[Any, Any] | None) -> str:
    return "not run" if found is None else f"{found[0]} ({found[1]:g})"


def _reports(notebook: "NotebookNode | None") -> dict[str, dict[str, Any]]:
    found = {}
    for cell in notebook.cells if notebook is not None else []:
        report = reported(cell) if is_check(cell) else None
        if report is not None:
            found[cell.metadata.nbgrader.grade_id.removesuffix("-check")] = report
    return found


def _published(course: Course, week: Week, student: str) -> "NotebookNode | None":
    from nbformat import from_dict

    directory = gradebook.course_directory(course)
    folder = directory.format_path(directory.autograded_directory, student, week.folder)
    try:
        return from_dict(json.loads((Path(folder) / f"{week.folder}.ipynb").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None  # then the points alone are compared
