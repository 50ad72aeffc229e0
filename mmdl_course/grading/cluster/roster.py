"""Which workers a Dask scheduler has: each is asked whether it can grade, used, and missed when it goes."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mmdl_course.grading.cluster.slots import Slots, Worker
from mmdl_course.grading.cluster.worker import open_session

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["Roster", "scheduler_is_lost", "submit"]

LOOK = 0.5  # seconds between two looks
FETCH = 20  # seconds in which an answer that is ready has come


@dataclass
class _Contact:
    """What is known of a worker process: asked, then used or refused."""

    asked: "Future"  # holding it keeps the session on the worker alive
    threads: int
    worker: Worker | None = None
    refused: str = ""


class Roster:
    """Follows a scheduler's workers in a thread and tells `Slots`."""

    def __init__(
        self,
        client: "Client",
        settings: bytes,
        slots: Slots,
        *,
        address: str,
        patience: float,
        log: Any,
        say: Callable[[str], None],
    ) -> None:
        """Nothing is started yet.

        Args:
            client: connected.
            settings: for `open_session`.
            slots: to be told.
            address: the scheduler's, for messages.
            patience: seconds without a worker that is ready, after which `slots` end.
            log: a logger.
            say: tells the person who grades.
        """
        self._client, self._settings, self._slots = client, settings, slots
        self._address, self._patience, self._log, self._say = address, patience, log, say
        self._contacts: dict[str, _Contact] = {}
        self._told: set[str] = set()  # reasons of refusal
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="workers", daemon=True)

    @property
    def threads(self) -> int:
        """How many notebooks the workers can run at once; those that are getting ready count."""
        return sum(contact.threads for contact in list(self._contacts.values()) if not contact.refused)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """No longer follow, and let go of the sessions."""
        self._closing.set()
        self._thread.join()
        self._contacts.clear()

    def _follow(self) -> None:
        seen = time.monotonic()  # when a worker was ready, the last time
        ever, waiting = False, False
        while not self._closing.is_set():
            try:
                self._look(self._client.nthreads())
            except Exception as error:  # noqa: BLE001 (a broken connection has many names)
                self._log.warning("The scheduler does not answer: %r", error)
                self._slots.end(scheduler_is_lost(self._address))
                return
            refused = [contact.refused for contact in self._contacts.values() if contact.refused]
            if self._slots.threads:
                seen, ever, waiting = time.monotonic(), True, False
            elif refused and len(refused) == len(self._contacts) and not ever:
                self._slots.end(f"--scheduler {self._address}: none of its workers can be used. {refused[0]}")
            elif time.monotonic() - seen > self._patience:
                self._slots.end(
                    f"--scheduler {self._address}: no worker was ready for {self._patience:g} s. Start some "
                    f"(`dask worker {self._address}`, or scale the cluster) and grade again: "
                    "what is graded is kept."
                )
            elif len(refused) == len(self._contacts) and not waiting:
                waiting = True
                self._say(f"No worker at {self._address}. Waiting up to {self._patience:g} s for one.")
            self._closing.wait(LOOK)

    def _look(self, present: dict[str, int]) -> None:
        """Compare the workers with those of the last look.

        Args:
            present: address -> threads.
        """
        for address, contact in list(self._contacts.items()):
            worker = contact.worker
            if address not in present or (worker is not None and worker.lost):
                del self._contacts[address]
                if worker is not None:
                    self._slots.leave(worker)
                    self._say(f"Worker {address} is lost. What it was running runs elsewhere.")
        for address, threads in present.items():
            if address not in self._contacts:
                asked = submit(self._client, open_session, self._settings, address=address)
                self._contacts[address] = _Contact(asked, threads)
        for address, contact in list(self._contacts.items()):
            if contact.worker is None and not contact.refused and contact.asked.done():
                self._decide(address, contact)

    def _decide(self, address: str, contact: _Contact) -> None:
        """Use a worker that has answered, or not."""
        if contact.asked.status == "error":
            error: Any = contact.asked.exception()
            if type(error).__name__ in ("KilledWorker", "NoValidWorkerError"):
                del self._contacts[address]  # it died of something; if it comes again, it is asked again
                return
            why = f"mmdl_course cannot be loaded there, or not in the scheduler ({error.__cause__ or error})"
            answer = {"refused": why}
        else:
            try:
                answer = json.loads(contact.asked.result(timeout=FETCH))
            except TimeoutError:
                del self._contacts[address]  # it died with the answer
                return
        if "refused" not in answer:
            contact.worker = Worker(address, answer["session"], contact.threads)
            self._slots.join(contact.worker)
            return
        contact.refused = f"Worker {address} is not used: {answer['refused']}."
        self._log.warning("%s", contact.refused)
        if answer["refused"] not in self._told:  # of a hundred alike, one is told
            self._told.add(answer["refused"])
            self._say(contact.refused)


def submit(client: "Client", function: Callable[..., bytes], *args: Any, address: str) -> "Future":
    """Have a worker call a function, this worker and no other.

    Args:
        client: connected.
        function: importable there.
        args: its arguments.
        address: the worker's.

    Returns:
        The future; whoever lets go of it cancels the task.
    """
    key = f"mmdl-{function.__name__}-{uuid.uuid4().hex}"
    return client.submit(
        function, *args, key=key, workers=[address], allow_other_workers=False, retries=0, pure=False
    )


def scheduler_is_lost(address: str) -> str:
    """What to say then.

    Args:
        address: the scheduler's.
    """
    return f"the scheduler at {address} is lost. Start it again and grade again: what is graded is kept"
