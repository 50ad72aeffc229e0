"""Turn a lesson into the notebook that nbgrader reads, solutions and hidden tests still in it."""

from typing import Any

from mmdl_course.course import Exercise, Week
from mmdl_course.grading.lesson import Cell, Lesson
from mmdl_course.grading.rules_prose import PLACEHOLDER
from mmdl_course.home import exercise_anchor

__all__ = ["exercise_heading", "render_source", "week_heading"]

HIDE_INPUT = "hide-input"  # tag of a cell whose code is folded; page builders know it, too
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def render_source(lesson: Lesson) -> str:
    """The lesson as a notebook file.

    The same lesson gives the same bytes: cell ids come from grade_id, from the exercise whose heading is in
    the cell, or from the lesson's name and the cell's position, and what jupytext remembers of the .py is
    dropped.

    Args:
        lesson: a lesson without authoring problems.

    Returns:
        The text of an .ipynb file, nbformat 4.5.
    """
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    cells = []
    for cell in lesson.cells:
        make = new_code_cell if cell.kind == "code" else new_markdown_cell
        cells.append(make(_expand(cell, lesson.week), id=_cell_id(cell, lesson), metadata=_metadata(cell)))
    metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    return nbformat.writes(new_notebook(cells=cells, metadata=metadata)) + "\n"


def week_heading(week: Week) -> str:
    """What `{{week}}` becomes: title, question, where it stands in the lecture, effort, goals, limits."""
    number = week.id.removeprefix("week")
    title = f"Week {int(number)}: {week.title}" if number.isdigit() else week.title
    count = len(week.exercises)
    effort = f"{week.minutes} minutes · {count} exercise{'s' * (count != 1)} · {week.points} points"
    lines = [f"# {title}", "", f"*{week.question}*", "", f"Lecture: {week.deck} · {effort}"]
    if week.goals:
        lines += ["", "**After this week you can**", "", *(f"- {goal}" for goal in week.goals)]
    if week.out_of_scope:
        lines += ["", f"**Not this week:** {'; '.join(week.out_of_scope)}."]
    return "\n".join(lines)


def exercise_heading(exercise: Exercise, number: int) -> str:
    """What `{{exercise:<id>}}` becomes: number and title, difficulty, minutes, points, who marks."""
    points = f"{exercise.points} point{'s' * (exercise.points != 1)}"
    facts = f"Difficulty {exercise.difficulty} of 5 · {exercise.minutes} minutes · {points}"
    if exercise.by_hand:
        facts += " · marked by hand"
    return f"### Exercise {number} — {exercise.title}\n\n*{facts}*"


def _expand(cell: Cell, week: Week) -> str:
    if cell.kind != "markdown":
        return cell.source
    numbers = {exercise.id: (exercise, number) for number, exercise in enumerate(week.exercises, start=1)}

    def text(match: Any) -> str:
        name, argument = match.groups()
        return week_heading(week) if name == "week" else exercise_heading(*numbers[argument])

    return PLACEHOLDER.sub(text, cell.source)


def _cell_id(cell: Cell, lesson: Lesson) -> str:
    if cell.grade_id:
        return cell.grade_id
    heads = [match.group(2) for match in PLACEHOLDER.finditer(cell.source) if match.group(1) == "exercise"]
    # The home page links to an exercise's heading by this name: see exercise_anchor.
    return exercise_anchor(heads[0]) if heads else f"{lesson.path.stem[:56]}-{cell.number:03d}"


def _metadata(cell: Cell) -> dict[str, Any]:
    metadata = {key: cell.metadata[key] for key in ("nbgrader", "tags") if key in cell.metadata}
    if HIDE_INPUT in metadata.get("tags", []):
        metadata["jupyter"] = {"source_hidden": True}  # what JupyterLab goes by
    return metadata
