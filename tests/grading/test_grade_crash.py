"""Grading is killed at any moment and started again: the result is that of a run that nobody killed."""

import difflib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from by_hand import answered, make_course_by_hand, mark
from tiny_class import FOLDER, hand_in

from mmdl_course.course import Course
from mmdl_course.grading.grade import NEEDS_A_PERSON, grade_week
from mmdl_course.grading.gradebook import register_assignment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning"),
]

WRONG = "def double(x):\n    return x\n"
KILLS, KILLS_A_ROUND = 32, 4  # in each of the two tests


class Killable:
    """Starts `mmdl grade` runs in processes of their own; see killable.py."""

    def __init__(self, output: Path) -> None:
        self.output = output
        command = [sys.executable, str(Path(__file__).with_name("killable.py"))]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, root: Path, *, fake: bool = False, die_at: int | None = None) -> int:
        order = {"root": str(root), "output": str(self.output), "fake": fake, "die_at": die_at}
        assert self.server.stdin is not None
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        return int(self._line())

    def wait(self) -> int:
        return int(self._line())

    def run(self, root: Path, *, fake: bool = False, die_at: int | None = None) -> int:
        self.start(root, fake=fake, die_at=die_at)
        return self.wait()

    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def done(self) -> set[str]:
        """Students whose row was shown with a mark."""
        return set(re.findall(r"^\[\d+/\d+\] (\w+): graded", self.text(), re.MULTILINE))

    def _line(self) -> str:
        assert self.server.stdout is not None
        return self.server.stdout.readline()


@pytest.fixture(scope="module")
def killable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killable]:
    made = Killable(tmp_path_factory.mktemp("output") / "output.txt")
    yield made
    assert made.server.stdin is not None
    assert made.server.stdout is not None
    made.server.stdin.close()
    made.server.wait(timeout=20)
    made.server.stdout.close()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class that is graded and marked by hand, and has handed in again since."""
    course = make_course_by_hand(tmp_path_factory.mktemp("course") / "class")
    week = course.weeks[0]
    release = register_assignment(course, week, scratch=course.root / "scratch").release
    for student in ("anna", "bo", "carla", "eva", "fay"):
        hand_in(course, student, answered(release, f"{student}'s reason", double=WRONG))
    assert grade_week(course, "week01", json_file=None, force=False, jobs=1) == NEEDS_A_PERSON
    for student in ("anna", "bo", "carla"):
        mark(course, student, 2, "Good.")
    grade_week(course, "week01", json_file=None, force=False, jobs=1)
    hand_in(course, "anna", answered(release, "anna's reason"))  # the marked text is the same
    hand_in(course, "bo", answered(release, "another reason"))  # and this one is not
    hand_in(course, "carla", "{ broken")
    hand_in(course, "dai", answered(release, "dai's reason"))  # new; eva's is unchanged
    mark(course, "fay", 3, "Marked since.")
    return course


def _copy(course: Course, place: Path) -> Path:
    """The class at another place; the lesson's build is stamped with no path, so it stays fresh."""
    if place.exists():
        shutil.rmtree(place)
    shutil.copytree(course.root, place, symlinks=True)
    return place


def _snapshot(root: Path) -> dict[str, Any]:
    """All that grading makes, without times and places."""
    journal = json.loads((root / "reports" / FOLDER / "journal.json").read_text(encoding="utf-8"))
    for entry in journal["entries"]:
        del entry["seconds"]
    tables = {}
    with sqlite3.connect(root / "gradebook.db") as database:
        for name, columns in (
            ("student", "id"),
            ("submitted_assignment", "student_id"),
            ("grade", "auto_score, manual_score, extra_credit, needs_manual_grade"),
            ("comment", "auto_comment, manual_comment"),
        ):
            order = "" if name in ("student", "submitted_assignment") else _OWNER.format(table=name)
            selected = f"SELECT {columns} FROM {name}" if not order else order.format(columns=columns)
            tables[name] = sorted(map(repr, database.execute(selected)))
    database.close()
    files = {}
    for folder in ("autograded", "feedback"):
        for path in sorted((root / folder).rglob("*")):
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+Z?|\bin \d\.\d+ s\b", "TIME", text)
            files[str(path.relative_to(root))] = text
    left = [
        str(path) for path in (root / "build" / "grading" / FOLDER).glob("*/*") if "release" not in str(path)
    ]
    return {"journal": journal, "tables": tables, "files": files, "left": left}


def _differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    said = []
    for part in ("journal", "tables", "left"):
        if found[part] != expected[part]:
            said.append(f"{part}: {found[part]} != {expected[part]}")
    for path in sorted({*found["files"], *expected["files"]}):
        before, after = expected["files"].get(path), found["files"].get(path)
        if before is None or after is None:
            said.append(f"{path}: {'not ' if after is None else ''}there")
        elif before != after:
            said += [f"{path}:", *difflib.unified_diff(before.split("\n"), after.split("\n"), n=0)]
    return said


_OWNER = (
    "SELECT s.student_id, b.name, {{columns}} FROM {table} t "
    "JOIN submitted_notebook n ON t.notebook_id = n.id "
    "JOIN submitted_assignment s ON n.assignment_id = s.id "
    "JOIN base_cell b ON t.cell_id = b.id"
)


def test_killed_after_every_kind_of_step(killable: Killable, course: Course, tmp_path: Path) -> None:
    root = _copy(course, tmp_path / "whole")
    assert killable.run(root, fake=True, die_at=10**9) == NEEDS_A_PERSON, killable.text()
    steps = int(re.search(r"STEPS (\d+)", killable.text())[1])
    expected = _snapshot(root)
    print(f"{steps} steps")  # noqa: T201
    draw = random.Random(9)
    killed = 0
    while killed < KILLS:
        root = _copy(course, tmp_path / "killed")
        done: set[str] = set()
        numbers = [draw.randint(1, steps) for _ in range(KILLS_A_ROUND)]
        for number in numbers:  # after an earlier kill less is left to do: then the run may end
            killed += killable.run(root, fake=True, die_at=number) == -signal.SIGKILL
            assert not done & killable.done(), numbers  # none is graded twice
            done |= killable.done()
        assert killable.run(root, fake=True) == NEEDS_A_PERSON, (numbers, killable.text())
        assert not done & killable.done(), numbers
        assert _differences(_snapshot(root), expected) == [], numbers


def test_killed_at_random_moments_with_real_kernels(
    killable: Killable, course: Course, tmp_path: Path
) -> None:
    root = _copy(course, tmp_path / "whole")
    start = time.monotonic()
    assert killable.run(root) == NEEDS_A_PERSON, killable.text()
    whole = time.monotonic() - start
    expected = _snapshot(root)
    draw = random.Random(9)
    killed = too_late = 0
    while killed < KILLS:
        root = _copy(course, tmp_path / "killed")
        done: set[str] = set()
        for _ in range(KILLS_A_ROUND):
            pid = killable.start(root)
            time.sleep(draw.uniform(0, whole))
            if (status := _kill(killable, pid)) == -signal.SIGKILL:
                killed += 1
            else:
                assert status == NEEDS_A_PERSON, killable.text()
                too_late += 1
            assert not done & killable.done()
            done |= killable.done()
        assert killable.run(root) == NEEDS_A_PERSON, killable.text()
        assert not done & killable.done()
        assert _differences(_snapshot(root), expected) == []
    print(f"{killed} runs killed, {too_late} were faster; a whole run took {whole:.1f} s")  # noqa: T201


def _kill(killable: Killable, pid: int) -> int:
    # The server waits for the process, so its id cannot have gone to another one before this.
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return killable.wait()
