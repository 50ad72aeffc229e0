"""What a test cell uses: named checks, partial credit, messages that teach.

A check cell has this form; see `Exercise` for the claims it can make:

    exercise = Exercise("clip_loss", points=6)
    clip = exercise.student()  # the student's function `clip_loss`, watched

    with exercise.check("orthogonal pairs cost nothing", points=1, hint="The loss is lowest when …"):
        exercise.close(clip(torch.eye(4), torch.eye(4), torch.tensor(6.0)), 0.0, atol=1e-6)

    exercise.report()  # shows the table; the cell's value is the score, a plain float

Every check runs, whatever happened in the ones before, with two exceptions that keep a cell from running
for ever: after an interrupt, and after a second check that took too long, the rest count as crashed.
"""

from mmdl_course.checks.exercise import Exercise
from mmdl_course.checks.results import MIME, ChecksError, Result

__all__ = ["MIME", "ChecksError", "Exercise", "Result"]
