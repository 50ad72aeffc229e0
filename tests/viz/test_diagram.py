import pytest
from matplotlib.colors import to_hex

from mmdl_course import viz
from mmdl_course.viz.diagram import STAGES
from mmdl_course.viz.style import ACCENT


@pytest.mark.parametrize("stage", STAGES)
def test_exactly_the_named_stage_is_lit(stage, assert_complete):
    figure = viz.flow(highlight=stage, notes={stage: "here we are"})
    shapes = {patch.get_label(): to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches}
    assert [name for name in STAGES if shapes[name] == ACCENT] == [stage]
    assert "here we are" in {text.get_text() for text in figure.axes[0].texts}
    assert_complete(figure)


def test_several_stages_can_be_lit():
    patches = viz.flow(highlight={"encoder", "z"}).axes[0].patches
    assert {patch.get_label() for patch in patches if to_hex(patch.get_facecolor()) == ACCENT} == {
        "encoder",
        "z",
    }


def test_stages_stand_in_the_order_of_the_flow():
    axes = viz.flow(highlight=set()).axes[0]
    places = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert [places[symbol] for symbol in "xfzgy"] == sorted(places[symbol] for symbol in "xfzgy")


def test_unknown_stages_are_refused():
    with pytest.raises(ValueError, match=r"no stage 'f'; the stages are x, encoder, z, decoder, y"):
        viz.flow(highlight="f")
