"""nbgrader's Validate button: what it says of a right, a wrong and an untouched exercise."""

import pytest
import tiny_course as tiny
from lab import Lab
from playwright.sync_api import expect
from running_lab import TOKEN, apart, running_lab

from mmdl_course.course import load_course
from mmdl_course.grading.build import build_weeks

WEEK = "week01_tiny"
RELEASED = f"notebooks/{WEEK}/{WEEK}.ipynb"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tiny.make_course(tmp_path_factory.mktemp("course"))
    build_weeks(load_course(root), [], check=False)
    return root


@pytest.fixture(scope="module")
def address(chromium_path, root, tmp_path_factory):  # noqa: ARG001  (no server where there is no browser)
    with running_lab(root, apart(tmp_path_factory.mktemp("home"))) as address:
        yield address


def test_validate_says_what_our_checks_say(page, root, address, shoot):
    notebook = Lab(page, address, root, TOKEN).notebook(RELEASED)
    answer = notebook.cell("double")

    dialog = notebook.validate()
    expect(dialog).to_contain_text("double: not attempted yet")
    shoot("untouched")
    dialog.get_by_role("button", name="Ok").click()

    notebook.replace_line(answer, "raise NotImplementedError", "return x * x")
    dialog = notebook.validate()
    expect(dialog).to_contain_text("The following cell failed")
    expect(dialog).to_contain_text("double: 0 of 1 point")
    expect(dialog).to_contain_text("Add the number to itself.")
    shoot("wrong")
    dialog.get_by_role("button", name="Ok").click()

    notebook.replace_line(answer, "return x * x", "return x + x")
    dialog = notebook.validate()
    expect(dialog).to_contain_text("Success! Your notebook passes all the tests.")
    shoot("right")
