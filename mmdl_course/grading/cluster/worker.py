"""What runs in a Dask worker: a session for each grading, and the notebooks that it is given.

A session is a fork server with its kernels (or plain kernels, where the grader wants no sandbox). It lives
as long as somebody holds the result of the task that opened it: when the grader ends, however it ends,
the scheduler forgets that task, and the session ends with whatever it is running.
"""

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmdl_course.grading.executor import LocalExecutor
    from mmdl_course.grading.kernels.warm_executor import WarmExecutor

# The scheduler imports this module as well: what is heavy is imported where it is used.

__all__ = ["PLACE", "open_session", "run_notebook"]

PLACE = ("LANG", "LC_", "TZ")  # variables that tell where one is
LOOK = 0.5  # seconds between looks at whether the grader is still there
ARRIVE = 60  # seconds in which the scheduler has heard of a session that was opened


@dataclass(frozen=True)
class _Session:
    executor: "LocalExecutor | WarmExecutor"
    close: Callable[[], None]


_SESSIONS: dict[str, _Session] = {}


def open_session(settings: bytes) -> bytes:
    """Make this worker ready for a grading. Runs as a Dask task; its result is the grader's lease.

    Args:
        settings: JSON with the grader's versions, models, sandbox, seed, environment, config, modules.

    Returns:
        JSON with the session's name, or with why this worker must not grade.
    """
    from distributed import get_worker

    wanted = json.loads(settings)
    refusals = _differences(wanted)
    if refusals:
        return _answer(refused="; ".join(refusals))
    stack = ExitStack()
    try:
        executor = _executor(wanted, stack)
    except Exception as error:  # noqa: BLE001 (whatever it is, the grader hears it)
        return _answer(refused=str(error) or type(error).__name__)

    def close() -> None:
        executor.runners.stop()
        stack.close()

    name = uuid.uuid4().hex
    _SESSIONS[name] = _Session(executor, close)
    worker = get_worker()
    threading.Thread(
        target=_watch, args=(name, worker, worker.get_current_task()), name=f"session-{name}", daemon=True
    ).start()
    return _answer(session=name)


def run_notebook(session: str, parcel: bytes) -> bytes:
    """Run a notebook. A Dask task that has no exceptions: what it says is JSON.

    Args:
        session: from `open_session`.
        parcel: from `parcels.pack`.

    Returns:
        `parcels.pack_execution`'s, or JSON with "error", or with "lost" where there is no such session.
    """
    from mmdl_course.grading.cluster.parcels import pack_execution, unpack

    found = _SESSIONS.get(session)
    if found is None:
        return _answer(lost=True)
    try:
        with TemporaryDirectory(prefix="mmdl-work-", ignore_cleanup_errors=True) as folder:
            notebook, work = unpack(parcel, Path(folder))
            return pack_execution(found.executor.execute(notebook, {"metadata": {"path": str(work)}}))
    except Exception as error:
        logging.getLogger(__name__).exception("A notebook did not run")
        return _answer(error=f"{type(error).__name__}: {error}")


def _answer(**fields: Any) -> bytes:
    return json.dumps(fields).encode("ascii")


def _differences(wanted: dict[str, Any]) -> list[str]:
    """Why a mark made here would not be the mark made there."""
    from mmdl_course.grading.provenance import present_versions, ready_models

    here, there = present_versions(), wanted["versions"]
    found = [
        f"{name} is {here.get(name, 'not there')} here and {there.get(name, 'not there')} where you grade"
        for name in sorted({*here, *there})
        if here.get(name) != there.get(name)
    ]
    if found:
        found[-1] += ". Install the same course and the same constraints.txt on both, and restart the worker"
    absent = sorted({*wanted["models"]} - {*ready_models()})
    if absent:
        found.append(f"it has not the model {', '.join(absent)}. Run there: mmdl fetch {' '.join(absent)}")
    return found


def _executor(wanted: dict[str, Any], stack: ExitStack) -> "LocalExecutor | WarmExecutor":
    from traitlets.config import Config

    from mmdl_course.grading.executor import LocalExecutor
    from mmdl_course.grading.kernels.environment import kernel_environment
    from mmdl_course.grading.kernels.warm_executor import WarmExecutor

    log = logging.getLogger("mmdl.worker")
    log.setLevel(logging.WARNING)
    config = Config(wanted["config"])
    # Folders are this machine's; language and time zone, which a mark could depend on, are the grader's.
    environment = kernel_environment(seed=wanted["seed"])
    environment = {name: value for name, value in environment.items() if not name.startswith(PLACE)}
    environment |= wanted["environment"]
    if wanted["sandbox"] == "none":
        return LocalExecutor(config=config, log=log, environment=environment)
    modules = wanted["modules"]
    return stack.enter_context(
        WarmExecutor(
            config,
            log,
            environment,
            sandbox=wanted["sandbox"],
            modules=None if modules is None else tuple(modules),
        )
    )


def _watch(name: str, worker: Any, key: str) -> None:
    """End a session when its lease, the opening task's result, is no longer kept here."""
    begin, arrived = time.monotonic(), False
    while worker.status.name in ("init", "running", "paused", "closing_gracefully"):
        time.sleep(LOOK)
        if key in worker.data:
            arrived = True
        elif arrived or time.monotonic() - begin > ARRIVE:
            break
    _SESSIONS.pop(name).close()
