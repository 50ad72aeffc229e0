import re

import numpy as np
import pytest
import torch

from mmdl_course import viz

ROWS = {"pixels": [0.8, 0.82], "probe": torch.tensor([0.95, 0.93]), "blind": 0.1}


def names(figure) -> list[str]:
    # From top to bottom.
    ticks = zip(figure.axes[0].get_yticks(), figure.axes[0].get_yticklabels(), strict=True)
    return [label.get_text() for _, label in sorted(ticks, key=lambda tick: -tick[0])]


def test_the_best_stands_on_top(assert_complete):
    figure = viz.scoreboard(ROWS, unit="accuracy", methods={"probe"}, chance=0.1, ceiling=1.0, title="Probe")
    assert names(figure) == ["probe", "pixels", "blind"]
    figure_of_errors = viz.scoreboard(ROWS, unit="error", methods=set(), lower_is_better=True)
    assert names(figure_of_errors) == ["blind", "pixels", "probe"]
    assert figure_of_errors.axes[0].get_xlabel() == "error (lower is better)"
    assert_complete(figure)
    assert_complete(figure_of_errors)


def test_bars_are_means_dots_are_seeds():
    axes = viz.scoreboard(ROWS, unit="accuracy", methods={"probe"}).axes[0]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.94, 0.81, 0.1])
    assert [sorted(line.get_xdata()) for line in axes.lines] == [pytest.approx([0.93, 0.95]), [0.8, 0.82]]


def test_baselines_look_different_without_colour():
    axes = viz.scoreboard(ROWS, unit="accuracy", methods={"probe"}).axes[0]
    assert [bar.get_hatch() for bar in axes.patches] == [None, "///", "///"]
    assert [label.get_fontweight() for label in axes.get_yticklabels()] == ["bold", "normal", "normal"]


def test_chance_and_ceiling_are_lines_with_their_values(assert_complete):
    figure = viz.scoreboard(ROWS, unit="accuracy", methods=set(), chance=0.1, ceiling=0.98)
    axes = figure.axes[0]
    lines = {
        line.get_xdata()[0]: line.get_linestyle() for line in axes.lines if len(set(line.get_xdata())) == 1
    }
    assert lines == {0.1: ":", 0.98: "--"}
    assert {"chance 0.10", "ceiling 0.98"} <= {text.get_text() for text in axes.texts}
    close = viz.scoreboard({"a": 0.5}, unit="accuracy", methods=set(), chance=0.5, ceiling=0.55)
    assert_complete(close)
    chance, ceiling = (text.get_window_extent() for text in close.axes[0].texts[-2:])
    assert not chance.overlaps(ceiling)


def test_negative_scores_stay_in_the_picture():
    axes = viz.scoreboard({"r": [-0.5, -0.3], "s": 0.2}, unit="R²", methods={"s"}).axes[0]
    assert axes.get_xlim()[0] <= -0.5


def test_the_table_says_the_same_in_html_and_in_text():
    table = viz.scoreboard_table(ROWS, unit="accuracy", methods="probe", chance=0.1, ceiling=1.0)
    assert table.rows == (
        ("ceiling", "reference", "1.00", "–"),
        ("probe", "method", "0.94 ± 0.01", "2"),
        ("pixels", "baseline", "0.81 ± 0.01", "2"),
        ("blind", "baseline", "0.10", "1"),
        ("chance", "reference", "0.10", "–"),
    )
    page = table._repr_html_()
    assert re.findall(r'<th scope="row"[^>]*>(\w+)</th>', page) == [
        "ceiling",
        "probe",
        "pixels",
        "blind",
        "chance",
    ]
    assert page.count('scope="col"') == 3
    assert "<tr><td></td><th" in page  # the corner says nothing: an empty heading would be read out as one
    assert "<caption" in page
    lines = str(table).splitlines()
    assert len({len(line) for line in lines[2:]}) == 1
    assert "| probe   |    method | 0.94 ± 0.01 |     2 |" in lines


def test_names_are_escaped_in_html():
    page = viz.scoreboard_table({"<script>": 1.0}, unit="a & b", methods=set())._repr_html_()
    assert "&lt;script&gt;" in page
    assert "a &amp; b" in page


@pytest.mark.parametrize(
    ("rows", "methods", "message"),
    [
        ({}, set(), "no rows"),
        ({"a": 1.0}, {"b"}, "method 'b' has no row; the rows are a"),
        ({"a": 1.0}, "abc", "method 'abc' has no row"),
        ({"a": []}, set(), "row 'a': expected a number or one for each seed"),
        ({"a": np.nan}, set(), "row 'a'"),
        ({"a": np.zeros((2, 2))}, set(), "row 'a'"),
    ],
)
def test_what_is_no_score_is_refused(rows, methods, message):
    for make in (viz.scoreboard, viz.scoreboard_table):
        with pytest.raises(ValueError, match=message):
            make(rows, unit="accuracy", methods=methods)
