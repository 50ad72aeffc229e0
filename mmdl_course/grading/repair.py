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
        if (
            wanted.get("grade")
            and wanted.get("solution")
            and _plain(cell.source) in ("", _plain(ours.source))
        ):
            cell.source = ours.source  # an emptied text is no answer: nobody should have to read it
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
        places = _places(notebook, release)
        if name is None or position in places:
            continue
        preceding = max((other for other in places if other < position), default=None)
        following = min((other for other in places if other > position), default=None)
        before = 0 if preceding is None else places[preceding] + 1
        restored = copy.deepcopy(cell)
        if cell.metadata.nbgrader.get("solution"):
            # Directly after what preceded it, so that a definition in another cell comes later and counts.
            index = before
            flags.append(f"deleted answer: {name} was put back as it was released")
        else:
            # Directly before what followed it, so that it runs after everything the student wrote for it.
            index = before if following is None else places[following]
            restored.source = originals[name].source
            flags.append(f"deleted check: {name} was put back")
        notebook.cells.insert(index, restored)
    _fresh_ids(notebook)
    return flags


def _order(notebook: "NotebookNode", released: dict[str | None, "NotebookNode"]) -> list[str]:
    names = [grade_id(cell) for cell in notebook.cells if grade_id(cell)]
    return [] if names == list(released) else ["order: exercise cells are not in the released order"]


def _places(notebook: "NotebookNode", release: "NotebookNode") -> dict[int, int]:
    """Where released cells are now, as position in the release -> index in the notebook.

    By grade id, otherwise by the id that JupyterLab keeps, otherwise by the same text.
    """
    graded = {grade_id(cell): index for index, cell in enumerate(notebook.cells) if grade_id(cell)}
    plain = {index: cell for index, cell in enumerate(notebook.cells) if not grade_id(cell)}
    ids = {cell.get("id"): index for index, cell in plain.items()}
    places = {}
    for position, cell in enumerate(release.cells):
        index = graded.get(grade_id(cell)) if grade_id(cell) else ids.get(cell.get("id"))
        if index is not None:
            places[position] = index
            plain.pop(index, None)
    for position, cell in enumerate(release.cells):
        text = _plain(cell.source)
        if position in places or grade_id(cell) or not text:
            continue
        index = next((index for index, other in plain.items() if _plain(other.source) == text), None)
        if index is not None:
            places[position] = index
            del plain[index]
    return places


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
