"""Whether memory stays flat: a thousand light submissions in sandboxed warm kernels, a row after every fifty.

    python benchmarks/grading_memory.py [--submissions 1000] [--jobs 2] [--stand-in]

The light course of grading.py is made in a temporary folder and graded by the same code as `mmdl grade`. A
row has the resident memory of the grader, of the fork server and of the process that writes feedback, and
what might pile up: open descriptors, threads, processes below the grader, folders of kernels. With
`--stand-in` no kernel runs: what is measured is then the grader alone.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from mmdl_course.grading.executors import Running, make_executor
from mmdl_course.grading.gradebook import course_directory, nbgrader_log, register_assignment
from mmdl_course.grading.grader import Grader
from mmdl_course.grading.journal import open_journal
from mmdl_course.grading.lesson import lesson_path

EVERY = 50
PROC = Path("/proc")


def resident(process: int) -> float:
    """A process's memory in MB; 0 when it is gone."""
    try:
        lines = (PROC / str(process) / "status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0) / 1000


def children(process: int) -> list[int]:
    """Process ids of a process's children."""
    try:
        found = [path.read_text() for path in (PROC / str(process) / "task").glob("*/children")]
    except OSError:
        return []
    return [int(number) for text in found for number in text.split()]


def descendants(process: int) -> int:
    """How many processes there are below one."""
    return sum(1 + descendants(child) for child in children(process))


class Counting:
    """An executor that prints a row after every fiftieth submission."""

    def __init__(self, executor: Any) -> None:
        self.executor, self.count, self.start, self.lock = executor, 0, time.monotonic(), Lock()
        print(
            f"{'done':>5}{'s':>7}{'grader MB':>11}{'server MB':>11}{'writers MB':>12}"
            f"{'descriptors':>13}{'server’s':>10}{'threads':>9}{'processes':>11}{'folders':>9}",
            flush=True,
        )

    def execute(self, notebook: Any, resources: Any) -> Any:
        """Run a notebook."""
        done = self.executor.execute(notebook, resources)
        with self.lock:
            self.count += 1
            if self.count % EVERY == 0:
                self.row()
        return done

    def row(self) -> None:
        """Say what there is now."""
        me = os.getpid()
        server = getattr(getattr(self.executor, "server", None), "pid", None) or 0
        others = sum(resident(child) for child in children(me) if child != server)
        descriptors = [
            len(list((PROC / str(process) / "fd").iterdir())) if process else 0 for process in (me, server)
        ]
        threads = len(list((PROC / "self" / "task").iterdir()))
        folders = len(list(Path(tempfile.gettempdir()).glob("mmdl-k-*")))
        seconds = time.monotonic() - self.start
        print(
            f"{self.count:5}{seconds:7.0f}{resident(me):11.0f}{resident(server):11.0f}{others:12.0f}"
            f"{descriptors[0]:13}{descriptors[1]:10}{threads:9}{descendants(me):11}{folders:9}",
            flush=True,
        )


def main() -> None:
    """Make the class and grade it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--stand-in", action="store_true", help="no kernels")
    options = parser.parse_args()
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests" / name) for name in ("", "grading")]
    from grading import make_course
    from killable import fake_executor
    from tiny_class import answered, hand_in

    if options.stand_in:
        fake_executor()
    # The kernels' own folders are counted, so they lie apart from those of other programs.
    with TemporaryDirectory() as folder, nbgrader_log(Path(folder) / "grade.log") as log:
        tempfile.tempdir = str(Path(folder, "t"))
        Path(tempfile.tempdir).mkdir()
        course = make_course(Path(folder).resolve() / "course", "light")
        week = course.weeks[0]
        release = register_assignment(course, week, scratch=course.root / "scratch").release
        for number in range(options.submissions):
            hand_in(course, f"student{number:04}", answered(release))
        journal = open_journal(course, week)
        grader = Grader(course, week, journal, log=log)
        students = sorted((course.root / "submitted").iterdir())
        config, lesson = course_directory(course).config, lesson_path(course, week)
        sandbox = "none" if options.stand_in else None
        with make_executor(config, log, seed=journal.seed, sandbox=sandbox, lesson=lesson) as running:
            running.wait()
            counting = Counting(running.executor)
            counting.row()
            rows = grader.grade(
                students, Running(counting, running.words), jobs=options.jobs, force=False, writers=1
            )
            counting.row()
        print(f"{sum(row.score == 6 for row in rows)} of {len(rows)} have full marks")


if __name__ == "__main__":
    main()
