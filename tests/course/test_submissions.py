"""Wheats and chaffs are written down for every exercise with checks of every ready week."""

import pytest

from mmdl_course.course import load_course
from mmdl_course.grading.submissions import read_submissions

COURSE = load_course()


@pytest.mark.parametrize("week", COURSE.ready, ids=lambda week: week.id)
def test_every_exercise_has_its_wheats_and_chaffs(week):
    variants, problems = read_submissions(COURSE, week)
    assert problems == []
    kinds = [(variant.exercise, variant.kind) for variant in variants]
    for exercise in week.exercises:
        if exercise.by_hand:
            continue
        assert kinds.count((exercise.id, "wheat")) >= 2
        assert kinds.count((exercise.id, "chaff")) >= 5
