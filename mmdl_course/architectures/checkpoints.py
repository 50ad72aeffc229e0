"""Checkpoints of the course's own small models: written whole, read with what is known about them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from mmdl_course.course import CourseError
from mmdl_course.files import replace_file

__all__ = [
    "CHECKPOINTS",
    "CheckpointError",
    "checkpoint_facts",
    "load_checkpoint",
    "save_checkpoint",
    "shipped",
]

CHECKPOINTS = ("miniclip", "captioner", "autoencoder")
"""The models that `mmdl pretrain NAME` makes; `shipped` says which of them come with the course."""

_SHIPPED = Path(__file__).parent / "weights"
_FORMAT = 1
_REMEDY = "Get the file back with 'git checkout', or make it again with 'mmdl pretrain {name}'."


class CheckpointError(CourseError):
    """A checkpoint is missing or damaged; the message says what to do."""


def shipped() -> tuple[str, ...]:
    """Names of the checkpoints that come with the course."""
    return tuple(name for name in CHECKPOINTS if (_SHIPPED / f"{name}.safetensors").is_file())


def load_checkpoint(name: str, *, folder: Path = _SHIPPED) -> nn.Module:
    """A model as it was pretrained, in evaluation mode and frozen: no parameter asks for a gradient.

    To train it further, call `model.requires_grad_(True)`; every load gives a model of its own.

    Args:
        name: from CHECKPOINTS.
        folder: where the files are; those that ship with the course when left out.

    Returns:
        A MiniCLIP, a Captioner or an ImageAutoencoder.

    Raises:
        CheckpointError: no such checkpoint, or the file is damaged or of another version of the course.
    """
    import safetensors.torch

    path = _path(name, folder)
    facts = checkpoint_facts(name, folder=folder)
    try:
        model = _build(name, facts["config"])
        model.load_state_dict(safetensors.torch.load_file(path))
    except (RuntimeError, TypeError, safetensors.SafetensorError) as error:
        raise CheckpointError(
            f"{path} does not hold a {name} of this version of the course: {_first_line(error)}. "
            f"{_REMEDY.format(name=name)}"
        ) from error
    return model.eval().requires_grad_(False)


def checkpoint_facts(name: str, *, folder: Path = _SHIPPED) -> dict[str, Any]:
    """What is known of a checkpoint: the model's configuration, data, seed, time, scores.

    Args:
        name: from CHECKPOINTS.
        folder: where the files are; those that ship with the course when left out.

    Raises:
        CheckpointError: no such checkpoint, or the file is damaged.
    """
    import safetensors

    path = _path(name, folder)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        facts = json.loads(metadata["mmdl"])
    except (OSError, KeyError, ValueError, safetensors.SafetensorError) as error:
        raise CheckpointError(
            f"{path} is damaged or was not written by this course ({_first_line(error)}). "
            f"{_REMEDY.format(name=name)}"
        ) from error
    if facts.pop("format", None) != _FORMAT:
        raise CheckpointError(
            f"{path} was written by another version of the course. {_REMEDY.format(name=name)}"
        )
    return facts


def save_checkpoint(model: nn.Module, name: str, *, facts: Mapping[str, Any], folder: Path) -> Path:
    """Write a model and what is known of it into one file, whole or not at all.

    Args:
        model: has a `config`: what its constructor takes.
        name: from CHECKPOINTS.
        facts: what is known, as JSON can hold it; the configuration is added.
        folder: where the file goes.

    Returns:
        The file.
    """
    import safetensors.torch

    path = folder / f"{name}.safetensors"
    weights = {key: value.detach().cpu().contiguous().clone() for key, value in model.state_dict().items()}
    # one entry alone: safetensors writes several in no fixed order, and equal models should make equal files
    text = json.dumps({**facts, "config": model.config, "format": _FORMAT}, ensure_ascii=False)
    replace_file(path, safetensors.torch.save(weights, metadata={"mmdl": text}))
    return path


def _path(name: str, folder: Path) -> Path:
    if name not in CHECKPOINTS:
        raise CheckpointError(f"no checkpoint is called '{name}'; there are {', '.join(CHECKPOINTS)}")
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise CheckpointError(f"{path} is missing. Make it with 'mmdl pretrain {name}'.")
    return path


def _build(name: str, config: dict[str, Any]) -> nn.Module:
    if name == "miniclip":
        from mmdl_course.architectures.miniclip import MiniCLIP as Model
    elif name == "captioner":
        from mmdl_course.architectures.captioner import Captioner as Model
    else:
        from mmdl_course.architectures.autoencoder import ImageAutoencoder as Model
    return Model(**config)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
