"""Notebooks that misbehave, in real kernels: the harm stays in its cell."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from mmdl_course.grading.executor import Execution, LocalExecutor
from mmdl_course.grading.kernels.environment import kernel_environment

STUBBORN = """
import time
while True:
    try:
        time.sleep(0.01)
    except KeyboardInterrupt:
        pass
"""


def _run(tmp_path: Path, *sources: str, checks: tuple[int, ...] = (), **limits: Any) -> Execution:
    """Run cells; those at the positions `checks` are check cells."""
    cells = [new_code_cell(source) for source in sources]
    for position in checks:
        marks = {"grade": True, "solution": False, "grade_id": f"cell{position}-check", "points": 1}
        cells[position].metadata.nbgrader = marks
    metadata = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    config = Config({"SteadfastExecute": limits})
    executor = LocalExecutor(
        config=config, log=logging.getLogger("test"), environment=kernel_environment(seed=7)
    )
    return executor.execute(
        new_notebook(cells=cells, metadata=metadata), {"metadata": {"path": str(tmp_path)}}
    )


def _errors(execution: Execution) -> list[str]:
    """The name of each cell's last error, or ""."""
    names = []
    for cell in execution.notebook.cells:
        found = [output.ename for output in cell.outputs if output.output_type == "error"]
        names.append(found[-1] if found else "")
    return names


def _value(execution: Execution, position: int) -> str:
    results = [o for o in execution.notebook.cells[position].outputs if o.output_type == "execute_result"]
    return results[-1].data["text/plain"] if results else ""


def test_a_dead_kernel_is_replaced_and_later_cells_find_their_state(tmp_path: Path) -> None:
    done = _run(
        tmp_path,
        "x = 20",
        "runs = open('runs', 'a').write('check ')",
        "import os; os._exit(1)",
        "x + 1",
        "open('runs').read()",
        checks=(1,),
    )
    assert _errors(done) == ["", "", "KernelDied", "", ""]
    assert _value(done, 3) == "21"
    assert _value(done, 4) == "'check '"  # a check has its result and does not run a second time
    assert done.flags == ("kernel died in cell 3",)


def test_an_endless_loop_is_interrupted_and_the_kernel_lives_on(tmp_path: Path) -> None:
    done = _run(tmp_path, "x = 1", "while True: pass", "x", timeout=2)
    assert _errors(done) == ["", "CellTimeoutError", ""]
    assert _value(done, 2) == "1"
    assert done.flags == ("time limit: cell 2 was interrupted",)


def test_a_loop_that_refuses_to_stop_is_killed(tmp_path: Path) -> None:
    done = _run(tmp_path, "x = 1", STUBBORN, "x", timeout=1, iopub_timeout=1)
    assert _errors(done) == ["", "CellTimeoutError", ""]
    assert _value(done, 2) == "1"
    assert done.flags == ("time limit: cell 2 had to be killed",)


def test_a_flood_is_stopped_even_when_the_cell_wipes_its_outputs(tmp_path: Path) -> None:
    flood = (
        "from IPython.display import clear_output\nwhile True:\n    print('spam' * 1000)\n    clear_output()"
    )
    done = _run(tmp_path, flood, "1 + 1", checks=(0,), max_stream_characters=100_000)
    assert _errors(done) == ["TooMuchOutput", ""]
    assert len(str(done.notebook.cells[0].outputs)) < 200_000
    assert _value(done, 1) == "2"
    assert done.flags == ("output flood in cell0-check",)


def test_a_huge_value_is_an_error_and_not_a_huge_file(tmp_path: Path) -> None:
    done = _run(
        tmp_path, "class Big:\n    def __repr__(self): return 'x' * 10**6\nBig()", max_display_characters=1000
    )
    assert _errors(done) == ["TooMuchOutput"]
    assert len(str(done.notebook)) < 10_000


def test_after_the_deadline_no_cell_runs_and_each_says_so(tmp_path: Path) -> None:
    done = _run(tmp_path, "import time; time.sleep(60)", "open('ran', 'w')", "1", notebook_timeout=1.5)
    assert _errors(done) == ["CellTimeoutError", "NotRun", "NotRun"]
    assert not (tmp_path / "ran").exists()
    assert any("longer than 1.5 s" in flag for flag in done.flags)


def test_many_lost_kernels_end_the_notebook(tmp_path: Path) -> None:
    done = _run(tmp_path, *["import os; os._exit(1)"] * 3, "1", max_restarts=1)
    assert _errors(done) == ["KernelDied", "KernelDied", "NotRun", "NotRun"]


def test_a_cell_cannot_ask_to_be_skipped(tmp_path: Path) -> None:
    executor = LocalExecutor(
        config=Config(), log=logging.getLogger("test"), environment=kernel_environment(seed=7)
    )
    cell = new_code_cell("1 / 0", metadata={"tags": ["skip-execution"]})
    done = executor.execute(new_notebook(cells=[cell]), {"metadata": {"path": str(tmp_path)}})
    assert _errors(done) == ["ZeroDivisionError"]


def test_the_kernel_knows_the_seed_and_none_of_the_graders_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_TOKEN", "secret")
    done = _run(
        tmp_path,
        "import os, sys; [os.environ.get(name) for name in ('MMDL_SEED', 'MMDL_BUDGET', 'NBGRADER_EXECUTION',"
        " 'MPLBACKEND', 'OMP_NUM_THREADS', 'GRADER_TOKEN')]",
        "os.getcwd()",
    )
    assert _value(done, 0) == "['7', 'grading', 'autograde', 'agg', '1', None]"
    assert _value(done, 1) == repr(str(tmp_path))
    assert os.environ.get("MMDL_SEED") is None
