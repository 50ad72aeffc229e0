"""The grader's end of the fork server: start it, ask it for kernels, start it again when it has died."""

import json
import logging
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdl_course.cache import cache_folder
from mmdl_course.course import CourseError
from mmdl_course.grading.kernels.preload import PRELOAD
from mmdl_course.grading.kernels.sandbox import THREADS

__all__ = ["ForkServer"]

START = 180  # seconds; importing everything takes 5 to 10, on a cold disk more


class ForkServer:
    """A fork server and the way to it. Safe to use from several threads."""

    def __init__(
        self, environment: dict[str, str], *, modules: Sequence[str] | None = None, log: Any = None
    ) -> None:
        """Nothing is started yet.

        Args:
            environment: of the server, and so what a kernel finds in /proc: no secrets.
            modules: what to import; None for what the course's notebooks import.
            log: a logger.
        """
        self._environment = environment
        self._modules = PRELOAD if modules is None else modules
        self._log = log or logging.getLogger(__name__)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._messages: Any = None
        self._ready = False  # it has imported everything

    @property
    def pid(self) -> int | None:
        """The server's process id; None when it is not running."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def begin(self) -> None:
        """Start the server, unless it runs, and do not wait until it has imported everything.

        Raises:
            CourseError: this is no Linux.
        """
        with self._lock:
            if self._process is None:
                self._launch()

    def start(self) -> None:
        """Start the server, unless it runs, and wait until it can fork.

        Raises:
            CourseError: it cannot be started; the message says why.
        """
        with self._lock:
            self._ensure()

    def close(self) -> None:
        """End the server. Kernels end when their channels are closed."""
        with self._lock:
            self._stop()

    def request(self, message: dict[str, Any], sockets: Sequence[socket.socket]) -> socket.socket:
        """Ask for a kernel.

        Args:
            message: environment, connection, arguments and box.
            sockets: the kernel's, bound and listening.

        Returns:
            The kernel's channel: the first message says "ready" or "error", the last "returncode".

        Raises:
            CourseError: the server cannot be started, or dies again and again.
        """
        data = json.dumps(message).encode()
        for _ in range(3):
            with self._lock:
                self._ensure()
                assert self._control is not None
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    try:
                        numbers = [theirs.fileno(), *(listening.fileno() for listening in sockets)]
                        socket.send_fds(self._control, [data], numbers)
                        return ours
                    except OSError as error:
                        self._log.warning("The fork server does not answer (%s)", error)
                        self._stop()
            ours.close()
        raise CourseError("the fork server dies as soon as it is started. Is the memory full?")

    def _ensure(self) -> None:
        if self._process is not None and not self._ready:
            self._await()
        if self.pid is not None:
            return
        if self._process is not None:
            self._log.warning("The fork server has died (status %s); starting it again", self._process.poll())
            self._stop()
        self._launch()
        self._await()

    def _launch(self) -> None:
        import mmdl_course

        if sys.platform != "linux":
            raise CourseError("warm kernels need Linux. Grade without them here.")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 -- lives as long as the server
        environment = {
            **{name: value for name, value in self._environment.items() if name != "MPLBACKEND"},
            **{name: self._environment.get(name, "1") for name in THREADS},  # threads do not survive a fork
            "PYTHONPATH": str(Path(mmdl_course.__file__).parents[1]),
            "MMDL_CACHE": str(cache_folder()),
            "PYTHONHASHSEED": "0",  # sets have the same order in each grading
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-m", "mmdl_course.grading.kernels.server"]
        arguments = [str(theirs.fileno()), str(os.getpid()), ",".join(self._modules)]
        self._process = subprocess.Popen(
            [*command[:1], "-P", *command[1:], *arguments],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._messages,
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # Ctrl-C is for the grader, which then ends the server
        )
        theirs.close()
        self._control = ours
        self._ready = False

    def _await(self) -> None:
        """Until the server that was launched has imported everything.

        Raises:
            CourseError: it cannot, or takes too long.
        """
        assert self._control is not None
        ready, _, _ = select.select([self._control], [], [], START)
        answer = json.loads((self._control.recv(1 << 16) if ready else b"") or b"{}")
        if "ready" not in answer:
            silent = "it ended" if ready else f"no answer after {START} s"
            why = answer.get("error") or self._last_words() or silent
            self._stop()
            raise CourseError(f"the fork server cannot start: {why}")
        for name, problem in answer["missing"].items():
            self._log.info("Not imported ahead: %s (%s)", name, problem)
        self._ready = True

    def _last_words(self) -> str:
        self._messages.seek(0)
        lines = self._messages.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            try:
                self._process.wait(timeout=1)  # it ends by itself when the socket is closed
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._messages is not None:
            self._messages.close()
        self._process = self._control = self._messages = None
        self._ready = False
