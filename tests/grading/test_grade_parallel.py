"""Several notebooks run at once; one thread records; feedback may come from other processes."""

import io
import logging
import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from killable import fake_executor
from rich.console import Console
from tiny_class import FOLDER, answered, hand_in, make_course_of_two

from mmdl_course.course import Course
from mmdl_course.grading import executor, report_picture
from mmdl_course.grading.autograde import Phases
from mmdl_course.grading.crew import Crew
from mmdl_course.grading.executors import make_executor
from mmdl_course.grading.feedback import Feedback
from mmdl_course.grading.feedback_writers import FeedbackWriters, writers_for
from mmdl_course.grading.grade import NEEDS_A_PERSON, default_jobs, grade_week
from mmdl_course.grading.gradebook import course_directory, register_assignment
from mmdl_course.grading.grader import Grader
from mmdl_course.grading.journal import Entry, open_journal
from mmdl_course.grading.progress import GradingProgress

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning")

STUDENTS = ("anna", "bo", "carla", "dai")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor.LocalExecutor, "execute", executor.LocalExecutor.execute)
    monkeypatch.setattr(report_picture, "draw_exercises", report_picture.draw_exercises)
    fake_executor()


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = make_course_of_two(tmp_path)
    release = register_assignment(course, course.weeks[0], scratch=tmp_path / "scratch").release
    for student in STUDENTS:
        hand_in(course, student, answered(release))
    return course


@pytest.mark.usefixtures("fake")
def test_notebooks_run_at_once_and_one_thread_records_as_they_finish(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    execute, record = executor.LocalExecutor.execute, Phases.record
    together, last = threading.Barrier(2, timeout=20), threading.Event()
    executing, recording = set(), set()

    def slow(self: Any, notebook: Any, resources: Any) -> Any:
        executing.add(threading.current_thread())
        student = resources["nbgrader"]["student"]
        if student in ("anna", "bo"):
            together.wait()  # both run, or this fails
        if student == "anna":
            last.wait(20)
        return execute(self, notebook, resources)

    def recorded(self: Any, planned: Any, notebook: Any) -> Any:
        recording.add(threading.current_thread())
        if planned.student == "dai":
            last.set()
        return record(self, planned, notebook)

    monkeypatch.setattr(executor.LocalExecutor, "execute", slow)
    monkeypatch.setattr(Phases, "record", recorded)
    assert grade_week(course, "week01", json_file=None, force=False, jobs=2) == 0
    assert len(executing) == 2
    assert recording == {threading.current_thread()}
    out = capsys.readouterr().out
    assert re.findall(r"^\[\d/4\] (\w+): graded", out, re.MULTILINE) == ["bo", "carla", "dai", "anna"]
    assert "4 graded, 0 flagged, 0 failed; 0 to be marked by hand" in out


@pytest.mark.usefixtures("fake")
def test_an_executor_that_fails_costs_no_other_submission(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = executor.LocalExecutor.execute

    def fail(self: Any, notebook: Any, resources: Any) -> Any:
        if resources["nbgrader"]["student"] == "bo":
            raise SystemExit("the worker is gone")
        return execute(self, notebook, resources)

    monkeypatch.setattr(executor.LocalExecutor, "execute", fail)
    assert grade_week(course, "week01", json_file=None, force=False, jobs=3) == NEEDS_A_PERSON
    journal = open_journal(course, course.weeks[0])
    assert {name for name, entry in journal.entries.items() if entry.score == 6} == {"anna", "carla", "dai"}
    assert "the worker is gone" in journal.entries["bo"].reason
    assert set(journal.begun) == {"bo"}
    monkeypatch.setattr(executor.LocalExecutor, "execute", execute)
    assert grade_week(course, "week01", json_file=None, force=False, jobs=3) == 0


@pytest.mark.usefixtures("fake")
def test_feedback_of_another_process_is_the_same_and_its_loss_is_no_harm(course: Course) -> None:
    week = course.weeks[0]
    log = logging.getLogger("mmdl.test")
    log.propagate = False
    journal = open_journal(course, week)
    grader = Grader(course, week, journal, log=log)
    students = sorted((course.root / "submitted").iterdir())
    with make_executor(course_directory(course).config, log, seed=journal.seed) as running:
        rows = grader.grade(students, running, jobs=2, force=False, writers=1)
    assert [row.score for row in rows] == [6] * 4
    path = course.root / "feedback" / "anna" / FOLDER / f"{FOLDER}.html"
    elsewhere = path.read_text(encoding="utf-8")
    here = Feedback(course, week, log=log)
    assert here.write(rows[0]) == ""
    assert path.read_text(encoding="utf-8") == elsewhere

    writers = FeedbackWriters(here, log_file=course.root / "feedback.log", count=1)
    answers: list[str | None] = []
    heard = threading.Event()

    def hear(answer: str | None) -> None:
        answers.append(answer)
        heard.set()

    writers.write(rows[1], hear)
    assert heard.wait(60)
    assert answers == [""]
    assert writers._pool is not None
    for pid in list(writers._pool._processes):
        os.kill(pid, signal.SIGKILL)
    while answers[-1] is not None:  # the loss is noticed with the first page that it costs
        heard.clear()
        writers.write(rows[1], hear)
        assert heard.wait(60)
        if writers._pool is None:
            break
    path.unlink()
    writers.write(rows[0], hear)
    assert answers[-1] == ""
    assert path.is_file()
    writers.close()


def test_a_crew_reports_what_happens_to_each_task() -> None:
    def work(task: int) -> float:
        return 1 / task

    with Crew(2, work) as crew:
        for task in (1, 0):
            crew.submit(task)
        found = [crew.reports.get(timeout=10) for _ in range(4)]
    outcomes = {(report.task, report.what): report for report in found}
    assert set(outcomes) == {(1, "started"), (1, "done"), (0, "started"), (0, "failed")}
    assert outcomes[1, "done"].result == 1
    assert isinstance(outcomes[0, "failed"].error, ZeroDivisionError)


def test_a_terminal_shows_a_bar_and_what_each_job_does() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with GradingProgress(3, console=console) as progress:
        progress.doing("anna", "running")
        progress.doing("bo", "feedback")
        progress.done(Entry("bo", "graded", 3.0, 6.0))
        progress.doing("carla", "running")
        with console.capture() as capture:
            console.print(progress._picture())
    shown = capture.get()
    assert "1/3" in shown
    assert "anna: running, 0 s" in shown
    assert "carla: running" in shown
    assert "bo" not in shown


def test_jobs_are_the_cores_and_no_more_than_there_is_to_do() -> None:
    assert default_jobs(None, 10**6) >= 1
    assert default_jobs(8, 3) == 3
    assert default_jobs(2, 0) == 1
    assert writers_for(2, 1000) == writers_for(16, 5) == 0
    assert writers_for(16, 1000) == 4
