"""Stock nbgrader against `mmdl grade`, on the same honest submissions, in turns in one run.

    python benchmarks/grading.py [--week light] [--submissions 24] [--rounds 2] [--json FILE]

The submissions are right answers in several styles and plausible mistakes. "light" is a notebook of two
exercises that imports torch, scikit-learn and matplotlib and fits something small: what it costs is
nearly all the grader's. A real week's answers come from tests/submissions, and its own cells take most
of the time.

Each round grades its share by `nbgrader autograde` (one process, kernels of its own) and by `mmdl grade
--jobs 2` (warm kernels, sandbox and tripwires on, feedback and report made as well, the start of the
fork server counted). Both draw the same worlds. What is compared is the ratio: the seconds depend on
what else the machine does.

On Dask it is what the workers do that is measured: the same submissions, planned beforehand, go to one
worker and to two (each of one thread), in turns. The start of scheduler, workers and fork servers and one
submission for each worker to warm up are not counted; nor are gradebook and feedback, which stay with the
grader however many workers there are.
"""

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat

from mmdl_course.course import Course, Week, load_course
from mmdl_course.grading import intake
from mmdl_course.grading.autograde import Phases, Planned
from mmdl_course.grading.cluster.executor import DaskExecutor
from mmdl_course.grading.crew import Crew
from mmdl_course.grading.gradebook import course_directory, nbgrader_log, register_assignment
from mmdl_course.grading.grader import prepare
from mmdl_course.grading.kernels.sandbox import THREADS
from mmdl_course.grading.submissions import read_submissions

HERE = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
sys.path[:0] = [str(HERE / "tests" / name) for name in ("", "grading")]  # for the tiny course, and a cluster

IMPORTS = """\
# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from mmdl_course.checks import Exercise

x = np.random.default_rng(0).normal(size=(200, 5))
LogisticRegression().fit(x, x[:, 0] > 0)
torch.nn.Linear(5, 1)(torch.from_numpy(x).float()).sum().backward()
figure = plt.figure()
figure.gca().plot(x[:, 0])
plt.close(figure)
"""
WAYS = {
    "double": (
        "def double(x):\n    return 2 * x\n",
        "double = lambda x: x + x\n",
        "def double(x): return abs(2 * x)\n",
    ),
    "triple": (
        "def triple(x):\n    return 3 * x\n",
        "triple = lambda x: x * 3\n",
        "def triple(x): return x + 2\n",
    ),
}


def make_course(root: Path, week: str) -> Course:
    """A course like this one, or the light one, with nobody in it."""
    if week == "light":
        from tiny_class import LESSON_OF_TWO, SYLLABUS_OF_TWO
        from tiny_course import make_course as make_tiny

        lesson = LESSON_OF_TWO.replace("# %%\nfrom mmdl_course.checks import Exercise\n", IMPORTS, 1)
        return load_course(make_tiny(root, lesson=lesson, syllabus=SYLLABUS_OF_TWO))
    root.mkdir(parents=True)
    for name in ("syllabus.toml", "jupyter_config.py"):
        shutil.copyfile(HERE / name, root / name)
    shutil.copytree(HERE / "solutions", root / "solutions")
    return load_course(root)


def answers(week: str, number: int) -> dict[str, str]:
    """What student `number` writes: of each exercise a right answer or, of every third, a mistake."""
    if week == "light":
        return {name: ways[(number + place) % 3] for place, (name, ways) in enumerate(WAYS.items())}
    this = load_course(HERE)
    (chosen_week,) = this.select([week])
    found, _ = read_submissions(this, chosen_week)
    chosen = {}
    for place, exercise in enumerate(chosen_week.exercises):
        kind = "chaff" if (number + place) % 3 == 2 else "wheat"
        fitting = [one.source for one in found if (one.exercise, one.kind) == (exercise.id, kind)]
        if fitting:
            chosen[exercise.id] = fitting[number % len(fitting)]
    return chosen


def hand_in(course: Course, week: Week, students: dict[str, dict[str, str]]) -> None:
    """Put the students' notebooks where nbgrader looks for them."""
    release = register_assignment(course, week, scratch=course.root / "build" / "release").release
    for student, written in students.items():
        notebook = nbformat.from_dict(json.loads(json.dumps(release)))
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in written:
                cell.source = written[name]
        path = course.root / "submitted" / student / week.folder / f"{week.folder}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)


def run(course: Course, command: list[str], **variables: str) -> float:
    """Seconds of a command in the course's folder."""
    environment = {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "JUPYTER_CONFIG_PATH": str(course.root),
        **dict.fromkeys(THREADS, "1"),
        "MMDL_BUDGET": "grading",
        "MPLBACKEND": "agg",
        **variables,
    }
    start = time.monotonic()
    done = subprocess.run(
        command, cwd=course.root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 3):  # 3: a person has to look at a flag
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return time.monotonic() - start


def marks(course: Course) -> dict[tuple[str, str], float]:
    """(student, check) → points."""
    query = """
        select submitted_assignment.student_id, base_cell.name, coalesce(grade.auto_score, 0)
        from grade join base_cell on base_cell.id = grade.cell_id
        join submitted_notebook on submitted_notebook.id = grade.notebook_id
        join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
    """
    with sqlite3.connect(course.root / "gradebook.db") as database:
        return {(student, cell): points for student, cell, points in database.execute(query)}


def seconds_of_cells(course: Course, week: Week) -> list[float]:
    """Of each submission, what its own cells took."""
    found = []
    for path in sorted(course.root.glob(f"autograded/*/{week.folder}/{week.folder}.ipynb")):
        spans = [cell.metadata.get("execution", {}) for cell in nbformat.read(path, as_version=4).cells]
        ends = [
            [datetime.fromisoformat(span[name]) for name in ("iopub.execute_input", "shell.execute_reply")]
            for span in spans
            if "shell.execute_reply" in span and "iopub.execute_input" in span
        ]
        found.append(sum((end - begin).total_seconds() for begin, end in ends))
    return found


def plan(course: Course, week: Week, log: Any) -> list[Planned]:
    """Everybody's notebook, ready to run."""
    assignment = register_assignment(course, week, scratch=course.root / "build" / "plan" / "release")
    phases = Phases(course, week, scratch=course.root / "build" / "plan", log=log)
    found = []
    for student in intake.find_students(course):
        handed_in = intake.find_notebook(student, week)
        notebook, _ = prepare(handed_in, assignment, course=course, week=week)
        found.append(phases.plan(student.name, notebook, []))
    return found


def execute(executor: DaskExecutor, planned: list[Planned]) -> float:
    """Seconds in which a cluster's workers have run notebooks."""
    start = time.monotonic()
    with Crew(executor.slots.threads, lambda one: executor.execute(one.notebook, one.resources)) as crew:
        for one in planned:
            crew.submit(one)
        left = len(planned)
        while left:
            report = crew.reports.get()
            if report.error is not None:
                raise SystemExit(f"{report.task.student}: {report.error}")
            left -= report.what == "done"
    return time.monotonic() - start


def measure_dask(root: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Run the same submissions on one worker and on two, in turns."""
    from dask_cluster import running, until

    course = make_course(root, options.week)
    (week,) = course.select(["week01" if options.week == "light" else options.week])
    hand_in(course, week, {f"student{n:02}": answers(options.week, n) for n in range(options.submissions)})
    spent = {1: 0.0, 2: 0.0}
    with ExitStack() as stack:
        log = stack.enter_context(nbgrader_log(root / "build" / "dask.log"))
        planned = plan(course, week, log)
        executors = {}
        for workers in spent:
            cluster = stack.enter_context(running(root / "build" / f"cluster{workers}"))
            for _ in range(workers):
                cluster.work("--nthreads", "1")
            config = course_directory(course).config
            executor = stack.enter_context(DaskExecutor(cluster.address, config, log, seed=1))
            until(lambda there=executor, count=workers: there.slots.threads == count, "no worker")
            execute(executor, planned[:1] * workers)
            executors[workers] = executor
        turns = 2 * options.rounds  # an even number: each goes first as often as the other
        for turn in range(turns):
            share = planned[turn::turns]
            for workers in (1, 2) if turn % 2 else (2, 1):
                spent[workers] += execute(executors[workers], share)
    for workers, seconds in spent.items():
        print(f"Dask, {workers} worker(s): {len(planned)} submissions in {seconds:.0f} s", file=sys.stderr)
    return {
        "dask_speedup_2_workers": spent[1] / spent[2],
        "dask_s_per_submission_1_worker": spent[1] / len(planned),
        "dask_s_per_submission_2_workers": spent[2] / len(planned),
    }


def measure(root: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Grade the same submissions both ways, in turns."""
    (week,) = make_course(root / "first", options.week).select(
        ["week01" if options.week == "light" else options.week]
    )
    students = {f"student{n:02}": answers(options.week, n) for n in range(options.submissions)}
    names = list(students)
    spent: dict[str, list[float]] = {"stock": [], "ours": []}
    identical, compared = True, 0
    for turn in range(options.rounds):
        share = {name: students[name] for name in names[turn :: options.rounds]}
        ours, stock = (make_course(root / f"{which}{turn}", options.week) for which in ("ours", "stock"))
        for course in (ours, stock):
            hand_in(course, week, share)
        spent["ours"].append(run(ours, [str(BIN / "mmdl"), "grade", week.id, "--jobs", "2"]))
        journal = json.loads((ours.root / "reports" / week.folder / "journal.json").read_text("utf-8"))
        command = [str(BIN / "nbgrader"), "autograde", week.folder]
        spent["stock"].append(run(stock, command, MMDL_SEED=str(journal["seed"])))
        found, wanted = marks(ours), marks(stock)
        compared += len(wanted)
        differ = {key: (wanted[key], found.get(key)) for key in wanted if wanted[key] != found.get(key)}
        if differ:
            identical = False
            print(f"round {turn + 1}: stock and ours differ: {differ}", file=sys.stderr)
        print(
            f"round {turn + 1}, {len(share)} submissions: stock {spent['stock'][-1]:.0f} s, "
            f"ours {spent['ours'][-1]:.0f} s",
            file=sys.stderr,
        )
    few = dict(list(students.items())[:6])
    alone = [make_course(root / f"alone{count}", options.week) for count in (1, len(few))]
    for course, count in zip(alone, (1, len(few)), strict=True):
        hand_in(course, week, dict(list(few.items())[:count]))
    one, all_of_them = (run(course, [str(BIN / "mmdl"), "grade", week.id, "--jobs", "1"]) for course in alone)
    own = seconds_of_cells(alone[1], week)
    wall = (all_of_them - one) / (len(few) - 1)  # the start, which both have, falls out
    return {
        "submissions": options.submissions,
        "throughput_ratio_vs_stock": sum(spent["stock"]) / sum(spent["ours"]),
        "stock_s_per_submission": sum(spent["stock"]) / options.submissions,
        "ours_s_per_submission": sum(spent["ours"]) / options.submissions,
        "seconds_per_submission_one_job": wall,
        "cells_s_per_submission": sum(own) / len(own),
        "overhead_s_per_submission": wall - sum(own[1:]) / (len(own) - 1),
        "marks_identical": identical,
        "marks_compared": compared,
    }


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--week", default="light", help="a ready week, or light")
    parser.add_argument("--submissions", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        result = {**measure(root, options), **measure_dask(root / "dask", options)}
    text = json.dumps(result, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
