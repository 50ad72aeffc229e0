"""Scenes as a table: one row per object."""

from mmdl_course.data.world.claims import describe
from mmdl_course.data.world.scene import Scenes

__all__ = ["attribute_table"]


def attribute_table(scenes: Scenes) -> list[dict[str, str | int | float]]:
    """The objects of all scenes as rows, ready for `pandas.DataFrame` or a data loader.

    Args:
        scenes: any number of scenes.

    Returns:
        One dictionary per object: scene and slot (numbers), size, colour, material and shape (names), x, y
        and scale (world units), yaw (radians).
    """
    phrases, position = describe(scenes), scenes.position.tolist()
    yaw, scale = scenes.yaw.tolist(), scenes.scale.tolist()
    return [
        {
            "scene": scene,
            "slot": slot,
            "size": phrase.size,
            "colour": phrase.colour,
            "material": phrase.material,
            "shape": phrase.shape,
            "x": position[scene][slot][0],
            "y": position[scene][slot][1],
            "yaw": yaw[scene][slot],
            "scale": scale[scene][slot],
        }
        for scene, row in enumerate(phrases)
        for slot, phrase in enumerate(row)
        if phrase is not None
    ]
