"""Notebooks on their way to another machine and back: bytes that anybody can unpack, no pickles."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict

from mmdl_course.grading.executor import Execution

__all__ = ["pack", "pack_execution", "to_execution", "unpack"]

_NOTEBOOK = "notebook.json"
_BESIDE = "beside/"  # in the parcel: the files of the working folder


def pack(notebook: NotebookNode, folder: Path) -> bytes:
    """A notebook that is ready to run, with the files that it finds beside it.

    Args:
        notebook: from `Phases.plan`.
        folder: its working folder; links and notebooks in it stay behind.

    Returns:
        A zip archive.
    """
    parcel = io.BytesIO()
    with zipfile.ZipFile(parcel, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(_NOTEBOOK, json.dumps(notebook))  # ASCII: also what is not valid Unicode survives
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.suffix != ".ipynb":
                archive.writestr(_BESIDE + path.relative_to(folder).as_posix(), path.read_bytes())
    return parcel.getvalue()


def unpack(parcel: bytes, folder: Path) -> tuple[NotebookNode, Path]:
    """The other end of `pack`.

    Args:
        parcel: from `pack`.
        folder: where to put the files; nothing is written outside of it.

    Returns:
        The notebook and its working folder.
    """
    work = folder / _BESIDE
    work.mkdir()
    with zipfile.ZipFile(io.BytesIO(parcel)) as archive:
        notebook = from_dict(json.loads(archive.read(_NOTEBOOK)))
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(_BESIDE)])
    return notebook, work


def pack_execution(execution: Execution) -> bytes:
    """An executed notebook, as JSON.

    Args:
        execution: from an executor.
    """
    fields = {"notebook": execution.notebook, "flags": execution.flags, "seconds": execution.seconds}
    return json.dumps(fields).encode("ascii")


def to_execution(fields: dict[str, Any]) -> Execution:
    """The other end of `pack_execution`.

    Args:
        fields: the JSON from `pack_execution`, read.
    """
    return Execution(from_dict(fields["notebook"]), tuple(fields["flags"]), float(fields["seconds"]))
