"""An appeal: the mark comes out again, or it is said what is not as it was."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from killable import fake_executor
from tiny_class import answered, hand_in, make_course_of_two
from tiny_course import write_lesson

from mmdl_course.course import Course, CourseError
from mmdl_course.grading import executor, report_picture
from mmdl_course.grading.grade import NEEDS_A_PERSON, grade_week
from mmdl_course.grading.gradebook import register_assignment
from mmdl_course.grading.journal import open_journal
from mmdl_course.grading.provenance import Provenance, differences
from mmdl_course.grading.regrade import regrade_submission
from mmdl_course.grading.scores import CHECKS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning")

HALF = "def double(x):\n    return abs(x + x)\n"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Any]:
    """Graded with a real kernel."""
    course = make_course_of_two(tmp_path_factory.mktemp("course"))
    release = register_assignment(course, course.weeks[0], scratch=course.root / "scratch").release
    hand_in(course, "anna", answered(release, double=HALF))
    hand_in(course, "eva", "{ broken")
    grade_week(course, "week01", json_file=None, force=False)
    return course, release


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor.LocalExecutor, "execute", executor.LocalExecutor.execute)
    monkeypatch.setattr(report_picture, "draw_exercises", report_picture.draw_exercises)
    fake_executor()


def _files(course: Course) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in course.root.rglob("*")
        if path.is_file()
    }


def test_a_mark_comes_out_again_and_nothing_is_written(
    graded: tuple[Course, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    course, _ = graded
    before = _files(course)
    assert regrade_submission(course, "anna", "week01") == 0
    out = capsys.readouterr().out
    assert f"came out again (grading seed {open_journal(course, course.weeks[0]).seed})" in out
    assert "Not as it was" not in out
    assert _files(course) == before


def test_the_lesson_that_graded_is_used_although_it_has_changed_since(
    graded: tuple[Course, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    course, _ = graded
    path = course.root / "solutions" / "week01_tiny" / "week01_tiny.py"
    text = path.read_text(encoding="utf-8")
    write_lesson(course.root, text.replace("double_(-2.5), -5.0", "double_(-2.5), 5.0"))
    try:
        assert regrade_submission(course, "anna", "week01") == 0
        assert "lesson" not in capsys.readouterr().out
    finally:
        write_lesson(course.root, text)


@pytest.mark.usefixtures("fake")
def test_what_differs_is_said_per_exercise_and_check(
    graded: tuple[Course, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    course, release = graded
    week = course.weeks[0]
    execute = executor.LocalExecutor.execute

    def other(*args: Any) -> Any:
        done = execute(*args)
        for cell in done.notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "double-check":
                result = {"name": "two times three is six", "state": "failed", "earned": 0.0}
                cell.outputs[0].data[CHECKS]["results"] = [result]
        return done

    monkeypatch.setattr(executor.LocalExecutor, "execute", other)
    hand_in(course, "anna", answered(release))  # all right, although what was graded was not
    journal = open_journal(course, week)
    old = journal.entries["anna"]
    assert old.provenance is not None
    versions = {**old.provenance.versions, "torch": "1.0"}
    journal.record(replace(old, provenance=replace(old.provenance, versions=versions)))
    try:
        assert regrade_submission(course, "anna", "week01") == NEEDS_A_PERSON
    finally:
        journal.record(old)
        hand_in(course, "anna", answered(release, double=HALF))
    out = " ".join(capsys.readouterr().out.split())
    assert "torch: was 1.0, is 2" in out
    assert "the submission: it is not the one that was graded" in out
    assert "passed (1) → failed (0)" in out
    assert "1 exercise has other points now" in out
    assert "formgrader" in out


@pytest.mark.parametrize(
    ("student", "words"),
    [("eva", "has no mark for week01: .*not valid JSON"), ("nobody", "no mark of a student called 'nobody'")],
)
def test_without_a_mark_there_is_nothing_to_repeat(
    graded: tuple[Course, Any], student: str, words: str
) -> None:
    with pytest.raises(CourseError, match=words):
        regrade_submission(graded[0], student, "week01")


def test_a_mark_of_an_older_version_says_what_is_missing(graded: tuple[Course, Any]) -> None:
    course, _ = graded
    path = course.root / "reports" / "week01_tiny" / "journal.json"
    text = path.read_text(encoding="utf-8")
    table = json.loads(text)
    for entry in table["entries"]:
        del entry["provenance"]
    del table["begun"]
    path.write_text(json.dumps(table), encoding="utf-8")
    try:
        with pytest.raises(CourseError, match="was not recorded"):
            regrade_submission(course, "anna", "week01")
    finally:
        path.write_text(text, encoding="utf-8")


def test_every_difference_has_a_sentence() -> None:
    recorded = Provenance(1, "a", "b", "a new kernel", {"torch": "2", "gone": "1"})
    present = Provenance(2, "x", "y", "warm", {"torch": "3", "new": "1"})
    assert differences(recorded, recorded) == []
    said = differences(recorded, present)
    assert [sentence.partition(":")[0] for sentence in said] == [
        "the submission",
        "the lesson",
        "seed",
        "executor",
        "gone",
        "new",
        "torch",
    ]


def test_what_cannot_be_reached_or_written_says_so(graded: tuple[Course, Any], tmp_path: Path) -> None:
    course, _ = graded
    with pytest.raises(CourseError, match="no Dask scheduler answers there"):
        grade_week(course, "week01", json_file=None, force=False, scheduler="nowhere")
    with pytest.raises(CourseError, match="no Dask scheduler answers there"):
        regrade_submission(course, "anna", "week01", scheduler="nowhere")
    with pytest.raises(CourseError, match="marks are in the gradebook"):
        grade_week(course, "week01", json_file=tmp_path, force=False)
