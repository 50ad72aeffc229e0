"""Whether the grader's memory stays flat: a thousand light submissions, its size after every hundred.

    python benchmarks/grading_memory.py [--submissions 1000] [--jobs 2] [--stand-in]

A tiny course is made in a temporary folder and graded by the same code as `mmdl grade`. With `--stand-in` no
kernel runs: what is measured is then the grader alone, and a thousand submissions take minutes.
"""

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from mmdl_course.grading.executors import Running, make_executor
from mmdl_course.grading.gradebook import course_directory, nbgrader_log, register_assignment
from mmdl_course.grading.grader import Grader
from mmdl_course.grading.journal import open_journal

EVERY = 100


def resident() -> float:
    """This process's memory in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000


class Counting:
    """An executor that prints the grader's size after every hundredth submission."""

    def __init__(self, executor: Any) -> None:
        self.executor, self.count, self.start, self.lock = executor, 0, time.monotonic(), Lock()

    def execute(self, notebook: Any, resources: Any) -> Any:
        """Run a notebook."""
        done = self.executor.execute(notebook, resources)
        with self.lock:
            self.count += 1
            if self.count % EVERY == 0:
                seconds = time.monotonic() - self.start
                print(f"{self.count:5} submissions  {resident():6.0f} MB  {seconds:6.0f} s", file=sys.stderr)
        return done


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
    from killable import fake_executor
    from tiny_class import answered, hand_in, make_course_of_two

    if options.stand_in:
        fake_executor()
    with TemporaryDirectory() as folder, nbgrader_log(Path(folder) / "grade.log") as log:
        course = make_course_of_two(Path(folder).resolve())
        week = course.weeks[0]
        release = register_assignment(course, week, scratch=course.root / "scratch").release
        for number in range(options.submissions):
            hand_in(course, f"student{number:04}", answered(release))
        journal = open_journal(course, week)
        grader = Grader(course, week, journal, log=log)
        students = sorted((course.root / "submitted").iterdir())
        print(f"    0 submissions  {resident():6.0f} MB", file=sys.stderr)
        with make_executor(course_directory(course).config, log, seed=journal.seed) as running:
            counting = Running(Counting(running.executor), running.words)
            rows = grader.grade(students, counting, jobs=options.jobs, force=False)
        print(f"{sum(row.score == 6 for row in rows)} of {len(rows)} have full marks", file=sys.stderr)


if __name__ == "__main__":
    main()
