"""`mmdl site`: figures from the solved lesson, text and stubs as students get them, no solution anywhere."""

import html
import re
import subprocess
import sys
from typing import ClassVar

import nbformat
import pytest
import tiny_course as tiny
from nbformat.v4 import new_output

from mmdl_course.course import CourseError, load_course
from mmdl_course.grading import executed, site, site_math
from mmdl_course.grading.build import stage
from mmdl_course.grading.published import index_page, publish
from mmdl_course.grading.release import secret_lines

PICTURE = '<img alt="what double(3) looks like" src="data:image/png;base64,AAAA">'
LESSON = (
    tiny.LESSON.replace("{{exercise:double}}", "## A part\n\n{{exercise:double}}")
    .replace(
        'slow = "a demonstration"',
        f"from IPython.display import HTML, display\n\ndisplay(HTML('{PICTURE}'))\nprint('a printed line')",
    )
    .replace(
        "Write `double`.",
        "Write `double`. The claim is $x + x = 2x$. More is on the [home page](../home.md).",
    )
)
SECRETS = ("the secret of doubling", "twofold", "negative numbers work, too", "No absolute value is needed")


@pytest.fixture(scope="module", autouse=True)
def installed():
    for name in ("sphinx", "myst_nb", "pydata_sphinx_theme"):
        pytest.importorskip(name, reason="the extra 'site' is not installed: make site")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A tiny course with a figure, and its site."""
    course = load_course(tiny.make_course(tmp_path_factory.mktemp("course"), lesson=LESSON))
    # In a process of its own: Sphinx's extensions use what Sphinx will remove one day, and say so.
    command = [sys.executable, "-m", "mmdl_course.cli", "site"]
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return course


def page(course):
    return (course.root / site.SITE / "weeks" / "week01_tiny.html").read_text(encoding="utf-8")


def words(text):
    """What a reader sees of HTML, the colours of code taken out."""
    return html.unescape(re.sub(r"<[^>]*>", "", text))


def test_figures_and_printed_lines_of_demonstrations_are_there(course):
    assert PICTURE in page(course)
    assert "a printed line" in words(page(course))


def test_exercises_are_shown_as_students_get_them(course):
    assert 'raise NotImplementedError("not attempted yet")' in words(page(course))


def test_no_file_of_the_site_holds_a_solution_or_a_hidden_test(course):
    (built,) = stage(course, course.ready)
    searched = 0
    for path in (course.root / site.SITE).rglob("*"):
        if path.suffix in (".html", ".js", ".ipynb", ".txt", ".inv", ".json"):
            text = path.read_text(encoding="utf-8", errors="replace")
            searched += 1
            for secret in (*SECRETS, *secret_lines(built.lesson)):
                assert secret not in text
                assert secret not in words(text)
                assert html.escape(secret) not in text
    assert searched > 5


def test_nothing_from_the_build_lies_beside_the_pages(course):
    assert not list((course.root / site.SITE).rglob("*.doctree"))
    assert not list((course.root / site.SITE).rglob("_sources/*"))


def test_a_checks_code_is_folded_and_its_result_is_not_shown(course):
    assert "Show code cell source" in page(course)
    assert "of 1 point" not in words(page(course))


def test_the_notebook_to_download_is_the_students(course):
    assert 'href="../notebooks/week01_tiny.ipynb"' in page(course)
    given = (course.root / site.SITE / "notebooks" / "week01_tiny.ipynb").read_bytes()
    (built,) = stage(course, course.ready)
    assert given == built.release


def test_formulas_need_no_script(course):
    assert "<math" in page(course)
    assert "MathJax" not in page(course)


def test_hollow_letters_are_letters_that_browsers_know():
    class Writer:
        body: ClassVar[list[str]] = []

    class Formula:
        def astext(self):
            return r"\mathbb E x \in \mathbb{R}"

    from docutils.nodes import SkipNode

    with pytest.raises(SkipNode):
        site_math._inline(Writer(), Formula())
    assert "<mi>𝔼</mi>" in html.unescape(Writer.body[0])
    assert "<mi>ℝ</mi>" in html.unescape(Writer.body[0])


def test_nothing_is_loaded_from_elsewhere(course):
    for path in (course.root / site.SITE).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe)[^>]*\bsrc="(?:https?:)?//[^"]*"', text)
        assert not re.findall(r'<link[^>]*rel="(?:stylesheet|preload)[^>]*href="(?:https?:)?//', text)


def test_the_link_to_the_home_page_leads_to_the_sites_first_page(course):
    assert 'href="../index.html"' in page(course)
    assert "home.md" not in page(course)


def test_it_can_be_searched(course):
    index = (course.root / site.SITE / "searchindex.js").read_text(encoding="utf-8")
    assert "demonstr" in index or "doubl" in index or "twice" in index


def test_the_second_time_the_lesson_is_not_run_again(course, monkeypatch):
    def refuse(*_):
        raise AssertionError("it ran again")

    monkeypatch.setattr(executed, "_execute", refuse)
    assert executed.execute_solved(course, course.ready[0], budget="grading").cells
    with pytest.raises(AssertionError, match="it ran again"):
        executed.execute_solved(course, course.ready[0], budget="full")


def test_a_lesson_that_does_not_run_is_named_and_nothing_is_written(tmp_path):
    broken = LESSON.replace("print('a printed line')", "1 / 0")
    other = load_course(tiny.make_course(tmp_path / "broken", lesson=broken))
    with pytest.raises(
        CourseError, match=r"week01_tiny: the solved lesson does not run(.|\n)*solutions/week01"
    ):
        site.build_site(other, [], full=False)
    assert not (other.root / site.SITE).exists()


def test_without_sphinx_it_says_how_to_get_it(course, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "myst_nb" else name)
    with pytest.raises(CourseError, match=r"myst_nb.*make site.*\[site\]"):
        site.build_site(course, [], full=False)


# the notebook for the web --------------------------------------------------------------------------------


@pytest.fixture
def pair(tmp_path):
    """A released notebook, and the solved one with an output of its demonstration to fill in."""
    course = load_course(tiny.make_course(tmp_path / "pair"))
    (built,) = stage(course, course.ready)
    released = nbformat.reads(built.release.decode(), as_version=4)
    solved = nbformat.reads(built.source.decode(), as_version=4)
    (demo,) = (cell for cell in solved.cells if "demo" in cell.metadata.get("tags", []))

    def publish_with(*outputs):
        demo.outputs = list(outputs)
        done = publish(course.ready[0], released, solved, secrets=secret_lines(built.lesson), note="a note")
        (shown,) = (cell for cell in done.cells if "demo" in cell.metadata.get("tags", []))
        return shown.outputs

    return publish_with


def test_an_output_that_tells_a_solution_stops_everything(pair):
    with pytest.raises(CourseError, match=r"give solutions away(.|\n)*the secret of doubling"):
        pair(new_output("stream", name="stdout", text="twofold = x + x  # the secret of doubling\n"))


def test_an_output_in_html_is_searched_as_it_is_read(pair):
    with pytest.raises(CourseError, match="return twofold"):
        pair(new_output("display_data", data={"text/html": "<p>return&#32;twofold</p>"}))


def test_widgets_and_bars_have_no_place_on_a_page(pair):
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "(controls)"}
    kept = pair(
        new_output("display_data", data=widget),
        new_output("stream", name="stderr", text="a warning"),
        new_output("stream", name="stdout", text=" 50%|#####     | 1/2 [00:00<00:00, 3.00it/s]"),
        new_output("display_data", data={"text/html": "<figure></figure>", "text/plain": "a figure"}),
    )
    assert [output.data["text/plain"] for output in kept] == ["a figure"]


def test_the_first_page_lists_planned_weeks_without_a_link():
    course = load_course()
    text = index_page(course, course.ready, pictures=["![words](docs/x.png)"])
    for week in course.weeks:
        assert (f"](weeks/{week.folder}.ipynb)" in text) == (week.status == "ready")
    assert "![words](docs/x.png)" in text
