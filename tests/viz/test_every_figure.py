"""Every figure that the course can draw is drawn, and held against the rules of `figure_rules`."""

import importlib
import inspect
import pkgutil
from collections.abc import Generator, Iterator

import figure_rules as rules
import numpy as np
import pytest
from figure_examples import EXPLORERS, FIGURES
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmdl_course import viz
from mmdl_course.viz import explorers
from mmdl_course.viz.style import ACCENT, HALO, KNOWN, MUTED, PALETTE, new_figure, style

# The picture that opens a lesson shows where in the deck's one diagram it is: the lesson's title is above it.
TITLED_BY_THE_LESSON = {"flow"}


def figure_functions() -> set[str]:
    """Public functions of viz and its modules that say they return a figure."""
    found = set()
    for module in pkgutil.walk_packages(viz.__path__, "mmdl_course.viz."):
        public = importlib.import_module(module.name)
        for name in getattr(public, "__all__", ()):
            function = inspect.unwrap(getattr(public, name))
            if inspect.isfunction(function) and function.__annotations__.get("return") is Figure:
                found.add(name)
    return found - {"new_figure"}  # an empty one


def explorer_functions() -> set[str]:
    return {
        name
        for name in explorers.__all__
        if inspect.isfunction(function := inspect.unwrap(getattr(explorers, name)))
        and function.__annotations__.get("return") is explorers.Explorer
    }


def states(explorer: explorers.Explorer) -> Iterator[dict]:
    """The first picture, and each control at its ends."""
    first = explorer._first
    yield first
    for name, slider in explorer.sliders.items():
        options = getattr(slider, "options", ())
        values = [option[1] if isinstance(option, tuple) else option for option in options]
        for value in values[:1] + values[-1:]:
            if value != first[name]:
                yield {**first, name: value}


def drawn(explorer: explorers.Explorer, values: dict) -> Figure:
    """The picture for these values; what takes long is a generator, which ends with the picture."""
    picture = explorer._draw(**values)
    while isinstance(picture, Generator):
        try:
            next(picture)
        except StopIteration as end:
            picture = end.value
    return picture


def test_every_figure_function_has_an_example():
    assert figure_functions() == set(FIGURES), "give each figure function an example in figure_examples.py"
    assert explorer_functions() == set(EXPLORERS), "give each explorer an example in figure_examples.py"


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, made in FIGURES.items() for number in range(len(made))]
)
def test_every_figure_keeps_the_rules(name, number):
    asked = [rule for rule in rules.RULES if name not in TITLED_BY_THE_LESSON or rule is not rules.no_title]
    assert rules.complaints(FIGURES[name][number](), rules=asked) == []


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, made in EXPLORERS.items() for number in range(len(made))]
)
def test_every_picture_of_an_explorer_keeps_the_rules_and_is_described(name, number):
    explorer = EXPLORERS[name][number]()
    described = []
    for values in states(explorer):
        assert rules.complaints(drawn(explorer, values)) == [], values
        described.append(explorer._describe(**values))
    assert min(len(text.split()) for text in described) >= 8  # it says what is seen, not only what it is
    assert len(set(described)) == len(described)


# Each rule can fail: for each, a figure that breaks it, and words of the complaint.


def plain() -> tuple[Figure, object]:
    """A figure that keeps all rules."""
    figure = new_figure(6.0, 4.0)
    axes = figure.add_axes((0.15, 0.15, 0.7, 0.7))
    axes.set(xlabel="time (s)", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    axes.set_title("It rises")
    return figure, axes


def broken_title():
    figure, axes = plain()
    axes.set_title("")
    return figure


def broken_label():
    figure, axes = plain()
    axes.set_xlabel("")
    return figure


def broken_unit():
    figure, axes = plain()
    axes.set_ylabel("size")
    return figure


def broken_edge():
    figure, axes = plain()
    axes.set_title("It rises " * 12)
    return figure


def broken_room():
    figure, axes = plain()
    axes.text(0.5, 0.5, "one")
    axes.text(0.51, 0.5, "other")
    return figure


def broken_size():
    figure, axes = plain()
    axes.text(0.5, 0.5, "tiny", fontsize=8)
    return figure


def broken_contrast():
    figure, axes = plain()
    axes.text(0.5, 0.5, "faint", color=MUTED)
    return figure


def broken_contrast_on_a_bar():
    figure, axes = plain()
    axes.add_patch(Rectangle((0.2, 0.2), 0.6, 0.6, color=ACCENT))
    axes.text(0.5, 0.5, "on a bar")
    return figure


def broken_lines():
    figure, axes = plain()
    for place in (0, 1):
        axes.plot([0, 1], [place, 0.5], color=PALETTE[place], label=f"line {place}")
    return figure


def broken_legend():
    figure, axes = plain()
    for place in (0, 1):
        axes.plot([0.5], [place], "o", color=PALETTE[place], label=f"kind {place}")
    axes.legend()
    return figure


def broken_points():
    figure, axes = plain()
    axes.scatter([0.2, 0.4], [0.5, 0.5], c=[PALETTE[0], PALETTE[1]])
    return figure


def broken_bars():
    figure, axes = plain()
    axes.bar([0.2, 0.6], [0.5, 0.6], width=0.2, color=[ACCENT, PALETTE[2]])
    return figure


def broken_colour():
    figure, axes = plain()
    axes.plot([0, 1], [0, 1], color="lime")
    return figure


def broken_map():
    figure, axes = plain()
    axes.imshow(np.eye(3), cmap="jet", extent=(0, 1, 0, 1))
    return figure


BROKEN = (
    (broken_title, rules.no_title, "no title"),
    (broken_label, rules.no_label, "numbers along x"),
    (broken_unit, rules.no_unit, "no unit in the label 'size' along y"),
    (broken_edge, rules.clipped, "cut off at the figure's edge: 'It rises"),
    (broken_room, rules.overlapping, "one text on another: 'one' and 'other'"),
    (broken_size, rules.too_small, "8 points are too small to read: 'tiny'"),
    (broken_contrast, rules.too_faint, "contrast of 3.2, 4.5 are asked for: 'faint'"),
    (broken_contrast_on_a_bar, rules.too_faint, "'on a bar'"),
    (broken_lines, rules.colour_alone, "2 lines are told apart by colour alone"),
    (broken_legend, rules.colour_alone, "a legend tells 2 entries apart by colour alone"),
    (broken_points, rules.colour_alone, "2 kinds of points are told apart by colour alone"),
    (broken_bars, rules.colour_alone, "bars are told apart by their hue alone"),
    (broken_colour, rules.strange_colours, "a colour that is not the course's"),
    (broken_map, rules.strange_colours, "none of the course's: jet"),
)


def test_a_plain_figure_keeps_all_rules():
    with style():
        figure, _ = plain()
    assert rules.complaints(figure) == []


@pytest.mark.parametrize(("draw", "rule", "words"), BROKEN)
def test_each_rule_finds_what_breaks_it(draw, rule, words):
    with style():
        figure = draw()
    found = rules.complaints(figure)
    assert any(words in complaint for complaint in found), found
    assert any(complaint.startswith(rule.__name__) for complaint in found)


def test_every_rule_is_seen_to_fail():
    assert {rule for _, rule, _ in BROKEN} == set(rules.RULES)


def test_a_halo_lifts_a_word_from_a_picture():
    with style():
        figure, axes = plain()
        axes.add_patch(Rectangle((0, 0), 1, 1, color=ACCENT))
        axes.text(0.5, 0.5, "on a picture", path_effects=HALO)
    assert rules.complaints(figure) == []


def test_chance_ceiling_and_truth_look_the_same_in_every_figure():
    """Wherever a line is called so, whatever function draws it."""
    seen = set()
    for made in FIGURES.values():
        for example in made:
            for axes in example().axes:
                for line in axes.lines:
                    if line.get_label() in KNOWN:
                        look = KNOWN[line.get_label()]
                        assert line.get_color() == look.colour
                        seen.add(line.get_label())
    assert seen == set(KNOWN)
