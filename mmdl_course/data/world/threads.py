"""One thread for work that is made of many small steps."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one thread, as a `with` block or as a decorator.

    Torch's threads meet after every step. Where steps are as small as the world's, a second thread gains
    little; on a busy machine each meeting waits for a processor, and the work takes tens of times as long.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
