"""The rays of a chunk of scenes: which object each one meets first, where the others meet the ground."""

import math

import torch
from torch import Tensor

from mmdl_course.data.world.camera import Camera
from mmdl_course.data.world.scene import SHAPES, Scenes
from mmdl_course.data.world.solids import SOLIDS, Vector

__all__ = ["RAYS", "Frame"]

RAYS = 1 << 20
"""Rays cast at once: enough to hide Python's share of the time, few enough for about 150 MB."""

_NEAR = 0.05  # what comes closer to the camera than this has no box of its own and meets every ray
_NOTHING = torch.iinfo(torch.int64).max
_HULL = torch.stack([SOLIDS[name].hull for name in SHAPES])


class Frame:
    """The rays of one chunk of scenes.

    Rays are numbered (scene, sample row, sample column, pixel row, pixel column), so that the samples of a
    pixel can be averaged over a leading axis.
    """

    def __init__(self, scenes: Scenes, camera: Camera, size: int, samples: int) -> None:
        """Lay out the rays.

        Args:
            scenes: the chunk.
            camera: shared, or one per scene of the chunk.
            size: pixels per side.
            samples: rays per pixel and axis.
        """
        self.scenes, self.size, self.samples = scenes, size, samples
        self.device = scenes.position.device
        self.axes, self.origin = camera.axes().to(self.device), camera.position().to(self.device)
        self.tangent = camera.half_width().to(self.device)
        across = size * samples
        self.rays = across * across  # per scene
        place = torch.arange(across, device=self.device)
        self.column = place % samples * size * size + place // samples
        self.row = place % samples * (size * size * samples) + place // samples * size
        self.grid = (place + 0.5) * (2 / across) - 1  # image coordinate of a row or column, -1..1
        # Rays of a row are shifted along it and rays of a column along the column, by another part of a
        # sample each time: an edge along the rows or columns then crosses samples one by one as it moves, not
        # all at once. Within a pixel the shifts cancel.
        turn = torch.arange(across, device=self.device) % samples
        golden = (place // samples * samples + torch.minimum(turn, samples - 1 - turn)) * 0.6180339887
        sign = (samples - 1 - 2 * turn).sign()
        self.shift = sign * (golden - golden.floor() - 0.5) * (2 / across)
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
        u = (self.grid + self.shift[:, None]) * self.tangent[:, None, None]  # (camera, row, column)
        v = (self.grid[:, None] + self.shift) * self.tangent[:, None, None]
        axes = self.axes[:, :, :, None, None]
        down = axes[:, 1, 2] * v + axes[:, 2, 2]  # vertical part of the ray; the right axis has none
        t = torch.where(down < -1e-4, -self.origin[:, 2, None, None] / down, math.inf)
        reach = torch.where(t.isfinite(), t, 0.0)
        points = [
            self.origin[:, k, None, None] + reach * (axes[:, 0, k] * u + axes[:, 1, k] * v + axes[:, 2, k])
            for k in range(2)
        ]
        ray = (self.row[:, None] + self.column).flatten()
        depth = torch.empty(len(self.axes), self.rays, device=self.device)
        depth[:, ray] = t.flatten(1)
        point = torch.empty(len(self.axes), self.rays, 2, device=self.device)
        point[:, ray] = torch.stack(points, -1).flatten(1, 2)
        return depth, point

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
        tangent = self.tangent[self.view][:, None]
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
        tangent = self.tangent[self.view][:, None]
        across = len(self.grid)
        visible = z > _NEAR
        place = torch.stack([x, y], -1) / (torch.where(visible, z, 1.0) * tangent)[..., None]
        place = (place + 1) * (across / 2)
        low, high = (
            place.amin(1).floor() - 1,
            place.amax(1).ceil() + 1,
        )  # rays are shifted by up to half a sample
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
        u, v = self.grid[column] + self.shift[row][at], self.grid[row][at] + self.shift[column]
        return base[at] + self.column[column], item[at], u, v

    def surface(self, ray: Tensor, item: Tensor, t: Tensor) -> tuple[Vector, Vector, Vector]:
        """Where rays meet objects: point in the object's frame; normal and way to the eye in the world."""
        pixel, sample = ray % (self.size * self.size), ray % self.rays // (self.size * self.size)
        row = pixel // self.size * self.samples + sample // self.samples
        column = pixel % self.size * self.samples + sample % self.samples
        u, v = self.grid[column] + self.shift[row], self.grid[row] + self.shift[column]
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
        normal, eye = ((cos * x - sin * y, sin * x + cos * y, z) for x, y, z in (normal, eye))
        return local, normal, eye
