import dataclasses

import pytest
import torch

from mmdl_course.data.world import COLOURS, SHAPES, concatenate, make_scenes, sample_scenes


@pytest.fixture
def scenes():
    return sample_scenes(10, generator=torch.Generator().manual_seed(0))


def same(first, second):
    return all(
        torch.equal(getattr(first, field.name), getattr(second, field.name))
        for field in dataclasses.fields(first)
    )


def test_slices_put_together_are_the_batch(scenes):
    assert same(concatenate([scenes[:3], scenes[3], scenes[4:]]), scenes)
    assert same(scenes[-1], scenes[9:])
    assert same(scenes[torch.tensor([2, 2])], concatenate([scenes[2], scenes[2]]))
    assert len(scenes[scenes.present.all(1)]) == scenes.present.all(1).sum()
    assert same(scenes[torch.tensor(4)], scenes[4])
    assert same(scenes.to("cpu"), scenes)


def test_an_index_past_the_end_is_an_error(scenes):
    with pytest.raises(IndexError, match="scene 10 of a batch of 10"):
        scenes[10]


def test_iteration_gives_every_scene_once(scenes):
    assert same(concatenate(list(scenes)), scenes)


def test_hand_made_scenes_hold_what_was_said():
    scenes = make_scenes(
        [{"position": (1, -0.5), "shape": "cone", "colour": "blue", "size": "small", "yaw": 2}], []
    )
    assert scenes.present.sum(1).tolist() == [1, 0]
    assert SHAPES[scenes.shape[0, 0]] == "cone"
    assert tuple(scenes.rgb[0, 0].tolist()) == pytest.approx(COLOURS["blue"])
    assert scenes.position[0, 0].tolist() == [1, -0.5]


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(ValueError, match=r"no shape is called 'ball'; there are sphere, cube"):
        make_scenes([{"position": (0, 0), "shape": "ball"}])
    with pytest.raises(ValueError, match="at most 4 objects, this one has 5"):
        make_scenes([{"position": (0, 0)}] * 5)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            {"position": (0, 0), "color": "red"},
            "no property of an object is called 'color'; there are position",
        ),
        ({"colour": "red"}, r"needs its position, \(x, y\) in world units; this one has \['colour'\]"),
        ({"position": (0, 0, 0)}, r"position takes 2 numbers, not \(0, 0, 0\)"),
        ({"position": (0, float("nan"))}, "position must be finite, not nan"),
        ({"position": (0, 0), "scale": 0}, "scale must be more than 0"),
        ({"position": (0, 0), "rgb": (255, 0, 0)}, "rgb must lie in 0..1, not 255"),
        ({"position": (0, 0), "rgb": (1, 0)}, "rgb takes 3 numbers"),
        ({"position": (0, 0), "yaw": float("inf")}, "yaw must be finite"),
        ({"position": (0, 0), "size": "huge"}, "no size is called 'huge'; there are small, large"),
    ],
)
def test_an_impossible_object_says_what_it_lacks(item, message):
    with pytest.raises(ValueError, match=message):
        make_scenes([item])


def test_no_scenes_are_a_batch_too():
    assert make_scenes().present.shape == (0, 4)
    with pytest.raises(ValueError, match="at least one batch of scenes"):
        concatenate([])


@pytest.mark.parametrize(
    ("field", "change", "message"),
    [
        ("shape", lambda value: value + 6, r"shape holds indices into a list of 6 names: 0\.\.5"),
        ("colour", lambda value: value - 9, "colour holds indices"),
        (
            "yaw",
            lambda value: value[:3],
            "yaw",
        ),
        ("rgb", lambda value: value[..., :2], "rgb"),
        ("position", lambda value: value.double(), "it is torch.float64"),
    ],
)
def test_scenes_whose_parts_do_not_agree_are_refused(scenes, field, change, message):
    with pytest.raises((ValueError, TypeError), match=message):
        dataclasses.replace(scenes, **{field: change(getattr(scenes, field))})


def test_colours_are_well_apart():
    palette = torch.tensor(list(COLOURS.values()))
    assert (torch.cdist(palette, palette) + torch.eye(8)).min() > 0.35
