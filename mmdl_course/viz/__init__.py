"""Arrays in, figures and explorers out. Trains nothing.

Every function returns a `matplotlib.figure.Figure` that pyplot does not know of; `show(figure, alt="…")`
puts it into the notebook.
"""

from mmdl_course.viz import explorers
from mmdl_course.viz.curves import curves
from mmdl_course.viz.diagram import flow, pipeline_diagram
from mmdl_course.viz.display import show
from mmdl_course.viz.gallery import gallery
from mmdl_course.viz.images import image_grid, strip
from mmdl_course.viz.modalities import modality_panels
from mmdl_course.viz.patches import patch_maps
from mmdl_course.viz.robustness import robustness_plot
from mmdl_course.viz.scatter import paths_3d, scatter_3d, scatter_panels
from mmdl_course.viz.scores import scoreboard, scoreboard_table
from mmdl_course.viz.similarity import modality_gap, similarity_matrix
from mmdl_course.viz.spectrogram import spectrogram
from mmdl_course.viz.thumbnails import latent_scatter
from mmdl_course.viz.tradeoff import tradeoff

__all__ = [
    "curves",
    "explorers",
    "flow",
    "gallery",
    "image_grid",
    "latent_scatter",
    "modality_gap",
    "modality_panels",
    "patch_maps",
    "paths_3d",
    "pipeline_diagram",
    "robustness_plot",
    "scatter_3d",
    "scatter_panels",
    "scoreboard",
    "scoreboard_table",
    "show",
    "similarity_matrix",
    "spectrogram",
    "strip",
    "tradeoff",
]
