"""The course's root folder and its registry, `syllabus.toml`."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

__all__ = ["Course", "CourseError", "Exercise", "Week", "find_root", "load_course"]


class CourseError(Exception):
    """A mistake of the person at the keyboard: the message names the file, the field and the remedy."""


@dataclass(frozen=True)
class Exercise:
    """One graded exercise: `id` is the grade_id of its solution cell, `<id>-check` of its check cell.

    One that is marked by hand has no check cell: its solution cell is a text, and holds the points.
    """

    id: str
    title: str
    difficulty: int  # 1 (warm-up) … 5 (hard)
    minutes: int
    points: int
    by_hand: bool = False  # a free text that a person marks in formgrader

    @property
    def check_id(self) -> str:
        """grade_id of the check cell."""
        return f"{self.id}-check"

    @property
    def graded_id(self) -> str:
        """grade_id of the cell that holds the points."""
        return self.id if self.by_hand else self.check_id


@dataclass(frozen=True)
class Week:
    """One week: a folder below solutions/ and notebooks/ with one notebook of the same name."""

    id: str
    folder: str
    title: str
    question: str
    deck: str
    status: Literal["ready", "planned"] = "planned"
    minutes: int = 0
    goals: tuple[str, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    exercises: tuple[Exercise, ...] = ()

    @property
    def points(self) -> int:
        """Sum of the exercises' points."""
        return sum(exercise.points for exercise in self.exercises)


@dataclass(frozen=True)
class Course:
    """The registry, and where the course lives."""

    root: Path
    title: str
    weeks: tuple[Week, ...]

    @property
    def ready(self) -> tuple[Week, ...]:
        """Weeks that have a lesson."""
        return tuple(week for week in self.weeks if week.status == "ready")

    def week(self, name: str) -> Week:
        """Look a week up by id ("week01") or folder ("week01_manifold_hypothesis").

        Raises:
            CourseError: no such week; the message lists the ones there are.
        """
        for week in self.weeks:
            if name in (week.id, week.folder):
                return week
        known = ", ".join(week.id for week in self.weeks)
        raise CourseError(
            f"There is no week called '{name}' in {self.root / 'syllabus.toml'}. Known weeks: {known}."
        )

    def select(self, names: Sequence[str]) -> tuple[Week, ...]:
        """The named weeks, or every ready one when none is named.

        Raises:
            CourseError: an unknown week, or one that is still planned.
        """
        weeks = tuple(self.week(name) for name in names) if names else self.ready
        for week in weeks:
            if week.status != "ready":
                raise CourseError(
                    f'{week.id} is planned, not ready: syllabus.toml says status = "{week.status}". '
                    f'Write solutions/{week.folder}/{week.folder}.py, then set its status to "ready".'
                )
        return weeks


def find_root(start: Path | None = None) -> Path:
    """The nearest folder at or above `start` (default: the working directory) that holds syllabus.toml.

    Raises:
        CourseError: there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "syllabus.toml").is_file():
            return folder
    raise CourseError(
        f"{start} is not inside the course: no syllabus.toml here or above. Change to the course's folder."
    )


def load_course(root: Path | None = None) -> Course:
    """Read syllabus.toml.

    Raises:
        CourseError: the file is missing, is not TOML, or a field is missing, unknown or of the wrong kind.
    """
    root = root or find_root()
    path = root / "syllabus.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"{path} is missing. Restore it: git checkout -- syllabus.toml") from None
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"{path} is not valid TOML: {error}") from None
    weeks = tuple(_week(entry, path, number) for number, entry in enumerate(table.get("week", []), start=1))
    for field in ("id", "folder"):
        seen = [getattr(week, field) for week in weeks]
        for value in seen:
            if seen.count(value) > 1:
                raise CourseError(f'{path}: two weeks have {field} = "{value}". Give each its own.')
    return Course(root=root, title=table.get("course", {}).get("title", root.name), weeks=weeks)


def _week(entry: dict[str, Any], path: Path, number: int) -> Week:
    where = f"{path}: week {entry.get('id', f'number {number}')}"
    entry = dict(entry)
    exercises = tuple(
        _checked(Exercise, item, f"{where}, exercise {item.get('id', f'number {index}')}")
        for index, item in enumerate(entry.pop("exercise", []), start=1)
    )
    ids = [exercise.id for exercise in exercises]
    for exercise_id in ids:
        if ids.count(exercise_id) > 1:
            raise CourseError(f'{where}: two exercises have id = "{exercise_id}". Give each its own.')
    for field in ("goals", "out_of_scope"):
        if field in entry:
            entry[field] = tuple(entry[field])
    week = _checked(Week, {**entry, "exercises": exercises}, where)
    if week.status not in ("ready", "planned"):
        raise CourseError(f'{where}: status is "{week.status}"; it must be "ready" or "planned".')
    return week


def _checked(kind: type, entry: dict[str, Any], where: str) -> Any:
    known = {field.name: field for field in fields(kind)}
    for name in entry:
        if name not in known:
            raise CourseError(f"{where}: unknown field '{name}'. Known fields: {', '.join(known)}.")
    try:
        made = kind(**entry)
    except TypeError as error:
        raise CourseError(f"{where}: {str(error).split('__init__() ')[-1]}.") from None
    for name, field in known.items():
        if field.type in (int, str, bool) and not isinstance(getattr(made, name), field.type):
            raise CourseError(
                f"{where}: {name} must be of type {field.type.__name__}, not {getattr(made, name)!r}."
            )
    return made
