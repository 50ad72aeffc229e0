"""What was handed in, from the right file to none at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from mmdl_course.course import Course, Exercise, Week
from mmdl_course.grading import intake
from mmdl_course.grading.companions import companions
from mmdl_course.grading.intake import Refusal

WEEK = Week("week01", "week01_x", "T", "Q", "A1", exercises=(Exercise("double", "Double", 1, 1, 3),))
OTHER = Week("week02", "week02_y", "T", "Q", "A1", exercises=(Exercise("other", "Other", 1, 1, 3),))
COURSE = Course(Path("/nowhere"), "C", (WEEK, OTHER))
WANTED = "week01_x.ipynb"


def _folder(tmp_path: Path, *names: str) -> Path:
    for name in names:
        path = tmp_path / "anna" / "week01_x" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}", encoding="utf-8")
    (tmp_path / "anna").mkdir(exist_ok=True)
    return tmp_path / "anna"


def _notebook(*names: str, texts: tuple[str, ...] = ()) -> Any:
    cells = [new_code_cell("pass", metadata={"nbgrader": {"grade_id": name}}) for name in names]
    return new_notebook(cells=cells + [new_markdown_cell(text) for text in texts])


def test_the_right_name_wins_over_other_notebooks(tmp_path: Path) -> None:
    found = intake.find_notebook(_folder(tmp_path, WANTED, "old copy.ipynb"), WEEK)
    assert found.path.name == WANTED
    assert "old copy.ipynb" in found.flags[0]


@pytest.mark.parametrize("name", ["week01_x (1).ipynb", "Kopie von week01_x.ipynb", "deeper/week01_x.ipynb"])
def test_the_only_notebook_counts_whatever_its_name_and_is_flagged(tmp_path: Path, name: str) -> None:
    found = intake.find_notebook(_folder(tmp_path, name), WEEK)
    assert found.path.name == Path(name).name
    assert name in found.flags[0]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), "no folder week01_x"),
        (("a.ipynb", "b.ipynb"), "Several notebooks"),
        (("answers.pdf",), "answers.pdf"),
        ((".ipynb_checkpoints/week01_x-checkpoint.ipynb",), "is empty"),
    ],
)
def test_a_folder_without_the_notebook_is_refused_with_what_is_there(
    tmp_path: Path, names: tuple[str, ...], words: str
) -> None:
    with pytest.raises(Refusal, match=words):
        intake.find_notebook(_folder(tmp_path, *names), WEEK)


def test_a_link_is_not_a_submission(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "x.txt")
    (folder / "week01_x" / WANTED).symlink_to(folder / "week01_x" / "x.txt")
    with pytest.raises(Refusal, match="is a link"):
        intake.find_notebook(folder, WEEK)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty file"),
        (b"\x80\x81\xff", "not text"),
        (b"PK\x03\x04", "not valid JSON"),
        (b"[1, 2]", "not a notebook"),
        (b'{"cells": []}', "not a notebook"),
        (b'{"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": []}', "format 5"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}', "not a valid notebook"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "not a valid notebook"),
        (b"[" * 100_000, "nested too deeply|not valid JSON"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / WANTED
    path.write_bytes(content)
    with pytest.raises(Refusal, match=words):
        intake.read_notebook(path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / WANTED
    with path.open("wb") as file:
        file.truncate(intake.MOST_BYTES + 1)
    with pytest.raises(Refusal, match="Clear its outputs"):
        intake.read_notebook(path)


def test_old_formats_and_broken_outputs_are_read(tmp_path: Path) -> None:
    path = tmp_path / WANTED
    cell = {
        "cell_type": "code",
        "input": ["x = 1\n", "x"],
        "language": "python",
        "metadata": {},
        "outputs": [7],
    }
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": [cell]}]}
    path.write_text(json.dumps(old), encoding="utf-8")
    notebook = intake.read_notebook(path)
    assert (notebook.nbformat, notebook.cells[0].source, notebook.cells[0].outputs) == (4, "x = 1\nx", [])


def test_doubled_and_missing_cell_ids_are_repaired(tmp_path: Path) -> None:
    path = tmp_path / WANTED
    cell = {"cell_type": "markdown", "id": "same", "metadata": {}, "source": "text"}
    nameless = {"cell_type": "markdown", "metadata": {}, "source": "text"}
    table = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell, cell, nameless]}
    path.write_text("\ufeff" + json.dumps(table), encoding="utf-8")
    assert len({cell.id for cell in intake.read_notebook(path).cells}) == 3


def test_only_the_weeks_own_notebook_is_recognised() -> None:
    release = _notebook("double", "double-check", texts=("a long text " * 9,))
    intake.recognise(_notebook("double"), release, course=COURSE, week=WEEK)
    with pytest.raises(Refusal, match="notebook of week02"):
        intake.recognise(_notebook("other"), release, course=COURSE, week=WEEK)
    with pytest.raises(Refusal, match="lost the metadata"):
        intake.recognise(_notebook(texts=("a long text " * 9,)), release, course=COURSE, week=WEEK)
    with pytest.raises(Refusal, match="nothing to do with week01"):
        intake.recognise(_notebook(texts=("hello",)), release, course=COURSE, week=WEEK)


def test_files_beside_the_notebook_come_along_but_links_do_not(tmp_path: Path) -> None:
    folder = _folder(tmp_path, WANTED, "data/points.csv", "timestamp.txt") / "week01_x"
    (folder / "link").symlink_to("/etc/hostname")
    files, flags = companions(folder / WANTED)
    assert [file.name for file in files] == ["points.csv"]
    assert any("link" in flag for flag in flags)
    assert any("timestamp" in flag for flag in flags)
    (folder / "timestamp.txt").write_text("2026-01-31 23:59:59 UTC", encoding="utf-8")
    assert len(companions(folder / WANTED)[0]) == 2


@pytest.mark.parametrize("name", ["mmdl_course/checks/__init__.py", "random.py", "torch.py"])
def test_a_file_beside_the_notebook_cannot_replace_a_module(tmp_path: Path, name: str) -> None:
    folder = _folder(tmp_path, WANTED, name, "my_own_helper.py") / "week01_x"
    files, flags = companions(folder / WANTED)
    assert [file.name for file in files] == ["my_own_helper.py"]
    assert "replace a module" in flags[0]


def test_names_that_are_not_utf8_can_be_printed_and_stored() -> None:
    assert intake.readable("m\udcfcller") == "m\\xfcller"
    assert intake.readable("jörg") == "jörg"


def test_the_key_changes_with_the_file_and_with_the_lesson(tmp_path: Path) -> None:
    path = tmp_path / WANTED
    path.write_text("one", encoding="utf-8")
    key = intake.digest([path], "lesson", "7")
    assert key == intake.digest([path], "lesson", "7") != intake.digest([path], "lesson", "8")
    path.write_text("two", encoding="utf-8")
    assert key != intake.digest([path], "lesson", "7")


def test_no_flag_commands_a_terminal():
    assert intake.printable("a\x1b[2J\nbob: 3 of 3 – ü") == "a\\x1b[2J\\nbob: 3 of 3 – ü"
