"""One long computation beside the kernel's event loop, so that a bar can move and Cancel can be clicked."""

import threading
import time
from collections.abc import Callable, Generator
from typing import Any

__all__ = ["in_background"]

_STEP = 0.02  # seconds to wait for the result before the event loop has its turn
_ONE_AT_A_TIME = threading.Lock()  # libraries such as numba may not be entered twice


def in_background(compute: Callable[[], Any], *, expected: float) -> Generator[float, None, Any]:
    """Compute in a thread, for what is one call into a library and has no steps of its own.

    Args:
        compute: what to do. It should leave the interpreter to others now and then, as long loops in Python
            and most of numpy do.
        expected: seconds it is likely to take; the bar moves by it.

    Yields:
        The share of the expected time that has gone by, at most 0.95.

    Returns:
        What `compute` returns. If the generator is closed before, the thread runs on and its result is lost:
        a thread cannot be ended from outside. The next computation waits for it.

    Raises:
        Exception: whatever `compute` raises.
    """
    outcome: dict[str, Any] = {}
    unwanted = threading.Event()

    def run() -> None:
        with _ONE_AT_A_TIME:
            if unwanted.is_set():
                return
            try:
                outcome["value"] = compute()
            except BaseException as error:  # noqa: BLE001  (raised again where it is waited for)
                outcome["error"] = error

    thread = threading.Thread(target=run, name="explorer", daemon=True)
    thread.start()
    start = time.monotonic()
    try:
        while thread.is_alive():
            thread.join(_STEP)
            yield min(0.95, (time.monotonic() - start) / max(expected, _STEP))
    finally:
        unwanted.set()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]
