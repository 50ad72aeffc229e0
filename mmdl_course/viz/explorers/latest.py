"""Work for the latest wish only: what keeps a picture in step with a slider that is being dragged."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Latest"]

_NOTHING = object()
_PAUSE = 0.01  # seconds in which the kernel takes in the messages that wait, such as a click on Cancel


class Latest:
    """Does its work for what was wished last; wishes that were overtaken are never worked on.

    A slider sends more positions than can be drawn. Inside a running event loop, such as a kernel's, a wish
    is taken up as soon as the kernel is free, and the newest one counts. Work that takes long is an iterator:
    between its steps the kernel listens, so that a newer wish or `cancel` can end it. Without a loop the work
    is done at once.
    """

    def __init__(self, work: Callable[[Any], Iterator[float]]) -> None:
        """Take what is to be done.

        Args:
            work: wish → iterator over its steps, which yields the share that is done, 0 … 1. It is closed
                when it is no longer wanted. It must not raise.
        """
        self._work = work
        self._wish: Any = _NOTHING
        self._steps: Iterator[float] | None = None
        self._task: asyncio.Task[None] | None = None

    def wish(self, wish: Any) -> None:
        """Have the work done for this, and for nothing that was wished before and is not done."""
        self._wish = wish
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._take()
            for _ in self._steps or ():
                pass
            return
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._follow())

    def cancel(self) -> None:
        """Give up what is being worked on, and what waits."""
        self._wish = _NOTHING
        self._drop()

    async def settled(self) -> None:
        """Wait until nothing is left to do."""
        while self._task is not None and not self._task.done():
            await asyncio.sleep(_PAUSE)

    async def _follow(self) -> None:
        while self._wish is not _NOTHING:
            await asyncio.sleep(_PAUSE)
            self._take()
            while self._steps is not None and self._wish is _NOTHING:
                if next(self._steps, None) is None:
                    break
                await asyncio.sleep(_PAUSE)

    def _take(self) -> None:
        self._drop()
        if self._wish is not _NOTHING:
            self._steps, self._wish = self._work(self._wish), _NOTHING

    def _drop(self) -> None:
        if self._steps is not None:
            self._steps.close()
            self._steps = None
