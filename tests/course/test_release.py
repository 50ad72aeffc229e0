"""What students get of every ready week: no solution, no hidden test, nothing stale."""

import json

import pytest

from mmdl_course.course import load_course
from mmdl_course.grading.lesson import read_lesson
from mmdl_course.grading.release import secret_lines

COURSE = load_course()


@pytest.fixture(params=COURSE.ready, ids=lambda week: week.id)
def week(request):
    return request.param


def test_the_release_folder_holds_the_notebook_alone(week):
    folder = COURSE.root / "notebooks" / week.folder
    assert [path.name for path in folder.iterdir() if path.name != ".ipynb_checkpoints"] == [
        f"{week.folder}.ipynb"
    ]


def test_no_secret_line_is_among_the_released_bytes(week):
    lesson, problems = read_lesson(COURSE, week)
    assert not problems
    secrets = secret_lines(lesson)
    assert len(secrets) > 5 * len(week.exercises)  # the search searches for something
    released = (COURSE.root / "notebooks" / week.folder / f"{week.folder}.ipynb").read_text(encoding="utf-8")
    text = "\n".join("".join(cell["source"]) for cell in json.loads(released)["cells"])
    for secret in secrets:
        assert secret not in text
        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in released


def test_no_outputs_are_stored(week):
    released = json.loads(
        (COURSE.root / "notebooks" / week.folder / f"{week.folder}.ipynb").read_text(encoding="utf-8")
    )
    for cell in released["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
