"""`mmdl build`: solutions/ (py:percent) → build/source/ (with solutions) → notebooks/ (what students get)."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.files import replace_file
from mmdl_course.grading.lesson import AuthoringError, Lesson, lesson_path
from mmdl_course.grading.readme import START_PAGE, readme_with_syllabus, start_page
from mmdl_course.grading.stamps import (
    Stamp,
    build_key,
    digest,
    read_stamp,
    replaceable,
    write_stamp,
)
from mmdl_course.home import HOME

__all__ = ["SOURCE", "Built", "build_weeks", "ensure_source", "stage"]

SOURCE = "build/source"  # as jupyter_config.py tells nbgrader
_IGNORED = {".ipynb_checkpoints", "__pycache__"}


@dataclass(frozen=True)
class Built:
    """One week's notebooks, made afresh in a temporary folder."""

    lesson: Lesson
    source: bytes  # with solutions and hidden tests
    release: bytes  # what students get


def build_weeks(course: Course, weeks: Sequence[str], *, check: bool) -> int:
    """Bring notebooks/ and the generated pages up to date, or say what is not.

    A notebook that somebody has worked in is never overwritten.

    Args:
        course: the registry.
        weeks: ids or folders; every ready week when empty.
        check: change nothing; compare with a fresh build instead.

    Returns:
        Exit status: 1 when `check` found something out of date, else 0.

    Raises:
        CourseError: unknown week, mistakes in a lesson (all are listed), nbgrader refuses, a solution leaked.
    """
    chosen = course.select(weeks)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    if check:
        return _check(course, chosen, console, everything=not weeks)
    stale = [
        week for week in chosen if not (_source_fresh(course, week) and _release(course, week).is_file())
    ]
    made = {built.lesson.week: built for built in stage(course, stale)} if stale else {}
    for week in chosen:
        written = week in made and _install(course, made[week])
        if digest(_release(course, week)) != read_stamp(course, week).release:
            state = "has work in it, so it stays as it is (for a fresh one: rename it, then `mmdl build`)"
        else:
            state = "written" if written else "up to date"
        console.print(f"{_name(course, _release(course, week))}: {state}")
    for path, text in _pages(course):
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            replace_file(path, text)
            console.print(f"{_name(course, path)}: written")
    return 0


def ensure_source(course: Course, week: Week) -> Path:
    """Make the week's notebook with solutions, where nbgrader looks for it, unless it is up to date.

    Args:
        course: the registry.
        week: a ready week.

    Returns:
        build/source/<folder>/<folder>.ipynb below the course's root.

    Raises:
        CourseError: as `build_weeks`.
    """
    if not _source_fresh(course, week):
        (built,) = stage(course, [week])
        _install_source(course, built)
        stamp = replace(read_stamp(course, week), key=build_key(course, week), source=digest(built.source))
        write_stamp(course, week, stamp)
    return _source(course, week)


def stage(course: Course, weeks: Sequence[Week]) -> list[Built]:
    """Make weeks from their lessons without touching the course's folders.

    Args:
        course: the registry.
        weeks: ready weeks.

    Returns:
        The notebooks, in the order of `weeks`.

    Raises:
        CourseError: as `build_weeks`.
    """
    from mmdl_course.grading.authoring import check_folders, inspect_lesson
    from mmdl_course.grading.notebook import render_source
    from mmdl_course.grading.release import find_leaks, find_solved, generate_assignment, throwaway_gradebook

    problems = check_folders(course)
    lessons: list[Lesson] = []
    for week in weeks:
        if lesson_path(course, week).is_file():  # a missing one is among the problems already
            lesson, found = inspect_lesson(course, week)
            lessons.append(lesson)
            problems += found
    if problems:
        raise AuthoringError(course.root, problems)
    made = []
    with tempfile.TemporaryDirectory(prefix="mmdl-build-") as folder:
        root = Path(folder).resolve()
        gradebook = throwaway_gradebook(root)
        for lesson in lessons:
            name = lesson.week.folder
            source = root / "source" / name / f"{name}.ipynb"
            replace_file(source, render_source(lesson))
            released = generate_assignment(
                course,
                lesson.week,
                source=root / "source",
                release=root / "release",
                db_url=gradebook,
            )
            if leaks := find_leaks(lesson, released.parent):
                listed = "\n".join(f"  {leak}" for leak in leaks)
                raise CourseError(f"{name}: the release would give solutions away; not written.\n{listed}")
            if solved := find_solved(released):
                raise CourseError(
                    f"{name}: already solved in the release, no stub in {', '.join(solved)}. "
                    "In jupyter_config.py, ClearSolutions.code_stub must raise NotImplementedError, and "
                    "text_stub must be YOUR ANSWER HERE."
                )
            made.append(Built(lesson, source.read_bytes(), released.read_bytes()))
    return made


def _install(course: Course, built: Built) -> bool:
    """Put a staged week in its place; whether the released notebook was written."""
    week, path = built.lesson.week, _release(course, built.lesson.week)
    _install_source(course, built)
    before = read_stamp(course, week)
    changed = not path.is_file() or path.read_bytes() != built.release
    written = changed and replaceable(course, path, before)
    if written:
        replace_file(path, built.release)
    stamp = Stamp(build_key(course, week), source=digest(built.source), release=digest(built.release))
    write_stamp(course, week, stamp)
    return written


def _install_source(course: Course, built: Built) -> None:
    path = _source(course, built.lesson.week)
    replace_file(path, built.source)
    for other in path.parent.iterdir():  # nbgrader copies whatever lies beside a source into the release
        if other != path and other.is_file():
            other.unlink()


def _check(course: Course, weeks: Sequence[Week], console: Console, *, everything: bool) -> int:
    wrong = []
    for built in stage(course, weeks):
        path = _release(course, built.lesson.week)
        if not path.is_file():
            wrong.append((path, "is missing", "Run `mmdl build` and commit it."))
        elif path.read_bytes() != built.release:
            stamp = read_stamp(course, built.lesson.week)
            if replaceable(course, path, stamp):
                wrong.append((path, "is stale: its lesson has changed", "Run `mmdl build` and commit it."))
            else:
                remedy = "Put the change into its lesson in solutions/, delete this file, run `mmdl build`."
                wrong.append((path, "has been edited by hand", remedy))
    for path, text in _pages(course):
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            wrong.append((path, "is stale: syllabus.toml has changed", "Run `mmdl build` and commit it."))
    if everything:
        expected = {_release(course, week) for week in course.ready}
        expected |= {course.root / START_PAGE, course.root / HOME}
        for path in sorted((course.root / "notebooks").rglob("*")):
            if path.is_file() and path not in expected and not _IGNORED & set(path.parts):
                wrong.append((path, "comes from no lesson", "Remove it: notebooks/ is generated."))
    for path, what, remedy in wrong:
        console.print(f"{_name(course, path)} {what}. {remedy}", style="red")
    if not wrong:
        console.print(f"notebooks/ is what solutions/ gives ({len(weeks)} week{'s' * (len(weeks) != 1)}).")
    return 1 if wrong else 0


def _pages(course: Course) -> list[tuple[Path, str]]:
    return [(course.root / START_PAGE, start_page(course)), readme_with_syllabus(course)]


def _source_fresh(course: Course, week: Week) -> bool:
    stamp = read_stamp(course, week)
    return stamp.key == build_key(course, week) and stamp.source == digest(_source(course, week)) != ""


def _source(course: Course, week: Week) -> Path:
    return course.root / SOURCE / week.folder / f"{week.folder}.ipynb"


def _release(course: Course, week: Week) -> Path:
    return course.root / "notebooks" / week.folder / f"{week.folder}.ipynb"


def _name(course: Course, path: Path) -> str:
    return str(path.relative_to(course.root))
