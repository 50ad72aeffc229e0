from collections import Counter, defaultdict

import pytest
import torch

from mmdl_course.data.world import (
    COLOURS,
    LEVELS,
    SHAPES,
    STYLES,
    Phrase,
    SceneConfig,
    caption,
    holds,
    make_scenes,
    parse,
    sample_scenes,
)
from mmdl_course.data.world.ceilings import (
    captioning,
    classification,
    oracle_recall,
    retrieval,
    retrieval_estimate,
    vqa,
)
from mmdl_course.data.world.ceilings.captions import _recall
from mmdl_course.data.world.claims import ATTRIBUTES
from mmdl_course.data.world.questions import answer, ask

ONE = SceneConfig(objects=(1, 1))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def close(bounds, *, chance, ceiling=1.0):
    assert bounds.chance == pytest.approx(chance, abs=1e-6)
    assert bounds.ceiling == pytest.approx(ceiling, abs=1e-6)


def within(value, expected, *errors):
    assert abs(value - expected) <= 3 * sum(error**2 for error in errors) ** 0.5 + 1e-6, (value, expected)


def mean(values):
    values = torch.as_tensor(values, dtype=torch.float64)
    return values.mean().item(), (values.std() / len(values) ** 0.5).item()


def test_classes_of_an_even_world_are_even():
    close(classification("shape"), chance=1 / 6)
    close(classification("colour"), chance=1 / 8)
    close(classification("size"), chance=1 / 2)
    close(classification("pair"), chance=1 / 48)
    close(classification("shape", given="colour"), chance=1 / 6)
    close(classification("size", config=SceneConfig(sizes=("small",))), chance=1.0)


def test_held_out_pairs_cannot_be_learned_as_classes_but_their_parts_can():
    held_out = (("red", "cube"), ("blue", "cone"))
    seen, apart = (SceneConfig(held_out=held_out, pairs=pairs) for pairs in ("seen", "held_out"))
    close(classification("pair", config=apart, train=seen), chance=0.0, ceiling=0.0)
    assert classification("shape", config=apart, train=seen).ceiling == pytest.approx(1.0)
    assert classification("pair", config=seen).ceiling == pytest.approx(1.0)


def test_a_shortcut_pays_in_training_and_fails_where_the_correlation_is_gone():
    spurious = SceneConfig(spurious=0.9)
    close(classification("shape", config=spurious, given="colour"), chance=11 / 12)
    close(classification("shape", train=spurious, given="colour"), chance=1 / 6)


@pytest.mark.parametrize("label", ["shape", "colour", "pair"])
def test_a_constant_answer_scores_at_chance(label):
    config = SceneConfig(held_out=(("red", "cube"), ("red", "cone")), spurious=0.4, shapes=SHAPES[:4])
    scenes = sample_scenes(4000, generator=generator(), config=config)
    shape, colour = (getattr(scenes, name)[scenes.present] for name in ("shape", "colour"))
    value = {"shape": shape, "colour": colour, "pair": colour * len(SHAPES) + shape}[label]
    share, error = mean(value == value.mode().values)
    within(share, classification(label, config=config).chance, error)


@pytest.mark.parametrize(("detail", "at"), [(0.0, 1), (0.5, 1), (1.0, 1), (0.5, 5)])
def test_an_oracle_that_knows_all_the_caption_says_reaches_the_ceiling(detail, at):
    exact = retrieval(config=ONE, detail=detail, gallery=60, at=at)
    assert exact.chance == at / 60
    hits, source = [], generator(4)
    for _ in range(20):
        scenes = sample_scenes(60, generator=source, config=ONE)
        found = 0
        for place, text in enumerate(caption(scenes, generator=source, detail=detail)):
            true = torch.stack([holds(claim, scenes) for claim in parse(text)]).all(0).nonzero().squeeze(1)
            found += place in true[torch.randperm(len(true), generator=source)][:at]
        hits.append(found / 60)
    value, error = mean(hits)
    within(value, exact.ceiling, error)


def test_estimate_and_exact_ceiling_agree():
    config = SceneConfig(objects=(1, 1), spurious=0.7, held_out=(("green", "torus"),), sizes=("small",))
    for detail in (0.3, 0.9):
        exact = retrieval(config=config, detail=detail, gallery=50, at=2)
        estimate = retrieval_estimate(generator=generator(), config=config, detail=detail, gallery=50, at=2)
        assert estimate.ceiling_error > 0
        within(estimate.ceiling, exact.ceiling, estimate.ceiling_error)


def test_retrieval_by_hand():
    config = SceneConfig(
        objects=(1, 1), shapes=("cube",), colours=("red", "blue"), sizes=("large",), materials=("matte",)
    )
    # two scenes, two kinds: told apart half the time, otherwise a guess
    assert retrieval(config=config, detail=1.0, gallery=2).ceiling == pytest.approx(0.75)
    assert retrieval(config=config, detail=0.0, gallery=2).ceiling == pytest.approx(0.5)
    assert retrieval(config=config, detail=0.0, gallery=2, at=2).ceiling == pytest.approx(1.0)


def test_more_detail_and_more_objects_leave_less_to_guess():
    recalls = [retrieval(config=ONE, detail=detail, gallery=100).ceiling for detail in (0.0, 0.5, 1.0)]
    assert recalls == sorted(recalls)
    many = retrieval_estimate(generator=generator(), detail=0.5, gallery=100, galleries=5)
    assert many.ceiling > recalls[1] + 3 * many.ceiling_error


def test_retrieval_of_captions_by_hand():
    config = SceneConfig(
        objects=(1, 1), shapes=("cube",), colours=("red", "blue"), sizes=("large",), materials=("matte",)
    )
    find = {"config": config, "gallery": 2, "find": "caption"}
    assert retrieval(detail=1.0, **find).ceiling == pytest.approx(0.75)
    assert retrieval(detail=0.0, **find).ceiling == pytest.approx(0.5)
    # Half of the captions name the colour; they win unless the other one is the same (1/4). A caption that
    # does not loses to one that fits (1/4), ties with one that does not either (1/2), and else wins.
    assert retrieval(detail=0.5, **find).ceiling == pytest.approx((7 / 8 + 1 / 2) / 2)
    assert retrieval(detail=0.5, at=2, **find).ceiling == pytest.approx(1.0)


@pytest.mark.parametrize(("detail", "leave_out", "at"), [(0.5, (), 1), (0.7, ("shape",), 1), (0.5, (), 3)])
def test_who_prefers_the_caption_that_fits_fewest_scenes_reaches_the_ceiling(detail, leave_out, at):
    config = SceneConfig(objects=(1, 1), spurious=0.5, shapes=SHAPES[:3], colours=tuple(COLOURS)[:3])
    many = sample_scenes(4000, generator=generator(8), config=config)
    exact = retrieval(config=config, detail=detail, gallery=20, at=at, leave_out=leave_out, find="caption")
    recalls, source = [], generator(5)
    for style in STYLES:
        for _ in range(6):
            scenes = sample_scenes(20, generator=source, config=config)
            texts = caption(scenes, generator=source, detail=detail, leave_out=leave_out, style=style)
            true = torch.stack([holds(parse(text)[0], scenes) for text in texts])  # (caption, scene)
            often = torch.stack([holds(parse(text)[0], many).double().mean() for text in texts])
            rank = torch.where(true, often[:, None], torch.inf)
            better = (rank < rank.diagonal()).sum(0)
            alike = (rank == rank.diagonal()).sum(0)
            recalls.append(((at - better) / alike).clamp(0, 1).mean())
    value, error = mean(recalls)
    within(value, exact.ceiling, error)


def test_what_is_never_said_is_as_good_as_not_there():
    one_colour = SceneConfig(objects=(1, 1), colours=("red",))
    for find in ("scene", "caption"):
        options = {"gallery": 80, "find": find}
        silent = retrieval(config=ONE, detail=0.6, leave_out=("colour",), **options)
        full = retrieval(config=ONE, detail=1.0, leave_out=("colour",), **options)
        assert full.ceiling == pytest.approx(retrieval(config=one_colour, detail=1.0, **options).ceiling)
        assert silent.ceiling < retrieval(config=ONE, detail=0.6, **options).ceiling
        nothing = retrieval(config=ONE, detail=1.0, leave_out=tuple(ATTRIBUTES), **options)
        assert nothing.ceiling == pytest.approx(nothing.chance)


@pytest.mark.parametrize("find", ["scene", "caption"])
def test_estimate_and_exact_ceiling_agree_in_both_directions(find):
    options = {"config": ONE, "detail": 0.5, "gallery": 40, "at": 2, "leave_out": ("size",), "find": find}
    exact = retrieval(**options)
    for level in ("gist", "full"):
        estimate = retrieval_estimate(generator=generator(2), level=level, galleries=15, **options)
        within(estimate.ceiling, exact.ceiling, estimate.ceiling_error)


@pytest.mark.parametrize("level", LEVELS)
def test_knowing_how_captions_come_about_beats_knowing_what_is_true(level):
    crowd = sample_scenes(500, generator=generator(9))
    found = defaultdict(list)
    for seed in range(4):
        scenes = sample_scenes(40, generator=generator(seed))
        texts = caption(scenes, generator=generator(seed), detail=0.4, level=level, style=tuple(STYLES))
        true = torch.stack(
            [torch.stack([holds(claim, scenes) for claim in parse(text)]).all(0) for text in texts]
        )
        found["scene, truth"].append((1 / true.sum(1)).mean())
        found["caption, truth"].append((1 / true.sum(0)).mean())
        found["scene"].append(oracle_recall(texts, scenes, level=level).mean())
        found["caption"].append(oracle_recall(texts, scenes, level=level, find="caption", crowd=crowd).mean())
    best = {name: sum(values) / 4 for name, values in found.items()}
    assert best["scene"] > best["scene, truth"] + 0.03
    assert best["caption"] > best["caption, truth"] + 0.03


def test_a_blind_model_scores_at_the_blind_chance():
    bounds = vqa(generator=generator(), scenes=1500)
    train = ask(sample_scenes(1500, generator=generator(1)), generator=generator(2))
    counts = defaultdict(Counter)
    for question in train:
        counts[question.text][question.answer] += 1
    test_scenes = sample_scenes(1500, generator=generator(3))
    test = ask(test_scenes, generator=generator(4))
    for kind in ("exists", "count"):  # their texts come up often enough to be learned from questions
        right = [
            counts[question.text].most_common(1)[0][0] == question.answer
            for question in test
            if question.kind == kind
        ]
        value, error = mean(right)
        within(value, bounds[kind].chance, error, bounds[kind].chance_error)


def test_an_oracle_answers_every_question():
    scenes = sample_scenes(60, generator=generator())
    for question in ask(scenes, generator=generator(1)):
        assert answer(question.text, scenes[question.scene]) == [question.answer]
    assert all(bounds.ceiling == 1 for bounds in vqa(generator=generator(), scenes=100).values())


def test_balancing_brings_the_blind_chance_down():
    plain = vqa(generator=generator(), scenes=400)
    even = vqa(generator=generator(), scenes=400, balanced=True)
    for kind in ("exists", "relation", "compare"):
        assert even[kind].chance == 0.5
        assert plain[kind].chance > 0.6
    assert even["count"].chance < plain["count"].chance - 0.2
    assert "relation" not in vqa(generator=generator(), scenes=50, config=ONE, kinds=("relation",))


def test_captions_of_one_object_in_full_detail_state_everything():
    bounds = captioning(generator=generator(), config=ONE, detail=1.0, scenes=300)
    assert (bounds["recall"].ceiling, bounds["recall"].ceiling_error) == (1.0, 0.0)
    kinds = 2 * len(COLOURS) * 2 * len(SHAPES)
    within(bounds["precision"].chance, 1 / kinds, (1 / kinds / 300) ** 0.5)
    assert bounds["precision"].ceiling == 1.0


def test_how_much_a_caption_of_one_object_states():
    for detail in (0.0, 0.4):
        bounds = captioning(generator=generator(1), config=ONE, detail=detail, scenes=600)["recall"]
        shape = 1 - (1 - detail) / 5 * (1 - (1 - detail) ** 3)  # left out only where something else is said
        within(bounds.ceiling, (3 * detail + shape) / 4, bounds.ceiling_error)


def test_more_is_stated_at_a_higher_level():
    told = {
        level: captioning(generator=generator(1), detail=1.0, level=level, scenes=150)["recall"]
        for level in LEVELS
    }
    assert (told["full"].ceiling, told["full"].ceiling_error) == (1.0, 0.0)
    assert told["gist"].ceiling < told["pair"].ceiling < 0.9
    within(told["gist"].ceiling, (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4, told["gist"].ceiling_error)
    silent = captioning(generator=generator(1), detail=1.0, level="full", leave_out=("colour",), scenes=60)
    assert silent["recall"].ceiling == pytest.approx(3 / 4)


def test_things_named_are_matched_to_objects_of_their_own():
    objects = [Phrase("large", "red", "matte", "cube"), Phrase("small", "red", "matte", "cone")]
    assert _recall("a red cube and a red cube", objects) == 2 / 8  # the cone is no cube
    assert _recall("a red object and a large red cube", objects) == 4 / 8  # the object may be the cone
    assert _recall("four red objects", objects) == 2 / 8
    assert _recall("a small matte cone", objects) == 3 / 8
    assert _recall("a small matte cone left of a large cube", objects) == 5 / 8
    assert _recall("no cubes and a blue cone", objects) == 0


def test_a_false_caption_has_no_recall():
    scenes = sample_scenes(2, generator=generator(), config=ONE)
    with pytest.raises(ValueError, match="'four cubes', is not true"):
        oracle_recall(["four cubes"] * 2, scenes)
    with pytest.raises(ValueError, match="1 captions for 2 scenes"):
        oracle_recall(["a cube"], scenes)
    both = make_scenes([{"position": (-1, 0)}, {"position": (1, 0), "shape": "cube"}])
    with pytest.raises(ValueError, match="is true, but not what level 'gist' says"):
        oracle_recall(["a sphere left of a cube"], both, level="gist")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: classification("hue"), "no label is called 'hue'"),
        (lambda: classification("pair", given="colour"), "says 'pair' already"),
        (lambda: retrieval(config=SceneConfig(), detail=0.5, gallery=9), "use retrieval_estimate"),
        (lambda: retrieval(config=ONE, detail=0.5, gallery=9, at=10), "in 1..9"),
        (
            lambda: retrieval_estimate(generator=generator(), detail=1.0, gallery=9, galleries=1),
            "galleries must be at least 2, not 1",
        ),
        (lambda: retrieval(config=ONE, detail=2.0, gallery=9), "detail must lie in 0..1"),
        (
            lambda: retrieval(config=ONE, detail=0.5, gallery=9, leave_out=("hue",)),
            "no attribute is called 'hue'",
        ),
        (lambda: oracle_recall(["a cube"], sample_scenes(1, generator=generator()), find="caption"), "crowd"),
        (lambda: vqa(generator=generator(), scenes=2), "scenes must be at least 4, not 2"),
        (lambda: captioning(generator=generator(), detail=1.0, scenes=1), "scenes must be at least 2, not 1"),
    ],
)
def test_impossible_requests_say_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()
