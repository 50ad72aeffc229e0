"""Put a submitted notebook into the shape that nbgrader expects, without touching what the student wrote.

nbgrader overwrites check cells that were edited. What it cannot do by itself is done here: deleted cells come
back in their places, copies lose their grade id, foreign and broken metadata goes.
"""

import copy
from typing import TYPE_CHECKING, Any

from mmdl_course.grading.intake import grade_id

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["repair"]


def repair(notebook: "NotebookNode", *, source: "NotebookNode", release: "NotebookNode") -> list[str]:
    """Make every graded cell of the release appear exactly once, with the release's metadata.

    Args:
        notebook: a student's notebook of this week; changed in place.
        source: the week's notebook with solutions and hidden tests.
        release: what students got.

    Returns:
        Flags: what was repaired, in words.
    """
    released = {grade_id(cell): cell for cell in release.cells if grade_id(cell)}
    flags = _copies(notebook)
    flags += _marks(notebook, released)
    flags += _missing(notebook, source, release)
    flags += _order(notebook, released)
    for cell in notebook.cells:
        # A tag such as "skip-execution" must not decide what is run.
        cell.metadata.pop("tags", None)
    return flags


def _copies(notebook: "NotebookNode") -> list[str]:
    """Of several cells with one grade id the last counts, as in nbgrader; the others become ordinary."""
    flags, seen = [], set()
    for cell in reversed(notebook.cells):
        name = grade_id(cell)
        if name is None:
            cell.metadata.pop("nbgrader", None)
        elif name in seen:
            del cell.metadata["nbgrader"]
            flags.append(f"copied cell: {name} was there more than once; the last one counts")
        else:
            seen.add(name)
    return list(dict.fromkeys(flags))


def _marks(notebook: "NotebookNode", released: dict[str | None, "NotebookNode"]) -> list[str]:
    """Give each graded cell the release's type and metadata, and say what had been changed."""
    from nbgrader.utils import compute_checksum

    flags = []
    for cell in notebook.cells:
        name = grade_id(cell)
        if name is None:
            continue
        if name not in released:
            del cell.metadata["nbgrader"]
            flags.append(f"unknown exercise cell: {name} is not in this week")
            continue
        ours = released[name]
        theirs, wanted = cell.metadata["nbgrader"], ours.metadata["nbgrader"]
        if cell.cell_type != ours.cell_type:
            flags.append(f"cell type: {name} was {cell.cell_type}, is {ours.cell_type} again")
            _retype(cell, ours.cell_type)
        for attribute in ("grade", "solution", "points"):
            if attribute in theirs and theirs[attribute] != wanted.get(attribute):
                flags.append(f"metadata: {name} had {attribute} = {theirs[attribute]!r}")
        stamp = theirs.get("checksum")
        cell.metadata = copy.deepcopy(ours.metadata)
        if wanted.get("solution") or _plain(cell.source) == _plain(ours.source):
            continue
        if stamp and stamp != wanted.get("checksum") and stamp == compute_checksum(cell):
            flags.append(f"older release: {name} is not the current text; the current one was used")
        else:
            flags.append(f"edited check: {name} was changed; the course's own text was used")
    return flags


def _missing(notebook: "NotebookNode", source: "NotebookNode", release: "NotebookNode") -> list[str]:
    """Bring deleted graded cells back: a check with its hidden tests, a solution cell as it was released."""
    flags = []
    originals = {grade_id(cell): cell for cell in source.cells}
    for position, cell in enumerate(release.cells):
        name = grade_id(cell)
        if name is None or any(grade_id(other) == name for other in notebook.cells):
            continue
        restored = copy.deepcopy(cell)
        if cell.metadata.nbgrader.get("solution"):
            # Directly after what preceded it, so that a definition in another cell comes later and counts.
            index = _after(notebook, release.cells[:position])
            flags.append(f"deleted answer: {name} was put back as it was released")
        else:
            # Directly before what followed it, so that it runs after everything the student wrote for it.
            restored.source = originals[name].source
            index = _before(notebook, release.cells[position + 1 :])
            if index is None:
                index = _after(notebook, release.cells[:position])
            flags.append(f"deleted check: {name} was put back")
        notebook.cells.insert(index, restored)
    _fresh_ids(notebook)
    return flags


def _order(notebook: "NotebookNode", released: dict[str | None, "NotebookNode"]) -> list[str]:
    names = [grade_id(cell) for cell in notebook.cells if grade_id(cell)]
    return [] if names == list(released) else ["order: exercise cells are not in the released order"]


def _after(notebook: "NotebookNode", preceding: list["NotebookNode"]) -> int:
    for anchor in reversed(preceding):
        index = _find(notebook, anchor)
        if index is not None:
            return index + 1
    return 0


def _before(notebook: "NotebookNode", following: list["NotebookNode"]) -> int | None:
    for anchor in following:
        index = _find(notebook, anchor)
        if index is not None:
            return index
    return None


def _find(notebook: "NotebookNode", anchor: "NotebookNode") -> int | None:
    """Where a released cell is now: by grade id, or by the id that JupyterLab keeps, or by its text."""
    name = grade_id(anchor)
    for same in (_same_name, _same_id, _same_text) if name is None else (_same_name,):
        for index, cell in enumerate(notebook.cells):
            if same(cell, anchor):
                return index
    return None


def _same_name(cell: "NotebookNode", anchor: "NotebookNode") -> bool:
    return grade_id(anchor) is not None and grade_id(cell) == grade_id(anchor)


def _same_id(cell: "NotebookNode", anchor: "NotebookNode") -> bool:
    return grade_id(cell) is None and cell.get("id") == anchor.get("id")


def _same_text(cell: "NotebookNode", anchor: "NotebookNode") -> bool:
    return (
        grade_id(cell) is None
        and bool(anchor.source.strip())
        and _plain(cell.source) == _plain(anchor.source)
    )


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _retype(cell: "NotebookNode", kind: str) -> None:
    cell.cell_type = kind
    cell.pop("attachments", None)
    if kind == "code":
        cell.setdefault("outputs", [])
        cell.setdefault("execution_count", None)
    else:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def _fresh_ids(notebook: "NotebookNode") -> None:
    from nbformat.v4 import new_code_cell

    seen: set[Any] = set()
    for cell in notebook.cells:
        if cell.get("id") in seen:
            cell["id"] = new_code_cell().id
        seen.add(cell.get("id"))
