import subprocess
import sys
import tomllib

import pytest

from mmdl_course.course import CourseError, find_root, load_course

WEEK = '[[week]]\nid = "week01"\nfolder = "week01_a"\ntitle = "A"\nquestion = "?"\ndeck = "A1"\n'
EXERCISE = '[[week.exercise]]\nid = "x"\ntitle = "X"\ndifficulty = 1\nminutes = 5\npoints = 3\n'


def load(root, text):
    (root / "syllabus.toml").write_text(text, encoding="utf-8")
    return load_course(root)


def test_the_registry_of_this_course_is_sound():
    course = load_course(find_root())
    assert len(course.weeks) == 13
    assert course.weeks[0].id == "week01"
    for week in course.ready:
        assert week.goals
        assert 60 <= week.minutes <= 120
        assert sum(exercise.minutes for exercise in week.exercises) <= week.minutes
        assert all(1 <= exercise.difficulty <= 5 for exercise in week.exercises)
    ids = [exercise.id for week in course.weeks for exercise in week.exercises]
    assert len(ids) == len(set(ids))


def test_points_are_those_of_the_exercises(tmp_path):
    course = load(tmp_path, WEEK + EXERCISE + EXERCISE.replace('"x"', '"y"'))
    assert course.week("week01").points == 6
    assert course.week("week01_a").exercises[0].check_id == "x-check"


def test_the_root_is_found_from_below(tmp_path):
    load(tmp_path, WEEK)
    below = tmp_path / "notebooks" / "week01_a"
    below.mkdir(parents=True)
    assert find_root(below) == tmp_path.resolve()


def test_outside_the_course_is_said(tmp_path):
    with pytest.raises(CourseError, match="not inside the course"):
        find_root(tmp_path)


def test_only_ready_weeks_are_selected(tmp_path):
    text = WEEK + 'status = "ready"\n' + WEEK.replace("week01", "week02")
    course = load(tmp_path, text)
    assert [week.id for week in course.select([])] == ["week01"]
    with pytest.raises(CourseError, match="week02 is planned, not ready"):
        course.select(["week02"])
    with pytest.raises(CourseError, match=r"no week called 'week03'.*Known weeks: week01, week02"):
        course.select(["week03"])


MISTAKES = [
    ("[[week", "is not valid TOML"),
    (WEEK + WEEK, 'two weeks have id = "week01"'),
    (WEEK + WEEK.replace('"week01"', '"week02"'), 'two weeks have folder = "week01_a"'),
    (WEEK + EXERCISE + EXERCISE, 'two exercises have id = "x"'),
    (WEEK + "weight = 1\n", "week week01: unknown field 'weight'"),
    (WEEK + 'status = "redy"\n', 'status is "redy"; it must be "ready" or "planned"'),
    (WEEK + EXERCISE.replace("= 3", '= "3"'), "exercise x: points must be of type int, not '3'"),
    (
        WEEK + EXERCISE.replace("points = 3", ""),
        "exercise x: missing 1 required positional argument: 'points'",
    ),
    (WEEK.replace('deck = "A1"', ""), "week week01: missing 1 required positional argument: 'deck'"),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES)
def test_mistakes_name_the_file_and_the_field_without_a_traceback(tmp_path, text, words):
    (tmp_path / "syllabus.toml").write_text(text, encoding="utf-8")
    # As the user runs it: under test, run-time type checks would speak first.
    code = "from mmdl_course.cli import main; main()"
    command = [sys.executable, "-c", code, "build"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("mmdl: ")
    assert str(tmp_path / "syllabus.toml") in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_registry_names_the_remedy(tmp_path):
    with pytest.raises(CourseError, match=r"git checkout -- syllabus\.toml"):
        load_course(tmp_path)


def test_the_registry_is_plain_toml():
    with (find_root() / "syllabus.toml").open("rb") as file:
        assert set(tomllib.load(file)) == {"course", "week"}


def test_the_command_also_runs_as_a_module():
    said = subprocess.run(
        [sys.executable, "-m", "mmdl_course.cli", "--help"], capture_output=True, text=True, check=True
    )
    assert "audit" in said.stdout
