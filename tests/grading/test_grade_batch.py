"""Whatever is handed in gets a row, and none of it stops the others: one batch of nearly everything."""

import json
import os
import shutil
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from killable import fake_executor
from tiny_class import FOLDER, answered, edited, find, hand_in, make_course_of_two

from mmdl_course.course import Course
from mmdl_course.grading import executor, intake, report_picture
from mmdl_course.grading.grade import NEEDS_A_PERSON, grade_week
from mmdl_course.grading.gradebook import read_marks, register_assignment

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning")

GRADED, FLAGGED, FAILED = "graded", "graded with flags", "failed"
ODD = [
    'o\'neill "x"',
    "a{b}",
    "per%cent",
    "st*r[1]?",
    "-dash",
    "ünï 😀",
    "a$b;c&d|e",
    "n" * 200,
    "new\nline",
    "=1+1",
]


class Maker:
    """Hands in."""

    def __init__(self, course: Course, release: Any) -> None:
        self.course, self.release = course, release
        self.good = json.dumps(answered(release))

    def place(self, student: str) -> Path:
        folder = self.course.root / "submitted" / student / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def wanted(self, student: str) -> Path:
        return self.place(student) / f"{FOLDER}.ipynb"

    def text(self, student: str, text: str | bytes) -> None:
        self.wanted(student).write_bytes(
            text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        )

    def edit(self, student: str, edit: Callable[[Any], object]) -> None:
        hand_in(self.course, student, edited(answered(self.release), edit))


def _retype(notebook: Any) -> None:
    find(notebook, "double").cell_type = "raw"


def _schema(notebook: Any) -> None:
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader = {**cell.metadata.nbgrader, "schema_version": 1}


def _outputs(megabytes: int) -> Callable[[Any], None]:
    def edit(notebook: Any) -> None:
        cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
        cell.outputs = [{"output_type": "stream", "name": "stdout", "text": "x" * 1_000_000}] * megabytes

    return edit


def _metadata(notebook: Any) -> None:
    notebook.metadata = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    find(notebook, "double-check").metadata.nbgrader.points = 1000
    find(notebook, "triple").metadata.nbgrader.solution = False


def _surrogate(notebook: Any) -> None:
    find(notebook, "double").source = "# \ud800\ndef double(x):\n    return 2 * x\n"


CASES: dict[str, tuple[Callable[[Maker, str], object], str, str]] = {
    "good": (lambda m, s: m.text(s, m.good), GRADED, ""),
    "cut": (lambda m, s: m.text(s, m.good[:2000]), FAILED, "not valid JSON"),
    "latin1": (lambda m, s: m.text(s, '{"ü": 1}'.encode("latin-1")), FAILED, "not text (UTF-8)"),
    "utf16": (lambda m, s: m.text(s, m.good.encode("utf-16")), FAILED, "not text (UTF-8)"),
    "with_bom": (lambda m, s: m.text(s, b"\xef\xbb\xbf" + m.good.encode()), GRADED, ""),
    "nul_bytes": (lambda m, s: m.text(s, bytes(5000)), FAILED, "not valid JSON"),
    "half_character": (lambda m, s: m.edit(s, _surrogate), GRADED, ""),
    "numbers": (lambda m, s: m.text(s, '{"nbformat": ' + "9" * 5000 + "}"), FAILED, "not valid JSON"),
    "deep": (lambda m, s: m.text(s, "[" * 200_000), FAILED, "not"),
    "no_cells": (lambda m, s: m.edit(s, lambda n: n.cells.clear()), FAILED, "nothing to do with"),
    "cells_null": (lambda m, s: m.text(s, '{"nbformat": 4, "cells": null}'), FAILED, "not a valid notebook"),
    "metadata_list": (
        lambda m, s: m.text(s, '{"nbformat": 4, "nbformat_minor": 5, "metadata": [], "cells": []}'),
        FAILED,
        "not a valid notebook",
    ),
    "wrong_name": (lambda m, s: hand_in(m.course, s, m.good, name="my work.ipynb"), FLAGGED, "file name"),
    "several": (
        lambda m, s: [hand_in(m.course, s, m.good, name=name) for name in ("a.ipynb", "b.ipynb")],
        FAILED,
        "Several notebooks",
    ),
    "several_and_the_right": (
        lambda m, s: [hand_in(m.course, s, m.good, name=name) for name in ("a.ipynb", f"{FOLDER}.ipynb")],
        FLAGGED,
        "were ignored: a.ipynb",
    ),
    "too_deep": (lambda m, s: _deep(m, s), FLAGGED, "was graded as"),
    "folder_for_notebook": (lambda m, s: m.wanted(s).mkdir(), FAILED, "is empty"),
    "file_for_folder": (lambda m, s: _file_for_folder(m, s), FAILED, "no folder"),
    "archive": (lambda m, s: _archive(m, s), FAILED, "work.zip"),
    "archive_in_archive": (lambda m, s: _archive(m, s, nested=True), FAILED, "work.zip"),
    "deleted": (
        lambda m, s: m.edit(s, lambda n: n.cells.remove(find(n, "double-check"))),
        FLAGGED,
        "put back",
    ),
    "copied": (
        lambda m, s: m.edit(s, lambda n: n.cells.append(find(n, "double"))),
        FLAGGED,
        "more than once",
    ),
    "retyped": (lambda m, s: m.edit(s, _retype), FLAGGED, "cell type"),
    "edited_check": (
        lambda m, s: m.edit(s, lambda n: find(n, "double-check").update(source="3.0")),
        FLAGGED,
        "edited check",
    ),
    "changed_metadata": (lambda m, s: m.edit(s, _metadata), FLAGGED, "points = 1000"),
    "old_schema": (lambda m, s: m.edit(s, _schema), GRADED, ""),
    "outputs_100_mb": (lambda m, s: m.edit(s, _outputs(100)), GRADED, ""),
    "huge": (lambda m, s: _sparse(m.wanted(s), intake.MOST_BYTES + 1), FAILED, "Clear its outputs"),
    "bracket_bomb": (lambda m, s: m.text(s, "[" + "{}," * 40_000_000 + "1]"), FAILED, "Clear its outputs"),
    "link_to_gradebook": (
        lambda m, s: m.wanted(s).symlink_to(m.course.root / "gradebook.db"),
        FAILED,
        "a link",
    ),
    "link_to_other": (lambda m, s: m.wanted(s).symlink_to(m.wanted("good")), FAILED, "a link"),
    "dead_link": (lambda m, s: m.wanted(s).symlink_to("nowhere"), FAILED, "is empty"),
    "linked_folder": (lambda m, s: _linked(m, s, FOLDER), FAILED, "a link"),
    "linked_student": (lambda m, s: (m.course.root / "submitted" / s).symlink_to("good"), FAILED, "a link"),
    "dead_student": (lambda m, s: (m.course.root / "submitted" / s).symlink_to("nowhere"), FAILED, "a link"),
    "loop": (
        lambda m, s: [m.text(s, m.good), (m.place(s) / "again").symlink_to(m.place(s))],
        FLAGGED,
        "a link",
    ),
    "link_to_etc": (
        lambda m, s: [m.text(s, m.good), (m.place(s) / "etc").symlink_to("/etc")],
        FLAGGED,
        "a link",
    ),
    "pipe": (lambda m, s: os.mkfifo(m.wanted(s)), FAILED, "is empty"),
    "pipe_beside": (lambda m, s: [m.text(s, m.good), os.mkfifo(m.place(s) / "p")], FLAGGED, "not a file"),
    "pipe_as_timestamp": (
        lambda m, s: [m.text(s, m.good), os.mkfifo(m.place(s) / "timestamp.txt")],
        FLAGGED,
        "not a file",
    ),
    "folder_as_timestamp": (
        lambda m, s: [m.text(s, m.good), (m.place(s) / "timestamp.txt").mkdir()],
        GRADED,
        "",
    ),
    "socket": (lambda m, s: _socket(m, s), FLAGGED, "not a file"),
    "many_files": (
        lambda m, s: [m.text(s, m.good), [(m.place(s) / f"{n}.txt").touch() for n in range(1100)]],
        FLAGGED,
        "there are 1100",
    ),
    "large_beside": (
        lambda m, s: [m.text(s, m.good), _sparse(m.place(s) / "video.mp4", 10**11)],
        FLAGGED,
        "100000 MB",
    ),
    "empty": (lambda m, s: m.place(s), FAILED, "is empty"),
    **{name: (lambda m, s: m.text(s, m.good), GRADED, "") for name in ODD},
}


def _deep(maker: Maker, student: str) -> None:
    path = maker.place(student) / "week01" / "again" / "work.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(maker.good, encoding="utf-8")


def _file_for_folder(maker: Maker, student: str) -> None:
    shutil.rmtree(maker.place(student))
    (maker.course.root / "submitted" / student / FOLDER).write_text("x", encoding="utf-8")


def _archive(maker: Maker, student: str, *, nested: bool = False) -> None:
    path = maker.place(student) / "work.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.zip" if nested else f"{FOLDER}.ipynb", maker.good)


def _linked(maker: Maker, student: str, name: str) -> None:
    maker.place("good")
    (maker.course.root / "submitted" / student).mkdir()
    (maker.course.root / "submitted" / student / name).symlink_to(maker.place("good"))


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def _socket(maker: Maker, student: str) -> None:
    maker.text(student, maker.good)
    before = Path.cwd()
    os.chdir(maker.place(student))  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("s")
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    course = make_course_of_two(tmp_path_factory.mktemp("course"))
    release = register_assignment(course, course.weeks[0], scratch=course.root / "scratch").release
    maker = Maker(course, release)
    for student, (make, _, _) in CASES.items():
        make(maker, student)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executor.LocalExecutor, "execute", executor.LocalExecutor.execute)  # to be put back
        patch.setattr(report_picture, "draw_exercises", report_picture.draw_exercises)
        fake_executor()
        path = course.root / "rows.json"
        assert grade_week(course, "week01", json_file=path, force=False, jobs=2) == NEEDS_A_PERSON
    found = {row["student"]: row for row in json.loads(path.read_text(encoding="utf-8"))}
    assert set(found) == set(CASES)
    marks = read_marks(course, course.weeks[0])
    assert set(marks) == {name for name, row in found.items() if row["score"] is not None}
    for name in marks:
        assert (course.root / "feedback" / name / FOLDER / f"{FOLDER}.html").is_file()
    return found


@pytest.mark.parametrize("student", CASES)
def test_it_has_the_row_it_deserves(rows: dict[str, dict[str, Any]], student: str) -> None:
    _, state, words = CASES[student]
    row = rows[student]
    assert row["state"] == state, row
    assert words in row["reason"] + " ".join(row["flags"])
    assert (row["score"] is None) == (state == FAILED)
    if state != FAILED:
        assert row["score"] == 6


@pytest.mark.parametrize("what", ["notebook", "folder", "student"])
def test_what_may_not_be_read_is_a_reason_and_costs_no_mark(tmp_path: Path, what: str) -> None:
    """In a child that is an ordinary user: root may read everything."""
    root = Path("/tmp") / f"mmdl-unreadable-{os.getpid()}-{what}"  # pytest's own folders are root's alone
    week = make_course_of_two(tmp_path).weeks[0]
    path = root / "anna" / FOLDER / f"{FOLDER}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text("{}", encoding="utf-8")
    closed = {"notebook": path, "folder": path.parent, "student": root / "anna"}[what]
    closed.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        with pytest.raises(PermissionError):
            intake.digest([intake.find_notebook(root / "anna", week).path])
    finally:
        os.seteuid(user)
        closed.chmod(0o755)
        shutil.rmtree(root)
