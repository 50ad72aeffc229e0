"""The solids as bodies: area, volume, which points are inside, and points drawn evenly from the surface.

Local frame of `solids`: each solid stands on z = 0 about the z-axis, in radii of its footprint. The whole
closed surface counts, the underside that lies on the ground too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mmdl_course.data.world.solids import CONE, CUBE, CYLINDER, TORUS, WEDGE, Vector

__all__ = ["BODIES", "Body"]

_Drawn = tuple[Float[Tensor, "point 3"], Float[Tensor, "point 3"]]
_TORUS_STEPS = 8  # of Newton's method; five give single precision


@dataclass(frozen=True)
class Body:
    """One kind of solid in its local frame.

    Attributes:
        area: of the closed surface, in squared radii.
        volume: in cubed radii.
        inside: point to whether it is inside or on the surface.
        draw: three numbers in [0, 1) per point to a point on the surface and the outward unit normal there;
            uniform numbers give points uniform by area.
    """

    area: float
    volume: float
    inside: Callable[[Vector], Tensor]
    draw: Callable[[Float[Tensor, "point 3"]], _Drawn]


def _circle(turns: Tensor) -> tuple[Tensor, Tensor]:
    angle = 2 * math.pi * turns
    return angle.cos(), angle.sin()


def _patch(u: Tensor, areas: tuple[float, ...]) -> Tensor:
    """Number of the patch that each u in [0, 1) falls to, patches being as wide as their areas."""
    edges = torch.tensor(areas, device=u.device).cumsum(0)
    return torch.bucketize(u * edges[-1], edges[:-1], right=True)


def _disc(u: Tensor, v: Tensor, radius: float) -> tuple[Tensor, Tensor]:
    cos, sin = _circle(v)
    reach = radius * u.sqrt()
    return reach * cos, reach * sin


def _sphere_inside(p: Vector) -> Tensor:
    return p[0] * p[0] + p[1] * p[1] + (p[2] - 1) * (p[2] - 1) <= 1


def _sphere_draw(u: Tensor) -> _Drawn:
    z = 2 * u[:, 0] - 1  # Archimedes: the sphere's area is even along any axis
    cos, sin = _circle(u[:, 1])
    across = (1 - z * z).clamp(min=0).sqrt()
    normal = torch.stack([across * cos, across * sin, z], 1)
    return normal + torch.tensor([0.0, 0.0, 1.0], device=u.device), normal


def _cube_inside(p: Vector) -> Tensor:
    return (p[0].abs() <= CUBE) & (p[1].abs() <= CUBE) & ((p[2] - CUBE).abs() <= CUBE)


def _cube_draw(u: Tensor) -> _Drawn:
    face = _patch(u[:, 0], (1.0,) * 6)
    axis = torch.nn.functional.one_hot(face // 2, 3).float()
    normal = axis * (1 - 2 * (face % 2))[:, None]
    spread = (2 * u[:, 1:] - 1) * CUBE
    places = [torch.stack(parts, 1) for parts in _around(spread[:, 0], spread[:, 1])]
    across = sum(axis[:, k : k + 1] * places[k] for k in range(3))
    return across + normal * CUBE + torch.tensor([0.0, 0.0, CUBE], device=u.device), normal


def _around(a: Tensor, b: Tensor) -> tuple[Vector, Vector, Vector]:
    """Both parts on the two axes other than the first, the second, the third."""
    zero = torch.zeros_like(a)
    return (zero, a, b), (a, zero, b), (a, b, zero)


def _cylinder_inside(p: Vector) -> Tensor:
    radius, height = CYLINDER
    return (p[0] * p[0] + p[1] * p[1] <= radius * radius) & (p[2] >= 0) & (p[2] <= height)


def _cylinder_draw(u: Tensor) -> _Drawn:
    radius, height = CYLINDER
    patch = _patch(u[:, 0], _CYLINDER_AREAS)
    cos, sin = _circle(u[:, 1])
    side, top = patch == 0, patch == 1
    x, y = _disc(u[:, 2], u[:, 1], radius)
    point = (
        torch.where(side, radius * cos, x),
        torch.where(side, radius * sin, y),
        torch.where(side, height * u[:, 2], torch.where(top, height, 0.0)),
    )
    normal = (
        torch.where(side, cos, 0.0),
        torch.where(side, sin, 0.0),
        torch.where(side, 0.0, torch.where(top, 1.0, -1.0)),
    )
    return torch.stack(point, 1), torch.stack(normal, 1)


def _cone_inside(p: Vector) -> Tensor:
    radius, height = CONE
    reach = radius * (1 - p[2] / height)
    return (p[0] * p[0] + p[1] * p[1] <= reach * reach) & (p[2] >= 0) & (p[2] <= height)


def _cone_draw(u: Tensor) -> _Drawn:
    radius, height = CONE
    length = math.hypot(radius, height)
    side = _patch(u[:, 0], _CONE_AREAS) == 0
    cos, sin = _circle(u[:, 1])
    # Seen from above both the base and the side are even discs: the side's slope is the same everywhere.
    x, y = _disc(u[:, 2], u[:, 1], radius)
    point = x, y, torch.where(side, height * (1 - u[:, 2].sqrt()), 0.0)
    normal = (
        torch.where(side, cos * (height / length), 0.0),
        torch.where(side, sin * (height / length), 0.0),
        torch.where(side, radius / length, -1.0),
    )
    return torch.stack(point, 1), torch.stack(normal, 1)


def _torus_inside(p: Vector) -> Tensor:
    ring, tube = TORUS
    across = (p[0] * p[0] + p[1] * p[1]).sqrt() - ring
    return across * across + (p[2] - tube) * (p[2] - tube) <= tube * tube


def _torus_draw(u: Tensor) -> _Drawn:
    ring, tube = TORUS
    # Area about the tube goes as ring + tube cos θ, its share up to θ as θ + (tube / ring) sin θ: Newton.
    share, bend = 2 * math.pi * u[:, 0], tube / ring
    angle = share
    for _ in range(_TORUS_STEPS):
        angle = angle - (angle + bend * angle.sin() - share) / (1 + bend * angle.cos())
    cos, sin = _circle(u[:, 1])
    normal = torch.stack([angle.cos() * cos, angle.cos() * sin, angle.sin()], 1)
    middle = torch.stack([ring * cos, ring * sin, torch.full_like(cos, tube)], 1)
    return middle + tube * normal, normal


def _wedge_inside(p: Vector) -> Tensor:
    length, width, height = WEDGE
    below = height * p[0] + 2 * length * p[2] <= height * length
    return (p[0] >= -length) & (p[1].abs() <= width) & (p[2] >= 0) & below


def _wedge_draw(u: Tensor) -> _Drawn:
    length, width, height = WEDGE
    slope = math.hypot(2 * length, height)
    patch = _patch(u[:, 0], _WEDGE_AREAS)  # upright face, underside, ramp, the two triangles
    along, across = 2 * u[:, 1] - 1, (2 * u[:, 2] - 1) * width
    ramp = height * (1 - u[:, 1])
    # In a triangle: a point of the rectangle, turned about its middle if it lies above the ramp.
    above = u[:, 1] + u[:, 2] > 1
    a, b = torch.where(above, 1 - u[:, 1:].T, u[:, 1:].T)
    back, under, triangle = patch == 0, patch == 1, patch >= 3
    side = torch.where(patch == 3, 1.0, -1.0)
    x = torch.where(back, -1.0, torch.where(triangle, 2 * a - 1, along)) * length
    y = torch.where(triangle, side * width, across)
    z = torch.where(back, height * u[:, 1], torch.where(under, 0.0, torch.where(triangle, height * b, ramp)))
    normals = [
        [-1.0, 0.0, 0.0],
        [0.0, 0.0, -1.0],
        [height / slope, 0.0, 2 * length / slope],
        [0.0, 1.0, 0.0],
        [0.0, -1.0, 0.0],
    ]
    return torch.stack([x, y, z], 1), torch.tensor(normals, device=u.device)[patch]


_CYLINDER_AREAS = (
    2 * math.pi * CYLINDER[0] * CYLINDER[1],
    math.pi * CYLINDER[0] ** 2,
    math.pi * CYLINDER[0] ** 2,
)
_CONE_AREAS = (math.pi * CONE[0] * math.hypot(*CONE), math.pi * CONE[0] ** 2)
_WEDGE_AREAS = (
    2 * WEDGE[1] * WEDGE[2],
    4 * WEDGE[0] * WEDGE[1],
    2 * WEDGE[1] * math.hypot(2 * WEDGE[0], WEDGE[2]),
    WEDGE[0] * WEDGE[2],
    WEDGE[0] * WEDGE[2],
)

BODIES = {
    "sphere": Body(4 * math.pi, 4 / 3 * math.pi, _sphere_inside, _sphere_draw),
    "cube": Body(24 * CUBE**2, 8 * CUBE**3, _cube_inside, _cube_draw),
    "cone": Body(sum(_CONE_AREAS), math.pi * CONE[0] ** 2 * CONE[1] / 3, _cone_inside, _cone_draw),
    "cylinder": Body(
        sum(_CYLINDER_AREAS), math.pi * CYLINDER[0] ** 2 * CYLINDER[1], _cylinder_inside, _cylinder_draw
    ),
    "torus": Body(
        4 * math.pi**2 * TORUS[0] * TORUS[1],
        2 * math.pi**2 * TORUS[0] * TORUS[1] ** 2,
        _torus_inside,
        _torus_draw,
    ),
    "wedge": Body(sum(_WEDGE_AREAS), 2 * math.prod(WEDGE), _wedge_inside, _wedge_draw),
}
"""By the names of SHAPES."""
