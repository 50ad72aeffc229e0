"""What the real pretrained models do, where they are fetched: `make models`."""

import math
import os
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from mmdl_course.architectures import pretrained
from mmdl_course.cache import CacheError, cache_folder
from mmdl_course.models import MODELS


def refuse(*_, **__):
    raise AssertionError("a loader wanted the network")


def loaded(name, load):
    """The model, or a skipped test; the network is out of reach while it loads."""
    if not cache_folder("models", name).exists():
        pytest.skip(f"not fetched: mmdl fetch {name}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        return load()


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def lite():
    return loaded("efficientnet-lite0", pretrained.load_efficientnet_lite0)


@pytest.fixture(scope="module")
def minilm():
    return loaded("minilm", pretrained.load_minilm)


@pytest.fixture(scope="module")
def smollm2():
    return loaded("smollm2", pretrained.load_smollm2)


LOADERS = {
    "efficientnet-lite0": pretrained.load_efficientnet_lite0,
    "minilm": pretrained.load_minilm,
    "smollm2": pretrained.load_smollm2,
}
FIXTURES = {
    "efficientnet-lite0": "lite",
    "minilm": "minilm",
    "smollm2": pytest.param("smollm2", marks=pytest.mark.slow),
}


# All three -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOADERS)
def test_without_fetching_it_says_what_to_type(name, tmp_path, monkeypatch):
    monkeypatch.setenv("MMDL_CACHE", str(tmp_path))
    with pytest.raises(CacheError, match=rf"^{name} is not fetched\. Type: mmdl fetch {name}$"):
        LOADERS[name]()


@pytest.mark.parametrize("name", LOADERS)
def test_a_corrupt_file_is_named(name, tmp_path, monkeypatch):
    folder = cache_folder("models", name)
    if not folder.exists():
        pytest.skip(f"not fetched: mmdl fetch {name}")
    monkeypatch.setenv("MMDL_CACHE", str(tmp_path))
    copy = cache_folder("models", name)
    copy.mkdir(parents=True)
    for path in folder.iterdir():
        (copy / path.name).symlink_to(path)
    largest = max(copy.iterdir(), key=lambda path: path.stat().st_size)
    largest.unlink()
    largest.write_bytes(b"these are no weights")
    with pytest.raises(CacheError, match=rf"{largest.name} is damaged\. Repair it: mmdl fetch {name}"):
        LOADERS[name]()


@pytest.mark.parametrize(
    ("fixture", "parameters"),
    [
        ("lite", 4_652_008),
        ("minilm", 22_713_216),
        pytest.param("smollm2", 134_515_008, marks=pytest.mark.slow),
    ],
)
def test_networks_are_whole_frozen_and_in_evaluation_mode(fixture, parameters, request):
    network = request.getfixturevalue(fixture).network
    assert sum(weights.numel() for weights in network.parameters()) == parameters
    assert {weights.dtype for weights in network.parameters()} == {torch.float32}
    assert not any(weights.requires_grad for weights in network.parameters())
    assert not any(module.training for module in network.modules())


@pytest.mark.parametrize("fixture", FIXTURES.values())
def test_each_carries_its_card(fixture, request):
    model = request.getfixturevalue(fixture)
    assert model.card in MODELS.values()
    assert model.card.licence == "Apache-2.0"


@pytest.mark.slow
@pytest.mark.parametrize("name", LOADERS)
def test_loading_says_nothing_and_changes_no_setting(name, tmp_path):
    if not cache_folder("models", name).exists():
        pytest.skip(f"not fetched: mmdl fetch {name}")
    code = (
        "import os; before = dict(os.environ)\n"
        "from transformers.utils import logging; settings = logging.get_verbosity(), logging._tqdm_active\n"
        f"from mmdl_course.architectures import pretrained; pretrained.{LOADERS[name].__name__}()\n"
        "assert dict(os.environ) == before\n"
        "assert (logging.get_verbosity(), logging._tqdm_active) == settings"
    )
    environment = {**os.environ, "MMDL_CACHE": str(cache_folder()), "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# EfficientNet-Lite0 ----------------------------------------------------------------------------------------


def photo(name):
    from sklearn.datasets import load_sample_image

    return torch.tensor(load_sample_image(name)).permute(2, 0, 1)[None] / 255  # (1, 3, 427, 640)


def test_it_names_what_the_photos_show(lite):
    china, flower = photo("china.jpg"), photo("flower.jpg")
    best = [list(names) for names in lite.top(lite.prepare(torch.cat([china, flower])))]
    assert best[0][0] == "palace"  # a pavilion of the Summer Palace
    assert best[1][0] == "daisy"  # a dahlia, of the same family; ImageNet has no dahlia
    assert {"palace", "monastery", "castle"} <= set(best[0])


def test_it_knows_a_person_in_uniform(lite):
    import matplotlib as mpl
    import numpy as np
    from PIL import Image

    path = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    image = torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)[None] / 255
    assert "military uniform" in lite.top(lite.prepare(image))[0]


def test_probabilities_sum_to_one_and_fall(lite):
    (shares,) = lite.top(lite.prepare(photo("flower.jpg")), count=1000)
    assert len(shares) == 1000  # no name twice
    assert math.isclose(sum(shares.values()), 1, abs_tol=1e-4)
    assert all(left >= right for left, right in pairwise(shares.values()))


def test_the_parts_agree_with_the_whole_network(lite):
    images = lite.prepare(photo("china.jpg"))
    assert lite.feature_map(images).shape == (1, 1280, 7, 7)
    features = lite.features(images)
    assert features.min() >= 0
    assert features.max() <= 6
    whole = lite.network((images - 127 / 255) / (128 / 255))
    assert torch.allclose(lite.logits(images), whole, atol=1e-4)


def test_the_right_normalisation_is_the_surest(lite):
    """With the mean and deviation of other ImageNet models the daisy's probability falls to a third."""
    images = lite.prepare(photo("flower.jpg"))
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[:, None, :, None, None]
    other = lite.network((images - mean) / deviation).softmax(dim=1)[0, lite.classes.index("daisy")]
    assert lite.top(images)[0]["daisy"] > 2 * other


def test_a_batch_gives_what_single_images_give(lite):
    images = torch.cat([lite.prepare(photo("china.jpg")), lite.prepare(photo("flower.jpg"))])
    singly = torch.cat([lite.logits(image[None]) for image in images])
    assert torch.allclose(lite.logits(images), singly, atol=1e-4)


def test_prepare_cuts_the_middle_square(lite):
    image = torch.zeros(1, 3, 100, 300)
    image[:, :, :, 100:200] = 1
    assert torch.allclose(lite.prepare(image, crop=1.0), torch.ones(1, 3, 224, 224), atol=1e-5)
    assert lite.prepare(image[:, :, :1, :1]).shape == (1, 3, 224, 224)


def test_gradients_reach_the_image(lite):
    images = lite.prepare(photo("flower.jpg")).requires_grad_()
    lite.logits(images)[0, 985].backward()
    assert images.grad.abs().sum() > 0


def test_no_images_have_no_features(lite):
    assert lite.features(torch.zeros(0, 3, 224, 224)).shape == (0, 1280)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.full((1, 3, 224, 224), 200.0), r"from 0 \(dark\) to 1 \(bright\), not from 200 to 200"),
        (torch.full((1, 3, 224, 224), torch.nan), "from nan to nan"),
        (torch.full((1, 3, 224, 224), -0.1), "not from -0.1"),
        (torch.zeros(1, 3, 100, 120), r"224 × 224 pixels, not 100 × 120\. Try prepare"),
    ],
)
def test_images_out_of_range_are_refused(lite, images, message):
    with pytest.raises(ValueError, match=message):
        lite.logits(images)


@pytest.mark.parametrize("crop", [0.0, 1.5, -1.0])
def test_a_crop_out_of_range_is_refused(lite, crop):
    with pytest.raises(ValueError, match=f"at most 1, not {crop}"):
        lite.prepare(torch.zeros(1, 3, 8, 8), crop=crop)


@pytest.mark.parametrize("count", [0, 1001])
def test_a_count_out_of_range_is_refused(lite, count):
    with pytest.raises(ValueError, match=f"from 1 to 1000, not {count}"):
        lite.top(torch.zeros(1, 3, 224, 224), count=count)


# all-MiniLM-L6-v2 ------------------------------------------------------------------------------------------


def test_it_gives_the_published_similarities(minilm):
    """The example of sentence-transformers' documentation (sbert.net, "Quickstart")."""
    z = minilm.encode(["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."])
    assert torch.allclose((z @ z.T)[[0, 0, 1], [1, 2, 2]], torch.tensor([0.6660, 0.1046, 0.1411]), atol=1e-4)


@pytest.mark.parametrize(
    ("sentence", "paraphrase", "related", "unrelated"),
    [
        ("A dog runs on grass.", "A puppy runs across the lawn.", "The cat sleeps.", "Interest rates rose."),
        ("a red ball by a green box", "a green box beside a red ball", "a blue ball", "the Roman senate"),
        (
            "How do I bake bread?",
            "How to make a loaf at home?",
            "Which flour for pizza?",
            "The train is late.",
        ),
        ("grinning face", "smiling face", "crying face", "fire engine"),
        ("She plays the violin.", "She is a violinist.", "He listens to jazz.", "The server is slow."),
    ],
)
def test_nearness_is_nearness_of_meaning(minilm, sentence, paraphrase, related, unrelated):
    z = minilm.encode([sentence, paraphrase, related, unrelated])
    same, near, far = (z[1:] @ z[0]).tolist()
    assert same > near > far
    assert same > 0.5
    assert far < 0.2


def test_embeddings_are_unit_vectors(minilm):
    z = minilm.encode(["one", "two words", "a cone", ""])
    assert z.shape == (4, 384)
    assert torch.allclose(z.norm(dim=1), torch.ones(4), atol=1e-6)


def test_padding_and_batches_change_nothing(minilm):
    texts = ["a cone", "a small red cone stands in front of two large green spheres", "yes", "a blue cube"]
    together = minilm.encode(texts)
    assert torch.allclose(minilm.encode(texts, batch=1), together, atol=1e-6)
    assert torch.allclose(minilm.encode(texts, batch=3), together, atol=1e-6)


def test_what_lies_beyond_256_tokens_is_not_read(minilm):
    long = "word " * 254  # and two special tokens
    z = minilm.encode([long, long + "elephant"])
    assert torch.equal(z[0], z[1])


def test_no_texts_have_no_embeddings(minilm):
    assert minilm.encode([]).shape == (0, 384)


def test_one_string_is_not_a_list_of_strings(minilm):
    with pytest.raises(ValueError, match=r"give a list of strings: \['a cone'\]"):
        minilm.encode("a cone")


def test_a_batch_size_out_of_range_is_refused(minilm):
    with pytest.raises(ValueError, match="at least 1, not 0"):
        minilm.encode(["a cone"], batch=0)


# SmolLM2 ---------------------------------------------------------------------------------------------------


def question(text):
    return [{"role": "user", "content": text}]


def surprise(model, text):
    """Mean negative log-likelihood per token, in nats."""
    tokens = model.tokenizer(text, return_tensors="pt")["input_ids"]
    return model.network(tokens, labels=tokens).loss.item()


@pytest.mark.slow
def test_it_knows_a_capital(smollm2):
    assert smollm2.complete(question("What is the capital of France?")) == "The capital of France is Paris."
    assert "Paris" in smollm2.complete("The capital of France is", max_new_tokens=5)


@pytest.mark.slow
def test_greedy_is_deterministic_and_stops_at_max_new_tokens(smollm2):
    first = smollm2.complete("Once upon a time", max_new_tokens=12)
    assert first == smollm2.complete("Once upon a time", max_new_tokens=12)
    assert len(smollm2.tokenizer(first)["input_ids"]) <= 12
    assert smollm2.complete("Once upon a time", max_new_tokens=20).startswith(first)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fluent", "shuffled"),
    [
        ("The cat sat on the mat and looked out.", "mat the and out cat sat The looked on."),
        ("There is a red ball next to a green box.", "box green a next is a There to ball red."),
        ("Water boils at a hundred degrees.", "degrees hundred Water a at boils."),
    ],
)
def test_a_fluent_sentence_surprises_less_than_its_shuffled_words(smollm2, fluent, shuffled):
    assert surprise(smollm2, fluent) < surprise(smollm2, shuffled) - 1


@pytest.mark.slow
def test_a_padded_batch_gives_what_single_texts_give(smollm2):
    texts = ["a red ball", "a green box stands on the floor"]
    tokens = smollm2.tokenizer(texts, padding=True, return_tensors="pt")
    together = smollm2.network(**tokens).logits
    for row, text in enumerate(texts):
        ids = smollm2.tokenizer(text, return_tensors="pt")["input_ids"]
        single = smollm2.network(ids).logits[0]
        assert torch.allclose(together[row, : len(single)], single, atol=1e-3)


@pytest.mark.slow
def test_embeddings_can_be_given_instead_of_tokens(smollm2):
    ids = smollm2.tokenizer("a red ball", return_tensors="pt")["input_ids"]
    z = smollm2.network.get_input_embeddings()(ids).requires_grad_()
    logits = smollm2.network(inputs_embeds=z).logits
    assert torch.equal(logits, smollm2.network(ids).logits)
    logits[0, -1].max().backward()
    assert z.grad.abs().sum() > 0
    assert all(weights.grad is None for weights in smollm2.network.parameters())


@pytest.mark.slow
def test_tokens_give_the_text_back_and_digits_stand_alone(smollm2):
    text = "in  12345 😀 café\n\tx2"
    ids = smollm2.tokenizer(text)["input_ids"]
    assert smollm2.tokenizer.decode(ids) == text
    words = smollm2.tokenizer.convert_ids_to_tokens(ids)
    assert [word for word in words if any(digit in word for digit in "12345")] == [
        "1",
        "2",
        "3",
        "4",
        "5",
        "2",
    ]


@pytest.mark.slow
def test_the_chat_template_marks_the_turns(smollm2):
    text = smollm2.tokenizer.apply_chat_template(
        [{"role": "system", "content": "Be brief."}, *question("Hello!")],
        tokenize=False,
        add_generation_prompt=True,
    )
    assert text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n"
    )
    special = smollm2.tokenizer(text)["input_ids"]
    assert (special.count(1), special.count(2)) == (3, 2)  # the marks are single tokens


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prompt", "tokens", "message"),
    [
        ("", 5, "the prompt is empty"),
        ([], 5, "the prompt is empty"),
        ("a", 0, "max_new_tokens is 0: the latter is at least 1"),
        ("a", 8192, "both together at most 8192"),
        ([{"role": "teacher", "content": "a"}], 5, "message 0 is .*teacher.* needs a role"),
        ([{"role": "user"}], 5, "message 0 is .* and a content"),
    ],
)
def test_a_bad_prompt_is_refused(smollm2, prompt, tokens, message):
    with pytest.raises(ValueError, match=message):
        smollm2.complete(prompt, max_new_tokens=tokens)


@pytest.mark.slow
def test_transformers_reads_the_same_weights(smollm2):
    from transformers import AutoModelForCausalLM

    folder = cache_folder("models", "smollm2")
    network = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file="SmolLM2-135M-Instruct.Q4_1.gguf", local_files_only=True, dtype=torch.float32
    )
    ours, theirs = smollm2.network.state_dict(), network.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
