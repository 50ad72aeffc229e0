"""The course's folder in the user's cache: what was fetched once, and what takes long to make."""

import errno
import hashlib
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import platformdirs

from mmdl_course.course import CourseError
from mmdl_course.files import replace_file

__all__ = ["CacheError", "cache_folder", "cached", "store"]

_DIGEST = 32  # bytes of SHA-256 in front of what `cached` keeps


class CacheError(CourseError):
    """Something in the cache is missing, damaged or cannot be written; the message says what to do."""


def cache_folder(*parts: str) -> Path:
    """A folder of the course in the user's cache; it need not exist yet.

    The environment variable `MMDL_CACHE` puts the cache somewhere else, a shared disk for example.

    Args:
        parts: folders below it.
    """
    chosen = os.environ.get("MMDL_CACHE")
    root = (
        Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("mmdl_course", appauthor=False)
    )
    return root.joinpath(*parts)


def store(path: Path, content: bytes | str) -> None:
    """Write a file into the cache whole, or not at all.

    Args:
        path: the file, below `cache_folder()`.
        content: all of it.

    Raises:
        CacheError: it cannot be written: the disk is full, or the folder is not writable.
    """
    try:
        replace_file(path, content)
    except OSError as error:
        raise _cannot_write(path, error) from error


def cached(name: str, make: Callable[[], bytes]) -> bytes:
    """What `make` gives, made once and then read from the cache.

    A damaged file is made again; where the cache cannot be written, a warning says why it takes long again.

    Args:
        name: file name below `cache_folder("data")`; holds everything that the content depends on, the
            version of the package it is made from above all.
        make: gives the content; called when the file is missing or damaged.

    Returns:
        The content.
    """
    path = cache_folder("data", name)
    if path.is_file():
        kept = path.read_bytes()
        content = kept[_DIGEST:]
        if kept[:_DIGEST] == hashlib.sha256(content).digest():
            return content
        warnings.warn(f"{path} is damaged and is made again", stacklevel=2)
    content = make()
    try:
        store(path, hashlib.sha256(content).digest() + content)
    except CacheError as error:
        warnings.warn(str(error), stacklevel=2)
    return content


def _cannot_write(path: Path, error: OSError) -> CacheError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CacheError(
            f"the disk is full: cannot write {path}. Free some space, or set the environment variable "
            "MMDL_CACHE to a folder on another disk, and try again."
        )
    return CacheError(
        f"cannot write {path}: {error.strerror or error}. Make {path.parent} writable, or set the "
        "environment variable MMDL_CACHE to a folder that is."
    )
