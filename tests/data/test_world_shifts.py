import dataclasses

import pytest
import torch

from mmdl_course.data.world import Camera, SceneConfig, make_scenes, render, sample_scenes
from mmdl_course.data.world.shifts import SHIFTS, shifted

DIALS = (0.0, 0.1, 0.4, 0.7, 1.0)
RECOLOURED = [name for name in SHIFTS if name not in ("viewpoint", "occlusion")]
SIZE = 32


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def scenes():
    return sample_scenes(10, generator=rng(4))


def look(scenes, shift, severity, *, seed=0, **options):
    return shifted(scenes, shift, severity, size=SIZE, generator=rng(seed), **options)


def assert_equal(first, second):
    for field in dataclasses.fields(first):
        a, b = getattr(first, field.name), getattr(second, field.name)
        assert (a is None and b is None) or torch.equal(a.nan_to_num(-7), b.nan_to_num(-7)), field.name


def distance(scenes, shift, severity, **options):
    """Mean square difference to the image without a shift, per scene."""
    plain = render(scenes, size=SIZE)
    image = look(scenes, shift, severity, **options).views.image
    return (image - plain.image).double().square().mean((1, 2, 3))


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("camera", [Camera(), Camera(azimuth=torch.linspace(0, 300, 10), elevation=20.0)])
def test_severity_zero_is_the_plain_render(scenes, shift, camera):
    seen = look(scenes, shift, 0, camera=camera)
    assert_equal(seen.views, render(scenes, camera=camera, size=SIZE))
    assert seen.camera is camera


@pytest.mark.parametrize("shift", [name for name in SHIFTS if name != "viewpoint"])
@pytest.mark.parametrize("seed", range(2))
def test_every_scene_moves_farther_away_with_severity(scenes, shift, seed):
    distances = torch.stack([distance(scenes, shift, dial, seed=seed) for dial in DIALS])
    assert (distances.diff(dim=0) >= 0).all()
    assert (distances[-1] > distances[1]).double().mean() > 0.7  # some scenes have no room for a card


@pytest.mark.parametrize("seed", range(2))
def test_the_camera_moves_farther_away_with_severity(scenes, seed):
    places = torch.stack([look(scenes, "viewpoint", dial, seed=seed).camera.position() for dial in DIALS[1:]])
    away = (places - Camera().position()).norm(dim=-1)
    assert (away.diff(dim=0) > 0).all()
    # A picture's distance also depends on what the objects hide: it grows on average.
    images = torch.stack([distance(scenes, "viewpoint", dial, seed=seed).mean() for dial in DIALS[::2]])
    assert (images.diff() > 0).all()


@pytest.mark.parametrize("shift", SHIFTS)
def test_same_generator_same_picture_another_seed_another(scenes, shift):
    first = look(scenes, shift, 0.7)
    assert_equal(first.views, look(scenes, shift, 0.7).views)
    same = torch.equal(first.views.image, look(scenes, shift, 0.7, seed=1).views.image)
    assert same == (shift in ("sketch", "grey"))


@pytest.mark.parametrize("shift", SHIFTS)
def test_what_is_drawn_does_not_depend_on_severity(scenes, shift):
    states = []
    for dial in (0, 0.4, 1):
        generator = rng()
        shifted(scenes, shift, dial, size=SIZE, generator=generator)
        states.append(generator.get_state())
    assert torch.equal(states[0], states[1])
    assert torch.equal(states[0], states[2])


@pytest.mark.parametrize("shift", RECOLOURED)
def test_labels_stay(scenes, shift):
    plain, seen = render(scenes, size=SIZE), look(scenes, shift, 1)
    assert_equal(dataclasses.replace(seen.views, image=plain.image), plain)
    shown = ~plain.boxes[..., 0].isnan()
    assert torch.equal(seen.visible == 1, shown)
    assert torch.equal(seen.visible.isnan(), ~shown)


@pytest.mark.parametrize("shift", SHIFTS)
def test_images_stay_in_range(scenes, shift):
    image = look(scenes, shift, 1).views.image
    assert image.dtype == torch.float32
    assert image.min() >= 0
    assert image.max() <= 1


def test_viewpoint_gives_what_its_camera_sees_and_keeps_objects_in_view(scenes):
    seen = look(scenes, "viewpoint", 1)
    assert_equal(seen.views, render(scenes, camera=seen.camera, size=SIZE))
    alone = sample_scenes(200, generator=rng(2), config=SceneConfig(objects=(1, 1)))
    seen = look(alone, "viewpoint", 1)
    assert ((seen.views.instance == 0).sum((1, 2)) >= 4).all()  # 8 before; the median is 18
    assert (seen.views.boxes[:, 0, :2] > 0).all()
    assert (seen.views.boxes[:, 0, 2:] < SIZE).all()
    assert (seen.camera.elevation < 90).all()
    low = look(alone, "viewpoint", 1, camera=Camera(elevation=3.0))
    assert (low.camera.elevation >= 3.0).all()


def test_sketch_and_grey_have_no_colour(scenes):
    for shift in ("sketch", "grey"):
        image = look(scenes, shift, 1).views.image
        torch.testing.assert_close(image[:, 0], image[:, 2], rtol=0, atol=1e-6)


def test_sketch_draws_folds_and_outlines_and_leaves_faces_and_paper_blank():
    cube = make_scenes([{"position": (0, 0), "shape": "cube", "yaw": 0.4}])
    ball = make_scenes([{"position": (0, 0)}])
    size = 128
    for scene, least, most in ((cube, 0.04, 0.5), (ball, 0.0, 0.02)):
        seen = shifted(scene, "sketch", 1, size=size, generator=rng())
        ink = seen.views.image[0, 0] < 0.6
        mask = seen.views.instance[0] == 0
        inner = -torch.nn.functional.max_pool2d(-mask[None].float(), 9, stride=1, padding=4)[0] > 0
        assert least <= (ink & inner).sum() / inner.sum() <= most  # the cube's three inner edges
        around = torch.nn.functional.max_pool2d(mask[None].float(), 5, stride=1, padding=2)[0] > 0
        assert not ink[~around].any()
        assert (ink & around & ~inner).sum() > 100


def test_texture_changes_objects_and_background_the_rest():
    scenes = sample_scenes(10, generator=rng(8))
    plain = render(scenes, size=SIZE)
    fine = (render(scenes, size=2 * SIZE, samples=1).instance >= 0)[:, None].float()
    share = torch.nn.functional.avg_pool2d(fine, 2)
    near, inner = share > 0, share == 1
    texture, background = (look(scenes, shift, 1).views.image for shift in ("texture", "background"))
    assert torch.equal(texture.where(~near, 0), plain.image.where(~near, 0))
    assert torch.equal(background.where(inner, 0), plain.image.where(inner, 0))
    assert (background - plain.image).abs().amax(1, keepdim=True)[~near].mean() > 0.1


def test_texture_sticks_to_the_surface():
    """From above, a quarter turn of the camera is a quarter turn of the picture, pattern included."""
    scene = make_scenes([{"position": (0, 0), "shape": "cube", "scale": 1.2, "yaw": 0.3}])
    inked = []
    for azimuth in (0.0, 90.0):
        camera = Camera(elevation=89.9, azimuth=azimuth)
        seen = shifted(scene, "texture", 1, size=96, generator=rng(3), camera=camera).views
        plain = render(scene, camera=camera, size=96).image
        inked.append((seen.image - plain).abs().amax(1)[0] > 0.2)
    assert 0.02 < inked[0].double().mean() < 0.2
    agree = [(inked[0] == torch.rot90(inked[1], turn)).double().mean().item() for turn in (1, 0, 2, 3)]
    assert agree[0] > 0.99
    assert max(agree[1:]) < 0.95


def test_noise_has_the_size_that_the_dial_says():
    scenes = make_scenes([{"position": (0, 0)}])
    plain = render(scenes, size=64).image
    change = shifted(scenes, "noise", 0.25, size=64, generator=rng()).views.image - plain
    middle = (plain > 0.4) & (plain < 0.6)
    assert change[middle].std().item() == pytest.approx(0.075, rel=0.05)
    assert change[middle].mean().item() == pytest.approx(0, abs=0.005)


def test_occlusion_says_how_much_is_left():
    scenes = sample_scenes(100, generator=rng(6))
    plain, seen = render(scenes, size=48), shifted(scenes, "occlusion", 1, size=48, generator=rng())
    for slot in range(4):
        before, after = ((views.instance == slot).sum((1, 2)) for views in (plain, seen.views))
        shown = before > 0
        torch.testing.assert_close(seen.visible[:, slot][shown], after[shown] / before[shown])
        assert seen.visible[:, slot][~shown].isnan().all()
    left = seen.visible[~seen.visible.isnan()]
    assert left.min() >= 0.35
    assert left.mean() < 0.75
    hidden = seen.views.instance != plain.instance
    assert (seen.views.instance[hidden] == -1).all()
    assert (seen.views.semantic[hidden] == -1).all()
    assert (seen.views.depth[hidden] < plain.depth[hidden]).all()
    for scene, slot in (seen.views.boxes[..., 0].isfinite()).nonzero()[:20].tolist():
        rows, columns = (seen.views.instance[scene] == slot).nonzero(as_tuple=True)
        hand = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert seen.views.boxes[scene, slot].tolist() == [float(value) for value in hand]


def test_large_batches_are_painted_in_parts(monkeypatch, scenes):
    whole = look(scenes, "sketch", 1).views.image
    monkeypatch.setattr("mmdl_course.data.world.shifts._PIXELS", 3 * SIZE**2)
    assert torch.equal(whole, look(scenes, "sketch", 1).views.image)


@pytest.mark.parametrize("shift", SHIFTS)
def test_no_scenes_and_empty_scenes(scenes, shift):
    assert len(look(scenes[:0], shift, 0.5).views) == 0
    seen = look(make_scenes([]), shift, 1)
    assert seen.visible.isnan().all()
    assert seen.views.image.isfinite().all()


def test_bad_requests_say_what_is_wrong(scenes):
    with pytest.raises(ValueError, match="no shift is called 'blur'; there are sketch, grey"):
        look(scenes, "blur", 0.5)
    for severity in (-0.1, 1.01, float("nan")):
        with pytest.raises(ValueError, match=r"severity must lie in 0\.\.1, not"):
            look(scenes, "grey", severity)
    with pytest.raises(ValueError, match="the camera is for 3 scenes, there are 10"):
        look(scenes, "viewpoint", 0.5, camera=Camera(azimuth=torch.zeros(3)))
    with pytest.raises(ValueError, match="size must be at least 1"):
        shifted(scenes, "grey", 0.5, size=0, generator=rng())
