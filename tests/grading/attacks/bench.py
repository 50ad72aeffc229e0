"""Run one hostile submission of the tiny course through the kernel and the rules that make its mark."""

import atexit
import copy
import functools
import logging
from dataclasses import dataclass
from pathlib import Path

from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade
from tiny_course import LESSON
from traitlets.config import Config

from mmdl_course.grading.executor import Executor, LocalExecutor
from mmdl_course.grading.kernels.environment import kernel_environment
from mmdl_course.grading.kernels.sandbox import support
from mmdl_course.grading.kernels.warm_executor import WarmExecutor
from mmdl_course.grading.scores import settle

REPOSITORY = Path(__file__).resolve().parents[3]
_START = LESSON.index('exercise = Exercise("double", points=3)')
_AHEAD = ("ipykernel.zmqshell", "ipykernel.kernelapp", "ipykernel.debugger", "mmdl_course.checks", "torch")
CHECK = LESSON[_START : LESSON.index("exercise.report()") + len("exercise.report()")]


@dataclass(frozen=True)
class Outcome:
    """What became of a submission."""

    marks: tuple[float, ...]  # of each check cell
    flags: tuple[str, ...]
    text: str  # all outputs, as text


def run(
    *sources: str,
    folder: Path,
    checks: int = 1,
    check: str = CHECK,
    timeout: int = 20,
) -> Outcome:
    """Grade a notebook: the given cells, each followed by nothing; then the check cell, `checks` times.

    Args:
        sources: the student's cells; "CHECK" stands for a check cell among them.
        folder: the kernel's working folder.
        checks: check cells after them.
        check: the check cell.
        timeout: seconds for a cell.

    Returns:
        Marks, flags and outputs.
    """
    cells = [new_code_cell("from mmdl_course.checks import Exercise")]
    count = 0
    for source in [*sources, *["CHECK"] * checks]:
        cell = new_code_cell(check if source == "CHECK" else source)
        if source == "CHECK":
            count += 1
            marks = {
                "grade": True,
                "solution": False,
                "locked": True,
                "grade_id": f"double-{count}",
                "points": 3,
            }
            cell.metadata.nbgrader = marks
        cells.append(cell)
    kernelspec = {"name": "python3", "display_name": "", "language": "python"}
    limits = {"timeout": timeout, "iopub_timeout": 1, "max_stream_characters": 100_000}
    executor = _executor(Config({"SteadfastExecute": limits}))
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernelspec})
    done = executor.execute(notebook, {"metadata": {"path": str(folder)}})
    flags = [*done.flags, *settle(done.notebook)]
    scored = [cell for cell in done.notebook.cells if cell.metadata.get("nbgrader")]
    marks = tuple(float(determine_grade(cell)[0] or 0) for cell in scored)
    text = "\n".join(str(output) for cell in done.notebook.cells for output in cell.get("outputs", []))
    return Outcome(marks, tuple(flags), text)


def _executor(config: Config) -> Executor:
    """What grades where the tests run: warm kernels in the full sandbox, or else a new kernel each time."""
    if support().level != "full":
        return LocalExecutor(config, logging.getLogger("attacks"), _environment())
    executor = copy.copy(_warm())
    executor.config = config
    return executor


@functools.cache
def _warm() -> WarmExecutor:
    executor = WarmExecutor(Config(), logging.getLogger("attacks"), _environment(), modules=_AHEAD)
    executor.__enter__()
    atexit.register(executor.__exit__)
    return executor


def _environment() -> dict[str, str]:
    return {**kernel_environment(seed=7), "PYTHONPATH": str(REPOSITORY)}
