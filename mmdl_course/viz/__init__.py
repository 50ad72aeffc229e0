"""Arrays in, figures and explorers out. Trains nothing.

Every function returns a `matplotlib.figure.Figure` that pyplot does not know of; `show(figure, alt="…")`
puts it into the notebook.
"""

from mmdl_course.viz import explorers
from mmdl_course.viz.curves import curves
from mmdl_course.viz.diagram import flow
from mmdl_course.viz.display import show
from mmdl_course.viz.gallery import gallery
from mmdl_course.viz.images import image_grid, strip
from mmdl_course.viz.modalities import modality_panels
from mmdl_course.viz.scatter import paths_3d, scatter_3d, scatter_panels
from mmdl_course.viz.scores import scoreboard, scoreboard_table
from mmdl_course.viz.thumbnails import latent_scatter

__all__ = [
    "curves",
    "explorers",
    "flow",
    "gallery",
    "image_grid",
    "latent_scatter",
    "modality_panels",
    "paths_3d",
    "scatter_3d",
    "scatter_panels",
    "scoreboard",
    "scoreboard_table",
    "show",
    "strip",
]
