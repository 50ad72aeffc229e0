"""Scenes in three dimensions, without a camera: point clouds and voxels."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from mmdl_course.data.world.inputs import check_between, check_count, check_generator
from mmdl_course.data.world.scene import SHAPES, Scenes
from mmdl_course.data.world.shading import ground_colour
from mmdl_course.data.world.solids import Vector
from mmdl_course.data.world.surfaces import BODIES
from mmdl_course.data.world.threads import one_thread

__all__ = ["PointCloud", "Voxels", "point_cloud", "voxels"]

_CELLS = 1 << 22  # voxels tested at once, times objects: about 100 MB


@dataclass(frozen=True)
class PointCloud:
    """Points on the surfaces of scenes, in no order.

    Attributes:
        position: world units.
        normal: outward unit normal, world frame.
        colour: the surface's own red, green, blue in 0..1, unlit.
        instance: slot of the object the point is on; -1 on the ground.
    """

    position: Float[Tensor, "scene point 3"]
    normal: Float[Tensor, "scene point 3"]
    colour: Float[Tensor, "scene point 3"]
    instance: Int64[Tensor, "scene point"]

    def __len__(self) -> int:
        return len(self.position)


@dataclass(frozen=True)
class Voxels:
    """Scenes on a grid of cubes. The axes are z (up), y and x; index 0 is lowest, nearest and leftmost.

    Attributes:
        occupancy: whether the voxel's centre is inside an object.
        instance: slot of that object (the lowest where objects overlap), -1 in the air.
        extent: the grid spans -extent..extent in x and y and 0..extent in z, world units.
    """

    occupancy: Bool[Tensor, "scene depth height width"]
    instance: Int64[Tensor, "scene depth height width"]
    extent: float

    def __len__(self) -> int:
        return len(self.occupancy)

    @property
    def side(self) -> float:
        """Length of a voxel's edge, world units."""
        return 2 * self.extent / self.occupancy.shape[-1]


@one_thread()
def point_cloud(
    scenes: Scenes, *, points: int = 1024, generator: torch.Generator, ground: float = 0.0
) -> PointCloud:
    """Points drawn independently and evenly by area from whole surfaces, whether or not a camera sees them.

    Undersides that lie on the ground count too, as does what is hidden inside another object where a scene
    written by hand lets objects overlap.

    Args:
        scenes: what there is; on the generator's device.
        points: per scene, at least 1.
        generator: source of randomness.
        ground: radius of a disc of ground about the origin to draw from as well, world units; 0 for none.

    Returns:
        The clouds, all of the same number of points.

    Raises:
        ValueError: points or ground out of range, or a scene without objects and no ground.
    """
    check_count("points", points)
    check_between("ground", ground, 0)
    check_generator(generator)
    device = scenes.position.device
    areas = torch.tensor([BODIES[name].area for name in SHAPES], device=device)
    area = areas[scenes.shape] * scenes.scale.square() * scenes.present
    area = torch.nn.functional.pad(area, (0, 1), value=math.pi * ground**2)  # (scene, object + 1)
    empty = (area.sum(1) == 0).nonzero().flatten().tolist()
    if empty:
        raise ValueError(f"scene {empty[0]} holds no object to draw points from; give ground a radius")
    slot = _choose(area, points, generator).flatten()
    u = torch.rand(len(slot), 3, generator=generator, device=device)
    scene = torch.arange(len(scenes), device=device).repeat_interleave(points)
    position, normal, colour = torch.zeros_like(u), torch.zeros_like(u), torch.zeros_like(u)

    on_ground = slot == area.shape[1] - 1
    reach, angle = ground * u[on_ground, 0].sqrt(), 2 * math.pi * u[on_ground, 1]
    place = torch.stack([reach * angle.cos(), reach * angle.sin()], 1)
    position[on_ground, :2] = place
    normal[on_ground, 2] = 1
    colour[on_ground] = ground_colour(place[None], torch.ones_like(reach, dtype=torch.bool)[None])[0]

    slot = torch.where(on_ground, -1, slot)
    kind = torch.where(on_ground, -1, scenes.shape[scene, slot])
    for number, name in enumerate(SHAPES):
        mine = (kind == number).nonzero().flatten()
        at = scene[mine], slot[mine]
        point, outward = BODIES[name].draw(u[mine])
        yaw = scenes.yaw[at]
        position[mine] = _turn(point, yaw) * scenes.scale[at][:, None]
        position[mine, :2] += scenes.position[at]
        normal[mine] = _turn(outward, yaw)
        colour[mine] = scenes.rgb[at]
    shape = len(scenes), points, 3
    return PointCloud(position.view(shape), normal.view(shape), colour.view(shape), slot.view(shape[:2]))


def _choose(area: Tensor, points: int, generator: torch.Generator) -> Tensor:
    """Which surface each point is on, in proportion to area: (scene, point)."""
    if len(area) == 0:
        return torch.zeros(0, points, dtype=torch.long, device=area.device)
    return torch.multinomial(area, points, replacement=True, generator=generator)


def _turn(vectors: Tensor, yaw: Tensor) -> Tensor:
    """Vectors turned about the vertical axis, each by its own angle."""
    cos, sin = yaw.cos(), yaw.sin()
    x, y, z = vectors.unbind(1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y, z], 1)


@one_thread()
def voxels(scenes: Scenes, *, size: int = 32, extent: float = 2.8) -> Voxels:
    """The solids on a grid. A pure function: a voxel is full where its centre is inside a solid.

    Args:
        scenes: what there is.
        size: voxels along x and y; even, since half as many are stacked along z.
        extent: half of the grid's width and its whole height, world units. The default holds every sampled
            scene.

    Returns:
        Grids of size / 2 × size × size cubes.

    Raises:
        ValueError: size is odd or not positive, or extent is not positive.
    """
    check_count("size", size, least=2)
    check_between("extent", extent, 0, open_low=True)
    if size % 2:
        raise ValueError(f"size must be even, since half as many voxels are stacked along z, not {size}")
    device = scenes.position.device
    place = ((torch.arange(size, device=device) + 0.5) * (2 / size) - 1) * extent
    z, y, x = torch.meshgrid(place + extent, place, place, indexing="ij")
    centres = tuple(part[: size // 2].flatten() for part in (x, y, z))
    shape = (len(scenes), size // 2, size, size)
    instance = torch.full((len(scenes), len(centres[0])), -1, device=device)
    scene, slot = scenes.present.nonzero(as_tuple=True)
    step = max(1, _CELLS // len(centres[0]))
    for number in range(scenes.present.shape[1] - 1, -1, -1):  # the lowest slot is written last
        for kind, name in enumerate(SHAPES):
            mine = scene[(slot == number) & (scenes.shape[scene, slot] == kind)]
            for some in mine.split(step):
                full = BODIES[name].inside(_to_local(centres, scenes, some, number))
                instance[some] = torch.where(full, number, instance[some])
    instance = instance.view(shape)
    return Voxels(instance >= 0, instance, float(extent))


def _to_local(points: Vector, scenes: Scenes, scene: Tensor, slot: int) -> Vector:
    """World points in the frame of the object in a slot of each scene: (scene, point) each."""
    cos, sin = scenes.yaw[scene, slot].cos()[:, None], scenes.yaw[scene, slot].sin()[:, None]
    scale = scenes.scale[scene, slot][:, None]
    x = points[0] - scenes.position[scene, slot, 0][:, None]
    y = points[1] - scenes.position[scene, slot, 1][:, None]
    return (cos * x + sin * y) / scale, (cos * y - sin * x) / scale, points[2] / scale
