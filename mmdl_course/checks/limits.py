"""Limits for student code, so that an endless loop or `exit()` costs one check and not the whole notebook."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from mmdl_course.checks.results import TimeUp

__all__ = ["kernel_stays", "time_limit"]


@contextlib.contextmanager
def time_limit(seconds: int | float) -> Iterator[None]:
    """Raise TimeUp in the block when it takes longer than this.

    It works where Unix delivers alarms, which is the main thread, and between two steps of Python: a single
    call into a library is not cut short. Elsewhere the block runs without a limit.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeUp(f"after {seconds:g} seconds")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # again each second: a bare `except:` may swallow one
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextlib.contextmanager
def kernel_stays() -> Iterator[None]:
    """Let `exit()` and `quit()` raise SystemExit, as in a script. In a notebook they shut the kernel down."""
    shell = None
    if "IPython" in sys.modules:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
    if shell is None:
        yield
        return

    def leave() -> NoReturn:
        raise SystemExit

    shell.ask_exit = leave
    try:
        yield
    finally:
        del shell.ask_exit
