"""What a person sees while a class is graded: a bar with the time left, or a line per submission."""

import time
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from mmdl_course.grading.intake import printable
from mmdl_course.grading.journal import Entry

__all__ = ["GradingProgress"]

_MOST_LINES = 16  # jobs shown at once


class GradingProgress:
    """On a terminal a bar and what each job does; elsewhere a line for every submission that is done."""

    def __init__(self, total: int, *, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.total, self.count = total, 0
        self._doing: dict[str, tuple[str, float]] = {}  # student -> what, since when
        columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self.console)
        self._task = self._bar.add_task("grading", total=total)
        self._live: Live | None = None

    def __enter__(self) -> "GradingProgress":
        if self.console.is_terminal:
            self._live = Live(
                get_renderable=self._picture, console=self.console, transient=True, refresh_per_second=4
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def doing(self, student: str, what: str) -> None:
        """Say what is being done with a submission.

        Args:
            student: the student's id.
            what: for example "running".
        """
        self._doing[student] = (what, time.monotonic())

    def done(self, row: Entry) -> None:
        """Say that a submission has its row.

        Args:
            row: the row.
        """
        self._doing.pop(row.student, None)
        self.count += 1
        if self._live:
            self._bar.update(self._task, completed=self.count)
            return
        mark = f"{row.score:g}/{row.max_score:g}" if row.score is not None else row.reason
        mark += f", to be marked by hand: {', '.join(row.to_mark)}" if row.to_mark else ""
        mark += f" ({'; '.join(row.flags)})" if row.flags else ""
        place = f"[{self.count}/{self.total}]"
        text = f"{place} {printable(row.student)}: {row.state}, {mark}"
        self.console.print(text, markup=False, soft_wrap=True)

    def _picture(self) -> RenderableType:
        now = time.monotonic()
        doing = list(self._doing.items())  # another thread draws
        lines = [
            Text(f"  {printable(student)}: {what}, {now - since:.0f} s", no_wrap=True, overflow="ellipsis")
            for student, (what, since) in doing[:_MOST_LINES]
        ]
        more = [Text(f"  and {len(doing) - _MOST_LINES} more")] if len(doing) > _MOST_LINES else []
        return Group(self._bar, *lines, *more)
