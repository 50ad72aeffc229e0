"""Parse the Python of a cell without running it."""

import ast

__all__ = ["parse_cell"]


def parse_cell(source: str) -> tuple[ast.Module | None, SyntaxError | None]:
    """Parse a code cell; lines with IPython's magics (% and !) count as empty statements.

    Args:
        source: the cell's source.

    Returns:
        The tree and None, or None and the syntax error. Line numbers are those of the cell.
    """
    lines = []
    for line in source.split("\n"):
        bare = line.lstrip()
        lines.append(line[: len(line) - len(bare)] + "pass" if bare.startswith(("%", "!")) else line)
    try:
        return ast.parse("\n".join(lines)), None
    except SyntaxError as error:
        return None, error
