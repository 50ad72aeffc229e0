"""What a student's own checks leave behind, and what must never leave anything."""

import json
import multiprocessing

import pytest
import tiny_course as tiny
from filelock import FileLock

from mmdl_course.checks import Exercise, witness
from mmdl_course.course import load_course
from mmdl_course.home import HOME
from mmdl_course.progress import progress_file, read_progress, record

KEPT = (
    '{"weeks": {"week01": {"double": {"points": 1, "of": 2, "state": "passed", "when": "2026-01-01T00Z"}}}}'
)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A tiny course; the working directory is where a student's kernel runs."""
    for name in ("NBGRADER_EXECUTION", "MMDL_BUDGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MMDL_PROGRESS", str(tmp_path / "mine"))
    root = tiny.make_course(tmp_path / "course")
    week = root / "notebooks" / "week01_tiny"
    week.mkdir(parents=True)
    monkeypatch.chdir(week)
    return load_course(root)


def check(answer, *, exercise="double"):
    """Run a check cell on a student's function; its score."""
    names = {"__name__": "__main__", "Exercise": Exercise}
    if answer is not None:
        names["double"] = answer
    body = (
        f'exercise = Exercise("{exercise}", points=3)\ndouble_ = exercise.student("double")\n'
        'with exercise.check("two times three", points=1):\n    exercise.equal(double_(3), 6)\n'
        'with exercise.check("two times two", points=1):\n    exercise.equal(double_(2), 4)\n'
        "score = exercise.report()"
    )
    exec(compile(body, "<check>", "exec"), names)
    return names["score"]


def entry(course):
    return read_progress(course)["week01"]["double"]


@pytest.mark.parametrize(
    ("answer", "points", "state"),
    [
        (lambda x: 2 * x, 2.0, "passed"),
        (lambda x: x + 2, 1.0, "partly"),
        (lambda x: x / 0, 0.0, "partly"),
        (None, 0.0, "not attempted"),
    ],
    ids=["right", "half right", "crashes", "nothing there"],
)
def test_a_check_leaves_what_came_out(course, answer, points, state):
    check(answer)
    left = entry(course)
    assert (left.points, left.of, left.state) == (points, 2.0, state)  # the third point is for hidden checks
    assert left.when.startswith("20")


def test_the_home_page_says_it_at_once(course):
    check(lambda x: 2 * x)
    assert "✓ passed | 2 of 2" in (course.root / HOME).read_text(encoding="utf-8")


def test_the_last_attempt_counts_and_an_answer_that_was_not_run_takes_nothing_away(course):
    check(lambda x: 2 * x)
    check(None)
    assert entry(course).state == "passed"
    check(lambda x: x + 2)
    assert entry(course).state == "partly"


@pytest.mark.parametrize(("name", "value"), [("NBGRADER_EXECUTION", "validate"), ("MMDL_BUDGET", "grading")])
def test_graders_leave_nothing(course, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    check(lambda x: 2 * x)
    assert not progress_file(course).exists()


def test_where_a_witness_looks_on_nothing_is_left(course):
    witness.appoint(witness.Witness())
    try:
        check(lambda x: 2 * x)
    finally:
        witness.appoint(witness.NOBODY)
    assert not progress_file(course).exists()


def test_an_exercise_that_the_registry_does_not_know_leaves_nothing(course):
    check(lambda x: 2 * x, exercise="practice")
    assert not progress_file(course).exists()


@pytest.mark.parametrize("folder", [".", "build/source/week01_tiny", "notebooks/elsewhere"])
def test_outside_a_weeks_folder_nothing_is_left(course, monkeypatch, folder):
    (course.root / folder).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(course.root / folder)
    check(lambda x: 2 * x)
    assert not progress_file(course).exists()


def test_what_was_kept_is_read(course):
    path = progress_file(course)
    path.parent.mkdir()
    path.write_text(KEPT)
    assert entry(course).points == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\0",
        "[]",
        '{"weeks": 3}',
        '{"weeks": {"week01": {"double": 5}}}',
        KEPT.replace('"points": 1', '"points": 9'),
        KEPT.replace('"points": 1', '"points": "one"'),
        KEPT.replace("passed", "splendid"),
        KEPT.replace("T00Z", ""),
        KEPT.replace("2026", "today"),
    ],
)
def test_a_damaged_file_counts_as_empty_and_is_replaced(course, content):
    path = progress_file(course)
    path.parent.mkdir()
    path.write_text(content)
    assert read_progress(course) == {}
    assert check(lambda x: 2 * x) == 2
    assert entry(course).state == "passed"


def test_a_disk_that_cannot_be_written_costs_no_points(course, monkeypatch):
    def refuse(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    assert check(lambda x: 2 * x) == 2
    assert not progress_file(course).exists()


def test_a_broken_registry_costs_no_points(course):
    (course.root / "syllabus.toml").write_text("[[", encoding="utf-8")
    assert check(lambda x: 2 * x) == 2


def test_another_kernel_that_never_lets_go_costs_no_points(course, monkeypatch):
    monkeypatch.setattr("mmdl_course.progress._PATIENCE", 0)
    path = progress_file(course)
    path.parent.mkdir()
    with FileLock(path.with_name(f".{path.name}.lock")):
        assert check(lambda x: 2 * x) == 2
    assert not path.exists()


def _write(root, exercise):
    for _ in range(10):
        record(load_course(root), "week01", exercise, points=1.0, of=1.0, state="passed")


def test_two_kernels_at_once_lose_nothing(course):
    second = '\n[[week.exercise]]\nid = "halve"\ntitle = "x"\ndifficulty = 1\nminutes = 1\npoints = 1\n'
    path = course.root / "syllabus.toml"
    path.write_text(path.read_text(encoding="utf-8") + second, encoding="utf-8")
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_write, args=(course.root, exercise)) for exercise in ("double", "halve")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert set(read_progress(load_course(course.root))["week01"]) == {"double", "halve"}


def test_the_file_holds_results_and_nothing_else(course):
    check(lambda x: x + 2)
    kept = json.loads(progress_file(course).read_text(encoding="utf-8"))
    assert set(kept) == {"course", "weeks"}
    assert set(kept["weeks"]["week01"]["double"]) == {"points", "of", "state", "when"}


def test_without_the_variable_it_lies_in_the_users_data_folder(course, monkeypatch):
    monkeypatch.delenv("MMDL_PROGRESS")
    assert progress_file(course).parent.name == "mmdl_course"
    assert progress_file(course).name == "a-tiny-course.json"
