"""The score of an executed check cell: one finite number within its points, or an error. Nothing between.

nbgrader gives full marks to a check cell that shows no result, or one that is not a number. In this course
every check cell ends in `exercise.report()`, so a cell without a score did not come to its end.
"""

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["CHECKS", "append_error", "is_check", "reported", "settle"]

CHECKS = "application/vnd.mmdl.checks+json"

# Errors that an executor adds to a cell; the cell may have come to its end in spite of them.
EXECUTOR_ERRORS = frozenset({"CellTimeoutError", "KernelDied", "NotRun", "TooMuchOutput"})


def is_check(cell: "NotebookNode") -> bool:
    """Whether a cell decides points by being run."""
    marks = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(marks.get("grade")) and not marks.get("solution")


def settle(notebook: "NotebookNode") -> list[str]:
    """Leave each check cell with outputs that nbgrader's rule ("the first that matters") reads rightly.

    Args:
        notebook: an executed notebook; the outputs of its check cells are changed in place.

    Returns:
        Flags: cells where the outputs were not as a check leaves them.
    """
    flags = []
    for cell in notebook.cells:
        if is_check(cell):
            flags += _settle(cell)
    return flags


def reported(cell: "NotebookNode") -> dict[str, Any] | None:
    """What the checks said in a cell: the last report in its outputs, or None.

    Args:
        cell: an executed check cell.

    Returns:
        {"exercise", "points", "earned", "seed", "results": [{name, points, earned, state, message}]}.
    """
    found = None
    for output in cell.get("outputs", []):
        report = output.get("data", {}).get(CHECKS) if isinstance(output.get("data"), dict) else None
        if isinstance(report, str):
            try:
                report = json.loads(report)
            except ValueError:
                continue
        if isinstance(report, dict) and isinstance(report.get("results"), list):
            found = report
    return found


def append_error(cell: "NotebookNode", name: str, text: str) -> None:
    """Add an error to a cell's outputs; nbgrader counts it as no points."""
    from nbformat.v4 import new_output

    cell.outputs.append(new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"]))


def _settle(cell: "NotebookNode") -> list[str]:
    name = cell.metadata.nbgrader.get("grade_id")
    points = float(cell.metadata.nbgrader.get("points", 0))
    flags = []
    results = [output for output in cell.outputs if output.output_type == "execute_result"]
    errors = {output.ename for output in cell.outputs if output.output_type == "error"}
    if errors:
        # The error decides: a result that was shown before it must not.
        cell.outputs = [output for output in cell.outputs if output.output_type != "execute_result"]
        forged = results and not errors & EXECUTOR_ERRORS
        return [f"{name} showed a score before it failed: not counted"] if forged else []
    if len(results) > 1:
        # The cell's own value is the last; what was shown earlier came from elsewhere.
        flags.append(f"{name} showed {len(results)} scores: the last one counts")
        cell.outputs = [output for output in cell.outputs if output not in results[:-1]]
    score = _number(results[-1]) if results else None
    if score is None or not 0 <= score <= points:
        append_error(cell, "NoScore", f"the check ended without a score between 0 and {points:g}")
        cell.outputs = [output for output in cell.outputs if output.output_type != "execute_result"]
        return [*flags, f"{name} ended without a score: no points"]
    report = reported(cell)
    if report is None and score > 0:
        flags.append(f"{name}: the score {score:g} comes without a report of the checks")
    if report is not None and abs(float(report.get("earned", math.nan)) - score) > 1e-6:
        flags.append(f"{name}: the score {score:g} is not what the checks reported ({report.get('earned')})")
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            # Noise is not a wrong answer; on stderr nbgrader would take all points for it.
            output.name = "stdout"
            flags.append(f"{name}: output on stderr, not counted")
    return list(dict.fromkeys(flags))


def _number(output: "NotebookNode") -> float | None:
    text = output.get("data", {}).get("text/plain", "")
    try:
        number = float(text if isinstance(text, str) else "".join(text))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
