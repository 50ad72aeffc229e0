"""What the last build made: the next one can tell stale from fresh, and a product from a student's work."""

import hashlib
import json
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from mmdl_course.course import Course, Week
from mmdl_course.files import replace_file
from mmdl_course.grading.lesson import lesson_path

__all__ = ["Stamp", "build_key", "digest", "read_stamp", "replaceable", "write_stamp"]

# What decides how a lesson becomes a notebook: a change in any of these makes every notebook stale.
_BUILDERS = (
    "authoring.py",
    "build.py",
    "check_cells.py",
    "lesson.py",
    "notebook.py",
    "python_cells.py",
    "release.py",
    "rules_exercises.py",
    "rules_prose.py",
    "rules_solutions.py",
    "tools.py",
)
_LIBRARIES = ("jupytext", "nbconvert", "nbformat", "nbgrader")


@dataclass(frozen=True)
class Stamp:
    """SHA-256 sums of what a build read and of what it made; empty when there was none."""

    key: str = ""
    source: str = ""
    release: str = ""


def digest(content: Path | bytes) -> str:
    """SHA-256 of bytes or of a file, empty when there is no such file."""
    if isinstance(content, Path):
        if not content.is_file():
            return ""
        content = content.read_bytes()
    return hashlib.sha256(content).hexdigest()


def build_key(course: Course, week: Week) -> str:
    """SHA-256 of all that the week's notebooks are made from: lesson, registry, configuration, builder."""
    builders = [Path(__file__).parent / name for name in _BUILDERS]
    folder = lesson_path(course, week).parent
    parts = [
        repr(week),
        *(f"{path.name} {digest(path)}" for path in sorted(folder.glob("*"))),
        digest(course.root / "jupyter_config.py"),
        *(digest(path) for path in builders),
        *(f"{name} {version(name)}" for name in _LIBRARIES),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read_stamp(course: Course, week: Week) -> Stamp:
    """The week's stamp; an empty one when there is none or it cannot be read."""
    try:
        return Stamp(**json.loads(_path(course, week).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Stamp()


def write_stamp(course: Course, week: Week, stamp: Stamp) -> None:
    """Remember what this build made."""
    replace_file(_path(course, week), json.dumps(asdict(stamp), indent=1).encode() + b"\n")


def replaceable(course: Course, path: Path, stamp: Stamp) -> bool:
    """Whether a released notebook may be overwritten because nobody's work is in it.

    It may when it is what the last build wrote, or when it is what the repository holds and no cell has been
    run or attempted: a student who commits her own solutions keeps them, too.

    Args:
        course: the registry, which knows the root.
        path: the released notebook.
        stamp: what the last build made.

    Returns:
        False whenever in doubt.
    """
    if not path.is_file() or digest(path) == stamp.release:
        return True
    return _committed(course.root, path) and _unattempted(path)


def _path(course: Course, week: Week) -> Path:
    return course.root / "build" / "stamps" / f"{week.folder}.json"


def _committed(root: Path, path: Path) -> bool:
    name = str(path.relative_to(root))
    for command in (["ls-files", "--error-unmatch", "--", name], ["diff", "--quiet", "HEAD", "--", name]):
        try:
            done = subprocess.run(["git", *command], cwd=root, capture_output=True, check=False, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode != 0:
            return False
    return True


def _unattempted(path: Path) -> bool:
    from nbformat import NotebookNode, from_dict
    from nbgrader.utils import compute_checksum

    try:
        cells = from_dict(json.loads(path.read_text(encoding="utf-8")))["cells"]
    except (ValueError, KeyError, TypeError):
        return False

    def untouched(cell: NotebookNode) -> bool:
        checksum = cell.metadata.get("nbgrader", {}).get("checksum")
        # On disk a source may be a list of lines.
        cell.source = "".join(cell.source)
        return (
            not cell.get("outputs")
            and cell.get("execution_count") is None
            and (checksum is None or checksum == compute_checksum(cell))
        )

    return all(untouched(cell) for cell in cells)
