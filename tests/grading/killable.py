"""A process that has loaded what grading needs and forks `mmdl grade` runs, so that many can be killed.

It reads a JSON line per run from stdin: {"root": …, "output": …, "fake": bool, "die_at": number or null}.
It answers with the run's process id at once, and with its exit status (negative: the signal) at its end.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

STEPS = ("fsync", "rename", "replace", "unlink", "rmdir", "mkdir")  # after each the disk is another


def serve() -> None:
    """Fork a run per line."""
    import nbgrader.api
    import nbgrader.converters.autograde  # noqa: F401

    import mmdl_course.cli
    import mmdl_course.grading.autograde
    import mmdl_course.grading.feedback
    import mmdl_course.grading.grader
    import mmdl_course.grading.report_picture  # noqa: F401

    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(order)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(order: dict[str, Any]) -> None:
    from mmdl_course.cli import main

    os.chdir(order["root"])
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if order["fake"]:
        fake_executor()
    if order["die_at"] is not None:
        die_at(order["die_at"])
    sys.argv = ["mmdl", "grade", "week01", "--jobs", "2", "--no-sandbox"]
    status = 1
    try:
        main()
    except SystemExit as error:
        status = int(error.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(status)


def die_at(number: int) -> None:
    """Kill this process at its n-th step that changes the disk, counted from when grading begins."""
    import sqlalchemy

    from mmdl_course.grading import grader

    count = -1

    def step() -> None:
        nonlocal count
        if count >= 0:
            count += 1
            if count >= number:
                os.kill(os.getpid(), signal.SIGKILL)

    def counted(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            step()
            return function(*args, **kwargs)

        return call

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "commit", lambda _: step())
    grade = grader.Grader.grade

    def counting(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count = 0
        rows = grade(*args, **kwargs)
        sys.stdout.write(f"STEPS {count}\n")
        return rows

    grader.Grader.grade = counting


def fake_executor() -> None:
    """No kernels: checks pass where the answer says `2 * x`. No picture in the report either."""
    from nbformat.v4 import new_output

    from mmdl_course.grading import executor, report_picture
    from mmdl_course.grading.scores import CHECKS, is_check

    def execute(_: Any, notebook: Any, resources: Any) -> Any:
        assert Path(resources["metadata"]["path"]).is_dir()
        right = any("2 * x" in cell.source for cell in notebook.cells)
        for cell in notebook.cells:
            if is_check(cell):
                points = float(cell.metadata.nbgrader.points) if right else 0.0
                report = {"exercise": "double", "points": points, "earned": points, "seed": 1, "results": []}
                cell.outputs = [
                    new_output("display_data", data={CHECKS: report, "text/plain": "report"}),
                    new_output("execute_result", data={"text/plain": repr(points)}, execution_count=1),
                ]
        return executor.Execution(notebook)

    executor.LocalExecutor.execute = execute
    report_picture.draw_exercises = lambda *_, **__: None


if __name__ == "__main__":
    shutil._use_fd_functions = False  # plain names, so that every step is seen
    serve()
