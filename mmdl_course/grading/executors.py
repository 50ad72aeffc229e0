"""Choose what runs the notebooks: kernels on this machine, sandboxed or not, or a cluster's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mmdl_course.course import CourseError

if TYPE_CHECKING:
    from traitlets.config import Config

    from mmdl_course.grading.executor import Executor

__all__ = ["Running", "Sandbox", "make_executor", "strongest"]

Sandbox = Literal["full", "weak", "none"]


@dataclass(frozen=True)
class Running:
    """An executor that was started, and what it is in words (the journal keeps them for appeals)."""

    executor: "Executor"
    words: str
    threads: int | None = None  # notebooks that it runs at once; None for as many as this machine has cores
    wait: Callable[[], None] = lambda: None  # until it can run the first notebook; raises when it never can


@contextmanager
def make_executor(
    config: "Config",
    log: Any,
    *,
    seed: int,
    sandbox: Sandbox | None = None,
    scheduler: str | None = None,
    lesson: Path | None = None,
) -> Iterator[Running]:
    """Start the executor that the options ask for, and stop it at the end.

    Args:
        config: nbgrader's configuration.
        log: a logger.
        seed: the grading seed.
        sandbox: how student code is kept in; None for the strongest that this machine has, on a cluster
            for "full".
        scheduler: address of a Dask scheduler whose workers run the notebooks.
        lesson: the lesson as its author wrote it: warm kernels have what it imports; None for everything.

    Yields:
        The executor; its `execute` may be called from several threads at once.

    Raises:
        CourseError: this machine or this version cannot do what was asked.
    """
    from mmdl_course.grading.kernels.environment import kernel_environment
    from mmdl_course.grading.kernels.preload import modules_for

    modules = modules_for(lesson) if lesson else None
    if scheduler is not None:
        from mmdl_course.grading.cluster.executor import DaskExecutor

        level = sandbox or "full"
        with DaskExecutor(scheduler, config, log, seed=seed, sandbox=level, modules=modules) as executor:
            yield Running(executor, executor.words, executor.roster.threads)
        return
    environment = kernel_environment(seed=seed)
    level = sandbox or strongest()
    if level == "none":
        from mmdl_course.grading.executor import LocalExecutor

        yield Running(
            LocalExecutor(config=config, log=log, environment=environment), "a new kernel, no sandbox"
        )
        return
    from mmdl_course.grading.kernels.fork_server import ForkServer

    server = ForkServer(environment, modules=modules, log=log)
    server.begin()  # it imports for seconds, and so does this process meanwhile
    try:
        from mmdl_course.grading.kernels.warm_executor import WarmExecutor

        executor = WarmExecutor(config, log, environment, sandbox=level, server=server)
        yield Running(executor, f"warm kernels, sandbox: {level}", wait=server.start)
    finally:
        server.close()


def strongest() -> Sandbox:
    """The strongest sandbox of this machine, for whoever has not said what they want.

    Raises:
        CourseError: there is none, and nobody has said that this is all right.
    """
    from rich.console import Console

    from mmdl_course.grading.kernels.sandbox import support

    found = support()
    if found.level == "none":
        raise CourseError(
            f"{found.explain()}. Student code could read and change what you can. Grade on Linux, or, in a "
            "container or a virtual machine with nothing else in it, with --no-sandbox."
        )
    if found.level == "weak":
        Console(stderr=True, highlight=False).print(
            f"{found.explain()}. A weaker sandbox is used; docs/grading.md says what it leaves open.",
            style="yellow",
            markup=False,
        )
    return found.level
