"""What came out of a student's own checks, kept on this machine alone, for the course's home page."""

import json
import os
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import platformdirs

from mmdl_course.course import Course
from mmdl_course.files import replace_file

__all__ = ["Entry", "Records", "progress_file", "read_progress", "record"]

_PATIENCE = 2  # seconds to wait for another kernel that is writing

State = Literal["not attempted", "partly", "passed"]


@dataclass(frozen=True)
class Entry:
    """The last attempt at one exercise. Points that are decided at grading are not among them."""

    points: float
    of: float
    state: State
    when: str  # ISO 8601, with the offset from UTC


Records = dict[str, dict[str, Entry]]  # week id → exercise id → entry


def progress_file(course: Course) -> Path:
    """The file that holds the progress in this course; it need not exist.

    It lies in the user's data folder, so that it outlives a fresh copy of the course. The environment
    variable `MMDL_PROGRESS` names another folder.

    Args:
        course: the registry, whose title names the file.
    """
    chosen = os.environ.get("MMDL_PROGRESS")
    folder = (
        Path(chosen).expanduser() if chosen else platformdirs.user_data_path("mmdl_course", appauthor=False)
    )
    name = re.sub(r"\W+", "-", course.title.casefold()).strip("-") or "course"
    return folder / f"{name}.json"


def read_progress(course: Course) -> Records:
    """What was recorded; what is missing or damaged counts as not recorded.

    Args:
        course: the registry.

    Returns:
        Entries of the weeks and exercises that the registry knows.
    """
    try:
        weeks = json.loads(progress_file(course).read_text(encoding="utf-8"))["weeks"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    found: Records = {}
    for week in course.weeks:
        kept = weeks.get(week.id) if isinstance(weeks, dict) else None
        for exercise in week.exercises if isinstance(kept, dict) else ():
            entry = _entry(kept.get(exercise.id))
            if entry is not None:
                found.setdefault(week.id, {})[exercise.id] = entry
    return found


def record(course: Course, week: str, exercise: str, *, points: float, of: float, state: State) -> bool:
    """Keep what came out of an exercise's checks.

    Work that is not there yet takes no mark away: the check was then run before the cell with the answer.

    Args:
        course: the registry.
        week: id of one of its weeks.
        exercise: id of one of the week's exercises.
        points: earned in this copy of the exercise.
        of: points that this copy can give.
        state: what the checks say of the whole exercise.

    Returns:
        Whether something was written.

    Raises:
        OSError: the file cannot be written, or another kernel does not let go of it (filelock.Timeout).
    """
    from filelock import FileLock

    path = progress_file(course)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock"), timeout=_PATIENCE):
        records = read_progress(course)
        if state == "not attempted" and exercise in records.get(week, {}):
            return False
        when = datetime.now().astimezone().isoformat(timespec="seconds")
        records.setdefault(week, {})[exercise] = Entry(points, of, state, when)
        weeks = {
            name: {key: asdict(entry) for key, entry in entries.items()} for name, entries in records.items()
        }
        replace_file(path, json.dumps({"course": course.title, "weeks": weeks}, indent=1) + "\n")
    return True


def _entry(kept: Any) -> Entry | None:
    """An entry as it was written; None for anything else."""
    try:
        entry = Entry(float(kept["points"]), float(kept["of"]), kept["state"], kept["when"])
        placed = datetime.fromisoformat(entry.when).tzinfo is not None
    except (KeyError, TypeError, ValueError):
        return None
    known = entry.state in ("not attempted", "partly", "passed")
    return entry if placed and known and 0 <= entry.points <= entry.of else None
