"""What a mark came from, recorded with it: an appeal needs to know what to run again."""

import hashlib
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["Provenance", "differences", "present_versions", "ready_models"]

# What a notebook computes with, and what reads its scores.
_LIBRARIES = (
    "ipykernel",
    "nbclient",
    "nbgrader",
    "numpy",
    "scikit-learn",
    "scipy",
    "torch",
    "transformers",
    "umap-learn",
)


@dataclass(frozen=True)
class Provenance:
    """All that decides a mark besides chance and time."""

    seed: int  # the grading seed: hidden checks draw their worlds from it
    submission: str  # SHA-256 of the notebook and of the files beside it
    assignment: str  # SHA-256 of the week's notebook with solutions and hidden tests
    executor: str  # what ran it, in words
    versions: dict[str, str] = field(default_factory=dict)  # of the libraries, python and mmdl_course


def differences(recorded: Provenance, present: Provenance) -> list[str]:
    """What is not as it was when a mark was made.

    Args:
        recorded: from the journal.
        present: of today.

    Returns:
        A sentence each; empty when everything is the same.
    """
    said = []
    if recorded.submission != present.submission:
        said.append("the submission: it is not the one that was graded (another notebook, or other files)")
    if recorded.assignment != present.assignment:
        said.append("the lesson: its text or its hidden tests are not those that graded the submission")
    for name in ("seed", "executor"):
        before, now = asdict(recorded)[name], asdict(present)[name]
        if before != now:
            said.append(f"{name}: was {before}, is {now}")
    for name in sorted({*recorded.versions, *present.versions}):
        before, now = recorded.versions.get(name, "not there"), present.versions.get(name, "not there")
        if before != now:
            said.append(f"{name}: was {before}, is {now}")
    return said


@cache
def present_versions() -> dict[str, str]:
    """Versions of all that a mark depends on; mmdl_course's has a digest of its code."""
    found = {"python": platform.python_version(), "mmdl_course": f"{_version('mmdl_course')}+{_code()}"}
    return {**found, **{name: _version(name) for name in _LIBRARIES}}


def ready_models() -> list[str]:
    """Names of the pretrained models that are in this machine's cache, whole."""
    from mmdl_course.cache import CacheError
    from mmdl_course.models import MODELS, model_folder

    found = []
    for model in MODELS.values():
        with suppress(CacheError):
            model_folder(model)
            found.append(model.name)
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not there"


def _code() -> str:
    """Twelve digits of the digest of the package's code: an installation in development has one version."""
    root = Path(__file__).resolve().parents[1]
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return total.hexdigest()[:12]
