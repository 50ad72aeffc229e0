"""Where objects keep the lamp's light from the ground and from each other."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from mmdl_course.data.world.frame import Frame
from mmdl_course.data.world.solids import SOLIDS, Vector

__all__ = ["ground_in_shadow", "objects_in_shadow"]


def ground_in_shadow(
    frame: Frame,
    ground: Float[Tensor, "camera ray 2"],
    taken: Int64[Tensor, " hit"],
    towards: Float[Tensor, "3"],
) -> Int64[Tensor, " dark"]:
    """Rays that end on ground which an object keeps the light from.

    Args:
        frame: the rays and the objects.
        ground: where rays meet the ground, world units.
        taken: rays that end on an object before.
        towards: unit vector to the lamp.

    Returns:
        Ray numbers, each once.
    """
    free = torch.ones(len(frame.scenes) * frame.rays, dtype=torch.bool, device=frame.device)
    free[taken] = False
    dark = torch.zeros_like(free)
    hull = frame.hull()
    fallen = hull - hull[..., 2:] / towards[2] * towards  # along the light to the ground
    boxes = frame.project(fallen - frame.origin[frame.view][:, None])
    d = frame.rotate(towards.expand(len(frame.scale), 3))
    for kind, items in frame.by_shape():
        ray, item, _, _ = frame.inside(boxes, items)
        seen = free[ray].nonzero().squeeze(1)
        ray, item = ray[seen], item[seen]
        point = ground[0, ray % frame.rays] if len(ground) == 1 else ground.view(-1, 2)[ray]
        x, y = ((point - frame.position[item]) / frame.scale[item, None]).unbind(-1)
        cos, sin = frame.cos[item], frame.sin[item]
        o = (cos * x + sin * y, cos * y - sin * x, torch.full_like(x, -1e-4))
        t = SOLIDS[kind].entry(o, tuple(part[item] for part in d))
        dark[ray[t.isfinite()]] = True
    return dark.nonzero().squeeze(1)


def objects_in_shadow(
    frame: Frame, item: Int64[Tensor, " hit"], local: Vector, normal: Vector, towards: Float[Tensor, "3"]
) -> Int64[Tensor, " dark"]:
    """Points on objects that another object keeps the light from.

    Args:
        frame: the rays and the objects.
        item: object on which each point lies.
        local: the points, in the frames of their objects.
        normal: outward unit normals there, world.
        towards: unit vector to the lamp.

    Returns:
        Numbers of the points. No object throws one on itself: the torus would.
    """
    facing = normal[0] * towards[0] + normal[1] * towards[1] + normal[2] * towards[2] > 0
    candidates = _casters(frame, towards)
    point = (candidates.any(1)[item] & facing).nonzero().squeeze(1)
    pair, other = candidates[item[point]].nonzero(as_tuple=True)
    point = point[pair]
    number = torch.zeros(frame.scenes.present.shape, dtype=torch.long, device=frame.device)
    number[frame.scene, frame.slot] = torch.arange(len(frame.scene), device=frame.device)
    caster = number[frame.scene[item[point]], other]
    d = frame.rotate(towards.expand(len(frame.scale), 3))
    dark = [point[:0]]
    for kind, items in frame.by_shape():
        mine = ((caster >= items.start) & (caster < items.stop)).nonzero().squeeze(1)
        p, c = point[mine], caster[mine]
        world = frame.to_world(tuple(part[p] for part in local), item[p])
        x, y = ((world[k] - frame.position[c, k]) / frame.scale[c] for k in range(2))
        cos, sin = frame.cos[c], frame.sin[c]
        o = (cos * x + sin * y, cos * y - sin * x, world[2] / frame.scale[c])
        t = SOLIDS[kind].entry(o, tuple(part[c] for part in d))
        dark.append(p[t.isfinite()])
    return torch.cat(dark)


def _casters(frame: Frame, towards: Tensor) -> Bool[Tensor, "object slot"]:
    """Which slots can keep the light from each object: along the light, their bounding spheres overlap."""
    scenes = frame.scenes
    centre = torch.cat([scenes.position, scenes.scale[..., None]], -1)  # all solids fit into 0..1.8 radii
    offset = centre[frame.scene] - centre[frame.scene, frame.slot][:, None]  # (object, slot, 3)
    along = offset @ towards
    aside = (offset.square().sum(-1) - along.square()).clamp(min=0).sqrt()
    reach = 1.42 * (scenes.scale[frame.scene] + frame.scale[:, None])
    other = torch.arange(offset.shape[1], device=frame.device) != frame.slot[:, None]
    return scenes.present[frame.scene] & other & (along > -reach) & (aside < reach)
