"""Release a lesson through nbgrader's own generate_assignment, and prove that no solution slipped through."""

import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.grading.lesson import HIDDEN, SOLUTION, Lesson, regions
from mmdl_course.grading.tools import put_tools_on_path

__all__ = [
    "find_leaks",
    "find_solved",
    "generate_assignment",
    "load_configuration",
    "secret_lines",
    "throwaway_gradebook",
]


def load_configuration(course: Course) -> Any:
    """What jupyter_config.py at the course's root says.

    Args:
        course: the registry, which knows the root.

    Returns:
        A traitlets Config for nbgrader's converters.

    Raises:
        CourseError: the file is missing or does not run.
    """
    from traitlets.config import PyFileConfigLoader
    from traitlets.config.loader import ConfigFileNotFound

    try:
        return PyFileConfigLoader("jupyter_config.py", path=str(course.root)).load_config()
    except ConfigFileNotFound:
        path = course.root / "jupyter_config.py"
        raise CourseError(f"{path} is missing. Restore it: git checkout -- jupyter_config.py") from None
    except Exception as error:  # noqa: BLE001 (a configuration file is code: anything may come out of it)
        raise CourseError(f"{course.root / 'jupyter_config.py'} does not run: {error}") from None


def throwaway_gradebook(folder: Path) -> str:
    """A gradebook for a build or an audit: nobody's marks go in, and it goes with its folder.

    Args:
        folder: an existing folder.

    Returns:
        Its address for nbgrader.
    """
    path = folder / "gradebook.db"
    # In an empty database nbgrader starts `alembic` (1.3 s) to note the schema's version for later upgrades.
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    database.close()
    return f"sqlite:///{path}"


def generate_assignment(course: Course, week: Week, *, source: Path, release: Path, db_url: str) -> Path:
    """Run nbgrader's GenerateAssignment for one week, as its command line would.

    Args:
        course: the registry.
        week: the week to release.
        source: folder that holds <week folder>/<week folder>.ipynb with solutions.
        release: folder to write <week folder>/ into; an older one there is replaced.
        db_url: gradebook to record the cells in, hidden tests included.

    Returns:
        The released notebook.

    Raises:
        CourseError: nbgrader refuses; its own words are in the message.
    """
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory

    put_tools_on_path()
    config = load_configuration(course)
    for name, value in (
        ("root", str(course.root)),
        ("source_directory", str(source)),  # absolute: os.path.join then ignores the root
        ("release_directory", str(release)),
        ("db_url", db_url),
        ("assignment_id", week.folder),
    ):
        config.CourseDirectory[name] = value
    words = _Words()
    directory = CourseDirectory(config=config, log=words.logger)
    converter = GenerateAssignment(coursedir=directory, config=config, log=words.logger, force=True)
    try:
        converter.start()
    except NbGraderException:
        raise CourseError(f"nbgrader cannot release {week.folder}:\n{words}") from None
    return release / week.folder / f"{week.folder}.ipynb"


def secret_lines(lesson: Lesson) -> list[str]:
    """Lines that students must not get: those of solutions and hidden tests.

    Args:
        lesson: the lesson.

    Returns:
        Each line once, stripped; without those that are part of what students do get (`else:`, `x = 1` …).
    """
    secret: dict[str, None] = {}
    shown = []
    for cell in lesson.cells:
        lines = cell.source.split("\n")
        covered: set[int] = set()
        for name in (SOLUTION, HIDDEN):
            for region in regions(cell.source, name)[0]:
                covered.update(range(region.first, region.last + 1))
        secret.update(dict.fromkeys(lines[index].strip() for index in sorted(covered)))
        shown.append("\n".join(line for index, line in enumerate(lines) if index not in covered))
    visible = "\n".join(shown)
    return [line for line in secret if line and line not in visible]


def find_leaks(lesson: Lesson, folder: Path) -> list[str]:
    """Search every file of a released folder for solutions, hidden tests and other sources.

    Args:
        lesson: the lesson.
        folder: its released folder.

    Returns:
        One sentence per leak; empty when nothing leaked.
    """
    leaks = []
    notebook = f"{lesson.path.stem}.ipynb"
    secrets = [(line, json.dumps(line, ensure_ascii=False)[1:-1]) for line in secret_lines(lesson)]
    markers = [f"{end} {name}" for name in (SOLUTION, HIDDEN) for end in ("BEGIN", "END")]
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.name != notebook:
            leaks.append(f"{path.name} is not the lesson's notebook")
        content = path.read_text(encoding="utf-8", errors="replace")
        leaks += [f"{path.name} contains {marker}" for marker in markers if marker in content]
        leaks += [
            f"{path.name} contains: {line}"
            for line, quoted in secrets
            if quoted in content or line in content
        ]
    return leaks


def find_solved(notebook: Path) -> list[str]:
    """Exercises that a released notebook does not ask for, because no stub stands in their solution cell.

    Code has a stub that raises, and a text one that asks for an answer.

    Args:
        notebook: a released notebook.

    Returns:
        Their ids.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    stubs = {"code": "raise NotImplementedError", "markdown": "YOUR ANSWER HERE"}
    return [
        cell["metadata"]["nbgrader"]["grade_id"]
        for cell in cells
        if cell["metadata"].get("nbgrader", {}).get("solution")
        and stubs[cell["cell_type"]] not in "".join(cell["source"])
    ]


class _Words(logging.Handler):
    """What nbgrader logs as an error: shown when it gives up, silent otherwise."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.said: list[str] = []
        self.logger = logging.Logger("nbgrader", level=logging.ERROR)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def __str__(self) -> str:
        return "\n".join(self.said)
