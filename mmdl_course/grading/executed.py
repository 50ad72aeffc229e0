"""Solved notebooks with their outputs, kept so that only what has changed is run again."""

import hashlib
import os
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import mmdl_course
from mmdl_course.course import Course, CourseError, Week
from mmdl_course.files import replace_file
from mmdl_course.grading.build import ensure_source
from mmdl_course.grading.kernels.environment import kernel_environment
from mmdl_course.grading.stamps import digest

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["execute_solved"]

_FOLDER = "build/executed"
_PATIENCE = 1800  # seconds for a cell: the longest training in full takes a few minutes on a busy machine
_SEED = 7  # of the checks' draws; the figures have their own
_LIBRARIES = ("matplotlib", "numpy", "torch")


def execute_solved(course: Course, week: Week, *, budget: Literal["grading", "full"]) -> "NotebookNode":
    """Run a week as it is solved; the last run is used again when nothing that it depends on has changed.

    Args:
        course: the registry.
        week: a ready week.
        budget: how much the training cells do.

    Returns:
        The notebook with solutions, hidden tests and outputs: not for students.

    Raises:
        CourseError: a cell fails.
    """
    import nbformat

    source = ensure_source(course, week)
    key = _key(source, budget)
    kept = course.root / _FOLDER / f"{week.folder}.{budget}.ipynb"
    if kept.is_file():
        notebook = nbformat.read(kept, as_version=4)
        if notebook.metadata.get("mmdl_key") == key:
            return notebook
    notebook = _execute(nbformat.read(source, as_version=4), week, budget)
    notebook.metadata["mmdl_key"] = key
    replace_file(kept, nbformat.writes(notebook))
    return notebook


def _execute(notebook: "NotebookNode", week: Week, budget: str) -> "NotebookNode":
    from tempfile import TemporaryDirectory

    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    environment = {**os.environ, **kernel_environment(seed=_SEED), "MMDL_BUDGET": budget}
    with TemporaryDirectory(prefix="mmdl-site-") as folder:
        client = NotebookClient(notebook, timeout=_PATIENCE, resources={"metadata": {"path": folder}})
        try:
            return client.execute(env=environment, stderr=subprocess.DEVNULL)  # the kernel's own words
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise CourseError(
                f"{week.folder}: the solved lesson does not run: {error}\n"
                f"Mend solutions/{week.folder}/{week.folder}.py."
            ) from None


def _key(source: Path, budget: str) -> str:
    """SHA-256 of the lesson, of the code that lessons import and of the libraries that draw and compute."""
    package = Path(mmdl_course.__file__).parent
    files = sorted(path for path in package.rglob("*.py") if "grading" not in path.relative_to(package).parts)
    parts = [
        budget,
        digest(source),
        *(f"{path.relative_to(package)} {digest(path)}" for path in files),
        *(f"{name} {version(name)}" for name in _LIBRARIES),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
