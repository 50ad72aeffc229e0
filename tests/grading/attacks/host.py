"""A made-up machine for hostile cells to attack: every secret can be told, every change is seen.

Each attack gets a host of its own, so that what was harmed was harmed by this attack.
"""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["Host", "running"]


class Host:
    """A course with gradebook, solutions and another student; a home; sockets; a process of somebody's."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Make it.

        Args:
            folder: an empty folder, deep enough to be no one's way.
            stack: what ends with the host is put on it.
        """
        self.secrets: dict[str, str] = {}
        self.course, self.home, self.work = (folder / name for name in ("course", "home", "work"))
        self.files = {
            "gradebook": self.course / "gradebook.db",
            "solution": self.course / "solutions" / "week01" / "week01.py",
            "hidden": self.course / "build" / "hidden.ipynb",
            "other": self.course / "submitted" / "bob" / "week01" / "week01.ipynb",
            "key": self.home / ".ssh" / "id_ed25519",
            "token": self.home / ".local" / "share" / "jupyter" / "runtime" / "jpserver-1.json",
        }
        for name, path in self.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._secret(name))
        number, world = tempfile.mkstemp(prefix="mmdl-world-", suffix=".txt", dir="/tmp")
        os.close(number)
        self.files["world"] = Path(world)
        stack.callback(self.files["world"].unlink, missing_ok=True)
        self.files["world"].write_text(self._secret("world"))
        self.files["world"].chmod(0o666)
        self.work.mkdir()
        (self.work / "data.csv").write_text("1,2\n")
        (self.work / "assignment.ipynb").write_text(self._secret("notebook with hidden tests"))
        self._before = self._snapshot(folder)
        self._folder = folder
        self._listen(stack)
        self.marker = f"mmdl-left-{secrets.token_hex(8)}"
        command = ["/bin/sh", "-c", "read line; true", self._secret("command line")]
        environment = {"TOKEN": self._secret("environment")}
        self.process = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, cwd=self.course)
        )
        stack.callback(self.process.kill)

    def _secret(self, name: str) -> str:
        return self.secrets.setdefault(name, f"secret-{secrets.token_hex(12)}")

    def _listen(self, stack: ExitStack) -> None:
        def made(family: int, kind: int, address: Any) -> socket.socket:
            bound = stack.enter_context(socket.socket(family, kind))
            bound.setblocking(False)
            bound.bind(address)
            if kind == socket.SOCK_STREAM:
                bound.listen()
            return bound

        self.bus, self.log = str(self._folder / "bus"), str(self._folder / "log")
        self.abstract = f"\0mmdl-{secrets.token_hex(8)}"
        self._listening = {
            "tcp": made(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "udp": made(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "abstract socket": made(socket.AF_UNIX, socket.SOCK_STREAM, self.abstract),
            "bus": made(socket.AF_UNIX, socket.SOCK_STREAM, self.bus),
            "log": made(socket.AF_UNIX, socket.SOCK_DGRAM, self.log),
        }
        with suppress(OSError):  # a machine without IPv6
            self._listening["tcp6"] = made(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0))
        for path in (self.bus, self.log):
            Path(path).chmod(0o777)

    def known(self) -> dict[str, Any]:
        """All that an attacker may know beforehand: where everything is, and no secret."""
        ports = {name: self._port(name) for name in ("tcp", "tcp6", "udp")}
        places = {name: str(path) for name, path in self.files.items()}
        return {
            **places,
            **ports,
            "course": str(self.course),
            "home": str(self.home),
            "abstract": self.abstract,
            "bus": self.bus,
            "log": self.log,
            "process": self.process.pid,
            "grader": os.getpid(),
            "marker": self.marker,
        }

    def _port(self, name: str) -> int:
        return self._listening[name].getsockname()[1] if name in self._listening else 1

    def told(self, text: str) -> list[str]:
        """The secrets in a text, by name."""
        return [name for name, secret in self.secrets.items() if secret in text]

    def harm(self) -> list[str]:
        """What is not as it was."""
        now = self._snapshot(self._folder)
        found = [str(path) for path in {*now, *self._before} if now.get(path) != self._before.get(path)]
        for name, listening in self._listening.items():
            with suppress(BlockingIOError):
                if listening.type == socket.SOCK_STREAM:
                    listening.accept()[0].close()
                else:
                    listening.recv(1000)
                found.append(f"{name} was reached")
        return found + self._harm_to_the_process()

    def _harm_to_the_process(self) -> list[str]:
        if self.process.poll() is not None:
            return [f"the process was ended: {self.process.returncode}"]
        import resource

        pid = self.process.pid
        status = Path(f"/proc/{pid}/status").read_text()
        now = {
            "stopped": "T (" in status,
            "traced": "TracerPid:\t0\n" not in status,
            "open files": resource.prlimit(pid, resource.RLIMIT_NOFILE)
            != resource.getrlimit(resource.RLIMIT_NOFILE),
            "priority": os.getpriority(os.PRIO_PROCESS, pid) != os.getpriority(os.PRIO_PROCESS, 0),
            "processors": os.sched_getaffinity(pid) != os.sched_getaffinity(0),
        }
        return [f"the process was changed: {name}" for name, changed in now.items() if changed]

    def _snapshot(self, folder: Path) -> dict[Path, tuple[Any, ...]]:
        found: dict[Path, tuple[Any, ...]] = {}
        for path in [*folder.rglob("*"), self.files["world"]]:
            if path.is_socket() or not path.exists():
                continue
            now = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[path] = (now.st_mode, now.st_uid, now.st_nlink * path.is_file(), now.st_mtime_ns, content)
        return found


@contextmanager
def running(*, near: Path | None = None) -> Iterator[Host]:
    """A host, for as long as an attack takes.

    Args:
        near: where to make it; None for the folder of temporary files.

    Yields:
        The host.
    """
    folder = Path(tempfile.mkdtemp(prefix="mmdl-host-", dir=near))
    try:
        with ExitStack() as stack:
            yield Host(folder, stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
