"""A Dask cluster on this machine for tests: a scheduler and workers, each a process that can be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 120  # seconds; a loaded machine takes its time


def until(true: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Cluster:
    """A scheduler; `work` adds workers, each with a nanny that starts it again when it dies."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        names = {f"DASK_DISTRIBUTED__{name.upper()}": value for name, value in settings.items()}
        self.environment = {**os.environ, **names, "OMP_NUM_THREADS": "1"}
        self.started: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
        self.scheduler = self._start("scheduler", *options)
        until(lambda: file.is_file() and file.read_text(encoding="utf-8").endswith("}"), "no scheduler")
        self.address = json.loads(file.read_text(encoding="utf-8"))["address"]

    def work(self, *options: str) -> None:
        """Start a worker."""
        folder = str(self.folder / f"worker{len(self.started)}")
        self._start("worker", self.address, "--no-dashboard", "--local-directory", folder, *options)

    def close(self) -> None:
        """Kill all of it; a nanny's worker ends with it."""
        for process in reversed(self.started):
            process.kill()
            process.wait()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "cluster.log").open("ab") as log:
            command = [sys.executable, "-m", "dask", *arguments]
            process = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        self.started.append(process)
        return process


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Cluster]:
    """A cluster for the time of a `with`; settings such as scheduler__allowed_failures are Dask's."""
    folder.mkdir(exist_ok=True)
    cluster = Cluster(folder, **settings)
    try:
        yield cluster
    finally:
        cluster.close()


def kill(pid: int) -> None:
    """As kill -9 does."""
    os.kill(pid, signal.SIGKILL)
