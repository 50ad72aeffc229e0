"""What `mmdl grade` has done to a week: one entry per student and the grading seed."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.files import replace_file
from mmdl_course.grading.provenance import Provenance

__all__ = ["Entry", "Journal", "journal_path", "open_journal"]

GRADED = "graded"
FLAGGED = "graded with flags"
FAILED = "failed"


@dataclass(frozen=True)
class Entry:
    """One submission as it was last graded. A mark or a reason: never neither."""

    student: str
    state: str  # "graded", "graded with flags" or "failed"
    score: float | None = None  # points; None when there is no mark
    max_score: float | None = None  # points
    reason: str = ""  # why there is no mark, and what to do about it
    flags: tuple[str, ...] = ()  # what the instructor should know about the mark
    seconds: float = 0.0
    to_mark: tuple[str, ...] = ()  # exercises that wait for a person; they count 0 in the score
    withheld: tuple[str, ...] = ()  # exercises where a suspicion waits for a person; they count 0, too
    penalty: float = 0.0  # points taken off for being late; the score has them off already
    late: float = 0.0  # seconds
    by_hand: str = ""  # what marks and comments by hand were when the feedback was written
    key: str = ""  # digest of the submission and of the lesson's source; the same key needs no new grading
    provenance: Provenance | None = None  # what the mark came from; None where there is no mark


@dataclass
class Journal:
    """The journal of one week. Each change is on the disk before the call returns.

    `begun` has the students whom grading has touched and not finished. After a crash they are in it still:
    what the gradebook and the folders then hold of them is not a result. With each comes, for every exercise
    with a valid mark by hand, the digest of the text that was marked.
    """

    path: Path
    seed: int
    entries: dict[str, Entry] = field(default_factory=dict)
    begun: dict[str, dict[str, str]] = field(default_factory=dict)
    _lines: dict[str, tuple[Entry, str]] = field(default_factory=dict, repr=False)

    def begin(self, student: str, marked: dict[str, str] | None = None) -> None:
        """Say that grading is about to change what there is of a student.

        Args:
            student: the student's id.
            marked: exercise -> digest of the text that a person has marked.
        """
        self.begun[student] = dict(marked or {})
        self.save()

    def record(self, entry: Entry, *, finished: bool = True) -> None:
        """Add or replace a student's entry.

        Args:
            entry: the student's row.
            finished: whether the gradebook and the folders say the same; the student is done.
        """
        if self.entries.get(entry.student) == entry and entry.student not in self.begun:
            return  # it is on the disk already
        self.entries[entry.student] = entry
        if finished:
            self.begun.pop(entry.student, None)
        self.save()

    def save(self) -> None:
        """Write the journal to disk, whole or not at all."""
        lines = []
        for name in sorted(self.entries):
            entry = self.entries[name]
            written = self._lines.get(name)
            if written is None or written[0] is not entry:  # of a large class, one entry at a time is new
                written = entry, json.dumps(asdict(entry), ensure_ascii=False)
                self._lines[name] = written
            lines.append(written[1])
        begun = json.dumps(self.begun, ensure_ascii=False, sort_keys=True)
        entries = ",\n".join(lines)
        text = f'{{"seed": {self.seed},\n"begun": {begun},\n"entries": [\n{entries}\n]}}\n'
        replace_file(self.path, text)


def journal_path(course: Course, week: Week) -> Path:
    """Where a week's journal lies: reports/<folder>/journal.json."""
    return course.root / "reports" / week.folder / "journal.json"


def open_journal(course: Course, week: Week) -> Journal:
    """Read a week's journal, or start one with a fresh seed.

    Args:
        course: the registry.
        week: the week to be graded.

    Returns:
        The journal. A new one is saved, because the seed must not change between two runs.

    Raises:
        CourseError: the file is there and cannot be read. It holds the seed, so it is never overwritten.
    """
    path = journal_path(course, week)
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        entries = [_entry(row) for row in table["entries"]]
        return Journal(
            path=path,
            seed=int(table["seed"]),
            entries={entry.student: entry for entry in entries},
            begun={name: dict(marked) for name, marked in table.get("begun", {}).items()},
        )
    except FileNotFoundError:
        journal = Journal(path=path, seed=secrets.randbelow(2**31))
        journal.save()
        return journal
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CourseError(
            f"{path} cannot be read ({type(error).__name__}: {error}). It holds the grading seed and the "
            "state of every submission. Restore it from a backup, or move it away to start with a new seed."
        ) from None


def _entry(row: dict[str, object]) -> Entry:
    lists = {name: tuple(row.get(name, ())) for name in ("flags", "to_mark", "withheld")}
    provenance = Provenance(**row["provenance"]) if row.get("provenance") else None
    return Entry(**{**row, **lists, "provenance": provenance})
