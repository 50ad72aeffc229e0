"""What was handed in: find the notebook of a student, read it, or say why there is nothing to grade.

The files in submitted/ are read and never written.
"""

import hashlib
import json
import subprocess
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.grading import strip_outputs
from mmdl_course.grading.strip_outputs import without_outputs

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = [
    "HandedIn",
    "Refusal",
    "digest",
    "find_notebook",
    "find_students",
    "grade_id",
    "printable",
    "read_notebook",
    "readable",
    "recognise",
]

MOST_BYTES = 300_000_000  # outputs included
LARGE_BYTES = 10_000_000  # from here on outputs are dropped before the file is read
JUNK = {".ipynb_checkpoints", "__MACOSX", "__pycache__"}


class Refusal(Exception):  # noqa: N818  (an answer to a submission, not a fault of the program)
    """There is nothing here that can be graded. The message says why and what to do."""


@dataclass(frozen=True)
class HandedIn:
    """The notebook file that counts."""

    path: Path
    flags: tuple[str, ...] = ()


def find_students(course: Course) -> list[Path]:
    """Everybody's folder in submitted/.

    Args:
        course: the registry.

    Returns:
        The folders, sorted by name; the name is the student's id.

    Raises:
        CourseError: there is no submitted/, or nobody in it.
    """
    submitted = course.root / "submitted"
    layout = "Put each student's work at submitted/<student>/<week folder>/<week folder>.ipynb."
    if not submitted.is_dir():
        raise CourseError(f"{submitted} is missing: there is nothing to grade. {layout}")
    # A link is listed, too: who handed it in reads why it does not count.
    found = [path for path in submitted.iterdir() if path.is_dir() or path.is_symlink()]
    students = sorted(path for path in found if not path.name.startswith("."))
    students = [path for path in students if path.name not in JUNK]
    if not students:
        raise CourseError(f"{submitted} holds no student's folder: there is nothing to grade. {layout}")
    return students


def find_notebook(student: Path, week: Week) -> HandedIn:
    """The notebook that a student handed in for a week.

    The right name in the right place comes first. Otherwise the only notebook in the week's folder counts,
    whatever its name ("week01 (1).ipynb", "Kopie von …"), and so does one in a folder too deep.

    Args:
        student: the student's folder in submitted/.
        week: the week.

    Returns:
        The file, flagged when its name or place is not the agreed one.

    Raises:
        Refusal: no notebook, or several and none has the right name.
    """
    folder = _no_link(student) / week.folder
    wanted = f"{week.folder}.ipynb"
    if not _no_link(folder).is_dir():
        there = _names(path for path in student.iterdir() if path.name not in JUNK)
        found = f" The student's folder holds {there}." if there else " The student's folder is empty."
        raise Refusal(f"Nothing handed in: there is no folder {week.folder}.{found} Expected {wanted} in it.")
    next(folder.iterdir(), None)  # a folder that may not be read is not an empty one
    notebooks = _notebooks(folder)
    beside = [path for path in notebooks if path.parent == folder]
    exact = folder / wanted
    if exact in beside:
        others = [path for path in notebooks if path != exact]
        flags = (f"other notebooks were ignored: {_names(others)}",) if others else ()
        return HandedIn(_no_link(exact), flags)
    candidates = beside or notebooks
    if len(candidates) == 1:
        name = candidates[0].relative_to(folder)
        return HandedIn(_no_link(candidates[0]), (f"file name: '{name}' was graded as {wanted}",))
    if candidates:
        raise Refusal(
            f"Several notebooks and none is called {wanted}: {_names(candidates)}. "
            "Rename the one that counts, then grade again."
        )
    there = _names(path for path in folder.rglob("*") if path.is_file() and not JUNK & set(path.parts))
    if not there:
        raise Refusal(f"The folder {week.folder} is empty. Ask the student to hand in {wanted}.")
    raise Refusal(f"No notebook: the folder holds {there}. Ask the student to hand in {wanted}.")


def read_notebook(path: Path) -> "NotebookNode":
    """Read a file that may be anything.

    Args:
        path: the file that was handed in.

    Returns:
        A valid notebook of format 4.5 without outputs.

    Raises:
        Refusal: too large, not JSON, not a notebook, or of a format that nobody can read yet.
    """
    import nbformat
    from nbformat.validator import normalize

    size = path.stat().st_size
    if size > MOST_BYTES:
        raise Refusal(
            f"{path.name} has {size / 1e6:.0f} MB; {MOST_BYTES / 1e6:.0f} MB are allowed. Clear its outputs "
            "(Edit → Clear Outputs of All Cells) and hand it in again."
        )
    if size == 0:
        raise Refusal(f"{path.name} is an empty file. Save the notebook and hand it in again.")
    again = "Open the notebook in JupyterLab, save it and hand it in again."
    try:
        content = path.read_bytes() if size <= LARGE_BYTES else _stripped(path)
        table = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refusal(f"{path.name} is not text (UTF-8), so it is not a notebook. {again}") from None
    except RecursionError:
        raise Refusal(f"{path.name} is not a notebook: it is nested too deeply. {again}") from None
    except ValueError as error:
        raise Refusal(f"{path.name} is not valid JSON ({error}). {again}") from None
    if not isinstance(table, dict) or not isinstance(table.get("nbformat"), int):
        raise Refusal(f"{path.name} is JSON but not a notebook: it has no 'nbformat'. {again}")
    if table["nbformat"] > 4:
        raise Refusal(
            f"{path.name} has notebook format {table['nbformat']}; formats up to 4 can be read. {again}"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # missing and doubled cell ids, which are repaired here
            text = json.dumps(without_outputs(table), ensure_ascii=False)
            # Half of a character (a lone surrogate) is valid in JSON and can be written nowhere.
            text = text.encode("utf-8", "replace").decode("utf-8")
            notebook = nbformat.reads(text, as_version=4)
            _, notebook = normalize(notebook, relax_add_props=True, strip_invalid_metadata=True)
            nbformat.validate(notebook, relax_add_props=True)
    except Exception as error:  # noqa: BLE001  (malformed notebooks make nbformat raise anything)
        text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Refusal(f"{path.name} is JSON but not a valid notebook ({text[:200]}). {again}") from None
    return notebook


def recognise(notebook: "NotebookNode", release: "NotebookNode", *, course: Course, week: Week) -> None:
    """Make sure that this is the week's notebook, with the marks that tell which cell is which exercise.

    Args:
        notebook: what was handed in.
        release: the week's released notebook.
        course: the registry, to name the week that it belongs to instead.
        week: the week to be graded.

    Raises:
        Refusal: another week's notebook, another notebook altogether, or one whose cell metadata is gone.
    """
    known = {grade_id(cell) for cell in release.cells} - {None}
    found = {grade_id(cell) for cell in notebook.cells} - {None}
    if found & known:
        return
    for other in course.weeks:
        if other != week and found & {exercise.id for exercise in other.exercises}:
            raise Refusal(f"This is the notebook of {other.id}, not of {week.id}. Ask for the right one.")
    if _alike(notebook, release):
        raise Refusal(
            "The cells have lost the metadata that tells which is which exercise; converting or re-creating "
            f"a notebook in another program does that. Take a fresh {week.folder}.ipynb from the course, "
            "paste the answers into it, and hand that in."
        )
    raise Refusal(f"This notebook has nothing to do with {week.id}: none of its exercises is in it.")


def digest(paths: Sequence[Path], *parts: str) -> str:
    """A key that changes when one of the files or one of the parts does.

    Args:
        paths: files.
        *parts: other things that the mark depends on.

    Returns:
        Hexadecimal SHA-256.
    """
    total = hashlib.sha256("\0".join(parts).encode())
    for path in paths:
        total.update(b"\0" + path.name.encode("utf-8", "surrogateescape") + b"\0")
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def readable(text: str) -> str:
    """Text that can be stored, whatever a file or a student's function is called."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """Text that can be printed, too: control characters would command the terminal in which it is read."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in readable(text))


def grade_id(cell: "NotebookNode") -> str | None:
    """The name that nbgrader has for a cell, or None for an ordinary cell or broken metadata."""
    marks: Any = cell.metadata.get("nbgrader")
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    return name if isinstance(name, str) and name else None


def _notebooks(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.suffix.lower() == ".ipynb" and path.is_file()]
    return sorted(
        path
        for path in found
        if not JUNK & set(path.parts) and not path.name.startswith(".") and path.relative_to(folder).parts
    )


def _no_link(path: Path) -> Path:
    if path.is_symlink():
        raise Refusal(
            f"{path.name} is a link, not a file or folder. Ask the student to hand in the notebook itself."
        )
    return path


def _names(paths: Any, most: int = 5) -> str:
    names = sorted(path.name for path in paths)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _stripped(path: Path) -> bytes:
    """The content of a large notebook without its outputs."""
    command = [sys.executable, "-I", strip_outputs.__file__, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode or len(done.stdout) > LARGE_BYTES:
        raise Refusal(
            f"{path.name} has {path.stat().st_size / 1e6:.0f} MB, and its outputs could not be dropped. "
            "Clear its outputs (Edit → Clear Outputs of All Cells) and hand it in again."
        )
    return done.stdout


def _alike(notebook: "NotebookNode", release: "NotebookNode") -> bool:
    ours = {cell.source.strip() for cell in release.cells if len(cell.source) > 40}
    theirs = {cell.source.strip() for cell in notebook.cells}
    return len(ours & theirs) * 4 >= len(ours)
