"""Running cells in warm kernels, for the tests of mmdl_course.grading.kernels."""

import logging
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from mmdl_course.grading.executor import Execution, Executor, LocalExecutor
from mmdl_course.grading.kernels.box import LEVELS, Limits
from mmdl_course.grading.kernels.environment import kernel_environment
from mmdl_course.grading.kernels.sandbox import support
from mmdl_course.grading.kernels.warm_executor import WarmExecutor

KERNEL = ("ipykernel.zmqshell", "ipykernel.kernelapp", "ipykernel.debugger")  # what starts fast
MIB = 1 << 20
SMALL = Limits(memory=1536 * MIB, disk=32 * MIB, processes=40)

linux = pytest.mark.skipif(sys.platform != "linux", reason="warm kernels need Linux")
# Empty where a level is not allowed, so that tests are skipped and say so.
held = LEVELS[LEVELS.index(support().level) :]
full = pytest.mark.skipif("full" not in held, reason=support().explain() or "-")


def warm(
    level: str, *, modules: tuple[str, ...] = KERNEL, limits: Limits = SMALL, **times: Any
) -> WarmExecutor:
    """An executor; `times` are SteadfastExecute's limits."""
    if level not in held:
        pytest.skip(support().explain())
    config = Config({"SteadfastExecute": {"timeout": 30, **times}})
    environment = kernel_environment(seed=7)
    log = logging.getLogger("test")
    return WarmExecutor(config, log, environment, sandbox=level, limits=limits, modules=modules)  # type: ignore[arg-type]


def cold() -> LocalExecutor:
    config = Config({"SteadfastExecute": {"timeout": 60}})
    return LocalExecutor(config, logging.getLogger("test"), kernel_environment(seed=7))


def run(executor: Executor, folder: Path, *sources: str) -> Execution:
    """Execute cells with `folder` as working folder."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources], metadata=metadata)
    return executor.execute(notebook, {"metadata": {"path": str(folder)}})


def errors(execution: Execution) -> list[str]:
    """The name of each cell's last error, or ""."""
    found = [[o.ename for o in cell.outputs if o.output_type == "error"] for cell in execution.notebook.cells]
    return [names[-1] if names else "" for names in found]


def value(execution: Execution, position: int = -1) -> Any:
    """What a cell's last expression was, if it is a Python literal."""
    import ast

    cell = execution.notebook.cells[position]
    results = [o.data["text/plain"] for o in cell.outputs if o.output_type == "execute_result"]
    assert results, cell.outputs
    return ast.literal_eval(results[-1])


def processes(marker: str) -> list[int]:
    """Those on this machine with `marker` in their command line, which is what `mark` puts there."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if marker.encode() in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
    return found


def family(pid: int) -> set[int]:
    """A process's descendants."""
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found |= {int(child)} | family(int(child))
    return found
