"""What a test cell uses: named checks, partial credit, messages that teach."""

from mmdl_course.checks.exercise import Exercise
from mmdl_course.checks.results import MIME, ChecksError, Result

__all__ = ["MIME", "ChecksError", "Exercise", "Result"]
