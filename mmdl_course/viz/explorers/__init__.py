"""Interactive figures: sliders, and a picture that follows them.

An explorer is the last expression of its cell. It keeps a still picture of its first state, with alt text,
for where no kernel answers: nbgrader's feedback, a notebook that was saved, a page on the web.
"""

from mmdl_course.viz.explorers.base import Control, Explorer
from mmdl_course.viz.explorers.embedding import embedding
from mmdl_course.viz.explorers.latent_line import latent_line
from mmdl_course.viz.explorers.modalities import modalities

__all__ = ["Control", "Explorer", "embedding", "latent_line", "modalities"]
