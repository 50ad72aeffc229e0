"""`mmdl report`: the marks of a graded week as a table, as CSV, and as statistics of each exercise."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.files import replace_file
from mmdl_course.grading.exercise_statistics import exercise_statistics
from mmdl_course.grading.gradebook import Marks, course_directory, read_marks
from mmdl_course.grading.journal import (
    FAILED,
    GRADED,
    Entry,
    Journal,
    journal_path,
    open_journal,
)
from mmdl_course.grading.late import duration, penalises, read_due_date
from mmdl_course.grading.lms import make_import
from mmdl_course.grading.report_tables import (
    marks_csv,
    marks_table,
    mistakes_table,
    notes_table,
    statistics_csv,
    statistics_table,
)
from mmdl_course.grading.roster import read_roster
from mmdl_course.grading.scores import is_check, reported
from mmdl_course.grading.suspicions import withheld

__all__ = ["report_week"]


def report_week(course: Course, week: str, *, roster: Path | None = None, column: str | None = None) -> int:
    """Show a week's marks and write reports/<folder>/: marks.csv, exercises.csv, exercises.png.

    With a roster also moodle.csv or canvas.csv, for the gradebook that it came from.

    Marks come from nbgrader's gradebook alone. What the checks said is read from the autograded notebooks,
    where there are any; a missing or broken one costs its details, never the report.

    Args:
        course: the registry.
        week: id or folder of a week that was graded.
        roster: the class as Moodle's or Canvas's gradebook exports it.
        column: the grade column to write; see `make_import`.

    Returns:
        Exit status 0.

    Raises:
        CourseError: unknown week, nothing of it is graded yet, or the roster is of no use.
    """
    chosen = course.week(week)
    if not journal_path(course, chosen).is_file():
        raise CourseError(f"Nothing of {chosen.id} is graded yet. Run: mmdl grade {chosen.id}")
    journal = open_journal(course, chosen)
    marks = read_marks(course, chosen)
    rows = _rows(journal, marks)
    if not rows:
        raise CourseError(f"Nothing of {chosen.id} is graded yet. Run: mmdl grade {chosen.id}")
    marks = _settled(chosen, rows, {name: mark for name, mark in marks.items() if name not in journal.begun})
    graded = [marks[row.student] for row in rows if row.student in marks]
    statistics = exercise_statistics(chosen, graded, _read_reports(course, chosen, graded))
    folder = journal_path(course, chosen).parent
    console = Console(highlight=False)
    console.print(marks_table(chosen, rows, marks))
    if notes := notes_table(rows):
        console.print(notes)
    console.print(statistics_table(statistics))
    if mistakes := mistakes_table(statistics):
        console.print(mistakes)
    replace_file(folder / "marks.csv", marks_csv(chosen, rows, marks))
    replace_file(folder / "exercises.csv", statistics_csv(statistics))
    files = ["marks.csv", "exercises.csv"]
    if graded:
        from mmdl_course.grading.report_picture import draw_exercises

        noun = "submission" if len(graded) == 1 else "submissions"
        title = f"{chosen.title}: marks of {len(graded)} graded {noun}"
        draw_exercises(statistics, title=title, path=folder / "exercises.png")
        files.append("exercises.png")
    _say_totals(console, rows, journal)
    _say_late(console, course, chosen, graded)
    _say_waiting(console, chosen, graded)
    if roster is not None:
        without = [row.student for row in rows if row.student not in marks]
        made = make_import(chosen, read_roster(roster), marks, without, column=column)
        replace_file(folder / made.name, made.text)
        files.append(made.name)
        console.print(f"{made.name}: {made.said}", markup=False, soft_wrap=True)
        for why, names in made.left_out.items():
            if names:
                text = f"Not in {made.name}, and left as they are ({why}): {', '.join(names)}"
                console.print(text, style="yellow", markup=False, soft_wrap=True)
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


def _settled(week: Week, rows: Sequence[Entry], marks: dict[str, Marks]) -> dict[str, Marks]:
    """The marks, with points that are withheld as such that wait for a person."""
    flags = {row.student: row.flags for row in rows}
    return {
        name: replace(mark, to_mark=mark.to_mark | {*withheld(week, flags[name], mark.confirmed)})
        for name, mark in marks.items()
    }


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


def _say_totals(console: Console, rows: Sequence[Entry], journal: Journal) -> None:
    failed = sum(row.state == FAILED for row in rows)
    flagged = sum(bool(row.flags) and row.state != FAILED for row in rows)
    graded = f"{len(rows) - failed} graded ({flagged} with flags), {failed} without a mark"
    text = f"{len(rows)} submissions: {graded}. Grading seed {journal.seed}."
    console.print(text, markup=False, soft_wrap=True)


def _say_late(console: Console, course: Course, week: Week, marks: Sequence[Marks]) -> None:
    """When it was due as nbgrader understood it, and what being late cost."""
    due = read_due_date(course, week)
    if due is None:
        return
    late = [mark for mark in marks if mark.late]
    text = f"Due {due:%Y-%m-%d %H:%M} UTC: {len(late)} of {len(marks)} late"
    if late:
        latest = max(mark.late for mark in late)
        text += f", by {duration(latest)} at most; {sum(mark.penalty for mark in late):g} points taken off"
    if not penalises(course_directory(course).config):
        text += ". No penalty is configured in jupyter_config.py"
    console.print(f"{text}.", markup=False, soft_wrap=True)


def _say_waiting(console: Console, week: Week, marks: Sequence[Marks]) -> None:
    """How many answers wait for a person, where to mark them, by what, and what to do then."""
    by_hand, suspect = (
        {
            exercise.id: count
            for exercise in week.exercises
            if exercise.by_hand == wanted and (count := sum(exercise.id in mark.to_mark for mark in marks))
        }
        for wanted in (True, False)
    )
    if suspect:
        text = (
            f"Withheld, see the flags: {_counted(suspect, len(marks))}. Until a person gives the points in "
            f"formgrader they count 0, and every such total is provisional. Then run `mmdl grade {week.id}`."
        )
        console.print(text, style="yellow", markup=False, soft_wrap=True)
    if by_hand:
        listed = _counted(by_hand, len(marks))
        text = (
            f"To be marked by hand: {listed}. Until then they count 0, and every such total is provisional.\n"
            "Mark them in formgrader (`make lab`, menu Nbgrader, Formgrader, Manual Grading); what is worth "
            f"how much stands in their cells in solutions/{week.folder}/{week.folder}.py. Then run "
            f"`mmdl grade {week.id}` again: marks and comments go into the feedback. See docs/marking.md."
        )
        console.print(text, style="yellow", markup=False, soft_wrap=True)


def _counted(counts: Mapping[str, int], students: int) -> str:
    return ", ".join(f"{name} ({count} of {students})" for name, count in counts.items())
