"""The grader's side of the tripwires, without kernels: what it takes, and what it makes of it."""

import hashlib
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import determine_grade
from tiny_course import LESSON

from mmdl_course import checks
from mmdl_course.grading.critical import CRITICAL
from mmdl_course.grading.tripwires import METADATA, Guard, promise

CHECK = LESSON[LESSON.index('exercise = Exercise("double"') : LESSON.index("exercise.report()") + 17]
QUIET = {"armed": True, "functions": {}, "strange": [], "seen": []}
NAMES = {"two times three is six": 1.0, "negative numbers work, too": 2.0}


class Kernel:
    """An honest kernel's answers; the tests make it lie."""

    def __init__(self) -> None:
        self.cell = new_code_cell(CHECK)
        self.cell.metadata.nbgrader = {"grade": True, "grade_id": "double-check", "points": 3}
        self.guard = Guard(_notebook(self.cell))
        self.key, self.number = bytes(range(32)), 0
        self.results: list[dict[str, Any]] = []
        self.answer(self.guard.arm(), functions={"numpy": [1, [["numpy.abs", 5, "ufunc abs"]]]})

    def answer(self, request: dict[str, Any], **more: Any) -> None:
        asked = request[METADATA]
        extra = {"key": self.key.hex()} if asked["do"] == "before" else {}
        self.send(asked["do"], {**QUIET, **extra, **more}, bytes.fromhex(asked["token"]))

    def send(self, kind: str, body: dict[str, Any], key: bytes) -> None:
        text = json.dumps(body)
        seal = hashlib.blake2b(f"{kind}\n{text}".encode(), key=key, digest_size=32).hexdigest()
        self.guard.take({"kind": kind, "body": text, "seal": seal})

    def tell(self, kind: str, what: Any, *, suspicions: tuple[str, ...] = ()) -> None:
        self.send(kind, {"number": self.number, kind: what, "suspicions": suspicions, "seen": []}, self.key)
        self.key = hashlib.blake2b(self.key, digest_size=32, person=b"mmdl next").digest()
        self.number += 1

    def decide(self, name: str, earned: float, *, points: float | None = None) -> None:
        points = NAMES[name] if points is None else points
        state = "passed" if earned == points else "wrong"
        slim = {"name": name, "points": points, "earned": earned, "state": state, "message": ""}
        self.results.append(slim)
        self.tell("decided", {**slim, "lines": []})

    def report(self, earned: float, *, points: float = 3.0) -> None:
        table = {"exercise": "double", "points": points, "earned": earned, "seed": 7, "results": self.results}
        self.tell("reported", {**table, "notes": []})
        shown = {checks.MIME: table, "text/plain": ""}
        self.cell.outputs = [
            new_output("display_data", data=shown),
            new_output("execute_result", data={"text/plain": repr(earned)}),
        ]

    def run(self, first: float = 1.0, second: float = 2.0) -> None:
        self.answer(self.guard.before(self.cell))
        self.tell("begun", "double")
        for name, earned in zip(NAMES, (first, second), strict=True):
            self.decide(name, earned)
        self.report(first + second)
        self.answer(self.guard.after(self.cell))

    def settle(self) -> tuple[float, list[str]]:
        flags = self.guard.settle(self.cell)
        return determine_grade(self.cell)[0], flags


def _notebook(*cells: Any) -> Any:
    from nbformat.v4 import new_notebook

    return new_notebook(cells=[new_code_cell("import numpy, mmdl_course"), *cells])


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.mark.parametrize(("first", "second"), [(1.0, 2.0), (1.0, 0.0), (0.0, 0.5), (0.0, 0.0)])
def test_what_comes_sealed_is_the_mark(kernel: Kernel, first: float, second: float) -> None:
    kernel.run(first, second)
    assert kernel.settle() == (first + second, [])
    assert sum(checks.MIME in output.get("data", {}) for output in kernel.cell.outputs) == 1


def test_what_is_shown_is_not(kernel: Kernel) -> None:
    kernel.run(0.0, 0.0)
    kernel.cell.outputs.append(new_output("execute_result", data={"text/plain": "3.0"}))
    mark, flags = kernel.settle()
    assert mark == 0
    assert "it showed" in flags[0]


def test_a_message_with_another_seal_is_no_message(kernel: Kernel) -> None:
    kernel.run(1.0, 0.0)
    kernel.send("decided", {}, b"guessed")
    mark, flags = kernel.settle()
    assert mark == 0
    assert any("not sealed" in flag for flag in flags)


@pytest.mark.parametrize(
    "message", [None, 3, {}, {"kind": "decided", "body": 1, "seal": 2}, {"kind": [], "body": "", "seal": ""}]
)
def test_nonsense_is_a_suspicion_and_no_crash(kernel: Kernel, message: Any) -> None:
    kernel.run()
    kernel.guard.take(message)
    assert kernel.settle()[0] == 0


def test_an_answer_counts_once(kernel: Kernel) -> None:
    request = kernel.guard.before(kernel.cell)
    kernel.answer(request)
    kernel.answer(request)
    assert any("not sealed" in flag for flag in kernel.settle()[1])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda kernel: kernel.decide("a third", 3.0, points=3.0), "decided after the report"),
        (lambda kernel: kernel.report(3.0), "reported twice"),
        (lambda kernel: kernel.tell("begun", "double"), "began twice"),
        (lambda kernel: kernel.tell("begun", "double", suspicions=("a patch",)), "a patch"),
        (lambda kernel: setattr(kernel, "number", 9) or kernel.tell("begun", "double"), "is missing"),
        (lambda kernel: kernel.answer(kernel.guard.after(kernel.cell), strange=[[True, "a hook"]]), "a hook"),
        (lambda kernel: kernel.answer(kernel.guard.after(kernel.cell), armed=False), "audit hook"),
        (
            lambda kernel: kernel.answer(
                kernel.guard.after(kernel.cell), functions={"numpy": [2, [["numpy.abs", 6, "function mine"]]]}
            ),
            "numpy.abs was changed: was ufunc abs, is function mine",
        ),
    ],
)
def test_a_grave_suspicion_withholds_the_points(kernel: Kernel, spoil: Any, words: str) -> None:
    kernel.run()
    spoil(kernel)
    mark, flags = kernel.settle()
    assert mark == 0
    assert flags[0].startswith("double-check: points withheld")
    assert any(words in flag for flag in flags), flags


def test_a_slight_suspicion_is_a_flag_and_the_mark_stays(kernel: Kernel) -> None:
    kernel.run()
    kernel.answer(kernel.guard.after(kernel.cell), strange=[[False, "sys.excepthook: mine"]])
    assert kernel.settle() == (3.0, ["double-check: sys.excepthook: mine"])


def test_checks_that_the_cell_does_not_hold_are_noticed(kernel: Kernel) -> None:
    kernel.answer(kernel.guard.before(kernel.cell))
    kernel.tell("begun", "double")
    kernel.decide("two times three is six", 3.0, points=3.0)
    kernel.report(3.0)
    kernel.answer(kernel.guard.after(kernel.cell))
    mark, flags = kernel.settle()
    assert mark == 0
    assert any("not the ones in the cell" in flag for flag in flags)


def test_without_an_answer_nothing_counts(kernel: Kernel) -> None:
    kernel.run()
    kernel.guard.before(kernel.cell)
    mark, flags = kernel.settle()
    assert mark == 0
    assert any("did not answer when the check began" in flag for flag in flags)


def test_a_cell_that_stopped_by_itself_is_no_suspicion(kernel: Kernel) -> None:
    kernel.answer(kernel.guard.before(kernel.cell))
    kernel.cell.outputs = [new_output("error", ename="NameError", evalue="Exercise", traceback=[])]
    kernel.answer(kernel.guard.after(kernel.cell))
    assert kernel.settle() == (0.0, [])


def test_functions_that_stayed_are_not_sent_again(kernel: Kernel) -> None:
    assert kernel.guard.before(kernel.cell)[METADATA]["known"] == {"numpy": 1}


def test_the_promise_of_a_check_cell() -> None:
    wanted = promise(CHECK)
    assert wanted is not None
    assert (wanted.exercise, wanted.points, wanted.checks) == ("double", 3.0, NAMES)
    assert {"exercise", "double_", "Exercise"} <= set(wanted.names)
    assert promise("1 + 1") is None
    assert promise("this is (no Python") is None


def test_all_modules_of_the_checks_are_loaded_before_student_code() -> None:
    folder = Path(checks.__file__).parent
    modules = {f"mmdl_course.checks.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"}
    assert modules <= set(Guard(_notebook()).modules)


def test_every_critical_name_exists() -> None:
    for room, names in CRITICAL.items():
        module, _, attribute = room.rpartition(".") if room == "torch.Tensor" else (room, "", "")
        home = importlib.import_module(module)
        home = getattr(home, attribute) if attribute else home
        assert not [name for name in names.split() if not hasattr(home, name)], room
