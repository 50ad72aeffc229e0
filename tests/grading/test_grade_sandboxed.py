"""All of `mmdl grade` with warm, sandboxed kernels: the marks of plain kernels, and nothing gets out."""

import sys

import pytest
import tiny_class as tiny

from mmdl_course.course import CourseError
from mmdl_course.grading import executors
from mmdl_course.grading.grade import grade_week
from mmdl_course.grading.gradebook import read_marks, register_assignment
from mmdl_course.grading.kernels import sandbox
from mmdl_course.grading.kernels.sandbox import support

STRONGEST = executors.strongest  # the folder's tests have a stand-in for it

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.skipif(
        sys.platform != "linux" or support().level != "full", reason=f"no full sandbox: {support().explain()}"
    ),
]

SPY = """\
import os, pathlib
def double(x):
    names = {"week01_tiny.ipynb", "week01_tiny.py", "journal.json", "syllabus.toml"}
    seen = [at for at, folders, files in os.walk("/") if names & {*files} or at.startswith(COURSE)]
    assert not seen, seen
    try:
        pathlib.Path(COURSE, "gradebook.db").write_text("1")
    except OSError:
        pass
    return 2 * x
"""


@pytest.fixture
def graded(tmp_path):
    """Marks of the same four submissions by both kinds of kernels, with the course's folder."""
    marks = {}
    for level in ("none", "full"):
        course = tiny.make_course_of_two(tmp_path / level)
        release = register_assignment(course, course.weeks[0], scratch=tmp_path / level / "scratch").release
        tiny.hand_in(course, "ada", tiny.answered(release))
        tiny.hand_in(course, "bob", tiny.answered(release, double="def double(x):\n    return x\n"))
        tiny.hand_in(course, "cleo", tiny.answered(release, double=None, triple=None))
        loop = "def double(x):\n    raise SystemExit\n"
        tiny.hand_in(course, "dan", tiny.answered(release, double=loop))
        if level == "full":
            spy = SPY.replace("COURSE", repr(str(course.root)))
            tiny.hand_in(course, "eve", tiny.answered(release, double=spy))
        grade_week(course, "week01", json_file=None, force=False, jobs=2, sandbox=level)
        marks[level] = {name: mark.exercises for name, mark in read_marks(course, course.weeks[0]).items()}
    return marks


def test_marks_are_those_of_plain_kernels_and_a_spy_finds_nothing(graded):
    eve = graded["full"].pop("eve")
    assert graded["full"] == graded["none"]
    assert eve == graded["full"]["ada"]  # it saw no file, so its assertion held; what it wrote went nowhere


def test_where_no_sandbox_holds_nobody_is_graded_unasked(monkeypatch):
    found = sandbox.Support("none", {"full": "this is a test", "weak": "this is a test"})
    monkeypatch.setattr(sandbox, "support", lambda: found)
    with pytest.raises(CourseError, match=r"this is a test.*--no-sandbox"):
        STRONGEST()


def test_a_weaker_sandbox_says_so(monkeypatch, capsys):
    monkeypatch.setattr(sandbox, "support", lambda: sandbox.Support("weak", {"full": "this is a test"}))
    assert STRONGEST() == "weak"
    assert "this is a test" in capsys.readouterr().err
