"""Grade on a Dask cluster: notebooks go to workers as bytes and come back executed.

Which notebook runs on which worker is decided here and not by the scheduler, for only so does it hold
whatever the scheduler's configuration says that a lost worker's notebooks run elsewhere, and that one
which loses two workers is given up. See docs/grading.md, "On a cluster".
"""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import AsyncKernelManager
from nbformat import NotebookNode
from rich.console import Console
from traitlets.config import Config

from mmdl_course.course import CourseError
from mmdl_course.grading.cluster.parcels import pack, to_execution
from mmdl_course.grading.cluster.roster import Roster, scheduler_is_lost, submit
from mmdl_course.grading.cluster.slots import Slots, Worker
from mmdl_course.grading.cluster.worker import PLACE, run_notebook
from mmdl_course.grading.executor import Execution, SteadfastExecute
from mmdl_course.grading.provenance import present_versions, ready_models

if TYPE_CHECKING:
    from distributed import Client

    from mmdl_course.grading.executors import Sandbox

__all__ = ["DaskExecutor"]

CONNECT = 15  # seconds in which the scheduler answers
PATIENCE = 300.0  # seconds without a worker that is ready, after which grading ends
LOOK = 0.5  # seconds between looks at whether the worker of a notebook is still there
FETCH = 60  # seconds in which an answer that is ready has come
MOST_LOSSES = 2  # workers that one submission may lose


class DaskExecutor:
    """Runs notebooks on the workers of a Dask scheduler. `execute` may be called from several threads."""

    def __init__(
        self,
        address: str,
        config: Config,
        log: Any,
        *,
        seed: int,
        sandbox: "Sandbox" = "full",
        modules: tuple[str, ...] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """Nothing is started yet.

        Args:
            address: of the scheduler, such as tcp://host:8786.
            config: of `SteadfastExecute`: time and output limits.
            log: a logger.
            seed: the grading seed.
            sandbox: what every worker has to hold; "none" for plain kernels.
            modules: what the workers' fork servers import ahead; None for what the course's notebooks import.
            patience: seconds to wait for a worker when none is ready.

        Raises:
            CourseError: the package `distributed` is not installed, or the configuration cannot be sent.
        """
        try:
            import distributed  # noqa: F401
        except ImportError:
            raise CourseError(
                "--scheduler needs the package distributed. Install it, in the course's folder: "
                "pip install -c constraints.txt -e '.[cluster]'"
            ) from None
        self.address, self.log, self.patience = address, log, patience
        kind = "a new kernel, no sandbox" if sandbox == "none" else f"warm kernels, sandbox: {sandbox}"
        self.words = f"Dask, {kind}"
        settings = {
            "versions": present_versions(),
            "models": ready_models(),
            "sandbox": sandbox,
            "seed": seed,
            "environment": {name: value for name, value in os.environ.items() if name.startswith(PLACE)},
            "config": _limits(config),
            "modules": modules,
        }
        self._settings = json.dumps(settings).encode("ascii")
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)

    def __enter__(self) -> "DaskExecutor":
        self._logs = _LibrarysLog(self.log)
        try:
            self._client = self._connect()
        except CourseError:
            self._logs.restore()
            raise
        self.slots = Slots()
        self.roster = Roster(
            self._client,
            self._settings,
            self.slots,
            address=self.address,
            patience=self.patience,
            log=self.log,
            say=lambda text: self._console.print(text, style="yellow", markup=False),
        )
        self.roster.start()
        try:
            self.slots.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the cluster: the workers end what they are running for this grading."""
        self.slots.end("grading was stopped")
        self.roster.close()
        self._client.close()
        self._logs.restore()

    def execute(self, notebook: NotebookNode, resources: dict[str, Any]) -> Execution:
        """Run every code cell on some worker; see `Executor`.

        Raises:
            CourseError: the scheduler or all workers are gone, or the notebook has lost two workers.
        """
        parcel = pack(notebook, Path(resources["metadata"]["path"]))
        lost: list[str] = []
        while len(lost) < MOST_LOSSES:
            # What has lost a worker runs alone from then on: its neighbours are not to blame.
            worker = self.slots.take(alone=bool(lost))
            try:
                answer = self._run(worker, parcel)
            finally:
                self.slots.free(worker)
            if answer is not None and "error" in answer:
                raise CourseError(f"worker {worker.address}: {answer['error']}")
            if answer is not None:
                return to_execution(answer)
            lost.append(worker.address)
            self.log.warning("The worker %s was lost with a notebook", worker.address)
        raise CourseError(
            f"given up: {len(lost)} workers were lost while this submission ran ({', '.join(lost)}), the "
            "last while it ran alone. The workers' logs may say why (often memory). If it was not the "
            "submission (a time limit of the cluster, a restart), grade again"
        )

    def _run(self, worker: Worker, parcel: bytes) -> dict[str, Any] | None:
        """What a worker answers, None when it is lost."""
        from distributed import KilledWorker
        from distributed.scheduler import NoValidWorkerError

        future = submit(self._client, run_notebook, worker.session, parcel, address=worker.address)
        # Not `result` with a short limit: distributed fetches the answer anew each time, and can lose it.
        ended = threading.Event()
        future.add_done_callback(lambda _: ended.set())
        try:
            while not worker.lost:
                self.slots.check()
                if not ended.wait(LOOK):
                    continue
                try:
                    answer = json.loads(future.result(timeout=FETCH))
                except TimeoutError:
                    continue  # the worker died with the answer: that is noticed soon
                if "lost" not in answer:
                    return answer
                break  # another process has this address now
        except (KilledWorker, NoValidWorkerError):
            pass  # the scheduler knows it before we do
        except CancelledError:
            self.slots.end(scheduler_is_lost(self.address))
            self.slots.check()
        finally:
            future.release()
        self.slots.leave(worker)
        return None

    def _connect(self) -> "Client":
        import dask
        from distributed import Client

        # A notebook goes through the scheduler once; that it may be some megabytes is no news.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
        try:
            # First without a client: one that finds nobody complains once more when the program ends.
            # In a thread, for `asyncio.run` takes this one's event loop away.
            with ThreadPoolExecutor(1) as aside:
                aside.submit(asyncio.run, _reach(self.address)).result()
            return Client(self.address, timeout=CONNECT, set_as_default=False, name="mmdl-grade")
        except Exception as error:  # noqa: BLE001 (each protocol has errors of its own)
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise CourseError(
                f"--scheduler {self.address}: no Dask scheduler answers there ({why}). "
                "Start one (`dask scheduler`) and give the address that it prints, such as tcp://host:8786."
            ) from None


async def _reach(address: str) -> None:
    """Open a connection and close it again; raise what Dask raises where that does not work."""
    from distributed.comm import connect
    from distributed.security import Security

    connection = await connect(address, timeout=CONNECT, **Security().get_connection_args("client"))
    await connection.close()


class _LibrarysLog:
    """What `distributed` logs goes to the grader's log instead of the terminal."""

    NAMES: Sequence[str] = ("distributed", "distributed.client", "distributed.gc", "tornado")

    def __init__(self, log: Any) -> None:
        self._before = []
        for logger in map(logging.getLogger, self.NAMES):
            self._before.append((logger, logger.handlers, logger.propagate))
            logger.handlers, logger.propagate = list(log.handlers) or [logging.NullHandler()], False

    def restore(self) -> None:
        """As it was before."""
        for logger, handlers, propagate in self._before:
            logger.handlers, logger.propagate = handlers, propagate


def _limits(config: Config) -> dict[str, Any]:
    """The sections of the configuration that concern running a notebook."""
    names = {kind.__name__ for one in (SteadfastExecute, AsyncKernelManager) for kind in one.__mro__}
    found = {name: dict(section) for name, section in config.items() if name in names}
    try:
        return json.loads(json.dumps(found))
    except TypeError as error:
        raise CourseError(
            f"jupyter_config.py: {', '.join(found)}: {error}, so it cannot be sent to a cluster's workers. "
            "Write plain values there."
        ) from None
