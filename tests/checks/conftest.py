"""A notebook in miniature: a student's cell and a check cell, run one after the other in one namespace."""

import linecache
import textwrap
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace

import pytest

_numbers = count(1)


@pytest.fixture(autouse=True)
def seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMDL_SEED", "7")
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


class Notebook:
    """Cells share `names`, as in a kernel; each is a file of its own for tracebacks, as in IPython."""

    def __init__(self) -> None:
        self.names: dict = {"__name__": "__main__"}
        self.cell("import math, sys, time, warnings\nimport numpy as np\nimport torch\nfrom torch import nn")
        self.cell("from mmdl_course.checks import Exercise")

    def cell(self, source: str) -> None:
        source = textwrap.dedent(source)
        file = f"<cell {next(_numbers)}>"
        linecache.cache[file] = (len(source), None, source.splitlines(True), file)
        exec(compile(source, file, "exec"), self.names)


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def one(notebook: Notebook) -> Callable[..., SimpleNamespace]:
    """Run one check, of 2 points, on a student's cell; its Result, and the score of the cell."""

    def run(body: str, student: str = "", **options: object) -> SimpleNamespace:
        notebook.cell(student)
        arguments = "".join(f", {name}={value!r}" for name, value in options.items())
        notebook.cell(
            'exercise = Exercise("task", points=2)\ncall = exercise.student()\n'
            f'with exercise.check("the claim", points=2{arguments}):\n'
            + textwrap.indent(textwrap.dedent(body).strip(), "    ")
            + "\nscore = exercise.report()"
        )
        (result,) = notebook.names["exercise"].results
        return SimpleNamespace(
            state=result.state, earned=result.earned, message=result.message, score=notebook.names["score"]
        )

    return run
