"""Image, depth, instance mask and boxes of scenes, by casting rays at analytic solids.

Every object is met only by the rays inside the box of its projection; each ray keeps its nearest object. Rays
that end on the ground or on an object then look for the light, again only where a shadow can fall.
"""

import math
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mmdl_course.data.world.camera import FRONT, Camera
from mmdl_course.data.world.scene import SHAPES, Scenes
from mmdl_course.data.world.shading import LAMP, Light, ground_colour, surface_colour
from mmdl_course.data.world.solids import SOLIDS, Vector

__all__ = ["Views", "render"]

_RAYS = 1 << 19  # rays cast at once: few enough to stay in the processor's cache
_NEAR = 0.05  # what comes closer to the camera than this has no box of its own and meets every ray
_NOTHING = torch.iinfo(torch.int64).max
_HULL = torch.stack([SOLIDS[name].hull for name in SHAPES])


@dataclass(frozen=True)
class Views:
    """What a camera sees of a batch of scenes.

    Attributes:
        image: 0..1.
        depth: distance along the camera's forward axis, world units; mean over the pixel's samples
            that see what `instance` names. inf above the horizon.
        instance: slot of the object that most of the pixel's samples see (the nearest one when tied); -1 on
            the ground and above the horizon.
        boxes: x0, y0, x1, y1 of the visible part in pixels, x1 and y1 exclusive, read off `instance`; nan
            where the slot is empty or no pixel shows it.
    """

    image: Float[Tensor, "scene 3 height width"]
    depth: Float[Tensor, "scene height width"]
    instance: Int64[Tensor, "scene height width"]
    boxes: Float[Tensor, "scene object 4"]

    def __len__(self) -> int:
        return len(self.image)


def render(
    scenes: Scenes,
    *,
    camera: Camera = FRONT,
    size: int = 64,
    samples: int = 2,
    light: Light = LAMP,
    shadows: bool = True,
) -> Views:
    """Look at scenes. A pure function: nothing is drawn at random.

    Args:
        scenes: what there is to see.
        camera: from where; one for all scenes, or one per scene.
        size: pixels per side of the square image.
        samples: rays per pixel and axis (2 casts four per pixel).
        light: where the lamp stands.
        shadows: whether objects throw shadows on the ground and on each other.

    Returns:
        The views, one per scene.

    Raises:
        ValueError: the camera is for another number of scenes, or size or samples is not positive.
    """
    if size < 1 or samples < 1:
        raise ValueError(f"size and samples must be at least 1, not {size} and {samples}")
    if camera.count not in (None, len(scenes)):
        raise ValueError(f"the camera is for {camera.count} scenes, there are {len(scenes)}")
    step = max(1, _RAYS // (size * samples) ** 2)
    parts = [
        _Frame(scenes[start : start + step], camera[start : start + step], size, samples).views(
            light, shadows
        )
        for start in range(0, max(len(scenes), 1), step)
    ]
    return Views(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Views)))


class _Frame:
    """The rays of one chunk of scenes.

    Rays are numbered (scene, sample row, sample column, pixel row, pixel column), so that the samples of a
    pixel can be averaged over a leading axis.
    """

    def __init__(self, scenes: Scenes, camera: Camera, size: int, samples: int) -> None:
        self.scenes, self.size, self.samples = scenes, size, samples
        self.device = scenes.position.device
        self.axes, self.origin = camera.axes().to(self.device), camera.position().to(self.device)
        opening = torch.as_tensor(camera.field_of_view, dtype=torch.float32, device=self.device).reshape(-1)
        self.tangent = torch.tan(torch.deg2rad(opening) / 2)  # (camera)
        across = size * samples
        self.rays = across * across  # per scene
        place = torch.arange(across, device=self.device)
        self.column = place % samples * size * size + place // samples
        self.row = place % samples * (size * size * samples) + place // samples * size
        self.grid = (place + 0.5) * (2 / across) - 1  # image coordinate of a row or column, -1..1
        scene, slot = scenes.present.nonzero(as_tuple=True)
        order = scenes.shape[scene, slot].argsort(stable=True)
        self.scene, self.slot = scene[order], slot[order]
        self.shape = scenes.shape[self.scene, self.slot]
        self.counts = torch.bincount(self.shape, minlength=len(SHAPES)).tolist()
        self.scale = scenes.scale[self.scene, self.slot]
        self.position = scenes.position[self.scene, self.slot]
        yaw = scenes.yaw[self.scene, self.slot]
        self.cos, self.sin = yaw.cos(), yaw.sin()
        self.view = self.scene if len(self.axes) > 1 else torch.zeros_like(self.scene)  # object -> camera

    def views(self, light: Light, shadows: bool) -> Views:
        ray, item, t = self.nearest()
        towards = light.direction(self.device)
        ground_t, ground = self.ground()
        free = torch.ones(len(self.scenes) * self.rays, dtype=torch.bool, device=self.device)
        free[ray] = False
        colour = ground_colour(ground, self.origin, ground_t.isfinite())  # (camera ray 3)
        colour = colour.expand(len(self.scenes), -1, 3).reshape(-1, 3)
        if len(self.axes) == 1:
            colour = colour.clone()
        local, normal, eye = self.surface(ray, item, t)
        lit = torch.ones_like(t)
        if shadows:
            dark = self.ground_shadows(ground, free, towards)
            colour[dark] *= light.shade
            lit[self.object_shadows(item, local, normal, towards)] = 0
        rgb = self.scenes.rgb[self.scene, self.slot][item]
        shiny = self.scenes.material[self.scene, self.slot][item] == 1
        colour[ray] = surface_colour(normal, eye, towards, rgb, shiny, lit, local[2])
        return self._resolve(colour, ray, item, t, ground_t)

    def nearest(self) -> tuple[Tensor, Tensor, Tensor]:
        """Rays that end on an object, which object that is, and the depth there."""
        direction = self.local_axes()
        o = self.to_local(self.origin[self.view])
        hull = self.hull() - self.origin[self.view][:, None]
        boxes = self.project(hull)
        found = []
        for kind, items in self.by_shape():
            ray, item, u, v = self.inside(boxes, items)
            d = tuple(
                direction[0][k][item] * u + direction[1][k][item] * v + direction[2][k][item]
                for k in range(3)
            )
            t = SOLIDS[kind].entry(tuple(part[item] for part in o), d)
            met = t.isfinite().nonzero().squeeze(1)
            found.append((ray[met], item[met], t[met]))
        if not found:
            empty = torch.zeros(0, dtype=torch.long, device=self.device)
            return empty, empty, torch.zeros(0, device=self.device)
        ray, item, t = (torch.cat(part) for part in zip(*found, strict=True))
        # Depth in the high bits, the finding's number in the low ones: the least key is the nearest.
        number = torch.arange(len(ray), device=self.device)
        key = (t.contiguous().view(torch.int32).long() << 32) | number
        best = torch.full((len(self.scenes) * self.rays,), _NOTHING, device=self.device)
        best.scatter_reduce_(0, ray, key, "amin")
        ray = (best != _NOTHING).nonzero().squeeze(1)
        chosen = best[ray] & 0xFFFFFFFF
        return ray, item[chosen], t[chosen]

    def ground(self) -> tuple[Tensor, Tensor]:
        """Depth of the ground along each ray of a view (inf above the horizon), and the point met there."""
        u, v = self.grid * self.tangent[:, None], self.grid * self.tangent[:, None]
        down = self.axes[:, 1, 2, None] * v + self.axes[:, 2, 2, None]  # vertical part; right has none
        t = torch.where(down < -1e-4, -self.origin[:, 2, None] / down, math.inf)  # (camera, row)
        reach = torch.where(t.isfinite(), t, 0.0)[:, :, None]
        points = [
            self.origin[:, k, None, None]
            + reach
            * (
                self.axes[:, 0, k, None, None] * u[:, None, :]
                + self.axes[:, 1, k, None, None] * v[:, :, None]
                + self.axes[:, 2, k, None, None]
            )
            for k in range(2)
        ]
        ray = (self.row[:, None] + self.column).flatten()
        count = len(self.axes)
        depth = torch.empty(count, self.rays, device=self.device)
        depth[:, ray] = t[:, :, None].expand(-1, -1, len(self.grid)).reshape(count, -1)
        point = torch.empty(count, self.rays, 2, device=self.device)
        point[:, ray] = torch.stack(points, -1).reshape(count, -1, 2)
        return depth, point

    def ground_shadows(self, ground: Tensor, free: Tensor, towards: Tensor) -> Tensor:
        """Rays that end on ground which an object keeps the light from."""
        hull = self.hull()
        fallen = hull - hull[..., 2:] / towards[2] * towards  # along the light to the ground
        boxes = self.project(fallen - self.origin[self.view][:, None])
        dark = []
        d = self.rotate(towards.expand(len(self.scale), 3))
        for kind, items in self.by_shape():
            ray, item, _, _ = self.inside(boxes, items)
            seen = free[ray].nonzero().squeeze(1)
            ray, item = ray[seen], item[seen]
            point = ground[0, ray % self.rays] if len(self.axes) == 1 else ground.view(-1, 2)[ray]
            x, y = ((point - self.position[item]) / self.scale[item, None]).unbind(-1)
            cos, sin = self.cos[item], self.sin[item]
            o = (cos * x + sin * y, cos * y - sin * x, torch.zeros_like(x) - 1e-4)
            t = SOLIDS[kind].entry(o, tuple(part[item] for part in d))
            dark.append(ray[t.isfinite()])
        return torch.cat(dark) if dark else torch.zeros(0, dtype=torch.long, device=self.device)

    def object_shadows(self, item: Tensor, local: Vector, normal: Vector, towards: Tensor) -> Tensor:
        """Which of the points on objects another object keeps the light from."""
        count = len(self.scale)
        casters = self._casters(towards)  # (object, other)
        facing = normal[0] * towards[0] + normal[1] * towards[1] + normal[2] * towards[2] > 0
        d = self.rotate(towards.expand(count, 3))
        dark = []
        point, other = (casters[item] & facing[:, None]).nonzero(as_tuple=True)
        caster = self._object_at()[self.scene[item[point]], other]
        world = self.to_world(local, item)
        for kind, items in self.by_shape():
            mine = ((caster >= items.start) & (caster < items.stop)).nonzero().squeeze(1)
            p, c = point[mine], caster[mine]
            x, y = ((part[p] - self.position[c, k]) / self.scale[c] for k, part in enumerate(world[:2]))
            cos, sin = self.cos[c], self.sin[c]
            o = (cos * x + sin * y, cos * y - sin * x, world[2][p] / self.scale[c])
            t = SOLIDS[kind].entry(o, tuple(part[c] for part in d))
            dark.append(p[t.isfinite()])
        return torch.cat(dark) if dark else torch.zeros(0, dtype=torch.long, device=self.device)

    def _casters(self, towards: Tensor) -> Tensor:
        """Which slots can keep the light from each object: seen along the light, their spheres overlap."""
        centre = torch.cat([self.scenes.position, self.scenes.scale[..., None] * 0.75], -1)  # (scene slot 3)
        offset = centre[self.scene] - centre[self.scene, self.slot][:, None]
        along = offset @ towards
        aside = (offset.square().sum(-1) - along.square()).clamp(min=0).sqrt()
        reach = 1.3 * (self.scenes.scale[self.scene] + self.scale[:, None])
        other = torch.arange(offset.shape[1], device=self.device) != self.slot[:, None]
        return self.scenes.present[self.scene] & other & (along > -reach) & (aside < reach)

    def _object_at(self) -> Tensor:
        """Scene and slot to the object's number."""
        table = torch.zeros(self.scenes.present.shape, dtype=torch.long, device=self.device)
        table[self.scene, self.slot] = torch.arange(len(self.scene), device=self.device)
        return table

    def by_shape(self) -> list[tuple[str, range]]:
        """Each shape that occurs, and the numbers of its objects."""
        out, start = [], 0
        for name, count in zip(SHAPES, self.counts, strict=True):
            if count:
                out.append((name, range(start, start + count)))
            start += count
        return out

    def rotate(self, vectors: Tensor) -> Vector:
        """World directions, one per object, in the objects' frames (in radii)."""
        x, y, z = vectors.unbind(-1)
        return (
            (self.cos * x + self.sin * y) / self.scale,
            (self.cos * y - self.sin * x) / self.scale,
            z / self.scale,
        )

    def to_local(self, points: Tensor) -> Vector:
        """World points, one per object, in the objects' frames."""
        return self.rotate(points - torch.nn.functional.pad(self.position, (0, 1)))

    def to_world(self, local: Vector, item: Tensor) -> Vector:
        """Points in the frames of the given objects, in the world."""
        x, y, z = (part * self.scale[item] for part in local)
        cos, sin = self.cos[item], self.sin[item]
        return cos * x - sin * y + self.position[item, 0], sin * x + cos * y + self.position[item, 1], z

    def local_axes(self) -> tuple[Vector, Vector, Vector]:
        """The camera's right, down (both to the image's edge) and forward axes in the objects' frames."""
        axes = self.axes[self.view]
        tangent = self.tangent[self.view if len(self.tangent) > 1 else torch.zeros_like(self.view)][:, None]
        return self.rotate(axes[:, 0] * tangent), self.rotate(axes[:, 1] * tangent), self.rotate(axes[:, 2])

    def hull(self) -> Tensor:
        """Points about each object in the world: (object, point, 3)."""
        x, y, z = (_HULL.to(self.device)[self.shape] * self.scale[:, None, None]).unbind(-1)
        cos, sin = self.cos[:, None], self.sin[:, None]
        turned = (cos * x - sin * y, sin * x + cos * y)
        return torch.stack([turned[0] + self.position[:, :1], turned[1] + self.position[:, 1:], z], -1)

    def project(self, points: Tensor) -> Tensor:
        """Smallest boxes x0, y0, x1, y1 (in samples, exclusive) about points given from the camera on."""
        x, y, z = (points @ self.axes[self.view].transpose(1, 2)).unbind(-1)
        tangent = self.tangent[self.view if len(self.tangent) > 1 else torch.zeros_like(self.view)][:, None]
        across = len(self.grid)
        visible = z > _NEAR
        place = torch.stack([x, y], -1) / (torch.where(visible, z, 1.0) * tangent)[..., None]
        place = (place + 1) * (across / 2) + 0.0
        low, high = place.amin(1).floor(), place.amax(1).ceil()
        near = ~visible.all(1, keepdim=True)
        low, high = torch.where(near, 0.0, low), torch.where(near, float(across), high)
        return torch.cat([low, high], 1).clamp(0, across).long()

    def inside(self, boxes: Tensor, items: range) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """All rays inside the boxes of some objects: ray, object, and the ray's image coordinates -1..1."""
        x0, y0, x1, y1 = boxes[items.start : items.stop].unbind(1)
        width = x1 - x0
        number = torch.arange(len(x0), device=self.device)
        rows = number.repeat_interleave(y1 - y0)  # object of each row
        first = (y1 - y0).cumsum(0) - (y1 - y0)
        row = torch.arange(len(rows), device=self.device) - first[rows] + y0[rows]
        spans = width[rows]
        at = torch.arange(len(rows), device=self.device).repeat_interleave(spans)  # row of each ray
        shift = x0[rows] - (spans.cumsum(0) - spans)
        column = torch.arange(len(at), device=self.device) + shift[at]
        item = rows + items.start
        base = self.scene[item] * self.rays + self.row[row]
        return base[at] + self.column[column], item[at], self.grid[column], self.grid[row][at]

    def surface(self, ray: Tensor, item: Tensor, t: Tensor) -> tuple[Vector, Vector, Vector]:
        """Where rays meet objects: point in the object's frame; normal and way to the eye in the world."""
        across = len(self.grid)
        pixel, sample = ray % (self.size * self.size), ray % self.rays // (self.size * self.size)
        row = pixel // self.size * self.samples + sample // self.samples
        column = pixel % self.size * self.samples + sample % self.samples
        u, v = (column + 0.5) * (2 / across) - 1, (row + 0.5) * (2 / across) - 1
        right, down, forward = self.local_axes()
        o = self.to_local(self.origin[self.view])
        d = tuple(right[k][item] * u + down[k][item] * v + forward[k][item] for k in range(3))
        local = tuple(o[k][item] + t * d[k] for k in range(3))
        normal = tuple(torch.empty_like(t) for _ in range(3))
        for kind, items in self.by_shape():
            mine = ((item >= items.start) & (item < items.stop)).nonzero().squeeze(1)
            for whole, part in zip(normal, SOLIDS[kind].normal(tuple(p[mine] for p in local)), strict=True):
                whole[mine] = part
        cos, sin = self.cos[item], self.sin[item]
        length = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt()
        eye = tuple(-part / length for part in d)
        turn = lambda a: (cos * a[0] - sin * a[1], sin * a[0] + cos * a[1], a[2])  # noqa: E731
        return local, turn(normal), turn(eye)

    def _resolve(self, colour: Tensor, ray: Tensor, item: Tensor, t: Tensor, ground_t: Tensor) -> Views:
        """Average the samples of each pixel."""
        count, size, per = len(self.scenes), self.size, self.samples**2
        image = colour.view(count, per, size, size, 3).mean(1).permute(0, 3, 1, 2).contiguous()
        slots = self.scenes.present.shape[1]
        label = torch.full((count * self.rays,), -1, dtype=torch.int8, device=self.device)
        label[ray] = self.slot[item].to(torch.int8)
        depth = ground_t.expand(count, -1).reshape(-1).clone()
        depth[ray] = t
        label, depth = label.view(count, per, -1), depth.view(count, per, -1)
        if per == 1:
            instance, depth = label[:, 0], depth[:, 0]
        else:
            best = torch.full_like(depth[:, 0], -1)
            instance, mean = torch.zeros_like(label[:, 0]), torch.zeros_like(best)
            for slot in range(-1, slots):
                mask = label == slot
                number = mask.sum(1)
                average = torch.where(mask, depth, 0.0).sum(1) / number
                # most samples win; among equals the nearest, and the ground is behind everything
                score = number + (0.5 / (1 + average) if slot >= 0 else 0.0)
                better = score > best
                best, mean = torch.where(better, score, best), torch.where(better, average, mean)
                instance = torch.where(better, slot, instance)
            depth = mean
        instance = instance.view(count, size, size).long()
        return Views(image.clamp(0, 1), depth.view(count, size, size), instance, _boxes(instance, slots))


def _boxes(instance: Tensor, slots: int) -> Tensor:
    """x0, y0, x1, y1 of each slot's pixels, nan where it has none."""
    mask = instance[:, None] == torch.arange(slots, device=instance.device)[:, None, None]
    size = instance.shape[-1]
    place = torch.arange(size, device=instance.device, dtype=torch.float32)
    out = []
    for filled in (mask.any(2), mask.any(3)):  # columns, rows: (scene, slot, place)
        out.append(torch.where(filled, place, math.inf).amin(-1))
        out.append(torch.where(filled, place + 1, -math.inf).amax(-1))
    boxes = torch.stack([out[0], out[2], out[1], out[3]], -1)
    return torch.where(boxes.isfinite(), boxes, math.nan)
