"""Every word that the world's texts are made of."""

import re

from mmdl_course.data.world.claims import ATTRIBUTES, NUMBERS, RELATIONS
from mmdl_course.data.world.scene import SLOTS
from mmdl_course.data.world.styles import OPENINGS, STYLES, TEMPLATES, plural_of

__all__ = ["VOCABULARY", "words_of"]


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without commas, full stops and question marks.

    Args:
        text: any text.

    Returns:
        Runs of letters and digits, in order.
    """
    return re.findall(r"[^\W_]+", text.lower())


_NOUNS = (*ATTRIBUTES["shape"], "object")
_QUESTIONS = (
    "is there",
    "how many are there",
    "what is the",
    "are there more than",
    "do the and the have the same",
    *ATTRIBUTES,
)
_ANSWERS = ("yes", "no", *map(str, range(SLOTS + 1)))
_TEXTS = (
    *(name for names in ATTRIBUTES.values() for name in names),
    *_NOUNS,
    *RELATIONS,
    *(word for style in STYLES.values() for word in (style.link, style.joint, *style.words.values())),
    *(plural_of(style.words.get(noun, noun)) for style in STYLES.values() for noun in _NOUNS),
    *NUMBERS,
    *OPENINGS,
    *TEMPLATES,
    *_QUESTIONS,
    *_ANSWERS,
    "a an the is",
)

VOCABULARY: tuple[str, ...] = tuple(sorted({word for text in _TEXTS for word in words_of(text)}))
"""The words of all captions, claims, prompts, questions, answers and referring expressions, sorted.

A caption in the style "keywords" has commas too; `words_of` drops them.
"""
