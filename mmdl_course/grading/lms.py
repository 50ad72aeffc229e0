"""Marks as a file that Moodle's or Canvas's gradebook imports.

Only students whose mark is settled are in it. To leave a line out is the one way, in both systems, not to
touch a student: an empty cell takes away a mark that is there, and in a new Moodle item it may count 0. Other
columns of the export are left out, too, for they would put back what has changed since.

Moodle asks which column is who and which column is which grade item; it stops at the first person that it
does not know, and a feedback column must be imported together with its grades.
Canvas recognises an assignment by the number in its column's name, else by the name, and takes over
"Points Possible" where that is filled in.

Source: MoodleDocs, "Grade import" and "Grade export" (and moodle, grade/import/csv/classes/load_data.php);
Canvas Instructor Guide, "How do I import grades in the Gradebook?" and "How do I export grades in the
Gradebook?" (and canvas-lms, lib/gradebook_importer.rb).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmdl_course.course import CourseError, Week
from mmdl_course.grading.gradebook import Marks
from mmdl_course.grading.late import duration
from mmdl_course.grading.roster import Roster, match_students
from mmdl_course.grading.spreadsheets import csv_text

__all__ = ["Import", "make_import"]


# Columns that tell Canvas who a line is about. The names are a spreadsheet's matter, too.
_NAMES = ("Student", "LastName", "FirstName")
_IDENTITY = (*_NAMES, "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account", "Section")


@dataclass(frozen=True)
class Import:
    """A file to import, and what the instructor should know of it."""

    name: str  # of the file
    text: str
    said: str  # what is in it and how to import it
    left_out: dict[str, list[str]]  # why -> names


def make_import(
    week: Week,
    roster: Roster,
    marks: Mapping[str, Marks],
    without: Sequence[str],
    *,
    column: str | None = None,
) -> Import:
    """Fill a week's marks into a class as it was exported.

    Args:
        week: the week.
        roster: the exported class.
        marks: student -> marks; whose `to_mark` is not empty waits for a person.
        without: students who have no mark.
        column: the grade column; found, or named after the week, when None.

    Returns:
        The file.

    Raises:
        CourseError: nobody is recognised, or it is not clear which column is the week's.
    """
    known = {**{student: mark.names for student, mark in marks.items()}, **dict.fromkeys(without, ())}
    matches = match_students(roster, known)
    settled = {
        student: marks[student] for student in matches.rows if student in marks and not marks[student].to_mark
    }
    rows = sorted(((matches.rows[name], mark) for name, mark in settled.items()), key=lambda row: row[0])
    by = roster.header[matches.column]
    if roster.system == "Canvas":
        text, said = _canvas(week, roster, rows, column)
    else:
        text, said = _moodle(week, roster, rows, matches.column, column)
    provisional = [student for student, mark in marks.items() if mark.to_mark]
    total = len(marks) + len(without)
    return Import(
        name=f"{roster.system.lower()}.csv",
        text=text,
        said=f"{len(rows)} of {total} submissions, recognised by the column “{by}”. {said}",
        left_out={
            "no mark": sorted(without),
            "a part waits for a person": sorted(provisional),
            f"not in {roster.path.name}": sorted(set(matches.unknown) - {*without, *provisional}),
            "not clear who it is": sorted(set(matches.unclear) - {*without, *provisional}),
            "no submission": [roster.name(line) for line in matches.missing],
        },
    )


def _canvas(
    week: Week, roster: Roster, rows: Sequence[tuple[int, Marks]], column: str | None
) -> tuple[str, str]:
    identity = [number for number, name in enumerate(roster.header) if name in _IDENTITY]
    place = _column(week, roster, column)
    name = column or _name(week)
    points = f"{week.points:g}"
    said = f"Canvas will ask whether “{name}” is a new assignment."
    if place is not None:
        name = roster.header[place]
        said = f"Its marks go to “{name}”."
        # Canvas would change the assignment's points to what stands here.
        theirs, points = (roster.points[place].strip() if roster.points else ""), ""
        if theirs and _number(theirs) != week.points:
            said += f" There it has {theirs} points, here {week.points:g}: the marks are not converted."
    lines = [[*(roster.header[number] for number in identity), name]]
    lines.append(["    Points Possible", *[""] * (len(identity) - 1), points])
    lines += [
        [*(roster.rows[line][number] for number in identity), _points(mark.score)] for line, mark in rows
    ]
    exact = [place for place, number in enumerate(identity) if roster.header[number] not in _NAMES]
    return csv_text(lines, exact=exact), f"{said} Import it: Grades, Import."


def _moodle(
    week: Week, roster: Roster, rows: Sequence[tuple[int, Marks]], by: int, column: str | None
) -> tuple[str, str]:
    name = column or _name(week)
    shown = list(dict.fromkeys([0, 1, by]))  # who it is in words, and for Moodle
    lines = [[*(roster.header[number] for number in shown), name, f"{name} (feedback)"]]
    lines += [
        [*(roster.rows[line][number] for number in shown), _points(mark.score), _feedback(week, mark)]
        for line, mark in rows
    ]
    said = (
        f"Import it: Grades, Import, CSV file, with UTF-8 and comma. Map from “{roster.header[by]}”; map "
        f"“{name}” to the grade item of {week.points:g} points, and its feedback with it or not at all."
    )
    return csv_text(lines, exact=[shown.index(by)]), said


def _column(week: Week, roster: Roster, column: str | None) -> int | None:
    """The column of a Canvas file that is the week's; None when there is none."""
    first = roster.header.index("Section") + 1
    names = dict(enumerate(roster.header[first:], start=first))
    if roster.points:
        names = {place: name for place, name in names.items() if "read only" not in roster.points[place]}
    if column is not None:
        found = [place for place, name in names.items() if name == column]
    else:
        word, number = re.match(r"(\D*)0*(\d*)", week.id).groups()
        pattern = rf"(?<!\w){re.escape(word)}[\s_-]*0*{number}(?!\d)|{re.escape(week.title)}"
        found = [place for place, name in names.items() if re.search(pattern, name, re.IGNORECASE)]
    if len(found) > 1:
        listed = "".join(f"\n  {names[place]}" for place in found)
        raise CourseError(
            f"--roster {roster.path}: several columns could be {week.id}'s. Name one with --column:{listed}"
        )
    return found[0] if found else None


def _name(week: Week) -> str:
    return f"{week.id} {week.title}"


def _feedback(week: Week, mark: Marks) -> str:
    """The points of each exercise in a line, so that the total explains itself."""
    parts = [
        f"{exercise.title}: {_points(mark.exercises.get(exercise.id, 0.0))} of {exercise.points:g}"
        for exercise in week.exercises
    ]
    if mark.late:
        parts.append(f"{duration(mark.late)} late: {_points(-mark.penalty)}")
    return "; ".join(parts)


def _points(score: float) -> str:
    """With a point and at most two decimals, whatever the computer's language."""
    return f"{round(score, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
