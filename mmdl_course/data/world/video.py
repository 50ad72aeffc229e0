"""Many views of the same scenes by known cameras: multi-view sets, turning video, and the rays they cast."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mmdl_course.data.world.camera import FRONT, Camera
from mmdl_course.data.world.inputs import check_count
from mmdl_course.data.world.render import Views, render
from mmdl_course.data.world.scene import Scenes

__all__ = ["MultiViews", "multi_view", "orbit", "rays", "turning_video"]


@dataclass(frozen=True)
class MultiViews:
    """The same scenes seen by several cameras.

    Attributes:
        image: 0..1.
        depth: along each camera's forward axis, world units; inf above the horizon.
        instance: slot of the object, -1 elsewhere.
        semantic: index into SHAPES, -1 elsewhere.
        boxes: x0, y0, x1, y1 in pixels, nan where a slot is not seen.
        normal: outward unit normal in the world frame, the same for all views; zero above the horizon.
    """

    image: Float[Tensor, "scene view 3 height width"]
    depth: Float[Tensor, "scene view height width"]
    instance: Int64[Tensor, "scene view height width"]
    semantic: Int64[Tensor, "scene view height width"]
    boxes: Float[Tensor, "scene view object 4"]
    normal: Float[Tensor, "scene view 3 height width"]

    def __len__(self) -> int:
        return len(self.image)


def orbit(
    frames: int,
    *,
    start: float = 0.0,
    turn: float = 360.0,
    elevation: float = float(FRONT.elevation),
    distance: float = float(FRONT.distance),
) -> Camera:
    """Cameras on a circle about the scene, evenly spaced.

    Args:
        frames: how many, at least 1.
        start: azimuth of the first one, degrees.
        turn: degrees from the first frame to the one after the last, so that a full turn closes without
            showing a view twice; negative turns clockwise seen from above.
        elevation: degrees above the ground, in (0, 90].
        distance: to the target, world units.

    Returns:
        A camera with one entry per frame.

    Raises:
        ValueError: no frame, or an impossible elevation or distance.
    """
    check_count("frames", frames)
    return Camera(
        azimuth=start + turn * torch.arange(frames) / frames, elevation=elevation, distance=distance
    )


def multi_view(scenes: Scenes, *, camera: Camera, size: int = 64, samples: int = 2) -> MultiViews:
    """Every scene from every camera. A pure function of both.

    Args:
        scenes: what there is to see.
        camera: the views, with one entry each (`orbit` makes such a camera). Its `intrinsics(size)` and
            `extrinsics()` have the views in the same order.
        size: pixels per side.
        samples: rays per pixel and axis.

    Returns:
        Views with an axis for the camera after the one for the scene.

    Raises:
        ValueError: the camera has no entries, or size or samples is not positive.
    """
    flat, views = _render_all(scenes, camera, size=size, samples=samples, normals=True)
    return MultiViews(
        **{field.name: _unflatten(getattr(flat, field.name), views) for field in fields(MultiViews)}
    )


def _render_all(
    scenes: Scenes, camera: Camera, *, size: int, samples: int, normals: bool
) -> tuple[Views, int]:
    """Every scene from every camera, scene by scene, and the number of cameras."""
    views = camera.count
    if views is None:
        raise ValueError("the camera has no axis of views: give one of its fields as a tensor, or use orbit")
    device = scenes.position.device
    scene = torch.arange(len(scenes), device=device).repeat_interleave(views)
    view = torch.arange(views, device=camera.axes().device).repeat(len(scenes))
    return render(scenes[scene], camera=camera[view], size=size, samples=samples, normals=normals), views


def _unflatten(values: Tensor, views: int) -> Tensor:
    return values.view(len(values) // views, views, *values.shape[1:])


def turning_video(
    scenes: Scenes, *, frames: int = 24, size: int = 64, samples: int = 2
) -> Float[Tensor, "scene frame 3 height width"]:
    """One full turn about each scene; frame k is what the k-th camera of `orbit(frames)` sees.

    Args:
        scenes: what there is to see.
        frames: pictures in the turn, at least 1.
        size: pixels per side.
        samples: rays per pixel and axis.

    Returns:
        Video in 0..1.

    Raises:
        ValueError: frames, size or samples is not positive.
    """
    flat, views = _render_all(scenes, orbit(frames), size=size, samples=samples, normals=False)
    return _unflatten(flat.image, views)


def rays(
    camera: Camera, *, size: int
) -> tuple[Float[Tensor, "camera height width 3"], Float[Tensor, "camera height width 3"]]:
    """The rays through the pixels' centres, as a radiance field samples them.

    Args:
        camera: one, or several.
        size: pixels per side, at least 1.

    Returns:
        Origins (the camera's position, repeated) and directions in the world, world units. Directions go one
        unit along the camera's forward axis, so that origin + depth · direction is the point that a pixel of
        `Views.depth` shows; divide by their length for unit vectors. The view of depth with `samples=1` is
        exact, with more it is a mean over the pixel.

    Raises:
        ValueError: size is not positive.

    Source: Mildenhall et al., "NeRF", 2020, section 4 (r(t) = o + t d).
    """
    check_count("size", size)
    axes, half = camera.axes(), camera.half_width()
    place = (torch.arange(size, device=axes.device) + 0.5) * (2 / size) - 1
    v, u = torch.meshgrid(place, place, indexing="ij")
    seen = torch.stack([u, v], -1) * half[:, None, None, None]  # (camera, row, column, 2)
    seen = torch.nn.functional.pad(seen, (0, 1), value=1.0)
    directions = torch.einsum("crsk,ckx->crsx", seen, axes)
    return camera.position()[:, None, None].expand_as(directions), directions
