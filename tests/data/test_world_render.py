import dataclasses
import math

import pytest
import torch

from mmdl_course.data.world import COLOURS, SHAPES, Camera, Light, Scenes, make_scenes, render, sample_scenes
from mmdl_course.data.world.frame import Frame


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(1)


@pytest.fixture
def scenes(generator):
    return sample_scenes(12, generator=generator)


def one(**what):
    return make_scenes([{"position": (0, 0), **what}])


def assert_same(first, second, *, but=(), atol=1e-5):
    for field in dataclasses.fields(first):
        if field.name not in but:
            a, b = getattr(first, field.name), getattr(second, field.name)
            torch.testing.assert_close(a, b, atol=atol, rtol=1e-4, equal_nan=True, msg=field.name)


def share_equal(first, second, atol=1e-3):
    """Part of the entries that agree; rays through an edge may fall on either side of it."""
    return (((first - second).abs() <= atol) | (first == second)).double().mean().item()


def points_in_world(views, camera, size):
    """Unproject the depth image with the documented matrices."""
    place = torch.arange(size) + 0.5
    row, column = torch.meshgrid(place, place, indexing="ij")
    pixels = torch.stack([column, row, torch.ones_like(row)], -1)
    rays = pixels @ camera.intrinsics(size)[0].inverse().T
    points = torch.cat([rays * views.depth[0][..., None], torch.ones(size, size, 1)], -1)
    return (points @ camera.extrinsics()[0].inverse().T)[..., :3]


def test_a_spheres_silhouette_and_depth_follow_the_pinhole_formula():
    radius, distance, size = 0.7, 6.0, 256
    camera = Camera(target=(0.0, 0.0, radius), distance=distance)
    views = render(one(scale=radius), camera=camera, size=size, samples=1)
    focal = size / 2 / math.tan(math.radians(camera.field_of_view) / 2)
    silhouette = focal * radius / math.sqrt(distance**2 - radius**2)
    area = (views.instance == 0).sum().item()
    assert area == pytest.approx(math.pi * silhouette**2, rel=0.005)
    x0, y0, x1, y1 = views.boxes[0, 0].tolist()
    assert x1 - x0 == pytest.approx(2 * silhouette, abs=1.5)
    assert (x0 + x1) / 2 == pytest.approx(size / 2, abs=1)
    assert (y0 + y1) / 2 == pytest.approx(size / 2, abs=1)
    assert views.depth[0, size // 2, size // 2].item() == pytest.approx(distance - radius, abs=1e-3)


def test_depth_unprojects_to_the_ground_and_to_the_surface():
    camera, size = Camera(azimuth=25.0), 96
    scene = make_scenes([{"position": (0.4, -0.3), "scale": 0.8}])
    views = render(scene, camera=camera, size=size, samples=1)
    points, mask = points_in_world(views, camera, size), views.instance[0] == 0
    assert points[~mask][:, 2].abs().max() < 1e-3
    centre = torch.tensor([0.4, -0.3, 0.8])
    torch.testing.assert_close(
        (points[mask] - centre).norm(dim=-1), torch.full((mask.sum(),), 0.8), atol=1e-3, rtol=0
    )


def test_boxes_are_those_of_the_instance_mask(scenes):
    views = render(scenes, size=48)
    for scene in range(len(scenes)):
        for slot in range(4):
            rows, columns = (views.instance[scene] == slot).nonzero(as_tuple=True)
            box = views.boxes[scene, slot]
            if len(rows):
                hand = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                assert box.tolist() == [float(value) for value in hand]
            else:
                assert box.isnan().all()
    assert not (views.boxes[~scenes.present] == views.boxes[~scenes.present]).any()


def test_permuting_slots_changes_nothing_but_slot_numbers(scenes):
    order = torch.tensor([2, 0, 3, 1])
    permuted = Scenes(*(getattr(scenes, field.name)[:, order] for field in dataclasses.fields(scenes)))
    before, after = render(scenes, size=40), render(permuted, size=40)
    assert_same(before, after, but=("instance", "boxes"))
    renamed = torch.where(after.instance >= 0, order[after.instance], -1)
    assert torch.equal(renamed, before.instance)
    torch.testing.assert_close(before.boxes[:, order], after.boxes, equal_nan=True)


def test_a_picture_twice_as_large_shrinks_to_the_picture(scenes):
    small, large = render(scenes, size=32, samples=4), render(scenes, size=64, samples=4)
    pooled = torch.nn.functional.avg_pool2d(large.image, 2)
    assert (small.image - pooled).abs().mean() < 2e-3
    assert (small.image - pooled).abs().max() < 0.15  # the rays of an edge's pixel are other ones
    depth = torch.nn.functional.avg_pool2d(large.depth[:, None], 2)[:, 0]
    of_one_kind = (large.instance[:, ::2, ::2] == large.instance[:, 1::2, 1::2]) & (
        large.instance[:, ::2, 1::2] == large.instance[:, 1::2, ::2]
    )
    of_one_kind &= large.instance[:, ::2, ::2] == large.instance[:, 1::2, ::2]
    assert (small.instance == large.instance[:, ::2, ::2])[of_one_kind].float().mean() > 0.999
    assert (small.depth - depth)[of_one_kind].abs().mean() < 0.01


def test_an_edge_moves_in_steps_smaller_than_a_pixels_sample():
    # An upright edge that moves by a hundredth of a pixel: the rays are shifted so that it never crosses all
    # of a column's samples at once.
    x = torch.linspace(0, 0.1, 101)
    scenes = make_scenes(*([{"position": (a.item(), 0.0), "shape": "cube"}] for a in x))
    images = render(scenes, size=32, samples=2, shadows=False).image.flatten(1)
    steps = images.diff(dim=0).norm(dim=1)
    assert steps.max() < 0.25 * (images[0] - images[-1]).norm()


def test_a_full_turn_of_the_camera_changes_nothing(scenes):
    first, second = (render(scenes, camera=Camera(azimuth=angle), size=32) for angle in (-150.0, 210.0))
    assert share_equal(first.image, second.image) > 0.999
    assert share_equal(first.instance, second.instance) > 0.999


def test_turning_the_camera_is_turning_scene_and_lamp_the_other_way(scenes):
    angle = 40.0
    turned_camera = render(scenes, camera=Camera(azimuth=angle), size=48)
    a = math.radians(-angle)
    rotation = torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    turned = dataclasses.replace(scenes, position=scenes.position @ rotation.T, yaw=scenes.yaw + a)
    turned_scene = render(turned, light=Light(azimuth=Light().azimuth - angle), size=48)
    assert share_equal(turned_camera.image, turned_scene.image) > 0.998
    assert share_equal(turned_camera.depth, turned_scene.depth) > 0.998
    assert share_equal(turned_camera.instance, turned_scene.instance) > 0.998


def test_the_nearer_object_hides_the_farther_one():
    pair = [{"position": (0, -0.9), "colour": "red"}, {"position": (0, 0.9), "colour": "blue"}]
    low = Camera(elevation=8.0)
    front = render(make_scenes(pair), camera=low, size=64)
    back = render(make_scenes(pair), camera=dataclasses.replace(low, azimuth=180.0), size=64)
    areas = lambda views: [(views.instance == slot).sum().item() for slot in (0, 1)]  # noqa: E731
    assert areas(front)[0] > 3 * areas(front)[1]
    assert areas(back)[1] > 3 * areas(back)[0]


def test_what_is_wholly_hidden_has_no_box():
    scene = make_scenes([{"position": (0, -1), "scale": 1.2}, {"position": (0, 1.2), "scale": 0.2}])
    views = render(scene, camera=Camera(elevation=10.0), size=64)
    assert views.boxes[0, 1].isnan().all()
    assert views.boxes[0, 0].isfinite().all()


def test_chunks_and_single_scenes_give_what_the_whole_batch_gives(generator, monkeypatch):
    scenes = sample_scenes(9, generator=generator)
    camera = Camera(azimuth=torch.linspace(-100, 150, 9))
    whole = render(scenes, camera=camera, size=32)
    monkeypatch.setattr("mmdl_course.data.world.frame.RAYS", 2 * 64 * 64)
    assert_same(render(scenes, camera=camera, size=32), whole)
    for number in range(9):
        alone = render(scenes[number], camera=Camera(azimuth=camera.azimuth[number].item()), size=32)
        torch.testing.assert_close(alone.image[0], whole.image[number], atol=1e-4, rtol=0)


def test_casting_only_into_projected_boxes_loses_nothing(generator, monkeypatch):
    scenes = sample_scenes(16, generator=generator)
    camera = Camera(azimuth=torch.linspace(0, 330, 16), elevation=torch.linspace(5, 90, 16))
    boxed = render(scenes, camera=camera, size=24)

    def everywhere(frame, points):
        return torch.tensor([0, 0, len(frame.grid), len(frame.grid)]).expand(len(points), 4)

    monkeypatch.setattr(Frame, "project", everywhere)
    assert_same(render(scenes, camera=camera, size=24), boxed)


def test_an_empty_scene_is_ground_alone_and_an_empty_batch_is_empty():
    views = render(make_scenes([]), size=24)
    assert (views.instance == -1).all()
    assert views.image.isfinite().all()
    assert views.boxes.isnan().all()
    assert len(render(make_scenes([])[:0], size=24)) == 0


def test_above_the_horizon_depth_is_infinite():
    views = render(make_scenes([]), camera=Camera(elevation=5.0), size=32)
    assert views.depth[0, 0].isinf().all()
    assert views.depth[0, -1].isfinite().all()
    assert views.image.isfinite().all()


def test_shadows_only_darken_and_fall_away_from_the_lamp(scenes):
    with_shadow, without = (render(scenes, size=48, shadows=on) for on in (True, False))
    assert (with_shadow.image <= without.image + 1e-6).all()
    assert torch.equal(with_shadow.instance, without.instance)
    scene = one(shape="cylinder")
    left, right = (
        render(scene, light=Light(azimuth=angle), size=64).image[0].mean(0) for angle in (-90.0, 90.0)
    )
    ground = render(scene, size=64).instance[0] == -1
    darker = (left - right) * ground  # lamp at the left: the shadow lies to the right
    assert darker[:, 32:].min() < -0.05
    assert darker[:, 32:].max() < 0.05
    assert (left - right.flip(1)).abs().mean() < 2e-3  # mirrored, but for single rays at edges


def test_an_object_can_stand_in_anothers_shadow():
    light = Light(azimuth=-90.0, elevation=30.0)
    far = {"position": (1.0, 0.0), "shape": "cube", "size": "small"}
    alone, shaded = (
        render(make_scenes(objects), light=light, size=64)
        for objects in ([far], [far, {"position": (-0.4, 0.0), "shape": "cylinder", "scale": 0.9}])
    )
    mask = (alone.instance[0] == 0) & (shaded.instance[0] == 0)
    assert shaded.image[0][:, mask].mean() < 0.8 * alone.image[0][:, mask].mean()


@pytest.mark.parametrize("shape", SHAPES)
def test_every_colour_can_be_told_from_the_picture(shape):
    scenes = make_scenes(*([{"position": (0, 0), "shape": shape, "colour": name}] for name in COLOURS))
    views = render(scenes, size=64)
    mask = (views.instance == 0)[:, None]
    mean = (views.image * mask).sum((2, 3)) / mask.sum((2, 3))
    palette = torch.tensor(list(COLOURS.values()))
    # up to a common brightness: each picture's mean is most like its own colour
    direction = lambda rgb: rgb / rgb.norm(dim=-1, keepdim=True)  # noqa: E731
    assert (direction(mean) @ direction(palette).T).argmax(1).tolist() == list(range(len(COLOURS)))


def test_yaw_moves_the_wedge_and_not_the_round_ones():
    for shape in SHAPES:
        straight, turned = (render(one(shape=shape, yaw=yaw), size=32).image for yaw in (0.0, 1.0))
        moved = (straight - turned).abs().max().item()
        assert (moved > 0.1) == (shape in ("cube", "wedge")), shape


def test_no_two_views_of_the_wedge_around_it_are_alike():
    scenes = make_scenes(
        *([{"position": (0, 0), "shape": "wedge", "yaw": 0.1 + k * math.pi / 4}] for k in range(8))
    )
    images = render(scenes, size=32).image.flatten(1)
    distances = torch.cdist(images, images) + 100 * torch.eye(8)
    assert distances.min() > 1


def test_wrong_requests_are_named():
    with pytest.raises(ValueError, match="camera is for 3 scenes, there are 2"):
        render(make_scenes([], []), camera=Camera(azimuth=torch.zeros(3)))
    with pytest.raises(ValueError, match="must be at least 1"):
        render(make_scenes([]), size=0)
    with pytest.raises(ValueError, match=r"elevation must lie in \(0, 90\], not -10"):
        Light(elevation=-10.0)
    with pytest.raises(ValueError, match=r"shade must lie in 0..1"):
        Light(shade=1.5)


def test_rendering_leaves_torchs_threads_as_they_were(scenes, monkeypatch):
    seen = []

    def ground(frame):
        seen.append(torch.get_num_threads())
        raise ZeroDivisionError(frame)

    monkeypatch.setattr(Frame, "ground", ground)
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        render(scenes)
    assert seen == [1]
    assert torch.get_num_threads() == before


def test_a_spheres_normals_point_from_its_centre_and_the_grounds_up():
    camera, size = Camera(azimuth=25.0), 96
    scene = make_scenes([{"position": (0.4, -0.3), "scale": 0.8}])
    views = render(scene, camera=camera, size=size, samples=1, normals=True)
    points, mask = points_in_world(views, camera, size), views.instance[0] == 0
    normal = views.normal[0].movedim(0, -1)
    hand = (points - torch.tensor([0.4, -0.3, 0.8])) / 0.8
    torch.testing.assert_close(normal[mask], hand[mask], atol=2e-3, rtol=0)
    assert (normal[~mask] == torch.tensor([0.0, 0.0, 1.0])).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_normals_are_those_of_the_depth_images_own_triangles(shape):
    camera, size = Camera(azimuth=-35.0), 192
    views = render(one(shape=shape, yaw=0.3, scale=1.0), camera=camera, size=size, samples=1, normals=True)
    points, inside = points_in_world(views, camera, size), views.instance[0] == 0
    across, down = points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1]
    slope = torch.nn.functional.normalize(torch.linalg.cross(down, across), dim=-1)
    same = (slope * views.normal[0].movedim(0, -1)[1:-1, 1:-1]).sum(-1)
    whole = torch.nn.functional.max_pool2d(~inside[None] * 1.0, 3, stride=1)[0] == 0
    assert (same[whole] > 0.99).float().mean() > 0.93  # the others lie across an edge or at the rim


def test_normals_have_length_one_face_the_eye_and_change_nothing_else(scenes):
    camera, size = Camera(elevation=8.0), 48
    views = render(scenes, camera=camera, size=size, normals=True)
    plain = render(scenes, camera=camera, size=size)
    assert plain.normal is None
    assert_same(plain, views, but=("normal",), atol=0)
    sky = views.depth.isinf()
    assert sky.any()
    assert (views.normal.norm(dim=1)[sky] == 0).all()
    torch.testing.assert_close(views.normal.norm(dim=1)[~sky], torch.ones((~sky).sum()))
    seen = torch.einsum("xk,skrc->sxrc", camera.axes()[0], views.normal)  # in the camera's frame
    assert seen[:, 2][~sky].max() < 0.35  # rays at the corners stand up to 27 degrees off the axis


def test_a_pixel_that_sees_two_things_has_the_normal_of_the_one_it_names(scenes):
    views = render(scenes, size=24, samples=3, normals=True)
    ground = views.normal.movedim(1, -1)[views.instance == -1]
    torch.testing.assert_close(ground, torch.tensor([0.0, 0.0, 1.0]).expand_as(ground))


def test_semantics_name_the_shape_of_the_instance(scenes):
    views = render(scenes, size=40)
    for scene, slot in scenes.present.nonzero().tolist():
        assert (views.semantic[scene][views.instance[scene] == slot] == scenes.shape[scene, slot]).all()
    assert torch.equal(views.semantic == -1, views.instance == -1)
