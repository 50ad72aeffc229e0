"""What a score means: the chance level and the ceiling that the distribution of scenes sets for each task."""

from mmdl_course.data.world.ceilings.bounds import Bounds
from mmdl_course.data.world.ceilings.captions import captioning
from mmdl_course.data.world.ceilings.labels import classification, vqa
from mmdl_course.data.world.ceilings.retrieval import oracle_recall, retrieval, retrieval_estimate

__all__ = [
    "Bounds",
    "captioning",
    "classification",
    "oracle_recall",
    "retrieval",
    "retrieval_estimate",
    "vqa",
]
