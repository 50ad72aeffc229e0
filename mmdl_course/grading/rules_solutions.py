"""Rules for solutions: markers in pairs and in their place, a stub that stands where the solution stood."""

import ast
from collections.abc import Iterator

from mmdl_course.grading.lesson import HIDDEN, SOLUTION, Cell, Lesson, Problem, regions

__all__ = ["RULES"]


def _region_markers(lesson: Lesson) -> Iterator[Problem]:
    for cell in lesson.cells:
        for name in (SOLUTION, HIDDEN):
            found, wrong = regions(cell.source, name)
            for offset, what in wrong:
                remedy = f"Every ### BEGIN {name} needs its own ### END {name}."
                yield lesson.problem(cell, what, remedy, offset=offset)
            allowed = cell.is_solution if name == SOLUTION else cell.is_check
            if found and not allowed:
                kind = "solution" if name == SOLUTION else "check"
                what = f"a {name} region outside a {kind} cell would reach the students"
                yield lesson.problem(cell, what, f"Move it into a {kind} cell.", offset=found[0].first - 1)


def _solutions(lesson: Lesson) -> Iterator[Problem]:
    for cell in lesson.cells:
        if not cell.is_solution:
            continue
        found, wrong = regions(cell.source, SOLUTION)
        if wrong:
            continue  # said already
        code = [
            line.strip()
            for region in found
            for line in region.lines(cell.source)
            if line.strip() and not (cell.kind == "code" and line.strip().startswith("#"))
        ]
        if not found:
            remedy = "Put the lines that students must write between ### BEGIN SOLUTION and ### END SOLUTION."
            if cell.kind != "code":
                remedy = (
                    "Put what is worth how much, for those who mark, between ### BEGIN SOLUTION and "
                    "### END SOLUTION."
                )
            yield lesson.problem(cell, "a solution cell without a SOLUTION region", remedy)
        elif not [line for line in code if line not in ("pass", "...")]:
            remedy = "Move the reference solution between the markers."
            yield lesson.problem(
                cell,
                "the exercise is already solved in the release: its SOLUTION region is empty",
                remedy,
                offset=found[0].first - 1,
            )
        elif cell.kind == "code" and (complaint := _stub_complaint(cell)):
            yield lesson.problem(cell, complaint[0], complaint[1], offset=found[0].first - 1)


def _stub_complaint(cell: Cell) -> tuple[str, str] | None:
    """What is wrong with the cell once its SOLUTION region is the stub that students get."""
    stub = _with_stub(cell.source)
    try:
        tree = ast.parse(stub)
    except SyntaxError as error:
        return (
            f"with the stub in it, the cell is not Python: {error.msg}",
            "The markers must be indented like the code between them.",
        )
    if any(isinstance(node, ast.Raise) for node in tree.body):
        return (
            "the stub is at top level: the student's notebook would stop there",
            "Put the SOLUTION region inside a function.",
        )
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in function.body:
                if isinstance(statement, ast.Return):
                    return (
                        "the exercise is already solved in the release: "
                        f"{function.name} returns before it reaches the stub",
                        "Move that return between the SOLUTION markers.",
                    )
                if isinstance(statement, ast.Raise):
                    break
    return None


def _with_stub(source: str) -> str:
    lines, inside = [], False
    for line in source.split("\n"):
        if f"BEGIN {SOLUTION}" in line:
            lines.append(line[: len(line) - len(line.lstrip())] + "raise NotImplementedError")
            inside = True
        elif f"END {SOLUTION}" in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


RULES = (_region_markers, _solutions)
