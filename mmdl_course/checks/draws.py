"""Fresh worlds that can be drawn again: one seed a process, one stream of random numbers a check."""

import contextlib
import hashlib
import os
import random
import secrets
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mmdl_course.checks.results import ChecksError

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["current_seed", "derive", "global_seed", "numpy_generator", "torch_generator"]

_fresh = secrets.randbelow(10**6)  # used where the environment names no seed


def current_seed() -> int:
    """The seed of this process: MMDL_SEED from the environment, else one drawn when the process began.

    Raises:
        ChecksError: MMDL_SEED is not a whole number.
    """
    text = os.environ.get("MMDL_SEED", "").strip()
    if not text:
        return _fresh
    try:
        return int(text)
    except ValueError:
        raise ChecksError(f"MMDL_SEED is {text!r}; set it to a whole number or unset it.") from None


def derive(seed: int, exercise: str, check: str) -> int:
    """A check's own seed in 0 … 2^63 - 1: it depends on nothing but the three arguments."""
    digest = hashlib.blake2b(f"{seed}\0{exercise}\0{check}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def torch_generator(seed: int) -> "torch.Generator":
    """A torch generator on the CPU."""
    import torch

    return torch.Generator().manual_seed(seed)


def numpy_generator(seed: int) -> "np.random.Generator":
    """A numpy generator."""
    import numpy as np

    return np.random.default_rng(seed)


@contextlib.contextmanager
def global_seed(seed: int) -> Iterator[None]:
    """Seed the global generators that a student's code may use, and put them back as they were."""
    state = random.getstate()
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    numpy_state = numpy.random.get_state() if numpy else None
    torch_state = torch.get_rng_state() if torch else None
    random.seed(seed)
    if numpy:
        numpy.random.seed(seed % 2**32)
    if torch:
        torch.random.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
        if numpy:
            numpy.random.set_state(numpy_state)
        if torch:
            torch.set_rng_state(torch_state)
