import dataclasses

import pytest
import torch

from mmdl_course.data.world import Camera, make_scenes, render, sample_scenes
from mmdl_course.data.world.video import MultiViews, multi_view, orbit, rays, turning_video


@pytest.fixture
def scenes():
    return sample_scenes(3, generator=torch.Generator().manual_seed(4))


def project(camera, points, size):
    """World points (point, 3) to columns, rows and depths, (camera, point) each."""
    points = torch.nn.functional.pad(points, (0, 1), value=1.0)
    seen = (camera.extrinsics() @ points.T)[:, :3]
    pixel = camera.intrinsics(size) @ seen
    return pixel[:, 0] / pixel[:, 2], pixel[:, 1] / pixel[:, 2], seen[:, 2]


def test_every_view_is_what_render_shows_from_its_camera(scenes):
    camera = orbit(5, elevation=20.0, distance=7.0)
    views = multi_view(scenes, camera=camera, size=32)
    assert views.image.shape == (3, 5, 3, 32, 32)
    for k, azimuth in enumerate(camera.azimuth.tolist()):
        alone = render(
            scenes, camera=Camera(azimuth=azimuth, elevation=20.0, distance=7.0), size=32, normals=True
        )
        for field in dataclasses.fields(MultiViews):
            one, of_many = getattr(alone, field.name), getattr(views, field.name)[:, k]
            agree = (one == of_many) | ((one - of_many).abs() < 1e-3) | (one.isnan() & of_many.isnan())
            assert agree.double().mean() > 0.999, field.name


def test_frames_of_the_turning_video_are_renders_and_the_turn_closes(scenes):
    video = turning_video(scenes, frames=6, size=24)
    for k in range(6):
        alone = render(scenes, camera=Camera(azimuth=60.0 * k), size=24).image
        assert ((video[:, k] - alone).abs() < 1e-3).double().mean() > 0.999
    steps = (video - video.roll(1, dims=1)).abs().mean((0, 2, 3, 4))
    assert steps[0] < 2 * steps[1:].mean()  # from the last frame to the first it is one step, too


def test_orbit_by_hand():
    camera = orbit(4, start=10.0, turn=-180.0)
    assert camera.azimuth.tolist() == pytest.approx([10.0, -35.0, -80.0, -125.0])
    position = orbit(7, distance=5.0, elevation=30.0).position()
    torch.testing.assert_close(position[:, 2], torch.full((7,), 0.3 + 2.5))
    torch.testing.assert_close(position[:, :2].sum(0), torch.zeros(2), atol=1e-5, rtol=0)


def test_a_ray_goes_through_its_pixels_centre_from_the_cameras_place():
    camera, size = orbit(3, start=15.0), 10
    origins, directions = rays(camera, size=size)
    assert origins.shape == directions.shape == (3, size, size, 3)
    for view in range(3):
        columns, rows, depth = project(
            camera[view : view + 1], (origins + 2.5 * directions)[view].flatten(0, 1), size
        )
        centre = torch.arange(size) + 0.5
        torch.testing.assert_close(columns.view(size, size), centre.expand(size, size), atol=1e-4, rtol=0)
        torch.testing.assert_close(
            rows.view(size, size), centre[:, None].expand(size, size), atol=1e-4, rtol=0
        )
        torch.testing.assert_close(depth, torch.full_like(depth, 2.5), atol=1e-5, rtol=0)
    torch.testing.assert_close(origins[:, 3, 4], camera.position())


def test_depth_along_the_rays_ends_on_the_sphere_or_on_the_ground():
    scene = make_scenes([{"position": (0.5, -0.2), "scale": 0.7}])
    camera, size = orbit(4), 40
    origins, directions = rays(camera, size=size)
    views = multi_view(scene, camera=camera, size=size, samples=1)
    points, mask = origins + views.depth[0, ..., None] * directions, views.instance[0] == 0
    assert (mask.flatten(1).sum(1) > 50).all()
    reach = (points[mask] - torch.tensor([0.5, -0.2, 0.7])).norm(dim=-1)
    torch.testing.assert_close(reach, torch.full_like(reach, 0.7), atol=1e-3, rtol=0)
    assert points[~mask][:, 2].abs().max() < 1e-3


def test_the_matrices_put_a_small_object_on_the_pixel_that_shows_it():
    place, radius, size = (0.9, -0.6), 0.08, 96
    camera = orbit(6, start=5.0)
    views = multi_view(make_scenes([{"position": place, "scale": radius}]), camera=camera, size=size)
    columns, rows, depth = project(camera, torch.tensor([[*place, radius]]), size)
    for view in range(6):
        seen_rows, seen_columns = (views.instance[0, view] == 0).nonzero(as_tuple=True)
        assert seen_columns.float().mean().item() + 0.5 == pytest.approx(columns[view, 0].item(), abs=0.5)
        assert seen_rows.float().mean().item() + 0.5 == pytest.approx(rows[view, 0].item(), abs=0.5)
        row, column = int(rows[view, 0]), int(columns[view, 0])
        assert depth[view, 0].item() - views.depth[0, view, row, column].item() == pytest.approx(
            radius, abs=0.03
        )


def test_no_scenes_give_no_video():
    assert turning_video(make_scenes([])[:0], frames=3, size=8).shape == (0, 3, 3, 8, 8)


def test_wrong_requests_are_named(scenes):
    with pytest.raises(ValueError, match="frames must be at least 1"):
        orbit(0)
    with pytest.raises(ValueError, match="no axis of views"):
        multi_view(scenes, camera=Camera())
    with pytest.raises(ValueError, match="size must be at least 1"):
        rays(Camera(), size=0)
