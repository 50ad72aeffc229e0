import torch

from mmdl_course.data.world import RELATIONS, Claim, holds, make_scenes, sample_scenes
from mmdl_course.data.world.claims import ATTRIBUTES, describe
from mmdl_course.data.world.graph import scene_graph, triples


def test_a_small_graph_by_hand():
    scenes = make_scenes(
        [
            {"shape": "cube", "colour": "blue", "size": "small", "position": (-1.5, 0)},
            {"shape": "cone", "material": "shiny", "position": (1.5, 0)},
        ]
    )
    graph = scene_graph(scenes)
    assert graph.nodes[0].tolist() == [[0, 5, 0, 1], [1, 0, 1, 2], [-1] * 4, [-1] * 4]
    assert triples(scenes)[0] == [
        ("object 0", "size", "small"),
        ("object 0", "colour", "blue"),
        ("object 0", "material", "matte"),
        ("object 0", "shape", "cube"),
        ("object 1", "size", "large"),
        ("object 1", "colour", "red"),
        ("object 1", "material", "shiny"),
        ("object 1", "shape", "cone"),
        ("object 0", "far from", "object 1"),
        ("object 1", "far from", "object 0"),
        ("object 0", "left of", "object 1"),
        ("object 1", "right of", "object 0"),
    ]


def test_the_graph_and_the_claims_say_the_same():
    scenes = sample_scenes(60, generator=torch.Generator().manual_seed(0))
    graph = scene_graph(scenes)
    for number, phrases in enumerate(describe(scenes)):
        scene = scenes[number]
        for relation, name in enumerate(RELATIONS):
            for first in phrases:
                for second in phrases:
                    if first is None or second is None:
                        continue
                    claim = Claim("relation", first, other=second, relation=name)
                    fits = [
                        torch.tensor([other == phrase for other in phrases]) for phrase in (first, second)
                    ]
                    edges = graph.edges[number, relation] & fits[0][:, None] & fits[1]
                    assert edges.any() == holds(claim, scene).item()


def test_empty_slots_have_no_attributes_and_no_edges():
    scenes = sample_scenes(50, generator=torch.Generator().manual_seed(1))
    graph = scene_graph(scenes)
    assert len(graph) == 50
    assert ((graph.nodes >= 0).all(-1) == scenes.present).all()
    assert not graph.edges[~scenes.present[:, None].expand(-1, len(RELATIONS), -1)].any()
    named = [sum(kind in ATTRIBUTES for _, kind, _ in found) for found in triples(scenes)]
    assert named == (4 * scenes.present.sum(1)).tolist()
