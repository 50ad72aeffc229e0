"""The loader of the real CLIP, on a tiny random model of the same class."""

import json
import shutil
import socket

import pytest
import torch

from mmdl_course.architectures.pretrained import load_clip
from mmdl_course.cache import CacheError

LETTERS = ["a", "b", "c", "a</w>", "b</w>", "c</w>", "<|startoftext|>", "<|endoftext|>"]
LONGEST = 8  # tokens of the text tower


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder as `hf download` leaves one: model, tokeniser, image processor."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("clip")
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {"vocab_size": 8, "max_position_embeddings": LONGEST, "eos_token_id": 7, "pad_token_id": 7}
    config = CLIPConfig(
        text_config={**tower, **text},
        vision_config={**tower, "image_size": 32, "patch_size": 8},
        projection_dim=12,
        logit_scale_init_value=2.5,
    )
    torch.manual_seed(0)
    CLIPModel(config).save_pretrained(folder)
    vocabulary = {letter: place for place, letter in enumerate(LETTERS)}
    CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    CLIPImageProcessor(**size).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip(saved):
    def refuse(*_, **__):
        raise AssertionError("the loader wanted the network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        return load_clip(saved)


@pytest.fixture
def images():
    return torch.rand(3, 3, 40, 50, generator=torch.Generator().manual_seed(1))


TEXTS = ["a", "c b a", "b b b b"]


def test_it_agrees_with_transformers(saved, clip, images):
    from transformers import CLIPModel, CLIPProcessor

    processor = CLIPProcessor.from_pretrained(saved)
    network = CLIPModel.from_pretrained(saved).eval()
    pixels = [(255 * image).round().byte().numpy() for image in images]
    inputs = processor(text=TEXTS, images=pixels, return_tensors="pt", padding=True)
    expected = network(**inputs).logits_per_image
    assert torch.allclose(clip.similarity(images, TEXTS), expected, atol=1e-5)


def test_similarity_is_the_scaled_cosine(clip, images):
    cosine = clip.encode_image(images) @ clip.encode_text(TEXTS).T
    assert clip.scale == pytest.approx(torch.e**2.5)
    assert torch.allclose(clip.similarity(images, TEXTS), clip.scale * cosine)
    assert cosine.abs().max() <= 1 + 1e-6
    assert cosine.std() > 0.01  # the inputs matter


def test_embeddings_are_unit_vectors_of_one_space(clip, images):
    for z in (clip.encode_image(images), clip.encode_text(TEXTS)):
        assert z.shape == (3, 12)
        assert torch.allclose(z.norm(dim=1), torch.ones(3), atol=1e-6)


def test_padding_and_batches_change_nothing(clip, images):
    assert torch.allclose(clip.encode_image(images, batch=2), clip.encode_image(images), atol=1e-6)
    assert torch.allclose(clip.encode_text(TEXTS, batch=1), clip.encode_text(TEXTS), atol=1e-6)


def test_nothing_has_no_embeddings(clip):
    assert clip.encode_image(torch.zeros(0, 3, 40, 50)).shape == (0, 12)
    assert clip.encode_text([]).shape == (0, 12)


def test_a_longer_text_is_cut(clip):
    z = clip.encode_text(["a " * (LONGEST - 2), "a " * 50 + "b"])
    assert torch.equal(z[0], z[1])


def test_the_network_is_frozen_and_in_evaluation_mode(clip):
    assert {weights.dtype for weights in clip.network.parameters()} == {torch.float32}
    assert not any(weights.requires_grad for weights in clip.network.parameters())
    assert not clip.network.training


def test_the_card_says_what_was_loaded(saved, clip):
    assert clip.card.name == str(saved)
    assert clip.card.size == pytest.approx((saved / "model.safetensors").stat().st_size, rel=0.3)
    assert "Radford" in clip.card.source


def test_loading_says_nothing(saved, capfd):
    load_clip(str(saved))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda clip: clip.encode_image(torch.full((1, 3, 8, 8), 255.0)), "not from 255 to 255"),
        (lambda clip: clip.encode_image(torch.zeros(1, 3, 8, 8), batch=0), "at least 1, not 0"),
        (lambda clip: clip.encode_text("a cone"), r"give a list of strings: \['a cone'\]"),
        (lambda clip: clip.encode_text(["a"], batch=0), "at least 1, not 0"),
    ],
)
def test_bad_input_is_refused(clip, call, message):
    with pytest.raises(ValueError, match=message):
        call(clip)


def test_a_clip_that_is_not_here_says_what_to_type():
    with pytest.raises(CacheError, match=r"'nobody/clip' is neither a folder .* hf download nobody/clip"):
        load_clip("nobody/clip")


def without(saved, folder, *names):
    shutil.copytree(saved, folder)
    for name in names:
        (folder / name).unlink()
    return folder


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "preprocessor_config.json"])
def test_a_missing_file_is_named(saved, tmp_path, name):
    folder = without(saved, tmp_path / "clip", name)
    with pytest.raises(CacheError, match=r"clip holds no CLIP that can be loaded: "):
        load_clip(folder)


def test_a_missing_tokeniser_is_named(saved, tmp_path):
    folder = without(saved, tmp_path / "clip", "tokenizer.json", "tokenizer_config.json")
    with pytest.raises(CacheError, match=r"holds no CLIP that can be loaded: there is no tokeniser"):
        load_clip(folder)


def test_damaged_weights_are_named(saved, tmp_path):
    folder = without(saved, tmp_path / "clip")
    (folder / "model.safetensors").write_bytes((saved / "model.safetensors").read_bytes()[:5000])
    with pytest.raises(CacheError, match=r"clip holds no CLIP that can be loaded: "):
        load_clip(folder)


def test_missing_weights_are_named(saved, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = without(saved, tmp_path / "clip")
    weights = load_file(saved / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CacheError, match=r"the weights lack visual_projection\.weight"):
        load_clip(folder)


def test_another_kind_of_model_is_refused(saved, tmp_path):
    folder = without(saved, tmp_path / "clip")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "bert"}))
    with pytest.raises(CacheError, match="it is a model of type bert"):
        load_clip(folder)
