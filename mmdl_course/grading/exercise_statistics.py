"""What a class's marks say about each exercise: how hard it was, where it failed, whether it tells apart."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from mmdl_course.course import Exercise, Week
from mmdl_course.grading.gradebook import Marks
from mmdl_course.grading.misconceptions import misconception

__all__ = ["ExerciseStatistics", "discrimination", "exercise_statistics"]

Reports = Mapping[str, Mapping[str, dict[str, Any]]]  # student -> exercise id -> what the checks reported


@dataclass(frozen=True)
class ExerciseStatistics:
    """One exercise over the whole class."""

    exercise: Exercise
    scores: tuple[float, ...]  # points, one per graded student whose answer does not wait for a person
    unattempted: tuple[bool, ...]  # in the same order
    failed_checks: tuple[tuple[str, int], ...]  # (check name, how many failed it), most often first
    discrimination: float  # correlation with the rest of the marks, -1 … 1; NaN where nothing varies
    to_mark: int = 0  # how many answers wait for a person
    misconceptions: tuple[tuple[str, int], ...] = ()  # (likely cause, how many students), most often first

    @property
    def mean(self) -> float:
        """Mean points."""
        return fmean(self.scores) if self.scores else math.nan

    @property
    def median(self) -> float:
        """Median points."""
        return median(self.scores) if self.scores else math.nan

    def share(self, which: str) -> float:
        """Share of students from 0 to 1 with "full" marks, "zero" points, or "not attempted".

        Args:
            which: one of the three.
        """
        full = self.exercise.points
        count = {
            "full": sum(math.isclose(score, full) or score > full for score in self.scores),
            "zero": sum(score == 0 for score in self.scores),
            "not attempted": sum(self.unattempted),
        }[which]
        return count / len(self.scores) if self.scores else math.nan


def exercise_statistics(week: Week, marks: Sequence[Marks], reports: Reports) -> list[ExerciseStatistics]:
    """Statistics of each exercise of a week.

    Args:
        week: the week, with its exercises.
        marks: the graded students' marks.
        reports: what the checks said; may be incomplete, as marks come from the gradebook alone.

    Returns:
        One entry per exercise, in the week's order.
    """
    found = []
    for exercise in week.exercises:
        marked = [mark for mark in marks if exercise.id not in mark.to_mark]
        scores = tuple(mark.exercises.get(exercise.id, 0.0) for mark in marked)
        rest = [mark.points - score for mark, score in zip(marked, scores, strict=True)]
        failed: Counter[str] = Counter()
        causes: Counter[str] = Counter()
        unattempted = []
        for mark in marked:
            results = reports.get(mark.student, {}).get(exercise.id, {}).get("results", [])
            states = {str(result.get("state")) for result in results}
            skipped = states == {"not attempted"} or (not states and exercise.id in mark.unanswered)
            unattempted.append(skipped)
            if not skipped:
                failed.update(
                    str(result.get("name")) for result in results if result.get("state") != "passed"
                )
                if cause := misconception(results):
                    causes[cause] += 1
        found.append(
            ExerciseStatistics(
                exercise,
                scores,
                tuple(unattempted),
                _most_first(failed),
                discrimination(scores, rest),
                to_mark=len(marks) - len(marked),
                misconceptions=_most_first(causes),
            )
        )
    return found


def _most_first(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def discrimination(scores: Sequence[float], rest: Sequence[float]) -> float:
    """How well an exercise tells those who know from those who do not.

    Args:
        scores: points in the exercise.
        rest: points in everything else, in the same order.

    Returns:
        Pearson's correlation, NaN for fewer than three students or where one of the two does not vary.

    Source: item analysis, corrected item-total correlation.
    """
    if len(scores) < 3:
        return math.nan
    x, y = [score - fmean(scores) for score in scores], [points - fmean(rest) for points in rest]
    size = math.sqrt(sum(a * a for a in x) * sum(b * b for b in y))
    return sum(a * b for a, b in zip(x, y, strict=True)) / size if size > 1e-12 else math.nan
