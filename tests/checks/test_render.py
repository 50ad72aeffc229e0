import re
from html.parser import HTMLParser

import pytest

from mmdl_course.checks.render import BADGES, Report, as_html, as_json, as_text
from mmdl_course.checks.results import Result

SCRIPT = '<script>alert("x")</script> & `<b>`'
RESULTS = (
    Result("fine", 1.0, 1.0, "passed", ""),
    Result("half", 2.0, 1.04, "wrong", "Problem: close", (("Problem", "close"),)),
    Result(SCRIPT, 1.0, 0.0, "crashed", SCRIPT, (("Called", SCRIPT), ("Stopped with", SCRIPT))),
    Result("later", 1.0, 0.0, "not attempted", "", (("Not attempted", "`f` is not written yet."),)),
    Result("no", 1.0, 0.0, "wrong", "", (("Expected", "a line " * 30),)),
)
REPORT = Report("task", 7.0, 2.04, 7, 1.0, RESULTS, (f"Your code warned: {SCRIPT}",))


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.roles = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.add(tag)
        self.roles.append(dict(attrs).get("role"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_escapes_what_students_wrote_and_closes_its_tags():
    tags = Tags(as_html(REPORT))
    assert tags.open == []
    assert tags.seen <= {"div", "span", "strong", "code"}


def test_html_tells_the_state_by_word_symbol_and_colour():
    text = as_html(REPORT)
    for word, (symbol, colour) in BADGES.items():
        assert re.search(rf'{colour}"><span aria-hidden="true">{re.escape(symbol)} </span>{word}<', text)


def test_html_is_a_table_to_screen_readers():
    roles = Tags(as_html(REPORT)).roles
    assert roles.count("row") == 1 + len(RESULTS)
    assert roles.count("rowheader") == len(RESULTS)
    assert roles.count("columnheader") == 3


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("word", "colour"), [(word, colour) for word, (_, colour) in BADGES.items()])
def test_white_text_on_a_badge_has_enough_contrast(word, colour):
    assert 1.05 / (luminance(colour) + 0.05) >= 5, word


def test_text_fits_a_terminal():
    lines = as_text(REPORT).splitlines()
    assert lines[0] == "task: 2.04 of 6 points"
    assert max(map(len, lines)) <= 88
    assert "1 more point is decided at grading, on fresh draws." in as_text(REPORT)
    assert "  ◐ partly right  1.04/2    half" in lines


def test_json_has_what_graders_read():
    table = as_json(REPORT)
    assert (table["exercise"], table["points"], table["earned"], table["seed"]) == ("task", 7.0, 2.04, 7)
    assert table["results"][1] == {
        "name": "half",
        "points": 2.0,
        "earned": 1.04,
        "state": "wrong",
        "message": "Problem: close",
    }
