"""Read a lesson, solutions/<folder>/<folder>.py in jupytext's percent format, with line numbers."""

import io
import re
import tokenize
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmdl_course.course import Course, CourseError, Week

__all__ = [
    "HIDDEN",
    "SOLUTION",
    "AuthoringError",
    "Cell",
    "Lesson",
    "Problem",
    "Region",
    "lesson_path",
    "read_lesson",
    "regions",
]

SOLUTION = "SOLUTION"
HIDDEN = "HIDDEN TESTS"
_MARKER = re.compile(r"^#\s*%%(\s|$)")
_BAD_METADATA = "incorrectly_encoded_metadata"  # where jupytext puts options that are not JSON


@dataclass(frozen=True)
class Problem:
    """A mistake in a lesson: where it is, what is wrong, what to do."""

    path: Path
    line: int  # 1-based; 0 when it concerns the file as a whole
    where: str  # grade_id or cell number, empty when it concerns the file as a whole
    what: str
    remedy: str

    def render(self, root: Path) -> str:
        """One line: file:line (cell): what. remedy."""
        path = self.path.relative_to(root) if self.path.is_relative_to(root) else self.path
        place = f"{path}:{self.line}" if self.line else f"{path}"
        return f"{place}{f' ({self.where})' if self.where else ''}: {self.what}. {self.remedy}"


class AuthoringError(CourseError):
    """Mistakes in lessons. `problems` holds every one of them, not just the first."""

    def __init__(self, root: Path, problems: list[Problem]):
        self.problems = problems
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "\n".join(f"  {problem.render(root)}" for problem in problems)
        super().__init__(f"{count} in the lessons; nothing was built.\n{lines}")


@dataclass(frozen=True)
class Cell:
    """One cell of a lesson."""

    kind: str  # "markdown" or "code"
    source: str
    line: int  # 1-based line of the source's first line in the .py
    number: int  # 1-based position in the lesson
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def nbgrader(self) -> dict[str, Any]:
        """The metadata for nbgrader; empty for an ordinary cell."""
        found = self.metadata.get("nbgrader", {})
        return found if isinstance(found, dict) else {}

    @property
    def grade_id(self) -> str:
        """The cell's name in nbgrader, empty for an ordinary cell."""
        return str(self.nbgrader.get("grade_id", ""))

    @property
    def is_solution(self) -> bool:
        """Whether students write into it."""
        return bool(self.nbgrader.get("solution"))

    @property
    def is_check(self) -> bool:
        """Whether it awards points by being run."""
        return bool(self.nbgrader.get("grade")) and not self.is_solution

    @property
    def is_by_hand(self) -> bool:
        """Whether it holds an answer that a person marks: students write into it, and it has points."""
        return self.is_solution and bool(self.nbgrader.get("grade"))

    @property
    def where(self) -> str:
        """How to name the cell to an author."""
        return self.grade_id or f"cell {self.number}"


@dataclass(frozen=True)
class Lesson:
    """A lesson as its author wrote it."""

    path: Path
    week: Week
    cells: tuple[Cell, ...]

    def problem(self, cell: Cell, what: str, remedy: str, *, offset: int = 0) -> Problem:
        """Complain about the line `offset` (0-based) of one of its cells."""
        return Problem(self.path, cell.line + offset, cell.where, what, remedy)


@dataclass(frozen=True)
class Region:
    """Lines `first` to `last` (0-based, markers excluded) of a cell, between BEGIN and END."""

    first: int
    last: int

    def lines(self, source: str) -> list[str]:
        """The region's lines."""
        return source.split("\n")[self.first : self.last + 1]


def lesson_path(course: Course, week: Week) -> Path:
    """Where the week's lesson is written."""
    return course.root / "solutions" / week.folder / f"{week.folder}.py"


def read_lesson(course: Course, week: Week) -> tuple[Lesson, list[Problem]]:
    """Split a lesson into cells.

    Args:
        course: the registry.
        week: the week whose lesson to read.

    Returns:
        The lesson, and what is wrong with its cell markers and their options.

    Raises:
        CourseError: there is no such file, or it is not UTF-8.
    """
    import jupytext

    path = lesson_path(course, week)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CourseError(
            f"{path} is missing. Write the lesson, or take its week out of syllabus.toml."
        ) from None
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} is not UTF-8 text: {error}. Save it as UTF-8.") from None
    lines = text.splitlines()
    try:
        markers = _marker_lines(text)
    except (tokenize.TokenError, SyntaxError) as error:
        line = error.lineno or 0 if isinstance(error, SyntaxError) else error.args[1][0]
        what = f"Python cannot read the lesson: {error.args[0]}"
        return Lesson(path, week, ()), [
            Problem(path, line, "", what, "Often a quote or a bracket is left open.")
        ]
    found = jupytext.reads(text, fmt="py:percent").cells
    if len(markers) != len(found):
        line = next((number for number, content in enumerate(lines, start=1) if content.strip()), 1)
        what = "the lesson does not begin with a cell marker"
        return Lesson(path, week, ()), [
            Problem(path, line, "", what, "Make the first line `# %%` or `# %% [markdown]`.")
        ]
    cells, problems = [], []
    for number, (marker, raw) in enumerate(zip(markers, found, strict=True), start=1):
        source = raw.source.strip("\n")
        cell = Cell(raw.cell_type, source, _first_line(lines, marker, source), number, dict(raw.metadata))
        if _BAD_METADATA in raw.metadata:
            what = f"the cell's options are not JSON: {raw.metadata[_BAD_METADATA]}"
            remedy = 'Write key=value, the value as JSON: nbgrader={"grade": false, …} tags=["demo"].'
            problems.append(Problem(path, marker, f"cell {number}", what, remedy))
        cells.append(cell)
    return Lesson(path, week, tuple(cells)), problems


def regions(source: str, name: str) -> tuple[list[Region], list[tuple[int, str]]]:
    """Find BEGIN/END regions the way nbgrader does: a marker may stand anywhere in a line.

    Args:
        source: a cell's source.
        name: `SOLUTION` or `HIDDEN`.

    Returns:
        The closed regions, and for each unbalanced marker its 0-based line and what is wrong with it.
    """
    found: list[Region] = []
    wrong: list[tuple[int, str]] = []
    begun: int | None = None
    for index, line in enumerate(source.split("\n")):
        if f"BEGIN {name}" in line:
            if begun is not None:
                wrong.append((index, f"BEGIN {name} inside a region that is still open"))
            begun = index
        elif f"END {name}" in line:
            if begun is None:
                wrong.append((index, f"END {name} without a BEGIN {name} before it"))
            else:
                found.append(Region(begun + 1, index - 1))
            begun = None
    if begun is not None:
        wrong.append((begun, f"BEGIN {name} without an END {name} after it"))
    return found, wrong


def _marker_lines(text: str) -> list[int]:
    # Real comments only: a "# %%" inside a string is not a marker, neither for jupytext nor for us.
    return [
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and token.start[1] == 0 and _MARKER.match(token.string)
    ]


def _first_line(lines: list[str], marker: int, source: str) -> int:
    first = source.split("\n")[0].strip()
    for number in range(marker, min(marker + 20, len(lines))):  # 0-based index of the line after the marker
        if first and first in lines[number]:
            return number + 1
    return marker
