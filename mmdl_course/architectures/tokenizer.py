"""Text to numbers and back, one number a word: for a closed vocabulary such as the world's."""

import re
from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Int64
from torch import Tensor

__all__ = ["END", "PAD", "START", "UNKNOWN", "WordTokenizer"]

PAD, START, END, UNKNOWN = range(4)
"""Numbers of the special tokens: filling after the end, start of a text, its end, an unknown word."""

_SPECIAL = ("<pad>", "<start>", "<end>", "<unknown>")


class WordTokenizer:
    """Numbers for words: lower case, punctuation other than the comma dropped, the comma a word of its own.

    Args:
        words: the vocabulary, each word once; the comma is added where it is missing.

    Raises:
        ValueError: a word comes twice, or could never come out of a text.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        if "," not in self.words:
            self.words = (*self.words, ",")
        for word in self.words:
            if self.split(word) != [word]:
                raise ValueError(f"'{word}' is not one lower-case word: no text can hold it")
        if len(set(self.words)) < len(self.words):
            twice = next(word for word in self.words if self.words.count(word) > 1)
            raise ValueError(f"'{twice}' stands in the vocabulary twice")
        self.tokens = (*_SPECIAL, *self.words)
        self._number = {word: number for number, word in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    @staticmethod
    def split(text: str) -> list[str]:
        """The words of a text, in order."""
        return re.findall(r",|[^\W_]+(?:[-'][^\W_]+)*", text.lower())

    def encode(self, texts: Sequence[str], *, length: int | None = None) -> Int64[Tensor, "text position"]:
        """Numbers for the words, with a start token before and an end token after.

        Args:
            texts: what to read.
            length: positions of the result; those of the longest text when left out.

        Returns:
            Token numbers; PAD after the end.

        Raises:
            ValueError: a text is longer than `length` allows. Nothing is cut off silently.
        """
        rows = [
            [START, *(self._number.get(word, UNKNOWN) for word in self.split(text)), END] for text in texts
        ]
        longest = max(map(len, rows), default=2)
        if length is not None and longest > length:
            text = texts[max(range(len(rows)), key=lambda row: len(rows[row]))]
            raise ValueError(f"{longest} tokens do not fit into {length}: '{text}'")
        tokens = torch.full((len(rows), length or longest), PAD)
        for place, row in enumerate(rows):
            tokens[place, : len(row)] = torch.tensor(row)
        return tokens

    def decode(self, tokens: Int64[Tensor, "text position"]) -> list[str]:
        """The texts that the numbers stand for, up to the first end token.

        Args:
            tokens: numbers below `len(self)`, with or without a start token.
        """
        texts = []
        for row in tokens.tolist():
            row = row[: row.index(END)] if END in row else row
            texts.append(" ".join(self.tokens[number] for number in row if number not in (PAD, START)))
        return [text.replace(" ,", ",") for text in texts]
