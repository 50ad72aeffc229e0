"""JupyterLab and every nbgrader command, really started at a course's root, obey jupyter_config.py."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import tiny_course as tiny
from running_lab import apart, ask, running_lab
from traitlets.config import PyFileConfigLoader

from mmdl_course.course import load_course
from mmdl_course.grading.build import build_weeks, stage

BIN = Path(sys.executable).parent
WEEK = "week01_tiny"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tiny.make_course(tmp_path_factory.mktemp("course"))
    build_weeks(load_course(root), [], check=False)
    return root


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return apart(tmp_path_factory.mktemp("home"))


def nbgrader(root, environment, *words):
    done = subprocess.run(
        [BIN / "nbgrader", *words],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "No nbgrader_config.py file found" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def graded(root, environment):
    """A course's root after the whole way by nbgrader's own commands."""
    nbgrader(root, environment, "generate_assignment", WEEK, "--force")
    released = (root / "notebooks" / WEEK / f"{WEEK}.ipynb").read_text(encoding="utf-8")
    submitted = root / "submitted" / "ada" / WEEK / f"{WEEK}.ipynb"
    submitted.parent.mkdir(parents=True)
    work = released.replace('raise NotImplementedError(\\"not attempted yet\\")', "return abs(2 * x)")
    submitted.write_text(work, encoding="utf-8")
    nbgrader(root, environment, "autograde", WEEK)
    nbgrader(root, environment, "generate_feedback", WEEK)
    return root


@pytest.mark.slow
def test_generate_assignment_gives_the_bytes_that_mmdl_build_gives(graded):
    course = load_course(graded)
    (built,) = stage(course, course.ready)
    assert (graded / "notebooks" / WEEK / f"{WEEK}.ipynb").read_bytes() == built.release


@pytest.mark.slow
def test_autograde_restores_the_hidden_tests_and_counts_partial_credit(graded):
    notebook = json.loads(
        (graded / "autograded" / "ada" / WEEK / f"{WEEK}.ipynb").read_text(encoding="utf-8")
    )
    (check,) = (cell for cell in notebook["cells"] if cell["id"] == "double-check")
    assert "negative numbers work, too" in "".join(check["source"])
    results = [output for output in check["outputs"] if output["output_type"] == "execute_result"]
    assert [result["data"]["text/plain"] for result in results] == [["1.0"]]


@pytest.mark.slow
def test_feedback_shows_what_the_checks_say(graded):
    page = (graded / "feedback" / "ada" / WEEK / f"{WEEK}.html").read_text(encoding="utf-8")
    assert "No absolute value is needed" in page


@pytest.mark.slow
def test_nothing_is_written_to_nbgraders_default_places(graded):
    assert not {"source", "release"} & {path.name for path in graded.iterdir()}
    assert (graded / "gradebook.db").is_file()


@pytest.mark.slow
def test_validate_obeys_the_timeout(environment, tmp_path):
    lesson = tiny.LESSON.replace("exercise.report()", "import time\n\ntime.sleep(20)\nexercise.report()")
    course = tiny.make_course(tmp_path / "short", lesson=lesson)
    build_weeks(load_course(course), [], check=False)
    configuration = course / "jupyter_config.py"
    text = configuration.read_text(encoding="utf-8")
    assert "c.Execute.timeout = 120" in text
    configuration.write_text(
        text.replace("c.Execute.timeout = 120", "c.Execute.timeout = 2"), encoding="utf-8"
    )
    said = nbgrader(course, environment, "validate", f"notebooks/{WEEK}/{WEEK}.ipynb")
    assert "CellTimeoutError" in said


def test_elsewhere_the_environments_jupyter_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path(sys.prefix) / "etc" / "jupyter"
    assert PyFileConfigLoader("jupyter_config.py", path=str(folder)).load_config() == {}


# JupyterLab and formgrader --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(graded, environment):
    with running_lab(graded, environment) as address:
        yield address


@pytest.mark.slow
def test_jupyterlab_opens_at_the_courses_start(server):
    url, _ = ask(server, "/")
    assert url == f"{server}/lab/tree/notebooks/home.md"


@pytest.mark.slow
def test_the_server_has_written_the_page_it_opens_at(server):
    _, body = ask(server, "/api/contents/notebooks/home.md?type=file")
    assert "Begin with [Week 1: Twice as much]" in json.loads(body)["content"]


def test_where_the_home_page_cannot_be_written_another_page_opens(root, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    config = PyFileConfigLoader("jupyter_config.py", path=str(root)).load_config()
    assert config.LabApp.default_url == "/lab/tree/notebooks/README.md"


@pytest.mark.slow
def test_jupyterlab_sees_the_courses_root(server):
    _, body = ask(server, "/api/contents/")
    names = {entry["name"] for entry in json.loads(body)["content"]}
    assert {"notebooks", "syllabus.toml"} <= names


@pytest.mark.slow
def test_jupyterlab_asks_for_its_token(server):
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{server}/api/contents/", timeout=60)


@pytest.mark.slow
def test_formgrader_sees_the_course_and_its_marks(server):
    _, body = ask(server, "/formgrader/api/assignments")
    (assignment,) = json.loads(body)
    assert assignment["name"] == WEEK
    assert assignment["source_path"] == f"build/source/{WEEK}"
    assert assignment["release_path"] == f"notebooks/{WEEK}"
    assert assignment["num_submissions"] == 1
    _, body = ask(server, f"/formgrader/api/submissions/{WEEK}")
    (submission,) = json.loads(body)
    assert (submission["student"], submission["score"], submission["max_score"]) == ("ada", 1.0, 3.0)
