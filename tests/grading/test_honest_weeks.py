"""Every right answer of every week through the whole of grading, sandbox and tripwires on: no false alarm."""

import json
import shutil
import sys
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

import pytest
from nbformat import from_dict

from mmdl_course.course import load_course
from mmdl_course.grading.grade import grade_week
from mmdl_course.grading.gradebook import read_marks, register_assignment
from mmdl_course.grading.journal import open_journal
from mmdl_course.grading.kernels.sandbox import support
from mmdl_course.grading.submissions import read_submissions

ROOT = Path(__file__).resolve().parents[2]
COURSE = load_course(ROOT)

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.skipif(
        sys.platform != "linux" or support().level != "full", reason=f"no full sandbox: {support().explain()}"
    ),
]


def classes_of_answers(week_id: str) -> list[dict[str, str]]:
    """What each student writes: the first takes every exercise's first right answer, and so on."""
    (week,) = COURSE.select([week_id])
    by_exercise = defaultdict(list)
    for variant in read_submissions(COURSE, week)[0]:
        if variant.kind == "wheat":
            by_exercise[variant.exercise].append(variant.source)
    return [
        {name: answer or by_exercise[name][0] for name, answer in zip(by_exercise, answers, strict=True)}
        for answers in zip_longest(*by_exercise.values())
    ]


@pytest.mark.exhaustive
@pytest.mark.parametrize("week_id", [week.id for week in COURSE.ready])
def test_right_answers_have_full_marks_and_no_flag(week_id: str, tmp_path: Path) -> None:
    grade_answers(week_id, classes_of_answers(week_id), tmp_path)


@pytest.mark.slow
def test_one_student_of_one_week_has_full_marks_and_no_flag(tmp_path: Path) -> None:
    grade_answers("week02", classes_of_answers("week02")[:1], tmp_path)


def grade_answers(week_id: str, answers: list[dict[str, str]], tmp_path: Path) -> None:
    root = tmp_path / "course"
    root.mkdir()
    for name in ("syllabus.toml", "jupyter_config.py"):
        shutil.copyfile(ROOT / name, root / name)
    shutil.copytree(ROOT / "solutions", root / "solutions")
    course = load_course(root)
    (week,) = course.select([week_id])
    release = register_assignment(course, week, scratch=tmp_path / "release").release
    for number, written in enumerate(answers):
        notebook = from_dict(json.loads(json.dumps(release)))
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = written.get(name, cell.source)
        path = root / "submitted" / f"student{number}" / week.folder / f"{week.folder}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook), encoding="utf-8")
    grade_week(course, week_id, json_file=None, force=False, jobs=2, sandbox="full")
    journal = open_journal(course, week)
    assert len(journal.entries) == len(answers) > 0
    assert {name: entry.flags for name, entry in journal.entries.items() if entry.flags} == {}
    points = {exercise.id: float(exercise.points) for exercise in week.exercises if not exercise.by_hand}
    lost = {
        (student, name): marks.exercises.get(name)
        for student, marks in read_marks(course, week).items()
        for name in points
        if marks.exercises.get(name) != points[name]
    }
    assert lost == {}
