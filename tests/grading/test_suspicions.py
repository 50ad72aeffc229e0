"""What students read of a suspicion: that points are withheld. And of hidden tests: nothing, anywhere."""

import csv
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from killable import fake_executor
from nbformat.v4 import new_output
from tiny_class import FOLDER, answered, hand_in, make_course_of_two

from mmdl_course.course import Course
from mmdl_course.grading import executor, report_picture
from mmdl_course.grading.grade import grade_week
from mmdl_course.grading.gradebook import course_directory, register_assignment
from mmdl_course.grading.lesson import HIDDEN, regions
from mmdl_course.grading.report import report_week
from mmdl_course.grading.suspicions import told_to_students, withheld

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning")

EVIDENCE = "double-check: torch.allclose was changed: was torch, is <lambda>, line 3 of cell 7"
FLAGS = (
    "double-check: points withheld, its checks say 4 of 4; a person decides",
    EVIDENCE,
    "triple-check showed 2 scores: the last one counts",
    "time limit: double-check was interrupted",
)


class Graded:
    """A submission whose check cells were tampered with, and whose outputs quote the hidden tests."""

    def __init__(self, course: Course, secrets: set[str]) -> None:
        self.course, self.secrets = course, secrets

    @property
    def page(self) -> str:
        """The whole feedback as a student sees it, or its source: without tags and escapes."""
        path = self.course.root / "feedback" / "anna" / FOLDER / f"{FOLDER}.html"
        text = path.read_text(encoding="utf-8")
        return text + html.unescape(re.sub(r"<[^>]*>", "", text))

    def csv(self, name: str) -> list[dict[str, str]]:
        text = (self.course.root / "reports" / FOLDER / name).read_text(encoding="utf-8")
        return list(csv.DictReader(text.splitlines()))


@pytest.fixture
def graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Graded:
    course = make_course_of_two(tmp_path)
    assignment = register_assignment(course, course.weeks[0], scratch=course.root / "scratch")
    hand_in(course, "anna", answered(assignment.release))
    (course.root / "class.csv").write_text("Name,Username\nA,anna\nB,bo\n", encoding="utf-8")
    secrets = set()
    for cell in assignment.source.cells:
        lines = cell.source.split("\n")
        for region in regions(cell.source, HIDDEN)[0]:
            secrets |= {
                line.strip() for line in lines[region.first : region.last + 1] if len(line.strip()) > 12
            }
    monkeypatch.setattr(executor.LocalExecutor, "execute", executor.LocalExecutor.execute)
    monkeypatch.setattr(report_picture, "draw_exercises", report_picture.draw_exercises)
    fake_executor()
    execute = executor.LocalExecutor.execute

    def tampered(self: Any, notebook: Any, resources: Any) -> Any:
        done = execute(self, notebook, resources)
        quoted = "\n".join(line for cell in notebook.cells for line in cell.source.split("\n"))
        coloured = [f"\x1b[0;32m----> {line}\x1b[0m" for line in quoted.split("\n")]
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("solution"):
                cell.outputs = [
                    new_output("stream", name="stdout", text=quoted),
                    new_output("display_data", data={"text/html": f"<pre>{html.escape(quoted)}</pre>"}),
                    new_output("display_data", data={"text/markdown": quoted, "text/plain": quoted}),
                ]
            elif cell.metadata.get("nbgrader", {}).get("grade_id") == "double-check":
                cell.outputs = [new_output("error", ename="E", evalue=quoted, traceback=coloured)]
        return executor.Execution(done.notebook, FLAGS)

    monkeypatch.setattr(executor.LocalExecutor, "execute", tampered)
    grade_week(course, "week01", json_file=course.root / "rows.json", force=False)
    return Graded(course, secrets)


def test_the_whole_page_has_no_line_of_a_hidden_test(graded: Graded) -> None:
    assert len(graded.secrets) == 3
    assert "[hidden test]" in graded.page
    assert not {line for line in graded.secrets if line in graded.page}


def test_students_read_that_points_are_withheld_and_not_what_was_seen(graded: Graded) -> None:
    assert "withheld until a person has looked at it" in graded.page
    assert "time limit: double-check was interrupted" in graded.page
    for words in ("torch.allclose", "a person decides", "checks say", "the last one counts"):
        assert words not in graded.page
    (row,) = graded.csv("marks.csv")
    assert EVIDENCE in row["flags"]
    assert (row["double"], row["to_mark"]) == ("", "double")
    (row,) = json.loads((graded.course.root / "rows.json").read_text(encoding="utf-8"))
    assert row["withheld"] == ["double"]
    assert EVIDENCE in row["flags"]


def test_withheld_points_are_imported_nowhere_until_a_person_has_decided(
    graded: Graded, capsys: pytest.CaptureFixture[str]
) -> None:
    from nbgrader.api import Gradebook

    capsys.readouterr()
    report_week(graded.course, "week01", roster=graded.course.root / "class.csv")
    out = capsys.readouterr().out
    assert "Withheld, see the flags: double (1 of 1)" in out
    assert "(a part waits for a person): anna" in out
    assert graded.csv("moodle.csv") == []
    directory = course_directory(graded.course)
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        grade = gradebook.find_grade("double-check", FOLDER, FOLDER, "anna")
        grade.manual_score, grade.needs_manual_grade = 3.0, False
        gradebook.db.commit()
    grade_week(graded.course, "week01", json_file=None, force=False)
    report_week(graded.course, "week01", roster=graded.course.root / "class.csv")
    ((_, _, score, _),) = [list(row.values()) for row in graded.csv("moodle.csv")]
    assert float(score) == 3.0 + float(graded.csv("marks.csv")[0]["triple"])
    assert "withheld" not in graded.page
    assert EVIDENCE in graded.csv("marks.csv")[0]["flags"]  # what was seen stays with the mark


def test_which_flags_are_a_suspicion() -> None:
    from test_report import WEEK

    assert withheld(WEEK, FLAGS, ()) == ("double",)
    assert withheld(WEEK, FLAGS, {"double"}) == ()
    assert told_to_students(WEEK, FLAGS) == ["time limit: double-check was interrupted"]
