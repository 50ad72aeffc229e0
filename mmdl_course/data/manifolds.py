"""Samples of manifolds with known coordinates: the earth, a rolled band (with a hole), views of a scene."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from mmdl_course.data.world import Camera, make_scenes, render, sample_factors

__all__ = [
    "CITIES",
    "EARTH_RADIUS",
    "Manifold",
    "Spiral",
    "cylindrical_equal_area",
    "equirectangular",
    "mercator",
    "orthographic",
    "roll",
    "roll_with_hole",
    "scene_factors",
    "sphere",
    "sphere_points",
    "turning_camera",
]

EARTH_RADIUS = 6371.0
"""Mean radius of the earth, km."""

CITIES = {
    "Amsterdam": (52.37, 4.90),
    "Auckland": (-36.85, 174.76),
    "Buenos Aires": (-34.60, -58.38),
    "Cairo": (30.04, 31.24),
    "Cape Town": (-33.92, 18.42),
    "Delhi": (28.61, 77.21),
    "Honolulu": (21.31, -157.86),
    "Lagos": (6.45, 3.39),
    "Lima": (-12.05, -77.04),
    "New York": (40.71, -74.01),
    "Reykjavik": (64.15, -21.94),
    "San Francisco": (37.77, -122.42),
    "Singapore": (1.35, 103.82),
    "Sydney": (-33.87, 151.21),
    "Tokyo": (35.68, 139.69),
}
"""City to latitude (north positive) and longitude (east positive), degrees."""


@dataclass(frozen=True)
class Manifold:
    """Points sampled from a manifold, and where on the manifold they are.

    Attributes:
        points: in data space.
        coordinates: position on the manifold; the names say what the columns are, with their units.
        names: one per coordinate.
        parameters: what the points were made from, when that is not the coordinates (roll: angle t in radians
            and height h).
        image_size: pixels per side when the points are flattened colour images.
    """

    points: Float[Tensor, "sample dim"]
    coordinates: Float[Tensor, "sample m"]
    names: tuple[str, ...]
    parameters: Float[Tensor, "sample p"] | None = None
    image_size: int | None = None

    def __len__(self) -> int:
        return len(self.points)

    @property
    def colour(self) -> Float[Tensor, " sample"]:
        """The first coordinate scaled to 0..1, for plotting."""
        first = self.coordinates[:, 0]
        return (first - first.min()) / (first.max() - first.min()).clamp(min=1e-12)

    @property
    def images(self) -> Float[Tensor, "sample 3 height width"]:
        """The points as images.

        Raises:
            ValueError: they are no images.
        """
        if self.image_size is None:
            raise ValueError(
                f"these points are not images but positions in {self.points.shape[1]} dimensions"
            )
        return self.points.view(-1, 3, self.image_size, self.image_size)


def sphere(count: int, *, radius: float = 1.0, generator: torch.Generator) -> Manifold:
    """Points spread evenly over the surface of a sphere (slide A49).

    Args:
        count: number of points.
        radius: of the sphere, any unit.
        generator: source of randomness.

    Returns:
        Points in space; coordinates latitude and longitude in degrees.
    """
    height = (
        2 * torch.rand(count, generator=generator) - 1
    )  # Archimedes: slices of equal height have equal area
    latitude = torch.rad2deg(torch.asin(height))
    longitude = 360 * torch.rand(count, generator=generator) - 180
    points = sphere_points(latitude, longitude, radius=radius)
    return Manifold(points, torch.stack([latitude, longitude], -1), ("latitude (°)", "longitude (°)"))


def sphere_points(
    latitude: Float[Tensor, "*any"], longitude: Float[Tensor, "*any"], *, radius: float = 1.0
) -> Float[Tensor, "*any 3"]:
    """Latitude and longitude to a point in space.

    Args:
        latitude: degrees north of the equator, -90..90.
        longitude: degrees east, -180..180.
        radius: of the sphere.

    Returns:
        x towards (0°, 0°), y towards (0°, 90° E), z towards the north pole, in the unit of `radius`.
    """
    phi, lam = torch.deg2rad(latitude), torch.deg2rad(longitude)
    return radius * torch.stack([phi.cos() * lam.cos(), phi.cos() * lam.sin(), phi.sin()], -1)


def equirectangular(
    latitude: Float[Tensor, " sample"], longitude: Float[Tensor, " sample"]
) -> Float[Tensor, "sample 2"]:
    """Map of the unit sphere with longitude and latitude as they are: true lengths along meridians.

    Args:
        latitude: degrees.
        longitude: degrees.

    Returns:
        x in -π..π and y in -π/2..π/2.
    """
    return torch.deg2rad(torch.stack([longitude, latitude], -1))


def mercator(
    latitude: Float[Tensor, " sample"], longitude: Float[Tensor, " sample"]
) -> Float[Tensor, "sample 2"]:
    """Map of the unit sphere that keeps angles; areas grow without bound towards the poles.

    Args:
        latitude: degrees.
        longitude: degrees.

    Returns:
        x in -π..π and y; nan beyond 85° north or south, where the map would have no end.
    """
    phi = torch.deg2rad(latitude)
    y = torch.where(latitude.abs() <= 85, torch.asinh(torch.tan(phi)), math.nan)
    return torch.stack([torch.deg2rad(longitude), y], -1)


def cylindrical_equal_area(
    latitude: Float[Tensor, " sample"], longitude: Float[Tensor, " sample"]
) -> Float[Tensor, "sample 2"]:
    """Map of the unit sphere that keeps areas (Lambert's); shapes are squeezed towards the poles.

    Args:
        latitude: degrees.
        longitude: degrees.

    Returns:
        x in -π..π and y in -1..1.
    """
    return torch.stack([torch.deg2rad(longitude), torch.sin(torch.deg2rad(latitude))], -1)


def orthographic(
    latitude: Float[Tensor, " sample"],
    longitude: Float[Tensor, " sample"],
    *,
    centre: tuple[float, float] = (0.0, 0.0),
) -> Float[Tensor, "sample 2"]:
    """The unit sphere as seen from far above a point: an azimuthal map of one hemisphere.

    Args:
        latitude: degrees.
        longitude: degrees.
        centre: latitude and longitude, in degrees, of the middle of the map.

    Returns:
        x and y in -1..1; nan on the far side.
    """
    phi0, lam0 = map(math.radians, centre)
    point = sphere_points(latitude, longitude)
    east = torch.tensor([-math.sin(lam0), math.cos(lam0), 0.0])
    north = torch.tensor([-math.sin(phi0) * math.cos(lam0), -math.sin(phi0) * math.sin(lam0), math.cos(phi0)])
    up = torch.linalg.cross(east, north)
    place = torch.stack([point @ east, point @ north], -1)
    return torch.where((point @ up >= 0)[:, None], place, math.nan)


@dataclass(frozen=True)
class Spiral:
    """The band's cross-section: radius = growth · t for angles t from `start` on.

    Attributes:
        start: angle at the inner end, radians.
        growth: radius gained per radian, data units.
        length: of the band along the spiral, data units.
        height: of the band across, data units.
    """

    start: float = 1.5 * math.pi
    growth: float = 0.25
    length: float = 22.0
    height: float = 8.0

    def embed(self, angle: Float[Tensor, "*any"], height: Float[Tensor, "*any"]) -> Float[Tensor, "*any 3"]:
        """The point of space at an angle t (radians) and a height h (data units) of the band."""
        radius = self.growth * angle
        return torch.stack([radius * angle.cos(), height, radius * angle.sin()], -1)


BAND = Spiral()


def roll(count: int, *, generator: torch.Generator, spiral: Spiral = BAND, noise: float = 0.0) -> Manifold:
    """Points spread evenly over a rolled-up band (slide A50).

    Args:
        count: number of points.
        generator: source of randomness.
        spiral: how the band is rolled, and its size.
        noise: standard deviation of what is added to each point, data units.

    Returns:
        Points in space; coordinates: the unrolled band (s along it from the inner end, h across), in which a
        straight line is as long as the way along the band; parameters: the spiral's angle t (radians) and h.
    """
    flat = torch.rand(count, 2, generator=generator) * torch.tensor([spiral.length, spiral.height])
    return _rolled(flat, spiral, noise, generator)


def roll_with_hole(
    count: int,
    *,
    generator: torch.Generator,
    spiral: Spiral = BAND,
    hole: tuple[float, float, float, float] = (0.3, 0.7, 0.25, 0.75),
    noise: float = 0.0,
) -> Manifold:
    """Points spread evenly over a rolled-up band with a rectangular hole (slide A51).

    Args:
        count: number of points.
        generator: source of randomness.
        spiral: how the band is rolled, and its size.
        hole: from and to along the band, from and to across it, as parts of its length and height (0..1).
        noise: standard deviation of what is added to each point, data units.

    Returns:
        As `roll`; straight lines in the coordinates that cross the hole are no longer ways along the band.

    Raises:
        ValueError: the hole does not lie inside the band.
    """
    left, right, bottom, top = hole
    if not (0 <= left < right <= 1 and 0 <= bottom < top <= 1) or (right - left) * (top - bottom) > 0.9:
        raise ValueError(f"hole must be (from, to, from, to) within 0..1 and leave some band, not {hole}")
    flat = torch.rand(count, 2, generator=generator)
    while True:
        inside = (flat > torch.tensor([left, bottom])) & (flat < torch.tensor([right, top]))
        again = inside.all(1)
        if not again.any():
            break
        flat[again] = torch.rand(int(again.sum()), 2, generator=generator)
    return _rolled(flat * torch.tensor([spiral.length, spiral.height]), spiral, noise, generator)


def turning_camera(
    count: int,
    *,
    generator: torch.Generator,
    size: int = 32,
    samples: int = 4,
    limits: tuple[float, float] = (-90.0, 90.0),
) -> Manifold:
    """Pictures of one scene by a camera that turns about it (slides A44 and A48).

    Args:
        count: number of pictures.
        generator: source of randomness.
        size: pixels per side.
        samples: rays per pixel and axis. A pixel at an edge changes by steps of 1 / samples²: take many where
            neighbouring pictures are compared, 2 where speed matters more.
        limits: range of the camera's azimuth, degrees; the angle is uniform in it.

    Returns:
        Points: flattened images (3 · size · size values in 0..1); coordinate: the angle in degrees.
    """
    low, high = limits
    azimuth = low + (high - low) * torch.rand(count, generator=generator)
    scenes = STILL_LIFE[torch.zeros(count, dtype=torch.long)]
    images = render(scenes, camera=replace(_CLOSE, azimuth=azimuth), size=size, samples=samples).image
    return Manifold(images.flatten(1), azimuth[:, None], ("camera azimuth (°)",), image_size=size)


def scene_factors(
    count: int, *, free: Sequence[str], generator: torch.Generator, size: int = 32, samples: int = 4
) -> Manifold:
    """Pictures of one object of which just the named factors vary; see `world.sample_factors`.

    Args:
        count: number of pictures.
        free: names from `world.FACTORS`.
        generator: source of randomness.
        size: pixels per side.
        samples: rays per pixel and axis. A pixel at an edge changes by steps of 1 / samples²: take many where
            neighbouring pictures are compared, 2 where speed matters more.

    Returns:
        Points: flattened images; coordinates: the free factors in the order of `free`.
    """
    scenes, factors = sample_factors(count, free=free, generator=generator)
    images = render(scenes, camera=_NEAR, size=size, samples=samples).image
    return Manifold(images.flatten(1), factors, tuple(free), image_size=size)


STILL_LIFE = make_scenes(
    [
        {"shape": "wedge", "colour": "orange", "position": (-0.75, -0.35), "yaw": 0.5, "scale": 0.85},
        {"shape": "sphere", "colour": "red", "position": (0.85, -0.5), "scale": 0.6, "material": "shiny"},
        {"shape": "cone", "colour": "blue", "position": (0.35, 0.9), "scale": 0.7},
    ]
)
"""The scene of the turning camera: no two views of it are alike."""

_CLOSE = Camera(distance=6.0)
_NEAR = Camera(distance=5.5)


def _rolled(
    flat: Float[Tensor, "sample 2"], spiral: Spiral, noise: float, generator: torch.Generator
) -> Manifold:
    """Roll up a flat band."""
    angle = _roll_up(flat[:, 0], spiral)
    points = spiral.embed(angle, flat[:, 1])
    points = points + noise * torch.randn(points.shape, generator=generator)
    return Manifold(
        points, flat, ("along the band", "across the band"), parameters=torch.stack([angle, flat[:, 1]], -1)
    )


def _roll_up(along: Float[Tensor, " sample"], spiral: Spiral, steps: int = 4000) -> Float[Tensor, " sample"]:
    """The spiral's angle after a way along it, by small mid-point steps of one 4000th of the band."""
    step = spiral.length / steps
    angle = [spiral.start]
    for _ in range(steps):
        half = angle[-1] + step / 2 / spiral.growth / math.hypot(1, angle[-1])
        angle.append(angle[-1] + step / spiral.growth / math.hypot(1, half))
    table = torch.tensor(angle, dtype=torch.float64)
    place = (along.double() / step).clamp(0, steps)
    below = place.long().clamp(max=steps - 1)
    return (table[below] + (place - below) * (table[below + 1] - table[below])).to(along.dtype)
