"""The kernel provisioner `mmdl-warm`: Jupyter's way to kernels that a fork server forks.

`WarmExecutor` uses it with its own server. With a kernelspec that names it, in a JUPYTER_PATH that is for
grading only, stock `nbgrader autograde` uses the same kernels; then the provisioner starts a server itself.
"""

import asyncio
import functools
import json
import os
import shutil
import signal
import socket
import tempfile
from contextlib import suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from traitlets import Dict, Instance, Unicode
from traitlets import List as ListOf

from mmdl_course.course import CourseError
from mmdl_course.grading.kernels.box import LEVELS, Box, Limits
from mmdl_course.grading.kernels.environment import kernel_environment
from mmdl_course.grading.kernels.fork_server import ForkServer
from mmdl_course.grading.kernels.sandbox import environment_inside, support

__all__ = ["NAME", "WarmProvisioner", "register", "run_folder"]

NAME = "mmdl-warm"
# As in `kernel.SOCKETS`, which is not imported here: it would import the kernel into the grader.
_PORTS = ("shell_port", "stdin_port", "control_port", "iopub_port", "hb_port")
_END = 5.0  # seconds for all of a kernel's processes to be gone
_LONGEST = 80  # characters; a socket's address has 107, and zmq and the names take some


def register() -> None:
    """Make the provisioner known to Jupyter, also where the package's entry points are not installed."""
    entry = EntryPoint(NAME, f"{__name__}:WarmProvisioner", KernelProvisionerFactory.GROUP_NAME)
    KernelProvisionerFactory.instance().provisioners[NAME] = entry


def run_folder() -> str:
    """A new private folder for one kernel's sockets, its path short enough for them."""
    folder = tempfile.mkdtemp(prefix="mmdl-k-")
    if len(folder) > _LONGEST:
        Path(folder).rmdir()
        folder = tempfile.mkdtemp(prefix="mmdl-k-", dir="/tmp")
    return folder


@functools.cache
def _own_server(modules: tuple[str, ...]) -> ForkServer:
    """The server of a process that has no WarmExecutor: stock nbgrader's."""
    environment = kernel_environment(seed=int(os.environ.get("MMDL_SEED") or 0))
    return ForkServer(environment, modules=modules or None)


class WarmProvisioner(LocalProvisioner):
    """One kernel of a fork server."""

    sandbox = Unicode("", help="full, weak or none; empty for the strongest that holds").tag(config=True)
    preload = ListOf(Unicode(), help="modules that a server of one's own imports; empty for the course's")
    limits = Dict(help="fields of `Limits`").tag(config=True)
    server = Instance(ForkServer, allow_none=True)

    channel: socket.socket | None = None
    run: str = ""
    returncode: int | None = None
    reason = ""  # why the keeper has ended the kernel

    @property
    def has_process(self) -> bool:
        """Whether a kernel has been started and not yet been seen to end."""
        return self.channel is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose sockets in the file system, which lead into a sandbox without a network."""
        manager = self.parent
        self.run = run_folder()
        manager.transport = "ipc"
        manager.ip = f"{self.run}/s"
        manager.connection_file = f"{self.run}/kernel.json"
        manager.cache_ports = False
        manager.transport_encryption = "disabled"  # the folder is the grader's alone
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Have a kernel forked.

        Raises:
            CourseError: no server, or the sandbox cannot be built.
        """
        level = self.sandbox or support().level
        if level not in LEVELS:
            raise CourseError(f'no sandbox "{level}": it is one of {", ".join(LEVELS)}')
        work = os.path.realpath(kwargs.get("cwd") or ".")
        box = Box(level, Limits(**self.limits), work, self.run)  # type: ignore[arg-type]
        given = kwargs.get("env") or dict(os.environ)
        connection = json.loads(Path(self.parent.connection_file).read_text(encoding="utf-8"))
        request = {
            "box": box.to_json(),
            "environment": environment_inside(box, given),
            "connection": connection,
            "arguments": [word for word in cmd if word.startswith("--")],
        }
        sockets = [_listen(f"{self.run}/s-{connection[port]}") for port in _PORTS]
        try:
            answer = await self._ask(request, sockets)
        finally:
            for bound in sockets:
                bound.close()
        if "ready" not in answer:
            await self.cleanup()
            ended = f"it ended with status {answer['returncode']}" if "returncode" in answer else "no answer"
            raise CourseError(f'no kernel in a sandbox "{level}": {answer.get("error") or ended}')
        return self.connection_info

    async def poll(self) -> int | None:
        """None while the kernel runs."""
        if self.channel is not None and self.returncode is None:
            try:
                message = json.loads(self.channel.recv(1 << 16) or "{}")
            except BlockingIOError:
                return None
            except OSError:
                message = {}
            self.returncode = message.get("returncode", -signal.SIGKILL)
            self.reason = message.get("reason", "")
        return 0 if self.returncode is None else self.returncode

    async def wait(self) -> int | None:
        """Until the kernel and all it has started are gone."""
        while await self.poll() is None:
            await asyncio.sleep(0.01)
        self._let_go()
        return self.returncode

    async def send_signal(self, signum: int) -> None:
        """To the kernel's process group."""
        if self.channel is not None and self.returncode is None and signum != 0:
            try:
                self.channel.send(json.dumps({"signal": int(signum)}).encode())
            except OSError:
                return  # it is gone; `poll` will say so

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002 -- Jupyter's signature
        """At once, with everything it has started; who asks afterwards need not wait for the next look."""
        await self.send_signal(signal.SIGKILL)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), timeout=_END)

    async def terminate(self, restart: bool = False) -> None:
        """The same: a kernel has nothing to put in order."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:  # noqa: ARG002 -- Jupyter's signature
        """Remove the sockets."""
        self._let_go()
        shutil.rmtree(self.run, ignore_errors=True)

    async def _ask(self, request: dict[str, Any], sockets: list[socket.socket]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        server = self.server or _own_server(tuple(self.preload))
        self.returncode, self.reason = None, ""
        for _ in range(3):  # a server that is killed now has taken the request with it
            self._let_go()
            self.channel = await loop.run_in_executor(None, server.request, request, sockets)
            self.channel.setblocking(False)
            answer: dict[str, Any] = json.loads(await loop.sock_recv(self.channel, 1 << 16) or b"{}")
            if answer:
                break
        return answer

    def _let_go(self) -> None:
        if self.channel is not None:
            self.channel.close()
            self.channel = None


def _listen(path: str) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(16)
    return listening
