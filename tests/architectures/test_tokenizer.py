"""Words to numbers and back."""

import pytest
import torch

from mmdl_course.architectures.tokenizer import END, PAD, START, UNKNOWN, WordTokenizer


@pytest.fixture
def tokenizer():
    return WordTokenizer(("a", "red", "cube", "ball"))


def test_a_text_comes_back(tokenizer):
    texts = ["a red cube, a ball", "ball", ""]
    assert tokenizer.decode(tokenizer.encode(texts)) == texts


def test_texts_start_end_and_are_filled_up(tokenizer):
    tokens = tokenizer.encode(["a red cube", "ball"])
    assert tokens.shape == (2, 5)
    assert tokens[:, 0].tolist() == [START, START]
    assert tokens[0, 4] == END
    assert tokens[1, 2:].tolist() == [END, PAD, PAD]


def test_capitals_and_full_stops_do_not_matter(tokenizer):
    assert torch.equal(tokenizer.encode(["A red cube."]), tokenizer.encode(["a red cube"]))


def test_words_from_elsewhere_are_one_unknown_word(tokenizer):
    assert tokenizer.encode(["a green cube"])[0, 2] == UNKNOWN
    assert tokenizer.decode(tokenizer.encode(["a green cube"])) == ["a <unknown> cube"]


def test_nothing_is_cut_off_silently(tokenizer):
    assert tokenizer.encode(["a red cube"], length=5).shape == (1, 5)
    with pytest.raises(ValueError, match="5 tokens do not fit into 4: 'a red cube'"):
        tokenizer.encode(["ball", "a red cube"], length=4)


@pytest.mark.parametrize(
    ("words", "message"), [(("a", "a"), "'a' stands"), (("Red",), "'Red'"), (("a b",), "'a b'")]
)
def test_a_vocabulary_that_no_text_could_use_is_refused(words, message):
    with pytest.raises(ValueError, match=message):
        WordTokenizer(words)
