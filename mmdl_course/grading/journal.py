"""What `mmdl grade` has done to a week: one entry per student and the grading seed."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.files import replace_file

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
    by_hand: str = ""  # what marks and comments by hand were when the feedback was written
    key: str = ""  # digest of the submission and of the lesson's source; the same key needs no new grading


@dataclass
class Journal:
    """The journal of one week. `record` writes it to disk at once, so that a killed run loses one student."""

    path: Path
    seed: int
    entries: dict[str, Entry] = field(default_factory=dict)

    def record(self, entry: Entry) -> None:
        """Add or replace a student's entry and save the journal.

        Args:
            entry: the student's row.
        """
        self.entries[entry.student] = entry
        self.save()

    def save(self) -> None:
        """Write the journal to disk, whole or not at all."""
        table = {"seed": self.seed, "entries": [asdict(self.entries[name]) for name in sorted(self.entries)]}
        replace_file(self.path, json.dumps(table, indent=1, ensure_ascii=False) + "\n")


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
        entries = [
            Entry(**{**entry, "flags": tuple(entry["flags"]), "to_mark": tuple(entry.get("to_mark", ()))})
            for entry in table["entries"]
        ]
        return Journal(
            path=path, seed=int(table["seed"]), entries={entry.student: entry for entry in entries}
        )
    except FileNotFoundError:
        journal = Journal(path=path, seed=secrets.randbelow(2**31))
        journal.save()
        return journal
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CourseError(
            f"{path} cannot be read ({type(error).__name__}: {error}). It holds the grading seed and the "
            "state of every submission. Restore it from a backup, or move it away to start with a new seed."
        ) from None
