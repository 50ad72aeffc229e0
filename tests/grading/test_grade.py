"""A small class is graded once, with real kernels; the tests look at what came out."""

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_class import (
    DOUBLE,
    FOLDER,
    answered,
    edited,
    find,
    hand_in,
    make_course_of_two,
)

from mmdl_course.course import Course, CourseError
from mmdl_course.grading import executor
from mmdl_course.grading.grade import NEEDS_A_PERSON, grade_week
from mmdl_course.grading.gradebook import read_marks, register_assignment
from mmdl_course.grading.intake import readable
from mmdl_course.grading.journal import open_journal

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning")

KILLER = "def double(x):\n    import os\n\n    os._exit(1)\n"
SPY = "def triple(x):\n    import sys\n\n    print(get_ipython().user_ns['In'][-1])\n    return 3 * x\n"
MANUAL = "def double(x):\n    return x\n"


class Graded:
    """The graded class."""

    def __init__(self, course: Course, release: Any, rows: dict[str, dict[str, Any]], before: dict) -> None:
        self.course, self.release, self.rows, self.before = course, release, rows, before


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    course = make_course_of_two(tmp_path_factory.mktemp("course"))
    week = course.weeks[0]
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        release = register_assignment(course, week, scratch=course.root / "scratch").release
        hand_in(course, "anna", answered(release))
        hand_in(course, "bo", answered(release, double=MANUAL))
        hand_in(course, "carla", answered(release, triple=SPY), name="week01 (1).ipynb")
        hand_in(course, "dai", answered(release, double=KILLER))
        hand_in(course, "eva", "{ this is not JSON")
        hand_in(course, "fay", edited(answered(release), lambda n: n.cells.remove(find(n, "double-check"))))
        hand_in(course, "gus", edited(answered(release), lambda n: n.cells.remove(find(n, "double"))))
        hand_in(course, "jörg o'neill", answered(release))
        (course.root / "submitted" / "hal" / FOLDER).mkdir(parents=True)
        (course.root / "submitted" / "ida").mkdir()
        (course.root / "submitted" / "m\udcfcller").mkdir()  # unpacked from an archive with Latin-1 names
        before = _texts(course.root / "submitted")
        json_file = course.root / "rows.json"
        assert grade_week(course, "week01", json_file=json_file, force=False) == NEEDS_A_PERSON
    rows = {row["student"]: row for row in json.loads(json_file.read_text(encoding="utf-8"))}
    return Graded(course, release, rows, before)


def _texts(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _feedback(course: Course, student: str) -> str:
    path = course.root / "feedback" / student / FOLDER / f"{FOLDER}.html"
    return path.read_text(encoding="utf-8")


def test_every_folder_has_a_row_with_a_mark_or_a_reason(graded: Graded) -> None:
    folders = {readable(path.name) for path in (graded.course.root / "submitted").iterdir()}
    assert set(graded.rows) == folders
    for row in graded.rows.values():
        waiting = {"to_mark", "withheld", "penalty"}
        assert set(row) == {"student", "state", "score", "max_score", "reason", "flags", "seconds", *waiting}
        assert (row["score"] is None) == bool(row["reason"])


@pytest.mark.parametrize(
    ("student", "state", "score", "words"),
    [
        ("anna", "graded", 6, ""),
        ("bo", "graded", 3, ""),
        ("carla", "graded with flags", 6, "file name: 'week01 (1).ipynb'"),
        ("dai", "graded with flags", 3, "kernel died in double-check"),
        ("eva", "failed", None, "not valid JSON"),
        ("fay", "graded with flags", 6, "double-check was put back"),
        ("gus", "graded with flags", 3, "double was put back as it was released"),
        ("hal", "failed", None, "is empty"),
        ("ida", "failed", None, "Nothing handed in"),
        ("jörg o'neill", "graded", 6, ""),
        ("m\\xfcller", "failed", None, "not UTF-8"),
    ],
)
def test_a_submission_comes_out_as_it_deserves(
    graded: Graded, student: str, state: str, score: float | None, words: str
) -> None:
    row = graded.rows[student]
    assert (row["state"], row["score"]) == (state, score)
    assert words in row["reason"] + " ".join(row["flags"])


def test_the_gradebook_has_the_marks_and_nobody_else(graded: Graded) -> None:
    marks = read_marks(graded.course, graded.course.weeks[0])
    assert {name: mark.score for name, mark in marks.items()} == {
        name: row["score"] for name, row in graded.rows.items() if row["score"] is not None
    }
    assert marks["bo"].exercises == {"double": 0, "triple": 3}


def test_what_was_handed_in_is_not_touched(graded: Graded) -> None:
    assert _texts(graded.course.root / "submitted") == graded.before


def test_an_unchanged_submission_is_not_run_again(
    graded: Graded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a kernel was started")

    monkeypatch.setattr(executor.LocalExecutor, "execute", refuse)
    again = graded.course.root / "again.json"
    grade_week(graded.course, "week01", json_file=again, force=False)
    rows = {row["student"]: row for row in json.loads(again.read_text(encoding="utf-8"))}
    assert {n: r["score"] for n, r in rows.items()} == {n: r["score"] for n, r in graded.rows.items()}
    assert "7 submissions are unchanged and kept" in capsys.readouterr().out


def test_all_kernels_draw_from_the_seed_in_the_journal(graded: Graded) -> None:
    seed = open_journal(graded.course, graded.course.weeks[0]).seed
    for student in ("anna", "dai"):
        notebook = graded.course.root / "autograded" / student / FOLDER / f"{FOLDER}.ipynb"
        assert f'"seed": {seed}' in notebook.read_text(encoding="utf-8")


def test_feedback_shows_results_but_no_hidden_test(graded: Graded) -> None:
    for student in ("anna", "bo", "carla", "fay"):
        text = _feedback(graded.course, student)
        assert "negative numbers work, too" in text  # the result
        assert "BEGIN HIDDEN" not in text
        assert "-7.5, atol" not in text.replace("<span", "").replace("</span>", "")
    # carla's function looked for the text of the check that called it; the history does not have it
    assert "triple_(-2.5)" not in _feedback(graded.course, "carla")


def test_who_has_no_mark_reads_why(graded: Graded) -> None:
    assert "not valid JSON" in _feedback(graded.course, "eva")
    assert "is empty" in _feedback(graded.course, "hal")


def test_the_kernel_had_no_notebook_and_left_nothing_behind(graded: Graded) -> None:
    assert not list((graded.course.root / "build" / "grading" / FOLDER).glob("work/*"))
    assert [path.name for path in (graded.course.root / "autograded" / "anna" / FOLDER).iterdir()] == [
        f"{FOLDER}.ipynb"
    ]


def test_half_done_work_of_a_killed_run_is_done_again(graded: Graded) -> None:
    course, week = graded.course, graded.course.weeks[0]
    notebook = course.root / "autograded" / "anna" / FOLDER / f"{FOLDER}.ipynb"
    notebook.unlink()
    (notebook.parent / "rubbish.txt").write_text("half done", encoding="utf-8")
    left = course.root / "build" / "grading" / FOLDER / "work" / "anna"
    left.mkdir(parents=True)
    grade_week(course, "week01", json_file=None, force=False)
    assert notebook.is_file()
    assert not (notebook.parent / "rubbish.txt").exists()
    assert read_marks(course, week)["anna"].score == 6


def test_a_new_hand_in_that_cannot_be_read_takes_the_old_mark_away(graded: Graded) -> None:
    course, week = graded.course, graded.course.weeks[0]
    hand_in(course, "bo", "[]")
    grade_week(course, "week01", json_file=None, force=False)
    assert "bo" not in read_marks(course, week)
    assert not (course.root / "autograded" / "bo" / FOLDER).exists()
    assert "not a notebook" in open_journal(course, week).entries["bo"].reason
    hand_in(course, "bo", answered(graded.release, double=DOUBLE))
    grade_week(course, "week01", json_file=None, force=False)
    assert read_marks(course, week)["bo"].score == 6


def test_trouble_of_the_grader_is_a_reason_and_not_a_lost_batch(
    graded: Graded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    course = graded.course
    monkeypatch.setattr(executor.LocalExecutor, "execute", fail)
    (course.root / "autograded" / "fay" / FOLDER / f"{FOLDER}.ipynb").unlink()
    rows = course.root / "trouble.json"
    grade_week(course, "week01", json_file=rows, force=False)
    found = {row["student"]: row for row in json.loads(rows.read_text(encoding="utf-8"))}
    assert "no space left" in found["fay"]["reason"]
    assert found["anna"]["score"] == 6


def test_nothing_to_grade_is_said_in_one_line(tmp_path: Path) -> None:
    course = make_course_of_two(tmp_path)
    with pytest.raises(CourseError, match="submitted is missing"):
        grade_week(course, "week01", json_file=None, force=False)
    (tmp_path / "submitted").mkdir()
    with pytest.raises(CourseError, match="no student's folder"):
        grade_week(course, "week01", json_file=None, force=False)


def test_a_broken_journal_is_not_overwritten(tmp_path: Path) -> None:
    course = make_course_of_two(tmp_path)
    path = tmp_path / "reports" / FOLDER / "journal.json"
    path.parent.mkdir(parents=True)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(CourseError, match=r"journal\.json cannot be read"):
        open_journal(course, course.weeks[0])
    assert path.read_text(encoding="utf-8") == "{"
