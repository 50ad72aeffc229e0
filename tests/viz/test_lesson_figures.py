"""What lessons hand to figures, read without running them: titles, labels with units, descriptions."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import figure_rules as rules
import pytest

from mmdl_course import viz
from mmdl_course.course import load_course
from mmdl_course.grading.lesson import lesson_path
from mmdl_course.viz import explorers

COURSE = load_course()
LESSONS = [lesson_path(COURSE, week) for week in COURSE.ready]
LABELS = ("x_label", "y_label", "unit", "error_label", "distance_label")
TITLED_BY_THEIR_PANELS = {"scoreboard_table"}  # its caption is the unit


def calls(lesson: Path) -> Iterator[tuple[str, object, ast.Call]]:
    """Every call of a function of viz or of its explorers: where, which, and the call."""
    tree = ast.parse(lesson.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = ast.unparse(node.func.value)
        room = {"viz": viz, "viz.explorers": explorers, "explorers": explorers}.get(owner)
        if room is not None and node.func.attr != "show":
            yield f"{lesson.name}:{node.lineno}", getattr(room, node.func.attr), node


def written(lesson: Path, call: ast.Call) -> set[str]:
    """The names of a call's arguments, those of `**board` included where board is written in the lesson."""
    names = {keyword.arg for keyword in call.keywords if keyword.arg}
    tree = ast.parse(lesson.read_text(encoding="utf-8"))
    for keyword in call.keywords:
        if keyword.arg is not None or not isinstance(keyword.value, ast.Name):
            continue
        # The last one above the call: lessons use a name again.
        above = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            and node.lineno < call.lineno
            and ast.unparse(node.targets[0]) == keyword.value.id
        ]
        board = max(above, key=lambda value: value.lineno)
        names |= {key.value for key in board.keys} if isinstance(board, ast.Dict) else set()
    return names


def texts(value: ast.expr) -> Iterator[str]:
    """What stands in a label, for each way it can go; a computed part counts as nothing."""
    if isinstance(value, ast.Constant):
        yield str(value.value)
    elif isinstance(value, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else " " for part in value.values)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_figure_has_a_title(lesson):
    untitled = [
        where
        for where, function, call in calls(lesson)
        if "title" in inspect.signature(function).parameters
        and function.__name__ not in TITLED_BY_THEIR_PANELS
        and "title" not in written(lesson, call)
    ]
    assert untitled == [], "pass title=…: what is found, or the question that the figure answers"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_no_title_stands_twice_in_a_lesson(lesson):
    seen: dict[str, str] = {}
    for where, _, call in calls(lesson):
        for keyword in call.keywords:
            if keyword.arg == "title":
                title = ast.unparse(keyword.value)
                assert title not in seen, f"{where} and {seen[title]} have the same title"
                seen[title] = where


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_label_says_its_unit(lesson):
    found = [
        f"{where}: {keyword.arg}={text!r}"
        for where, _, call in calls(lesson)
        for keyword in call.keywords
        if keyword.arg in LABELS
        for text in texts(keyword.value)
        if not rules.says_unit(text)
    ]
    assert found == [], "name the unit in parentheses, or the quantity: see UNITS and DIMENSIONLESS"


def test_what_is_read_of_a_lesson_can_fail(tmp_path):
    lesson = tmp_path / "week99.py"
    lesson.write_text(
        'board = {"unit": "size"}\nviz.scoreboard(rows, **board)\n'
        'viz.curves({}, x=x, x_label="size", y_label=f"loss of {name} (nats)")\n'
        'viz.strip({}, title="one")\nboard = {"title": "two"}\nviz.scoreboard(rows, **board)\n',
        encoding="utf-8",
    )
    for check, named in (
        (test_every_figure_has_a_title, "week99.py:2"),
        (test_every_label_says_its_unit, "x_label='size'"),
    ):
        with pytest.raises(AssertionError, match=named):
            check(lesson)
    lesson.write_text('viz.strip({}, title="one")\nviz.strip({}, title="one")\n', encoding="utf-8")
    with pytest.raises(AssertionError, match="the same title"):
        test_no_title_stands_twice_in_a_lesson(lesson)
