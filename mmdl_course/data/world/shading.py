"""How bright a point looks: one lamp, light from the sky, a plain ground that fades into the distance."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mmdl_course.data.world.inputs import check_between
from mmdl_course.data.world.solids import Vector

__all__ = ["GROUND", "LAMP", "Light", "ground_colour", "surface_colour"]

GROUND = (0.74, 0.73, 0.71)
"""Colour of the ground below the objects, 0..1."""

_FAR = (0.40, 0.42, 0.46)  # where the ground fades into the background
_SKY = (0.27, 0.29, 0.33)


@dataclass(frozen=True)
class Light:
    """A far lamp.

    Attributes:
        azimuth: degrees, as a camera's: 0 shines from the default camera's side.
        elevation: degrees above the ground, in (0, 90].
        shade: brightness of shadowed ground as a part of lit ground, 0..1.
    """

    azimuth: float = -50.0
    elevation: float = 46.0
    shade: float = 0.62

    def __post_init__(self) -> None:
        check_between("azimuth", self.azimuth, -math.inf)
        check_between("elevation", self.elevation, 0, 90, open_low=True)
        check_between("shade", self.shade, 0, 1)

    def direction(self, device: torch.device | str = "cpu") -> Float[Tensor, "3"]:
        """Unit vector towards the lamp."""
        azimuth, elevation = math.radians(self.azimuth), math.radians(self.elevation)
        ground = math.cos(elevation)
        return torch.tensor(
            [ground * math.sin(azimuth), -ground * math.cos(azimuth), math.sin(elevation)], device=device
        )


LAMP = Light()
"""From the left behind the default camera."""


def ground_colour(
    point: Float[Tensor, "camera ray 2"], hit: Bool[Tensor, "camera ray"]
) -> Float[Tensor, "camera ray 3"]:
    """The lit ground: a bright pool about the origin that fades smoothly; the background above the horizon.

    Args:
        point: where rays meet the ground, world units.
        hit: whether the ray meets the ground.

    Returns:
        Red, green, blue in 0..1.
    """
    radius = (point[..., 0] * point[..., 0] + point[..., 1] * point[..., 1]).sqrt()
    pool = (-(radius / 5.5).square()).exp()[..., None]
    near, far, sky = (torch.tensor(colour, device=point.device) for colour in (GROUND, _FAR, _SKY))
    return torch.where(hit[..., None], far + (near - far) * pool, sky)


def surface_colour(
    normal: Vector,
    eye: Vector,
    towards: Float[Tensor, "3"],
    rgb: Float[Tensor, "ray 3"],
    shiny: Bool[Tensor, " ray"],
    lit: Float[Tensor, " ray"],
    height: Float[Tensor, " ray"],
) -> Float[Tensor, "ray 3"]:
    """Colour of points on objects.

    Args:
        normal: outward unit normals, world.
        eye: unit vectors to the camera, world.
        towards: unit vector to the lamp.
        rgb: surface colours, 0..1.
        shiny: whether the surface mirrors the lamp and the sky.
        lit: 1 where the lamp reaches the point, 0 in shadow.
        height: above the ground, in the object's radii; low places get less light from the sky.

    Returns:
        Red, green, blue in 0..1.
    """
    facing = normal[0] * towards[0] + normal[1] * towards[1] + normal[2] * towards[2]
    lamp = facing.clamp(min=0) * lit
    sky = (0.42 + 0.14 * normal[2]) * (0.7 + 0.3 * (height * 2.5).clamp(max=1))
    diffuse = sky + 0.62 * lamp
    towards_eye = normal[0] * eye[0] + normal[1] * eye[1] + normal[2] * eye[2]
    # Mirror direction of the eye: what a shiny surface shows of the lamp and of the sky above.
    mirror = [2 * towards_eye * normal[k] - eye[k] for k in range(3)]
    gleam = (mirror[0] * towards[0] + mirror[1] * towards[1] + mirror[2] * towards[2]).clamp(min=0)
    gleam = gleam * gleam
    soft = gleam * gleam
    sharp = soft * soft * soft * soft
    sharp = sharp * sharp
    rim = (1 - towards_eye.clamp(0, 1)).square()
    # Above the horizon a mirror shows the sky, below it the ground, darker near the object's own foot.
    above = (mirror[2] * 3 + 0.5).clamp(0, 1)
    foot = (height * 0.8).clamp(max=1)
    mirrored = 0.9 * above + (0.25 + 0.5 * foot) * (1 - above)
    glossy = lit * (0.85 * sharp + 0.12 * soft) + (0.12 + 0.3 * rim) * mirrored
    light = torch.where(shiny, diffuse * 0.8, diffuse)
    return (rgb * light[:, None] + torch.where(shiny, glossy, 0.03 * soft * lit)[:, None]).clamp(max=1)
