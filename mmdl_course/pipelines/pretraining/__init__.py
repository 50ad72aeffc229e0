"""Recipes of the small models that lessons start from, and the command that runs them."""

from mmdl_course.pipelines.pretraining.autoencoder import AUTOENCODER
from mmdl_course.pipelines.pretraining.captioner import CAPTIONER
from mmdl_course.pipelines.pretraining.miniclip import MINICLIP
from mmdl_course.pipelines.pretraining.recipe import Recipe, Score
from mmdl_course.pipelines.pretraining.run import compare, evaluate, pretrain
from mmdl_course.pipelines.pretraining.scenes import HELD_OUT

__all__ = ["HELD_OUT", "RECIPES", "Recipe", "Score", "compare", "evaluate", "pretrain"]

RECIPES = {recipe.name: recipe for recipe in (MINICLIP, CAPTIONER, AUTOENCODER)}
"""Name of a checkpoint to how it is made."""
