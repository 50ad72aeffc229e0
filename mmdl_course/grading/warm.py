"""The audit's worker: run a lesson once, and at each exercise fork one child per variant and seed.

Started by `audit` as `python -m mmdl_course.grading.warm JOB DESCRIPTOR`; writes one JSON object per line to
the descriptor. Children share everything the notebook has computed so far, so a variant costs milliseconds,
not the lesson. Processes with threads must not fork, so the environment asks every library for one thread.
"""

import gc
import json
import os
import selectors
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from mmdl_course.grading.shell import NotebookShell, Output, make_shell

__all__ = ["main"]

_KEEP = ("text/plain", "application/vnd.mmdl.checks+json")
_LENGTH = 20_000  # characters of a stream or a traceback that travel back


def main(job_path: str, descriptor: int) -> None:
    """Do one job.

    Args:
        job_path: JSON with `cells` (source, role, grade_id, where), `runs` (exercise, variant, kind, seed,
            source), `timeout` (seconds per run) and `jobs` (children at a time).
        descriptor: open for writing.
    """
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    _no_monitor_threads()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that children end with their parent
    shell = make_shell()
    with os.fdopen(descriptor, "w", encoding="utf-8") as channel:
        for position, cell in enumerate(job["cells"]):
            if cell["role"] == "solution":
                check = next(
                    later
                    for later in job["cells"][position:]
                    if later["grade_id"] == f"{cell['grade_id']}-check"
                )
                runs = [run for run in job["runs"] if run["exercise"] == cell["grade_id"]]
                _tell(channel, {"at": cell["where"]})
                _fork_all(shell, runs, check["source"], channel, job["timeout"], job["jobs"])
            if cell["role"] in ("plain", "solution"):
                _tell(channel, {"at": cell["where"]})
                errors = [output for output in shell.run(cell["source"]) if output["output_type"] == "error"]
                if errors:
                    message = f"{errors[0]['ename']}: {errors[0]['evalue']}"
                    _tell(channel, {"stopped": cell["where"], "message": message})
                    return
        _tell(channel, {"finished": True})


def _fork_all(
    shell: NotebookShell, runs: list[dict[str, Any]], check: str, channel: IO[str], timeout: float, jobs: int
) -> None:
    waiting = list(runs)
    children: dict[int, dict[str, Any]] = {}  # by the read end of the child's pipe
    gc.collect()
    gc.freeze()  # the collector would touch, and so copy, every page that the children share
    with selectors.DefaultSelector() as selector, _no_orphans(children):
        while waiting or children:
            while waiting and len(children) < jobs:
                run = waiting.pop(0)
                reader, pid = _fork(shell, run, check)
                children[reader] = {"run": run, "pid": pid, "began": time.monotonic(), "bytes": b""}
                selector.register(reader, selectors.EVENT_READ)
            for key, _ in selector.select(timeout=0.2):
                part = os.read(key.fd, 1 << 16)
                children[key.fd]["bytes"] += part
                if not part:
                    selector.unregister(key.fd)
                    _tell(channel, _harvest(key.fd, children.pop(key.fd)))
            for reader, child in list(children.items()):
                if time.monotonic() - child["began"] > timeout:
                    _kill(child["pid"])
                    selector.unregister(reader)
                    child["error"] = f"no result after {timeout:g} s; stopped{_threads_remark()}"
                    _tell(channel, _harvest(reader, children.pop(reader)))
    gc.unfreeze()


@contextmanager
def _no_orphans(children: dict[int, dict[str, Any]]) -> Iterator[None]:
    try:
        yield
    finally:
        for child in children.values():
            _kill(child["pid"])


def _fork(shell: NotebookShell, run: dict[str, Any], check: str) -> tuple[int, int]:
    reader, writer = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        os.close(writer)
        with suppress(OSError):  # the child does the same; whoever is first
            os.setpgid(pid, pid)
        return reader, pid
    status = 1
    try:
        with suppress(OSError):
            os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.environ["MMDL_SEED"] = str(run["seed"])
        answer = {"solution": _slim(shell.run(run["source"])), "check": _slim(shell.run(check))}
        with os.fdopen(writer, "w", encoding="utf-8") as pipe:
            json.dump(answer, pipe)
        status = 0
    finally:
        os._exit(status)


def _harvest(reader: int, child: dict[str, Any]) -> dict[str, Any]:
    os.close(reader)
    _, status = os.waitpid(child["pid"], 0)
    _kill(child["pid"])  # what the child itself has started
    run = {name: child["run"][name] for name in ("exercise", "variant", "kind", "seed")}
    run["seconds"] = round(time.monotonic() - child["began"], 3)
    if "error" in child:
        return {"run": run, "error": child["error"]}
    if status != 0 or not child["bytes"]:
        code = os.waitstatus_to_exitcode(status)
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        return {"run": run, "error": f"its process {how} before it had a result{_threads_remark()}"}
    return {"run": run, **json.loads(child["bytes"])}


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _slim(outputs: list[Output]) -> list[Output]:
    slim = []
    for output in outputs:
        output = dict(output)
        if "data" in output:
            output["data"] = {kind: output["data"][kind] for kind in _KEEP if kind in output["data"]}
        if "text" in output:
            output["text"] = output["text"][:_LENGTH]
        if "traceback" in output:
            output["traceback"] = ["\n".join(output["traceback"])[-_LENGTH:]]
        slim.append(output)
    return slim


def _no_monitor_threads() -> None:
    from tqdm import tqdm

    tqdm.monitor_interval = 0


def _threads_remark() -> str:
    tasks = Path("/proc/self/task")
    count = len(list(tasks.iterdir())) if tasks.is_dir() else 1
    if count == 1:
        return ""
    return f' ({count} threads ran when it was forked: tag the cell that starts them "demo")'


def _tell(channel: IO[str], message: dict[str, Any]) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
