import math

import pytest
import torch

from mmdl_course.data.manifolds import (
    CITIES,
    Manifold,
    Spiral,
    cylindrical_equal_area,
    equirectangular,
    mercator,
    orthographic,
    roll,
    roll_with_hole,
    scene_factors,
    sphere,
    sphere_points,
    turning_camera,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_sphere_points_are_even_and_belong_to_their_coordinates():
    earth = sphere(20000, radius=3.0, generator=generator())
    torch.testing.assert_close(earth.points.norm(dim=1), torch.full((20000,), 3.0))
    assert earth.points.mean(0).abs().max() < 0.06
    # a cap down to height h holds the part (1 - h / r) / 2 of the surface
    assert (earth.points[:, 0] > 1.5).float().mean().item() == pytest.approx(0.25, abs=0.015)
    torch.testing.assert_close(sphere_points(*earth.coordinates.T, radius=3.0), earth.points)


def test_where_by_hand():
    place = sphere_points(torch.tensor([0.0, 0.0, 90.0]), torch.tensor([0.0, 90.0, 0.0]))
    torch.testing.assert_close(place, torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]), atol=1e-6, rtol=0)
    for latitude, longitude in CITIES.values():
        assert -90 < latitude < 90
        assert -180 < longitude < 180


def jacobian(projection, latitude, longitude):
    """How the map stretches one kilometre east and one north: columns of the local scale."""
    step = 1e-3

    def at(*place):
        return projection(*torch.tensor(place, dtype=torch.float64)[:, None])[0]

    north = (at(latitude + step, longitude) - at(latitude - step, longitude)) / math.radians(2 * step)
    east = (at(latitude, longitude + step) - at(latitude, longitude - step)) / math.radians(2 * step)
    return torch.stack([east / math.cos(math.radians(latitude)), north], 1)


@pytest.mark.parametrize("latitude", [-60.0, 0.0, 35.0, 70.0])
def test_each_map_keeps_what_it_promises(latitude):
    conformal = jacobian(mercator, latitude, 20.0)
    stretch = 1 / math.cos(math.radians(latitude))
    torch.testing.assert_close(
        conformal.T @ conformal, torch.eye(2).double() * stretch**2, atol=1e-4, rtol=1e-4
    )
    assert torch.linalg.det(jacobian(cylindrical_equal_area, latitude, 20.0)).item() == pytest.approx(
        1, abs=1e-4
    )
    assert jacobian(equirectangular, latitude, 20.0)[:, 1].norm().item() == pytest.approx(1, abs=1e-4)


def test_orthographic_is_the_view_from_afar():
    lat, lon = torch.tensor([30.0, 30.0, -30.0, 90.0]), torch.tensor([40.0, 41.0, -140.0, 0.0])
    place = orthographic(lat, lon, centre=(30.0, 40.0))
    torch.testing.assert_close(place[0], torch.zeros(2), atol=1e-6, rtol=0)
    assert place[1, 0] > 0  # east is to the right
    assert place[2].isnan().all()  # the antipode
    torch.testing.assert_close(place[3], torch.tensor([0.0, math.cos(math.radians(30))]), atol=1e-6, rtol=0)


def test_mercator_has_no_poles():
    assert mercator(torch.tensor([89.0, 84.0]), torch.zeros(2))[:, 1].isnan().tolist() == [True, False]


def test_short_ways_on_the_unrolled_band_are_short_ways_in_space():
    band = roll(2500, generator=generator())
    s, x = band.coordinates.double(), band.points.double()
    flat, space = torch.cdist(s, s), torch.cdist(x, x)
    near = (flat < 0.3) & (flat > 0.05)
    assert near.sum() > 500
    ratio = space[near] / flat[near]
    assert ratio.max() < 1.002
    assert ratio.min() > 0.99
    # and the other way round it is false: layers are near in space and far along the band
    assert flat[space < 1.7].max() > 10


def test_roll_points_follow_from_angle_and_height():
    spiral = Spiral(growth=0.5, length=10.0, height=2.0)
    band = roll(500, spiral=spiral, generator=generator())
    t, h = band.parameters.T
    torch.testing.assert_close(spiral.embed(t, h), band.points)
    torch.testing.assert_close(band.points[:, [0, 2]].norm(dim=1), 0.5 * t)
    assert t.min() >= spiral.start
    assert band.coordinates[:, 0].max() <= 10
    assert h.max() <= 2
    order = t.argsort()
    assert (band.coordinates[order, 0].diff() >= 0).all()


def test_points_are_even_along_the_band():
    s = roll(20000, generator=generator()).coordinates[:, 0] / Spiral().length
    share = torch.histc(s, 10, 0, 1) / len(s)
    assert (share - 0.1).abs().max() < 0.01


def test_noise_has_the_size_asked_for():
    clean, noisy = (roll(5000, noise=noise, generator=generator()) for noise in (0.0, 0.2))
    assert (noisy.points - clean.points).std().item() == pytest.approx(0.2, rel=0.03)
    assert torch.equal(noisy.coordinates, clean.coordinates)


def test_the_hole_is_empty_and_the_rest_is_not():
    band = roll_with_hole(3000, hole=(0.2, 0.6, 0.3, 0.9), generator=generator())
    s, h = (band.coordinates / torch.tensor([Spiral().length, Spiral().height])).T
    in_hole = (s > 0.2) & (s < 0.6) & (h > 0.3) & (h < 0.9)
    assert not in_hole.any()
    left = (s <= 0.2).float().mean().item()
    assert left == pytest.approx(0.2 / 0.76, abs=0.03)
    with pytest.raises(ValueError, match="hole must be"):
        roll_with_hole(10, hole=(0.6, 0.2, 0.3, 0.9), generator=generator())


def test_the_turning_cameras_pictures_change_with_the_angle_alone():
    views = turning_camera(24, generator=generator(), size=24)
    assert views.points.shape == (24, 3 * 24 * 24)
    assert views.images.shape == (24, 3, 24, 24)
    angle = views.coordinates[:, 0]
    assert angle.abs().max() <= 90
    order = angle.argsort()
    steps = views.points[order].diff(dim=0).norm(dim=1)
    far = (views.points[order[0]] - views.points[order[-1]]).norm()
    assert steps.min() > 0
    assert far > 3 * steps.median()
    assert views.colour.min() == 0
    assert views.colour.max() == 1


def test_scene_factors_are_pictures_with_their_factors():
    views = scene_factors(6, free=["hue", "x"], generator=generator(), size=16)
    assert views.points.shape == (6, 3 * 16 * 16)
    assert views.coordinates.shape == (6, 2)
    assert views.names == ("hue", "x")


def test_points_in_space_are_no_images():
    with pytest.raises(ValueError, match="not images but positions in 3 dimensions"):
        _ = sphere(5, generator=generator()).images


@pytest.mark.parametrize("make", [sphere, roll, roll_with_hole, turning_camera])
def test_the_same_seed_gives_the_same_points(make):
    first, second, third = (make(8, generator=generator(seed)) for seed in (1, 1, 2))
    assert isinstance(first, Manifold)
    assert torch.equal(first.points, second.points)
    assert not torch.equal(first.points, third.points)
    assert len(first) == 8
    assert len(first.names) == first.coordinates.shape[1]
