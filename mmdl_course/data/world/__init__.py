"""One reality, many modalities: scenes with known factors and what is derived from them."""

from mmdl_course.data.world.camera import FRONT, Camera
from mmdl_course.data.world.render import Views, render
from mmdl_course.data.world.sampling import FACTORS, SceneConfig, sample_factors, sample_scenes
from mmdl_course.data.world.scene import COLOURS, MATERIALS, SHAPES, SIZES, Scenes, concatenate, make_scenes
from mmdl_course.data.world.shading import Light

__all__ = [
    "COLOURS",
    "FACTORS",
    "FRONT",
    "MATERIALS",
    "SHAPES",
    "SIZES",
    "Camera",
    "Light",
    "SceneConfig",
    "Scenes",
    "Views",
    "concatenate",
    "make_scenes",
    "render",
    "sample_factors",
    "sample_scenes",
]
