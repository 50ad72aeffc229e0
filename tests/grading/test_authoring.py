import pytest
import tiny_course as tiny

from mmdl_course.course import load_course
from mmdl_course.grading.authoring import check_folders, inspect_lesson
from mmdl_course.grading.lesson import HIDDEN, SOLUTION, Region, regions

SOLUTION_LINES = "    twofold = x + x  # the secret of doubling\n    return twofold\n"
SOLUTION_CELL = '"grade_id": "double", "locked": false'
HINT = "<details><summary>A nudge</summary>"


def problems(root, lesson=tiny.LESSON, syllabus=tiny.SYLLABUS):
    course = load_course(tiny.make_course(root, lesson=lesson, syllabus=syllabus))
    _, found = inspect_lesson(course, course.week("week01"))
    return course, found


def line_of(lesson, text):
    return next(number for number, line in enumerate(lesson.splitlines(), start=1) if text in line)


def test_a_sound_lesson_has_no_problems(tmp_path):
    course, found = problems(tmp_path)
    assert found == []
    assert check_folders(course) == []


SOUND = (
    "See [the paper](https://example.org/a(b)) and [above](#here), [a file](../docs/data.md#x).",
    "Code keeps its brackets: `errors['text'](x)`, and so do formulas: $[a](b)$.",
)


@pytest.mark.parametrize("prose", SOUND)
def test_links_code_and_formulas_are_no_problem(tmp_path, prose):
    _, found = problems(tmp_path, tiny.LESSON.replace("{{week}}", "{{week}}\n\n" + prose))
    assert found == []


@pytest.mark.parametrize(
    "code", ["viz.scoreboard_table({})", "viz.explorers.low_rank(w)", "viz.show(f, alt='It rises.')"]
)
def test_tables_explorers_and_shown_figures_may_end_a_cell(tmp_path, code):
    _, found = problems(tmp_path, tiny.LESSON.replace('slow = "a demonstration"', code))
    assert found == []


# what is changed in a sound lesson; text of the line that must be named (None: no line); words of the message
MISTAKES = {
    "points in the metadata": ('"points": 3', '"points": 4', "exercise = Ex", "metadata says 4 points"),
    "points in Exercise": ("points=3)", "points=2)", "exercise = Ex", "Exercise(…) says 2 points"),
    "points of the checks": ("points=2, hint", "points=1, hint", "exercise = Ex", "sum to 2"),
    "points that are no number": ("points=1, hint", "points=one, hint", "two times", "has no points"),
    "another exercise's name": ('Exercise("double"', 'Exercise("treble"', "exercise = Ex", "treble"),
    "first line": ("exercise = Exercise", "e = Exercise", "e = Exercise", "does not begin with Exercise"),
    "last line": (
        "exercise.report()",
        "exercise.earned",
        "exercise.earned",
        "does not end with exercise.report",
    ),
    "no hint in a check": (', hint="Add the number to itself."', "", "two times", "has no hint"),
    "two checks of one name": (
        "negative numbers work, too",
        "two times three is six",
        "points=2, hint",
        "two checks are called",
    ),
    "no hint": (HINT, "<b>", "exercise = Ex", "the exercise has no hint"),
    "no check cell": ('"double-check"', '"triple-check"', "def double", "without a check cell"),
    "check of nothing": ('"double-check"', '"triple-check"', "exercise = Ex", "without a solution cell"),
    "unknown exercise": (
        SOLUTION_CELL,
        '"grade_id": "treble", "locked": false',
        "def double",
        "no such exercise",
    ),
    "check without -check": ('"double-check"', '"double_check"', "exercise = Ex", "must end in -check"),
    "open solution": ("    ### END SOLUTION\n", "", "BEGIN SOLUTION", "BEGIN SOLUTION without an END"),
    "nested solution": ("    return twofold", "    ### BEGIN SOLUTION again", "again", "still open"),
    "closed twice": ("    ### BEGIN SOLUTION\n", "", "END SOLUTION", "END SOLUTION without a BEGIN"),
    "open hidden tests": ("### END HIDDEN TESTS\n", "", "BEGIN HIDDEN", "BEGIN HIDDEN TESTS without an END"),
    "hidden tests in the open": (
        'slow = "a demonstration"',
        "### BEGIN HIDDEN TESTS\nslow = 1\n### END HIDDEN TESTS",
        "BEGIN HIDDEN",
        "outside a check cell",
    ),
    "solution in the open": (
        'slow = "a demonstration"',
        "### BEGIN SOLUTION\nslow = 1\n### END SOLUTION",
        "BEGIN SOLUTION",
        "outside a solution cell",
    ),
    "solved before the stub": (
        '"""Twice x."""',
        "return x + x",
        "BEGIN SOLUTION",
        "already solved in the release",
    ),
    "stub outside a function": (
        'def double(x: float) -> float:\n    """Twice x."""\n    ### BEGIN SOLUTION',
        "### BEGIN SOLUTION\ndef double(x: float) -> float:",
        "BEGIN SOLUTION",
        "the stub is at top level",
    ),
    "unknown placeholder": ("{{week}}", "{{week}}\n\n{{moth}}", "{{moth}}", "unknown placeholder {{moth}}"),
    "unknown exercise placeholder": (
        "{{exercise:double}}",
        "{{exercise:dobule}}",
        "dobule",
        'no exercise "dobule"',
    ),
    "no exercise heading": ("{{exercise:double}}", "", "def double", "{{exercise:double}} is missing"),
    "no week heading": ("{{week}}", "Hello", None, "{{week}} is missing"),
    "placeholder in a sentence": ("{{week}}", "See {{week}}", "See", "must stand alone"),
    "placeholder twice": ("{{week}}", "{{week}}\n\n{{week}}", None, "appears twice"),
    "picture without words": ("{{week}}", "{{week}}\n\n![](a.png)", "![]", "without alt text"),
    "html picture without words": ("{{week}}", '{{week}}\n\n<img src="a.png">', "<img", "without alt text"),
    "figure without words": ('slow = "a demonstration"', "viz.show(figure)", "viz.show", "shown without alt"),
    "figure with empty words": (
        'slow = "a demonstration"',
        'show(f, alt=" ")',
        "show(f",
        "shown without alt",
    ),
    "figure of": (
        'slow = "a demonstration"',
        'viz.show(f, alt="A plot of the loss.")',
        "viz.show",
        "the alt text begins with “A plot of”",
    ),
    "figure of something computed": (
        'slow = "a demonstration"',
        'viz.show(f, alt=f"Image showing {name}" + ".")',
        "viz.show",
        "the alt text begins with “Image showing”",
    ),
    "the same words twice": (
        'slow = "a demonstration"',
        'viz.show(f, alt="It rises.")\nviz.show(g, alt="It rises.")',
        "viz.show(g",
        "another figure of this lesson has the same alt text",
    ),
    "bare figure": (
        'slow = "a demonstration"',
        "viz.curves({})",
        "viz.curves",
        "a figure as a cell's last expression has no alt text",
    ),
    "bare figure by name": (
        'slow = "a demonstration"',
        "board = viz.scoreboard({})\n(board)",
        "(board)",
        "a figure as a cell's last expression has no alt text",
    ),
    "a link that is none": (
        "{{week}}",
        '{{week}}\n\nTake `x["y"](z)`, then errors["text"](x).',
        "Take",
        '["text"](x) is shown as a link',
    ),
    "plt.show": ('slow = "a demonstration"', "plt.show()", "plt.show", "cannot carry alt text"),
    "syntax error": ('slow = "a demonstration"', "slow = = 1", "slow", "not Python"),
    "bad options": ('tags=["demo"]', 'tags=["demo"', 'tags=["demo"', "options are not JSON"),
    "lacking metadata": ('"solution": true, ', "", "def double", "lacks solution"),
    "unknown metadata": (
        '"solution": true',
        '"solution": true, "hints": 1',
        "def double",
        "does not know hints",
    ),
    "old metadata": (
        '"schema_version": 3, "solution": true',
        '"schema_version": 2, "solution": true',
        "def double",
        "must be 3",
    ),
    "open string": ('slow = "a demonstration"', 'slow = """', None, "Python cannot read the lesson"),
    "text before the first cell": (
        "# %% [markdown]\n",
        "import os\n\n# %% [markdown]\n",
        "import os",
        "does not begin with a cell",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_line(tmp_path, mistake):
    old, new, place, words = MISTAKES[mistake]
    assert old in tiny.LESSON
    lesson = tiny.LESSON.replace(old, new, 1)
    course, found = problems(tmp_path, lesson=lesson)
    named = [problem for problem in found if words in problem.what]
    assert named, [problem.what for problem in found]
    assert named[0].remedy
    if place is not None:
        assert named[0].line == line_of(lesson, place)
        assert f"week01_tiny.py:{named[0].line}" in named[0].render(course.root)


def test_an_empty_solution_is_already_solved(tmp_path):
    lesson = tiny.LESSON.replace(SOLUTION_LINES, "    pass\n")
    _, found = problems(tmp_path, lesson=lesson)
    assert "already solved in the release" in found[0].what


def test_no_solution_region_is_a_problem(tmp_path):
    lesson = tiny.LESSON.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION\n", "")
    _, found = problems(tmp_path, lesson=lesson)
    assert "without a SOLUTION region" in found[0].what


def test_a_duplicate_grade_id_is_named(tmp_path):
    start = tiny.LESSON.index("# %% nbgrader")
    lesson = tiny.LESSON + "\n" + tiny.LESSON[start:]
    _, found = problems(tmp_path, lesson=lesson)
    assert any('grade_id "double" is used 2 times' in problem.what for problem in found)
    assert any('grade_id "double-check" is used 2 times' in problem.what for problem in found)


def test_an_exercise_without_cells_is_named(tmp_path):
    extra = '\n[[week.exercise]]\nid = "halve"\ntitle = "Half"\ndifficulty = 1\nminutes = 1\npoints = 1\n'
    _, found = problems(tmp_path, syllabus=tiny.SYLLABUS + extra)
    assert [problem.where for problem in found] == ["halve"]


def test_every_problem_is_reported_at_once_in_the_order_of_lines(tmp_path):
    lesson = (
        tiny.LESSON.replace("{{week}}", "{{weak}}").replace(HINT, "").replace('"points": 3', '"points": 1')
    )
    _, found = problems(tmp_path, lesson=lesson)
    assert len(found) == 4
    assert [problem.line for problem in found] == sorted(problem.line for problem in found)


def test_a_figure_with_words_and_a_magic_are_fine(tmp_path):
    cell = '%matplotlib inline\nviz.show(figure, alt="A line that rises.")'
    _, found = problems(tmp_path, lesson=tiny.LESSON.replace('slow = "a demonstration"', cell))
    assert found == []


def test_a_marker_inside_a_string_is_no_cell(tmp_path):
    lesson = tiny.LESSON.replace('slow = "a demonstration"', 'slow = """\n# %% not a cell\n"""')
    _, found = problems(tmp_path, lesson=lesson)
    assert found == []


def test_folders_that_the_registry_does_not_know_are_named(tmp_path):
    course = load_course(tiny.make_course(tmp_path))
    (tmp_path / "solutions" / "week99_unknown").mkdir()
    (tmp_path / "solutions" / "week01_tiny" / "notes.txt").write_text("x")
    tiny_lesson = tmp_path / "solutions" / "week01_tiny" / "week01_tiny.py"
    tiny_lesson.unlink()
    what = [problem.what for problem in check_folders(course)]
    assert len(what) == 3
    assert 'is "ready" but solutions/week01_tiny/week01_tiny.py does not exist' in what[0]
    assert what[1] == "the build does not read this file"
    assert what[2] == "no week in syllabus.toml has this folder"


def test_regions_are_found_and_their_lines_counted():
    source = "a\n### BEGIN SOLUTION\nb\nc\n### END SOLUTION\nd\n### BEGIN SOLUTION\n### END SOLUTION"
    found, wrong = regions(source, SOLUTION)
    assert found == [Region(2, 3), Region(7, 6)]
    assert [region.lines(source) for region in found] == [["b", "c"], []]
    assert wrong == []
    assert regions(source, HIDDEN) == ([], [])
