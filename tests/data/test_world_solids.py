import math

import pytest
import torch

from mmdl_course.data.world.solids import CONE, CUBE, CYLINDER, SOLIDS, TORUS, WEDGE


def inside(name, p):
    """Negative inside, zero on the surface: each solid written once more, as an inequality."""
    x, y, z = p.unbind(-1)
    across = (x * x + y * y).sqrt()
    match name:
        case "sphere":
            parts = [(x * x + y * y + (z - 1) ** 2).sqrt() - 1]
        case "cube":
            parts = [x.abs() - CUBE, y.abs() - CUBE, (z - CUBE).abs() - CUBE]
        case "cone":
            radius, height = CONE
            parts = [(across - radius * (1 - z / height)) * height / math.hypot(radius, height), -z]
        case "cylinder":
            radius, height = CYLINDER
            parts = [across - radius, (z - height / 2).abs() - height / 2]
        case "torus":
            ring, tube = TORUS
            parts = [((across - ring) ** 2 + (z - tube) ** 2).sqrt() - tube]
        case "wedge":
            length, width, height = WEDGE
            ramp = (height * x + 2 * length * z - height * length) / math.hypot(height, 2 * length)
            parts = [-length - x, y.abs() - width, -z, ramp]
    return torch.stack(parts).amax(0)


@pytest.fixture(scope="module")
def rays():
    generator = torch.Generator().manual_seed(3)
    aim = torch.rand(5000, 3, generator=generator) * 2.4 - torch.tensor([1.2, 1.2, 0.2])
    way = torch.randn(5000, 3, generator=generator)
    way = way / way.norm(dim=1, keepdim=True)
    return aim - 6 * way, way * (0.5 + torch.rand(5000, 1, generator=generator))


@pytest.mark.parametrize("name", SOLIDS)
def test_rays_enter_where_a_slow_march_first_finds_the_inside(name, rays):
    o, d = rays
    t = SOLIDS[name].entry(o.unbind(1), d.unbind(1))
    few = slice(0, 300)
    steps = torch.linspace(2, 18, 3001)  # rays start 6 from their aim and cover 0.5 to 1.5 per unit of t
    within = inside(name, o[few, None] + steps[:, None] * d[few, None]) < 0  # (ray, step)
    first = torch.where(within.any(1), steps[within.int().argmax(1)], math.inf)
    missed = t[few].isinf() != first.isinf()
    assert missed.float().mean() < 0.015  # a march misses what is thinner than its steps
    both = t[few].isfinite() & first.isfinite()
    assert (t[few] - first)[both].abs().quantile(0.98) < 0.0065


@pytest.mark.parametrize("name", SOLIDS)
def test_entries_lie_on_the_surface_and_normals_are_its_gradient(name, rays):
    o, d = rays
    t = SOLIDS[name].entry(o.unbind(1), d.unbind(1))
    hit = t.isfinite()
    assert 0.1 < hit.float().mean() < 0.9
    p = (o + t[:, None] * d)[hit].requires_grad_()
    value = inside(name, p)
    assert value.abs().max() < 1e-3
    (gradient,) = torch.autograd.grad(value.sum(), p)
    normal = torch.stack(SOLIDS[name].normal(p.detach().unbind(1)), 1)
    same = (normal * gradient).sum(1)
    seen = gradient[:, 2] > -0.99  # the underside lies on the ground and is never seen
    assert (same[seen] > 0.99).float().mean() > 0.995
    assert ((normal * d[hit]).sum(1)[seen] < 1e-2).float().mean() > 0.995  # towards where the ray came from


@pytest.mark.parametrize("name", SOLIDS)
def test_solids_stand_on_the_ground_inside_the_unit_circle_and_their_hull(name):
    side = torch.linspace(-1.3, 1.3, 41)
    grid = torch.cartesian_prod(side, side, torch.linspace(-0.3, 2.3, 41))
    filled = grid[inside(name, grid) < 0]
    assert filled[:, 2].min() > -1e-6
    assert filled[:, :2].norm(dim=1).max() <= 1 + 1e-6
    # contained in the convex hull: in no direction does the solid reach farther
    directions = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    assert ((directions @ filled.T).amax(1) <= (directions @ SOLIDS[name].hull.T).amax(1) + 1e-5).all()
