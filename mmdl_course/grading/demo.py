"""`mmdl demo`: a class of 24 submissions in a course root of its own, graded, reported and compared."""

import json
import shutil
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mmdl_course.course import Course, CourseError, Week, load_course
from mmdl_course.grading.classroom import Designed, make_class
from mmdl_course.grading.journal import Entry, open_journal
from mmdl_course.grading.submissions import Variant, read_submissions

__all__ = ["run_demo"]

# An endless loop should not take the two minutes that real grading would wait.
CELL_SECONDS = 30
RECORD = "class.json"  # what each submission was made to be; its presence says that the folder is ours


def run_demo(course: Course, folder: Path, *, students: int, json_file: Path | None) -> int:
    """Make a class of submissions, good and bad and broken, grade it and show the report.

    The class has its own course root with its own gradebook; the real one is not touched.

    Args:
        course: the registry; its first ready week with wheats and chaffs is used.
        folder: the demonstration's root, relative to the course's; an earlier one there is replaced.
        students: how many of the 24 submissions.
        json_file: where to write the rows as JSON as well.

    Returns:
        Exit status: 0 when every submission came out as it was made to, else 1.

    Raises:
        CourseError: no week has wheats and chaffs, or the folder holds something else.
    """
    from mmdl_course.grading.grade import grade_week
    from mmdl_course.grading.gradebook import register_assignment
    from mmdl_course.grading.kernels.sandbox import support

    console = Console(highlight=False)
    week, variants = _first_week(course)
    root = (course.root / folder).resolve()
    _make_root(course, root)
    demonstration = load_course(root)
    assignment = register_assignment(demonstration, week, scratch=root / "build" / "release")
    designed = make_class(week, assignment.release, variants, submitted=root / "submitted", students=students)
    record = [asdict(entry) for entry in designed]
    (root / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    kinds = Counter(entry.kind for entry in designed)
    console.print(f"A class of {len(designed)} for {week.id} in {root}:", soft_wrap=True, markup=False)
    console.print(", ".join(f"{count} × {kind}" for kind, count in kinds.items()), markup=False)
    # The class is our own work: where no sandbox holds, it may run without one.
    grade_week(demonstration, week.id, json_file=json_file, force=False, sandbox=support().level)
    entries = open_journal(demonstration, week).entries
    return _compare(console, root, designed, entries)


def _first_week(course: Course) -> tuple[Week, list[Variant]]:
    complaints: list[str] = []
    for week in course.ready:
        variants, complaints = read_submissions(course, week)
        have = {(variant.exercise, variant.kind) for variant in variants}
        checked = [exercise.id for exercise in week.exercises if not exercise.by_hand]
        wanted = {(exercise_id, kind) for exercise_id in checked for kind in ("wheat", "chaff")}
        if wanted and wanted <= have:
            return week, variants
    listed = "".join(f"\n  {complaint}" for complaint in complaints[:5])
    raise CourseError(
        f"No ready week has a wheat and a chaff for each exercise in tests/submissions/.{listed}"
    )


def _make_root(course: Course, root: Path) -> None:
    if root == course.root or root in course.root.parents:
        raise CourseError(f"{root} is the course itself. Give the demonstration a folder of its own.")
    if root.exists():
        if not root.is_dir() or (any(root.iterdir()) and not (root / RECORD).is_file()):
            raise CourseError(
                f"{root} is there already and was not made by `mmdl demo`. Give another folder with --folder."
            )
        shutil.rmtree(root)
    root.mkdir(parents=True)
    (root / RECORD).write_text("[]\n", encoding="utf-8")
    shutil.copyfile(course.root / "syllabus.toml", root / "syllabus.toml")
    shutil.copytree(course.root / "solutions", root / "solutions")
    configuration = (course.root / "jupyter_config.py").read_text(encoding="utf-8")
    limit = f"\nc.Execute.timeout = {CELL_SECONDS}  # the demonstration has an endless loop in it\n"
    (root / "jupyter_config.py").write_text(configuration + limit, encoding="utf-8")


def _compare(console: Console, root: Path, designed: list[Designed], entries: dict[str, Entry]) -> int:
    table = Table(title="Made to be, and came out", title_justify="left", box=SIMPLE_HEAD)
    for name in ("student", "made to be", "designed mark", "mark", "state", "as designed"):
        table.add_column(name)
    strays = 0
    for made in designed:
        entry = entries[made.student]
        agrees = made.agrees(
            state=entry.state, score=entry.score, notes=" ".join((entry.reason, *entry.flags))
        )
        strays += not agrees
        mark = "–" if entry.score is None else f"{entry.score:g}"
        verdict = "[green]✓ yes[/]" if agrees else "[red]✗ no[/]"
        table.add_row(made.student, made.kind, made.expected, mark, entry.state, verdict)
    console.print(table)
    console.print(f"Feedback: {root / 'feedback'}/<student>/", markup=False, soft_wrap=True)
    console.print(f"Picture:  {root / 'reports'}/", markup=False, soft_wrap=True)
    if strays:
        console.print(f"{strays} of {len(designed)} did not come out as designed.", style="red")
    return 1 if strays else 0
