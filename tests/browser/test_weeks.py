"""Every landed week in JupyterLab, solved and as released, under the grading budget.

Six weeks take long: week 01 runs with every test run, the others with `make browser`.
"""

import os

import pytest
from lab import RUN, Lab, Notebook
from playwright.sync_api import Locator, expect

from mmdl_course.course import find_root, load_course

EVERY_WEEK = "MMDL_BROWSER_WEEKS"  # "all": not week 01 alone
READY = load_course(find_root()).ready
UNSOLVED = {"NotImplementedError", "NameError"}

pytestmark = pytest.mark.slow


def _weeks():
    later = pytest.mark.skipif(
        os.environ.get(EVERY_WEEK) != "all", reason="`make browser` opens every week, `make test` the first"
    )
    first, *others = READY
    return [
        pytest.param(first, id=first.id),
        *(pytest.param(week, id=week.id, marks=later) for week in others),
    ]


@pytest.mark.parametrize("week", _weeks())
def test_a_solved_notebook_runs_without_an_error(week, student: Lab, solved, shoot):
    notebook = student.notebook(solved(week.folder))
    notebook.run_all()
    assert notebook.errors() == []
    assert notebook.warnings() == []
    explorers = notebook.widgets()
    for place, explorer in enumerate(explorers):
        explorer.locator(".jupyter-widgets").first.scroll_into_view_if_needed()
        _has_its_plots(explorer)
        shoot(f"explorer-{place + 1}")
    for explorer in explorers:
        if explorer.get_by_role("slider").count():
            _move_a_slider(notebook, explorer)
            shoot("slider-moved")
            break


def _has_its_plots(explorer: Locator) -> None:
    """What turns is drawn, and has not lost its surface to another figure: a page has only sixteen."""
    lost = "e => [...e.querySelectorAll('canvas')].some(c => c.getContext('webgl')?.isContextLost())"
    for plot in explorer.locator("[role=group][aria-label]").all():
        plot.scroll_into_view_if_needed()
        expect(plot.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=RUN)
        assert not plot.evaluate(lost)


def _move_a_slider(notebook: Notebook, explorer: Locator) -> None:
    """A press of an arrow key gives another picture; the key is one that the slider can follow."""
    slider = explorer.get_by_role("slider").first
    picture = explorer.get_by_role("img").filter(visible=True).first
    before = picture.get_attribute("src")
    at_end = slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")
    slider.focus()
    notebook.lab.page.keyboard.press("ArrowLeft" if at_end else "ArrowRight")
    expect(picture).not_to_have_attribute("src", before, timeout=RUN)


@pytest.mark.parametrize("week", _weeks())
def test_a_released_notebook_stops_at_what_is_not_solved_and_nowhere_else(week, student: Lab, shoot):
    path = f"notebooks/{week.folder}/{week.folder}.ipynb"
    student.go_on_after_errors(path)
    notebook = student.notebook(path)
    notebook.run_all()
    errors = notebook.errors()
    assert errors
    assert set(errors) <= UNSOLVED
    assert notebook.warnings() == []
    notebook.widgets()
    shoot("end")
