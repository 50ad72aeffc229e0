"""Who runs on which worker of a cluster: one notebook per thread, and suspects alone."""

import threading
from dataclasses import dataclass

from mmdl_course.course import CourseError

__all__ = ["Slots", "Worker"]


@dataclass(eq=False)
class Worker:
    """A worker process that runs notebooks. `Slots` changes it, others look."""

    address: str
    session: str  # names this process and this grading: an address can be another process's later
    threads: int
    busy: int = 0
    reserved: bool = False  # for a submission that runs alone
    lost: bool = False


class Slots:
    """The places on all workers. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._workers: list[Worker] = []
        self._over = ""  # why nothing runs any more

    @property
    def threads(self) -> int:
        """How many notebooks run at once."""
        with self._changed:
            return sum(worker.threads for worker in self._workers)

    def join(self, worker: Worker) -> None:
        """Use a worker from now on.

        Args:
            worker: one that is ready.
        """
        with self._changed:
            self._workers.append(worker)
            self._changed.notify_all()

    def leave(self, worker: Worker) -> None:
        """A worker is lost, and all that ran on it.

        Args:
            worker: it; once more is no harm.
        """
        with self._changed:
            worker.lost = True
            if worker in self._workers:
                self._workers.remove(worker)
            self._changed.notify_all()

    def end(self, reason: str) -> None:
        """Nothing runs any more: whoever waits, or asks later, gets an error.

        Args:
            reason: a sentence for the person who grades.
        """
        with self._changed:
            self._over = self._over or reason
            self._changed.notify_all()

    def check(self) -> None:
        """Whether there is still something to hope for.

        Raises:
            CourseError: `end` was called.
        """
        if self._over:
            raise CourseError(self._over)

    def wait(self) -> None:
        """Until there is a worker.

        Raises:
            CourseError: `end` was called.
        """
        with self._changed:
            while not self._workers:
                self.check()
                self._changed.wait(1)  # a limit, so that Ctrl-C is heard

    def take(self, *, alone: bool) -> Worker:
        """A place on the worker that has most room, as soon as there is one.

        Args:
            alone: nothing else may run on that worker meanwhile.

        Returns:
            The worker; give it back to `free`.

        Raises:
            CourseError: `end` was called.
        """
        with self._changed:
            best = self._idle() if alone else self._roomy()
            best.reserved = alone
            best.busy += 1
            return best

    def _roomy(self) -> Worker:
        while True:
            self.check()
            found = [one for one in self._workers if not one.reserved and one.busy < one.threads]
            if found:
                return min(found, key=lambda worker: worker.busy / worker.threads)
            self._changed.wait()

    def _idle(self) -> Worker:
        emptying: Worker | None = None  # gets no more notebooks, or the wait might never end
        try:
            while True:
                self.check()
                free = [one for one in self._workers if one is emptying or not one.reserved]
                idle = [one for one in free if not one.busy]
                if idle:
                    return idle[0]
                if free and (emptying is None or emptying.lost):
                    emptying = min(free, key=lambda worker: worker.busy)
                    emptying.reserved = True
                self._changed.wait()
        finally:
            if emptying is not None:
                emptying.reserved = False
                self._changed.notify_all()

    def free(self, worker: Worker) -> None:
        """A notebook has ended, or its worker.

        Args:
            worker: from `take`.
        """
        with self._changed:
            worker.busy -= 1
            if not worker.busy:
                worker.reserved = False
            self._changed.notify_all()
