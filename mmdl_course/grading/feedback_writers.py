"""Feedback pages written by other processes, so that the one that records marks does not wait for them."""

import logging
import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from mmdl_course.course import Course, Week
from mmdl_course.grading.journal import Entry
from mmdl_course.grading.nbgrader_speed import import_jsonschema, one_engine

if TYPE_CHECKING:
    from mmdl_course.grading.feedback import Feedback

__all__ = ["FeedbackWriters", "writers_for"]

_own: "Feedback | None" = None  # of a writer's process


def writers_for(jobs: int, submissions: int) -> int:
    """How many processes pay off. A page takes 0.3 s, a process seconds to start and its own memory.

    Args:
        jobs: notebooks that run at once.
        submissions: to be graded.

    Returns:
        0 when the main process has the time to write the pages itself.
    """
    return (jobs + 3) // 4 if jobs > 2 and submissions > 20 else 0


class FeedbackWriters:
    """Writes feedback in `count` processes, or in this one when there are none (any more)."""

    def __init__(self, here: "Feedback", *, log_file: Path, count: int) -> None:
        self._here = here
        self._pool: ProcessPoolExecutor | None = None
        if count:
            self._pool = ProcessPoolExecutor(
                count,
                mp_context=multiprocessing.get_context("spawn"),  # a fork would copy threads' locks
                initializer=_begin,
                initargs=(here.course, here.week, log_file),
            )

    def write(self, row: Entry, then: Callable[[str | None], None]) -> None:
        """Write a student's page.

        Args:
            row: of the student; the gradebook and autograded/ have the submission.
            then: called, in whatever thread, with a flag when it did not work, "" when it did, and None when
                the writer's process was lost: then call `write` again.
        """
        if self._pool is None:
            then(self._here.write(row))
            return
        try:
            future = self._pool.submit(_write, row)
        except BrokenExecutor:
            self._lost()
            self.write(row, then)
            return
        future.add_done_callback(lambda done: then(_answer(done)))

    def close(self) -> None:
        """Stop the processes; pages that are not begun are not written."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _lost(self) -> None:
        self._here.log.warning("A feedback process was lost; feedback is written without them from now on.")
        self.close()
        self._pool = None


def _answer(done: Future[str]) -> str | None:
    return None if done.cancelled() or done.exception() is not None else done.result()


def _begin(course: Course, week: Week, log_file: Path) -> None:
    global _own
    # The process must not outlive the grader, not even one that was killed.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")  # said once, by the main process
    log = logging.getLogger("mmdl.feedback")
    log.propagate = False
    log.addHandler(logging.FileHandler(log_file, encoding="utf-8"))
    import_jsonschema()
    from mmdl_course.grading.feedback import Feedback

    _own = Feedback(course, week, log=log)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _write(row: Entry) -> str:
    if _own is None:
        raise RuntimeError("the process has not begun")
    with one_engine():
        return _own.write(row)
