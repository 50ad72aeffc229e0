"""CSV that a spreadsheet shows and does not run."""

import csv
import io
from collections.abc import Collection, Sequence

__all__ = ["csv_text"]


def csv_text(lines: Sequence[Sequence[str]], *, exact: Collection[int] = ()) -> str:
    """Lines as CSV: commas, quotes where they are needed, UTF-8 when it is written.

    A spreadsheet takes a cell that begins with one of a few characters for a formula, and students choose
    names. Such a cell gets an apostrophe, which spreadsheets do not show.

    Args:
        lines: the header and the rows.
        exact: numbers of columns that stay as they are, since another program has to recognise them.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for line in lines:
        writer.writerow([cell if number in exact else _harmless(cell) for number, cell in enumerate(line)])
    return text.getvalue()


def _harmless(cell: str) -> str:
    if cell[:1] not in ("=", "+", "-", "@", "\t", "\r"):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
