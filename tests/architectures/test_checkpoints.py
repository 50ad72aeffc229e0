"""Checkpoints are whole, say what they are, and refuse to be something else."""

import json

import pytest
import safetensors.torch
import torch

from mmdl_course.architectures.autoencoder import ImageAutoencoder
from mmdl_course.architectures.checkpoints import (
    CheckpointError,
    checkpoint_facts,
    load_checkpoint,
    save_checkpoint,
)


@pytest.fixture
def model():
    return ImageAutoencoder(size=16, channels=2, width=4)


def test_a_model_comes_back_frozen_with_its_facts(model, tmp_path):
    save_checkpoint(model, "autoencoder", facts={"seed": 3}, folder=tmp_path)
    again = load_checkpoint("autoencoder", folder=tmp_path)
    image = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(again(image), model.eval()(image))
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())
    assert checkpoint_facts("autoencoder", folder=tmp_path) == {"seed": 3, "config": model.config}


def test_the_same_model_gives_the_same_file(model, tmp_path):
    first, second = (
        save_checkpoint(model, "autoencoder", facts={}, folder=tmp_path / name).read_bytes() for name in "ab"
    )
    assert first == second


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint is called 'clip'; there are miniclip"):
        load_checkpoint("clip", folder=tmp_path)


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(CheckpointError, match=r"missing\. Make it with 'mmdl pretrain miniclip'"):
        load_checkpoint("miniclip", folder=tmp_path)


@pytest.mark.parametrize("damage", ["empty", "cut", "text"])
def test_a_damaged_file_is_named(model, tmp_path, damage):
    path = save_checkpoint(model, "autoencoder", facts={}, folder=tmp_path)
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "cut": whole[:-10], "text": b"version https://git-lfs"}[damage])
    with pytest.raises(CheckpointError, match=r"autoencoder.safetensors .*git checkout"):
        load_checkpoint("autoencoder", folder=tmp_path)


def test_another_model_under_the_name_is_refused(model, tmp_path):
    path = save_checkpoint(model, "autoencoder", facts={}, folder=tmp_path)
    path.rename(tmp_path / "miniclip.safetensors")
    with pytest.raises(CheckpointError, match="does not hold a miniclip of this version"):
        load_checkpoint("miniclip", folder=tmp_path)


def test_another_format_is_refused(tmp_path):
    metadata = {"mmdl": json.dumps({"format": 0})}
    safetensors.torch.save_file({"x": torch.zeros(1)}, tmp_path / "miniclip.safetensors", metadata=metadata)
    with pytest.raises(CheckpointError, match="another version of the course"):
        checkpoint_facts("miniclip", folder=tmp_path)
