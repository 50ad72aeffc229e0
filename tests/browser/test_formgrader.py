"""What an instructor sees after `mmdl grade`: formgrader, a mark by hand, and the student's feedback."""

import re
from pathlib import Path

import pytest
from graded_class import FOLDER, HIDDEN, grade
from lab import Lab
from playwright.sync_api import FrameLocator, Locator, expect

from mmdl_course.course import load_course
from mmdl_course.grading.gradebook import read_marks

pytestmark = pytest.mark.slow


def row(formgrader: FrameLocator, name: str) -> Locator:
    """The row of a table with this name in one of its cells."""
    cell = formgrader.get_by_role("gridcell", name=name, exact=True)
    return formgrader.get_by_role("row").filter(has=cell)


def test_formgrader_shows_the_assignment_its_submissions_and_their_marks(instructor: Lab, shoot):
    instructor.home()
    formgrader = instructor.formgrader()
    expect(row(formgrader, FOLDER)).to_be_visible()
    shoot("assignments")
    row(formgrader, FOLDER).get_by_role("link", name="4", exact=True).click()
    for student, shown in (
        ("anna", "needs manual grading"),
        ("anna", "3 / 6"),
        ("bo", "graded"),
        ("bo", "1 / 6"),
        ("eva", "needs autograding"),  # nbgrader's words for no mark
        ("fay", "3 / 6"),
    ):
        expect(row(formgrader, student)).to_contain_text(shown)
    shoot("submissions")


def test_a_mark_and_a_comment_by_hand_are_stored_and_reach_the_feedback(instructor: Lab, shoot):
    course = load_course(instructor.root)
    (week,) = course.ready
    instructor.home()
    formgrader = instructor.formgrader()
    formgrader.get_by_role("link", name="Manual Grading").click()
    for heading in ("Assignment ID", "Notebook ID"):
        expect(formgrader.get_by_role("columnheader", name=heading)).to_be_visible()
        row(formgrader, FOLDER).get_by_role("link").click()
    expect(formgrader.get_by_role("link", name="Submission #3")).to_be_visible()  # names are hidden at first
    formgrader.get_by_role("button", name="Show All Names").click()
    shoot("submissions-to-mark")
    row(formgrader, "anna").get_by_role("link").click()
    answer = formgrader.locator(".nbgrader_cell", has_text="Because 2 · x is x + x")
    points, comment = answer.get_by_role("spinbutton").first, answer.get_by_role("textbox")
    expect(points).to_have_class(
        re.compile("needs_manual_grade")
    )  # now the marks have come from the gradebook
    shoot("before")
    for box, typed, kind in ((points, "2", "grade"), (comment, "Clear, but what is a product?", "comment")):
        box.fill(typed)
        with instructor.page.expect_response(re.compile(f"/api/{kind}/")) as answered:
            box.press("Tab")  # formgrader saves what the cursor leaves
        assert answered.value.ok
    shoot("marked")

    assert read_marks(course, week)["anna"].exercises["why"] == 2
    grade(instructor.root)  # as docs/marking.md says: it takes the mark into the feedback
    instructor.page.goto(feedback(instructor, "anna").as_uri())
    expect(instructor.page.get_by_role("row", name="Why double?")).to_contain_text("2 of 3")
    expect(instructor.page.get_by_text("Clear, but what is a product?").first).to_be_visible()
    shoot("feedback")


def test_feedback_shows_points_messages_and_flags_but_no_hidden_test(instructor: Lab, shoot):
    page = instructor.page
    page.goto(feedback(instructor, "bo").as_uri())
    expect(page.get_by_role("heading", name="Marks of bo")).to_be_visible()
    expect(page.get_by_role("row", name="Double it")).to_contain_text("1 of 3")
    failed = page.get_by_role("region", name="double: 1 of 3 points")
    expect(failed).to_contain_text("negative numbers work, too")
    expect(failed).to_contain_text("No absolute value is needed.")
    assert HIDDEN not in page.content()
    shoot("half-right")
    page.goto(feedback(instructor, "fay").as_uri())
    expect(page.get_by_text("double-check was put back").first).to_be_visible()
    shoot("flag")
    page.goto(feedback(instructor, "eva").as_uri())
    expect(page.get_by_text("could not be graded, so it has no mark yet")).to_be_visible()
    expect(page.get_by_text("not valid JSON")).to_be_visible()
    shoot("no-mark")


def feedback(instructor: Lab, student: str) -> Path:
    """The page that a student gets."""
    return instructor.root / "feedback" / student / FOLDER / f"{FOLDER}.html"
