import dataclasses
import math

import pytest
import torch

from mmdl_course.data.world import (
    COLOURS,
    FACTORS,
    SHAPES,
    SIZES,
    SceneConfig,
    render,
    sample_factors,
    sample_scenes,
    scenes_from_factors,
)
from mmdl_course.data.world.sampling import hue_to_rgb

NAMES = list(COLOURS)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pairs(scenes):
    here = scenes.present
    return {
        (NAMES[c], SHAPES[s])
        for c, s in zip(scenes.colour[here].tolist(), scenes.shape[here].tolist(), strict=True)
    }


def test_objects_never_come_closer_than_the_gap():
    scenes = sample_scenes(1500, generator=generator(), config=SceneConfig(gap=0.2))
    distance = (scenes.position[:, :, None] - scenes.position[:, None]).norm(dim=-1)
    free = distance - scenes.scale[:, :, None] - scenes.scale[:, None]
    both = scenes.present[:, :, None] & scenes.present[:, None] & ~torch.eye(4, dtype=torch.bool)
    assert free[both].min() >= 0.2 - 1e-5
    assert scenes.position.norm(dim=-1).max() <= 2.0 + 1e-5


def test_every_number_shape_colour_size_and_material_comes_up_alike():
    scenes = sample_scenes(4000, generator=generator())
    here = scenes.present
    for values, kinds in (
        (here.sum(1) - 1, 4),
        (scenes.shape[here], len(SHAPES)),
        (scenes.colour[here], len(COLOURS)),
        (scenes.size[here], len(SIZES)),
        (scenes.material[here], 2),
    ):
        share = torch.bincount(values, minlength=kinds) / len(values)
        assert (share - 1 / kinds).abs().max() < 0.03


def test_constraints_are_kept():
    config = SceneConfig(
        objects=(2, 3),
        shapes=("cube", "torus"),
        colours=("red", "cyan"),
        sizes=("small",),
        materials=("shiny",),
    )
    scenes = sample_scenes(300, generator=generator(), config=config)
    here = scenes.present
    assert set(here.sum(1).tolist()) == {2, 3}
    assert pairs(scenes) == {(colour, shape) for colour in ("red", "cyan") for shape in ("cube", "torus")}
    assert (scenes.size[here] == 0).all()
    assert (scenes.material[here] == 1).all()
    assert scenes.scale[here].unique().tolist() == pytest.approx([SIZES["small"]])


def test_held_out_pairs_are_never_seen_and_alone_when_asked_for():
    held_out = (("red", "sphere"), ("blue", "cone"), ("white", "wedge"))
    seen = sample_scenes(2500, generator=generator(), config=SceneConfig(held_out=held_out))
    rest = sample_scenes(500, generator=generator(), config=SceneConfig(held_out=held_out, pairs="held_out"))
    assert not pairs(seen) & set(held_out)
    assert len(pairs(seen)) == len(SHAPES) * len(COLOURS) - 3
    assert pairs(rest) == set(held_out)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_the_spurious_correlation_has_the_strength_asked_for(strength):
    scenes = sample_scenes(3000, generator=generator(), config=SceneConfig(spurious=strength))
    here = scenes.present
    own = (
        scenes.colour[here] == scenes.shape[here]
    )  # with everything allowed, shape k's own colour is colour k
    chance = 1 / len(COLOURS)
    assert own.float().mean().item() == pytest.approx(strength + (1 - strength) * chance, abs=0.02)


def test_a_shape_whose_own_colour_is_held_out_takes_the_next_one():
    config = SceneConfig(shapes=("sphere",), held_out=(("red", "sphere"),), spurious=1.0)
    assert pairs(sample_scenes(50, generator=generator(), config=config)) == {("orange", "sphere")}


def test_the_same_seed_gives_the_same_scenes_and_another_seed_others():
    first, second, third = (sample_scenes(20, generator=generator(seed)) for seed in (5, 5, 6))
    for field in dataclasses.fields(first):
        assert torch.equal(getattr(first, field.name), getattr(second, field.name))
    assert not torch.equal(first.position, third.position)


def test_no_scenes_is_a_batch_too():
    assert len(sample_scenes(0, generator=generator())) == 0


def test_what_cannot_be_met_is_refused_with_a_reason():
    with pytest.raises(ValueError, match="found no room"):
        sample_scenes(2, generator=generator(), config=SceneConfig(objects=(4, 4), gap=3.0))
    with pytest.raises(ValueError, match=r"no \(colour, shape\) pair is left"):
        sample_scenes(
            2,
            generator=generator(),
            config=SceneConfig(shapes=("cube",), colours=("red",), held_out=(("red", "cube"),)),
        )
    with pytest.raises(ValueError, match=r"within 1\.\.4"):
        SceneConfig(objects=(0, 2))
    with pytest.raises(ValueError, match="no colour is called 'mauve'"):
        SceneConfig(colours=("mauve",))
    with pytest.raises(ValueError, match="spurious must lie in"):
        SceneConfig(spurious=1.5)
    with pytest.raises(ValueError, match="sizes is empty"):
        SceneConfig(sizes=())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objects": (3, 2)}, r"\(fewest, most\) within 1\.\.4, not \(3, 2\)"),
        ({"colours": ("red", "red")}, "colours names 'red' twice"),
        ({"gap": -0.1}, r"gap must be at least 0 and finite, not -0\.1"),
        ({"gap": float("nan")}, "gap must be"),
        ({"held_out": (("cube", "red"),)}, "no colour, the first of a held_out pair, is called 'cube'"),
        ({"held_out": (("red", "blue"),)}, "no shape, the second of a held_out pair, is called 'blue'"),
        ({"pairs": "held_out"}, "pairs='held_out' and 0 pairs in held_out"),
        (
            {"colours": ("red",), "held_out": tuple(("red", shape) for shape in SHAPES)},
            "no .* pair is left to draw with pairs='seen' and 6 pairs in held_out",
        ),
    ],
)
def test_an_impossible_world_says_which_field_is_to_blame(options, message):
    with pytest.raises(ValueError, match=message):
        SceneConfig(**options)


def test_factors_must_be_one_finite_number_per_scene():
    with pytest.raises((ValueError, TypeError), match="yaw"):
        scenes_from_factors(x=torch.zeros(2), yaw=torch.zeros(3))
    with pytest.raises(ValueError, match="factor 'x' has values that are not finite"):
        scenes_from_factors(x=torch.tensor([0.0, float("nan")]))


def test_no_scenes_can_be_drawn_but_not_fewer():
    assert len(sample_scenes(0, generator=generator())) == 0
    with pytest.raises(ValueError, match="count must be at least 0, not -1"):
        sample_scenes(-1, generator=generator())
    with pytest.raises(ValueError, match="count must be at least 0, not -1"):
        sample_factors(-1, free=["x"], generator=generator())


def test_factors_stay_in_their_ranges_and_just_the_named_ones_vary():
    scenes, factors = sample_factors(400, free=["yaw", "x"], generator=generator())
    for column, name in enumerate(["yaw", "x"]):
        low, high = FACTORS[name]
        assert low <= factors[:, column].min() < low + 0.02 * (high - low)
        assert high >= factors[:, column].max() > high - 0.02 * (high - low)
    assert torch.equal(scenes.yaw[:, 0], factors[:, 0])
    assert torch.equal(scenes.position[:, 0, 0], factors[:, 1])
    for fixed in (scenes.position[:, 0, 1], scenes.scale[:, 0], scenes.rgb[:, 0].sum(1)):
        assert fixed.unique().numel() == 1
    assert scenes.present.sum(1).unique().tolist() == [1]


def test_with_nothing_free_all_scenes_are_one_and_unknown_factors_are_refused():
    scenes, factors = sample_factors(3, free=[], generator=generator())
    assert factors.shape == (3, 0)
    images = render(scenes, size=16).image
    assert torch.equal(images[0], images[2])
    with pytest.raises(ValueError, match="no factor is called 'tilt'"):
        sample_factors(3, free=["tilt"], generator=generator())
    with pytest.raises(ValueError, match="'x' twice"):
        sample_factors(3, free=["x", "x"], generator=generator())


def test_each_factor_changes_the_picture_smoothly_and_in_its_own_way():
    # Along each factor's line through the middle no step is much larger than the others, and the directions
    # there are linearly independent by a wide margin.
    steps, directions, lengths = 25, [], []
    for name, (low, high) in FACTORS.items():
        line = torch.linspace(low, high, steps)
        images = render(scenes_from_factors(**{name: line}), size=32, samples=3).image.flatten(1).double()
        change = (images[1:] - images[:-1]).norm(dim=1)
        assert change.min() > 0.2 * change.mean(), name
        assert change.max() < 3 * change.mean(), name
        middle = images[steps // 2 + 2] - images[steps // 2 - 2]
        directions.append(middle / middle.norm())
        lengths.append(change.sum().item())
    angles = torch.stack(directions) @ torch.stack(directions).T
    assert torch.linalg.eigvalsh(angles).min() > 0.1
    assert max(lengths) / min(lengths) < 4


def test_hue_is_a_smooth_circle():
    hue = torch.linspace(0, 1, 100)
    rgb = hue_to_rgb(hue)
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    torch.testing.assert_close(rgb[0], rgb[-1], atol=1e-5, rtol=0)
    speed = (rgb[1:] - rgb[:-1]).norm(dim=1)
    assert speed.max() < 1.01 * speed.min()
    assert hue_to_rgb(torch.tensor(0.0)).argmax() == 0
    assert math.isclose(hue_to_rgb(torch.tensor(1 / 3))[1].item(), 0.92, abs_tol=1e-5)
