"""Chromium, and JupyterLab on courses of its own, for the tests in this room.

Screenshots go to build/browser/: at the steps that a test names, and of what was there when one failed.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from running_lab import TOKEN, apart, running_lab

from mmdl_course.course import find_root, load_course
from mmdl_course.grading.build import stage

if TYPE_CHECKING:  # Playwright need not be installed
    from lab import Lab
    from playwright.sync_api import Browser, Page

ROOT = find_root()
SHOTS = ROOT / "build" / "browser"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WINDOW = {"width": 1400, "height": 1000}  # pixels
SECONDS = 1000  # milliseconds, which Playwright counts in
PATIENCE = 60 * SECONDS  # for a click or a look on a busy machine; nothing waits longer than it must


def chromium() -> str | None:
    """The browser: MMDL_CHROMIUM, or the first that is installed under one of the usual names."""
    chosen = os.environ.get("MMDL_CHROMIUM")
    return chosen or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where the browser is; where there is none, whoever asks is skipped, and says why."""
    pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install -e '.[browser]'")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium: apt install chromium, or put the path of one into MMDL_CHROMIUM")
    return path


# Not for the whole session: as long as it is there, an event loop runs in the main thread, and the tests of
# other rooms have loops of their own.
@pytest.fixture(scope="module")
def browser(chromium_path: str) -> "Iterator[Browser]":
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium_path)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: "Browser", request: pytest.FixtureRequest) -> "Iterator[Page]":
    """A fresh tab. At the end: it has asked this machine only, and no script on it has crashed."""
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE)
    context = browser.new_context(viewport=WINDOW)
    context.set_default_timeout(PATIENCE)
    abroad: list[str] = []
    crashes: list[str] = []
    context.on("request", lambda asked: _is_here(asked.url) or abroad.append(asked.url))
    context.on("weberror", lambda crash: crashes.append(str(crash.error)))
    tab = context.new_page()
    yield tab
    if getattr(request.node, "failed", False):
        _shoot(tab, request.node.name, "failed")
    context.close()
    assert not abroad, "the page asked other machines"
    assert not crashes, "a script on the page crashed"


@pytest.fixture
def shoot(page: "Page", request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Take a screenshot of the tab, under a name."""
    return lambda name: _shoot(page, request.node.name, name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Let the `page` fixture know whether its test has failed."""
    report = yield
    item.failed = getattr(item, "failed", False) or report.failed
    return report


def _shoot(page: "Page", test: str, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{re.sub(r'[^A-Za-z0-9]+', '_', test)}-{name}.png")


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob", "file", "about") or parts.hostname in ("127.0.0.1", "localhost")


# the courses ----------------------------------------------------------------------------------------------


def _environment(home: Path) -> dict[str, str]:
    # Caches are shared: fonts and compiled code are the same for everybody, and take long to make.
    caches = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    return {**apart(home), "XDG_CACHE_HOME": caches, "MMDL_BUDGET": "grading", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def course_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's course: `student` puts the notebooks in, `solved` the solved ones that a test asks for."""
    root = tmp_path_factory.mktemp("student")
    for name in ("jupyter_config.py", "nbgrader_config.py", "syllabus.toml", "README.md"):
        shutil.copyfile(ROOT / name, root / name)
    (root / "notebooks").mkdir()  # the home page is written into it when the server starts
    return root


@pytest.fixture(scope="session")
def student_server(
    chromium_path: str,  # noqa: ARG001  (where there is none, no server starts)
    course_copy: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """JupyterLab on the student's course."""
    with running_lab(course_copy, _environment(tmp_path_factory.mktemp("home"))) as address:
        yield address


@pytest.fixture
def student(page: "Page", course_copy: Path, student_server: str) -> "Iterator[Lab]":
    """A student's tab, with the notebooks as they are released."""
    from lab import Lab

    unwanted = shutil.ignore_patterns(".ipynb_checkpoints")
    shutil.copytree(ROOT / "notebooks", course_copy / "notebooks", ignore=unwanted, dirs_exist_ok=True)
    lab = Lab(page, student_server, course_copy, TOKEN)
    yield lab
    lab.stop_kernels()


@pytest.fixture(scope="session")
def solved(course_copy: Path) -> Callable[[str], str]:
    """The path of a week's solved notebook, made from its lesson on the first call."""
    course = load_course(ROOT)

    def make(folder: str) -> str:
        path = course_copy / "solved" / folder / f"{folder}.ipynb"
        if not path.is_file():
            (built,) = stage(course, course.select([folder]))
            path.parent.mkdir(parents=True)
            path.write_bytes(built.source)
        return str(path.relative_to(course_copy))

    return make


@pytest.fixture(scope="session")
def graded_course(
    chromium_path: str,  # noqa: ARG001  (where there is none, nothing is graded)
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A tiny course's root, with a class that `mmdl grade` has graded."""
    from graded_class import make_graded_class

    return make_graded_class(tmp_path_factory.mktemp("instructor"))


@pytest.fixture(scope="session")
def instructor_server(graded_course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab on the graded course."""
    with running_lab(graded_course, _environment(tmp_path_factory.mktemp("home"))) as address:
        yield address


@pytest.fixture
def instructor(page: "Page", instructor_server: str, graded_course: Path) -> "Lab":
    """An instructor's tab."""
    from lab import Lab

    return Lab(page, instructor_server, graded_course, TOKEN)
