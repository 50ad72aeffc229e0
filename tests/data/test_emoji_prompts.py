"""Prompts for kinds of emoji that ship with the course."""

import pytest
import torch

from mmdl_course.architectures.pretrained import load_minilm
from mmdl_course.cache import cache_folder
from mmdl_course.data.emoji import emoji_characters, load_emoji
from mmdl_course.data.emoji_features import load_emoji_features
from mmdl_course.data.emoji_prompts import load_emoji_prompts, map_to_names


@pytest.fixture(scope="module")
def prompts():
    return load_emoji_prompts()


@pytest.fixture(scope="module")
def features():
    return load_emoji_features()


@pytest.fixture(scope="module")
def images(prompts, features):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield map_to_names(features.images, features.texts, train=prompts.map_train, ridge=prompts.ridge)
    torch.set_num_threads(before)


# The task --------------------------------------------------------------------------------------------------


def test_every_array_has_its_rows(prompts):
    count = len(prompts.classes)
    assert prompts.label.shape == (len(emoji_characters()),)
    assert prompts.texts.shape == (len(prompts.templates), count, 384)
    assert prompts.shots == (1, 2, 4, 8, 16)
    seeds = len(prompts.shot_numbers)
    assert prompts.shot_numbers.shape == (seeds, count, 16)
    assert prompts.learned.shape == (5, seeds, count, 384)
    assert [len(words) for words in prompts.read] == [4] * seeds


def test_vectors_have_length_one(prompts):
    for vectors in (prompts.texts, prompts.learned):
        lengths = vectors.norm(dim=-1)
        torch.testing.assert_close(lengths, torch.ones_like(lengths), atol=1e-3, rtol=0)  # 16-bit floats


def test_each_class_is_a_whole_subgroup_of_unicode(prompts):
    emoji = load_emoji(size=8)
    for number in range(len(prompts.classes)):
        (subgroup,) = set(emoji.subgroup[prompts.label == number].tolist())
        assert (prompts.label[emoji.subgroup == subgroup] == number).all()
    assert set(prompts.label.tolist()) == {-1, *range(len(prompts.classes))}


def test_the_halves_share_no_emoji_and_hold_every_member_of_a_class(prompts):
    both = torch.cat([prompts.train, prompts.test])
    assert len(both.unique()) == len(both)
    assert torch.equal(both.sort().values, (prompts.label >= 0).nonzero()[:, 0])
    for half, least in ((prompts.train, 16), (prompts.test, 8)):
        assert torch.bincount(prompts.label[half]).min() >= least


def test_the_map_may_see_all_but_the_test_half(prompts):
    assert not torch.isin(prompts.map_train, prompts.test).any()
    assert len(prompts.map_train) == len(prompts.label) - len(prompts.test)
    assert len(prompts.map_train.unique()) == len(prompts.map_train)


def test_shots_are_different_training_emoji_of_their_class(prompts):
    assert torch.isin(prompts.shot_numbers, prompts.train).all()
    for numbers in prompts.shot_numbers:
        assert len(numbers.unique()) == numbers.numel()
        assert (prompts.label[numbers] == torch.arange(len(prompts.classes))[:, None]).all()
    first, *others = prompts.shot_numbers
    assert not any(torch.equal(first, other) for other in others)


def test_templates_have_one_place_for_the_class_and_none_comes_twice(prompts):
    assert all(template.count("{}") == 1 for template in prompts.templates)
    assert len(set(prompts.templates)) == len(prompts.templates)
    assert len(set(prompts.classes)) == len(prompts.classes)


# Images among names ----------------------------------------------------------------------------------------


def test_a_training_emoji_is_placed_as_if_it_were_new(prompts, features, images):
    for left_out in prompts.map_train[[3, 700]]:
        others = prompts.map_train[prompts.map_train != left_out]
        again = map_to_names(features.images, features.texts, train=others, ridge=prompts.ridge)
        # not quite 1: the deviations of the features are now those of the others
        assert again[left_out] @ images[left_out] > 0.999


def test_the_names_of_the_test_half_have_no_say(prompts, features, images):
    names = features.texts.clone()
    names[prompts.test] = torch.randn(len(prompts.test), 384, generator=torch.Generator().manual_seed(0))
    again = map_to_names(features.images, names, train=prompts.map_train, ridge=prompts.ridge)
    assert torch.equal(again, images)


def test_a_new_emoji_lies_nearer_to_its_own_name_than_to_another(prompts, features, images):
    cosines = images[prompts.test] @ features.texts[prompts.test].T
    own, all_names = cosines.diagonal().mean(), cosines.mean()
    assert own > all_names + 0.1


# What prompts are worth ------------------------------------------------------------------------------------


def hits(prompts, images, weights):
    """For each test emoji 1 where the nearest text is its class's, else 0."""
    return ((images[prompts.test] @ weights.T).argmax(1) == prompts.label[prompts.test]).float()


def test_every_wording_is_far_above_chance(prompts, images):
    chance = torch.bincount(prompts.label[prompts.test]).max() / len(prompts.test)  # always the largest class
    for template, text in zip(prompts.templates, prompts.texts, strict=True):
        assert hits(prompts, images, text).mean() > chance + 0.1, template


def better(first, second):
    """Whether the first is right more often than the second, by three paired standard errors."""
    difference = first - second
    return difference.mean() > 3 * difference.std() / len(difference) ** 0.5


def test_a_few_words_more_are_worth_points(prompts, images):
    named = dict(zip(prompts.templates, prompts.texts, strict=True))
    best, bare = (hits(prompts, images, named[text]) for text in ("this emoji shows a {}", "a {}"))
    assert better(best, bare)


def test_what_sixteen_shots_teach_beats_the_phrase_it_started_from(prompts, images):
    start = prompts.texts[prompts.templates.index("a photo of a {}")]
    learned = torch.stack([hits(prompts, images, weights) for weights in prompts.learned[-1]])
    assert better(learned.mean(0), hits(prompts, images, start))


def test_sixteen_shots_teach_more_than_one(prompts, images):
    one, sixteen = (
        torch.stack([hits(prompts, images, weights) for weights in prompts.learned[place]]).mean(0)
        for place in (0, -1)
    )
    assert better(sixteen, one)


def test_nearest_words_are_about_as_far_as_a_neighbour(prompts):
    assert 0.5 < prompts.neighbour_distance < 1.5  # a word piece's vector is about 1 long
    for words in prompts.read:
        for word, far in words:
            assert word
            assert 0.5 * prompts.neighbour_distance < far < 2 * prompts.neighbour_distance


# The model -------------------------------------------------------------------------------------------------


def test_texts_are_what_minilm_makes_of_the_prompts(prompts):
    if not cache_folder("models", "minilm").exists():
        pytest.skip("not fetched: mmdl fetch minilm")
    minilm = load_minilm()
    for template, shipped in zip(prompts.templates, prompts.texts, strict=True):
        computed = minilm.encode([template.format(name) for name in prompts.classes])
        torch.testing.assert_close(shipped, computed, atol=1e-3, rtol=0)
