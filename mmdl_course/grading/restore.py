"""Release a week and restore its hidden tests, exactly as nbgrader does when it grades."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmdl_course.course import Course, Week

if TYPE_CHECKING:  # loading it takes seconds
    from nbformat import NotebookNode

__all__ = ["Restored", "restored_release"]


@dataclass(frozen=True)
class Restored:
    """A week's notebook as its author wrote it and as a grader runs it."""

    source: "NotebookNode"  # with solutions and hidden tests
    submitted: "NotebookNode"  # the untouched release, its hidden tests put back by nbgrader


def restored_release(course: Course, week: Week) -> Restored:
    """Send a week's release through nbgrader's own sanitising steps, with a throw-away gradebook.

    Args:
        course: the registry.
        week: a ready week.

    Returns:
        The source, and the release as `nbgrader autograde` would run it if a student handed it in untouched.

    Raises:
        CourseError: the lesson does not build.
    """
    import nbformat
    from nbgrader.converters import Autograde
    from nbgrader.coursedir import CourseDirectory

    from mmdl_course.grading.build import SOURCE, ensure_source
    from mmdl_course.grading.release import generate_assignment, load_configuration, throwaway_gradebook

    source = ensure_source(course, week)
    with tempfile.TemporaryDirectory(prefix="mmdl-audit-") as folder:
        root = Path(folder).resolve()
        db_url = throwaway_gradebook(root)
        released = generate_assignment(
            course, week, source=course.root / SOURCE, release=root / "release", db_url=db_url
        )
        notebook = nbformat.read(released, as_version=4)
        config = load_configuration(course)
        steps = Autograde(coursedir=CourseDirectory(config=config), config=config).sanitize_preprocessors
        names = {"notebook": week.folder, "assignment": week.folder, "student": "audit", "db_url": db_url}
        resources = {"nbgrader": names}
        for step in steps:
            notebook, resources = step(config=config).preprocess(notebook, resources)
    return Restored(nbformat.read(source, as_version=4), notebook)
