"""One scene in all its modalities, from every side."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from mmdl_course.viz.explorers.base import Control, Explorer
from mmdl_course.viz.modalities import modality_panels

__all__ = ["modalities"]


def modalities(
    view: Callable[[int, float], Mapping[str, Any]],
    *,
    scenes: int,
    notice: str,
    azimuths: Sequence[float] = tuple(15.0 * step for step in range(24)),
) -> Explorer:
    """Show the same scene in every modality, with one slider for the scene and one for the camera.

    Args:
        view: (scene index, camera azimuth in degrees) → name → modality, as `modality_panels` takes them.
        scenes: number of scenes.
        notice: one sentence that says what to notice.
        azimuths: where the camera can stand, in degrees.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: no scene, or a modality that cannot be drawn.

    Source: deck A, slides A17–A28 and A56–A57.
    """
    if scenes < 1 or not azimuths:
        raise ValueError(f"modalities: nothing to show with {scenes} scenes and {len(azimuths)} azimuths.")
    last: dict[tuple[int, float], Mapping[str, Any]] = {}

    def parts(index: int, azimuth: float) -> Mapping[str, Any]:
        # The picture and its description are made from one call of `view`.
        if (index, azimuth) not in last:
            last.clear()
            last[index, azimuth] = view(index, azimuth)
        return last[index, azimuth]

    def draw(index: int, azimuth: float) -> Figure:
        return modality_panels(parts(index, azimuth), title=f"Scene {index}, seen from {azimuth:g}°")

    def describe(index: int, azimuth: float) -> str:
        texts = [f"{name}: {part}" for name, part in parts(index, azimuth).items() if isinstance(part, str)]
        names = ", ".join(parts(index, azimuth))
        seen = f"Scene {index} seen from {azimuth:g} degrees, side by side as {names}."
        return " ".join([seen, *texts])

    return Explorer(
        draw,
        describe=describe,
        notice=notice,
        controls={
            "index": Control("scene", range(scenes), 0),
            "azimuth": Control("camera azimuth", tuple(azimuths), azimuths[0], "{:g}°".format),
        },
    )
