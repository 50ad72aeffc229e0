"""The two pages that say what is in the course, made from syllabus.toml."""

from pathlib import Path

from mmdl_course.course import Course, CourseError, Week

__all__ = ["START_PAGE", "readme_with_syllabus", "start_page", "syllabus_table"]

START_PAGE = "notebooks/README.md"
_BEGIN, _END = "<!-- syllabus -->", "<!-- /syllabus -->"


def syllabus_table(course: Course, *, prefix: str = "") -> str:
    """A Markdown table of all weeks, with links to the ready ones.

    Args:
        course: the registry.
        prefix: path from the page to notebooks/, ending in a slash or empty.

    Returns:
        The table, without a final newline.
    """
    rows = [
        "| Week | Topic | The question | Exercises | Points | Minutes |",
        "|---|---|---|--:|--:|--:|",
    ]
    for week in course.weeks:
        number = week.id.removeprefix("week")
        if week.status == "ready":
            topic = f"[{week.title}]({prefix}{week.folder}/{week.folder}.ipynb)"
            facts = f"{len(week.exercises)} | {week.points} | {week.minutes}"
        else:
            topic, facts = f"{week.title} *(planned)*", "| |"
        rows.append(f"| {number} | {topic} | {week.question} | {facts} |")
    return "\n".join(rows)


def readme_with_syllabus(course: Course) -> tuple[Path, str]:
    """The root README with a fresh table between its syllabus markers.

    Args:
        course: the registry.

    Returns:
        The README's path and the text it should have.

    Raises:
        CourseError: there is no README, or it lacks the markers.
    """
    path = course.root / "README.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise CourseError(
            f"{path} lacks the lines {_BEGIN} and {_END}. Put them where the table of weeks belongs."
        )
    return path, f"{before}{_BEGIN}\n{syllabus_table(course, prefix='notebooks/')}\n{_END}{after}"


def start_page(course: Course) -> str:
    """The page that JupyterLab opens first: notebooks/README.md.

    Args:
        course: the registry.

    Returns:
        Markdown.
    """
    first = _first_link(course.ready)
    return f"""# {course.title}

You learn by doing: each week is one notebook that you read, run and complete.

## Begin

1. Open {first} (a click on the link opens it).
2. Run a cell with Shift+Enter, from top to bottom.
3. At an exercise, replace the line `raise NotImplementedError("not attempted yet")` by your code.
4. Run the check cell below it, read what it says, improve, run it again.
5. Stuck? Below the check are hints: a nudge first, then pseudo code, then help by symptom.

Your work is saved in the notebook itself. Nothing here overwrites a notebook that you have worked in.

## How checks work

A check cell lists named claims about your code, each with its points: **passed**, **wrong** (it ran, but the
result is not right), **crashed** (it stopped with an error) or **not attempted**. A failed one says what was
called, what came back, what was expected and what is often the cause. All checks run, so part of an exercise
earns part of its points. Some points are decided only at grading, on fresh data. Right code earns them, too.
A few answers are texts, and a person reads them: they say "marked by hand", and have no check.

## The weeks

{syllabus_table(course)}
"""


def _first_link(ready: tuple[Week, ...]) -> str:
    if not ready:
        return "the first week, as soon as there is one"
    week = ready[0]
    return f"[{week.title}]({week.folder}/{week.folder}.ipynb)"
