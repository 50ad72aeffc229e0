"""Who may import whom, read off the source; and what a bare `import mmdl_course` costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mmdl_course

PACKAGE = Path(mmdl_course.__file__).parent
TEACHING = {"data", "architectures", "training", "pipelines", "viz"}

# room: rooms that it must not import
FORBIDDEN = {
    "data": {"architectures", "training", "pipelines", "viz", "checks", "grading"},
    "architectures": {"data", "training", "pipelines", "viz", "checks", "grading"},
    "training": {"data", "architectures", "pipelines", "viz", "checks", "grading"},
    "pipelines": {"viz", "checks", "grading"},
    "viz": {"data", "architectures", "training", "pipelines", "checks", "grading"},
    "checks": TEACHING | {"grading"},
    "grading": TEACHING,
}

# imported where they are used, not at the top of a module, so that a room opens quickly
HEAVY = {"umap", "transformers", "sklearn", "distributed"}


def imports(path, *, top_level=False):
    """Full names of the modules that a file imports, wherever in the file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ["mmdl_course", *path.relative_to(PACKAGE).parts[:-1]]
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def rooms_imported(path):
    return {name.split(".")[1] for name in imports(path) if name.startswith("mmdl_course.")}


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_imports_only_what_it_may(room):
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert files
    broken = {
        str(path.relative_to(PACKAGE)): sorted(rooms_imported(path) & FORBIDDEN[room])
        for path in files
        if rooms_imported(path) & FORBIDDEN[room]
    }
    assert broken == {}


def test_the_rule_sees_every_kind_of_import(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    path = tmp_path / "viz" / "x.py"
    path.parent.mkdir()
    for line in (
        "import mmdl_course.grading.build",
        "from mmdl_course.grading import build",
        "from mmdl_course import grading",
        "from .. import grading",
        "from ..grading.build import stage",
        "def f():\n    from mmdl_course.grading.build import stage",
    ):
        path.write_text(line)
        assert rooms_imported(path) == {"grading"}


def test_no_teaching_room_is_left_out():
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == set(FORBIDDEN)


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_heavy_libraries_load_where_they_are_used(path):
    loaded = {name.split(".")[0] for name in imports(path, top_level=True)}
    assert not loaded & HEAVY


def test_importing_the_package_and_the_command_is_cheap():
    code = "import sys, mmdl_course, mmdl_course.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"torch", "numpy", "matplotlib", "nbgrader", "nbformat", "IPython", *HEAVY}
