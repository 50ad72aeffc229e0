"""Grade the submissions of one week: plan here, run in threads, record here.

One thread, the one that calls `Grader.grade`, reads and writes the gradebook, the journal and the folders.
What a killed run leaves is never taken for a result: the journal says that a submission is begun before
anything of it changes, and that it is done when everything of it is on the disk.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from mmdl_course.course import Course, Week
from mmdl_course.files import replace_file
from mmdl_course.grading import gradebook, intake
from mmdl_course.grading.companions import companions
from mmdl_course.grading.crew import Crew, Report
from mmdl_course.grading.disarm import disarm
from mmdl_course.grading.executors import Running
from mmdl_course.grading.feedback_writers import FeedbackWriters, writers_for
from mmdl_course.grading.journal import FAILED, FLAGGED, GRADED, Entry, Journal, journal_path
from mmdl_course.grading.late import UNDATED, penalises, renew_penalties
from mmdl_course.grading.nbgrader_speed import one_engine
from mmdl_course.grading.progress import GradingProgress
from mmdl_course.grading.provenance import Provenance, present_versions
from mmdl_course.grading.suspicions import DOUBTFUL, withheld

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from mmdl_course.grading.autograde import Planned
from mmdl_course.grading.executor import Execution

__all__ = ["Grader", "assignment_path", "prepare"]


@dataclass
class _Task:
    """A submission on its way."""

    student: str
    folder: Path
    key: str = ""
    provenance: Provenance | None = None
    flags: list[str] = field(default_factory=list)
    before: gradebook.Marks | None = None
    marked: dict[str, str] = field(default_factory=dict)  # exercise -> digest of the text marked by hand
    planned: "Planned | None" = None
    seconds: float = 0.0
    row: Entry | None = None


class Grader:
    """Grades the submissions of one week. The executor is the seam: the rest does not run student code."""

    def __init__(self, course: Course, week: Week, journal: Journal, *, log: Any) -> None:
        from mmdl_course.grading.autograde import Phases
        from mmdl_course.grading.feedback import Feedback

        self.course, self.week, self.journal, self.log = course, week, journal, log
        self.kept = 0  # unchanged submissions in the last run
        scratch = course.root / "build" / "grading" / week.folder
        self.assignment = gradebook.register_assignment(course, week, scratch=scratch / "release")
        kept = assignment_path(course, week, self.assignment.digest)
        if not kept.is_file():  # an appeal is marked with the lesson that marked the submission
            replace_file(kept, self.assignment.path.read_bytes())
        self.phases = Phases(course, week, scratch=scratch, log=log)
        self.penalises = penalises(gradebook.course_directory(course).config)
        self.feedback = Feedback(course, week, log=log)
        self.log_file = journal_path(course, week).with_name("grade.log")

    def grade(
        self, students: list[Path], running: Running, *, jobs: int, force: bool, writers: int | None = None
    ) -> list[Entry]:
        """Grade everybody, showing a bar.

        Args:
            students: folders in submitted/.
            running: the executor.
            jobs: notebooks to run at once.
            force: also what has not changed.
            writers: processes that write feedback; chosen by the number of jobs when None.

        Returns:
            A row each, in the order of `students`.
        """
        self.running = running
        self.phases.clear()
        renew_penalties(self.course, self.week, log=self.log)
        self.marks = gradebook.read_marks(self.course, self.week)
        self.rows: dict[str, Entry] = {}
        todo, stale = self._survey(students, force=force)
        if self.kept:
            noun = "submission is" if self.kept == 1 else "submissions are"
            text = f"{self.kept} {noun} unchanged and kept; --force grades them again."
            Console(highlight=False).print(text)
        count = writers_for(jobs, len(todo)) if writers is None else writers
        self.writers = FeedbackWriters(self.feedback, log_file=self.log_file, count=count)
        try:
            with (
                one_engine(),
                GradingProgress(len(todo) + len(stale)) as self.progress,
                Crew(min(jobs, max(1, len(todo))), self._execute) as self.crew,
            ):
                self._work_through(iter(todo), stale, ahead=jobs + 1)
        finally:
            self.writers.close()
        return [self.rows[intake.readable(folder.name)] for folder in students]

    def _survey(self, students: list[Path], *, force: bool) -> tuple[list[_Task], list[_Task]]:
        """Tell what has to be graded, and whose feedback alone is out of date, from what is kept."""
        todo, stale, self.kept = [], [], 0
        for folder in students:
            task = _Task(intake.readable(folder.name), folder)
            task.before = self.marks.get(task.student)
            old = self.journal.entries.get(task.student)
            if force or not old or not task.before or not self._still_there(old, task):
                todo.append(task)
                continue
            # The gradebook's mark counts, which a person may have changed since.
            self.kept += 1
            flags = [flag for flag in old.flags if flag != DOUBTFUL or task.before.doubtful]
            task.row = self._with_marks(old, task.before, flags)
            if task.row != old or not self.feedback.exists(task.student):
                stale.append(task)
            else:
                self.rows[task.student] = task.row
        return todo, stale

    def _still_there(self, old: Entry, task: _Task) -> bool:
        """Whether a submission is graded already, as it is now, and everything of it is in its place."""
        if old.state == FAILED or task.student in self.journal.begun:
            return False
        try:
            _, _, _, submission = self._look(task)
        except Exception:  # noqa: BLE001 (it is said when its turn comes)
            return False
        return self._key(submission) == old.key and self.phases.published(task.student).is_file()

    def _look(self, task: _Task) -> tuple[intake.HandedIn, list[Path], list[str], str]:
        if task.student != task.folder.name:
            raise intake.Refusal(
                "The name of the student's folder is not UTF-8. Rename it, then grade again."
            )
        handed_in = intake.find_notebook(task.folder, self.week)
        files, flags = companions(handed_in.path)
        return handed_in, files, flags, intake.digest([handed_in.path, *files])

    def _key(self, submission: str) -> str:
        """What the journal knows a graded submission by: its digest, with the lesson and the seed."""
        return intake.digest([], submission, self.assignment.digest, str(self.journal.seed))

    def _work_through(self, todo: Iterator[_Task], stale: list[_Task], *, ahead: int) -> None:
        """Hand out tasks and record what comes back, until nothing is left."""
        executing = writing = 0
        for task in stale:
            writing += self._write(task)
        while True:
            # A planned notebook waits for every thread; more would only fill the memory.
            while executing < ahead and (task := next(todo, None)) is not None:
                if self._attempt(task, self._plan):
                    self.crew.submit(task)
                    executing += 1
            if not executing and not writing:
                return
            report = self.crew.reports.get()
            task = report.task
            if report.what == "started":
                self.progress.doing(task.student, "running")
            elif report.what == "written":
                writing -= 1
                writing += self._written(task, report.result)
            else:
                executing -= 1
                if self._attempt(task, self._record, report):
                    writing += self._write(task)

    def _attempt(self, task: _Task, step: Any, *args: Any) -> bool:
        """Do a step of a submission; whatever goes wrong is a reason in its row and stops no other."""
        start = time.monotonic()
        try:
            step(task, *args)
            task.seconds += time.monotonic() - start
            return True
        except intake.Refusal as refusal:
            reason = str(refusal)
            if self._attempt(task, self._refuse):
                self._without_mark(task, reason)
        except Exception as error:  # one submission never stops the others
            self.log.exception("While grading %s", task.student)
            self._give_up(task, error)
        return False

    def _plan(self, task: _Task) -> None:
        handed_in, files, file_flags, submission = self._look(task)
        task.key = self._key(submission)
        task.marked = self._marked_texts(task)
        self.journal.begin(task.student, task.marked)
        notebook, flags = prepare(handed_in, self.assignment, course=self.course, week=self.week)
        task.flags = [*handed_in.flags, *file_flags, *flags]
        beside = [(file, file.relative_to(handed_in.path.parent)) for file in files]
        task.planned = self.phases.plan(task.student, notebook, beside)
        task.provenance = Provenance(
            seed=self.journal.seed,
            submission=submission,
            assignment=self.assignment.digest,
            executor=self.running.words,
            versions=present_versions(),
        )
        if self._look(task)[-1] != submission:
            raise OSError("the submission was changed while it was read")

    def _execute(self, task: _Task) -> "Execution":
        assert task.planned is not None
        return self.running.executor.execute(task.planned.notebook, task.planned.resources)

    def _record(self, task: _Task, report: Report) -> None:
        from mmdl_course.grading.scores import settle

        planned, task.planned = task.planned, None  # the notebook is large: nobody keeps it
        if report.error is not None:
            raise RuntimeError(f"{type(report.error).__name__}: {report.error}") from report.error
        done = report.result
        task.seconds += done.seconds
        task.flags += [*done.flags, *settle(done.notebook), *disarm(done.notebook)]
        texts = _texts(done.notebook.cells)
        unchanged = {name for name, digest in task.marked.items() if texts.get(name) == digest}
        self.phases.record(planned, done.notebook)
        gradebook.confirm_by_hand(self.course, self.week, task.student, unchanged)
        marks = gradebook.read_marks(self.course, self.week, student=task.student)[task.student]
        if marks.doubtful:
            task.flags.append(DOUBTFUL)
        row = Entry(task.student, GRADED, key=task.key, provenance=task.provenance)
        task.row = self._with_marks(row, marks, task.flags)

    def _write(self, task: _Task) -> int:
        """Order the feedback of a row. Returns how many reports will come of it."""
        self.progress.doing(task.student, "feedback")

        def then(problem: str | None) -> None:
            self.crew.reports.put(Report(task, "written", problem))

        self.writers.write(task.row, then)
        return 1

    def _written(self, task: _Task, problem: str | None) -> int:
        if problem is None:
            return self._write(task)
        row = task.row
        if problem:
            row = replace(row, state=FLAGGED, flags=(*row.flags, problem))
        self._done(task, replace(row, seconds=round(task.seconds, 2) or row.seconds))
        return 0

    def _with_marks(self, row: Entry, marks: gradebook.Marks, flags: list[str]) -> Entry:
        """The row with what the gradebook says."""
        flags = [flag for flag in flags if flag != UNDATED]
        if marks.undated and self.penalises and not any(flag.startswith("timestamp.txt") for flag in flags):
            flags.append(UNDATED)
        return replace(
            row,
            state=FLAGGED if flags else GRADED,
            score=marks.score,
            max_score=marks.max_score,
            flags=tuple(flags),
            to_mark=tuple(sorted(marks.to_mark)),
            withheld=withheld(self.week, flags, marks.confirmed),
            penalty=marks.penalty,
            late=marks.late,
            by_hand=marks.by_hand,
        )

    def _refuse(self, task: _Task) -> None:
        """There is nothing to grade, so there is no mark."""
        self.journal.begin(task.student)
        self.phases.withdraw(task.student)
        gradebook.forget_submission(self.course, self.week, task.student)

    def _give_up(self, task: _Task, error: Exception) -> None:
        """Trouble of the grader's: an earlier mark stays, for it may have a person's work in it."""
        text = str(error).strip().splitlines()
        reason = (
            f"Grading broke off ({type(error).__name__}: {text[0] if text else ''}). "
            f"The log has the details: {self.log_file.relative_to(self.course.root)}. "
            "Run the command again once that is mended."
        )
        if isinstance(error, PermissionError):
            reason = (
                f"It may not be read: {error.filename}. Make it readable (chmod -R u+rX submitted/), then "
                "grade again."
            )
        if task.before is None:
            try:
                gradebook.forget_submission(self.course, self.week, task.student)
            except Exception:  # the journal says that it is not done
                self.log.exception("While grading %s", task.student)
        # Whatever the gradebook has is not the mark of what is handed in now.
        self.journal.begun.setdefault(task.student, task.marked or self._marked_texts(task))
        self._without_mark(task, reason, finished=False)

    def _without_mark(self, task: _Task, reason: str, *, finished: bool = True) -> None:
        self.phases.discard(task.student)
        try:
            self.feedback.write_reason(task.student, reason)
        except OSError as error:
            reason += f" (The student was not told: {error})"
        self._done(
            task,
            Entry(task.student, FAILED, reason=reason, seconds=round(task.seconds, 2)),
            finished=finished,
        )

    def _done(self, task: _Task, row: Entry, *, finished: bool = True) -> None:
        flags = tuple(intake.printable(flag) for flag in row.flags)
        row = replace(row, reason=intake.printable(row.reason), flags=flags)
        self.journal.record(row, finished=finished)
        self.rows[task.student] = row
        self.progress.done(row)

    def _marked_texts(self, task: _Task) -> dict[str, str]:
        """The texts that a person has marked: of a killed run first, for it may have put them in doubt."""
        marked = dict(self.journal.begun.get(task.student, {}))
        texts = {exercise.id for exercise in self.week.exercises if exercise.by_hand}
        if task.before is not None and (confirmed := texts & task.before.confirmed):
            try:
                path = self.phases.published(task.student)
                found = _texts(json.loads(path.read_text(encoding="utf-8"))["cells"])
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                found = {}  # then somebody looks again
            marked |= {name: found[name] for name in confirmed if name in found}
        return marked


def assignment_path(course: Course, week: Week, digest: str) -> Path:
    """Where the version of a lesson is kept that has graded something: with solutions and hidden tests."""
    return journal_path(course, week).parent / "assignments" / f"{digest[:16]}.ipynb"


def prepare(
    handed_in: intake.HandedIn, assignment: gradebook.Assignment, *, course: Course, week: Week
) -> tuple["NotebookNode", list[str]]:
    """Read a submission and put its graded cells in order.

    Args:
        handed_in: the file that counts.
        assignment: the week's notebook.
        course: the registry.
        week: the week.

    Returns:
        The notebook for `Phases.plan`, and flags.

    Raises:
        Refusal: it cannot be graded.
    """
    from mmdl_course.grading.repair import repair

    notebook = intake.read_notebook(handed_in.path)
    intake.recognise(notebook, assignment.release, course=course, week=week)
    return notebook, repair(notebook, source=assignment.source, release=assignment.release)


def _texts(cells: list[Any]) -> dict[str, str]:
    """Digests of the graded cells' texts; on disk a text may be a list of lines."""
    found = {}
    for cell in cells:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name:
            found[name] = hashlib.sha256("".join(cell["source"]).encode("utf-8", "replace")).hexdigest()
    return found
