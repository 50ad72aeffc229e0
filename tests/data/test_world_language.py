import dataclasses

import pytest
import torch

from mmdl_course.data.world import (
    COLOURS,
    RELATIONS,
    CaptionError,
    Claim,
    Phrase,
    attribute_table,
    caption,
    claims,
    holds,
    make_scenes,
    parse,
    sample_scenes,
)
from mmdl_course.data.world.claims import related

NAMES = list(COLOURS)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(2)


@pytest.fixture
def scenes(generator):
    return sample_scenes(400, generator=generator)


def test_every_claim_of_a_caption_holds_in_its_scene(scenes, generator):
    for detail in (0.0, 0.5, 1.0):
        for number, text in enumerate(caption(scenes, generator=generator, detail=detail)):
            for claim in parse(text):
                assert holds(claim, scenes[number]).all(), (text, claim)


def test_captions_use_the_whole_grammar(scenes, generator):
    texts = caption(scenes, generator=generator)
    kinds = {claim.kind for text in texts for claim in parse(text)}
    assert kinds == {"exists", "count", "relation"}
    words = " ".join(texts)
    assert all(
        word in words for word in (*RELATIONS, *NAMES, "object", "matte", "shiny", "large", " and ", "two")
    )


def test_full_detail_names_everything_and_no_detail_just_shapes(scenes, generator):
    single = scenes[scenes.present.sum(1) == 1]
    for text in caption(single, generator=generator, detail=1.0):
        (claim,) = parse(text)
        assert None not in dataclasses.astuple(claim.subject)
    for text in caption(single, generator=generator, detail=0.0):
        (claim,) = parse(text)
        assert dataclasses.astuple(claim.subject)[:3] == (None, None, None)


def test_recolouring_the_object_spoken_of_makes_the_claim_fail(scenes, generator):
    single = scenes[scenes.present.sum(1) == 1]
    changed = dataclasses.replace(single, colour=(single.colour + 1) % len(COLOURS))
    for number, text in enumerate(caption(single, generator=generator, detail=1.0)):
        assert not holds(parse(text)[0], changed[number]).any()


def test_swapping_two_objects_makes_left_and_right_and_front_and_behind_fail():
    shapes = make_scenes(
        [{"position": (-1, 0), "shape": "cube"}, {"position": (1, 0.2), "shape": "cone"}],
        [{"position": (0, -1), "shape": "cube"}, {"position": (0.2, 1), "shape": "cone"}],
    )
    swapped = dataclasses.replace(shapes, position=shapes.position[:, [1, 0, 2, 3]])
    for text, number in (("a cube left of a cone", 0), ("a cube in front of a cone", 1)):
        relation = parse(text)[-1]
        assert holds(relation, shapes[number]).all()
        assert not holds(relation, swapped[number]).any()
    assert holds(parse("a cone right of a cube")[-1], shapes).tolist() == [True, False]


def test_relations_are_mirrored_symmetric_and_never_both(scenes):
    found = {name: related(name, scenes) for name in RELATIONS}
    for there, back in (("left of", "right of"), ("in front of", "behind")):
        assert torch.equal(found[there], found[back].transpose(1, 2))
        assert not (found[there] & found[there].transpose(1, 2)).any()
    for name in ("next to", "far from"):
        assert torch.equal(found[name], found[name].transpose(1, 2))
    assert not (found["next to"] & found["far from"]).any()
    assert all(found[name].any() for name in RELATIONS)
    assert not any(found[name].diagonal(dim1=1, dim2=2).any() for name in RELATIONS)


def test_the_picture_shows_left_and_right(scenes):
    from mmdl_course.data.world import render

    boxes = render(scenes[:150], size=64, samples=1, shadows=False).boxes
    middle = (boxes[..., 0] + boxes[..., 2]) / 2
    offset = middle[:, :, None] - middle[:, None]
    left = related("left of", scenes[:150]) & offset.isfinite()
    assert left.sum() > 50
    assert (offset[left] < 0).all()


def test_by_hand_relations_need_a_margin():
    pair = lambda *place: make_scenes(  # noqa: E731
        [
            {"position": (0, 0), "shape": "cube", "scale": 0.5},
            {"position": place, "shape": "cone", "scale": 0.5},
        ]
    )
    relation = lambda name: Claim("relation", Phrase(shape="cone"), other=Phrase(shape="cube"), relation=name)  # noqa: E731
    assert not holds(relation("right of"), pair(0.39, 0)).any()
    assert holds(relation("right of"), pair(0.41, 0)).all()
    assert not holds(relation("right of"), pair(1.0, 1.1)).any()
    assert holds(relation("behind"), pair(1.0, 1.1)).all()
    assert holds(relation("next to"), pair(1.59, 0)).all()
    assert not holds(relation("next to"), pair(1.61, 0)).any()
    assert not holds(relation("far from"), pair(2.39, 0)).any()
    assert holds(relation("far from"), pair(2.41, 0)).all()


def test_all_claims_of_a_scene_hold_and_read_back(scenes):
    for number in range(40):
        true = claims(scenes[number])
        assert len(set(true)) == len(true)
        for claim in true:
            assert holds(claim, scenes[number]).all()
            assert claim in parse(str(claim))
    with pytest.raises(ValueError, match="one scene at a time, this batch has 400"):
        claims(scenes)


def test_counts_and_attributes_by_hand():
    scene = make_scenes(
        [
            {"position": (0, 0), "shape": "torus", "colour": "red"},
            {"position": (1, 1), "shape": "torus", "colour": "red", "size": "small"},
            {"position": (-1, 1), "shape": "cube", "colour": "blue"},
        ]
    )
    truth = {
        "two red tori": True,
        "two toruses": True,
        "three tori": False,
        "one cube": True,
        "no spheres": True,
        "no cubes": False,
        "three objects": True,
        "the torus is red": True,
        "the torus is small": False,
        "the sphere is red": False,
        "the blue object is a cube": True,
        "An  OBJECT, and a blue cube.": True,
    }
    for text, expected in truth.items():
        assert all(holds(claim, scene).item() for claim in parse(text)) == expected, text


def test_parse_names_the_claims_of_a_relation():
    red, blue = Phrase(colour="red", shape="sphere"), Phrase(colour="blue", shape="cone")
    assert parse("a red sphere next to a blue cone") == (
        Claim("exists", red),
        Claim("exists", blue),
        Claim("relation", red, other=blue, relation="next to"),
    )
    assert parse("a shiny small cyan cube")[0].subject == Phrase("small", "cyan", "shiny", "cube")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a purpel sphere", r"'purpel' \(word 2 of 'a purpel sphere'\).*did you mean 'purple'"),
        ("a dog", "'dog'.*shape"),
        ("a sphere near a cube", r"'near' \(word 3.*next to, far from"),
        ("a red blue cube", r"'blue' \(word 3.*already 'red'"),
        ("a red", "ends too early"),
        ("", "ends too early"),
        ("is red", "'is'.*'a', 'an', 'the', a number or a noun"),
        ("a red sphere a blue cone", r"'a' \(word 4.*'and'"),
        ("a photo of", "ends too early"),
        ("a photo a cube", "'photo'.*shape"),
        ("a cube behind a cone which is a torus", r"'a' \(word 8.*one of: next to"),
        ("two sphere", "'sphere'.*plural"),
        ("the sphere has", "'has'.*'is'"),
        ("the sphere is cube", "'cube'"),
        ("a cube behind two spheres", r"'two' \(word 4"),
    ],
)
def test_what_cannot_be_read_is_named(text, message):
    with pytest.raises(CaptionError, match=message):
        parse(text)


def test_claims_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="'relation' needs"):
        Claim("relation", Phrase(shape="cube"))
    with pytest.raises(ValueError, match="no relation is called 'inside'"):
        Claim("relation", Phrase(shape="cube"), other=Phrase(), relation="inside")
    with pytest.raises(ValueError, match="no colour is called 'mauve'"):
        Phrase(colour="mauve")


def test_captions_are_reproducible_and_empty_scenes_have_none(scenes):
    first, second = (caption(scenes, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    assert first == second
    with pytest.raises(ValueError, match="scene 1 is empty"):
        caption(make_scenes([{"position": (0, 0)}], []), generator=torch.Generator())


def test_the_table_has_a_row_per_object(scenes):
    rows = attribute_table(scenes[:20])
    assert len(rows) == scenes[:20].present.sum()
    for row in rows:
        place = row["scene"], row["slot"]
        assert NAMES.index(row["colour"]) == scenes.colour[place]
        assert row["x"] == scenes.position[place][0].item()
    phrase = Phrase(rows[0]["size"], rows[0]["colour"], rows[0]["material"], rows[0]["shape"])
    assert phrase.matches(scenes)[rows[0]["scene"], rows[0]["slot"]]
