import itertools
from collections import Counter
from dataclasses import astuple

import pytest
import torch

from mmdl_course.data.world import (
    LEVELS,
    RELATIONS,
    STYLES,
    TEMPLATES,
    VOCABULARY,
    CaptionError,
    Clause,
    Phrase,
    SceneConfig,
    ask,
    caption,
    claims,
    holds,
    make_scenes,
    parse,
    prompt,
    refer,
    sample_scenes,
    words_of,
)
from mmdl_course.data.world.claims import ATTRIBUTES
from mmdl_course.data.world.grammar import read
from mmdl_course.data.world.lexicon import LEXICON
from mmdl_course.data.world.questions import KINDS, answer_table
from mmdl_course.data.world.speaker import speak_of
from mmdl_course.data.world.styles import EVERYDAY

EVERY = list(itertools.product(STYLES, LEVELS))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def scenes():
    return sample_scenes(100, generator=seeded(2))


@pytest.mark.parametrize(("style", "level"), EVERY)
def test_every_style_says_what_is_meant_and_what_is_true(scenes, style, level):
    for detail, leave_out in ((0.0, ()), (0.6, ("colour",))):
        texts = caption(
            scenes, generator=seeded(), style=style, level=level, detail=detail, leave_out=leave_out
        )
        meant = speak_of(scenes, generator=seeded(), level=level, detail=detail, leave_out=leave_out)
        for number, (text, clauses) in enumerate(zip(texts, meant, strict=True)):
            assert read(text) == clauses, text
            for claim in parse(text):
                assert holds(claim, scenes[number]).all(), (text, claim)


def test_styles_differ_in_words_alone_and_levels_in_how_much_they_tell(scenes):
    told = {
        (style, level): caption(scenes, generator=seeded(), style=style, level=level)
        for style, level in EVERY
    }
    for level in LEVELS:
        for number in range(len(scenes)):
            assert len({parse(told[style, level][number]) for style in STYLES}) == 1
        for one, other in itertools.combinations(STYLES, 2):
            same = sum(a == b for a, b in zip(told[one, level], told[other, level], strict=True))
            assert same < 0.25 * len(scenes), (one, other)
    for number, objects in enumerate(scenes.present.sum(1).tolist()):
        things = {
            level: sum(len(clause.things) for clause in read(told["plain", level][number]))
            for level in LEVELS
        }
        assert things["gist"] == 1
        assert things["pair"] in (1, min(objects, 2))
        assert things["full"] == objects


def test_a_full_caption_relates_each_object_to_the_next_where_it_can():
    row = make_scenes(
        [{"position": (x, 0.0), "shape": s} for x, s in ((-1.5, "cube"), (0, "cone"), (1.5, "torus"))]
    )
    rows = row[torch.zeros(500, dtype=torch.long)]
    texts = set(caption(rows, generator=seeded(), level="full", detail=0.0))
    assert "a cube left of a cone which is left of a torus" in texts
    assert "a torus right of a cube which is left of a cone" in texts
    clauses = [read(text) for text in texts]
    assert {len(found) for found in clauses} == {1}
    assert {tuple(t.shape for t in found[0].things) for found in clauses} == set(
        itertools.permutations(("cube", "cone", "torus"))
    )
    corner = make_scenes(
        [{"position": (0, 0), "scale": 0.1}, {"position": (0.3, 0.3), "scale": 0.1, "shape": "cube"}]
    )
    corner_text = caption(corner, generator=seeded(), level="full")[0]
    assert len(read(corner_text)[0].relations) == 1  # next to each other is all that holds
    apart = make_scenes(
        [{"position": (0, 0), "scale": 0.5}, {"position": (1.2, 1.3), "scale": 0.5, "shape": "cube"}]
    )
    assert caption(apart, generator=seeded(), level="full", detail=0.0)[0] in (
        "a sphere behind a cube",
        "a sphere in front of a cube",
        "a cube behind a sphere",
    )


def test_what_is_left_out_is_never_said(scenes):
    for number in range(5):
        for kinds in itertools.combinations(ATTRIBUTES, number):
            texts = caption(scenes[:30], generator=seeded(), detail=0.9, leave_out=kinds, level="full")
            things = [thing for text in texts for clause in read(text) for thing in clause.things]
            said = {kind for thing in things for kind in ATTRIBUTES if getattr(thing, kind) is not None}
            assert said == set(ATTRIBUTES) - set(kinds)
    (text,) = caption(
        scenes[:1], generator=seeded(), detail=1.0, leave_out=("size", "material"), level="gist"
    )
    assert [value is None for value in astuple(parse(text)[0].subject)] == [True, False, True, False]


def test_styles_are_mixed_as_asked():
    scenes = sample_scenes(1000, generator=seeded(1))

    def shares(style):
        texts = caption(scenes, generator=seeded(), style=style, level="gist")
        first = [" ".join(text.split()[:2]) for text in texts]
        return Counter("there" if start == "there is" else "other" for start in first)["there"] / 1000

    even, weighted = shares(("plain", "sentence")), shares({"plain": 1.0, "sentence": 3.0})
    assert abs(even - 1 / 2 / 3) < 4 * (1 / 6 * 5 / 6 / 1000) ** 0.5
    assert abs(weighted - 3 / 4 / 3) < 4 * (1 / 4 * 3 / 4 / 1000) ** 0.5
    assert caption(scenes, generator=seeded(), style=("plain",)) == caption(scenes, generator=seeded())
    assert not any(
        " of " in text
        for text in caption(scenes[:100], generator=seeded(), style={"photo": 0, "keywords": 1}, level="gist")
    )


def test_styles_by_hand():
    said = (
        Clause((Phrase("small", "orange", None, "cube"), Phrase(colour="cyan")), ("left of",)),
        Clause((Phrase(shape="torus"),)),
    )
    written = {name: style.write(said) for name, style in STYLES.items()}
    assert written == {
        "plain": "a small orange cube left of a cyan object and a torus",
        "photo": "a photo of a small orange cube left of a cyan object and a torus",
        "sentence": "there is a small orange cube left of a cyan object and a torus",
        "grey": "a grey photo of a small orange cube left of a cyan object and a torus",
        "drawing": "a drawing of a small orange cube left of a cyan object and a torus",
        "keywords": "small orange cube left of cyan object, torus",
        "everyday": "a little orange box to the left of a turquoise thing and a ring",
    }
    several = (Clause((Phrase(colour="orange", shape="cube"),), number=3),)
    assert STYLES["sentence"].write(several) == "there are three orange cubes"
    assert STYLES["everyday"].write(several) == "three orange boxes"
    assert STYLES["everyday"].write((Clause((Phrase(shape="torus"),), number=2),)) == "two rings"
    assert STYLES["photo"].write(several, opening=0.99) == "a rendering of three orange cubes"
    assert STYLES["grey"].write(several, opening=0.99) == "a black and white photo of three orange cubes"
    assert STYLES["drawing"].write(several, opening=0.99) == "a sketch of three orange cubes"


def test_everyday_words_lead_back():
    plain = {word for names in ATTRIBUTES.values() for word in names} | {"object", *RELATIONS}
    assert set(EVERYDAY) <= plain
    assert len(set(EVERYDAY.values())) == len(EVERYDAY)
    assert not set(EVERYDAY.values()) & plain
    assert parse("Look: a big ball"[6:]) == parse("a large sphere")
    assert parse("two glossy rings, and a thing beside a violet ramp.") == parse(
        "two shiny tori and an object next to a purple wedge"
    )


def test_the_vocabulary_is_what_the_texts_use_and_nothing_else():
    scenes = sample_scenes(150, generator=seeded(3))
    texts = [
        text
        for style, level in EVERY
        for detail in (0.2, 0.8)
        for text in caption(scenes, generator=seeded(), style=style, level=level, detail=detail)
    ]
    many = sample_scenes(600, generator=seeded(4), config=SceneConfig(objects=(4, 4)))
    for style in ("plain", "everyday"):
        texts += caption(many, generator=seeded(), style=style, detail=0.0)  # for all plurals
    texts += caption(many[:60], generator=seeded(), style="everyday", leave_out=("shape",))
    texts += [str(claim) for number in range(40) for claim in claims(scenes[number])]
    texts += [
        prompt(template, label) for template in TEMPLATES for label in ("red cube", Phrase(colour="orange"))
    ]
    texts += refer(scenes[:40], generator=seeded(), size=32).text
    for question in ask(scenes, generator=seeded()):
        texts += [question.text, question.answer]
    used = {word for text in texts for word in words_of(text)}
    for kind in KINDS:
        queries, _ = answer_table(scenes[:1], kind=kind)
        for query in queries:
            used.update(words_of(" ".join((str(query), *query.answers))))
    assert tuple(sorted(used)) == VOCABULARY


def test_every_word_can_be_spoken():
    assert set(VOCABULARY) <= set(LEXICON)


def test_prompts_agree_with_their_label():
    assert prompt("a photo of a {}", Phrase(colour="orange", shape="cube")) == "a photo of an orange cube"
    assert prompt("a photo of a {}", "purple sphere", everyday=True) == "a photo of a violet ball"
    assert prompt("A {} on the ground", "orange cube") == "An orange cube on the ground"
    assert prompt("an {}", "red cube") == "a red cube"
    assert prompt("the {}", "orange cube") == "the orange cube"
    assert prompt("a {}", Phrase()) == "an object"
    assert prompt("pizza {}", "orange cube") == "pizza orange cube"


def test_templates_are_in_the_wording_of_their_style():
    scene = make_scenes([{"position": (0, 0), "colour": "orange"}])
    label = Phrase("large", "orange", "matte", "sphere")
    said = {
        style: {caption(scene, generator=seeded(seed), style=style, detail=1.0)[0] for seed in range(30)}
        for style in STYLES
    }
    for template, style in TEMPLATES.items():
        text = prompt(template, label)
        if style is None:
            assert all(text not in texts for texts in said.values())
        else:
            assert text in said[style]
            assert parse(text)[0].subject == label
    assert {style for style in TEMPLATES.values() if style} == set(STYLES) - {"everyday"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"style": "haiku"},
            "no style is called 'haiku'; there are plain, photo, sentence, grey, drawing, keywords, everyday",
        ),
        ({"style": ()}, "style names nothing"),
        ({"style": {"plain": 0.0}}, "style names nothing"),
        ({"style": {"plain": -1.0}}, "weight of style 'plain'"),
        ({"level": "novel"}, "no level is called 'novel'; there are gist, pair, full"),
        ({"leave_out": ("hue",)}, "no attribute is called 'hue'; there are size, colour, material, shape"),
        ({"leave_out": "size"}, r"write \('size',\)"),
        ({"detail": 1.5}, "detail must lie in 0..1, not 1.5"),
    ],
)
def test_wishes_that_cannot_be_met_say_what_there_is(scenes, options, message):
    with pytest.raises(ValueError, match=message):
        caption(scenes, generator=seeded(), **options)


def test_prompts_that_cannot_be_made_say_why():
    with pytest.raises(ValueError, match=r"one '\{\}' for the label, not 2"):
        prompt("{} {}", "cube")
    with pytest.raises(ValueError, match="label is empty"):
        prompt("a {}", " ")
    with pytest.raises(CaptionError, match="'toy'"):
        parse(prompt("a toy {}", "cube"))


def test_no_scenes_have_no_captions(scenes):
    for style, level in EVERY:
        assert caption(scenes[:0], generator=seeded(), style=style, level=level) == []
