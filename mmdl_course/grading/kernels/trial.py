"""Try what sandbox this machine allows. Run by `sandbox.support` as a program of its own.

A process of its own, since only one with a single thread may fork and go on.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from mmdl_course.grading.kernels import sandbox
from mmdl_course.grading.kernels.box import Box, Level, Limits

__all__ = ["try_level"]


def try_level(level: Level) -> str:
    """What goes wrong at this level, or ""."""
    with tempfile.TemporaryDirectory(prefix="mmdl-try-") as run:
        work = Path(run) / "given"
        work.mkdir()
        reader, writer = os.pipe()
        watcher = os.fork()
        if watcher == 0:
            _watch_trial(Box(level, Limits(), str(work), run), writer)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            answer = pipe.read()
        os.waitpid(watcher, 0)
    if answer == "it holds":
        return ""
    return _with_remedy(answer or "its process ended without a word")


def _watch_trial(box: Box, writer: int) -> None:
    try:
        child, uid = sandbox.separate(box.level)
        if child == 0:
            sandbox.enter(box, uid=uid)
            Path(f"{box.scratch}/work/written").write_text("here")
            import colorsys  # noqa: F401 -- any module that is not loaded yet: the runtime can be read

            os.write(writer, b"it holds")
        else:
            os.waitpid(child, 0)
    except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the answer
        os.write(
            writer, str(error.strerror if isinstance(error, OSError) and error.strerror else error).encode()
        )
    os._exit(0)


def _with_remedy(problem: str) -> str:
    if "unshare" in problem or "mount" in problem or "uid_map" in problem:
        return (
            f"{problem}. Namespaces are not allowed here. Ubuntu 24.04: sysctl "
            "kernel.apparmor_restrict_unprivileged_userns=0; older Debian: sysctl "
            "kernel.unprivileged_userns_clone=1; in a container: start it with --privileged, or grade outside"
        )
    if "ermission" in problem:
        return f"{problem}. The Python environment must be readable for everybody: chmod -R o+rX"
    return problem


def main() -> None:
    """Say of each level, in JSON, why it does not hold; "" when it does."""
    sys.stdout.write(json.dumps({level: try_level(level) for level in ("full", "weak")}))


if __name__ == "__main__":
    main()
