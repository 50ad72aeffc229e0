"""What a student reads after grading: nbgrader's feedback, with a summary, without the hidden tests' text."""

import html
import re
import shutil
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor

from mmdl_course.course import Course, Week
from mmdl_course.files import replace_folder
from mmdl_course.grading.gradebook import course_directory
from mmdl_course.grading.journal import Entry
from mmdl_course.grading.late import duration
from mmdl_course.grading.scores import is_check, reported
from mmdl_course.grading.suspicions import told_to_students

__all__ = ["Feedback", "HideHiddenTests"]

_BEGIN, _END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_PICTURE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_SHORTEST = 12  # characters; shorter lines (`else:`) say nothing and are everywhere

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ max-width: 40em; margin: 3em auto; padding: 0 1em; font: 16px/1.5 sans-serif }}</style>
</head>
<body>
<h1>{title}</h1>
<p><strong>This submission could not be graded, so it has no mark yet.</strong></p>
<p>{reason}</p>
</body>
</html>
"""

# nbgrader's own list calls every exercise "Test cell"; this table takes its place.
_TABLE = """<style>#toc, .anchor-link {{ display: none }} #marks td, #marks th {{ padding: 4px 16px 4px 0;
border-top: 1px solid #ddd; text-align: left; vertical-align: top }}</style>
<h2>Marks of {student}</h2>
<table id="marks"><thead><tr><th scope="col">Exercise</th><th scope="col">Points</th>
<th scope="col">First thing to look at</th></tr></thead><tbody>{rows}</tbody></table>"""
_WAITING = "to be marked by hand"
_WITHHELD = "withheld until a person has looked at it"
_ROW = '<tr><td>{name}</td><td style="white-space: nowrap">{score}</td><td>{advice}</td></tr>'


class Feedback:
    """Writes feedback/<student>/<week>/<week>.html. It reads the gradebook and never writes it."""

    def __init__(self, course: Course, week: Week, *, log: Any) -> None:
        self.course, self.week = course, week
        self.directory = course_directory(course)
        self.directory.assignment_id = week.folder
        self.log = log
        self.converter = GenerateFeedback(coursedir=self.directory, config=self.directory.config, log=log)
        # One exporter for everybody: compiling its templates takes longer than filling them.
        self.exporter = _Page(parent=self.converter, config=self.converter.config)
        for step in (GetGrades, HideHiddenTests, self._summarise, CSSHTMLHeaderPreprocessor):
            self.exporter.register_preprocessor(step)

    def path(self, student: str) -> Path:
        """Where a student's feedback lies."""
        folder = self.directory.format_path(self.directory.feedback_directory, student, self.week.folder)
        return Path(folder) / f"{self.week.folder}.html"

    def exists(self, student: str) -> bool:
        """Whether the student has feedback."""
        return self.path(student).is_file()

    def write(self, row: Entry) -> str:
        """Do what nbgrader's generate_feedback does, for one student; the folder appears whole or not at all.

        Args:
            row: of the student; autograded/ and the gradebook have the submission.

        Returns:
            A flag when it did not work; a mark is never lost for it.
        """
        student = row.student
        graded = Path(
            self.directory.format_path(self.directory.autograded_directory, student, self.week.folder)
        )
        staged = self._staged(student)
        names = {"notebook": self.week.folder, "assignment": self.week.folder, "student": student}
        resources = {
            "unique_key": self.week.folder,
            "nbgrader": {**names, "db_url": self.directory.db_url},
            "mmdl": {"row": row},
        }
        try:
            shutil.rmtree(staged, ignore_errors=True)
            # Pictures that an answer shows lie beside it.
            shutil.copytree(graded, staged, ignore=shutil.ignore_patterns("*.ipynb", "*.pyc", "__pycache__"))
            notebook = graded / f"{self.week.folder}.ipynb"
            page, _ = self.exporter.from_filename(str(notebook), resources=resources)
            (staged / self.path(student).name).write_text(page, encoding="utf-8", errors="replace")
            replace_folder(staged, self.path(student).parent)
        except Exception as error:
            self.log.exception("No feedback for %s", student)
            shutil.rmtree(staged, ignore_errors=True)
            return f"feedback could not be written ({type(error).__name__}); see grade.log"
        return ""

    def _summarise(
        self, notebook: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Put the summary first; a converter's step."""
        row = resources["mmdl"]["row"]
        summary = _summary(self.week, row, notebook)
        for cell in notebook.cells:
            marks = cell.metadata.get("nbgrader", {})
            if marks.get("grade_id") in row.to_mark and not marks.get("comment"):
                marks["comment"] = f"This answer is still {_WAITING}: the 0 above is no mark yet."
        notebook.cells.insert(0, new_markdown_cell(summary))
        return notebook, resources

    def write_reason(self, student: str, reason: str) -> None:
        """Tell a student why there is no mark.

        Args:
            student: the student's id.
            reason: why, and what to do.
        """
        title = f"{self.week.title}: {student}"
        page = _PAGE.format(title=html.escape(title), reason=html.escape(reason))
        staged = self._staged(student)
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        (staged / self.path(student).name).write_text(page, encoding="utf-8")
        replace_folder(staged, self.path(student).parent)

    def _staged(self, student: str) -> Path:
        return self.course.root / "build" / "grading" / self.week.folder / "feedback" / student


class _Page(HTMLExporter):
    """nbconvert's HTML, without its second pass that parses the whole page: that takes most of the time."""

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Convert; of the second pass this template needs one thing, a text for every picture."""
        resources = self._init_resources(resources)
        language = nb.metadata.get("language_info", {})
        lexer = language.get("pygments_lexer", language.get("name"))
        self.register_filter("highlight_code", Highlight2HTML(pygments_lexer=lexer, parent=self))
        data = {"notebook_metadata": self._nb_metadata, "parent": self, "resources": resources}
        self.register_filter("filter_data_type", WidgetsDataTypeFilter(**data))
        page, resources = super(HTMLExporter, self).from_notebook_node(nb, resources, **kwargs)
        return _PICTURE.sub(_described, page), resources


def _described(picture: re.Match[str]) -> str:
    if re.search(r"\salt\s*=", picture[0], re.IGNORECASE):
        return picture[0]
    return f'<img alt="No description has been provided for this picture"{picture[0][4:]}'


class HideHiddenTests(NbGraderPreprocessor):
    """Take the text of hidden tests out of feedback: from check cells, and from whatever quotes it.

    The tests' results stay: their names, points and messages are for the student.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Remove the hidden regions of check cells, then every line of them from all outputs."""
        hidden: set[str] = set()
        for cell in nb.cells:
            if is_check(cell):
                cell.source, lines = _split(cell.source)
                hidden.update(lines)
        shown = "\n".join(cell.source for cell in nb.cells)
        hidden = {line for line in hidden if len(line) >= _SHORTEST and line not in shown}
        hidden |= {html.escape(line) for line in hidden}
        for cell in nb.cells:
            for output in cell.get("outputs", []):
                _clean(output, hidden)
        return nb, resources


def _split(source: str) -> tuple[str, list[str]]:
    """A check cell's visible text and its hidden lines."""
    visible, hidden, inside = [], [], False
    for line in source.split("\n"):
        if _BEGIN in line:
            inside = True
            visible.append("# hidden tests ran here; their results are below")
        if inside:
            hidden.append(line.strip())
        else:
            visible.append(line)
        inside = inside and _END not in line
    return "\n".join(visible), hidden


def _clean(output: NotebookNode, hidden: set[str]) -> None:
    if output.output_type == "stream":
        output.text = _without(output.text, hidden)
    elif output.output_type == "error":
        output.traceback = [_without(part, hidden) for part in output.traceback]
        output.evalue = _without(output.evalue, hidden)
    else:
        for kind, content in output.get("data", {}).items():
            if isinstance(content, str) and not kind.startswith("image/"):
                output.data[kind] = _without(content, hidden)


def _without(text: str, hidden: set[str]) -> str:
    if not any(line in _ANSI.sub("", text) for line in hidden):
        return text
    lines = _ANSI.sub("", text).split("\n")
    return "\n".join("[hidden test]" if any(secret in line for secret in hidden) else line for line in lines)


def _summary(week: Week, row: Entry, notebook: NotebookNode) -> str:
    """The mark per exercise with the first thing to look at, as HTML in a markdown cell."""
    marked = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in marked}
    waiting = {**dict.fromkeys(row.to_mark, _WAITING), **dict.fromkeys(row.withheld, _WITHHELD)}
    rows = []
    for exercise in week.exercises:
        cell = cells.get(exercise.graded_id)
        if cell is not None:
            score, points = cell.metadata.nbgrader.get("score"), cell.metadata.nbgrader.get("points")
            waits = waiting.get(exercise.id)
            rows.append(
                _ROW.format(
                    name=f'<a href="#{exercise.graded_id}">{html.escape(exercise.title)}</a>',
                    score=f"– of {points:g}" if waits else f"{score or 0:g} of {points:g}",
                    advice=waits or _advice(cell),
                )
            )
    table = _TABLE.format(student=html.escape(row.student), rows="".join(rows))
    for what in dict.fromkeys(waiting.values()):
        table += f"<p>The total does not have in it yet what is {what}.</p>"
    if row.late:
        table += f"<p>Handed in {duration(row.late)} late. Points taken off for that: {row.penalty:g}.</p>"
    if flags := told_to_students(week, row.flags):
        items = "".join(f"<li>{_plain(flag)}</li>" for flag in flags)
        table += f"<p><strong>Noticed while grading</strong></p><ul>{items}</ul>"
    return table


def _advice(cell: NotebookNode) -> str:
    if not is_check(cell):
        return _plain(cell.metadata.nbgrader.get("comment") or "")  # what the person wrote who marked it
    report = reported(cell)
    for result in report["results"] if report else []:
        if result.get("state") != "passed":
            return _plain(f"{result.get('name')} ({result.get('state')})")
    for output in cell.outputs:
        if output.output_type == "error":
            return _plain(output.evalue or output.ename)
    return ""


def _plain(text: str) -> str:
    """Text in one line that means nothing in HTML, nor in the markdown around it."""
    text = html.escape(" ".join(str(text).split())[:200])
    return re.sub(r"[\\`*_$]", lambda match: f"&#{ord(match[0])};", text)
