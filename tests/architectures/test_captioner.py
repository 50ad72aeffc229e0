"""A decoder that looks at an image, or at nothing."""

import pytest
import torch

from mmdl_course.architectures.captioner import Captioner

WORDS = ("a", "red", "blue", "cube", "ball")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Captioner(words=WORDS, size=16, stride=4, length=12, dim=16, depth=2).eval()


def test_the_image_changes_what_comes_next(model):
    tokens = model.tokenizer.encode(["a red cube"])
    first, second = (model.next_word(tokens, torch.full((1, 3, 16, 16), grey)) for grey in (0.1, 0.9))
    assert first.shape == (1, 5, len(model.tokenizer))
    assert not torch.allclose(first, second)
    assert not torch.allclose(first, model.next_word(tokens))


def test_later_words_do_not_change_what_comes_next(model):
    image = torch.rand(1, 3, 16, 16)
    short = model.next_word(model.tokenizer.encode(["a red"]), image)
    long = model.next_word(model.tokenizer.encode(["a red cube"]), image)
    torch.testing.assert_close(short[:, :3], long[:, :3])


def test_filling_costs_nothing(model):
    alone = model.loss(model.tokenizer.encode(["a ball"]))
    filled = model.loss(model.tokenizer.encode(["a ball"], length=12))
    torch.testing.assert_close(alone, filled)


def test_the_loss_of_one_who_knows_nothing_is_the_logarithm_of_the_vocabulary(model):
    torch.nn.init.zeros_(model.decoder.transformer.ln_f.weight)
    torch.nn.init.zeros_(model.decoder.transformer.ln_f.bias)
    loss = model.loss(model.tokenizer.encode(["a red cube"]), torch.rand(1, 3, 16, 16))
    torch.testing.assert_close(loss, torch.tensor(float(len(model.tokenizer))).log())


def test_it_learns_to_say_what_it_sees(model, capfd):
    images = torch.stack([torch.full((3, 16, 16), 0.1), torch.full((3, 16, 16), 0.9)])
    texts = ["a red cube", "a blue ball"]
    tokens = model.tokenizer.encode(texts)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        model.loss(tokens, images).backward()
        optimiser.step()
    assert model.write(images) == texts
    assert model.write(images.flip(0)) == texts[::-1]
    assert capfd.readouterr().err == ""


def test_drawn_texts_differ_and_likeliest_ones_do_not(model):
    assert len(set(model.write(count=20, sample=True))) > 1
    assert len(set(model.write(count=20))) == 1
