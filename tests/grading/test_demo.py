"""The demonstration class: what each submission was made to be comes out."""

import json
from pathlib import Path

import pytest
from tiny_class import make_course_of_two
from tiny_course import SUBMISSIONS, write_submissions

from mmdl_course.course import Course, CourseError
from mmdl_course.grading import demo
from mmdl_course.grading.classroom import RECIPES, STUDENTS, Designed, make_class
from mmdl_course.grading.demo import run_demo
from mmdl_course.grading.gradebook import register_assignment
from mmdl_course.grading.submissions import read_submissions

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = make_course_of_two(tmp_path_factory.mktemp("course"))
    double = write_submissions(course.root)
    triple = SUBMISSIONS.replace("double", "triple").replace("2 * x", "3 * x").replace("x * 2", "x * 3")
    double.with_name("triple.py").write_text(triple, encoding="utf-8")
    return course


def test_a_small_class_comes_out_as_designed_and_the_real_course_is_untouched(course: Course) -> None:
    before = sorted(path for path in course.root.rglob("*") if path.is_file())
    rows = course.root / "build" / "rows.json"
    assert run_demo(course, Path("build/demo"), students=8, json_file=rows) == 0
    new = set(course.root.rglob("*")) - set(before)
    assert {path.relative_to(course.root).parts[0] for path in new if path.is_file()} <= {"build"}
    table = {row["student"]: row for row in json.loads(rows.read_text(encoding="utf-8"))}
    designed = json.loads((course.root / "build/demo/class.json").read_text(encoding="utf-8"))
    assert [entry["student"] for entry in designed] == list(STUDENTS[:8]) == list(table)
    for entry in designed:
        assert table[entry["student"]]["state"] == entry["state"]
        assert (table[entry["student"]]["score"] is None) == (entry["least"] is None)


def test_all_24_are_made_and_each_kind_of_trouble_is_among_them(course: Course, tmp_path: Path) -> None:
    week = course.weeks[0]
    release = register_assignment(course, week, scratch=tmp_path / "scratch").release
    variants, _ = read_submissions(course, week)
    designed = make_class(week, release, variants, submitted=tmp_path / "submitted", students=24)
    assert len({entry.student for entry in designed}) == len(RECIPES) == 24
    assert {entry.state for entry in designed} == {"graded", "graded with flags", "failed"}
    assert len(list(tmp_path.glob("submitted/*/week01_tiny/"))) == 24
    assert len(list(tmp_path.glob("submitted/*/*/*.ipynb"))) == 23  # one folder is empty


def test_a_row_that_came_out_otherwise_is_noticed() -> None:
    made = Designed("anna", "half right", "graded", 3.0, 5.0)
    assert made.agrees(state="graded", score=4.0, notes="")
    assert not made.agrees(state="graded", score=6.0, notes="")
    assert not made.agrees(state="graded", score=None, notes="")
    assert not made.agrees(state="graded with flags", score=4.0, notes="")
    lost = Designed("bo", "empty folder", "failed", None, None, "is empty")
    assert lost.agrees(state="failed", score=None, notes="The folder is empty.")
    assert not lost.agrees(state="failed", score=None, notes="Grading broke off")


def test_a_folder_with_other_things_in_it_is_left_alone(course: Course, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(CourseError, match="not made by `mmdl demo`"):
        run_demo(course, tmp_path, students=1, json_file=None)
    for folder in (Path(), Path("..")):
        with pytest.raises(CourseError, match="is the course itself"):
            run_demo(course, folder, students=1, json_file=None)
    assert (tmp_path / "thesis.txt").is_file()


def test_without_wheats_and_chaffs_the_files_to_write_are_named(tmp_path: Path) -> None:
    bare = make_course_of_two(tmp_path)
    with pytest.raises(CourseError, match=r"tests/submissions/week01_tiny/double\.py is missing"):
        demo.run_demo(bare, Path("build/demo"), students=1, json_file=None)
