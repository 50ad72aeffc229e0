"""Formulas on the pages of marks need no server: they are MathML, and no page names MathJax's."""

import html
import re

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_markdown_cell, new_notebook

from mmdl_course.course import find_root, load_course
from mmdl_course.grading.gradebook import course_directory

COURSE = load_course(find_root())


def page(text: str) -> str:
    """The text as nbgrader's feedback shows it."""
    exporter = HTMLExporter(
        config=course_directory(COURSE).config, template_name="classic", exclude_anchor_links=True
    )
    body, _ = exporter.from_notebook_node(new_notebook(cells=[new_markdown_cell(text)]))
    return body[body.index("<body") :]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Let $x^2$ be.", r'<math [^>]*display="inline".*<msup><mi>x</mi><mn>2</mn></msup>'),
        ("$$\\frac{1}{2}$$", r'<math [^>]*display="block".*<mfrac>'),
        ("\\begin{matrix}a & b\\end{matrix}", r"<math .*<mtable"),
    ],
)
def test_a_formula_becomes_mathml(text: str, shown: str) -> None:
    assert re.search(shown, page(text), re.DOTALL)


def test_a_broken_formula_stays_readable_and_takes_nothing_else_along() -> None:
    shown = page("$\\frac{$ and *more*")
    assert "<code>\\frac{</code>" in shown
    assert "<em>more</em>" in shown


@pytest.mark.parametrize(
    "formula",
    [r"\href{javascript:alert(1)}{x}", r"\text{<script>alert(1)</script>}", r"\style{color:red}{x}"],
)
def test_a_formula_that_could_act_is_shown_as_it_was_written(formula: str) -> None:
    from mmdl_course.grading.formulas import mathml

    assert mathml(formula, display="inline") == f"<code>{html.escape(formula)}</code>"


@pytest.mark.parametrize("week", COURSE.ready, ids=lambda week: week.id)
def test_every_formula_of_a_lesson_can_be_shown(week) -> None:
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    from mmdl_course.grading.formulas import markdown_to_html

    class Collector(IPythonRenderer):
        def inline_math(self, body: str) -> str:
            formulas.append(f"${body}$")
            return ""

        def block_math(self, body: str) -> str:
            formulas.append(f"$${body}$$")
            return ""

    formulas: list[str] = []
    path = COURSE.root / "notebooks" / week.folder / f"{week.folder}.ipynb"
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            MarkdownWithMath(renderer=Collector(escape=False)).render(cell.source)
    for formula in formulas:
        assert "<code>" not in markdown_to_html({}, formula), formula
