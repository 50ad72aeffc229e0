"""The tables of a week's report, on the terminal and as CSV."""

import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from mmdl_course.course import Week
from mmdl_course.grading.exercise_statistics import ExerciseStatistics
from mmdl_course.grading.gradebook import Marks
from mmdl_course.grading.intake import printable
from mmdl_course.grading.journal import FAILED, FLAGGED, GRADED, Entry
from mmdl_course.grading.spreadsheets import csv_text

__all__ = [
    "marks_csv",
    "marks_table",
    "mistakes_table",
    "notes_table",
    "statistics_csv",
    "statistics_table",
]

_STATE = {GRADED: ("graded", "green"), FLAGGED: ("flagged", "yellow"), FAILED: ("failed", "red")}


def marks_table(week: Week, rows: Sequence[Entry], marks: dict[str, Marks]) -> Table:
    """Everybody's points, exercise by exercise; ? for what waits for a person.

    Args:
        week: the week.
        rows: a row for each student.
        marks: whose exercises have them.
    """
    table = _table(f"{week.id}: {week.title}")
    table.add_column("student", overflow="fold")
    table.add_column("state")
    for number, _ in enumerate(week.exercises, start=1):
        table.add_column(f"{number}", justify="right")
    late = any(mark.late for mark in marks.values())
    if late:
        table.add_column("late", justify="right")
    table.add_column("total", justify="right", style="bold")
    for row in rows:
        mark = marks.get(row.student)
        scores = [_score(mark, exercise.id, waiting="?") for exercise in week.exercises]
        word, colour = _STATE[row.state]
        total = f"{_points(row.score)}{' + ?' if mark and mark.to_mark else ''}"
        if late:
            scores.append(f"−{mark.penalty:g}" if mark and mark.late else "")
        table.add_row(escape(printable(row.student)), f"[{colour}]{word}[/]", *scores, total)
    table.add_section()
    full = [f"{exercise.points:g}" for exercise in week.exercises]
    table.add_row("[dim]full marks[/]", "", *full, *([""] if late else []), f"{week.points:g}")
    return table


def notes_table(rows: Sequence[Entry]) -> Table | None:
    """Why there is no mark, and what was noticed: below the marks, where there is room for sentences.

    Args:
        rows: a row for each student.
    """
    noted = [row for row in rows if row.reason or row.flags]
    table = _table("Reasons and flags")
    table.add_column("student", overflow="fold")
    table.add_column("", ratio=1)
    for row in noted:
        table.add_row(escape(printable(row.student)), escape(row.reason or "\n".join(row.flags)))
    return table if noted else None


def statistics_table(statistics: Sequence[ExerciseStatistics]) -> Table:
    """How each exercise came out.

    Args:
        statistics: one entry per exercise.
    """
    table = _table("Exercises")
    table.add_column("", justify="right")
    table.add_column("exercise", ratio=1)
    for name in ("mean", "full", "zero", "untried", "discr."):
        table.add_column(name, justify="right", no_wrap=True)
    for number, entry in enumerate(statistics, start=1):
        text = escape(entry.exercise.title)
        if entry.to_mark:
            text += f"\n[dim]not counted, waiting for a person: {entry.to_mark}[/]"
        shares = [_percent(entry.share(which)) for which in ("full", "zero", "not attempted")]
        mean = f"{_number(entry.mean) or '–'} of {entry.exercise.points:g}"
        table.add_row(str(number), text, mean, *shares, _number(entry.discrimination, 2))
    return table


def mistakes_table(statistics: Sequence[ExerciseStatistics]) -> Table | None:
    """Of each exercise the check that failed most, and the most frequent misconception in words.

    Args:
        statistics: one entry per exercise.
    """
    table = _table("What to teach again")
    table.add_column("", justify="right")
    table.add_column("failed most often", ratio=2)
    table.add_column("likely cause, as the first failed check names it", ratio=3)
    for number, entry in enumerate(statistics, start=1):
        if entry.failed_checks:
            table.add_row(str(number), _most(entry.failed_checks), _most(entry.misconceptions))
    return table if table.row_count else None


def _most(counts: Sequence[tuple[str, int]]) -> str:
    return f"{counts[0][1]}× {escape(counts[0][0])}" if counts else ""


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD)


def marks_csv(week: Week, rows: Sequence[Entry], marks: dict[str, Marks]) -> str:
    """marks.csv: a line for each student.

    Args:
        week: the week.
        rows: a row for each student.
        marks: whose exercises have them.
    """
    names = [exercise.id for exercise in week.exercises]
    header = ["student", "state", *names, "points", "late_hours", "penalty", "score", "max_score", "to_mark"]
    lines = [[*header, "reason", "flags", "seconds"]]
    for row in rows:
        mark = marks.get(row.student)
        scores = [_score(mark, name, waiting="") for name in names]
        to_mark = "; ".join(sorted(mark.to_mark)) if mark else ""
        late = ["", "", ""]
        if mark:
            late = [f"{mark.points:g}", f"{mark.late / 3600:.2f}" if mark.late else "", f"{mark.penalty:g}"]
        notes = [to_mark, row.reason, "; ".join(row.flags), f"{row.seconds:g}"]
        total = [_points(row.score), _points(row.max_score)]
        lines.append([row.student, row.state, *scores, *late, *total, *notes])
    return csv_text(lines)


def statistics_csv(statistics: Sequence[ExerciseStatistics]) -> str:
    """exercises.csv: a line for each exercise.

    Args:
        statistics: one entry per exercise.
    """
    header = ["exercise", "title", "points", "n", "mean", "median", "full_percent", "zero_percent"]
    header += ["not_attempted_percent", "discrimination", "most_failed_checks", "likely_causes", "to_mark"]
    lines = [header]
    for entry in statistics:
        shares = [_number(100 * entry.share(which)) for which in ("full", "zero", "not attempted")]
        failed, causes = (
            "; ".join(f"{text} ({count})" for text, count in counts[:5])
            for counts in (entry.failed_checks, entry.misconceptions)
        )
        exercise = entry.exercise
        facts = [exercise.id, exercise.title, f"{exercise.points:g}", str(len(entry.scores))]
        middle = [_number(entry.mean, 2), _number(entry.median, 2)]
        last = [_number(entry.discrimination, 2), failed, causes, str(entry.to_mark)]
        lines.append([*facts, *middle, *shares, *last])
    return csv_text(lines)


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
