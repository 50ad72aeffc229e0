"""Take the outputs out of a notebook. As a script it reads a huge one in a process of its own.

A hundred megabytes of pictures are harmless; a hundred megabytes of brackets take gigabytes once they are
parsed. The script has a limit on its memory, and what is left of an honest notebook is small.
"""

import json
import sys
from pathlib import Path
from typing import Any

__all__ = ["without_outputs"]

_MEMORY = 2_000_000_000  # bytes


def without_outputs(table: dict[str, Any]) -> dict[str, Any]:
    """Empty the outputs of every code cell, in old formats, too: all cells are run again anyway.

    Args:
        table: a notebook as JSON; changed in place. Half-saved outputs do no harm.

    Returns:
        The same.
    """
    cells = list(table.get("cells") or [])
    for sheet in table.get("worksheets") or []:
        cells += sheet.get("cells") or [] if isinstance(sheet, dict) else []
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            cell["outputs"] = []
    return table


def _main(path: Path) -> None:
    try:
        import resource
    except ImportError:  # not a Unix
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    json.dump(without_outputs(json.loads(path.read_bytes().decode("utf-8-sig"))), sys.stdout)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
