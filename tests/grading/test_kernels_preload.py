"""What a fork server imports for a lesson, and when it is waited for."""

import subprocess
import sys
from pathlib import Path

import pytest
from kernel_cells import linux

from mmdl_course.course import CourseError
from mmdl_course.grading.kernels.fork_server import ForkServer
from mmdl_course.grading.kernels.preload import PRELOAD, modules_for

ROOT = Path(__file__).resolve().parents[2]


def _modules(folder: Path, text: str) -> tuple[str, ...]:
    lesson = folder / "lesson.py"
    lesson.write_text(text, encoding="utf-8")
    return modules_for(lesson)


def test_only_what_the_lesson_imports_is_imported_and_the_kernel_always(tmp_path: Path) -> None:
    found = _modules(tmp_path, "# %% [markdown]\n# import torch\n# %%\nfrom sklearn.manifold import TSNE\n")
    assert {"ipykernel.kernelapp", "sklearn.manifold", "sklearn.decomposition"} <= set(found)
    assert not {"torch", "peft", "matplotlib.pyplot", "mmdl_course.checks"} & set(found)


def test_an_import_within_a_function_counts(tmp_path: Path) -> None:
    assert "peft" in _modules(tmp_path, "def late():\n    import peft\n")


def test_what_the_courses_own_modules_import_counts_also_within_their_functions(tmp_path: Path) -> None:
    found = _modules(tmp_path, "from mmdl_course.data import graphs\n")
    # graphs.py imports networkx within functions; importing it imports mmdl_course.data.
    assert {"networkx", "mmdl_course.data"} <= set(found)
    assert "peft" not in found


def test_a_name_that_is_no_module_is_harmless(tmp_path: Path) -> None:
    found = _modules(tmp_path, "from mmdl_course.checks import Exercise\nimport no_such_thing.at_all\n")
    assert "mmdl_course.checks" in found


def test_the_order_is_that_of_the_list(tmp_path: Path) -> None:
    found = _modules(tmp_path, "import torch, numpy\nfrom tqdm.auto import tqdm\n")
    assert list(found) == [name for name in PRELOAD if name in found]


@pytest.mark.parametrize("text", ["def broken(:\n", "\0"])
def test_a_lesson_that_cannot_be_read_has_everything(text: str, tmp_path: Path) -> None:
    assert _modules(tmp_path, text) == PRELOAD
    assert modules_for(tmp_path / "nowhere.py") == PRELOAD


@pytest.mark.parametrize("lesson", sorted(ROOT.glob("solutions/week*/week*.py")), ids=lambda path: path.stem)
def test_each_lesson_has_what_it_needs(lesson: Path) -> None:
    assert {"torch", "mmdl_course.checks", "matplotlib.pyplot"} <= set(modules_for(lesson))


def test_choosing_imports_none_of_it() -> None:
    script = (
        "import sys; from pathlib import Path; from mmdl_course.grading.kernels.preload import modules_for\n"
        f"modules_for(Path({str(next(ROOT.glob('solutions/week*/week*.py')))!r}))\n"
        "import mmdl_course.grading.kernels.fork_server, mmdl_course.grading.kernels.environment\n"
        "print(sorted({'torch', 'nbgrader', 'nbclient', 'numpy', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@linux
def test_a_server_that_has_begun_is_waited_for_once() -> None:
    server = ForkServer({}, modules=[])
    try:
        server.begin()
        first = server.pid
        server.begin()
        server.start()
        server.start()
        assert first is not None
        assert server.pid == first
    finally:
        server.close()
    assert server.pid is None


@linux
def test_a_server_that_begins_in_vain_says_why_when_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    server = ForkServer({}, modules=[])
    server.begin()
    with pytest.raises(CourseError, match="cannot start"):
        server.start()
    assert server.pid is None
