"""The page that JupyterLab opens: where everything is, how far I am, where to go on.

It is Markdown, which plain JupyterLab shows with working links, and no part of the repository: it is written
when JupyterLab starts (the package is a server extension for that) and whenever a check has left a note.
"""

import html
from datetime import datetime
from pathlib import Path
from typing import Any

from mmdl_course.course import Course, CourseError, Exercise, Week, load_course
from mmdl_course.files import replace_file
from mmdl_course.progress import Entry, Records, progress_file, read_progress

__all__ = ["HOME", "exercise_anchor", "home_page", "write_home"]

HOME = "notebooks/home.md"
_MARKS = {"passed": "✓ passed", "partly": "◐ partly right", "not attempted": "○ not attempted"}


def exercise_anchor(exercise: str) -> str:
    """The id of the cell that holds an exercise's heading, in every released notebook.

    Args:
        exercise: its id; one that would make the cell's longer than nbformat allows is cut.
    """
    return f"exercise-{exercise}"[:64]


def write_home(course: Course) -> bool:
    """Bring notebooks/home.md up to date.

    Args:
        course: the registry.

    Returns:
        Whether it had to be written.

    Raises:
        OSError: the folder cannot be written.
    """
    path, text = course.root / HOME, home_page(course, read_progress(course))
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    replace_file(path, text)
    return True


def home_page(course: Course, records: Records) -> str:
    """The page for these records.

    Args:
        course: the registry.
        records: what the checks have left.

    Returns:
        Markdown with a few HTML elements that JupyterLab lets pass.
    """
    file = progress_file(course)
    about = (
        "It is written anew when JupyterLab starts and when you run a check; reload it to see the latest. "
        f"Your progress is kept on this machine alone, in `{file}`; nothing is sent anywhere. "
        "To forget it, delete that file."
    )
    parts = [
        f"# {course.title}",
        _next_step(course, records),
        "## The weeks",
        _weeks(course, records),
        *(_exercises(week, records.get(week.id, {})) for week in course.ready if week.id in records),
        "## What is where",
        _places(course),
        "## About this page",
        about,
    ]
    return "\n\n".join(parts) + "\n"


def _next_step(course: Course, records: Records) -> str:
    if not course.ready:
        return "No week is ready yet."
    latest = {
        week: max(datetime.fromisoformat(entry.when) for entry in entries.values())
        for week, entries in records.items()
    }
    # The week worked in last comes first, then the others in the course's order.
    last = max(latest, key=lambda week: latest[week], default="")
    weeks = sorted(course.ready, key=lambda week: week.id != last)
    for week in weeks:
        entries = records.get(week.id, {})
        for number, exercise in enumerate(week.exercises, start=1):
            entry = entries.get(exercise.id)
            if exercise.by_hand or (entry is not None and entry.state == "passed"):
                continue
            if not entries:
                verb = "Go on with" if records else "Begin with"
                return f"**{verb} [{_name(week)}: {week.title}]({_link(week)})**"
            title = f"Exercise {number}, {exercise.title}"
            where = f"{_name(week)}, {week.title}"
            return f"**Continue where you left off: [{title}]({_link(week, exercise)})** ({where})"
    return "**Every exercise that checks itself is passed.** What is left is marked by hand or at grading."


def _weeks(course: Course, records: Records) -> str:
    rows = ["| Week | Topic | The question | Exercises passed |", "|---|---|---|---|"]
    for week in course.weeks:
        number = week.id.removeprefix("week")
        if week.status != "ready":
            greyed = map(_grey, (number, week.title, week.question, "planned"))
            rows.append(f"| {' | '.join(greyed)} |")
            continue
        entries = records.get(week.id, {})
        checked = [exercise for exercise in week.exercises if not exercise.by_hand]
        passed = sum(
            exercise.id in entries and entries[exercise.id].state == "passed" for exercise in checked
        )
        said = f"{passed}&nbsp;of&nbsp;{len(checked)}"
        bar = f'<label><progress value="{passed}" max="{len(checked)}"></progress> {said}</label>'
        rows.append(f"| {number} | [{week.title}]({_link(week)}) | {week.question} | {bar} |")
    return "\n".join(rows)


def _exercises(week: Week, entries: dict[str, Entry]) -> str:
    rows = [
        f"### {_name(week)}, exercise by exercise",
        "",
        "| Exercise | State | Points so far |",
        "|---|---|---|",
    ]
    for number, exercise in enumerate(week.exercises, start=1):
        entry = entries.get(exercise.id)
        if exercise.by_hand:
            state, points = "a person marks it", ""
        elif entry is None:
            state, points = _MARKS["not attempted"], ""
        else:
            state, points = _MARKS[entry.state], f"{entry.points:g} of {entry.of:g}"
        rows.append(f"| [{number}. {exercise.title}]({_link(week, exercise)}) | {state} | {points} |")
    rows += ["", "Some points are decided only at grading, on fresh data; they are not in this table."]
    return "\n".join(rows)


def _places(course: Course) -> str:
    lines = ["- [How to work here, and how the checks work](README.md)"]
    if course.ready:
        first = course.ready[0]
        lines.append(
            f"- First time in a notebook? [{_name(first)}]({_link(first)}) begins with five short steps."
        )
    lines.append(
        "- The notebooks are in the folder `notebooks`, one folder for each week; your work is saved in them."
    )
    return "\n".join(lines)


def _name(week: Week) -> str:
    number = week.id.removeprefix("week")
    return f"Week {int(number)}" if number.isdigit() else week.title


def _link(week: Week, exercise: Exercise | None = None) -> str:
    """Relative to notebooks/; JupyterLab scrolls to the cell that a link names."""
    notebook = f"{week.folder}/{week.folder}.ipynb"
    return notebook if exercise is None else f"{notebook}#cell-id={exercise_anchor(exercise.id)}"


def _grey(text: str) -> str:
    return f'<span style="color: #6b6b6b">{html.escape(text, quote=False)}</span>'


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "mmdl_course.home"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Write the page when a Jupyter server starts at the course's root; other servers are left alone."""
    root = Path(server.root_dir)
    if not (root / "syllabus.toml").is_file():
        return
    try:
        write_home(load_course(root))
    except (CourseError, OSError) as error:  # the server starts all the same
        server.log.warning("The course's home page could not be written: %s", error)
