"""How long a lesson takes in full and under the grading budget, which cells take longest, how much memory.

    python benchmarks/lessons.py [--budget full|grading] [WEEK …]

The solved notebooks run from start to end in a kernel of their own; an error in any cell ends the run. With
`--keep FOLDER` the executed notebooks stay there, to look at their figures.
"""

import argparse
import os
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

from mmdl_course.course import load_course
from mmdl_course.grading.build import ensure_source

SHOWN = 6


def run(source: Path, *, budget: str, keep: Path | None) -> None:
    """Execute one notebook and print what it took."""
    os.environ["MMDL_BUDGET"] = budget
    notebook = nbformat.read(source, as_version=4)
    began: dict[int, float] = {}
    took: dict[int, float] = {}
    with TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": folder}})
        client.on_cell_start = lambda **event: began.update({event["cell_index"]: time.perf_counter()})
        client.on_cell_executed = lambda **event: took.update(
            {event["cell_index"]: time.perf_counter() - began[event["cell_index"]]}
        )
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        client.execute()
        wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{source.stem}, {budget} budget: {wall:.0f} s wall, {cpu:.0f} s CPU, "
          f"peak memory of the largest kernel so far {after.ru_maxrss / 2**20:.2f} GiB")  # fmt: skip
    for index, seconds in sorted(took.items(), key=lambda item: -item[1])[:SHOWN]:
        print(
            f"  {seconds:6.1f} s  cell {index}: {notebook.cells[index].source.strip().splitlines()[0][:80]}"
        )
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, keep / f"{source.stem}-{budget}.ipynb")


def main() -> None:
    """Run the named weeks, or all that are ready."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weeks", nargs="*", metavar="WEEK")
    parser.add_argument("--budget", choices=("full", "grading"), action="append")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    course = load_course()
    for week in course.select(options.weeks):
        for budget in options.budget or ("grading", "full"):
            run(ensure_source(course, week), budget=budget, keep=options.keep)


if __name__ == "__main__":
    main()
