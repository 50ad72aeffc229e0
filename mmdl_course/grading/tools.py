"""Make the environment's own commands findable."""

import os
import sys
from pathlib import Path

__all__ = ["put_tools_on_path"]


def put_tools_on_path() -> None:
    """Put the running Python's bin folder first on PATH, once.

    nbgrader's gradebook starts `alembic` by name. `.venv/bin/mmdl` works without activating .venv, and then
    PATH does not lead there.
    """
    folder = str(Path(sys.executable).parent)
    paths = os.environ.get("PATH", "").split(os.pathsep)
    if folder not in paths:
        os.environ["PATH"] = os.pathsep.join([folder, *paths])
