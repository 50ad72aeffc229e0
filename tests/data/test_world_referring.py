from collections import Counter

import pytest
import torch

from mmdl_course.data.world import (
    COLOURS,
    RELATIONS,
    Camera,
    CaptionError,
    SceneConfig,
    make_scenes,
    render,
    sample_scenes,
)
from mmdl_course.data.world.referring import refer, resolve

ADJECTIVES = {"small", "large", "matte", "shiny", *COLOURS}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def scenes():
    return sample_scenes(80, generator=generator())


@pytest.mark.parametrize("relational", [0.0, 1.0])
def test_every_expression_means_its_object_and_no_other(scenes, relational):
    found = refer(scenes, generator=generator(1), relational=relational)
    assert len(found) + found.ambiguous + found.hidden == scenes.present.sum()
    for text, scene, slot in zip(found.text, found.scene.tolist(), found.slot.tolist(), strict=True):
        assert resolve(text, scenes[scene]).tolist() == [slot], text


def test_no_word_can_be_left_out(scenes):
    found = refer(scenes, generator=generator(2), relational=0.5)
    for text, scene in zip(found.text, found.scene.tolist(), strict=True):
        words = text.split()
        for place, word in enumerate(words):
            if word in ("small", "large", "matte", "shiny") and (scenes.present[scene].sum() > 1):
                less = " ".join(words[:place] + words[place + 1 :])
                assert resolve(less, scenes[scene]).item() == -1, text


def test_relations_are_needed_where_they_are_used(scenes):
    found = refer(scenes, generator=generator(3), relational=1.0)
    used = Counter()
    for text, scene in zip(found.text, found.scene.tolist(), strict=True):
        for relation in RELATIONS:
            if f" {relation} " in text:
                used[relation] += 1
                assert resolve(text.split(f" {relation} ")[0], scenes[scene]).item() == -1
    assert set(used) == set(RELATIONS)


def test_boxes_are_those_of_the_picture(scenes):
    camera = Camera(azimuth=40.0)
    found = refer(scenes[:40], generator=generator(), camera=camera, size=48)
    boxes = render(scenes[:40], camera=camera, size=48).boxes
    assert torch.equal(found.box, boxes[found.scene, found.slot])
    assert found.box.isfinite().all()


def test_twins_are_told_apart_by_a_relation_or_counted():
    twins = [{"position": (-0.9, 0)}, {"position": (0.9, 0)}]
    found = refer(make_scenes(twins), generator=generator())
    assert (len(found), found.ambiguous, found.hidden) == (0, 2, 0)
    far = [{"position": (-1.9, 0)}, {"position": (1.9, 0)}, {"position": (-1.9, 1.9), "shape": "cube"}]
    scene = make_scenes(far)
    found = refer(scene, generator=generator(), relational=0.0)
    assert found.ambiguous == 0
    assert found.slot.tolist() == [0, 1, 2]
    assert all(any(relation in text for relation in RELATIONS) for text in found.text[:2])
    assert found.text[2] == "the cube"


def test_what_stands_behind_is_hidden():
    scenes = make_scenes(
        [{"position": (0, -1.9), "scale": 1.4, "shape": "cube"}, {"position": (0, 1.9), "scale": 0.2}]
    )
    found = refer(scenes, generator=generator())
    assert found.hidden == 1
    assert found.slot.tolist() == [0]


def test_no_scenes_no_expressions(scenes):
    assert len(refer(scenes[:0], generator=generator())) == 0


def test_most_objects_of_sampled_scenes_can_be_named():
    scenes = sample_scenes(40, generator=generator(), config=SceneConfig(objects=(4, 4)))
    assert len(refer(scenes, generator=generator())) > 0.9 * scenes.present.sum()


def test_a_share_of_relations_beyond_all_is_refused(scenes):
    with pytest.raises(ValueError, match=r"relational must lie in 0\.\.1, not 1\.5"):
        refer(scenes, generator=generator(), relational=1.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the photo of a cube", "cannot read 'photo'"),
        ("the cube and a cone", "one noun phrase"),
        ("red cube", "should look like"),
        ("the rde cube", "did you mean 'red'"),
        ("the cube above the sphere", "cannot read 'above'"),
    ],
)
def test_unreadable_expressions_say_why(scenes, text, message):
    with pytest.raises(CaptionError, match=message):
        resolve(text, scenes)
