"""Rules for what students read and see: placeholders that the registry can fill, pictures in words."""

import ast
import re
from collections.abc import Iterator

from mmdl_course.grading.lesson import Cell, Lesson, Problem
from mmdl_course.grading.python_cells import parse_cell

__all__ = ["PLACEHOLDER", "RULES"]

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]+)\s*(?::\s*([^}]*?)\s*)?\}\}")
_EMPTY_ALT = re.compile(r"!\[\s*\]\(|<img(?![^>]*\balt\s*=\s*[\"'][^\"']+[\"'])[^>]*>", re.IGNORECASE)
_EMPTY_WORDS = re.compile(
    r"\s*(an?\s+|the\s+|this\s+)?(figure|plot|graph|chart|image|picture)\s+(of|showing|shows|that shows)\b",
    re.IGNORECASE,
)
_NO_FIGURES = ("show", "scoreboard_table")  # of viz
_NOT_PROSE = re.compile(r"```.*?```|``.*?``|`[^`]*`|\$\$.*?\$\$|\$[^$\n]*\$|<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\n]*)\)")
_ADDRESS = re.compile(r"(https?:|mailto:|attachment:|#|\.{0,2}/)\S*|[\w./%-]+\.\w+(#\S*)?")


def _placeholders(lesson: Lesson) -> Iterator[Problem]:
    ids = [exercise.id for exercise in lesson.week.exercises]
    found: dict[str, Cell] = {}
    for cell in lesson.cells:
        if cell.kind != "markdown":
            continue
        for offset, line in enumerate(cell.source.split("\n")):
            for match in PLACEHOLDER.finditer(line):
                name, argument = match.groups()
                text = f"{name}:{argument}" if argument else name
                known = "Known: {{week}} and {{exercise:<id>}}."
                if name not in ("week", "exercise") or (name == "week") == bool(argument):
                    yield lesson.problem(cell, f"unknown placeholder {match.group()}", known, offset=offset)
                elif argument and argument not in ids:
                    what = f'{match.group()}: {lesson.week.id} has no exercise "{argument}" in syllabus.toml'
                    yield lesson.problem(cell, what, f"Known: {', '.join(ids)}.", offset=offset)
                elif line.strip() != match.group():
                    yield lesson.problem(
                        cell,
                        f"{match.group()} must stand alone in its line",
                        "Give it a line of its own.",
                        offset=offset,
                    )
                elif text in found:
                    yield lesson.problem(cell, f"{match.group()} appears twice", "Remove one.", offset=offset)
                found.setdefault(text, cell)
    if "week" not in found:
        yield Problem(
            lesson.path,
            lesson.cells[0].line,
            "cell 1",
            "{{week}} is missing",
            "Put it into the first markdown cell: it becomes the title, goals and minutes.",
        )
    for cell in lesson.cells:
        if cell.is_solution and cell.grade_id in ids:
            header = found.get(f"exercise:{cell.grade_id}")
            if header is None or header.number >= cell.number:
                what = f"{{{{exercise:{cell.grade_id}}}}} is missing before the solution cell"
                remedy = "Put it above the exercise's text: it becomes the heading with minutes and points."
                yield lesson.problem(cell, what, remedy)


def _links(lesson: Lesson) -> Iterator[Problem]:
    """Brackets before parentheses are a link in Markdown: what was not meant as one loses them there."""
    for cell in lesson.cells:
        if cell.kind != "markdown":
            continue
        # Code and formulas keep their brackets; blanked, so that lines and columns stay.
        prose = _NOT_PROSE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), cell.source)
        for offset, line in enumerate(prose.split("\n")):
            for match in _LINK.finditer(line):
                if not _ADDRESS.fullmatch(match.group(1).strip()):
                    what = f"{match.group()} is shown as a link"
                    remedy = "Put it between backticks or dollars, or a space before the parenthesis."
                    yield lesson.problem(cell, what, remedy, offset=offset)


def _figures(lesson: Lesson) -> Iterator[Problem]:
    said: set[str] = set()
    for cell in lesson.cells:
        if cell.kind == "markdown":
            for offset, line in enumerate(cell.source.split("\n")):
                if _EMPTY_ALT.search(line):
                    remedy = "Say in words what the picture shows: ![words](…)."
                    yield lesson.problem(cell, "a picture without alt text", remedy, offset=offset)
            continue
        tree, error = parse_cell(cell.source)
        if tree is None:
            yield lesson.problem(
                cell, f"not Python: {error.msg}", "Correct the cell.", offset=(error.lineno or 1) - 1
            )
            continue
        calls = sorted(
            (node for node in ast.walk(tree) if isinstance(node, ast.Call)), key=lambda call: call.lineno
        )
        for call in calls:
            if complaint := _show_complaint(call, said):
                yield lesson.problem(cell, *complaint, offset=call.lineno - 1)
        if tree.body and _is_bare_figure(tree):
            yield lesson.problem(
                cell,
                "a figure as a cell's last expression has no alt text",
                'Write viz.show(figure, alt="…").',
                offset=tree.body[-1].lineno - 1,
            )


def _show_complaint(call: ast.Call, said: set[str]) -> tuple[str, str] | None:
    """What is wrong with the alt text of a call of show; `said` are the lesson's alt texts so far."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name != "show":
        return None
    if isinstance(owner, ast.Name) and owner.id in ("plt", "pyplot"):
        return "plt.show() cannot carry alt text", 'Write viz.show(figure, alt="…").'
    alt = next((keyword.value for keyword in call.keywords if keyword.arg == "alt"), None)
    if alt is None or (isinstance(alt, ast.Constant) and not str(alt.value).strip()):
        return (
            "a figure is shown without alt text",
            'Write show(figure, alt="…") and say what there is to see.',
        )
    if opening := _EMPTY_WORDS.match(_beginning(alt)):
        return (
            f"the alt text begins with “{opening.group().strip()}”",
            "A screen reader says already that it is a picture: say what there is to see.",
        )
    if isinstance(alt, ast.Constant):
        if alt.value in said:
            return (
                "another figure of this lesson has the same alt text",
                "Say what is to be seen in this one and not in the other.",
            )
        said.add(alt.value)
    return None


def _beginning(alt: ast.expr) -> str:
    """The letters that an expression begins with, as far as they stand in the lesson."""
    while isinstance(alt, ast.BinOp | ast.JoinedStr):
        alt = alt.left if isinstance(alt, ast.BinOp) else alt.values[0]
    return str(alt.value) if isinstance(alt, ast.Constant) else ""


def _is_bare_figure(tree: ast.Module) -> bool:
    """Whether a cell ends with a figure, which Jupyter would show without a word."""
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        return False
    figures = {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign) and _makes_figure(statement.value)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    return _makes_figure(last.value) or (isinstance(last.value, ast.Name) and last.value.id in figures)


def _makes_figure(value: ast.expr) -> bool:
    """Whether it is a call of a function of viz that returns a figure; explorers bring their own alt text."""
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and isinstance(value.func.value, ast.Name)
        and value.func.value.id == "viz"
        and value.func.attr not in _NO_FIGURES
    )


RULES = (_placeholders, _links, _figures)
