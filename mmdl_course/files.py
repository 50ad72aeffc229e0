"""Writing files and folders so that nothing is ever half written."""

import os
import shutil
from pathlib import Path

__all__ = ["remove_folder", "replace_file", "replace_folder"]


def replace_file(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader, or a power cut, finds the old content or the new and nothing between.

    Args:
        path: the file; its folder is made when missing.
        content: the whole new content; text is written as UTF-8.

    Raises:
        OSError: the disk is full, or the folder cannot be written. Nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def replace_folder(staged: Path, final: Path) -> None:
    """Put a finished folder in its place; who looks there finds the old one, none, or the whole new one.

    Args:
        staged: the finished folder; it is moved away, from another disk, too.
        final: its place; what was there is removed.

    Raises:
        OSError: the disk is full, or a folder cannot be written.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    new, old = _beside(final)
    for left in (new, old):  # by a process that was killed here
        if left.exists():
            shutil.rmtree(left)
    shutil.move(staged, new)
    for folder, _, names in os.walk(new):
        for name in names:
            _sync(Path(folder) / name)
        _sync(Path(folder))
    if final.exists():
        final.rename(old)
    new.rename(final)
    _sync(final.parent)
    if old.exists():
        shutil.rmtree(old)


def remove_folder(path: Path) -> None:
    """Remove a folder at once: it is never there with half of its files.

    Args:
        path: the folder; it need not exist.
    """
    new, old = _beside(path)
    for left in (new, old):
        if left.exists():
            shutil.rmtree(left)
    if path.exists():
        path.rename(old)
        shutil.rmtree(old)


def _beside(path: Path) -> tuple[Path, Path]:
    return path.with_name(f".{path.name}.new"), path.with_name(f".{path.name}.old")


def _sync(path: Path) -> None:
    """Wait until a file or the names in a folder are on the disk."""
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
