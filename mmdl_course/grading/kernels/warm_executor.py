"""Run notebooks in warm, sandboxed kernels: `LocalExecutor`'s twin for a class of hundreds."""

import asyncio
import contextvars
import time
from dataclasses import asdict
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbformat import NotebookNode
from traitlets.config import Config

from mmdl_course.course import CourseError
from mmdl_course.grading.executor import Execution, Runners, SteadfastExecute
from mmdl_course.grading.kernels import provisioner
from mmdl_course.grading.kernels.box import LEVELS, Level, Limits
from mmdl_course.grading.kernels.fork_server import ForkServer
from mmdl_course.grading.kernels.sandbox import support

__all__ = ["WarmExecutor"]


class WarmExecutor:
    """Kernels of one fork server, each in its own sandbox. `execute` may be called from several threads."""

    def __init__(
        self,
        config: Config,
        log: Any,
        environment: dict[str, str],
        *,
        sandbox: Level = "full",
        limits: Limits | None = None,
        modules: tuple[str, ...] | None = None,
    ) -> None:
        """Nothing is started yet.

        Args:
            config: of `SteadfastExecute`: time and output limits.
            log: a logger.
            environment: of the kernels and of the server, from `kernel_environment`.
            sandbox: "full", "weak" or "none".
            limits: of memory, disk and processes.
            modules: what the server imports ahead; None for what the course's notebooks import.

        Raises:
            CourseError: this machine does not allow such a sandbox.
        """
        if sandbox != "none" and LEVELS.index(support().level) > LEVELS.index(sandbox):
            raise CourseError(f'{support().explain()}. The strongest that holds here is "{support().level}".')
        self.config, self.log, self.environment = config, log, environment
        self.sandbox, self.limits = sandbox, limits or Limits()
        self.runners = Runners()
        self.server = ForkServer(environment, modules=modules, log=log)

    def __enter__(self) -> "WarmExecutor":
        self.server.start()
        provisioner.register()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()

    def execute(self, notebook: NotebookNode, resources: dict[str, Any]) -> Execution:
        """Run every code cell; see `Executor`.

        Raises:
            CourseError: no kernel can be started.
        """
        # A thread's event loop would outlive the thread; Jupyter keeps it in a context variable.
        return contextvars.Context().run(self._execute, notebook, resources)

    def _execute(self, notebook: NotebookNode, resources: dict[str, Any]) -> Execution:
        start = time.monotonic()
        loop = ensure_event_loop()
        runner = _WarmExecute(
            config=self.config, log=self.log, environment=self.environment, spec=self._kernel_spec()
        )
        try:
            with self.runners.running(runner):
                notebook, _ = runner.preprocess(notebook, resources)
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
            asyncio.set_event_loop(None)
        return Execution(notebook, tuple(dict.fromkeys(runner.flags)), time.monotonic() - start)

    def _kernel_spec(self) -> KernelSpec:
        config = {"sandbox": self.sandbox, "limits": asdict(self.limits), "server": self.server}
        stanza = {"provisioner_name": provisioner.NAME, "config": config}
        return KernelSpec(
            argv=["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="warm",
            language="python",
            metadata={"kernel_provisioner": stanza},
        )


class _WarmExecute(SteadfastExecute):
    """A SteadfastExecute whose kernels are of one kind, whatever kernel the notebook names."""

    def __init__(self, *, spec: KernelSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._spec = spec

    def create_kernel_manager(self) -> AsyncKernelManager:
        self.km = AsyncKernelManager(config=self.config)
        self.km._kernel_spec = self._spec
        self._wary()
        return self.km

    def _replace_kernel(self, index: int) -> None:
        reason = getattr(self.km.provisioner, "reason", "")
        if reason:
            self.flags.append(f"the kernel was ended: it used {reason}")
        super()._replace_kernel(index)
