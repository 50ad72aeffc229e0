"""What came with a notebook: images, data, timestamp.txt. It goes into the folder that the kernel runs in."""

import importlib.util
from pathlib import Path

from mmdl_course.grading.intake import JUNK

__all__ = ["companions"]

MOST_BYTES = 50_000_000
MOST_FILES = 1000


def companions(path: Path) -> tuple[list[Path], list[str]]:
    """The files that came with a notebook (images, data, timestamp.txt).

    Args:
        path: the notebook that counts.

    Returns:
        The files to copy beside it, and flags for what is left out: links, modules that would replace others
        (the course's own checks, for example), and everything when it is more than 50 MB or 1,000 files.
    """
    files, flags, total = [], [], 0
    for file in sorted(path.parent.rglob("*")):
        if JUNK & set(file.parts) or file.suffix.lower() == ".ipynb":
            continue
        if file.is_symlink():
            flags.append(f"a link was left out: {file.name}")
        elif not file.is_file():
            if not file.is_dir():
                flags.append(f"not a file (a pipe or a device), so left out: {file.name}")
        elif file.name == "timestamp.txt" and not _is_timestamp(file):
            flags.append("timestamp.txt is not a date: the time of submission is not known")
        elif _replaces_module(file.relative_to(path.parent)):
            flags.append(f"left out, because importing it would replace a module: {file.name}")
        else:
            total += file.stat().st_size
            files.append(file)
    if total > MOST_BYTES:
        return [], [*flags, f"files beside the notebook were left out: {total / 1e6:.0f} MB"]
    if len(files) > MOST_FILES:
        return [], [*flags, f"files beside the notebook were left out: there are {len(files)} of them"]
    return files, flags


def _replaces_module(place: Path) -> bool:
    """Whether a Python file in the kernel's folder would be imported instead of an installed module."""
    name = place.parts[0].partition(".")[0]
    if place.suffix not in (".py", ".pyc", ".so") or not name.isidentifier():
        return False
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # a module without a spec, such as __main__
        return True


def _is_timestamp(file: Path) -> bool:
    from nbgrader.utils import parse_utc

    if file.stat().st_size > 1000:
        return False
    try:
        parse_utc(file.read_text(encoding="utf-8").strip())
    except (ValueError, OverflowError, TypeError):
        return False
    return True
