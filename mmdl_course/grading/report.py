"""`mmdl report`: the marks of a graded week as a table, as CSV, and as statistics of each exercise."""

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.files import replace_file
from mmdl_course.grading.exercise_statistics import ExerciseStatistics, exercise_statistics
from mmdl_course.grading.gradebook import Marks, course_directory, read_marks
from mmdl_course.grading.journal import (
    FAILED,
    FLAGGED,
    GRADED,
    Entry,
    Journal,
    journal_path,
    open_journal,
)
from mmdl_course.grading.scores import is_check, reported

__all__ = ["report_week"]

_STATE = {GRADED: ("graded", "green"), FLAGGED: ("flagged", "yellow"), FAILED: ("failed", "red")}


def report_week(course: Course, week: str) -> int:
    """Show a week's marks and write reports/<folder>/: marks.csv, exercises.csv, exercises.png.

    Marks come from nbgrader's gradebook alone. What the checks said is read from the autograded notebooks,
    where there are any; a missing or broken one costs its details, never the report.

    Args:
        course: the registry.
        week: id or folder of a week that was graded.

    Returns:
        Exit status 0.

    Raises:
        CourseError: unknown week, or nothing of it is graded yet.
    """
    chosen = course.week(week)
    if not journal_path(course, chosen).is_file():
        raise CourseError(f"Nothing of {chosen.id} is graded yet. Run: mmdl grade {chosen.id}")
    journal = open_journal(course, chosen)
    marks = read_marks(course, chosen)
    rows = _rows(journal, marks)
    if not rows:
        raise CourseError(f"Nothing of {chosen.id} is graded yet. Run: mmdl grade {chosen.id}")
    marks = {name: mark for name, mark in marks.items() if name not in journal.begun}
    graded = [marks[row.student] for row in rows if row.student in marks]
    statistics = exercise_statistics(chosen, graded, _read_reports(course, chosen, graded))
    folder = journal_path(course, chosen).parent
    console = Console(highlight=False)
    console.print(_marks_table(chosen, rows, marks))
    if notes := _notes_table(rows):
        console.print(notes)
    console.print(_statistics_table(statistics))
    replace_file(folder / "marks.csv", _marks_csv(chosen, rows, marks))
    replace_file(folder / "exercises.csv", _statistics_csv(statistics))
    files = ["marks.csv", "exercises.csv"]
    if graded:
        from mmdl_course.grading.report_picture import draw_exercises

        noun = "submission" if len(graded) == 1 else "submissions"
        title = f"{chosen.title}: marks of {len(graded)} graded {noun}"
        draw_exercises(statistics, title=title, path=folder / "exercises.png")
        files.append("exercises.png")
    _say_totals(console, rows, journal)
    _say_to_mark(console, chosen, graded)
    console.print(
        f"Written to {folder.relative_to(course.root)}/: {', '.join(files)}", markup=False, soft_wrap=True
    )
    return 0


def _rows(journal: Journal, marks: dict[str, Marks]) -> list[Entry]:
    """Every student whom the journal or the gradebook knows, with the gradebook's mark."""
    rows = []
    for student in sorted({*journal.entries, *journal.begun, *marks}):
        entry, mark = journal.entries.get(student), marks.get(student)
        if student in journal.begun:  # what the gradebook has may be half of a mark
            reason = entry.reason if entry and entry.reason else "Grading was stopped: grade again."
            rows.append(Entry(student, FAILED, reason=reason))
            continue
        if mark is None:
            entry = entry or Entry(student, FAILED)
            lost = "The gradebook has no mark although it was graded: grade again."
            reason = entry.reason or lost
            rows.append(Entry(student, FAILED, reason=reason, flags=entry.flags, seconds=entry.seconds))
            continue
        entry = entry if entry and entry.state != FAILED else Entry(student, GRADED)
        rows.append(
            Entry(student, entry.state, mark.score, mark.max_score, flags=entry.flags, seconds=entry.seconds)
        )
    return rows


def _read_reports(course: Course, week: Week, marks: Sequence[Marks]) -> dict[str, dict[str, dict[str, Any]]]:
    from nbformat import from_dict

    directory = course_directory(course)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for mark in marks:
        folder = directory.format_path(directory.autograded_directory, mark.student, week.folder)
        path = Path(folder) / f"{week.folder}.ipynb"
        found[mark.student] = {}
        try:
            cells = from_dict(json.loads(path.read_text(encoding="utf-8"))).cells
            for cell in cells:
                report = reported(cell) if is_check(cell) else None
                if report is not None:
                    found[mark.student][cell.metadata.nbgrader.grade_id.removesuffix("-check")] = report
        except (OSError, ValueError, AttributeError, KeyError, TypeError):
            continue  # the details are a bonus
    return found


def _marks_table(week: Week, rows: Sequence[Entry], marks: dict[str, Marks]) -> Table:
    table = _table(f"{week.id}: {week.title}")
    table.add_column("student", overflow="fold")
    table.add_column("state")
    for number, _ in enumerate(week.exercises, start=1):
        table.add_column(f"{number}", justify="right")
    table.add_column("total", justify="right", style="bold")
    for row in rows:
        mark = marks.get(row.student)
        scores = [_score(mark, exercise.id, waiting="?") for exercise in week.exercises]
        word, colour = _STATE[row.state]
        total = f"{_points(row.score)}{' + ?' if mark and mark.to_mark else ''}"
        table.add_row(escape(row.student), f"[{colour}]{word}[/]", *scores, total)
    table.add_section()
    full = [f"{exercise.points:g}" for exercise in week.exercises]
    table.add_row("[dim]full marks[/]", "", *full, f"{week.points:g}")
    return table


def _notes_table(rows: Sequence[Entry]) -> Table | None:
    """Why there is no mark, and what was noticed: below the marks, where there is room for sentences."""
    noted = [row for row in rows if row.reason or row.flags]
    table = _table("Reasons and flags")
    table.add_column("student", overflow="fold")
    table.add_column("", ratio=1)
    for row in noted:
        table.add_row(escape(row.student), escape(row.reason or "\n".join(row.flags)))
    return table if noted else None


def _statistics_table(statistics: Sequence[ExerciseStatistics]) -> Table:
    table = _table("Exercises, and the check that was failed most often")
    table.add_column("", justify="right")
    table.add_column("exercise", ratio=1)
    for name in ("mean", "full", "zero", "untried", "discr."):
        table.add_column(name, justify="right", no_wrap=True)
    for number, entry in enumerate(statistics, start=1):
        text = escape(entry.exercise.title)
        if entry.failed_checks:
            name, count = entry.failed_checks[0]
            text += f"\n[dim]{count}×: {escape(name)}[/]"
        if entry.to_mark:
            text += f"\n[dim]{entry.to_mark} to be marked by hand, not counted[/]"
        shares = [_percent(entry.share(which)) for which in ("full", "zero", "not attempted")]
        mean = f"{_number(entry.mean)} of {entry.exercise.points:g}"
        table.add_row(str(number), text, mean, *shares, _number(entry.discrimination, 2))
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD)


def _marks_csv(week: Week, rows: Sequence[Entry], marks: dict[str, Marks]) -> str:
    names = [exercise.id for exercise in week.exercises]
    lines = [["student", "state", *names, "score", "max_score", "to_mark", "reason", "flags", "seconds"]]
    for row in rows:
        mark = marks.get(row.student)
        scores = [_score(mark, name, waiting="") for name in names]
        to_mark = "; ".join(sorted(mark.to_mark)) if mark else ""
        notes = [to_mark, row.reason, "; ".join(row.flags), f"{row.seconds:g}"]
        lines.append([row.student, row.state, *scores, _points(row.score), _points(row.max_score), *notes])
    return _csv(lines)


def _statistics_csv(statistics: Sequence[ExerciseStatistics]) -> str:
    header = ["exercise", "title", "points", "n", "mean", "median", "full_percent", "zero_percent"]
    lines = [[*header, "not_attempted_percent", "discrimination", "most_failed_checks", "to_mark"]]
    for entry in statistics:
        shares = [_number(100 * entry.share(which)) for which in ("full", "zero", "not attempted")]
        failed = "; ".join(f"{name} ({count})" for name, count in entry.failed_checks[:5])
        exercise = entry.exercise
        facts = [exercise.id, exercise.title, f"{exercise.points:g}", str(len(entry.scores))]
        middle = [_number(entry.mean, 2), _number(entry.median, 2)]
        last = [_number(entry.discrimination, 2), failed, str(entry.to_mark)]
        lines.append([*facts, *middle, *shares, *last])
    return _csv(lines)


def _say_totals(console: Console, rows: Sequence[Entry], journal: Journal) -> None:
    failed = sum(row.state == FAILED for row in rows)
    flagged = sum(bool(row.flags) and row.state != FAILED for row in rows)
    graded = f"{len(rows) - failed} graded ({flagged} with flags), {failed} without a mark"
    text = f"{len(rows)} submissions: {graded}. Grading seed {journal.seed}."
    console.print(text, markup=False, soft_wrap=True)


def _say_to_mark(console: Console, week: Week, marks: Sequence[Marks]) -> None:
    """How many answers wait for a person, where to mark them, by what, and what to do then."""
    waiting = {
        exercise.id: count
        for exercise in week.exercises
        if (count := sum(exercise.id in mark.to_mark for mark in marks))
    }
    if waiting:
        listed = ", ".join(f"{name} ({count} of {len(marks)})" for name, count in waiting.items())
        text = (
            f"To be marked by hand: {listed}. Until then they count 0, and every such total is provisional.\n"
            "Mark them in formgrader (`make lab`, menu Nbgrader, Formgrader, Manual Grading); what is worth "
            f"how much stands in their cells in solutions/{week.folder}/{week.folder}.py. Then run "
            f"`mmdl grade {week.id}` again: marks and comments go into the feedback. See docs/marking.md."
        )
        console.print(text, style="yellow", markup=False, soft_wrap=True)


def _csv(lines: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for line in lines:
        # A spreadsheet runs a cell that begins with one of these as a formula, and students choose names.
        writer.writerow([f"'{cell}" if cell[:1] in ("=", "+", "@") else cell for cell in line])
    return text.getvalue()


def _score(mark: Marks | None, exercise_id: str, *, waiting: str) -> str:
    if mark is None:
        return ""
    return waiting if exercise_id in mark.to_mark else _points(mark.exercises.get(exercise_id))


def _points(score: float | None) -> str:
    return "" if score is None else f"{score:g}"


def _number(value: float, digits: int = 1) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def _percent(share: float) -> str:
    return "" if math.isnan(share) else f"{100 * share:.0f} %"
