"""One reality, many modalities: scenes with known factors and what is derived from them."""

from mmdl_course.data.world.camera import FRONT, Camera
from mmdl_course.data.world.claims import RELATIONS, Claim, Clause, Phrase, claims, holds
from mmdl_course.data.world.graph import SceneGraph, scene_graph, triples
from mmdl_course.data.world.language import CaptionError, caption, parse
from mmdl_course.data.world.lexicon import LEXICON, UnknownWordError
from mmdl_course.data.world.points import PointCloud, Voxels, point_cloud, voxels
from mmdl_course.data.world.questions import Question, answer, ask
from mmdl_course.data.world.referring import References, refer, resolve
from mmdl_course.data.world.render import Views, render
from mmdl_course.data.world.sampling import (
    FACTORS,
    SceneConfig,
    sample_factors,
    sample_scenes,
    scenes_from_factors,
)
from mmdl_course.data.world.scene import COLOURS, MATERIALS, SHAPES, SIZES, Scenes, concatenate, make_scenes
from mmdl_course.data.world.shading import Light
from mmdl_course.data.world.shifts import SHIFTS, Shifted, shifted
from mmdl_course.data.world.sound import Speech, speak
from mmdl_course.data.world.speaker import LEVELS
from mmdl_course.data.world.styles import STYLES, TEMPLATES, prompt
from mmdl_course.data.world.table import attribute_table
from mmdl_course.data.world.video import MultiViews, multi_view, orbit, rays, turning_video
from mmdl_course.data.world.vocabulary import VOCABULARY, words_of
from mmdl_course.data.world.voices import VOICES, Voice

__all__ = [
    "COLOURS",
    "FACTORS",
    "FRONT",
    "LEVELS",
    "LEXICON",
    "MATERIALS",
    "RELATIONS",
    "SHAPES",
    "SHIFTS",
    "SIZES",
    "STYLES",
    "TEMPLATES",
    "VOCABULARY",
    "VOICES",
    "Camera",
    "CaptionError",
    "Claim",
    "Clause",
    "Light",
    "MultiViews",
    "Phrase",
    "PointCloud",
    "Question",
    "References",
    "SceneConfig",
    "SceneGraph",
    "Scenes",
    "Shifted",
    "Speech",
    "UnknownWordError",
    "Views",
    "Voice",
    "Voxels",
    "answer",
    "ask",
    "attribute_table",
    "caption",
    "claims",
    "concatenate",
    "holds",
    "make_scenes",
    "multi_view",
    "orbit",
    "parse",
    "point_cloud",
    "prompt",
    "rays",
    "refer",
    "render",
    "resolve",
    "sample_factors",
    "sample_scenes",
    "scene_graph",
    "scenes_from_factors",
    "shifted",
    "speak",
    "triples",
    "turning_video",
    "voxels",
    "words_of",
]
