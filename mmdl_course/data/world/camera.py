"""A pinhole camera that looks at the ground plane from above."""

import math
from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mmdl_course.data.world.inputs import check_count

__all__ = ["FRONT", "Camera"]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera on a sphere about its target; square images.

    Each field is one number for all scenes, or one per scene. Camera frame: x right, y down, z forward (as in
    OpenCV). Pixel (row i, column j) covers [j, j+1] × [i, i+1], so its centre is (j + 1/2, i + 1/2).

    Attributes:
        azimuth: degrees, counter-clockwise seen from above; 0 stands at negative y, so that x points to the
            right in the image and y away.
        elevation: degrees above the ground, in (0, 90].
        distance: to the target, world units.
        field_of_view: full opening angle, degrees.
        target: point looked at, world units.
    """

    azimuth: float | int | Float[Tensor, " scene"] = 0.0
    elevation: float | int | Float[Tensor, " scene"] = 37.0
    distance: float | int | Float[Tensor, " scene"] = 8.4
    field_of_view: float | int | Float[Tensor, " scene"] = 39.0
    target: tuple[float, float, float] | Float[Tensor, "scene 3"] = (0.0, 0.0, 0.3)

    def __post_init__(self) -> None:
        for name, low, high in _LIMITS:
            value = torch.as_tensor(getattr(self, name))
            if isinstance(getattr(self, name), Tensor) != (value.ndim == 1):
                raise ValueError(f"{name} must be a number, or a tensor with one entry per scene")
            if not ((value > low) & (value <= high) & value.isfinite()).all():
                wanted = "be finite" if math.isinf(low) else f"lie in ({low}, {high}] and be finite"
                raise ValueError(f"{name} must {wanted}, not {getattr(self, name)}")
        target = torch.as_tensor(self.target)
        if target.ndim != 1 + isinstance(self.target, Tensor) or target.shape[-1] != 3:
            raise ValueError("target must be three numbers (x, y, z), or a tensor with three per scene")

    def __getitem__(self, index: slice | Int64[Tensor, " chosen"]) -> "Camera":
        """The cameras of some scenes; what is shared stays shared.

        Args:
            index: a slice, or a tensor of numbers.
        """
        chosen = {
            field.name: getattr(self, field.name)[index]
            for field in fields(self)
            if isinstance(getattr(self, field.name), Tensor)
        }
        return replace(self, **chosen)

    @property
    def count(self) -> int | None:
        """Number of scenes this camera is for; None when it is shared by any number."""
        lengths = {
            len(value) for field in fields(self) if isinstance(value := getattr(self, field.name), Tensor)
        }
        if len(lengths) > 1:
            raise ValueError(f"the camera's fields are for different numbers of scenes: {sorted(lengths)}")
        return lengths.pop() if lengths else None

    def intrinsics(self, size: int) -> Float[Tensor, "camera 3 3"]:
        """Camera frame to pixels: (j, i, 1) ∝ K (x, y, z).

        Args:
            size: pixels per side.

        Returns:
            One matrix for a shared camera, otherwise one per scene.

        Raises:
            ValueError: size is not positive.
        """
        check_count("size", size)
        focal = size / 2 / self.half_width()
        matrix = torch.zeros(len(focal), 3, 3, device=focal.device)
        matrix[:, 0, 0] = matrix[:, 1, 1] = focal
        matrix[:, 0, 2] = matrix[:, 1, 2] = size / 2
        matrix[:, 2, 2] = 1
        return matrix

    def extrinsics(self) -> Float[Tensor, "camera 4 4"]:
        """World to camera frame, homogeneous: [R | −R c; 0 1] with the camera's position c.

        Returns:
            One matrix for a shared camera, otherwise one per scene.
        """
        axes, position = self.axes(), self.position()
        matrix = torch.zeros(len(axes), 4, 4, device=axes.device)
        matrix[:, :3, :3] = axes
        matrix[:, :3, 3] = -(axes @ position[:, :, None]).squeeze(-1)
        matrix[:, 3, 3] = 1
        return matrix

    def half_width(self) -> Float[Tensor, " camera"]:
        """Half of what the image spans at depth 1, world units."""
        (opening,) = self._tensors("field_of_view")
        return torch.tan(torch.deg2rad(opening) / 2)

    def position(self) -> Float[Tensor, "camera 3"]:
        """Where the camera is, world units."""
        distance, target = self._tensors("distance", "target")
        return target - distance[:, None] * self.axes()[:, 2]

    def axes(self) -> Float[Tensor, "camera 3 3"]:
        """Rows: the camera's right, down and forward directions in the world."""
        azimuth, elevation = map(torch.deg2rad, self._tensors("azimuth", "elevation"))
        ca, sa, ce, se = azimuth.cos(), azimuth.sin(), elevation.cos(), elevation.sin()
        right = torch.stack([ca, sa, torch.zeros_like(ca)], -1)
        down = torch.stack([sa * se, -ca * se, -ce], -1)
        forward = torch.stack([-sa * ce, ca * ce, -se], -1)
        return torch.stack([right, down, forward], 1)

    def _tensors(self, *names: str) -> list[Tensor]:
        """The named fields with a leading axis: one entry when shared, one per scene otherwise."""
        device = next(
            (
                value.device
                for field in fields(self)
                if isinstance(value := getattr(self, field.name), Tensor)
            ),
            torch.device("cpu"),
        )
        count = 1 if self.count is None else self.count
        out = []
        for name in names:
            value = getattr(self, name)
            tensor = torch.as_tensor(value, dtype=torch.float32, device=device)
            out.append(tensor if isinstance(value, Tensor) else tensor.expand(count, *tensor.shape))
        return out


_LIMITS = (
    ("azimuth", -math.inf, math.inf),
    ("elevation", 0, 90),
    ("distance", 0, math.inf),
    ("field_of_view", 0, 170),
)

FRONT = Camera()
"""The default view; relations such as "left of" are meant from here."""
