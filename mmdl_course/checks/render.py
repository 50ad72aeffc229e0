"""The report of an exercise, as text for the terminal and as an HTML table for JupyterLab and feedback."""

import html
import re
import sys
import textwrap
from dataclasses import dataclass
from typing import Any

from mmdl_course.checks.describe import number
from mmdl_course.checks.results import MIME, Result

__all__ = ["Report", "show"]

# State: symbol, background of its badge (white on each has a contrast of 5:1 or more; told apart by
# lightness and hue in all common kinds of colour blindness, and by word and symbol without any colour).
BADGES = {
    "passed": ("✓", "#0063a3"),
    "partly right": ("◐", "#8a5a00"),
    "wrong": ("✗", "#b03a00"),
    "crashed": ("!", "#7b2d8e"),
    "not attempted": ("○", "#595959"),
}
WIDTH = 88


@dataclass(frozen=True)
class Report:
    """All that a report shows. `remaining`: points of hidden checks that this copy does not hold."""

    exercise: str
    points: float
    earned: float
    seed: int
    remaining: float
    results: tuple[Result, ...]
    notes: tuple[str, ...]

    @property
    def untouched(self) -> bool:
        """Nothing was attempted: one gentle sentence says more than a table of failures."""
        return all(result.state == "not attempted" for result in self.results)

    @property
    def headline(self) -> str:
        """Exercise and points in one line."""
        if self.untouched:
            return f"{self.exercise}: not attempted yet ({points_text(self.points)} to earn)"
        here = self.points - self.remaining
        return f"{self.exercise}: {number_text(self.earned)} of {points_text(here)}"

    @property
    def footer(self) -> list[str]:
        """What else a student should know."""
        lines = list(self.notes)
        if self.remaining and not self.untouched:
            verb = "is" if self.remaining == 1 else "are"
            more = points_text(self.remaining).replace(" point", " more point")
            lines.append(f"{more} {verb} decided at grading, on fresh draws.")
        if not self.untouched:
            lines.append(f"Seed {self.seed} (MMDL_SEED={self.seed} draws the same numbers again).")
        return lines


def show(report: Report) -> None:
    """Show the report in the notebook, or as text where there is none."""
    bundle = {"text/plain": as_text(report), "text/html": as_html(report), MIME: as_json(report)}
    if "IPython" in sys.modules:
        from IPython.core.interactiveshell import InteractiveShell

        if InteractiveShell.initialized():
            from IPython.display import publish_display_data

            publish_display_data(bundle)
            return
    sys.stdout.write(bundle["text/plain"] + "\n")


def as_json(report: Report) -> dict[str, Any]:
    """What graders and the audit read."""
    return {
        "exercise": report.exercise,
        "points": report.points,
        "earned": report.earned,
        "seed": report.seed,
        "results": [
            {
                "name": result.name,
                "points": result.points,
                "earned": result.earned,
                "state": result.state,
                "message": result.message,
            }
            for result in report.results
        ],
    }


def as_text(report: Report) -> str:
    """The report in at most 88 columns."""
    lines = [report.headline]
    if report.untouched:
        return "\n".join([*lines, _wrap(_first_step(report), "  ")])
    for result in report.results:
        word = word_of(result)
        lines.append(
            f"  {BADGES[word][0]} {word:<13} "
            f"{number_text(result.earned):>4}/{number_text(result.points):<4} {result.name}"
        )
        for label, text in result.lines:
            lines.append(_wrap(text, f"      {label + ':':<14}"))
    lines += [_wrap(text, "  ") for text in report.footer]
    return "\n".join(lines)


def as_html(report: Report) -> str:
    """The report as an HTML table.

    No script, no style sheet, no table tags: nbconvert's sanitiser leaves `div`, `span` and text, which read
    well without any style. ARIA roles tell a screen reader that it is a table.
    """
    title = html.escape(report.headline)
    if report.untouched:
        return (
            f'<div role="region" aria-label="{title}" style="{_BOX}"><strong>{title}</strong>'
            f'<div style="margin-top:4px">{_prose(_first_step(report))}</div></div>'
        )
    heads = "".join(f'<div role="columnheader" style="opacity:0.85">{word}</div>' for word in _COLUMNS)
    rows = "".join(_row(result) for result in report.results)
    footer = "".join(f'<div style="opacity:0.85">{_prose(text)}</div>' for text in report.footer)
    return (
        f'<div role="region" aria-label="{title}" style="{_BOX}">'
        f'<strong style="font-size:14px">{title}</strong>'
        f'<div role="table" aria-label="{title}" style="margin:4px 0 6px 0">'
        f'<div role="row" style="{_ROW}">{heads}</div>{rows}</div>{footer}</div>'
    )


def word_of(result: Result) -> str:
    """The state as the table shows it."""
    return "partly right" if result.state == "wrong" and result.earned else result.state


def number_text(value: int | float) -> str:
    """Points without needless zeros."""
    return number(int(value) if float(value).is_integer() else value)


def points_text(value: int | float) -> str:
    """Points with their noun."""
    return f"{number_text(value)} point{'' if value == 1 else 's'}"


def _first_step(report: Report) -> str:
    """The reasons, each once: usually one."""
    reasons = dict.fromkeys(text for result in report.results for _, text in result.lines)
    return " ".join([*reasons, "When it is, run this cell again."] if _stub_only(report) else reasons)


def _stub_only(report: Report) -> bool:
    return all(result.message.endswith("not written yet.") for result in report.results)


def _wrap(text: str, first: str) -> str:
    """Fold each line of the text to the width; all but the first begin where the first one's text does."""
    rest = " " * len(first)
    folded = []
    for index, line in enumerate(text.split("\n")):
        folded.append(
            textwrap.fill(
                line,
                WIDTH,
                initial_indent=rest if index else first,
                subsequent_indent=rest + "      " * bool(index),
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return "\n".join(folded)


_COLUMNS = ("Result", "Points", "Check")
_VALUES = ("Called", "Returned", "Got", "In")  # lines that show code and values, in the code's typeface
_BOX = (
    "border:1px solid var(--jp-border-color1, #bdbdbd);border-radius:4px;padding:8px 12px;margin:4px 0;"
    "font-size:13px;line-height:1.45;max-width:60em;text-align:left"
)
_ROW = "display:grid;grid-template-columns:11.5em 6em minmax(0, 1fr);padding:4px 0"
_RULE = "border-top:1px solid var(--jp-border-color2, #d5d5d5)"
_BADGE = (
    "display:inline-block;white-space:nowrap;border-radius:3px;padding:0 7px;color:#ffffff;"
    "font-weight:bold;background-color:"
)
_LINE = "margin-top:2px;overflow-wrap:anywhere;white-space:pre-wrap"
_CODE = "font-family:var(--jp-code-font-family, monospace);font-size:12px"


def _row(result: Result) -> str:
    word = word_of(result)
    symbol, colour = BADGES[word]
    badge = f'<span style="{_BADGE}{colour}"><span aria-hidden="true">{symbol} </span>{word}</span>'
    points = f"{number_text(result.earned)} of {number_text(result.points)}"
    lines = "".join(_line(label, text) for label, text in result.lines)
    return (
        f'<div role="row" style="{_ROW};{_RULE}">'
        f'<span role="cell">{badge}</span> <span role="cell">{points}</span>'
        f'<div role="rowheader"><strong>{_prose(result.name)}</strong>{lines}</div></div>'
    )


def _line(label: str, text: str) -> str:
    shown = f'<span style="{_CODE}">{html.escape(text)}</span>' if label in _VALUES else _prose(text)
    return f'<div style="{_LINE}"><strong>{html.escape(label)}:</strong> {shown}</div>'


def _prose(text: str) -> str:
    """Escaped; what stands between backticks is code."""
    return re.sub("`([^`]+)`", rf'<code style="{_CODE}">\1</code>', html.escape(text))
