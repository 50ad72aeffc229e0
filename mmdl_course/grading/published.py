"""A notebook for the web: the students' text and stubs, with the figures that the solved lesson draws."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.grading.notebook import HIDE_INPUT
from mmdl_course.grading.scores import is_check

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["index_page", "publish"]

# What a page can show; widgets need a kernel, and each has a still picture beside it.
_SHOWN = ("text/html", "image/png", "image/svg+xml", "text/markdown", "text/latex", "text/plain")
_WIDGET = "application/vnd.jupyter.widget-view+json"
_BAR = re.compile(r"\d+%\||it/s|s/it")  # tqdm's
_HOME = re.compile(r"\(\.\./home\.md\)")


def publish(
    week: Week, released: "NotebookNode", solved: "NotebookNode", *, secrets: Sequence[str], note: str
) -> "NotebookNode":
    """Put the outputs of the solved lesson into the notebook that students get.

    Cells for answers and their checks stay without outputs, and a check's code is folded.

    Args:
        week: the week, for messages.
        released: the notebook as students get it; it is not changed.
        solved: the executed notebook with solutions.
        secrets: lines that must not be published; see `release.secret_lines`.
        note: Markdown that goes below the first cell.

    Returns:
        The notebook to publish.

    Raises:
        CourseError: the two notebooks do not fit together, or a secret line would get out.
    """
    from copy import deepcopy

    from nbformat.v4 import new_markdown_cell

    page = deepcopy(released)
    if [cell.id for cell in page.cells] != [cell.id for cell in solved.cells]:
        raise CourseError(f"{week.folder}: the released and the solved notebook have different cells.")
    for cell, done in zip(page.cells, solved.cells, strict=True):
        if cell.cell_type != "code":
            cell.source = _HOME.sub("(../index.md)", cell.source)
        elif is_check(cell):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), HIDE_INPUT]
        elif not cell.metadata.get("nbgrader", {}).get("solution"):
            cell.outputs = [kept for output in done.outputs if (kept := _kept(output)) is not None]
    page.cells.insert(1, new_markdown_cell(note, id="about-this-page"))
    page.metadata.pop("widgets", None)
    text = "\n".join(_texts(page))
    if leaked := [line for line in secrets if line in text]:
        listed = "\n".join(f"  {line}" for line in leaked)
        raise CourseError(
            f"{week.folder}: the page would give solutions away; nothing was published.\n{listed}"
        )
    return page


def index_page(course: Course, weeks: Sequence[Week], *, pictures: Sequence[str]) -> str:
    """The site's first page.

    Args:
        course: the registry.
        weeks: the weeks that have a page.
        pictures: Markdown of pictures to show, with their alt texts.

    Returns:
        MyST Markdown with the site's table of contents.
    """
    rows = ["| Week | Topic | The question | Exercises |", "|---|---|---|---|"]
    for week in course.weeks:
        number = week.id.removeprefix("week")
        if week in weeks:
            topic, count = f"[{week.title}](weeks/{week.folder}.ipynb)", str(len(week.exercises))
        else:
            topic, count = (
                f"{week.title} *({'not on this site' if week.status == 'ready' else 'planned'})*",
                "",
            )
        rows.append(f"| {number} | {topic} | {week.question} | {count} |")
    pages = "\n".join(f"weeks/{week.folder}" for week in weeks)
    return (
        "\n\n".join(
            [
                f"# {course.title}",
                "Every notebook of the course, to read: the text, the exercises as students get them, and "
                "the figures that a solved notebook draws. To solve the exercises and see what their checks "
                "say, open the notebooks in JupyterLab; each page has its notebook to download.",
                *pictures,
                "## The weeks",
                "\n".join(rows),
                f"```{{toctree}}\n:hidden:\n:maxdepth: 2\n\n{pages}\n```",
            ]
        )
        + "\n"
    )


def _kept(output: "NotebookNode") -> "NotebookNode | None":
    """An output without what a page cannot show; None when nothing is left."""
    if output.output_type == "stream":
        return None if output.name == "stderr" or _BAR.search(output.text) else output
    data = {mime: output.data[mime] for mime in _SHOWN if mime in output.data}
    if not data or (set(data) == {"text/plain"} and _WIDGET in output.data):
        return None
    output.data = data
    return output


def _texts(page: "NotebookNode") -> list[str]:
    import html

    texts = []
    for cell in page.cells:
        texts.append(cell.source)
        for output in cell.get("outputs", []):
            texts.append(output.get("text", ""))
            for mime, content in output.get("data", {}).items():
                texts.append(html.unescape(content) if mime == "text/html" else content)
    return texts
