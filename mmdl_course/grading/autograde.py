"""nbgrader's Autograde in phases, so that only the middle one runs student code.

plan: sanitise the notebook (reads the gradebook). execute: an Executor (no gradebook). record: scores into
the gradebook, files into autograded/ (the one writer). Each phase uses nbgrader's own preprocessors.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute

from mmdl_course.course import Course, Week
from mmdl_course.files import remove_folder, replace_folder
from mmdl_course.grading.gradebook import course_directory

__all__ = ["Phases", "Planned"]

_STEPS = ("submitted", "autograded", "work", "feedback")  # folders in the scratch folder


@dataclass(frozen=True)
class Planned:
    """A notebook that is ready to run."""

    student: str
    notebook: NotebookNode
    resources: dict[str, Any]  # nbconvert's


class Phases:
    """Plan and record the submissions of one week.

    Everything is made in a scratch folder; autograded/<student>/<week> appears complete or not at all.
    `folders` are nbgrader's, where they differ from the configuration, its `db_url` included.
    """

    def __init__(self, course: Course, week: Week, *, scratch: Path, log: Any, **folders: str) -> None:
        self.folder = week.folder
        self.scratch = scratch
        self.final = course_directory(course, **folders)
        staged = {step: str(scratch / step) for step in ("submitted", "autograded")}
        self.staged = course_directory(
            course, **{**folders, **{f"{step}_directory": path for step, path in staged.items()}}
        )
        self.converter = Autograde(coursedir=self.staged, config=self.staged.config, log=log)

    def plan(self, student: str, notebook: NotebookNode, companions: Iterable[tuple[Path, Path]]) -> Planned:
        """Enter the submission into the gradebook and sanitise its notebook.

        Args:
            student: the student's id.
            notebook: from intake and repair.
            companions: files to put beside it, as (file, place below the notebook's folder).

        Returns:
            What an executor takes. Its working folder holds the companions and no notebook.
        """
        self.discard(student)
        handed_in = Path(self._path(self.staged.submitted_directory, student))
        handed_in.mkdir(parents=True)
        for file, place in companions:
            (handed_in / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, handed_in / place)
        path = handed_in / f"{self.folder}.ipynb"
        nbformat.write(notebook, path)
        graded = Path(self._path(self.staged.autograded_directory, student))
        graded.mkdir(parents=True)
        self.converter.notebooks = [str(path)]
        self.converter.init_assignment(self.folder, student)
        if not (handed_in / "timestamp.txt").is_file():
            self._forget_time(student)
        # Written out: nbgrader reads these from the path, and not every name survives its pattern.
        names = {"student": student, "assignment": self.folder, "notebook": self.folder}
        resources: dict[str, Any] = {
            "unique_key": self.folder,
            "output_files_dir": f"{self.folder}_files",
            "nbgrader": {**names, "db_url": self.staged.db_url},
        }
        work = self.scratch / "work" / student
        shutil.copytree(graded, work)
        resources["metadata"] = {"path": str(work)}
        notebook, resources = self._apply(self.converter.sanitize_preprocessors, notebook, resources)
        return Planned(student, notebook, resources)

    def record(self, planned: Planned, notebook: NotebookNode) -> Path:
        """Write the scores into the gradebook and the notebook into autograded/.

        Args:
            planned: what was executed.
            notebook: the executed notebook, its check cells settled.

        Returns:
            The autograded notebook.
        """
        steps = [step for step in self.converter.autograde_preprocessors if not issubclass(step, Execute)]
        notebook, _ = self._apply(steps, notebook, planned.resources)
        staged = Path(self._path(self.staged.autograded_directory, planned.student))
        nbformat.write(notebook, staged / f"{self.folder}.ipynb")
        self.converter.set_permissions(self.folder, planned.student)
        replace_folder(staged, self.published(planned.student).parent)
        self.discard(planned.student)
        return self.published(planned.student)

    def published(self, student: str) -> Path:
        """Where a student's autograded notebook lies when there is one."""
        return Path(self.final.format_path(self.final.autograded_directory, student, self.folder)) / (
            f"{self.folder}.ipynb"
        )

    def withdraw(self, student: str) -> None:
        """Remove a student's autograded folder of this week."""
        remove_folder(self.published(student).parent)

    def discard(self, student: str) -> None:
        """Remove what this run, or one that was killed, left in the scratch folder."""
        for step in _STEPS:
            shutil.rmtree(self.scratch / step / student, ignore_errors=True)

    def clear(self) -> None:
        """Remove what a run that was killed left in the scratch folder, whoever it was of."""
        for step in _STEPS:
            shutil.rmtree(self.scratch / step, ignore_errors=True)

    def _forget_time(self, student: str) -> None:
        """Nobody knows when it was handed in; nbgrader would keep the time of an earlier submission."""
        with Gradebook(self.staged.db_url, self.staged.course_id) as gradebook:
            submission = gradebook.find_submission(self.folder, student)
            if submission.timestamp is not None:
                submission.timestamp = None
                gradebook.db.commit()

    def _path(self, step: str, student: str) -> str:
        return self.staged.format_path(step, student, self.folder)

    def _apply(
        self, steps: Iterable[type], notebook: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        for step in steps:
            notebook, resources = step(parent=self.converter)(notebook, resources)
        return notebook, resources
