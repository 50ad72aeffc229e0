# %% [markdown]
"""
{{week}}

**Where we are.** x → encoder → z → decoder → y. Week 01 took x as it came: so many pixels, a point in a space. But
somebody had to decide what x *is* before any model saw it: in which order the numbers stand, whether Tuesday is a 2,
where a word ends, how long a frame of sound is. These decisions are called **encodings**. They are made in a few lines
that nobody reads again, and they can cost more than a bad model does. This week is about these lines.

Four words that are often mixed up. **Structure**: what may be changed in x without changing what is meant (section
3). **Features**: numbers that say something about x. **Encoding**: a fixed rule that makes numbers of x; nothing is
learned. **Embedding**: numbers in which distance means something, mostly learned (section 8).

Work from top to bottom. An exercise cell holds `raise NotImplementedError`; replace that line, run the cell, then run
the check below it. A failed check tells you what it called, what came back and what it expected. Some points are
decided at grading, by checks that you do not see and that draw fresh data.
"""

# %%
import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from mmdl_course import viz
from mmdl_course.checks import Exercise
from mmdl_course.data import world
from mmdl_course.training import budget, fit
from mmdl_course.viz import explorers

torch.set_num_threads(1)  # models this small gain nothing from more, and lose much on a busy machine


def seeded(seed: int) -> torch.Generator:
    """A source of randomness of its own: the same seed gives the same figure on every machine."""
    return torch.Generator().manual_seed(seed)


viz.show(
    viz.flow(highlight="x"),
    alt="The flow of a model: x, encoder f, z, decoder g, y. x is highlighted: what does the model get to see?",
)

