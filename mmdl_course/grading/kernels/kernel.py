"""The IPython kernel of a forked process: its sockets are bound already, by the grader.

So the kernel needs no way to the folder that they lie in, and a client finds it without waiting.
"""

import os
import random
import signal
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import zmq
from ipykernel import kernelapp
from ipykernel.heartbeat import Heartbeat
from ipykernel.iostream import IOPubThread
from ipykernel.kernelapp import IPKernelApp
from zmq.eventloop.zmqstream import ZMQStream

__all__ = ["SOCKETS", "run"]

SOCKETS = ("shell", "stdin", "control", "iopub", "hb")  # the order in which their descriptors travel


class _LocalIOPubThread(IOPubThread):
    """Forked children print through a socket in a folder; the original takes a network."""

    folder: str

    def _setup_pipe_in(self) -> None:
        self._pipe_uuid = os.urandom(16)
        pipe = self.socket.context.socket(zmq.PULL)
        pipe.linger = 0
        pipe.bind(f"ipc://{self.folder}/.prints")
        self._pipe_in = ZMQStream(pipe, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def _setup_pipe_out(self) -> tuple[Any, Any]:
        context = zmq.Context()  # the parent's does not survive the fork
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000  # milliseconds, as in the original
        pipe.connect(f"ipc://{self.folder}/.prints")
        return context, pipe


class _BoundHeartbeat(Heartbeat):
    descriptor: int

    def _try_bind_socket(self) -> Any:
        self.socket.setsockopt(zmq.USE_FD, self.descriptor)
        return super()._try_bind_socket()


class _BoundKernelApp(IPKernelApp):
    """An IPKernelApp that is told its connection, in place of finding it in a file."""

    given: dict[str, Any]
    descriptors: dict[str, int]

    def init_connection_file(self) -> None:
        self.load_connection_info(self.given)

    def write_connection_file(self, **_: Any) -> None:
        """Nobody reads it."""

    def _try_bind_socket(self, s: Any, port: int) -> int:
        (name,) = [name for name in SOCKETS if self.given[f"{name}_port"] == port]
        s.setsockopt(zmq.USE_FD, self.descriptors[name])
        s.setsockopt(
            zmq.SNDHWM, 0
        )  # a lost message is a lost output; what waits counts as the kernel's memory
        return super()._try_bind_socket(s, port)

    def init_control(self, context: Any) -> None:
        super().init_control(context)
        # The debugger's way back to the kernel leads through the file system, where it would be looked for
        # again and again.
        self.debug_shell_socket.disconnect(self.shell_socket.getsockopt(zmq.LAST_ENDPOINT))

    def init_heartbeat(self) -> None:
        self.heartbeat = _BoundHeartbeat(zmq.Context(), (self.transport, self.ip, self.hb_port))
        self.heartbeat.descriptor = self.descriptors["hb"]
        self.heartbeat.start()

    def init_shell(self) -> None:
        super().init_shell()
        widgets = sys.modules.get("ipywidgets")
        if widgets is not None:
            widgets._handle_ipython()  # on import there was no kernel to register with


def run(
    connection: dict[str, Any],
    descriptors: list[int],
    arguments: list[str],
    *,
    folder: str,
    ready: Callable[[], None],
) -> None:
    """Be a kernel until it is shut down.

    Args:
        connection: what a connection file holds.
        descriptors: listening sockets in the order of `SOCKETS`.
        arguments: further ones for the kernel application.
        folder: for a socket of the kernel's own.
        ready: called when nothing is left to do before the first cell.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for stream, number in (("stdout", 1), ("stderr", 2)):
        fresh = os.fdopen(number, "w", buffering=1, closefd=False)
        setattr(sys, stream, fresh)
        setattr(sys, f"__{stream}__", fresh)
    tempfile.tempdir = None  # the server's: to be looked up again
    _seed()
    if os.environ.get("MPLBACKEND") and "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rcParams["backend"] = os.environ["MPLBACKEND"]  # as its import does
    sys.argv = ["ipykernel_launcher", *arguments]
    _LocalIOPubThread.folder = folder
    kernelapp.IOPubThread = _LocalIOPubThread
    _BoundKernelApp.given = connection
    _BoundKernelApp.descriptors = dict(zip(SOCKETS, descriptors, strict=True))
    app = _BoundKernelApp.instance()
    app.initialize(arguments)
    ready()
    app.start()


def _seed() -> None:
    """All forks would draw the same numbers, whatever the server drew on import before.

    With the grading seed, what a notebook leaves unseeded is at least the same in each grading.
    """
    seed = int(os.environ.get("MMDL_SEED") or 0)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
