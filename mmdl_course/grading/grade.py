"""`mmdl grade`: every submission of a week becomes a row with a mark or a reason, one after the other."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.grading import gradebook, intake
from mmdl_course.grading.companions import companions
from mmdl_course.grading.journal import FAILED, FLAGGED, GRADED, Entry, Journal, journal_path, open_journal

if TYPE_CHECKING:
    from mmdl_course.grading.executor import Executor

__all__ = ["grade_week"]

_DOUBTFUL = "a mark given by hand is kept: look at it again"
_INTERNAL = ("key", "by_hand")  # of a row: for the next run alone


def grade_week(course: Course, week: str, *, json_file: Path | None, force: bool) -> int:
    """Grade submitted/<student>/<week>/ into the gradebook, write feedback, show the report.

    What is graded already and has not changed (nor has the lesson) is kept.

    Args:
        course: the registry.
        week: id or folder of a ready week.
        json_file: where to write the rows as JSON as well.
        force: grade again what is already graded.

    Returns:
        Exit status 0: every submission has a row.

    Raises:
        CourseError: nothing to grade, the lesson does not build, the journal cannot be read, or Ctrl-C.
    """
    from mmdl_course.grading.report import report_week

    (chosen,) = course.select([week])
    students = intake.find_students(course)
    _mention_strays(course)
    journal = open_journal(course, chosen)
    log_file = journal_path(course, chosen).with_name("grade.log")
    with _alone(journal_path(course, chosen), chosen), gradebook.nbgrader_log(log_file) as log:
        try:
            grader = Grader(course, chosen, journal, log=log)
            rows = grader.grade(students, force=force)
        except KeyboardInterrupt:
            raise CourseError(
                f"stopped. What is graded is kept: run `mmdl grade {chosen.id}` again to go on."
            ) from None
        except OSError as error:
            raise CourseError(f"cannot go on: {error}. What is graded so far is kept.") from None
    if json_file is not None:
        write_rows(rows, json_file)
    return report_week(course, chosen.id)


def write_rows(rows: list[Entry], path: Path) -> None:
    """Write rows as a JSON list of {student, state, score, max_score, reason, flags, seconds, to_mark}."""
    table = [{name: value for name, value in asdict(row).items() if name not in _INTERNAL} for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


class Grader:
    """Grades the submissions of one week. The executor is the seam: the rest does not run student code."""

    def __init__(self, course: Course, week: Week, journal: Journal, *, log: Any) -> None:
        from mmdl_course.grading.autograde import Phases
        from mmdl_course.grading.executor import LocalExecutor, kernel_environment
        from mmdl_course.grading.feedback import Feedback

        self.course, self.week, self.journal, self.log = course, week, journal, log
        self.kept = 0  # unchanged submissions in the last run
        scratch = course.root / "build" / "grading" / week.folder
        self.assignment = gradebook.register_assignment(course, week, scratch=scratch / "release")
        self.phases = Phases(course, week, scratch=scratch, log=log)
        self.feedback = Feedback(course, week, log=log)
        self.executor: Executor = LocalExecutor(
            config=self.phases.staged.config, log=log, environment=kernel_environment(seed=journal.seed)
        )

    def grade(self, students: list[Path], *, force: bool) -> list[Entry]:
        """Grade everybody, showing a bar.

        Args:
            students: folders in submitted/.
            force: also what has not changed.

        Returns:
            A row each, in the order of `students`.
        """
        marks = gradebook.read_marks(self.course, self.week)
        rows, self.kept = [], 0
        with _progress(len(students)) as step:
            for folder in students:
                row = self._one(folder, marks.get(folder.name), force=force)
                row = replace(row, reason=intake.readable(row.reason), flags=_readable(row.flags))
                self.journal.record(row)
                rows.append(row)
                step(row)
        if self.kept:
            noun = "submission is" if self.kept == 1 else "submissions are"
            text = f"{self.kept} {noun} unchanged and kept; --force grades them again."
            Console(highlight=False).print(text)
        return rows

    def _one(self, folder: Path, marks: gradebook.Marks | None, *, force: bool) -> Entry:
        start = time.monotonic()
        student = intake.readable(folder.name)
        try:
            if student != folder.name:
                raise intake.Refusal(
                    "The name of the student's folder is not UTF-8. Rename it, then grade again."
                )
            handed_in = intake.find_notebook(folder, self.week)
            files, flags = companions(handed_in.path)
            key = intake.digest([handed_in.path, *files], self.assignment.digest, str(self.journal.seed))
            old = self.journal.entries.get(student)
            if not force and old and old.key == key and self._still_there(old, marks):
                return self._kept(old, marks)
            entry = self._run(student, handed_in, files, flags, marks)
            return replace(entry, key=key, seconds=round(time.monotonic() - start, 2))
        except intake.Refusal as refusal:
            self.phases.withdraw(student)
            gradebook.forget_submission(self.course, self.week, student)
            reason = str(refusal)
        except Exception as error:  # one submission never stops the others
            self.log.exception("While grading %s", student)
            text = str(error).strip().splitlines()
            reason = (
                f"Grading broke off ({type(error).__name__}: {text[0] if text else ''}). "
                f"The log has the details: {self._log_file()}. Run the command again once that is mended."
            )
        self.phases.discard(student)
        try:
            self.feedback.write_reason(student, reason)
        except OSError as error:
            reason += f" (The student was not told: {error})"
        return Entry(student, FAILED, reason=reason, seconds=round(time.monotonic() - start, 2))

    def _run(
        self,
        student: str,
        handed_in: intake.HandedIn,
        files: list[Path],
        file_flags: list[str],
        before: gradebook.Marks | None,
    ) -> Entry:
        from mmdl_course.grading.repair import repair
        from mmdl_course.grading.scores import settle

        source, release = self.assignment.source, self.assignment.release
        notebook = intake.read_notebook(handed_in.path)
        intake.recognise(notebook, release, course=self.course, week=self.week)
        flags = [*handed_in.flags, *file_flags, *repair(notebook, source=source, release=release)]
        beside = [(file, file.relative_to(handed_in.path.parent)) for file in files]
        planned = self.phases.plan(student, notebook, beside)
        done = self.executor.execute(planned.notebook, planned.resources)
        flags += [*done.flags, *settle(done.notebook)]
        unchanged = self._unchanged(student, done.notebook, before) if before else set()
        self.phases.record(planned, done.notebook)
        gradebook.confirm_by_hand(self.course, self.week, student, unchanged)
        marks = gradebook.read_marks(self.course, self.week, student=student)[student]
        if marks.doubtful:
            flags.append(_DOUBTFUL)
        problem = self.feedback.write(student, flags, to_mark=marks.to_mark)
        flags += [problem] if problem else []
        return _with_marks(Entry(student, GRADED), marks, flags)

    def _unchanged(self, student: str, notebook: Any, before: gradebook.Marks) -> set[str]:
        """Exercises that a person has marked, and whose text is what it was then."""
        texts = {exercise.id for exercise in self.week.exercises if exercise.by_hand} & before.confirmed
        try:
            cells = json.loads(self.phases.published(student).read_text(encoding="utf-8"))["cells"]
            old = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell["source"] for cell in cells}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return set()  # then somebody looks again
        new = {intake.grade_id(cell): cell.source for cell in notebook.cells}
        return {name for name in texts if name in old and "".join(old[name]) == new.get(name)}

    def _still_there(self, old: Entry, marks: gradebook.Marks | None) -> bool:
        return old.state != FAILED and marks is not None and self.phases.published(old.student).is_file()

    def _kept(self, old: Entry, marks: gradebook.Marks) -> Entry:
        """An unchanged submission: the gradebook's mark counts, which a person may have changed since."""
        self.kept += 1
        flags = [flag for flag in old.flags if flag != _DOUBTFUL or marks.doubtful]
        row = _with_marks(old, marks, flags)
        if row != old or not self.feedback.exists(old.student):
            self.feedback.write(old.student, flags, to_mark=marks.to_mark)
        return row

    def _log_file(self) -> Path:
        return journal_path(self.course, self.week).with_name("grade.log").relative_to(self.course.root)


def _with_marks(row: Entry, marks: gradebook.Marks, flags: list[str]) -> Entry:
    """The row with what the gradebook says."""
    return replace(
        row,
        state=FLAGGED if flags else GRADED,
        score=marks.score,
        max_score=marks.max_score,
        flags=tuple(flags),
        to_mark=tuple(sorted(marks.to_mark)),
        by_hand=marks.by_hand,
    )


def _readable(flags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(intake.readable(flag) for flag in flags)


def _mention_strays(course: Course) -> None:
    strays = sorted(path.name for path in (course.root / "submitted").iterdir() if path.is_file())
    strays = [name for name in strays if not name.startswith(".")]
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
    with journal.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CourseError(
                f"{week.id} is being graded already, in another terminal. Wait for it."
            ) from None
        yield


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    """A bar with the time left on a terminal, a line per submission elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(highlight=False)
    if not console.is_terminal:
        count = 0

        def line(row: Entry) -> None:
            nonlocal count
            count += 1
            mark = f"{row.score:g}/{row.max_score:g}" if row.score is not None else row.reason
            mark += f", to be marked by hand: {', '.join(row.to_mark)}" if row.to_mark else ""
            console.print(
                f"[{count}/{total}] {row.student}: {row.state}, {mark}", markup=False, soft_wrap=True
            )

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("grading", total=total)
        yield lambda row: bar.update(task, advance=1, description=f"graded {row.student}")
