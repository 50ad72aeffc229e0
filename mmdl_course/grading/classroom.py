"""A class of submissions, made on purpose: right, wrong, empty and broken in the ways that classes know."""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmdl_course.course import Exercise, Week
from mmdl_course.grading.journal import FAILED, FLAGGED, GRADED
from mmdl_course.grading.submissions import Variant

__all__ = ["Designed", "make_class"]

# nbgrader takes the folder's name as the student's id.
STUDENTS = (
    "amara.okafor",
    "ben.lindqvist",
    "chiara.rossi",
    "daniel.oneill",
    "elif.yilmaz",
    "farid.haddad",
    "greta.hoffmann",
    "hana.suzuki",
    "ivan.petrov",
    "jana.novakova",
    "kofi.mensah",
    "lucia.fernandez",
    "malik.rahman",
    "nora.jensen",
    "oscar.dubois",
    "priya.nair",
    "quentin.moreau",
    "rosa.silva",
    "sofia.andersson",
    "tomas.kovac",
    "uma.krishnan",
    "victor.chen",
    "wanda.zielinska",
    "yusuf.demir",
)


@dataclass(frozen=True)
class Designed:
    """What a submission was made to be, and what must come out."""

    student: str
    kind: str
    state: str
    least: float | None  # points; None: no mark
    most: float | None
    notice: str = ""  # words that a flag or the reason must contain

    def agrees(self, *, state: str, score: float | None, notes: str) -> bool:
        """Whether a row came out as designed.

        Args:
            state: of the row.
            score: of the row, in points.
            notes: its reason and flags.
        """
        if state != self.state or self.notice not in notes or (score is None) != (self.least is None):
            return False
        return score is None or self.least - 1e-9 <= score <= self.most + 1e-9

    @property
    def expected(self) -> str:
        """The designed mark in words."""
        if self.least is None:
            return "no mark"
        return f"{self.least:g}" if self.least == self.most else f"{self.least:g} to {self.most:g}"


class _Maker:
    """Makes submissions of one week from its release, its wheats and its chaffs."""

    def __init__(self, week: Week, release: Any, variants: Sequence[Variant]) -> None:
        self.week, self.release = week, release
        self.variants = {
            (exercise.id, kind): [v for v in variants if (v.exercise, v.kind) == (exercise.id, kind)]
            for exercise in week.exercises
            for kind in ("wheat", "chaff")
        }

    def wheat(self, exercise: Exercise, turn: int = 0) -> str:
        found = self.variants[exercise.id, "wheat"]
        return found[turn % len(found)].source

    def chaff(self, exercise: Exercise, turn: int = 0) -> str:
        found = self.variants[exercise.id, "chaff"]
        return found[turn % len(found)].source

    def notebook(self, turn: int = 0, **answers: str | None) -> Any:
        """The release answered rightly, but for the exercises in `answers` (None: left as released)."""
        made = copy.deepcopy(self.release)
        for exercise in self.week.exercises:
            answer = answers.get(exercise.id, self.wheat(exercise, turn))
            if answer is not None:
                _cell(made, exercise.id).source = answer
        return made

    def without(self, exercise: Exercise) -> float:
        """Points of everything but one exercise."""
        return float(self.week.points - exercise.points)


# kind -> (maker, exercise, turn) -> (files by name, state, least, most, words of a flag or the reason)
_Made = tuple[dict[str, str], str, float | None, float | None, str]
_Recipe = Callable[[_Maker, Exercise, int], _Made]


def _right(maker: _Maker, _exercise: Exercise, turn: int) -> _Made:
    points = float(maker.week.points)
    return _file(maker, maker.notebook(turn)), GRADED, points, points, ""


def _wrong(maker: _Maker, _exercise: Exercise, turn: int) -> _Made:
    answers = {exercise.id: maker.chaff(exercise, turn) for exercise in maker.week.exercises}
    most = maker.week.points - 0.01 * len(answers)
    return _file(maker, maker.notebook(**answers)), GRADED, 0.0, most, ""


def _half_right(maker: _Maker, _exercise: Exercise, turn: int) -> _Made:
    wrong = [exercise for place, exercise in enumerate(maker.week.exercises) if place % 2 == turn % 2]
    answers = {exercise.id: maker.chaff(exercise, turn) for exercise in wrong}
    least = float(maker.week.points - sum(exercise.points for exercise in wrong))
    most = maker.week.points - 0.01 * len(wrong) if wrong else least
    return _file(maker, maker.notebook(turn, **answers)), GRADED, least, most, ""


def _unfinished(maker: _Maker, _exercise: Exercise, turn: int) -> _Made:
    half = (len(maker.week.exercises) + 1) // 2
    missing = maker.week.exercises[half:]
    points = float(sum(exercise.points for exercise in maker.week.exercises[:half]))
    answers: dict[str, str | None] = {exercise.id: None for exercise in missing}
    return _file(maker, maker.notebook(turn, **answers)), GRADED, points, points, ""


def _untouched(maker: _Maker, _exercise: Exercise, _turn: int) -> _Made:
    return _file(maker, maker.release), GRADED, 0.0, 0.0, ""


def _wrong_name(maker: _Maker, _exercise: Exercise, _turn: int) -> _Made:
    files = _file(maker, maker.notebook(), name=f"{maker.week.folder} (1).ipynb")
    points = float(maker.week.points)
    return files, FLAGGED, points, points, "file name"


def _invalid_json(maker: _Maker, _exercise: Exercise, _turn: int) -> _Made:
    files = _file(maker, maker.notebook())
    cut = {name: text[: len(text) // 2] for name, text in files.items()}
    return cut, FAILED, None, None, "not valid JSON"


def _empty_folder(_maker: _Maker, _exercise: Exercise, _turn: int) -> _Made:
    return {}, FAILED, None, None, "is empty"


def _something_else(maker: _Maker, _exercise: Exercise, _turn: int) -> _Made:
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    cells = [new_markdown_cell("# Shopping list"), new_code_cell('print("bread, cheese")')]
    return _file(maker, new_notebook(cells=cells)), FAILED, None, None, "nothing to do with"


def _stripped(maker: _Maker, _exercise: Exercise, _turn: int) -> _Made:
    made = maker.notebook()
    for cell in made.cells:
        cell.metadata = {}
    return _file(maker, made), FAILED, None, None, "lost the metadata"


def _deleted_check(maker: _Maker, exercise: Exercise, _turn: int) -> _Made:
    made = maker.notebook()
    made.cells.remove(_cell(made, exercise.check_id))
    points = float(maker.week.points)
    return _file(maker, made), FLAGGED, points, points, "deleted check"


def _deleted_answer(maker: _Maker, exercise: Exercise, _turn: int) -> _Made:
    made = maker.notebook()
    made.cells.remove(_cell(made, exercise.id))
    points = maker.without(exercise)
    return _file(maker, made), FLAGGED, points, points, "deleted answer"


def _missing_cells(maker: _Maker, exercise: Exercise, _turn: int) -> _Made:
    made = maker.notebook()
    first, last = _place(made, exercise.id), _place(made, exercise.check_id)
    del made.cells[max(0, first - 1) : last + 2]  # the task above and the hints below as well
    points = maker.without(exercise)
    return _file(maker, made), FLAGGED, points, points, "deleted check"


def _edited_check(maker: _Maker, exercise: Exercise, _turn: int) -> _Made:
    made = maker.notebook(**{exercise.id: None})
    _cell(made, exercise.check_id).source = f"float({exercise.points})"
    points = maker.without(exercise)
    return _file(maker, made), FLAGGED, points, points, "edited check"


def _copied_cell(maker: _Maker, exercise: Exercise, _turn: int) -> _Made:
    made = maker.notebook()
    double = copy.deepcopy(_cell(made, exercise.id))
    double["id"] = f"{double['id'][:50]}-copy"
    made.cells.insert(_place(made, exercise.id), double)
    points = float(maker.week.points)
    return _file(maker, made), FLAGGED, points, points, "copied cell"


def _spoiled(body: str, notice: str) -> _Recipe:
    """One exercise does something terrible when it is called; the others are right."""

    def recipe(maker: _Maker, exercise: Exercise, _turn: int) -> _Made:
        source = f"def {exercise.id}(*args, **options):\n{body}\n"
        points = maker.without(exercise)
        made = maker.notebook(**{exercise.id: source})
        return _file(maker, made), FLAGGED, points, points, notice

    return recipe


def _noisy(maker: _Maker, exercise: Exercise, _turn: int) -> _Made:
    """The right answer with a chatty wrapper: what goes to stderr costs nothing."""
    name = exercise.id
    source = f"""{maker.wheat(exercise)}


import sys
import warnings

_quiet_{name} = {name}


def {name}(*args, **options):
    print("debug: still here", file=sys.stderr)
    warnings.warn("this is only a warning")
    return _quiet_{name}(*args, **options)
"""
    points = float(maker.week.points)
    return _file(maker, maker.notebook(**{name: source})), GRADED, points, points, ""


# In an order in which every beginning is a spread: right, wrong, broken.
RECIPES: tuple[tuple[str, _Recipe], ...] = (
    ("all right", _right),
    ("plausible mistakes", _wrong),
    ("wrong file name", _wrong_name),
    ("untouched", _untouched),
    ("invalid JSON", _invalid_json),
    ("half right", _half_right),
    ("deleted check cell", _deleted_check),
    ("kernel killer", _spoiled("    import os\n\n    os._exit(1)", "kernel died")),
    ("empty folder", _empty_folder),
    ("all right", _right),
    ("infinite loop", _spoiled("    while True:\n        pass", "time limit")),
    ("deleted solution cell", _deleted_answer),
    ("edited check cell", _edited_check),
    ("noise on stderr", _noisy),
    ("plausible mistakes", _wrong),
    ("duplicated cell", _copied_cell),
    (
        "output flood",
        _spoiled('    for _ in range(100_000):\n        print("spam, spam, spam, " * 10)', "output flood"),
    ),
    ("missing cells", _missing_cells),
    ("another notebook", _something_else),
    ("half right", _half_right),
    ("metadata stripped", _stripped),
    ("unfinished", _unfinished),
    ("plausible mistakes", _wrong),
    ("all right", _right),
)


def make_class(
    week: Week, release: Any, variants: Sequence[Variant], *, submitted: Path, students: int
) -> list[Designed]:
    """Write submissions for a class. What is marked by hand stays unanswered.

    Args:
        week: the week.
        release: its released notebook.
        variants: at least one wheat and one chaff for each exercise that has checks.
        submitted: the folder to write <student>/<week>/ into.
        students: how many, from 1 to 24.

    Returns:
        What each was made to be.
    """
    week = replace(week, exercises=tuple(exercise for exercise in week.exercises if not exercise.by_hand))
    maker = _Maker(week, release, variants)
    turns: dict[str, int] = {}
    designed = []
    for number, (student, (kind, recipe)) in enumerate(zip(STUDENTS, RECIPES, strict=True)):
        if number == students:
            break
        turn = turns[kind] = turns.get(kind, -1) + 1
        exercise = week.exercises[number % len(week.exercises)]
        files, state, least, most, notice = recipe(maker, exercise, turn)
        folder = submitted / student / week.folder
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        designed.append(Designed(student, kind, state, least, most, notice))
    return designed


def _cell(notebook: Any, name: str) -> Any:
    return notebook.cells[_place(notebook, name)]


def _place(notebook: Any, name: str) -> int:
    names = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]
    return names.index(name)


def _file(maker: _Maker, notebook: Any, *, name: str = "") -> dict[str, str]:
    return {name or f"{maker.week.folder}.ipynb": json.dumps(notebook, indent=1, ensure_ascii=False)}
