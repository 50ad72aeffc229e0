"""Late penalties, from the due date in nbgrader's gradebook to the report, with its plugin and another."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from killable import fake_executor
from tiny_class import FOLDER, answered, hand_in, make_course_of_two

from mmdl_course.course import Course
from mmdl_course.grading import executor, report_picture
from mmdl_course.grading.grade import NEEDS_A_PERSON, grade_week
from mmdl_course.grading.gradebook import course_directory, read_marks, register_assignment
from mmdl_course.grading.late import UNDATED, duration
from mmdl_course.grading.regrade import regrade_submission
from mmdl_course.grading.report import report_week

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning")

ZERO = '\nc.LateSubmissionPlugin.penalty_method = "zero"\n'
# What nbgrader's documentation has instructors write, in the same place.
ONE_A_DAY = """
import math
from nbgrader.plugins import BasePlugin

class OneADay(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return math.ceil(total_seconds_late / 86400)

c.AssignLatePenalties.plugin_class = OneADay
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.setattr(executor.LocalExecutor, "execute", executor.LocalExecutor.execute)
    monkeypatch.setattr(report_picture, "draw_exercises", report_picture.draw_exercises)
    fake_executor()
    return make_course_of_two(tmp_path)


@pytest.fixture
def release(course: Course) -> Any:
    return register_assignment(course, course.weeks[0], scratch=course.root / "scratch").release


def _configure(course: Course, text: str) -> None:
    with (course.root / "jupyter_config.py").open("a", encoding="utf-8") as file:
        file.write(text)


def _due(course: Course, when: str) -> None:
    """What `nbgrader db assignment add FOLDER --duedate …` does, and formgrader."""
    from nbgrader.api import Gradebook

    directory = course_directory(course)
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        gradebook.update_or_create_assignment(FOLDER, duedate=when)


def _hand_in(course: Course, student: str, release: Any, when: str | None) -> None:
    path = hand_in(course, student, answered(release))
    stamp = path.with_name("timestamp.txt")
    stamp.unlink(missing_ok=True)
    if when is not None:
        stamp.write_text(when, encoding="utf-8")


def _grade(course: Course) -> dict[str, dict[str, Any]]:
    path = course.root / "rows.json"
    grade_week(course, "week01", json_file=path, force=False)
    return {row["student"]: row for row in json.loads(path.read_text(encoding="utf-8"))}


def _feedback(course: Course, student: str) -> str:
    return (course.root / "feedback" / student / FOLDER / f"{FOLDER}.html").read_text(encoding="utf-8")


def _csv(course: Course, name: str) -> list[dict[str, str]]:
    text = (course.root / "reports" / FOLDER / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_a_plugin_of_ones_own_from_the_due_date_to_the_file_for_moodle(
    course: Course, release: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _configure(course, ONE_A_DAY)
    _due(course, "2026-02-02 17:00:00 Europe/Berlin")
    _hand_in(course, "anna", release, "2026-02-02 15:59:59 UTC")
    _hand_in(course, "bo", release, "2026-02-03 18:00:00 Europe/Berlin")
    rows = _grade(course)
    assert [(row["score"], row["penalty"]) for row in rows.values()] == [(6.0, 0.0), (4.0, 2.0)]
    (course.root / "class.csv").write_text("Name,Username\nA,anna\nB,bo\n", encoding="utf-8")
    capsys.readouterr()
    report_week(course, "week01", roster=course.root / "class.csv")
    out = capsys.readouterr().out
    assert "Due 2026-02-02 16:00 UTC: 1 of 2 late, by 1 day 1 hour at most; 2 points taken off." in out
    assert "−2" in out
    anna, bo = _csv(course, "marks.csv")
    assert (anna["points"], anna["late_hours"], anna["penalty"], anna["score"]) == ("6", "", "0", "6")
    assert (bo["points"], bo["late_hours"], bo["penalty"], bo["score"]) == ("6", "25.00", "2", "4")
    assert [list(row.values())[2] for row in _csv(course, "moodle.csv")] == ["6", "4"]
    assert "Handed in 1 day 1 hour late. Points taken off for that: 2." in _feedback(course, "bo")
    assert "late" not in _feedback(course, "anna").partition("</table>")[2][:300]


def test_nbgraders_own_zero_and_a_due_date_that_changes_later(course: Course, release: Any) -> None:
    _configure(course, ZERO)
    _hand_in(course, "anna", release, "2026-02-03 12:00:00 UTC")
    assert _grade(course)["anna"]["score"] == 6.0
    _due(course, "2026-02-01 12:00:00 UTC")
    row = _grade(course)["anna"]  # nothing is run: the submission has not changed
    assert (row["score"], row["penalty"]) == (0.0, 6.0)
    assert "2 days late. Points taken off for that: 6." in _feedback(course, "anna")
    _due(course, "2026-02-05 12:00:00 UTC")
    row = _grade(course)["anna"]
    assert (row["score"], row["penalty"]) == (6.0, 0.0)
    assert "late." not in _feedback(course, "anna")


def test_points_by_hand_that_come_later_are_in_the_penalty(course: Course, release: Any) -> None:
    from nbgrader.api import Gradebook

    _configure(course, ZERO)
    _due(course, "2026-02-01")
    _hand_in(course, "anna", release, "2026-02-03")
    _grade(course)
    directory = course_directory(course)
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        gradebook.find_grade("double-check", FOLDER, FOLDER, "anna").extra_credit = 1.0
        gradebook.db.commit()
    assert read_marks(course, course.weeks[0])["anna"].score == 1.0
    assert _grade(course)["anna"]["score"] == 0.0


def test_without_a_penalty_it_is_said_who_is_late_and_nothing_is_flagged(
    course: Course, release: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _due(course, "2026-02-01")
    _hand_in(course, "anna", release, "2026-02-03")
    _hand_in(course, "bo", release, None)
    rows = _grade(course)
    assert [(row["score"], row["flags"]) for row in rows.values()] == [(6.0, []), (6.0, [])]
    out = capsys.readouterr().out
    assert "1 of 2 late, by 2 days at most; 0 points taken off. No penalty is configured" in out


def test_a_missing_or_broken_timestamp_is_a_flag_and_the_old_time_is_forgotten(
    course: Course, release: Any
) -> None:
    _configure(course, ZERO)
    _due(course, "2026-02-01")
    _hand_in(course, "anna", release, "2026-02-03")
    _hand_in(course, "bo", release, None)
    _hand_in(course, "carla", release, "the day before yesterday")
    rows = _grade(course)
    assert [row["score"] for row in rows.values()] == [0.0, 6.0, 6.0]
    assert rows["anna"]["flags"] == []
    assert rows["bo"]["flags"] == [UNDATED]
    assert [flag[:13] for flag in rows["carla"]["flags"]] == ["timestamp.txt"]
    assert UNDATED not in _feedback(course, "bo")
    _hand_in(course, "anna", release, None)
    row = _grade(course)["anna"]
    assert (row["score"], row["flags"]) == (6.0, [UNDATED])


def test_an_appeal_compares_points_and_says_that_the_penalty_is_apart(
    course: Course, release: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _configure(course, ZERO)
    _due(course, "2026-02-01")
    _hand_in(course, "anna", release, "2026-02-03")
    assert _grade(course)["anna"]["score"] == 0.0
    capsys.readouterr()
    assert regrade_submission(course, "anna", "week01") in (0, NEEDS_A_PERSON)
    assert "2 days late: 6 points taken off" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1.0, "1 minute"), (3600.0, "1 hour"), (93780.0, "1 day 2 hours"), (172800.0, "2 days")],
)
def test_a_length_of_time_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
