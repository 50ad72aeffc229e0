import math

import pytest
import torch

from mmdl_course.data.world import Camera


def test_axes_are_orthonormal_and_right_handed():
    axes = Camera(azimuth=torch.linspace(-180, 180, 7), elevation=torch.linspace(1, 90, 7)).axes()
    torch.testing.assert_close(axes @ axes.transpose(1, 2), torch.eye(3).expand(7, 3, 3), atol=1e-6, rtol=0)
    torch.testing.assert_close(torch.linalg.det(axes), torch.ones(7))


def test_by_hand_the_default_side_is_negative_y_and_ninety_degrees_is_positive_x():
    place = Camera(
        azimuth=torch.tensor([0.0, 90.0]), elevation=30.0, distance=2.0, target=(0.0, 0.0, 0.0)
    ).position()
    level, up = 2 * math.cos(math.radians(30)), 1.0
    torch.testing.assert_close(place, torch.tensor([[0.0, -level, up], [level, 0.0, up]]), atol=1e-6, rtol=0)


def test_the_target_projects_to_the_middle_and_x_to_the_right():
    camera, size = Camera(), 64
    points = torch.tensor([[*camera.target, 1.0], [1.0, 0.0, 0.3, 1.0], [0.0, 1.0, 0.3, 1.0]])
    seen = (camera.extrinsics()[0] @ points.T)[:3]
    pixel = camera.intrinsics(size)[0] @ seen
    column, row = pixel[:2] / pixel[2]
    assert (column[0].item(), row[0].item()) == pytest.approx((32, 32), abs=1e-4)
    assert column[1] > 33
    assert row[2] < 31  # farther away is higher up


@pytest.mark.parametrize(
    "bad", [{"elevation": 0.0}, {"elevation": 91.0}, {"distance": -1.0}, {"field_of_view": 0.0}]
)
def test_impossible_cameras_are_refused_by_name(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Camera(**bad)


@pytest.mark.parametrize("field", ["azimuth", "distance"])
def test_cameras_at_no_place_are_refused(field):
    with pytest.raises(ValueError, match=f"{field} must .*be finite, not inf"):
        Camera(**{field: math.inf})


def test_a_target_has_three_coordinates():
    with pytest.raises((ValueError, TypeError), match="target"):
        Camera(target=torch.zeros(2, 2))
    with pytest.raises(ValueError, match="size must be at least 1, not 0"):
        Camera().intrinsics(0)


def test_fields_for_different_numbers_of_scenes_are_refused():
    with pytest.raises((ValueError, TypeError), match=r"numbers of scenes|elevation"):
        _ = Camera(azimuth=torch.zeros(2), elevation=torch.full((3,), 20.0)).count


def test_a_tensor_without_a_scene_axis_is_refused():
    with pytest.raises((ValueError, TypeError), match="azimuth"):
        Camera(azimuth=torch.tensor(3.0))
