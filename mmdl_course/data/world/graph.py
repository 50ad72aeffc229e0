"""Scenes as graphs: objects are nodes with attributes, relations are edges."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from mmdl_course.data.world.claims import ATTRIBUTES, RELATIONS, describe, related
from mmdl_course.data.world.scene import Scenes

__all__ = ["SceneGraph", "scene_graph", "triples"]


@dataclass(frozen=True)
class SceneGraph:
    """A batch of scene graphs.

    Attributes:
        nodes: size, colour, material and shape of each object, as indices into SIZES, COLOURS, MATERIALS and
            SHAPES; -1 in empty slots.
        edges: whether the first object stands in each of RELATIONS to the second one; from the default
            camera, as `related` defines it.
    """

    nodes: Int64[Tensor, "scene object attribute"]
    edges: Bool[Tensor, "scene relation object object"]

    def __len__(self) -> int:
        return len(self.nodes)


def scene_graph(scenes: Scenes) -> SceneGraph:
    """The graphs of scenes.

    Args:
        scenes: any number of scenes.

    Returns:
        One graph per scene, over the same slots.
    """
    nodes = torch.stack([getattr(scenes, kind) for kind in ATTRIBUTES], -1)  # (scene, object, attribute)
    edges = torch.stack([related(relation, scenes) for relation in RELATIONS], 1)
    return SceneGraph(nodes.masked_fill(~scenes.present[..., None], -1), edges)


def triples(scenes: Scenes) -> list[list[tuple[str, str, str]]]:
    """The same graphs for reading: ("object 0", "colour", "red"), ("object 0", "left of", "object 1").

    Args:
        scenes: any number of scenes.

    Returns:
        For each scene the triples of its objects' attributes, then those of its relations; objects are called
        by their slots.
    """
    found = []
    edges = scene_graph(scenes).edges
    for phrases, edge in zip(describe(scenes), edges, strict=True):
        attributes = [
            (f"object {slot}", kind, getattr(phrase, kind))
            for slot, phrase in enumerate(phrases)
            if phrase is not None
            for kind in ATTRIBUTES
        ]
        relations = [
            (f"object {first}", RELATIONS[relation], f"object {second}")
            for relation, first, second in edge.nonzero().tolist()
        ]
        found.append(attributes + relations)
    return found
