from collections import Counter

import pytest
import torch

from mmdl_course.data.world import LEVELS, Phrase, SceneConfig, make_scenes, parse, sample_scenes
from mmdl_course.data.world.grammar import read
from mmdl_course.data.world.speaker import likelihood, speak_of

FEW = SceneConfig(shapes=("cube", "cone"), colours=("red", "blue"))
DRAWS = 400


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("leave_out", [(), ("size", "material", "colour")])
def test_likelihood_is_how_often_it_is_said(level, leave_out):
    scenes = sample_scenes(4, generator=torch.Generator().manual_seed(0), config=FEW)
    for number in range(len(scenes)):
        said = Counter(
            speak_of(
                scenes[torch.full((DRAWS,), number)],
                generator=torch.Generator().manual_seed(number),
                level=level,
                detail=1.0,  # what is named is settled, so nothing is missing from the likelihood
                leave_out=leave_out,
            )
        )
        expected = likelihood(list(said), scenes[number], level=level)[:, 0]
        share = torch.tensor(list(said.values())) / DRAWS
        error = (expected * (1 - expected) / DRAWS).sqrt()
        assert ((share - expected).abs() <= 4.5 * error + 1e-9).all()
        assert 0.85 < expected.sum() <= 1 + 1e-9  # all but what is too rare to come up


def test_likelihood_by_hand():
    scene = make_scenes(
        [
            {"position": (-1.1, 0), "shape": "cube"},
            {"position": (1.1, 0), "shape": "cube"},
            {"position": (0, 0.01)},
        ]
    )
    chances = {
        ("gist", "a cube"): 2 / 3,
        ("gist", "a sphere left of a cube"): 0,
        ("pair", "two cubes"): 2 / 3 * 0.2,
        ("pair", "three cubes"): 0,
        ("pair", "a cube"): 0,
        ("pair", "a cube and a cube"): 1 / 3 * 0.1,
        ("pair", "a sphere and a cube"): 1 / 3 * 0.3,
        ("pair", "a cube left of a cube"): 1 / 6 * 0.7,
        ("pair", "a cube left of a sphere"): 1 / 6 * 0.7 / 2,  # next to it as well
        ("pair", "a cube and a cube and a sphere"): 0,
        ("pair", "a cube and two cubes"): 0,
        ("pair", "the sphere is red"): 0,
        ("full", "a cube left of a sphere which is left of a cube"): 1 / 6 / 4,
        ("full", "a cube left of a sphere"): 0,
        ("full", "a cube and a sphere which is left of a cube"): 0,
        ("full", "two cubes"): 0,
    }
    for (level, text), chance in chances.items():
        found = likelihood([read(text)], scene, level=level)
        assert found.item() == pytest.approx(chance), (level, text)
    assert parse("a cube left of a sphere")[0].subject == Phrase(shape="cube")
