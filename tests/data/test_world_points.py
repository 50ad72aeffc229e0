import math

import pytest
import torch
from test_world_solids import inside

from mmdl_course.data.world import SHAPES, Camera, make_scenes, render, sample_scenes
from mmdl_course.data.world.points import point_cloud, voxels
from mmdl_course.data.world.solids import CONE, CUBE, CYLINDER, TORUS, WEDGE
from mmdl_course.data.world.surfaces import BODIES
from mmdl_course.data.world.video import rays


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(7)


@pytest.fixture
def scenes(generator):
    return sample_scenes(8, generator=generator)


def drawn(name, count, generator):
    return BODIES[name].draw(torch.rand(count, 3, generator=generator))


def to_local(points, scenes, scene, slot):
    """World points (point, 3) in an object's frame."""
    yaw, scale = scenes.yaw[scene, slot], scenes.scale[scene, slot]
    x, y = (points[:, :2] - scenes.position[scene, slot]).unbind(1)
    turned = yaw.cos() * x + yaw.sin() * y, yaw.cos() * y - yaw.sin() * x, points[:, 2]
    return torch.stack(turned, 1) / scale


@pytest.mark.parametrize("name", SHAPES)
def test_drawn_points_lie_on_the_surface_and_normals_are_its_slope(name, generator):
    point, normal = drawn(name, 4000, generator)
    assert inside(name, point).abs().max() < 2e-6
    torch.testing.assert_close(normal.norm(dim=1), torch.ones(4000))
    step = 1e-3
    offsets = torch.eye(3) * step
    slope = [(inside(name, point + e) - inside(name, point - e)) / (2 * step) for e in offsets]
    same = (torch.stack(slope, 1) * normal).sum(1)
    assert (same > 0.999).float().mean() > 0.985  # the others lie within a step of an edge


@pytest.mark.parametrize("name", SHAPES)
def test_area_volume_and_an_even_spread_agree_with_gauss(name, generator):
    count = 200_000
    point, normal = drawn(name, count, generator)
    # The flux of (1, 1, 1) out of a closed surface is nought, that of p its volume three times, that of
    # z² e_z twice the volume times the centre's height.
    area, volume = BODIES[name].area, BODIES[name].volume
    assert (area * normal.mean(0)).abs().max() < 4 * area / math.sqrt(count)
    assert (area * (point * normal).sum(1).mean() / 3).item() == pytest.approx(volume, rel=0.006)
    grid = torch.rand(count, 3, generator=generator) * torch.tensor([2.0, 2.0, 2.0]) - torch.tensor([1, 1, 0])
    within = BODIES[name].inside(grid.unbind(1))
    assert within.float().mean().item() * 8 == pytest.approx(volume, rel=0.02)
    assert torch.equal(within, inside(name, grid) <= 0) or (within ^ (inside(name, grid) <= 0)).sum() < 3
    height = grid[within][:, 2].mean().item()
    flux = area * (point[:, 2].square() * normal[:, 2]).mean().item()
    assert flux == pytest.approx(2 * volume * height, rel=0.02)


def test_areas_by_hand():
    radius, height = CYLINDER
    assert BODIES["sphere"].area == pytest.approx(4 * math.pi)
    assert BODIES["cube"].area == pytest.approx(6 * (2 * CUBE) ** 2)
    assert BODIES["cylinder"].area == pytest.approx(2 * math.pi * radius * (radius + height))
    assert BODIES["cone"].area == pytest.approx(math.pi * CONE[0] * (CONE[0] + math.hypot(*CONE)))
    assert BODIES["torus"].area == pytest.approx((2 * math.pi * TORUS[0]) * (2 * math.pi * TORUS[1]))
    length, width, height = WEDGE
    around = 2 * length + height + math.hypot(2 * length, height)
    assert BODIES["wedge"].area == pytest.approx(2 * width * around + 2 * length * height)


def shares(parts, count):
    """Fractions of points in parts, and five standard deviations of each."""
    fraction = torch.stack([part.float().mean() for part in parts])
    return fraction, 5 * (fraction * (1 - fraction) / count).sqrt()


def test_each_part_of_a_surface_gets_points_by_its_area(generator):
    count = 60_000
    point, normal = drawn("cube", count, generator)
    faces = [normal[:, axis] == sign for axis in range(3) for sign in (-1, 1)]
    fraction, five = shares(faces, count)
    assert ((fraction - 1 / 6).abs() < five).all()
    radius, height = CYLINDER
    _, normal = drawn("cylinder", count, generator)
    fraction, five = shares([normal[:, 2] == 1, normal[:, 2] == -1, normal[:, 2] == 0], count)
    ends = radius / 2 / (radius + height)  # each lid's part of 2 π r (r + h)
    assert ((fraction - torch.tensor([ends, ends, 1 - 2 * ends])).abs() < five).all()
    # Archimedes: slices of a sphere of the same height have the same area.
    point, _ = drawn("sphere", count, generator)
    fraction, five = shares([(point[:, 2] * 5).long() == k for k in range(10)], count)
    assert ((fraction - 0.1).abs() < five).all()
    # The torus' outer half has the area of the inner one and 8 π tube² more (Pappus).
    point, normal = drawn("torus", count, generator)
    ring, tube = TORUS
    outer = point[:, :2].norm(dim=1) > ring
    fraction, five = shares([outer], count)
    assert (fraction - (0.5 + tube / ring / math.pi)).abs() < five


def test_objects_and_ground_get_points_by_their_area(generator):
    scenes = make_scenes(
        [
            {"position": (-1, 0), "shape": "sphere", "scale": 0.5},
            {"position": (1, 0), "shape": "cube", "scale": 0.9, "yaw": 0.4},
        ]
    )
    cloud = point_cloud(scenes, points=50_000, generator=generator, ground=2.0)
    areas = torch.tensor([math.pi * 4, 4 * math.pi * 0.25, 12 * 0.81])  # ground, sphere, cube
    fraction, five = shares([cloud.instance[0] == k for k in (-1, 0, 1)], 50_000)
    assert ((fraction - areas / areas.sum()).abs() < five).all()
    ground = cloud.position[0][cloud.instance[0] == -1]
    assert (ground[:, 2] == 0).all()
    reach = ground[:, :2].norm(dim=1)
    assert reach.max() <= 2
    assert (reach < 1).float().mean().item() == pytest.approx(0.25, abs=0.02)


def test_clouds_lie_on_their_objects_with_their_colours(scenes, generator):
    cloud = point_cloud(scenes, points=500, generator=generator)
    assert (cloud.instance >= 0).all()
    for scene, slot in scenes.present.nonzero().tolist():
        mine = cloud.instance[scene] == slot
        local = to_local(cloud.position[scene][mine], scenes, scene, slot)
        assert inside(SHAPES[scenes.shape[scene, slot]], local).abs().max() < 1e-4
        assert (cloud.colour[scene][mine] == scenes.rgb[scene, slot]).all()
        out = to_local((cloud.position + 0.01 * cloud.normal)[scene][mine], scenes, scene, slot)
        assert inside(SHAPES[scenes.shape[scene, slot]], out).min() > 0
    assert scenes.present[torch.arange(8)[:, None], cloud.instance].all()


def test_a_generator_in_the_same_state_gives_the_same_cloud(scenes):
    first, second = (
        point_cloud(scenes, points=50, generator=torch.Generator().manual_seed(2)) for _ in range(2)
    )
    assert torch.equal(first.position, second.position)


def test_the_renderer_shows_the_cloud_where_the_matrices_put_it(scenes, generator):
    camera, size = Camera(azimuth=40.0), 128
    cloud = point_cloud(scenes, points=3000, generator=generator, ground=1.5)
    views = render(scenes, camera=camera, size=size, samples=1, normals=True)
    seen = torch.nn.functional.pad(cloud.position, (0, 1), value=1.0) @ camera.extrinsics()[0, :3].T
    pixel = seen @ camera.intrinsics(size)[0].T
    column, row = (pixel[..., k] / pixel[..., 2] for k in (0, 1))
    scene = torch.arange(len(scenes))[:, None].expand_as(column)
    at = scene, row.long(), column.long()
    # Nothing of the cloud lies before what is seen; at a rim a neighbouring pixel shows it.
    nearest = -torch.nn.functional.max_pool2d(-views.depth[:, None], 3, stride=1, padding=1)[:, 0]
    assert (seen[..., 2] - nearest[at] > -0.03).float().mean() > 0.995
    shown = (seen[..., 2] - views.depth[at]).abs() < 0.01
    assert 0.1 < shown.float().mean() < 0.8
    same = (views.normal.movedim(1, -1)[at] * cloud.normal).sum(-1) > 0.9
    assert (views.instance[at] == cloud.instance)[shown].float().mean() > 0.97
    assert same[shown].float().mean() > 0.95


def test_depth_along_rays_ends_near_the_cloud(generator):
    scene = make_scenes([{"position": (0.2, 0.1), "shape": "torus", "scale": 1.0}])
    cloud = point_cloud(scene, points=8000, generator=generator)
    views = render(scene, size=32, samples=1)
    origins, directions = rays(Camera(), size=32)
    met = (origins + views.depth[0, ..., None] * directions)[0][views.instance[0] == 0]
    assert torch.cdist(met, cloud.position[0]).amin(1).max() < 0.1


@pytest.mark.parametrize("shape", SHAPES)
def test_voxels_fill_the_solids_volume(shape):
    scales = [1.0 + 0.037 * k for k in range(12)]  # so that no edge always meets the voxels alike
    scenes = make_scenes(
        *(
            [{"position": (0.03 * k, -0.07 * k), "shape": shape, "scale": scale, "yaw": 0.5 * k}]
            for k, scale in enumerate(scales)
        )
    )
    grid = voxels(scenes, size=64)
    volume = grid.occupancy.sum().item() * grid.side**3
    assert volume == pytest.approx(BODIES[shape].volume * sum(scale**3 for scale in scales), rel=0.01)


def test_voxels_and_cloud_agree_on_what_is_inside(scenes, generator):
    grid = voxels(scenes, size=96)
    assert torch.equal(grid.occupancy, grid.instance >= 0)
    cloud = point_cloud(scenes, points=2000, generator=generator)
    scene = torch.arange(len(scenes))[:, None].expand_as(cloud.instance)

    def look(points):
        x, y, z = ((points + torch.tensor([2.8, 2.8, 0.0])) / grid.side).unbind(-1)
        within = (z >= 0) & (z < 48)
        return grid.instance[scene, z.long().clamp(0, 47), y.long(), x.long()], within

    number, _ = look(cloud.position - 1.2 * grid.side * cloud.normal)
    assert (number == cloud.instance).float().mean() > 0.97
    number, within = look(cloud.position + 1.2 * grid.side * cloud.normal)
    assert (number == -1)[within].float().mean() > 0.96


def test_the_grids_axes_are_up_away_and_right():
    grid = voxels(
        make_scenes([{"position": (2, -1), "shape": "cylinder", "scale": 0.5}]), size=28, extent=2.8
    )
    z, y, x = grid.occupancy[0].nonzero(as_tuple=True)
    assert z.min() == 0  # it stands on the ground
    assert ((x + 0.5).mean() * 0.2 - 2.8).item() == pytest.approx(2, abs=0.05)
    assert ((y + 0.5).mean() * 0.2 - 2.8).item() == pytest.approx(-1, abs=0.05)


def test_the_lowest_slot_has_what_two_objects_fill_and_chunks_change_nothing(scenes, monkeypatch):
    grid = voxels(make_scenes([{"position": (0, 0)}, {"position": (0.1, 0)}]), size=16)
    alone = voxels(make_scenes([{"position": (0, 0)}]), size=16)
    assert torch.equal(grid.instance == 0, alone.occupancy)
    whole = voxels(scenes, size=16)
    monkeypatch.setattr("mmdl_course.data.world.points._CELLS", 1)
    assert torch.equal(voxels(scenes, size=16).instance, whole.instance)


def test_the_default_grid_holds_sampled_scenes(generator):
    grid = voxels(sample_scenes(64, generator=generator), size=56).occupancy
    border = torch.cat([grid[:, -1].flatten(), grid[:, :, [0, -1]].flatten(), grid[..., [0, -1]].flatten()])
    assert border.float().mean() < 1e-3


def test_empty_batches_and_empty_scenes(generator):
    nothing = make_scenes([])
    assert point_cloud(nothing[:0], points=5, generator=generator).position.shape == (0, 5, 3)
    assert len(voxels(nothing[:0], size=4)) == 0
    assert not voxels(nothing, size=4).occupancy.any()
    assert (point_cloud(nothing, points=5, generator=generator, ground=1.0).instance == -1).all()


def test_wrong_requests_are_named(scenes, generator):
    with pytest.raises(ValueError, match="scene 1 holds no object"):
        point_cloud(make_scenes([{"position": (0, 0)}], []), points=5, generator=generator)
    with pytest.raises(ValueError, match="points must be at least 1"):
        point_cloud(scenes, points=0, generator=generator)
    with pytest.raises(ValueError, match="size must be even"):
        voxels(scenes, size=7)
