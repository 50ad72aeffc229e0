"""What a notebook shows cannot act in the browser of whoever looks at it, and looks as it did."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from mmdl_course.checks.render import Report, as_html
from mmdl_course.grading.disarm import disarm

ACTING = (
    "<script>fetch('/api/terminals', {method: 'POST'})</script>",
    "<SCRIPT src=//example.org/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<img/src/onerror=alert(1)>",
    "<img src='x'/onerror=alert(1)>",
    "<x y=z onclick=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!-- <img src=x onerror=alert(1)> --!><img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1) '",
    "<img \"'=x src onerror=alert(1)>",
    "<p><svg onload=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<iframe srcdoc='&lt;script&gt;1&lt;/script&gt;'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java&#9;script:alert(1)'>x</a>",
    "<a href='&#106;avascript&colon;alert(1)'>x</a>",
    "<a href='data:text/html,<script>1</script>'>x</a>",
    "<form action='/api'><input></form>",
    "<meta http-equiv=refresh content='0;url=//example.org'>",
    "<base href=//example.org>",
    "<link rel=stylesheet href=//example.org/x.css>",
    "<object data=x></object><embed src=x>",
    "<style>@import '//example.org/x.css'</style>",
    "<div style='background:url(//example.org/x)'>x</div>",
    "<textarea><img title='</textarea><img src onerror=alert(1)>'></textarea>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<template><script>1</script></template>",
    "<audio src='//example.org/x.wav' onplay=alert(1)></audio>",
)
HARMLESS = (
    "<b>bold</b> and 1 < 2 & <i>so on</i>",
    "<div><style scoped>\n.dataframe tbody tr th { vertical-align: top; }\n</style>\n"
    "<table border='1' class='dataframe'><thead><tr><th></th><th>a</th></tr></thead></table></div>",
    "<img alt='a' src='data:image/png;base64,AAAA'><a href='https://example.org/a?b:c#d'>x</a>",
    "<audio controls aria-label='it speaks' src='data:audio/wav;base64,AAAA'></audio>",
    "<a href='figures/a.png'>x</a><p style='color: red; margin: 4px'>x</p>",
    as_html(Report(exercise="double", points=1.0, earned=0.0, seed=1, remaining=0.0, results=(), notes=())),
)


@pytest.mark.parametrize("text", ACTING)
def test_what_can_act_is_not_shown(text: str) -> None:
    output = new_output("display_data", data={"text/html": text, "text/plain": "<HTML>"})
    notebook = new_notebook(cells=[new_code_cell("", outputs=[output]), new_markdown_cell(f"See {text}")])
    flags = disarm(notebook)
    assert notebook.cells[0].outputs[0].data == {"text/plain": "<HTML>\n[left out: text/html that can act]"}
    assert "<" not in notebook.cells[1].source
    assert len(flags) == 2


@pytest.mark.parametrize("text", HARMLESS)
def test_what_cannot_stays_as_it_is(text: str) -> None:
    output = new_output("display_data", data={"text/html": text, "image/png": "AAAA"})
    notebook = new_notebook(cells=[new_code_cell("", outputs=[output]), new_markdown_cell(text)])
    assert disarm(notebook) == []
    assert notebook.cells[0].outputs[0].data["text/html"] == text
    assert notebook.cells[1].source == text


def test_a_drawing_of_matplotlib_is_harmless() -> None:
    import io

    from matplotlib.figure import Figure

    figure = Figure()
    figure.gca().plot([1, 2], label="a<b")
    figure.gca().legend()
    file = io.StringIO()
    figure.savefig(file, format="svg")
    output = new_output("display_data", data={"image/svg+xml": file.getvalue()})
    assert disarm(new_notebook(cells=[new_code_cell("", outputs=[output])])) == []


def test_an_unfinished_tag_does_not_take_the_rest_of_the_page() -> None:
    output = new_output("display_data", data={"text/html": "<div class=x onclick=alert(1) y='"})
    notebook = new_notebook(cells=[new_code_cell("", outputs=[output])])
    assert disarm(notebook) == ["output that can act was left out: cell 1"]


def test_comparisons_in_an_answer_are_no_html() -> None:
    text = "If x<y and z>0, then $a<b$ and `k<3`: so <d. <https://example.org>"
    notebook = new_notebook(cells=[new_markdown_cell(text)])
    assert disarm(notebook) == []
    assert notebook.cells[0].source == text


@pytest.mark.parametrize("form", ["application/javascript", "image/svg+xml"])
def test_pictures_stay_when_their_scripts_go(form: str) -> None:
    output = new_output("display_data", data={form: "<svg onload='alert(1)'>", "image/png": "AAAA"})
    notebook = new_notebook(cells=[new_code_cell("", outputs=[output])])
    assert disarm(notebook) == ["output that can act was left out: cell 1"]
    assert dict(notebook.cells[0].outputs[0].data) == {"image/png": "AAAA"}


def test_the_lessons_own_texts_are_harmless() -> None:
    from pathlib import Path

    import nbformat

    for path in (Path(__file__).parents[2] / "notebooks").rglob("*.ipynb"):
        assert disarm(nbformat.read(path, as_version=4)) == [], path
