"""The fork server: a process with one thread that has imported what notebooks import, and forks kernels.

Started by `ForkServer` as `python -m mmdl_course.grading.kernels.server DESCRIPTOR PARENT MODULES`. It takes
requests on the descriptor and does nothing else, so that nothing a kernel does can touch it:

    server ── fork ── keeper ── fork ── kernel (inside the sandbox)

The keeper has the kernel's channel: it passes signals on, watches the kernel's memory and processes, ends
everything when the grader is gone, and says at last how the kernel ended. Keepers outlive the server.
"""

import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from mmdl_course.grading.kernels import sandbox
from mmdl_course.grading.kernels.box import Box, Limits

__all__ = ["main"]

WATCH = 0.25  # seconds between two looks at a kernel's memory
FILES = 4  # times what one process may open, for all of a kernel's together
MESSAGE = 1 << 17  # bytes; the longest request


def main(descriptor: int, parent: int, modules: list[str]) -> None:
    """Import, say so, and serve until the parent is gone.

    Args:
        descriptor: a socket that keeps messages apart (SOCK_SEQPACKET).
        parent: process id of the grader.
        modules: to import.
    """
    # Not PR_SET_PDEATHSIG: that fires when the *thread* ends that has started the server.
    alive = os.pidfd_open(parent)
    if os.getppid() != parent:
        return
    control = socket.socket(fileno=descriptor)
    missing = _import_all(modules)
    tasks = sum(1 for _ in Path("/proc/self/task").iterdir())
    if tasks != 1:
        control.send(_packed({"error": f"an imported module has started threads ({tasks} tasks)"}))
        return
    gc.collect()
    gc.freeze()  # the collector would touch, and so copy, every page that the kernels share
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children that end are gone at once: nobody asks for them
    control.send(_packed({"ready": True, "missing": missing}))
    while True:
        ready, _, _ = select.select([control, alive], [], [])
        if alive in ready:
            return
        data, descriptors, _, _ = socket.recv_fds(control, MESSAGE, 8)
        if not data:
            return
        channel, *sockets = descriptors
        try:
            pid = os.fork()
        except OSError as error:
            with suppress(OSError), socket.socket(fileno=channel) as talk:
                talk.send(_packed({"error": f"no new process: {error.strerror}"}))
            pid = -1
        if pid == 0:
            control.close()
            _keep(json.loads(data), socket.socket(fileno=channel), sockets, alive)
        for number in sockets if pid == -1 else descriptors:
            os.close(number)


def _import_all(modules: list[str]) -> dict[str, str]:
    """Import; what cannot be is left for the notebook to complain about."""
    missing = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in modules:
            try:
                importlib.import_module(name)
            except Exception as error:  # noqa: BLE001 -- a broken module breaks the cell that imports it
                missing[name] = f"{type(error).__name__}: {error}"
    if "tqdm" in sys.modules:
        sys.modules["tqdm"].tqdm.monitor_interval = 0  # the monitor would be a thread
    return missing


def _keep(request: dict[str, Any], channel: socket.socket, sockets: list[int], alive: int) -> NoReturn:
    """In the fork: start the kernel, watch it, report its end. Never returns."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        _become_subreaper()
        box = Box.from_json(request["box"])
        try:
            kernel, uid = sandbox.separate(box.level)
            if kernel == 0:
                _become_kernel(request, box, channel, sockets, uid)
        except BaseException as error:  # noqa: BLE001 -- in keeper or kernel: the grader has to know
            with suppress(OSError):
                channel.send(_packed({"error": f"{type(error).__name__}: {error}"}))
            os._exit(1)
        for number in sockets:
            os.close(number)
        try:
            status = _watch(kernel, channel, alive, box.limits)
        finally:
            _end_all(kernel)
            shutil.rmtree(box.run, ignore_errors=True)  # the grader does it as well, unless it was killed
        with suppress(OSError):
            channel.send(_packed(status))
    finally:
        os._exit(0)


def _become_kernel(
    request: dict[str, Any], box: Box, channel: socket.socket, sockets: list[int], uid: int | None
) -> NoReturn:
    from mmdl_course.grading.kernels import kernel

    os.setsid()  # its own group: interrupts go to all of it, and to nothing else
    _keep_open([channel.fileno(), *sockets])
    sandbox.enter(box, uid=uid)
    os.chdir(box.working_folder)
    os.environ.clear()
    os.environ.update(request["environment"])

    def ready() -> None:
        # From here on every trouble is the notebook's: the channel must not reach the student's code.
        channel.send(_packed({"ready": True}))
        channel.close()

    status = 0
    try:
        kernel.run(request["connection"], sockets, request["arguments"], folder=box.own_folder, ready=ready)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    os._exit(status)


def _keep_open(descriptors: list[int]) -> None:
    """Close everything else that came over the fork."""
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    wanted = {0, 1, 2, *descriptors}
    for number in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if number not in wanted:
            with suppress(OSError):  # the one that listed them
                os.close(number)


def _watch(kernel: int, channel: socket.socket, alive: int, limits: Limits) -> dict[str, Any]:
    """Until the kernel ends, or has to. Returns the message for the grader."""
    ended = os.pidfd_open(kernel)
    held = _resident(os.getpid())
    while True:
        ready, _, _ = select.select([ended, channel, alive], [], [], WATCH)
        if ended in ready:
            _, status = os.waitpid(kernel, 0)
            return {"returncode": os.waitstatus_to_exitcode(status)}
        if alive in ready:
            return {"returncode": -signal.SIGKILL}
        if channel in ready:
            message = channel.recv(MESSAGE)
            if not message:  # the grader has let go of this kernel
                return {"returncode": -signal.SIGKILL}
            with suppress(ProcessLookupError):
                os.killpg(kernel, json.loads(message)["signal"])
        elif not ready:
            reason = _excess(limits, held)
            if reason:
                return {"returncode": -signal.SIGKILL, "reason": reason}


def _excess(limits: Limits, held: int) -> str:
    """What the kernel and its children together have too much of, or "".

    Resource limits hold for one process each, and processes are not counted for root: this is the sum.
    """
    family = list(_descendants(os.getpid()))
    if len(family) > limits.processes:
        return f"more than {limits.processes} processes"
    # Full sockets and pipes are memory that belongs to no process.
    files = limits.open_files * FILES
    if sum(map(_open_files, family)) > files:
        return f"more than {files} open files in all its processes"
    most = limits.memory * 5 // 4 + held
    # Resident counts shared pages several times: only a reason to look closer, which costs more.
    if sum(map(_resident, family)) > most and sum(map(_proportional, family)) > most:
        return f"more than {limits.memory * 5 // 4 >> 20} MiB of memory in all its processes"
    return ""


def _descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from _descendants(child)


def _resident(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _open_files(pid: int) -> int:
    with suppress(OSError):
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return 0


def _proportional(pid: int) -> int:
    """Anonymous and shared memory, each page divided by the number of those who have it."""
    with suppress(OSError):
        lines = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
        return sum(int(line[1]) << 10 for line in lines if line[0] in ("Pss_Anon:", "Pss_Shmem:"))
    return 0


def _end_all(kernel: int) -> None:
    """Kill the kernel and all it has started, also what has been handed on to this process."""
    with suppress(ProcessLookupError):
        os.kill(kernel, signal.SIGKILL)  # the first of its namespace: the others go with it
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for pid in _descendants(os.getpid()):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.005)
        except ChildProcessError:
            return


def _become_subreaper() -> None:
    import ctypes

    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans come to the keeper


def _packed(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(",") if sys.argv[3] else [])
