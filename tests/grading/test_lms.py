"""Files for Moodle and Canvas: who is who, whose mark goes in, and what must not be touched."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from mmdl_course.course import CourseError, Exercise, Week
from mmdl_course.grading.gradebook import Marks
from mmdl_course.grading.lms import Import, make_import
from mmdl_course.grading.roster import match_students, read_roster
from mmdl_course.grading.spreadsheets import csv_text

WEEK = Week(
    "week01",
    "week01_x",
    "The manifold hypothesis",
    "Q",
    "A1",
    exercises=(Exercise("double", "Double it", 1, 5, 4), Exercise("triple", "Triple it", 1, 5, 2)),
)
CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Notes,"
    "Quiz (17),Week 01: Manifolds (4711),Final Score\r\n"
    ",,,,,,,Manual Posting,\r\n"
    "    Points Possible,,,,,,10,6,(read only)\r\n"
    '"Müller, ""Bo""",101,S1,bo@uni.edu,"A, B",x,9,1,50\r\n'
    '"=HYPERLINK(1), Anna",102,S2,anna@uni.edu,A,,8,2,50\r\n'
    '"Two\nlines, Carla",103,S3,carla@uni.edu,A,,8,,50\r\n'
    '"Absent, Dai",104,S4,dai@uni.edu,A,,8,5,50\r\n'
)
MOODLE = (
    "Vorname;Nachname;ID-Nummer;E-Mail-Adresse;Aufgabe: Woche 1 (Punkte)\n"
    "Bo;Müller;9001;Bo@uni.edu;1,50\n"
    "Anna;+SUM(1);9002;anna@uni.edu;-\n"
    "Carla;Rossi;9003;carla@uni.edu;-\n"
)


def _mark(student: str, double: float, triple: float, **more: Any) -> Marks:
    penalty = more.get("penalty", 0.0)
    return Marks(student, double + triple - penalty, 6.0, {"double": double, "triple": triple}, **more)


def _marks(*marks: Marks) -> dict[str, Marks]:
    return {mark.student: mark for mark in marks}


def _import(
    tmp_path: Path, text: str, marks: dict[str, Marks], *without: str, column: str | None = None
) -> Import:
    path = tmp_path / "class.csv"
    path.write_bytes(text.encode("utf-8"))
    return make_import(WEEK, read_roster(path), marks, without, column=column)


def _table(made: Import) -> list[list[str]]:
    return list(csv.reader(io.StringIO(made.text)))


def test_canvas_gets_its_own_columns_back_with_one_assignment(tmp_path: Path) -> None:
    made = _import(tmp_path, CANVAS, _marks(_mark("bo", 4.0, 1 / 3), _mark("anna", 4.0, 2.0)))
    assert made.name == "canvas.csv"
    assert _table(made) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Week 01: Manifolds (4711)"],
        ["    Points Possible", "", "", "", "", ""],
        ['Müller, "Bo"', "101", "S1", "bo@uni.edu", "A, B", "4.33"],
        ["'=HYPERLINK(1), Anna", "102", "S2", "anna@uni.edu", "A", "6"],
    ]
    assert made.left_out["no submission"] == ["Two\nlines, Carla", "Absent, Dai"]
    assert "SIS Login ID" in made.said


def test_what_canvas_demands_of_a_header(tmp_path: Path) -> None:
    """As lib/gradebook_importer.rb tests it: "Student", "ID", the SIS columns, and Section last of these."""
    header = _table(_import(tmp_path, CANVAS, _marks(_mark("bo", 1.0, 1.0))))[0]
    assert "Student" in header[0]
    assert "ID" in header[1]
    assert "Section" in header[2 + sum("SIS" in name for name in header)]


def test_nobody_without_a_settled_mark_is_in_the_file_and_nobody_is_lost(tmp_path: Path) -> None:
    marks = _marks(
        _mark("bo", 4.0, 2.0),
        _mark("anna", 0.0, 2.0, to_mark=frozenset({"double"})),
        _mark("nobody", 4.0, 2.0),
    )
    made = _import(tmp_path, CANVAS, marks, "carla", "stranger")
    assert [row[3] for row in _table(made)[2:]] == ["bo@uni.edu"]
    assert made.left_out == {
        "no mark": ["carla", "stranger"],
        "a part waits for a person": ["anna"],
        "not in class.csv": ["nobody"],
        "not clear who it is": [],
        "no submission": ["Absent, Dai"],
    }
    assert "1 of 5 submissions" in made.said


def test_an_assignment_that_canvas_does_not_have_brings_its_points(tmp_path: Path) -> None:
    text = CANVAS.replace("Week 01: Manifolds (4711)", "Homework (4711)")
    made = _import(tmp_path, text, _marks(_mark("bo", 4.0, 2.0)))
    assert [row[-1] for row in _table(made)] == ["week01 The manifold hypothesis", "6", "6"]
    assert "new assignment" in made.said
    named = _import(tmp_path, text, _marks(_mark("bo", 4.0, 2.0)), column="Homework (4711)")
    assert [row[-1] for row in _table(named)] == ["Homework (4711)", "", "6"]


def test_other_points_in_canvas_are_said_and_not_changed(tmp_path: Path) -> None:
    made = _import(tmp_path, CANVAS.replace(",10,6,", ",10,100,"), _marks(_mark("bo", 4.0, 2.0)))
    assert "There it has 100 points, here 6" in made.said
    assert _table(made)[1][-1] == ""


@pytest.mark.parametrize("other", ["week01 extra (5)", "The Manifold Hypothesis (5)", "WEEK-1 (5)"])
def test_two_columns_that_could_be_the_weeks_are_a_question(other: str, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"(?s)--column.*4711"):
        _import(tmp_path, CANVAS.replace("Quiz (17)", other), _marks(_mark("bo", 4.0, 2.0)))


def test_week_11_is_not_week_1(tmp_path: Path) -> None:
    made = _import(tmp_path, CANVAS.replace("Quiz (17)", "Week 011 (17)"), _marks(_mark("bo", 4.0, 2.0)))
    assert _table(made)[0][-1] == "Week 01: Manifolds (4711)"


def test_moodle_in_any_language_with_points_and_feedback(tmp_path: Path) -> None:
    late = _mark("anna", 4.0, 1.5, penalty=2.0, late=90000.0)
    made = _import(tmp_path, MOODLE, _marks(_mark("bo", 4.0, 2.0), late))
    assert made.name == "moodle.csv"
    name = "week01 The manifold hypothesis"
    assert _table(made) == [
        ["Vorname", "Nachname", "E-Mail-Adresse", name, f"{name} (feedback)"],
        ["Bo", "Müller", "Bo@uni.edu", "6", "Double it: 4 of 4; Triple it: 2 of 2"],
        [
            "Anna",
            "'+SUM(1)",
            "anna@uni.edu",
            "3.5",
            "Double it: 4 of 4; Triple it: 1.5 of 2; 1 day 1 hour late: -2",
        ],
    ]
    assert not made.text.startswith("\ufeff")
    assert "Map from “E-Mail-Adresse”" in made.said


def test_the_gradebooks_other_names_say_who_somebody_is(tmp_path: Path) -> None:
    marks = _marks(_mark("group-7", 4.0, 2.0, names=("CARLA@uni.edu",)), _mark("bo", 1.0, 1.0))
    made = _import(tmp_path, MOODLE, marks)
    assert [row[2] for row in _table(made)[1:]] == ["Bo@uni.edu", "carla@uni.edu"]


def test_umlauts_from_a_mac_and_students_of_one_name(tmp_path: Path) -> None:
    text = "First name,Surname,Username\nJ,N,jörg\nA,One,anna@a.edu\nA,Two,anna@b.edu\nE,F,eva\nE,G,eva@x\n"
    path = tmp_path / "class.csv"
    path.write_text(text, encoding="utf-8")
    names = {"jo\u0308rg": (), "anna": (), "anna@b.edu": (), "eva": (), "Eva": ()}
    matches = match_students(read_roster(path), names)
    assert matches.rows == {"jo\u0308rg": 0, "anna@b.edu": 2}
    assert matches.unclear == ("anna", "eva", "Eva")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "a header and a line for each student"),
        (b"Student,ID,Section\n", "a header and a line for each student"),
        (b"Student,ID,Section,A\nPoints Possible,,,3\n", "no students"),
        (b"First name,Email\nBob,bob@uni.edu\n", r"(?s)none of the 1 submissions.*nbgrader db student"),
    ],
)
def test_a_roster_of_no_use_is_said_with_the_remedy(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_bytes(content)
    with pytest.raises(CourseError, match=words):
        make_import(WEEK, read_roster(path), _marks(_mark("bo", 1.0, 1.0)), ())
    with pytest.raises(CourseError, match="No such file"):
        read_roster(tmp_path / "nowhere.csv")


def test_formulas_are_disarmed_and_numbers_are_not() -> None:
    cells = ["=1", "+1+2", "@x", "-2+3", "-0.25", "+3", "\t=1", "a=1", ""]
    (row,) = csv.reader(io.StringIO(csv_text([cells])))
    assert row == ["'=1", "'+1+2", "'@x", "'-2+3", "-0.25", "+3", "'\t=1", "a=1", ""]
    assert csv_text([["=1", "=1"]], exact=[1]) == "'=1,=1\n"
