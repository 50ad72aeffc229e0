"""What MiniLM learned of German in several ways: results that ship with the course."""

import pytest
import torch

from mmdl_course.architectures.pretrained import load_minilm
from mmdl_course.cache import cache_folder
from mmdl_course.data.emoji import load_emoji
from mmdl_course.data.emoji_prompts import load_emoji_prompts
from mmdl_course.data.emoji_tuning import load_emoji_tuning


@pytest.fixture(scope="module")
def tuning():
    return load_emoji_tuning()


@pytest.fixture(scope="module")
def kinds():
    return load_emoji_prompts()


def row(tuning, method):
    """Whether each test emoji was right, (seed, test)."""
    return tuning.right[tuning.methods.index(method)].float()


# Shapes ----------------------------------------------------------------------------------------------------


def test_every_array_has_its_rows(tuning, kinds):
    methods, seeds = len(tuning.methods), len(kinds.shot_numbers)
    assert len(tuning.moving) == methods
    assert tuning.right.shape == (methods, seeds, len(kinds.test))
    assert tuning.english.shape == tuning.subgroups.shape == (methods, seeds)
    assert tuning.update.shape == tuning.weight.shape == (len(tuning.matrices), 384)
    assert len(set(tuning.matrices)) == len(tuning.matrices) == 6 * 6
    assert len(set(tuning.methods)) == methods


def test_shares_are_shares(tuning):
    for shares in (tuning.english, tuning.subgroups, torch.tensor(tuning.zero_shot)):
        assert ((shares > 0) & (shares < 1)).all()


def test_singular_values_fall_and_are_not_negative(tuning):
    for sigma in (tuning.update, tuning.weight):
        assert (sigma >= 0).all()
        assert (sigma[:, 1:] <= sigma[:, :-1]).all()


# How many numbers move -------------------------------------------------------------------------------------


def test_the_numbers_that_move_follow_the_formulae(tuning):
    moving, dim, depth = dict(zip(tuning.methods, tuning.moving, strict=True)), 384, 6
    per_rank = depth * (4 * (dim + dim) + 2 * (dim + 4 * dim))
    for name, count in moving.items():
        if name.startswith("LoRA"):
            rank = int(name.split("r = ")[1].split(",")[0])
            assert count == rank * per_rank
    assert moving["adapters, w = 8"] == depth * 2 * (dim * 8 + 8 + 8 * dim + dim)
    assert moving["prompt, M = 4"] == 4 * dim
    assert moving["linear probe"] == 14 * (dim + 1)
    assert moving["full"] == max(moving.values()) > 22_000_000


# What was learned ------------------------------------------------------------------------------------------


def better(first, second):
    """Whether the first is right more often, by three paired standard errors over the test emoji."""
    difference = first.mean(0) - second.mean(0)
    return difference.mean() > 3 * difference.std() / len(difference) ** 0.5


def test_every_way_learns_german(tuning):
    for method in tuning.methods:
        assert row(tuning, method).mean() > tuning.zero_shot[0] + 0.1, method


def test_full_fine_tuning_and_lora_are_ahead_of_a_prompt_and_of_biases(tuning):
    for ahead in ("full", "LoRA, r = 4"):
        for method in ("prompt, M = 4", "BitFit"):
            assert better(row(tuning, ahead), row(tuning, method)), (ahead, method)


def test_larger_steps_lose_what_was_not_trained(tuning):
    gentle, large = (tuning.methods.index(f"LoRA, r = 16{more}") for more in ("", ", larger steps"))
    assert tuning.subgroups[large].max() < tuning.subgroups[gentle].min() - 0.1


def test_the_prompt_leaves_the_rest_as_it_was(tuning):
    number = tuning.methods.index("prompt, M = 4")
    assert tuning.subgroups[number].tolist() == pytest.approx([tuning.zero_shot[2]] * 3)


def test_the_full_update_is_of_lower_rank_than_the_weight(tuning):
    def rank(sigma):
        energy = sigma.square().cumsum(1)
        return (energy < 0.9 * energy[:, -1:]).sum(1) + 1

    assert (rank(tuning.update) < rank(tuning.weight)).all()


# The model -------------------------------------------------------------------------------------------------


def test_zero_shot_is_what_minilm_does(tuning, kinds):
    if not cache_folder("models", "minilm").exists():
        pytest.skip("not fetched: mmdl fetch minilm")
    minilm, emoji = load_minilm(), load_emoji(size=8)
    classes = minilm.encode(list(kinds.classes))
    for language, share in (("de", tuning.zero_shot[0]), ("en", tuning.zero_shot[1])):
        vectors = minilm.encode([emoji.names[language][i] for i in kinds.test])
        right = (vectors @ classes.T).argmax(1) == kinds.label[kinds.test]
        assert right.float().mean().item() == pytest.approx(share, abs=0.006)  # one name of 219
    weights = minilm.network.state_dict()
    for name, sigma in zip(tuning.matrices[:2], tuning.weight[:2], strict=True):
        torch.testing.assert_close(sigma, torch.linalg.svdvals(weights[f"{name}.weight"]), rtol=2e-3, atol=0)
