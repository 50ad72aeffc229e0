"""Two towers, one space."""

import pytest
import torch

from mmdl_course.architectures.miniclip import ImageTower, MiniCLIP

WORDS = ("a", "red", "blue", "cube", "ball")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MiniCLIP(words=WORDS, size=16, stride=4, dim=16, embedding=8).eval()


def test_both_towers_end_in_one_space(model):
    assert model.encode_image(torch.rand(3, 3, 16, 16)).shape == (3, 8)
    assert model.encode_text(["a red cube", "ball"]).shape == (2, 8)


def test_patches_lie_in_the_same_space(model):
    assert model.encode_patches(torch.rand(2, 3, 16, 16)).shape == (2, 4, 4, 8)


def test_of_each_feature_the_largest_over_the_patches_counts(model):
    image = torch.rand(2, 3, 16, 16)
    expected = model.image_projection(model.image(image).max(dim=1).values)
    torch.testing.assert_close(model.encode_image(image), expected)


def test_the_pixels_it_expects_start_from_zero():
    torch.manual_seed(0)
    tower = ImageTower(size=16, stride=4, dim=16, pixels=(0.6, 0.1))
    seen = []
    tower.stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    tower(torch.full((1, 3, 16, 16), 0.7))
    torch.testing.assert_close(seen[0], torch.ones(1, 3, 16, 16))


def test_a_text_does_not_feel_its_neighbours_or_the_filling(model):
    alone = model.encode_text(["a red cube"])
    beside = model.encode_text(["ball", "a red cube", "a blue ball a red cube a ball"])[1:2]
    torch.testing.assert_close(alone, beside)


def test_the_order_of_words_matters(model):
    first, second = model.encode_text(["a red cube a blue ball", "a blue cube a red ball"])
    assert not torch.allclose(first, second)


def test_words_may_be_replaced_by_vectors(model):
    tokens = model.tokenizer.encode(["a red cube"])
    words = model.text.words(tokens)
    end = torch.tensor([4])
    torch.testing.assert_close(model.encode_words(words, end), model.encode_text(["a red cube"]))
    learned = words.detach().clone().requires_grad_()
    model.encode_words(learned, end).sum().backward()
    assert learned.grad.abs().sum(dim=2).min() > 0  # every position is heard at the end


def test_its_configuration_makes_it_again(model):
    twin = MiniCLIP(**model.config)
    twin.load_state_dict(model.state_dict())
    image = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(twin.eval().encode_image(image), model.encode_image(image))
    torch.testing.assert_close(twin.encode_text(["a ball"]), model.encode_text(["a ball"]))


def test_a_wrong_size_and_a_long_text_are_refused(model):
    with pytest.raises(ValueError, match="16 × 16 pixels, not 32 × 32"):
        model.encode_image(torch.rand(1, 3, 32, 32))
    with pytest.raises(ValueError, match="reads 48 tokens, not 62"):
        model.encode_text(["a " * 60])
    with pytest.raises(ValueError, match="patches of 4"):
        MiniCLIP(words=WORDS, size=30, stride=4)
    with pytest.raises(ValueError, match="power of 2, not 6"):
        MiniCLIP(words=WORDS, size=24, stride=6)
