"""Writing files so that nothing is ever half written."""

import os
from pathlib import Path

__all__ = ["replace_file"]


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
