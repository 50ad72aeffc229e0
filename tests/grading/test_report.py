"""The report of a graded week, from marks by hand and from whatever is left on disk."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_class import FOLDER, answered, hand_in, make_course_of_two

from mmdl_course.course import Course, CourseError, Exercise, Week
from mmdl_course.grading.exercise_statistics import discrimination, exercise_statistics
from mmdl_course.grading.grade import grade_week
from mmdl_course.grading.gradebook import Marks, register_assignment
from mmdl_course.grading.journal import FAILED, GRADED, Entry, open_journal
from mmdl_course.grading.report import report_week
from mmdl_course.grading.report_picture import draw_exercises, group_counts

WEEK = Week(
    "week01",
    FOLDER,
    "Title",
    "Q",
    "A1",
    exercises=(Exercise("double", "Double it", 1, 5, 4), Exercise("triple", "Triple it", 1, 5, 2)),
)


def _marks(student: str, double: float, triple: float, *unanswered: str) -> Marks:
    scores = {"double": float(double), "triple": float(triple)}
    return Marks(student, float(double + triple), 6.0, scores, frozenset(unanswered))


def _results(**states: str) -> dict:
    return {"results": [{"name": name, "state": state} for name, state in states.items()]}


MARKS = [
    _marks("a", 4, 2),
    _marks("b", 1, 2),
    _marks("c", 0, 0, "double", "triple"),
    _marks("d", 3, 0),
]
REPORTS = {
    "a": {"double": _results(one="passed", two="passed")},
    "b": {"double": _results(one="wrong", two="crashed")},
    "c": {"double": _results(one="not attempted", two="not attempted")},
    "d": {"double": _results(one="passed", two="wrong")},
}


def test_statistics_of_a_class_of_four_by_hand() -> None:
    double, triple = exercise_statistics(WEEK, MARKS, REPORTS)
    assert (double.mean, double.median) == (2.0, 2.0)
    assert [double.share(which) for which in ("full", "zero", "not attempted")] == [0.25, 0.25, 0.25]
    assert double.failed_checks == (("two", 2), ("one", 1))
    assert triple.unattempted == (False, False, True, False)  # nobody reported: the gradebook's comment tells


def test_likely_causes_are_counted_once_per_student() -> None:
    first = {"name": "one", "state": "wrong", "message": "Likely cause: It squares."}
    second = {"name": "two", "state": "crashed", "message": "Likely cause: It forgets."}
    reports = {
        "a": {"double": {"results": [first, second]}},
        "b": {"double": {"results": [second]}},
        "d": {"double": {"results": [first]}},
    }
    double, triple = exercise_statistics(WEEK, MARKS, reports)
    assert double.misconceptions == (("It squares.", 2), ("It forgets.", 1))
    assert triple.misconceptions == ()


def test_a_late_penalty_does_not_make_an_exercise_look_different() -> None:
    late = [replace(mark, score=mark.score - mark.score / 2, penalty=mark.score / 2) for mark in MARKS]
    before, after = (exercise_statistics(WEEK, marks, REPORTS)[0] for marks in (MARKS, late))
    assert after.discrimination == pytest.approx(before.discrimination)


def test_discrimination_is_the_correlation_with_the_rest() -> None:
    assert discrimination([0.0, 1.0, 2.0], [0.0, 2.0, 4.0]) == pytest.approx(1)
    assert discrimination([0.0, 1.0, 2.0], [4.0, 2.0, 0.0]) == pytest.approx(-1)
    assert discrimination([1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]) == pytest.approx(0)
    assert math.isnan(discrimination([1.0, 1.0, 1.0], [0.0, 2.0, 4.0]))
    assert math.isnan(discrimination([0.0, 1.0], [0.0, 1.0]))


def test_a_class_without_marks_has_no_numbers() -> None:
    (double, _) = exercise_statistics(WEEK, [], {})
    assert math.isnan(double.mean)
    assert math.isnan(double.share("full"))


def test_the_picture_counts_every_student_once(tmp_path: Path) -> None:
    statistics = exercise_statistics(WEEK, MARKS, REPORTS)
    assert [group_counts(entry) for entry in statistics] == [[1, 0, 1, 1, 1], [1, 1, 0, 0, 2]]
    draw_exercises(statistics, title="Marks", path=tmp_path / "new" / "picture.png")
    assert (tmp_path / "new" / "picture.png").read_bytes()[:4] == b"\x89PNG"


def test_the_picture_takes_long_and_strange_texts_and_a_class_of_none(tmp_path: Path) -> None:
    texts = ["a" * 300, "costs $5 and $6 \\frac{", "名前 " * 80, "short"]
    counts = tuple((text, 3) for text in texts)
    (entry, _) = exercise_statistics(WEEK, MARKS, REPORTS)
    strange = replace(entry, failed_checks=counts, misconceptions=counts, to_mark=2)
    for statistics in ([strange], exercise_statistics(WEEK, [], {}), []):
        draw_exercises(statistics, title="$", path=tmp_path / "picture.png")
        assert (tmp_path / "picture.png").stat().st_size > 1000


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return make_course_of_two(tmp_path)


def _rows(course: Course, name: str) -> list[dict[str, str]]:
    path = course.root / "reports" / FOLDER / name
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_nothing_graded_yet_is_said_with_the_remedy(course: Course) -> None:
    with pytest.raises(CourseError, match="mmdl grade week01"):
        report_week(course, "week01")
    open_journal(course, course.weeks[0])
    with pytest.raises(CourseError, match="mmdl grade week01"):
        report_week(course, "week01")


def test_a_journal_alone_makes_a_report(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    journal = open_journal(course, course.weeks[0])
    journal.record(Entry("=cmd()", FAILED, reason="[red]broken[/red]"))
    journal.record(Entry("bo", GRADED, score=3.0, max_score=6.0))
    assert report_week(course, "week01") == 0
    rows = {row["student"]: row for row in _rows(course, "marks.csv")}
    assert rows["'=cmd()"]["reason"] == "[red]broken[/red]"  # no formula in a spreadsheet
    assert "no mark" in rows["bo"]["reason"]  # the gradebook is gone: a mark is not made up
    assert f"Grading seed {journal.seed}" in capsys.readouterr().out
    assert not (course.root / "reports" / FOLDER / "exercises.png").exists()


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_missing_and_broken_pieces_cost_details_and_not_the_report(course: Course) -> None:
    week = course.weeks[0]
    release = register_assignment(course, week, scratch=course.root / "scratch").release
    for student in ("anna", "bo", "carla"):
        hand_in(course, student, answered(release, triple="def triple(x):\n    return abs(3 * x)\n"))
    grade_week(course, "week01", json_file=None, force=False)
    anna, bo, _ = (
        course.root / "autograded" / name / FOLDER / f"{FOLDER}.ipynb" for name in ("anna", "bo", "carla")
    )
    anna.unlink()
    bo.chmod(0o644)
    bo.write_text('{"cells": [{"cell_type": "code"}]}', encoding="utf-8")
    assert report_week(course, "week01") == 0
    assert [row["score"] for row in _rows(course, "marks.csv")] == ["4", "4", "4"]
    double, triple = _rows(course, "exercises.csv")
    assert (double["n"], double["mean"], double["full_percent"]) == ("3", "3.00", "100.0")
    assert triple["most_failed_checks"] == "negative numbers work, too (1)"  # carla's, who has a notebook
    assert triple["likely_causes"].endswith(" (1)")
    assert (course.root / "reports" / FOLDER / "exercises.png").is_file()
