"""Stock `nbgrader autograde` in warm kernels: a kernelspec in a JUPYTER_PATH is all it takes."""

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import nbformat
import pytest
from jupyter_client.provisioning import KernelProvisionerFactory
from kernel_cells import KERNEL, held, linux
from nbformat.v4 import new_code_cell, new_notebook

import mmdl_course
from mmdl_course.grading.kernels import provisioner

pytestmark = linux

PACKAGE = Path(mmdl_course.__file__).parent


def test_the_shipped_kernelspec_names_the_provisioner() -> None:
    spec = json.loads((PACKAGE / "grading/kernels/jupyter/kernels/python3/kernel.json").read_text())
    assert spec["metadata"]["kernel_provisioner"]["provisioner_name"] == provisioner.NAME


@pytest.mark.slow
def test_stock_nbgrader_grades_in_warm_kernels(tmp_path: Path) -> None:
    _write_course(tmp_path)
    specs = _kernelspec(tmp_path)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), str(_entry_point(tmp_path))]),
        "JUPYTER_PATH": str(specs),
        "JUPYTER_CONFIG_DIR": str(tmp_path),
        "OMP_NUM_THREADS": "1",
    }

    def nbgrader(*arguments: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    nbgrader("generate_assignment", "ps1", "--create", "--force")
    released = nbformat.read(tmp_path / "release/ps1/p.ipynb", as_version=4)
    released.cells[0].source = "import os, sys\nanswer = 42"
    for student in ("ada", "bob"):
        (tmp_path / f"submitted/{student}/ps1").mkdir(parents=True)
        nbformat.write(released, tmp_path / f"submitted/{student}/ps1/p.ipynb")
    nbgrader("autograde", "ps1", "--create")
    for student in ("ada", "bob"):
        graded = nbformat.read(tmp_path / f"autograded/{student}/ps1/p.ipynb", as_version=4)
        assert [o.output_type for o in graded.cells[1].outputs] == []  # the test passed
        (shown,) = graded.cells[2].outputs
        warm, folder = eval(shown.data["text/plain"])
        assert warm
        if held[0] == "full":
            assert folder == "/sandbox/work"


def _write_course(folder: Path) -> None:
    def marked(cell: nbformat.NotebookNode, **marks: object) -> nbformat.NotebookNode:
        base = {"schema_version": 3, "locked": False, "solution": False, "grade": False, "task": False}
        cell.metadata.nbgrader = {**base, **marks}
        return cell

    cells = [
        marked(
            new_code_cell("### BEGIN SOLUTION\nanswer = 42\n### END SOLUTION"),
            grade_id="answer",
            solution=True,
        ),
        marked(new_code_cell("assert answer == 42"), grade_id="check", grade=True, points=2, locked=True),
        new_code_cell("('mmdl_course.grading.kernels.kernel' in sys.modules, os.getcwd())"),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    source = folder / "source/ps1/p.ipynb"
    source.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells, metadata=metadata), source)
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.root = {str(folder)!r}\n"
    )


def _kernelspec(folder: Path) -> Path:
    """The shipped one, with fewer modules, so that the test is fast."""
    shipped = PACKAGE / "grading/kernels/jupyter/kernels/python3/kernel.json"
    spec = json.loads(shipped.read_text())
    spec["metadata"]["kernel_provisioner"]["config"] = {"preload": list(KERNEL)}
    target = folder / "specs/kernels/python3/kernel.json"
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps(spec))
    return folder / "specs"


def _entry_point(folder: Path) -> Path:
    """What installing the package writes, for an environment where it was installed before there was one."""
    group = KernelProvisionerFactory.GROUP_NAME
    if not entry_points(group=group, name=provisioner.NAME):
        information = folder / "site/mmdl_warm_for_tests-1.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: mmdl-warm-for-tests\nVersion: 1\n"
        )
        line = f"{provisioner.NAME} = {provisioner.__name__}:WarmProvisioner"
        (information / "entry_points.txt").write_text(f"[{group}]\n{line}\n")
    return folder / "site"
