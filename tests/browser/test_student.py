"""Week 01 as a student meets it: the home page, cells, an exercise, explorers, the keyboard."""

import re

import pytest
from lab import RUN, START, Lab
from playwright.sync_api import expect

WEEK = "week01_manifold_hypothesis"
RELEASED = f"notebooks/{WEEK}/{WEEK}.ipynb"
ANSWER = "return channels * height * width, channels * height * width * math.log10(levels)"

pytestmark = pytest.mark.slow


def test_the_course_opens_on_its_home_and_a_link_leads_to_week_01(student: Lab, shoot):
    student.home()
    link = student.page.get_by_role("link", name="The manifold hypothesis").first
    expect(link).to_be_visible(timeout=START)
    shoot("home")
    link.click()
    expect(student.page.get_by_role("heading", name="Week 1: The manifold hypothesis")).to_be_visible(
        timeout=START
    )
    shoot("week01")


def test_an_exercise_goes_from_not_attempted_to_passed(student: Lab, shoot):
    notebook = student.notebook(RELEASED)
    answer, check = notebook.cell("input_space"), notebook.cell("input_space-check")
    for cell in (notebook.code(0), answer, check):
        notebook.run(cell)
    report = check.get_by_role("region")
    expect(report).to_contain_text("input_space: not attempted yet (3 points to earn)")
    shoot("before")
    notebook.replace_line(answer, "raise NotImplementedError", ANSWER)
    notebook.run(answer)
    notebook.run(check)
    expect(report).to_contain_text("input_space: 2 of 2 points")
    expect(report.get_by_role("cell", name="passed")).to_have_count(2)
    expect(report).not_to_contain_text("not attempted")
    shoot("after")
    notebook.save()
    assert ANSWER in "".join(notebook.read()["cells"][notebook.place("input_space")]["source"])


def test_an_explorer_is_worked_with_the_keyboard_alone(student: Lab, shoot):
    notebook = student.notebook(RELEASED)
    cell = notebook.cell_with("explorers.modalities(")
    for each in (notebook.code(0), cell):
        notebook.run(each)
    expect(cell.get_by_role("slider")).to_have_count(2, timeout=RUN)
    for label in ("scene", "camera azimuth"):
        expect(cell.locator("label", has_text=label)).to_be_visible()
    picture = cell.get_by_role("img").filter(visible=True)
    expect(picture).to_have_count(1)  # the still picture gives way to the live one
    assert picture.get_attribute("alt").startswith("Scene 0 seen from 0 degrees")
    shoot("before")
    first, second = cell.get_by_role("slider").all()
    first.focus()
    student.page.keyboard.press("ArrowRight")
    expect(picture).to_have_attribute("alt", _begins("Scene 1 seen from 0 degrees"), timeout=RUN)
    notebook.tab_to(second)
    student.page.keyboard.press("ArrowRight")
    expect(picture).to_have_attribute("alt", _begins("Scene 1 seen from 15 degrees"), timeout=RUN)
    shoot("after")


def _begins(words: str):
    return re.compile(f"^{re.escape(words)}")
