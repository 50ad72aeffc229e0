"""JupyterLab as `make lab` starts it, without a browser, for tests that talk to it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["TOKEN", "apart", "ask", "running_lab"]

TOKEN = "for-this-test-alone"
BIN = Path(sys.executable).parent
PATIENCE = 120  # seconds


def apart(home: Path) -> dict[str, str]:
    """An environment without the settings of the person who runs the tests.

    The environment's bin folder is on PATH, as if it were activated, and nothing else of it is set.

    Args:
        home: the folder to be the home.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    return {**kept, "HOME": str(home), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}


@contextmanager
def running_lab(root: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """JupyterLab at a course's root.

    Args:
        root: the course's root.
        environment: of the server and its kernels.

    Yields:
        The server's address, without a slash at the end.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", f"--port={port}", f"--IdentityProvider.token={TOKEN}"]
    log = root / "lab.log"
    with log.open("w") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=root,
            env=dict(environment),
            stdout=words,
            stderr=words,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(process, address, log)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def ask(address: str, path: str) -> tuple[str, str]:
    """Where a request ends up, and the answer's text.

    Args:
        address: the server's.
        path: with a slash at the start.
    """
    request = urllib.request.Request(address + path, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.geturl(), answer.read().decode()


def _wait(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, log.read_text()
        try:
            ask(address, "/api/status")
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.25)
        else:
            return
