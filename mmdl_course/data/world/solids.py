"""The solids: where a ray enters each of them, and which way its surface faces there.

Local frame of every solid: it stands on z = 0 about the z-axis and fits into the unit circle seen from above.
Rays are o + t d with d of any length; all functions are elementwise over rays.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["SOLIDS", "Solid", "Vector"]

Vector = tuple[Tensor, Tensor, Tensor]
"""x, y and z apart, which is faster than a last axis of three."""

CUBE = math.sqrt(0.5)  # half of the side
CYLINDER = (0.8, 1.5)  # radius, height
CONE = (0.95, 1.8)  # radius of the base, height
TORUS = (0.7, 0.3)  # radius of the ring, radius of the tube
WEDGE = (0.78, 0.62, 1.25)  # half of the length, half of the width, height of the upright face at x = -length

_INFINITE = math.inf
_TORUS_STEPS = 40
_TORUS_CLOSE = 2e-4  # as near to a surface as a ray must come to meet it, in radii


@dataclass(frozen=True)
class Solid:
    """One kind of solid in its local frame.

    Attributes:
        entry: (o, d) to the parameter t ≥ 0 at which the ray enters from outside; inf where it misses.
        normal: point on the surface to the outward unit normal.
        hull: points whose convex hull holds the solid.
    """

    entry: Callable[[Vector, Vector], Tensor]
    normal: Callable[[Vector], Vector]
    hull: Float[Tensor, "point 3"]


def _towards(o: Vector, d: Vector) -> tuple[Vector, Tensor]:
    """Move each origin along its ray to where it is nearest to (0, 0, 1/2): keeps single precision exact."""
    square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    shift = -(o[0] * d[0] + o[1] * d[1] + (o[2] - 0.5) * d[2]) / square
    return (o[0] + shift * d[0], o[1] + shift * d[1], o[2] + shift * d[2]), shift


def _first(near: Tensor, far: Tensor, shift: Tensor) -> Tensor:
    """Entry of a convex solid from the interval in which the ray is inside it."""
    near = near + shift
    return torch.where((near < far + shift) & (near >= 0), near, _INFINITE)


def _slab(o: Tensor, d: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
    """The interval in which low ≤ o + t d ≤ high."""
    inverse = 1 / torch.where(d.abs() < 1e-9, 1e-9, d)
    a, b = (low - o) * inverse, (high - o) * inverse
    return torch.minimum(a, b), torch.maximum(a, b)


def _sphere(o: Vector, d: Vector) -> Tensor:
    square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    shift = -(o[0] * d[0] + o[1] * d[1] + (o[2] - 1) * d[2]) / square
    x, y, z = o[0] + shift * d[0], o[1] + shift * d[1], o[2] - 1 + shift * d[2]
    half = ((1 - x * x - y * y - z * z) / square).sqrt()  # nan where the ray misses
    t = shift - half
    return torch.where(t >= 0, t, _INFINITE)


def _sphere_normal(p: Vector) -> Vector:
    return p[0], p[1], p[2] - 1


def _cube(o: Vector, d: Vector) -> Tensor:
    o, shift = _towards(o, d)
    x, y = _slab(o[0], d[0], -CUBE, CUBE), _slab(o[1], d[1], -CUBE, CUBE)
    z = _slab(o[2], d[2], 0.0, 2 * CUBE)
    near = torch.maximum(torch.maximum(x[0], y[0]), z[0])
    return _first(near, torch.minimum(torch.minimum(x[1], y[1]), z[1]), shift)


def _cube_normal(p: Vector) -> Vector:
    x, y, z = p[0], p[1], p[2] - CUBE
    ax, ay, az = x.abs(), y.abs(), z.abs()
    side_x, side_y = (ax >= ay) & (ax >= az), (ay > ax) & (ay >= az)
    return (
        torch.where(side_x, x.sign(), 0.0),
        torch.where(side_y, y.sign(), 0.0),
        torch.where(side_x | side_y, 0.0, z.sign()),
    )


def _quadratic(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Roots of a t² + 2 b t + c in the order of size for a > 0; nan where there are none."""
    root = (b * b - a * c).sqrt()
    a = torch.where(a.abs() < 1e-9, 1e-9, a)
    return (-b - root) / a, (-b + root) / a


def _cylinder(o: Vector, d: Vector) -> Tensor:
    radius, height = CYLINDER
    o, shift = _towards(o, d)
    near, far = _quadratic(
        d[0] * d[0] + d[1] * d[1],
        o[0] * d[0] + o[1] * d[1],
        o[0] * o[0] + o[1] * o[1] - radius * radius,
    )
    bottom, top = _slab(o[2], d[2], 0.0, height)
    return _first(torch.maximum(near, bottom), torch.minimum(far, top), shift)


def _cylinder_normal(p: Vector) -> Vector:
    radius, height = CYLINDER
    across, along = (p[0] * p[0] + p[1] * p[1]).sqrt(), p[2] - height / 2
    lid = along.abs() / (height / 2) > across / radius
    return (
        torch.where(lid, 0.0, p[0] / across),
        torch.where(lid, 0.0, p[1] / across),
        torch.where(lid, along.sign(), 0.0),
    )


def _cone(o: Vector, d: Vector) -> Tensor:
    radius, height = CONE
    slope = (radius / height) ** 2
    o, shift = _towards(o, d)
    above = o[2] - height
    a = d[0] * d[0] + d[1] * d[1] - slope * d[2] * d[2]
    near, far = _quadratic(
        a,
        o[0] * d[0] + o[1] * d[1] - slope * above * d[2],
        o[0] * o[0] + o[1] * o[1] - slope * above * above,
    )
    # Steeper than the side (a < 0) a ray is inside the double cone outside of the roots: take the half below.
    steep, down = a < 0, d[2] < 0
    low, high = torch.minimum(near, far), torch.maximum(near, far)
    near = torch.where(steep, torch.where(down, high, -_INFINITE), low)
    far = torch.where(steep, torch.where(down, _INFINITE, low), high)
    bottom, top = _slab(o[2], d[2], 0.0, height)
    return _first(torch.maximum(near, bottom), torch.minimum(far, top), shift)


def _cone_normal(p: Vector) -> Vector:
    radius, height = CONE
    across = (p[0] * p[0] + p[1] * p[1]).sqrt().clamp(min=1e-9)
    length = math.hypot(radius, height)
    return (
        p[0] / across * (height / length),
        p[1] / across * (height / length),
        torch.full_like(across, radius / length),
    )


def _wedge(o: Vector, d: Vector) -> Tensor:
    length, width, height = WEDGE
    o, shift = _towards(o, d)
    back, side = _slab(o[0], d[0], -length, length), _slab(o[1], d[1], -width, width)
    floor = _slab(o[2], d[2], 0.0, height)
    # The ramp: height x + 2 length z ≤ height length, a half-space.
    along = height * d[0] + 2 * length * d[2]
    along = torch.where(along.abs() < 1e-9, 1e-9, along)
    t = (height * length - height * o[0] - 2 * length * o[2]) / along
    near = torch.maximum(torch.maximum(back[0], side[0]), floor[0])
    far = torch.minimum(torch.minimum(back[1], side[1]), floor[1])
    near = torch.maximum(near, torch.where(along < 0, t, -_INFINITE))
    return _first(near, torch.minimum(far, torch.where(along < 0, _INFINITE, t)), shift)


def _wedge_normal(p: Vector) -> Vector:
    length, width, height = WEDGE
    slope = math.hypot(height, 2 * length)
    ramp = ((height * length - height * p[0] - 2 * length * p[2]) / slope).abs()
    back, side = (p[0] + length).abs(), width - p[1].abs()
    is_back, is_side = (back < ramp) & (back < side), (side <= back) & (side < ramp)
    return (
        torch.where(is_back, -1.0, torch.where(is_side, 0.0, height / slope)),
        torch.where(is_side, p[1].sign(), 0.0),
        torch.where(is_back | is_side, 0.0, 2 * length / slope),
    )


def _torus(o: Vector, d: Vector) -> Tensor:
    """Sphere tracing inside the bounding cylinder; rays that are through are put aside as they finish."""
    ring, tube = TORUS
    o, shift = _towards(o, d)
    speed = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt()
    near, far = _quadratic(
        d[0] * d[0] + d[1] * d[1],
        o[0] * d[0] + o[1] * d[1],
        o[0] * o[0] + o[1] * o[1] - (ring + tube) ** 2,
    )
    bottom, top = _slab(o[2], d[2], 0.0, 2 * tube)
    t = torch.maximum(torch.maximum(near, bottom), -shift)
    far = torch.minimum(far, top)
    out = torch.full_like(t, _INFINITE)
    alive = (t < far).nonzero().squeeze(1)
    for step in range(_TORUS_STEPS):
        if step % 4 == 0:  # gather the rays that are still on their way
            x, y, z, u, v, w = (part[alive] for part in (*o, *d))
            now, end, rate = t[alive], far[alive], speed[alive]
        px, py, pz = x + now * u, y + now * v, z + now * w - tube
        across = (px * px + py * py).sqrt() - ring
        distance = (across * across + pz * pz).sqrt() - tube
        now = now + distance / rate
        if step % 4 == 3:
            met = distance < _TORUS_CLOSE
            out[alive[met]] = (now + shift[alive])[met]
            t[alive] = now
            alive = alive[~met & (now < end)]
    return out


def _torus_normal(p: Vector) -> Vector:
    ring, tube = TORUS
    across = (p[0] * p[0] + p[1] * p[1]).sqrt().clamp(min=1e-9)
    inward = 1 - ring / across
    x, y, z = p[0] * inward, p[1] * inward, p[2] - tube
    length = (x * x + y * y + z * z).sqrt().clamp(min=1e-9)
    return x / length, y / length, z / length


def _prism(radius: float, low: float, high: float) -> Tensor:
    """Eight-sided prism about a cylinder."""
    angle = (torch.arange(8) + 0.5) * math.pi / 4
    ring = torch.stack([angle.cos(), angle.sin()], -1) * (radius / math.cos(math.pi / 8))
    return torch.cat([torch.cat([ring, torch.full((8, 1), height)], 1) for height in (low, high)])


def _corners(x: float, y: float, z: float) -> Tensor:
    return torch.cartesian_prod(torch.tensor([-x, x]), torch.tensor([-y, y]), torch.tensor([0.0, z]))


def _around_unit_sphere() -> Tensor:
    """Corners of the regular dodecahedron about the unit sphere that stands on z = 0."""
    golden = (1 + math.sqrt(5)) / 2
    signs = torch.tensor([-1.0, 1.0])
    pairs = torch.cartesian_prod(signs / golden, signs * golden)
    zero = torch.zeros(4)
    corners = [torch.cartesian_prod(signs, signs, signs)] + [
        torch.stack(axes, 1)
        for axes in (
            (zero, pairs[:, 0], pairs[:, 1]),
            (pairs[:, 0], pairs[:, 1], zero),
            (pairs[:, 1], zero, pairs[:, 0]),
        )
    ]
    inner = golden / math.sqrt(3 - golden)  # radius of the sphere inside the one with these corners
    return torch.cat(corners) / inner + torch.tensor([0.0, 0.0, 1.0])


def _pad(points: Tensor) -> Tensor:
    """All hulls have twenty points, so that they fit into one table."""
    return torch.cat([points, points[:1].expand(20 - len(points), 3)])


SOLIDS = {
    "sphere": Solid(_sphere, _sphere_normal, _around_unit_sphere()),
    "cube": Solid(_cube, _cube_normal, _pad(_corners(CUBE, CUBE, 2 * CUBE))),
    "cone": Solid(
        _cone,
        _cone_normal,
        _pad(torch.cat([_prism(CONE[0], 0.0, 0.0)[:8], torch.tensor([[0.0, 0.0, CONE[1]]])])),
    ),
    "cylinder": Solid(_cylinder, _cylinder_normal, _pad(_prism(CYLINDER[0], 0.0, CYLINDER[1]))),
    "torus": Solid(_torus, _torus_normal, _pad(_prism(sum(TORUS), 0.0, 2 * TORUS[1]))),
    "wedge": Solid(_wedge, _wedge_normal, _pad(_corners(WEDGE[0], WEDGE[1], WEDGE[2]))),
}
