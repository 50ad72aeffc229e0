"""Voxels drawn as little cubes."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb

from mmdl_course.viz.style import GROUND, MUTED, PALETTE

__all__ = ["draw_voxels"]

VIEW = (37.0, -72.0)  # elevation and azimuth of the eye, degrees; −90° is in front
_SHADES = (0.62, 0.8, 1.0)  # of faces across x, y and z


def draw_voxels(
    axes: Axes, instance: Int[np.ndarray, "depth height width"], *, view: tuple[float, float] = VIEW
) -> None:
    """Draw the full voxels of a grid from far away, each in the colour of its object, above the grid's floor.

    mplot3d's `voxels` makes one artist of each voxel and takes seconds; this makes one of all.

    Args:
        axes: where to draw; flat.
        instance: −1 in the air, i where object i is, which has the colour of box i. The axes are z (up), y
            (away) and x (right).
        view: elevation and azimuth of the eye in degrees, as mplot3d counts them.
    """
    across, up, towards = _directions(view)
    faces, colours, nearness = [], [], []
    cells = np.argwhere(instance >= 0)  # (voxel, 3): z, y, x
    shades = np.array([to_rgb(PALETTE[index]) for index in instance[tuple(cells.T)]]).reshape(-1, 3)
    cells = cells[:, ::-1]  # x, y, z from here on
    full = np.pad(instance.T >= 0, 1)
    for axis in range(3):
        side = int(towards[axis] > 0)  # of the two faces across this axis, the eye sees one
        beyond = cells + 1  # into the padded grid
        beyond[:, axis] += 2 * side - 1
        bare = ~full[tuple(beyond.T)]
        corners = np.zeros((4, 3))
        corners[:, axis] = side
        corners[:, [other for other in range(3) if other != axis]] = [[0, 0], [0, 1], [1, 1], [1, 0]]
        faces.append(cells[bare, None] + corners)  # (face, corner, 3)
        colours.append(shades[bare] * _SHADES[axis])
        nearness.append((cells[bare] + 0.5) @ towards)
    # All voxels are of one size, so the nearer one never lies behind.
    order = np.argsort(np.concatenate(nearness), kind="stable")
    width, height = instance.shape[2], instance.shape[1]
    floor = np.array([[0, 0, 0], [width, 0, 0], [width, height, 0], [0, height, 0]], dtype=float)
    flat = np.stack([across, up], 1)  # (3, 2)
    axes.add_collection(PolyCollection([floor @ flat], facecolors=GROUND, edgecolors=MUTED, linewidths=0.8))
    drawn = np.concatenate(faces)[order] @ flat  # (face, corner, 2)
    paint = np.concatenate(colours)[order]
    cubes = PolyCollection(drawn, facecolors=paint, edgecolors=0.55 * paint, linewidths=0.3)
    cubes.set_gid("picture")  # shaded: not the course's colours any more
    axes.add_collection(cubes)
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.margins(0.02)
    axes.set_axis_off()


def _directions(
    view: tuple[float, float],
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """To the right, up and towards the eye, as the eye sees it."""
    elevation, azimuth = np.radians(view)
    around = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    above = np.array([0.0, 0.0, 1.0])
    return (
        np.array([-np.sin(azimuth), np.cos(azimuth), 0.0]),
        np.cos(elevation) * above - np.sin(elevation) * around,
        np.cos(elevation) * around + np.sin(elevation) * above,
    )
