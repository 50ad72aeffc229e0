"""How θ is learned: fitting, budgets and metrics."""

from mmdl_course.training.budget import budget, is_full_budget
from mmdl_course.training.fit import batches, fit
from mmdl_course.training.losses import decoupled_contrast

__all__ = ["batches", "budget", "decoupled_contrast", "fit", "is_full_budget"]
