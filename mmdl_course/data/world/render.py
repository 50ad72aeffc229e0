"""Image, depth, normals, masks and boxes of scenes, by casting rays at analytic solids.

Every object is met only by the rays inside the box of its projection; each ray keeps its nearest object. Rays
that end on the ground or on an object then look for the lamp, again only where a shadow can fall.
"""

import math
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mmdl_course.data.world import frame as rays
from mmdl_course.data.world.camera import FRONT, Camera
from mmdl_course.data.world.frame import Frame
from mmdl_course.data.world.inputs import check_count
from mmdl_course.data.world.scene import Scenes
from mmdl_course.data.world.shading import LAMP, Light, ground_colour, surface_colour
from mmdl_course.data.world.shadows import ground_in_shadow, objects_in_shadow
from mmdl_course.data.world.solids import Vector
from mmdl_course.data.world.threads import one_thread

__all__ = ["Views", "render", "visible_boxes"]


@dataclass(frozen=True)
class Views:
    """What a camera sees of a batch of scenes.

    Attributes:
        image: 0..1.
        depth: distance along the camera's forward axis, world units; mean over the pixel's samples that see
            what `instance` names. inf above the horizon.
        instance: slot of the object that most of the pixel's samples see (the nearest one when tied); -1 on
            the ground and above the horizon.
        semantic: index into SHAPES of the object that `instance` names; -1 where `instance` is.
        boxes: x0, y0, x1, y1 of the visible part in pixels, x1 and y1 exclusive, read off `instance`; nan
            where the slot is empty or no pixel shows it.
        normal: x, y, z of the outward unit normal in the world frame (a camera's `axes()` turn it into the
            camera's frame), mean direction over the samples that see what `instance` names: (0, 0, 1) on the
            ground, zero where depth is inf. None unless asked for.
    """

    image: Float[Tensor, "scene 3 height width"]
    depth: Float[Tensor, "scene height width"]
    instance: Int64[Tensor, "scene height width"]
    semantic: Int64[Tensor, "scene height width"]
    boxes: Float[Tensor, "scene object 4"]
    normal: Float[Tensor, "scene 3 height width"] | None = None

    def __len__(self) -> int:
        return len(self.image)


@one_thread()
def render(
    scenes: Scenes,
    *,
    camera: Camera = FRONT,
    size: int = 64,
    samples: int = 2,
    light: Light = LAMP,
    shadows: bool = True,
    normals: bool = False,
) -> Views:
    """Look at scenes. A pure function: nothing is drawn at random.

    Args:
        scenes: what there is to see.
        camera: from where; one for all scenes, or one per scene.
        size: pixels per side of the square image.
        samples: rays per pixel and axis (2 casts four per pixel).
        light: where the lamp stands.
        shadows: whether objects throw shadows on the ground and on each other.
        normals: whether to keep the surface normals too.

    Returns:
        The views, one per scene.

    Raises:
        ValueError: the camera is for another number of scenes, or size or samples is not positive.
    """
    check_count("size", size)
    check_count("samples", samples)
    if camera.count not in (None, len(scenes)):
        raise ValueError(f"the camera is for {camera.count} scenes, there are {len(scenes)}")
    step = max(1, rays.RAYS // (size * samples) ** 2)
    parts = [
        _view(
            Frame(scenes[start : start + step], camera[start : start + step], size, samples),
            light,
            shadows,
            normals,
        )
        for start in range(0, max(len(scenes), 1), step)
    ]
    kept = [field.name for field in fields(Views) if normals or field.name != "normal"]
    return Views(**{name: torch.cat([getattr(part, name) for part in parts]) for name in kept})


def _view(frame: Frame, light: Light, shadows: bool, normals: bool) -> Views:
    """Render one chunk."""
    ray, item, t = frame.nearest()
    towards = light.direction(frame.device)
    ground_t, ground = frame.ground()
    colour = ground_colour(ground, ground_t.isfinite())  # (camera, ray, 3)
    if len(colour) != len(frame.scenes):
        colour = colour.expand(len(frame.scenes), -1, 3)
    colour = colour.reshape(-1, 3).contiguous()
    local, normal, eye = frame.surface(ray, item, t)
    lit = torch.ones_like(t)
    if shadows:
        colour[ground_in_shadow(frame, ground, ray, towards)] *= light.shade
        lit[objects_in_shadow(frame, item, local, normal, towards)] = 0
    rgb = frame.scenes.rgb[frame.scene, frame.slot][item]
    shiny = (frame.scenes.material[frame.scene, frame.slot] == 1)[item]
    colour[ray] = surface_colour(normal, eye, towards, rgb, shiny, lit, local[2])
    count, size, per = len(frame.scenes), frame.size, frame.samples**2
    image = colour.view(count, per, size, size, 3).mean(1).permute(0, 3, 1, 2).contiguous()
    label, instance, depth = _resolve(frame, ray, item, t, ground_t)
    shape = frame.scenes.shape.gather(1, instance.clamp(min=0).flatten(1)).view_as(instance)
    semantic = torch.where(instance >= 0, shape, -1)
    boxes = visible_boxes(instance, frame.scenes.present.shape[1])
    kept = _normals(frame, ray, normal, label == instance[:, None], depth) if normals else None
    return Views(image, depth, instance, semantic, boxes, kept)


def _normals(frame: Frame, ray: Tensor, normal: Vector, counts: Tensor, depth: Tensor) -> Tensor:
    """Normal of each pixel from those of its samples that count: (scene, sample, row, column)."""
    total = torch.empty(len(counts), 3, *counts.shape[2:], device=frame.device)
    for axis, part in enumerate(normal):
        every = torch.full((counts.numel(),), float(axis == 2), device=frame.device)
        every[ray] = part
        total[:, axis] = (every.view(counts.shape) * counts).sum(1)
    total /= total.square().sum(1, keepdim=True).sqrt()  # never zero: all that count face the eye
    return torch.where(depth[:, None].isfinite(), total, 0.0)


def _resolve(
    frame: Frame, ray: Tensor, item: Tensor, t: Tensor, ground_t: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Slot of each sample, (scene, sample, row, column); instance and depth of each pixel from them."""
    count, size, per = len(frame.scenes), frame.size, frame.samples**2
    label = torch.full((count * frame.rays,), -1, dtype=torch.int8, device=frame.device)
    label[ray] = frame.slot[item].to(torch.int8)
    depth = ground_t.expand(count, -1).reshape(-1).clone()
    depth[ray] = t
    label, depth = label.view(count, per, size, size), depth.view(count, per, size, size)
    instance, mean = label[:, 0].long(), depth.mean(1)
    if per > 1:
        # Most pixels are of one mind; the others are counted slot by slot.
        mixed = ((label != label[:, :1]).any(1)).nonzero(as_tuple=True)
        votes, depths = label.movedim(1, -1)[mixed], depth.movedim(1, -1)[mixed]  # (pixel, sample)
        best = torch.full_like(depths[:, 0], -1)
        for slot in range(-1, frame.scenes.present.shape[1]):
            mask = votes == slot
            number = mask.sum(1)
            average = torch.where(mask, depths, 0.0).sum(1) / number
            # Most samples win; among equals the nearest, and the ground is behind everything.
            score = number + (0.5 / (1 + average) if slot >= 0 else 0.0)
            better = score > best
            best = torch.where(better, score, best)
            instance[mixed] = torch.where(better, slot, instance[mixed])
            mean[mixed] = torch.where(better, average, mean[mixed])
    return label, instance, mean


def visible_boxes(instance: Tensor, slots: int) -> Tensor:
    """x0, y0, x1, y1 of each slot's pixels, nan where it has none."""
    mask = instance[:, None] == torch.arange(slots, device=instance.device)[:, None, None]
    place = torch.arange(instance.shape[-1], device=instance.device, dtype=torch.float32)
    sides = []
    for filled in (mask.any(2), mask.any(3)):  # columns, rows: (scene, slot, place)
        sides.append(torch.where(filled, place, math.inf).amin(-1))
        sides.append(torch.where(filled, place + 1, -math.inf).amax(-1))
    x0, x1, y0, y1 = sides
    boxes = torch.stack([x0, y0, x1, y1], -1)
    return torch.where(boxes.isfinite(), boxes, math.nan)
