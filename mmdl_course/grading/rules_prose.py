"""Rules for what students read and see: placeholders that the registry can fill, pictures in words."""

import ast
import re
from collections.abc import Iterator

from mmdl_course.grading.lesson import Cell, Lesson, Problem
from mmdl_course.grading.python_cells import parse_cell

__all__ = ["PLACEHOLDER", "RULES"]

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]+)\s*(?::\s*([^}]*?)\s*)?\}\}")
_EMPTY_ALT = re.compile(r"!\[\s*\]\(|<img(?![^>]*\balt\s*=\s*[\"'][^\"']+[\"'])[^>]*>", re.IGNORECASE)


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


def _figures(lesson: Lesson) -> Iterator[Problem]:
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
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (complaint := _show_complaint(node)):
                yield lesson.problem(cell, *complaint, offset=node.lineno - 1)


def _show_complaint(call: ast.Call) -> tuple[str, str] | None:
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
    return None


RULES = (_placeholders, _figures)
