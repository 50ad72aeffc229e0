"""A few threads that work through tasks, and one queue on which the main thread hears of it."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from types import TracebackType
from typing import Any

__all__ = ["Crew", "Report"]


@dataclass(frozen=True)
class Report:
    """What happened to a task."""

    task: Any
    what: str  # "started", "done" or "failed", or another word of whoever else writes to the queue
    result: Any = None
    error: BaseException | None = None


class Crew:
    """Threads that call `work(task)`. They end with the program, whatever they are at.

    A pool of concurrent.futures would wait for the notebooks that are running when a person stops grading.
    """

    def __init__(self, jobs: int, work: Callable[[Any], Any]) -> None:
        self.reports: SimpleQueue[Report] = SimpleQueue()
        self._tasks: SimpleQueue[Any] = SimpleQueue()
        self._work = work
        self._threads = [
            threading.Thread(target=self._run, name=f"grading-{number}", daemon=True)
            for number in range(1, jobs + 1)
        ]

    def __enter__(self) -> "Crew":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _ in self._threads:
            self._tasks.put(None)
        if kind is None:
            for thread in self._threads:
                thread.join()

    def submit(self, task: Any) -> None:
        """Give a task to the next thread that is free."""
        self._tasks.put(task)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            self.reports.put(Report(task, "started"))
            try:
                result = self._work(task)
            except BaseException as error:  # noqa: BLE001 (the main thread decides what it means)
                self.reports.put(Report(task, "failed", error=error))
            else:
                self.reports.put(Report(task, "done", result=result))
        _close_event_loop()


def _close_event_loop() -> None:
    """Close the loop that Jupyter's libraries make for each thread which calls them."""
    try:
        loop = asyncio.get_event_loop()
    except RuntimeError:
        return
    loop.close()
