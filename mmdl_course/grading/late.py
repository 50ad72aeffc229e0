"""Late penalties, by nbgrader's own plugin: what is due when, whether being late costs, what it costs now.

nbgrader works a penalty out once, when it autogrades. A due date that is set or an extension that is given
later, another plugin, and points by hand would not be in it, so it is worked out again for what is kept.

Source: nbgrader's documentation, "Plugin for late submissions".
"""

from datetime import datetime
from typing import Any

from mmdl_course.course import Course, Week
from mmdl_course.grading.gradebook import course_directory, has_gradebook

__all__ = ["UNDATED", "duration", "penalises", "read_due_date", "renew_penalties"]

UNDATED = "no timestamp.txt: whether it is late is not known, so there is no late penalty"


def penalises(config: Any) -> bool:
    """Whether being late can cost points: a plugin is configured, or a penalty method of nbgrader's own.

    Args:
        config: what jupyter_config.py says.
    """
    from nbgrader.plugins import LateSubmissionPlugin
    from nbgrader.preprocessors import AssignLatePenalties

    step = AssignLatePenalties(config=config)
    step.init_plugin()
    plugin = step.plugin_inst
    return type(plugin) is not LateSubmissionPlugin or plugin.penalty_method != "none"


def read_due_date(course: Course, week: Week) -> datetime | None:
    """When a week is due, in UTC without a zone as nbgrader keeps it; None when that is not set.

    Args:
        course: the registry.
        week: the week.
    """
    from nbgrader.api import Gradebook, MissingEntry

    directory = course_directory(course)
    if not has_gradebook(directory.db_url):
        return None
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        try:
            return gradebook.find_assignment(week.folder).duedate
        except MissingEntry:
            return None


def renew_penalties(course: Course, week: Week, *, log: Any) -> None:
    """Let nbgrader work out the penalty of everybody who is late, or was when last graded. Nothing is run.

    Args:
        course: the registry.
        week: the week.
        log: for what nbgrader has to say.
    """
    from nbformat.v4 import new_notebook
    from nbgrader.api import Gradebook, MissingEntry
    from nbgrader.converters import Autograde
    from nbgrader.preprocessors import AssignLatePenalties

    directory = course_directory(course)
    if not has_gradebook(directory.db_url):
        return
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        try:
            submissions = gradebook.assignment_submissions(week.folder)
        except MissingEntry:
            return
        students = [
            submission.student.id
            for submission in submissions
            if submission.total_seconds_late > 0 or submission.late_submission_penalty
        ]
    converter = Autograde(coursedir=directory, config=directory.config, log=log)
    for student in students:
        names = {"student": student, "assignment": week.folder, "notebook": week.folder}
        # It looks at the gradebook alone, at no cell.
        AssignLatePenalties(parent=converter)(
            new_notebook(), {"nbgrader": {**names, "db_url": directory.db_url}}
        )


def duration(seconds: float) -> str:
    """A length of time in words, to the minute: "1 day 3 hours".

    Args:
        seconds: how long, at least 0.
    """
    minutes = max(1, round(seconds / 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    said = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts if count]
    return " ".join(said[:2])
