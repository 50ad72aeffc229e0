"""A text that a person marks: what students get, what waits, what a mark changes, and that it stays."""

import csv
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from by_hand import (
    LESSON_BY_HAND,
    RUBRIC,
    SYLLABUS_BY_HAND,
    answered,
    make_course_by_hand,
    mark,
    needs_mark,
)
from tiny_class import FOLDER, edited, find, hand_in
from tiny_course import make_course, write_submissions

from mmdl_course.course import Course, CourseError, Exercise, Week, load_course
from mmdl_course.grading.audit import audit_weeks
from mmdl_course.grading.authoring import inspect_lesson
from mmdl_course.grading.build import build_weeks
from mmdl_course.grading.classroom import make_class
from mmdl_course.grading.exercise_statistics import exercise_statistics
from mmdl_course.grading.grade import NEEDS_A_PERSON, grade_week
from mmdl_course.grading.gradebook import Marks, read_marks, register_assignment
from mmdl_course.grading.journal import open_journal
from mmdl_course.grading.report import report_week
from mmdl_course.grading.report_picture import draw_exercises, group_counts
from mmdl_course.grading.submissions import read_submissions

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning")

GOOD = "Because 2 · x is x + x, whatever x is."
WRONG = "def double(x):\n    return x\n"
MARKED_CELL = '"grade": true, "grade_id": "why", "locked": false, "points": 3'


def grade(course: Course, *, force: bool = False) -> dict[str, dict[str, Any]]:
    """Grade, and return the rows."""
    path = course.root / "rows.json"
    assert grade_week(course, "week01", json_file=path, force=force) == NEEDS_A_PERSON
    return {row["student"]: row for row in json.loads(path.read_text(encoding="utf-8"))}


def feedback(course: Course, student: str) -> str:
    path = course.root / "feedback" / student / FOLDER / f"{FOLDER}.html"
    return path.read_text(encoding="utf-8")


def table(course: Course, name: str, key: str) -> dict[str, dict[str, str]]:
    path = course.root / "reports" / FOLDER / name
    return {row[key]: row for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return make_course_by_hand(tmp_path)


@pytest.fixture
def release(course: Course) -> Any:
    return register_assignment(course, course.weeks[0], scratch=course.root / "scratch").release


def test_students_get_a_cell_to_write_into_and_no_rubric(course: Course) -> None:
    assert build_weeks(course, [], check=False) == 0
    path = course.root / "notebooks" / FOLDER / f"{FOLDER}.ipynb"
    released = nbformat.read(path, as_version=4)
    assert find(released, "why").source == "YOUR ANSWER HERE"
    assert find(released, "why").metadata.get("editable", True)
    assert RUBRIC not in path.read_text(encoding="utf-8")
    heading = next(cell.source for cell in released.cells if "Why double?" in cell.source)
    assert "3 points · marked by hand" in heading
    assert "6 points" in released.cells[0].source


@pytest.mark.parametrize(
    ("lesson", "syllabus", "words"),
    [
        ((MARKED_CELL, MARKED_CELL.replace("3", "2")), ("", ""), "the cell says 2 points"),
        ((MARKED_CELL, MARKED_CELL.replace('locked": false', 'locked": true')), ("", ""), "could not write"),
        (("", ""), ("by_hand = true\n", ""), "syllabus.toml does not say so"),
        ((MARKED_CELL, '"grade": false, "grade_id": "why", "locked": false'), ("", ""), "has no points"),
        ((MARKED_CELL, MARKED_CELL.replace("why", "how")), ("", ""), "no such exercise"),
        (("2 · x is x + x by the definition of a product.\n\n" + RUBRIC, ""), ("", ""), "already solved"),
        (("### BEGIN SOLUTION\n2 ·", "2 ·"), ("", ""), "END SOLUTION without a BEGIN"),
        (("<summary>A nudge</summary>\n\nWhat is a product?\n</details>", ""), ("", ""), None),
        (("<details><summary>A nudge</summary>\n\nWhat is a product?", ""), ("", ""), "has no hint"),
        (
            ('"solution": true, "task": false}\n"""', '"solution": true, "task": true}\n"""'),
            ("", ""),
            "no task",
        ),
        (("{{exercise:why}}", "The text."), ("", ""), "is missing before the solution cell"),
    ],
)
def test_a_mistake_of_the_author_is_named(
    tmp_path: Path, lesson: tuple[str, str], syllabus: tuple[str, str], words: str | None
) -> None:
    assert lesson[0] in LESSON_BY_HAND
    root = make_course(
        tmp_path,
        lesson=LESSON_BY_HAND.replace(*lesson) if lesson[0] else LESSON_BY_HAND,
        syllabus=SYLLABUS_BY_HAND.replace(*syllabus) if syllabus[0] else SYLLABUS_BY_HAND,
    )
    course = load_course(root)
    _, problems = inspect_lesson(course, course.weeks[0])
    said = [problem.what for problem in problems]
    assert said == [] if words is None else any(words in what for what in said), said
    assert all(problem.remedy for problem in problems)


def test_by_hand_is_true_or_false(tmp_path: Path) -> None:
    root = make_course(tmp_path, syllabus=SYLLABUS_BY_HAND.replace("by_hand = true", 'by_hand = "yes"'))
    with pytest.raises(CourseError, match=r"exercise why: (.|\n)*by_hand"):
        load_course(root)


def test_the_audit_says_that_there_is_nothing_to_test(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_submissions(course.root)
    assert audit_weeks(course, [], seeds=1, json_file=None) == 0
    assert "why: marked by hand" in capsys.readouterr().out
    path.with_name("why.py").write_text("WHEATS = {}\n", encoding="utf-8")
    _, complaints = read_submissions(course, course.weeks[0])
    assert len(complaints) == 1
    assert "why is marked by hand" in complaints[0]


def test_a_made_up_class_leaves_the_text_unanswered(course: Course, release: Any, tmp_path: Path) -> None:
    write_submissions(course.root)
    variants, _ = read_submissions(course, course.weeks[0])
    made = make_class(course.weeks[0], release, variants, submitted=tmp_path / "class", students=24)
    assert {entry.least for entry in made} <= {0.0, 3.0, None}


def test_a_text_waits_is_marked_and_keeps_its_mark(
    course: Course, release: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(course, "anna", answered(release, GOOD))
    hand_in(course, "bo", answered(release, "Because.", double=WRONG))
    hand_in(course, "carla", answered(release, None))
    hand_in(course, "dai", edited(answered(release, GOOD), lambda n: n.cells.remove(find(n, "why"))))

    def as_code(notebook: Any) -> None:
        find(notebook, "why").update(cell_type="code", outputs=[], execution_count=None)

    hand_in(course, "eva", edited(answered(release, "1 / 0 is no text"), as_code))
    hand_in(course, "fay", answered(release, "  \n"))

    # Before anybody has marked: not a silent 0.
    rows = grade(course)
    out = capsys.readouterr().out
    assert "why (3 of 6)" in out
    assert "docs/marking.md" in out
    assert "3 + ?" in out
    assert {name: (row["score"], row["to_mark"]) for name, row in rows.items()} == {
        "anna": (3, ["why"]),
        "bo": (0, ["why"]),
        "carla": (3, []),  # nothing written: nbgrader gives 0 itself
        "dai": (3, []),
        "eva": (3, ["why"]),
        "fay": (3, []),  # emptied
    }
    assert [rows[name]["state"] for name in ("anna", "bo", "carla")] == ["graded"] * 3
    assert "deleted answer" in rows["dai"]["flags"][0]
    assert "cell type" in rows["eva"]["flags"][0]
    assert needs_mark(course, "anna")
    assert not needs_mark(course, "carla")
    assert "– of 3" in feedback(course, "anna")
    assert "the 0 above is no mark yet" in feedback(course, "anna")
    assert GOOD in feedback(course, "anna")
    assert "No response." in feedback(course, "carla")
    marks = table(course, "marks.csv", "student")
    assert (marks["anna"]["why"], marks["anna"]["to_mark"], marks["carla"]["why"]) == ("", "why", "0")
    exercises = table(course, "exercises.csv", "exercise")
    assert (exercises["why"]["n"], exercises["why"]["to_mark"], exercises["double"]["n"]) == ("3", "3", "6")
    assert exercises["why"]["not_attempted_percent"] == "100.0"

    # A person marks; grading again runs nothing and tells the students.
    mark(course, "anna", 2, "Say *which* definition.")
    mark(course, "bo", 0, "A reason, please.")
    rows = grade(course)
    assert {name: rows[name]["score"] for name in ("anna", "bo")} == {"anna": 5, "bo": 0}
    assert rows["anna"]["to_mark"] == rows["bo"]["to_mark"] == []
    assert "why (1 of 6)" in capsys.readouterr().out
    for student, score, comment in (("anna", "2 of 3", "definition"), ("bo", "0 of 3", "A reason, please.")):
        assert score in feedback(course, student)
        assert comment in feedback(course, student)
        assert "no mark yet" not in feedback(course, student)
    assert table(course, "exercises.csv", "exercise")["why"]["n"] == "5"

    # Grading again keeps the mark, and asks nobody to look again at a text that is the same.
    rows = grade(course, force=True)
    assert (rows["anna"]["score"], rows["anna"]["state"], rows["anna"]["flags"]) == (5, "graded", [])
    assert not needs_mark(course, "anna")
    assert "definition" in feedback(course, "anna")

    # Another text keeps the mark and asks for another look, until somebody has looked.
    hand_in(course, "anna", answered(release, GOOD + " By definition."))
    for _ in range(2):
        rows = grade(course, force=True)
        assert (rows["anna"]["score"], rows["anna"]["state"]) == (5, "graded with flags")
        assert "look at it again" in rows["anna"]["flags"][0]
        assert needs_mark(course, "anna")
    mark(course, "anna", 3)
    rows = grade(course)
    assert (rows["anna"]["score"], rows["anna"]["state"], rows["anna"]["flags"]) == (6, "graded", [])
    assert open_journal(course, course.weeks[0]).entries["anna"].score == 6
    assert read_marks(course, course.weeks[0])["anna"].confirmed == {"why"}
    assert report_week(course, "week01") == 0


def test_what_waits_is_not_counted_as_zero(tmp_path: Path) -> None:
    exercises = (Exercise("double", "Double it", 1, 5, 3), Exercise("why", "Why?", 1, 5, 3, by_hand=True))
    week = Week("week01", FOLDER, "Title", "Q", "A1", exercises=exercises)
    marks = [
        Marks("a", 6.0, 6.0, {"double": 3.0, "why": 3.0}),
        Marks("b", 3.0, 6.0, {"double": 3.0, "why": 0.0}, to_mark=frozenset({"why"})),
        Marks("c", 0.0, 6.0, {"double": 0.0, "why": 0.0}, unanswered=frozenset({"why"})),
    ]
    statistics = exercise_statistics(week, marks, {})
    why = statistics[1]
    assert (why.scores, why.unattempted, why.to_mark, why.mean) == ((3.0, 0.0), (False, True), 1, 1.5)
    assert group_counts(why) == [1, 0, 0, 0, 1]
    draw_exercises(statistics, title="Marks", path=tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"
