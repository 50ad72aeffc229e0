"""Interactive figures: sliders or a text box, and a picture that follows them.

An explorer is the last expression of its cell. It keeps a still picture of its first state, with alt text,
for where no kernel answers: nbgrader's feedback, a notebook that was saved, a page on the web.
"""

from mmdl_course.viz.explorers.background import in_background
from mmdl_course.viz.explorers.base import Choice, Control, Explorer, TextControl
from mmdl_course.viz.explorers.context_length import context_length
from mmdl_course.viz.explorers.embedding import embedding
from mmdl_course.viz.explorers.fourier_features import fourier_features
from mmdl_course.viz.explorers.latent_line import latent_line
from mmdl_course.viz.explorers.latent_scatter import latent_scatter
from mmdl_course.viz.explorers.low_rank import low_rank
from mmdl_course.viz.explorers.modalities import modalities
from mmdl_course.viz.explorers.neighbours import neighbours
from mmdl_course.viz.explorers.rank_images import rank_images
from mmdl_course.viz.explorers.switchboard import SwitchboardTask, switchboard
from mmdl_course.viz.explorers.training_similarity import training_similarity
from mmdl_course.viz.explorers.try_prompt import try_prompt
from mmdl_course.viz.explorers.unfold import unfold

__all__ = [
    "Choice",
    "Control",
    "Explorer",
    "SwitchboardTask",
    "TextControl",
    "context_length",
    "embedding",
    "fourier_features",
    "in_background",
    "latent_line",
    "latent_scatter",
    "low_rank",
    "modalities",
    "neighbours",
    "rank_images",
    "switchboard",
    "training_similarity",
    "try_prompt",
    "unfold",
]
