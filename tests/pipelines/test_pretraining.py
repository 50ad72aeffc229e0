"""Recipes: a short run learns something, a run can be repeated, and nothing is lost on the way."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mmdl_course import architectures
from mmdl_course.architectures.checkpoints import CHECKPOINTS, checkpoint_facts, load_checkpoint, shipped
from mmdl_course.course import CourseError, find_root
from mmdl_course.data.world import SHAPES, VOCABULARY, caption, sample_scenes, shifted
from mmdl_course.pipelines.pretraining import (
    HELD_OUT,
    RECIPES,
    Recipe,
    Score,
    autoencoder,
    captioner,
    evaluate,
    miniclip,
    pretrain,
)
from mmdl_course.pipelines.pretraining.card import card_text, noise
from mmdl_course.pipelines.pretraining.command import run_pretraining
from mmdl_course.pipelines.pretraining.scenes import ONE_HELD_OUT, PIXELS, TRAINING, draw, pictures

WEIGHTS = Path(architectures.__file__).parent / "weights"


@pytest.fixture
def small(monkeypatch):
    """Recipes on few scenes."""
    for module in (miniclip, captioner, autoencoder):
        monkeypatch.setattr(module, "SCENES", 256)
        monkeypatch.setattr(module, "TEST", 40)
        monkeypatch.setattr(module, "BATCH", 32)
    monkeypatch.setattr(miniclip, "GALLERY", 20)
    monkeypatch.setattr(captioner, "load_checkpoint", lambda _: miniclip.build())


def toy(value=0.5):
    """A recipe whose model learns nothing and scores about `value`."""

    def score(_, generator):
        luck = torch.rand((), generator=generator).item() / 100
        return [Score("a task", "share", value + luck, 0.01, 0.2, "b", 0.1, 1.0)]

    return Recipe(
        name="autoencoder",
        summary="A toy.",
        data="nothing",
        steps=3,
        build=lambda: autoencoder.ImageAutoencoder(size=16, channels=2, width=4),
        train=lambda *_: None,
        score=score,
    )


def test_every_checkpoint_has_a_recipe():
    assert tuple(RECIPES) == CHECKPOINTS


def test_no_training_scene_holds_a_held_out_pair_and_every_part_is_seen():
    scenes = sample_scenes(2000, generator=torch.Generator().manual_seed(0), config=TRAINING)
    seen = set(
        zip(scenes.colour[scenes.present].tolist(), scenes.shape[scenes.present].tolist(), strict=True)
    )
    tested = sample_scenes(200, generator=torch.Generator().manual_seed(0), config=ONE_HELD_OUT)
    apart = set(zip(tested.colour[:, 0].tolist(), tested.shape[:, 0].tolist(), strict=True))
    assert not seen & apart
    assert len(apart) == len(HELD_OUT)
    assert {colour for colour, _ in apart} <= {colour for colour, _ in seen}
    assert {shape for _, shape in seen} == set(range(len(SHAPES)))


@pytest.mark.usefixtures("small")
def test_pictures_come_in_looks_and_captions_are_worded_for_them(monkeypatch):
    scenes, images, looks = miniclip._pictures(200, TRAINING, torch.Generator().manual_seed(0))
    assert len(scenes) == len(images) == 200
    names = list(miniclip.LOOKS)
    for number, (name, look) in enumerate(miniclip.LOOKS.items()):
        some = images[looks == number].int()
        assert len(some) == round(look.share * 200)
        colourless = (some.amax(1) - some.amin(1)).flatten(1).amax(1) < 4
        assert colourless.all() if name in ("grey", "sketch") else not colourless.any()
    told = []

    def record(scenes, **options):
        told.append((len(scenes), options["style"], set(options["leave_out"])))
        return caption(scenes, **options)

    monkeypatch.setattr(miniclip, "caption", record)
    monkeypatch.setattr(miniclip, "SILENCE", ((),))
    chosen = torch.cat([(looks == number).nonzero().flatten()[:4] for number in range(len(names))])
    generator = torch.Generator().manual_seed(0)
    assert miniclip._loss(miniclip.build(), scenes, images, looks, generator, chosen.flip(0)).isfinite()
    assert told == [
        (4, look.styles, set(look.silence))
        for look in miniclip.LOOKS.values()
        for _ in range(miniclip.CAPTIONS)
    ]


def test_pictures_under_a_shift_are_those_of_the_shift():
    scenes = sample_scenes(3, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    noisy = pictures(scenes, shift="noise", generator=generator)
    expected = shifted(scenes, "noise", 1.0, size=64, generator=generator.manual_seed(1)).views.image
    assert torch.equal(noisy, (expected * 255).round().byte())


def test_pictures_are_the_scenes_in_eight_bits():
    scenes = sample_scenes(3, generator=torch.Generator().manual_seed(0))
    images = pictures(scenes)
    assert images.dtype == torch.uint8
    assert torch.equal(images, pictures(scenes))
    assert images.shape == (3, 3, 64, 64)


def test_the_pixels_are_what_the_towers_are_told():
    scenes = sample_scenes(300, generator=torch.Generator().manual_seed(0), config=TRAINING)
    images = pictures(scenes) / 255
    assert (images.mean().item(), images.std().item()) == pytest.approx(PIXELS, abs=0.02)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_short_run_writes_a_checkpoint_that_loads_and_scores_the_same(name, tmp_path):
    facts = pretrain(RECIPES[name], folder=tmp_path, steps=2)
    assert checkpoint_facts(name, folder=tmp_path) == {
        **facts,
        "config": load_checkpoint(name, folder=tmp_path).config,
    }
    assert (tmp_path / f"{name}.md").read_text(encoding="utf-8") == card_text(facts)
    again = pretrain(RECIPES[name], folder=tmp_path / "again", steps=2)
    assert {**again, "minutes": 0} == {**facts, "minutes": 0}
    assert [score["task"] for score in again["scores"]] == [score["task"] for score in facts["scores"]]


@pytest.mark.usefixtures("small")
@pytest.mark.slow
@pytest.mark.parametrize(("name", "gain"), [("miniclip", 0.05), ("autoencoder", 2.0)])
def test_a_recipe_learns(name, gain):
    recipe = RECIPES[name]
    torch.manual_seed(0)
    model = recipe.build()
    before = recipe.score(model.eval(), torch.Generator().manual_seed(1))
    recipe.train(model.train(), torch.Generator().manual_seed(0), 60)
    after = recipe.score(model.eval(), torch.Generator().manual_seed(1))
    assert max(new.value - old.value for old, new in zip(before, after, strict=True)) > gain


@pytest.mark.usefixtures("small")
@pytest.mark.slow
def test_the_captioners_recipe_learns_how_captions_go():
    torch.manual_seed(0)
    model = captioner.build()
    scenes, images = draw(40, config=TRAINING, generator=torch.Generator().manual_seed(1))
    tokens = model.tokenizer.encode(caption(scenes, generator=torch.Generator().manual_seed(1), detail=0.7))
    before = model.loss(tokens, images / 255).item()
    captioner.train(model.train(), torch.Generator().manual_seed(0), 40)
    assert model.eval().loss(tokens, images / 255).item() < before - 1


def test_repeats_measure_the_noise_and_change_nothing_else(tmp_path):
    once = pretrain(toy(), folder=tmp_path / "once")
    twice = pretrain(toy(), folder=tmp_path / "twice", repeats=2)
    assert [run["seed"] for run in twice["repeats"]] == [1, 2]
    assert twice["scores"] == once["scores"]
    assert noise(twice, 0) > noise(once, 0) > 0


def test_a_card_says_what_a_reader_must_know(tmp_path):
    text = card_text(pretrain(toy(), folder=tmp_path))
    for word in (
        "A toy.",
        "red sphere",
        "seed 0",
        "CC BY 4.0",
        "mmdl pretrain autoencoder",
        "chance",
        "ceiling",
    ):
        assert word in text
    assert re.search(
        r"\| a task \| share \| \*\*0\.50\d\*\* \| 0\.100 \| 0\.200 \(b\) \| 1\.000 \| ± 0\.04", text
    )


def test_a_folder_that_cannot_be_written_is_found_out_before_the_training(tmp_path):
    (tmp_path / "file").write_text("in the way")

    def train(*_):
        raise AssertionError("trained first")

    with pytest.raises(CourseError, match=r"cannot write into .*Choose another --output"):
        pretrain(replace(toy(), train=train), folder=tmp_path / "file")


def test_the_command_names_what_there_is(tmp_path):
    with pytest.raises(CourseError, match="no model is called 'clip'; there are miniclip, captioner, auto"):
        run_pretraining("clip", folder=tmp_path, seed=0, repeats=0, steps=1)


def test_the_command_compares_with_what_ships(tmp_path, monkeypatch, capsys):
    shipped = pretrain(toy(), folder=tmp_path / "shipped", repeats=2)
    monkeypatch.setattr("mmdl_course.pipelines.pretraining.run.checkpoint_facts", lambda _: shipped)
    for value, status, words in (
        (0.5, 0, "within the noise"),
        (0.1, 1, "Below what ships"),
        (0.9, 0, "better"),
    ):
        monkeypatch.setitem(RECIPES, "autoencoder", toy(value))
        assert run_pretraining("autoencoder", folder=tmp_path, seed=5, repeats=0, steps=None) == status
        assert words in " ".join(capsys.readouterr().out.split())


def test_the_documentation_lists_what_ships():
    listed = re.findall(
        r"weights/(\w+)\.md\)", (find_root() / "docs" / "data.md").read_text(encoding="utf-8")
    )
    assert tuple(listed) == shipped()


@pytest.mark.parametrize("name", shipped())
def test_what_ships_is_small_and_its_card_is_its_own(name):
    facts = checkpoint_facts(name)
    path = WEIGHTS / f"{name}.safetensors"
    assert path.stat().st_size < 5e6
    assert path.with_suffix(".md").read_text(encoding="utf-8") == card_text(facts)
    assert facts["steps"] == RECIPES[name].steps
    assert facts["data"] == RECIPES[name].data


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_what_ships_scores_what_its_card_says_on_other_scenes(name):
    facts = checkpoint_facts(name)
    scores = evaluate(RECIPES[name], load_checkpoint(name), seed=77)
    for place, (new, told) in enumerate(zip(scores, facts["scores"], strict=True)):
        assert new["task"] == told["task"]
        assert abs(new["value"] - told["value"]) <= noise(facts, place)


@pytest.mark.parametrize("name", sorted({"miniclip", "captioner"} & set(shipped())))
def test_what_ships_was_made_from_the_words_that_the_world_has_now(name):
    assert set(VOCABULARY) <= set(load_checkpoint(name).tokenizer.words)
