"""A class as Moodle or Canvas exports it, and which of its lines belongs to which submission.

Source: the header of a Canvas file as Canvas's own importer tests it (canvas-lms, lib/gradebook_importer.rb:
Student, ID, then SIS columns, Section last); MoodleDocs, "Grade export" and "Grade import".
"""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdl_course.course import CourseError

__all__ = ["Matches", "Roster", "match_students", "read_roster"]

_CANVAS_KEYS = ("SIS Login ID", "SIS User ID", "ID", "Integration ID")
_AGAIN = "Export it again as CSV in UTF-8, from Moodle's or Canvas's gradebook."


@dataclass(frozen=True)
class Roster:
    """The students of a class."""

    path: Path
    system: str  # "Canvas" or "Moodle"
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # a student each, as long as the header
    points: tuple[str, ...] = ()  # Canvas's row "Points Possible"

    def name(self, row: int) -> str:
        """A student's name as the file has it."""
        first, second = self.rows[row][:2]
        # The first two columns are names, but for Canvas's "Student".
        return first if self.header[0] == "Student" else f"{first} {second}".strip()


@dataclass(frozen=True)
class Matches:
    """Who is who."""

    column: int  # of the roster, by which students were recognised
    rows: dict[str, int]  # student -> line of the roster
    unclear: tuple[str, ...]  # students who could be several lines, or whose line is another's, too
    unknown: tuple[str, ...]  # students who are not in the file
    missing: tuple[int, ...]  # lines without a submission


def read_roster(path: Path) -> Roster:
    """Read a file that Canvas's gradebook or Moodle's has exported.

    Args:
        path: the file. Comma, semicolon and tab are understood.

    Returns:
        Its students. A file whose first columns are Canvas's is Canvas's, any other Moodle's.

    Raises:
        CourseError: it cannot be read, or there are no students in it.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CourseError(f"--roster {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CourseError(f"--roster {path} is not UTF-8. {_AGAIN}") from None
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except csv.Error as error:
        raise CourseError(f"--roster {path} is not CSV ({error}). {_AGAIN}") from None
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    header = tuple(name.strip() for name in lines[0]) if lines else ()
    if len(header) < 2 or len(lines) < 2:
        raise CourseError(f"--roster {path}: expected a header and a line for each student. {_AGAIN}")
    rows = [tuple([*line, *([""] * len(header))][: len(header)]) for line in lines[1:]]
    if not (header[0] in ("Student", "LastName") and "ID" in header and "Section" in header):
        return Roster(path, "Moodle", header, tuple(rows))
    place = header.index("ID")
    points = next((row for row in rows if "Points Possible" in row[0]), ())
    # Below it may be a line that says which marks are not shown yet ("Manual Posting"): nobody's.
    students = [row for row in rows if row != points and (row[0].strip() or row[place].strip())]
    if not students:
        raise CourseError(f"--roster {path} has no students. {_AGAIN}")
    return Roster(path, "Canvas", header, tuple(students), points)


def match_students(roster: Roster, students: Mapping[str, Sequence[str]]) -> Matches:
    """Find each student's line: by one column for all, the one that recognises the most.

    Case does not matter, and of an address what stands before the @ is enough where that is clear.

    Args:
        roster: the class.
        students: the submissions' names, with the other names that the gradebook has for each.

    Returns:
        Who is who.

    Raises:
        CourseError: nobody is recognised.
    """
    # Moodle's exports begin with first name and last name, by which it recognises nobody.
    columns = list(range(2 if len(roster.header) > 3 else 0, len(roster.header)))
    if roster.system == "Canvas":
        columns = [roster.header.index(name) for name in _CANVAS_KEYS if name in roster.header]
    found = {column: _by_column(roster, column, students) for column in columns}
    best = max(columns, key=lambda column: sum(len(lines) == 1 for lines in found[column].values()))
    lines = found[best]
    taken = Counter(numbers[0] for numbers in lines.values() if len(numbers) == 1)
    rows = {
        student: numbers[0]
        for student, numbers in lines.items()
        if len(numbers) == 1 and taken[numbers[0]] == 1
    }
    claimed = {number for numbers in lines.values() for number in numbers}
    if not rows:
        example = next(iter(students), "")
        raise CourseError(
            f"--roster {roster.path}: none of the {len(students)} submissions is in it. A submission is "
            f"called '{example}', as its folder in submitted/; the file has {', '.join(roster.header[:8])}. "
            "Tell nbgrader who is who: nbgrader db student add "
            f"'{example}' --email=… --lms-user-id=…, or nbgrader db student import FILE."
        )
    return Matches(
        column=best,
        rows=rows,
        unclear=tuple(student for student, numbers in lines.items() if numbers and student not in rows),
        unknown=tuple(student for student, numbers in lines.items() if not numbers),
        missing=tuple(number for number in range(len(roster.rows)) if number not in claimed),
    )


def _by_column(roster: Roster, column: int, students: Mapping[str, Sequence[str]]) -> dict[str, list[int]]:
    """The lines that could be a student's: by the whole name first, then by what stands before an @."""
    whole: dict[str, list[int]] = {}
    short: dict[str, list[int]] = {}
    for number, row in enumerate(roster.rows):
        if key := _key(row[column]):
            whole.setdefault(key, []).append(number)
            short.setdefault(key.partition("@")[0], []).append(number)
    found = {}
    for student, others in students.items():
        keys = [_key(name) for name in (student, *others)]
        tries = [whole.get(key) for key in keys] + [short.get(key.partition("@")[0]) for key in keys]
        found[student] = next((numbers for numbers in tries if numbers), [])
    return found


def _key(text: str) -> str:
    # A folder's name from a Mac has its umlauts in two characters.
    return unicodedata.normalize("NFC", text.strip()).casefold()


def _delimiter(text: str) -> str:
    header = text.lstrip("\r\n").partition("\n")[0]
    return max(",;\t", key=header.count)
