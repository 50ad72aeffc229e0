"""Run notebooks in warm, sandboxed kernels: `LocalExecutor`'s twin for a class of hundreds."""

import asyncio
import contextvars
import math
import time
from contextlib import suppress
from dataclasses import asdict
from queue import Empty
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
from mmdl_course.grading.messages import WaryClient

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
        server: ForkServer | None = None,
    ) -> None:
        """Nothing is started yet.

        Args:
            config: of `SteadfastExecute`: time and output limits.
            log: a logger.
            environment: of the kernels and of the server, from `kernel_environment`.
            sandbox: "full", "weak" or "none".
            limits: of memory, disk and processes.
            modules: what the server imports ahead; None for what the course's notebooks import.
            server: one that somebody else starts and closes, in place of one of its own.

        Raises:
            CourseError: this machine does not allow such a sandbox.
        """
        if sandbox != "none" and LEVELS.index(support().level) > LEVELS.index(sandbox):
            raise CourseError(f'{support().explain()}. The strongest that holds here is "{support().level}".')
        self.config, self.log, self.environment = config, log, environment
        self.sandbox, self.limits = sandbox, limits or Limits()
        self.runners = Runners()
        self.server = server or ForkServer(environment, modules=modules, log=log)
        provisioner.register()

    def __enter__(self) -> "WarmExecutor":
        self.server.start()
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


class _Client(WaryClient):
    """Jupyter's client, which is ready as soon as it has heard all that a new kernel has to say.

    The original listens another fifth of a second whether more comes, which most of a submission's time was.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Ask the kernel what it is, until it has answered and has said that it is idle again."""
        end = time.monotonic() + (math.inf if timeout is None else timeout)
        while True:
            asked = self.kernel_info()
            with suppress(Empty):
                while (reply := await self.shell_channel.get_msg(timeout=1.0))["parent_header"].get(
                    "msg_id"
                ) != asked:
                    pass  # the answer to an earlier question
                while not _is_idle(await self.iopub_channel.get_msg(timeout=0.2), asked):
                    pass
                self._handle_kernel_info_reply(reply)
                return
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > end:
                raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")


def _is_idle(message: dict[str, Any], asked: str) -> bool:
    """Whether a kernel says that it has done what it was asked."""
    state = message["content"].get("execution_state")
    return state == "idle" and message["parent_header"].get("msg_id") == asked


class _WarmExecute(SteadfastExecute):
    """A SteadfastExecute whose kernels are of one kind, whatever kernel the notebook names."""

    client_factory = _Client

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
