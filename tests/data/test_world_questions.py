from collections import Counter, defaultdict
from dataclasses import replace

import pytest
import torch

from mmdl_course.data.world import (
    COLOURS,
    CaptionError,
    Claim,
    SceneConfig,
    holds,
    make_scenes,
    sample_scenes,
)
from mmdl_course.data.world.questions import KINDS, answer, answer_table, ask, read_question

SMALL_CUBE = {"shape": "cube", "colour": "blue", "size": "small", "position": (-1.0, 0)}
LARGE_CONE = {"shape": "cone", "material": "shiny", "position": (1.0, 0)}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def scenes():
    return sample_scenes(800, generator=generator())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("is there a red cone?", "yes"),
        ("is there an orange cone?", "no"),
        ("Is there a red cube", "no"),
        ("how many objects are there?", "2"),
        ("how many tori are there?", "0"),
        ("how many small objects are there?", "1"),
        ("what colour is the cube?", "blue"),
        ("what shape is the large shiny object?", "cone"),
        ("is the cube left of the cone?", "yes"),
        ("is the cube right of the cone?", "no"),
        ("is the cone behind the cube?", "no"),
        ("are there more cones than cubes?", "no"),
        ("are there more cones than spheres?", "yes"),
        ("do the cube and the cone have the same colour?", "no"),
        ("what colour is the sphere?", None),
        ("what colour is the object?", None),
        ("do the cube and the blue object have the same size?", None),
    ],
)
def test_answers_by_hand(text, expected):
    assert answer(text, make_scenes([SMALL_CUBE, LARGE_CONE])) == [expected]


@pytest.mark.parametrize("balanced", [False, True])
def test_the_text_alone_gives_the_answer_back(scenes, balanced):
    questions = ask(scenes, generator=generator(1), balanced=balanced)
    assert {question.kind for question in questions} == set(KINDS)
    for question in questions[::7]:
        assert answer(question.text, scenes[question.scene]) == [question.answer], question
        assert question.answer in question.answers


@pytest.mark.parametrize("kind", KINDS)
def test_every_question_reads_back(scenes, kind):
    queries, table = answer_table(scenes[:20], kind=kind)
    assert len({str(query) for query in queries}) == len(queries) == len(table)
    for query in queries:
        assert read_question(str(query)) == query


def test_answers_agree_with_claims(scenes):
    asked = ask(scenes, generator=generator(2), kinds=("exists", "count", "relation"))
    for question in asked[::5]:
        query, scene = read_question(question.text), scenes[question.scene]
        match question.kind:
            case "exists":
                claim, value = Claim("exists", query.subject), question.answer == "yes"
            case "count":
                claim, value = Claim("count", query.subject, number=int(question.answer)), True
            case _:
                claim = Claim("relation", query.subject, other=query.other, relation=query.relation)
                value = question.answer == "yes"
        assert holds(claim, scene).item() == value


def test_a_counterfactual_scene_has_the_counterfactual_answer(scenes):
    names = list(COLOURS)
    asked = [
        question
        for question in ask(scenes, generator=generator(3), kinds=("attribute",))
        if question.text.startswith("what colour")
    ]
    assert len(asked) > 100
    for question in asked:
        scene = scenes[question.scene]
        turned = replace(scene, colour=(scene.colour + 3) % len(names))
        expected = names[(names.index(question.answer) + 3) % len(names)]
        assert answer(question.text, turned) == [expected]


def test_questions_follow_from_the_generator(scenes):
    for balanced in (False, True):
        first, second, third = (
            ask(scenes[:100], generator=generator(seed), balanced=balanced) for seed in (5, 5, 6)
        )
        assert first == second != third


def test_one_question_per_scene_and_kind(scenes):
    questions = ask(scenes, generator=generator(), kinds=("exists", "relation"))
    assert max(Counter((question.kind, question.scene) for question in questions).values()) == 1
    assert sum(question.kind == "exists" for question in questions) == len(scenes)


def test_balanced_answers_come_up_equally_often_for_each_text(scenes):
    questions = ask(scenes, generator=generator(4), balanced=True)
    answers = defaultdict(Counter)
    for question in questions:
        answers[question.text][question.answer] += 1
    assert all(len(counts) > 1 and len(set(counts.values())) == 1 for counts in answers.values())
    kinds = Counter(question.kind for question in questions)
    assert all(0.95 * len(scenes) <= kinds[kind] <= len(scenes) for kind in KINDS)
    assert len(set(questions)) == len(questions)


def test_what_cannot_be_asked_is_left_out():
    alone = sample_scenes(30, generator=generator(), config=SceneConfig(objects=(1, 1)))
    assert ask(alone, generator=generator(), kinds=("relation",)) == []
    assert ask(alone, generator=generator(), kinds=("relation",), balanced=True) == []
    assert ask(alone[:0], generator=generator()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("is there a rde sphere?", "cannot read 'rde'.*did you mean 'red'"),
        ("where is the cube?", "should look like"),
        ("how many cube are there?", "plural"),
        ("is there a red sphere and a cube?", "one noun phrase"),
        ("is there a photo of a cube?", "cannot read 'photo'"),
    ],
)
def test_unreadable_questions_say_why(text, message):
    with pytest.raises(CaptionError, match=message):
        answer(text, make_scenes([SMALL_CUBE]))


def test_unknown_kinds_are_named(scenes):
    with pytest.raises(ValueError, match="no kind of question is called 'why'"):
        ask(scenes, generator=generator(), kinds=("why",))
