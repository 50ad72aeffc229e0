"""What a check cell must look like: Exercise("id", points=N) first, named checks, exercise.report() last."""

import ast
from collections.abc import Iterator

from mmdl_course.course import Exercise
from mmdl_course.grading.lesson import HIDDEN, Cell, regions
from mmdl_course.grading.python_cells import parse_cell

__all__ = ["inspect_check_cell"]

Complaint = tuple[int, str, str]  # 0-based line within the cell, what is wrong, what to do


def inspect_check_cell(cell: Cell, exercise: Exercise) -> Iterator[Complaint]:
    """Hold a check cell against the form that the grader and the report rely on.

    Args:
        cell: the check cell.
        exercise: what syllabus.toml says of it.

    Yields:
        A complaint per mistake: line within the cell, what is wrong, what to do.
    """
    points = cell.nbgrader.get("points")
    if points != exercise.points:
        yield (
            0,
            f"the cell's metadata says {points} points, syllabus.toml says {exercise.points}",
            f'Write "points": {exercise.points}, or correct syllabus.toml.',
        )
    tree, _ = parse_cell(cell.source)
    if tree is None or not tree.body:
        return  # a syntax error is said elsewhere
    hidden = {
        index for region in regions(cell.source, HIDDEN)[0] for index in range(region.first, region.last + 1)
    }
    visible = [node for node in tree.body if node.lineno - 1 not in hidden]
    yield from _frame(tree, visible, exercise)
    yield from _checks(tree, exercise)


def _frame(tree: ast.Module, visible: list[ast.stmt], exercise: Exercise) -> Iterator[Complaint]:
    first, last = tree.body[0], tree.body[-1]
    wanted = f'exercise = Exercise("{exercise.id}", points={exercise.points})'
    made = first.value if isinstance(first, ast.Assign) else None
    if (
        first not in visible
        or not isinstance(made, ast.Call)
        or getattr(made.func, "id", "") != "Exercise"
        or [getattr(target, "id", "") for target in first.targets] != ["exercise"]
    ):
        yield first.lineno - 1, "the check cell does not begin with Exercise(…)", f"First line: {wanted}."
    else:
        name = made.args[0].value if made.args and isinstance(made.args[0], ast.Constant) else None
        if name != exercise.id:
            yield (
                first.lineno - 1,
                f'Exercise({name!r}) is not the exercise "{exercise.id}"',
                f"Write {wanted}.",
            )
        points = _literal(made, "points")
        if points != exercise.points:
            yield (
                first.lineno - 1,
                f"Exercise(…) says {points} points, syllabus.toml says {exercise.points}",
                f"Write {wanted}.",
            )
    if last not in visible or not isinstance(last, ast.Expr) or ast.unparse(last) != "exercise.report()":
        yield (
            last.lineno - 1,
            "the check cell does not end with exercise.report()",
            "Make it the last line, outside hidden tests: its value is the score.",
        )


def _checks(tree: ast.Module, exercise: Exercise) -> Iterator[Complaint]:
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "exercise.check"
    ]
    total, names = 0.0, []
    for call in sorted(calls, key=lambda call: call.lineno):
        line = call.lineno - 1
        name = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if not isinstance(name, str) or not name.strip():
            yield (
                line,
                "a check without a name",
                'Write exercise.check("what must hold", points=1, hint="…").',
            )
        elif name in names:
            yield line, f'two checks are called "{name}"', "Give each check its own name."
        names.append(name)
        points = _literal(call, "points")
        if not isinstance(points, int | float) or isinstance(points, bool) or points < 0:
            yield (
                line,
                f'check "{name}" has no points',
                "Write points=1 (a number, so that the sum can be checked).",
            )
        else:
            total += points
        hint = next((keyword.value for keyword in call.keywords if keyword.arg == "hint"), None)
        if hint is None or (isinstance(hint, ast.Constant) and not str(hint.value).strip()):
            yield (
                line,
                f'check "{name}" has no hint',
                'Write hint="the likely cause, in words a student knows".',
            )
    if abs(total - exercise.points) > 1e-9:
        yield (
            0,
            f"the checks' points sum to {total:g}, syllabus.toml says {exercise.points}",
            "Change the checks' points or syllabus.toml.",
        )


def _literal(call: ast.Call, name: str) -> object:
    value = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    return value.value if isinstance(value, ast.Constant) else None
