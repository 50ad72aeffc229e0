"""A submitted notebook gets its graded cells back, each once, in its place, with the release's metadata."""

import copy
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.utils import compute_checksum

from mmdl_course.grading.intake import grade_id
from mmdl_course.grading.repair import repair

HIDDEN = "### BEGIN HIDDEN TESTS\nsecret\n### END HIDDEN TESTS\n"
IDS = ["a", "a-check", "b", "b-check"]


def _graded(name: str, source: str) -> Any:
    check = name.endswith("-check")
    marks = {"grade": check, "solution": not check, "locked": check, "task": False, "schema_version": 3}
    marks |= {"grade_id": name, "cell_type": "code"} | ({"points": 3} if check else {})
    cell = new_code_cell(source, id=name, metadata={"nbgrader": marks})
    cell.metadata.nbgrader.checksum = compute_checksum(cell)
    return cell


def _lesson(*, hidden: str) -> Any:
    cells = [new_code_cell("import math", id="setup")]
    for name in ("a", "b"):
        cells += [
            new_markdown_cell(f"task {name}", id=f"task-{name}"),
            _graded(name, f"def {name}(): raise NotImplementedError"),
            _graded(f"{name}-check", f"check({name})\n{hidden}report()"),
            new_markdown_cell("hint", id=f"hint-{name}"),
        ]
    return new_notebook(cells=cells)


RELEASE, SOURCE = _lesson(hidden=""), _lesson(hidden=HIDDEN)


@pytest.fixture
def notebook() -> Any:
    made = copy.deepcopy(RELEASE)
    _cell(made, "a").source = "def a(): return 1"
    return made


def _cell(notebook: Any, name: str) -> Any:
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


def _repair(notebook: Any) -> list[str]:
    flags = repair(notebook, source=SOURCE, release=RELEASE)
    assert [grade_id(cell) for cell in notebook.cells if grade_id(cell)] == IDS or "order" in str(flags)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    return flags


def test_an_honest_notebook_stays_as_it_is(notebook: Any) -> None:
    before = copy.deepcopy(notebook)
    assert _repair(notebook) == []
    assert notebook == before


@pytest.mark.parametrize("name", IDS)
def test_a_deleted_cell_comes_back_in_its_place(notebook: Any, name: str) -> None:
    order = [cell.id for cell in notebook.cells]
    notebook.cells.remove(_cell(notebook, name))
    flags = _repair(notebook)
    assert len(flags) == 1
    assert name in flags[0]
    assert [cell.id for cell in notebook.cells] == order
    assert ("secret" in _cell(notebook, name).source) == name.endswith("-check")


@pytest.mark.parametrize("first", range(1, 9))
@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_whatever_stretch_is_deleted_the_exercises_are_whole_again(
    notebook: Any, first: int, count: int
) -> None:
    del notebook.cells[first : first + count]
    if any(grade_id(cell) for cell in notebook.cells):
        _repair(notebook)


def test_places_are_found_without_cell_ids_too(notebook: Any) -> None:
    for number, cell in enumerate(notebook.cells):
        cell.id = f"new{number}"
    texts = [cell.source for cell in notebook.cells]
    notebook.cells.remove(_cell(notebook, "b"))
    notebook.cells.remove(_cell(notebook, "a-check"))
    _repair(notebook)
    assert [cell.source.replace(HIDDEN, "") for cell in notebook.cells] == texts


def test_an_answer_moved_to_an_own_cell_still_counts(notebook: Any) -> None:
    place = notebook.cells.index(_cell(notebook, "a"))
    notebook.cells[place] = new_code_cell("def a(): return 1")
    _repair(notebook)
    sources = [cell.source for cell in notebook.cells]
    assert sources.index("def a(): return 1") > sources.index("def a(): raise NotImplementedError")
    assert sources.index("def a(): return 1") < notebook.cells.index(_cell(notebook, "a-check"))


def test_a_restored_check_runs_after_everything_written_for_it(notebook: Any) -> None:
    notebook.cells.insert(
        notebook.cells.index(_cell(notebook, "a-check")), new_code_cell("own = 1", id="own")
    )
    notebook.cells.remove(_cell(notebook, "a-check"))
    _repair(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert ids.index("own") + 1 == ids.index("a-check")


def test_of_copies_the_last_is_graded(notebook: Any) -> None:
    double = copy.deepcopy(_cell(notebook, "a"))
    double.source = "def a(): return 2"
    notebook.cells.insert(notebook.cells.index(_cell(notebook, "a")) + 1, double)
    flags = _repair(notebook)
    assert flags == ["copied cell: a was there more than once; the last one counts"]
    assert _cell(notebook, "a").source == "def a(): return 2"
    assert sum("nbgrader" in cell.metadata for cell in notebook.cells) == 4


def test_a_changed_cell_type_is_changed_back(notebook: Any) -> None:
    _cell(notebook, "a").cell_type = "markdown"
    assert "cell type" in _repair(notebook)[0]
    assert _cell(notebook, "a").cell_type == "code"
    assert _cell(notebook, "a").outputs == []


def test_metadata_comes_from_the_release(notebook: Any) -> None:
    check = _cell(notebook, "b-check")
    check.metadata.nbgrader.points = 100
    check.metadata.tags = ["skip-execution"]
    _cell(notebook, "a").metadata.nbgrader = {"grade_id": "a", "schema_version": 1, "solution": True}
    flags = _repair(notebook)
    assert flags == ["metadata: b-check had points = 100"]
    assert check.metadata == _cell(RELEASE, "b-check").metadata


def test_an_edited_check_is_told_from_an_older_release(notebook: Any) -> None:
    check = _cell(notebook, "a-check")
    check.source = "3.0"
    assert _repair(copy.deepcopy(notebook)) == [
        "edited check: a-check was changed; the course's own text was used"
    ]
    check.metadata.nbgrader.checksum = compute_checksum(check)
    assert "older release" in _repair(notebook)[0]


def test_foreign_and_broken_marks_go(notebook: Any) -> None:
    notebook.cells[0].metadata.nbgrader = "nonsense"
    stranger = _graded("z", "z = 1")
    notebook.cells.append(stranger)
    assert _repair(notebook) == ["unknown exercise cell: z is not in this week"]
    assert "nbgrader" not in notebook.cells[0].metadata
    assert "nbgrader" not in stranger.metadata


def test_another_order_is_flagged(notebook: Any) -> None:
    notebook.cells.append(notebook.cells.pop(notebook.cells.index(_cell(notebook, "a"))))
    assert _repair(notebook) == ["order: exercise cells are not in the released order"]
