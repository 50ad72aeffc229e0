"""The page that JupyterLab opens: what is where, how far I am, where to go on."""

import logging
import re
from itertools import pairwise
from types import SimpleNamespace

import pytest
import tiny_course as tiny

from mmdl_course import home
from mmdl_course.course import load_course
from mmdl_course.grading.build import build_weeks
from mmdl_course.home import HOME, exercise_anchor, home_page, write_home
from mmdl_course.progress import Entry, progress_file

COURSE = load_course()
FIRST, SECOND = COURSE.ready[:2]


@pytest.fixture(autouse=True)
def nobodys_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("MMDL_PROGRESS", str(tmp_path / "mine"))


def entry(state, *, when="2026-10-01T10:00:00+02:00"):
    return Entry(2.0 if state == "passed" else 1.0, 2.0, state, when)


def passed(week):
    return {exercise.id: entry("passed") for exercise in week.exercises if not exercise.by_hand}


def first_paragraph(records):
    return home_page(COURSE, records).split("\n\n")[1]


def test_who_has_done_nothing_yet_is_sent_to_the_first_week():
    assert first_paragraph({}) == (
        f"**Begin with [Week 1: {FIRST.title}]({FIRST.folder}/{FIRST.folder}.ipynb)**"
    )


def test_who_stopped_is_sent_to_the_first_exercise_that_is_not_passed():
    records = {FIRST.id: {FIRST.exercises[0].id: entry("passed"), FIRST.exercises[1].id: entry("partly")}}
    said = first_paragraph(records)
    assert f"Exercise 2, {FIRST.exercises[1].title}" in said
    assert f"({FIRST.folder}/{FIRST.folder}.ipynb#cell-id=exercise-{FIRST.exercises[1].id})" in said


def test_the_week_worked_in_last_comes_first():
    records = {
        FIRST.id: {FIRST.exercises[0].id: entry("partly")},
        SECOND.id: {SECOND.exercises[2].id: entry("partly", when="2026-11-01T10:00:00+01:00")},
    }
    assert f"Exercise 1, {SECOND.exercises[0].title}" in first_paragraph(records)


def test_moments_in_different_time_zones_are_compared_as_moments():
    records = {
        FIRST.id: {FIRST.exercises[0].id: entry("partly", when="2026-10-01T12:30:00+05:00")},
        SECOND.id: {SECOND.exercises[0].id: entry("partly", when="2026-10-01T09:00:00+00:00")},
    }
    assert SECOND.title in first_paragraph(records)


def test_after_a_finished_week_comes_the_next():
    assert f"Go on with [Week {int(SECOND.id[4:])}: {SECOND.title}]" in first_paragraph(
        {FIRST.id: passed(FIRST)}
    )


def test_after_the_last_one_nothing_is_left():
    assert "Every exercise that checks itself is passed" in first_paragraph(
        {week.id: passed(week) for week in COURSE.ready}
    )


def test_each_week_says_how_many_exercises_are_passed_in_words_too():
    page = home_page(COURSE, {FIRST.id: passed(FIRST)})
    count = len(FIRST.exercises)
    assert (
        f'<label><progress value="{count}" max="{count}"></progress> {count}&nbsp;of&nbsp;{count}</label>'
        in page
    )


def test_planned_weeks_are_said_to_be_planned_and_have_no_link():
    rows = [line for line in home_page(COURSE, {}).splitlines() if ">planned<" in line]
    assert len(rows) == len(COURSE.weeks) - len(COURSE.ready)
    assert not [row for row in rows if "](" in row]


def test_exercises_marked_by_hand_are_no_debt():
    (week,) = (week for week in COURSE.ready if any(exercise.by_hand for exercise in week.exercises))
    page = home_page(COURSE, {week.id: passed(week)})
    assert "a person marks it" in page
    assert f"{len(week.exercises) - 1}&nbsp;of&nbsp;{len(week.exercises) - 1}</label>" in page


def test_headings_go_down_one_step_at_a_time():
    page = home_page(COURSE, {FIRST.id: passed(FIRST)})
    levels = [len(match) for match in re.findall(r"^(#+) ", page, re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_it_says_where_the_progress_is_that_it_stays_there_and_how_to_delete_it():
    page = home_page(COURSE, {})
    assert f"`{progress_file(COURSE)}`" in page
    assert "on this machine alone" in page
    assert "delete that file" in page


@pytest.mark.parametrize("week", COURSE.ready, ids=lambda week: week.id)
def test_every_link_leads_to_a_file_and_to_a_cell_in_it(week):
    page = home_page(COURSE, {week.id: passed(week)})
    targets = re.findall(r"\]\(([^)]*)\)", page)
    anchored = [target for target in targets if "#" in target]
    assert len(anchored) >= len(week.exercises)
    for target in targets:
        path, _, anchor = target.partition("#cell-id=")
        file = COURSE.root / "notebooks" / path
        assert file.is_file()
        assert not anchor or f'"id": "{anchor}"' in file.read_text(encoding="utf-8")


def test_a_long_id_still_makes_a_cell_id_that_nbformat_takes():
    assert len(exercise_anchor("x" * 80)) == 64


# when it is written ---------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path):
    course = load_course(tiny.make_course(tmp_path / "course"))
    build_weeks(course, [], check=False)
    return course


def server(root):
    return SimpleNamespace(root_dir=str(root), log=logging.getLogger("server"))


def test_a_server_that_starts_in_the_course_writes_it(course):
    home._load_jupyter_server_extension(server(course.root))
    assert (course.root / HOME).read_text(encoding="utf-8") == home_page(course, {})


def test_a_server_elsewhere_writes_nothing(tmp_path):
    home._load_jupyter_server_extension(server(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_server_starts_all_the_same_where_it_cannot_be_written(course, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(home, "replace_file", refuse)
    home._load_jupyter_server_extension(server(course.root))
    assert "Read-only file system" in caplog.text


def test_it_is_written_only_when_it_has_changed(course):
    assert write_home(course)
    assert not write_home(course)


def test_the_build_does_not_mind_it(course):
    write_home(course)
    assert build_weeks(course, [], check=True) == 0
