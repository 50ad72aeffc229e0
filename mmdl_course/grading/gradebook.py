"""nbgrader's side of a week: its configuration, the assignment in its gradebook, and the marks in there."""

import hashlib
import logging
import sqlite3
import warnings
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdl_course.course import Course, CourseError, Week

if TYPE_CHECKING:  # nbgrader takes seconds to import: a user's mistake should be told at once
    from nbformat import NotebookNode
    from nbgrader.coursedir import CourseDirectory

__all__ = [
    "Assignment",
    "Marks",
    "confirm_by_hand",
    "course_directory",
    "forget_submission",
    "has_gradebook",
    "nbgrader_log",
    "read_marks",
    "register_assignment",
]


@dataclass(frozen=True)
class Assignment:
    """A week's notebook in both forms, as the gradebook knows it."""

    source: "NotebookNode"  # with solutions and hidden tests
    release: "NotebookNode"  # what students got
    digest: str  # of the source
    path: Path  # of the source


@dataclass(frozen=True)
class Marks:
    """One student's marks for a week."""

    student: str
    score: float  # points, manual marks included, late penalty taken off
    max_score: float  # points
    exercises: dict[str, float] = field(default_factory=dict)  # exercise id -> points
    unanswered: frozenset[str] = frozenset()  # exercise ids whose solution cell was left as it was released
    to_mark: frozenset[str] = frozenset()  # exercise ids that wait for a person; they count 0 in the score
    confirmed: frozenset[str] = frozenset()  # exercise ids with a mark by hand that nothing has put in doubt
    doubtful: bool = False  # a mark by hand is there, and the submission was graded again since
    by_hand: str = ""  # changes with every mark and comment by hand; empty when there is none
    automatic: dict[str, float] = field(default_factory=dict)  # exercise id -> points that the checks gave
    penalty: float = 0.0  # points that were taken off for being late
    late: float = 0.0  # seconds after the due date, an extension taken into account
    undated: bool = False  # there is a due date, and nobody knows when this was handed in
    names: tuple[str, ...] = ()  # how else the gradebook identifies the student: e-mail address, id in an LMS

    @property
    def points(self) -> float:
        """Points before the late penalty."""
        return self.score + self.penalty


def course_directory(course: Course, **folders: str) -> "CourseDirectory":
    """The course as nbgrader sees it, configured by jupyter_config.py.

    Args:
        course: the registry.
        **folders: nbgrader's `submitted_directory`, … where they differ from the configuration.

    Returns:
        The course directory: the gradebook's address is its `db_url`, the whole configuration its `config`.

    Raises:
        CourseError: jupyter_config.py is missing or does not run.
    """
    from nbgrader.coursedir import CourseDirectory

    from mmdl_course.grading.release import load_configuration

    config = load_configuration(course)
    config.CourseDirectory.root = str(course.root)
    for name, value in folders.items():
        config.CourseDirectory[name] = value
    return CourseDirectory(config=config, log=logging.getLogger("mmdl.nbgrader"))


@contextmanager
def nbgrader_log(path: Path) -> Iterator[logging.Logger]:
    """Send what nbgrader has to say to a file; the terminal shows the progress and the report.

    Args:
        path: the log file; what is in it stays.

    Yields:
        The logger to hand to nbgrader's objects.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("mmdl.nbgrader")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)
    try:
        with warnings.catch_warnings():
            # nbgrader's own use of its database libraries is nothing that an instructor could mend.
            warnings.filterwarnings("ignore", module=r"nbgrader\.|nbconvert\.|traitlets\.")
            yield log
    finally:
        log.removeHandler(handler)
        handler.close()


def register_assignment(
    course: Course, week: Week, *, scratch: Path, db_url: str | None = None, source: Path | None = None
) -> Assignment:
    """Build the week's source where it is stale, and bring the gradebook up to date with it.

    Args:
        course: the registry.
        week: a ready week.
        scratch: a folder for the release that nbgrader writes on the way; notebooks/ is not touched.
        db_url: another gradebook than the configured one.
        source: a folder with another version of the week's source, as <week folder>/<week folder>.ipynb.

    Returns:
        The week's notebook as source and as release.

    Raises:
        CourseError: the lesson does not build, or the gradebook has marks for cells that no longer exist.
    """
    import nbformat

    from mmdl_course.grading.build import SOURCE, ensure_source
    from mmdl_course.grading.release import generate_assignment

    built = source / week.folder / f"{week.folder}.ipynb" if source else ensure_source(course, week)
    db_url = db_url or course_directory(course).db_url
    _make_gradebook(db_url)
    try:
        release = generate_assignment(
            course, week, source=source or course.root / SOURCE, release=scratch, db_url=db_url
        )
    except CourseError as error:
        if "Cannot add or remove cells" not in str(error):
            raise
        raise CourseError(
            f"Graded cells of {week.id} were added or removed since its first mark; nbgrader does not mix "
            "the two. Undo the change, or keep a copy of gradebook.db, drop the old marks and grade again:\n"
            f"  nbgrader db assignment remove {week.folder} --force"
        ) from None
    return Assignment(
        source=nbformat.read(built, as_version=4),
        release=nbformat.read(release, as_version=4),
        digest=hashlib.sha256(built.read_bytes()).hexdigest(),
        path=built,
    )


def read_marks(course: Course, week: Week, *, student: str | None = None, **folders: str) -> dict[str, Marks]:
    """The week's marks as nbgrader's gradebook has them, a human's corrections included.

    Args:
        course: the registry.
        week: the week.
        student: only this one.
        **folders: a `db_url` that is not the configured one.

    Returns:
        Student → marks; empty when there is no gradebook or it does not know the week.
    """
    from nbgrader.api import Gradebook, MissingEntry

    directory = course_directory(course, **folders)
    if not has_gradebook(directory.db_url):
        return {}
    found: dict[str, Marks] = {}
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        try:
            if student is None:
                submissions = gradebook.assignment_submissions(week.folder)
            else:
                submissions = [gradebook.find_submission(week.folder, student)]
        except MissingEntry:
            return {}
        for submission in submissions:
            for notebook in submission.notebooks:
                if notebook.name == week.folder:
                    found[submission.student.id] = _marks(submission, notebook)
    return found


def forget_submission(course: Course, week: Week, student: str) -> None:
    """Take a student's mark out of the gradebook: what is handed in now cannot be graded.

    Args:
        course: the registry.
        week: the week.
        student: the student's id.
    """
    from nbgrader.api import Gradebook, MissingEntry

    directory = course_directory(course)
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        try:
            gradebook.remove_submission(week.folder, student)
        except MissingEntry:
            return


def confirm_by_hand(course: Course, week: Week, student: str, exercises: Collection[str]) -> None:
    """Say that marks by hand still hold after grading again: nbgrader asks for a second look at every one.

    Args:
        course: the registry.
        week: the week.
        student: the student's id.
        exercises: ids of exercises that are marked by hand and whose answers have not changed.
    """
    from nbgrader.api import Gradebook

    if not exercises:
        return
    directory = course_directory(course)
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        for name in exercises:
            grade = gradebook.find_grade(name, week.folder, week.folder, student)
            grade.needs_manual_grade = grade.manual_score is None
        gradebook.db.commit()


def _marks(submission: Any, notebook: Any) -> Marks:
    student, penalty = submission.student, float(notebook.late_submission_penalty or 0)
    unanswered = {
        comment.name
        for comment in notebook.comments
        if (comment.auto_comment or "").startswith("No response")
    }
    grades = {grade.name.removesuffix("-check"): grade for grade in notebook.grades}
    by_hand = {name: grade for name, grade in grades.items() if grade.manual_score is not None}
    said = sorted(
        [(name, str(grade.score)) for name, grade in by_hand.items()]
        + [(comment.name, comment.manual_comment) for comment in notebook.comments if comment.manual_comment]
    )
    return Marks(
        student=student.id,
        score=float(notebook.score) - penalty,
        max_score=float(notebook.max_score),
        exercises={name: float(grade.score) for name, grade in grades.items()},
        automatic={
            name: float(grade.auto_score) for name, grade in grades.items() if grade.auto_score is not None
        },
        unanswered=frozenset(unanswered),
        to_mark=frozenset(
            name for name, grade in grades.items() if grade.auto_score is None and name not in by_hand
        ),
        confirmed=frozenset(name for name, grade in by_hand.items() if not grade.needs_manual_grade),
        doubtful=any(grade.needs_manual_grade for grade in by_hand.values()),
        by_hand=hashlib.sha256(repr(said).encode()).hexdigest() if said else "",
        penalty=penalty,
        late=float(submission.total_seconds_late),
        undated=submission.duedate is not None and submission.timestamp is None,
        names=tuple(name for name in (student.email, student.lms_user_id) if name),
    )


def _make_gradebook(db_url: str) -> None:
    """Make a gradebook that is not there yet, whole or not at all: nbgrader takes several steps."""
    from alembic.script import ScriptDirectory
    from nbgrader.api import Gradebook
    from nbgrader.dbutil import ALEMBIC_DIR
    from sqlalchemy.engine import make_url

    if has_gradebook(db_url):
        return
    path = Path(make_url(db_url).database or "")
    part = path.with_name(f".{path.name}.new")
    part.unlink(missing_ok=True)
    # The version of the schema, for nbgrader's later upgrades. nbgrader starts `alembic` to hear it.
    version = ScriptDirectory(ALEMBIC_DIR).get_current_head()
    with closing(sqlite3.connect(part)) as database, database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES (?)", (version,))
    with Gradebook(f"sqlite:///{part}"):
        pass
    part.replace(path)


def has_gradebook(db_url: str) -> bool:
    """Whether there is a gradebook at an address; opening one that is not there would make it.

    Args:
        db_url: its address for nbgrader.
    """
    from sqlalchemy.engine import make_url

    url = make_url(db_url)
    return not url.drivername.startswith("sqlite") or Path(url.database or "").is_file()
