"""The same content in different words: styles of caption, and templates of label prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mmdl_course.data.world.claims import NUMBERS, Clause, Phrase

__all__ = ["EVERYDAY", "LINK", "OPENINGS", "STYLES", "TEMPLATES", "Style", "plural_of", "prompt"]

LINK = "which is"
"""What introduces the second and each further relation of a clause."""

EVERYDAY = {
    "small": "little",
    "large": "big",
    "cyan": "turquoise",
    "purple": "violet",
    "matte": "dull",
    "shiny": "glossy",
    "sphere": "ball",
    "cube": "box",
    "cylinder": "drum",
    "torus": "ring",
    "wedge": "ramp",
    "object": "thing",
    "next to": "beside",
    "far from": "far away from",
    "left of": "to the left of",
    "right of": "to the right of",
}
"""Plain word to the one that a person might use; no two share one, and none is another's plain word."""

_PLURALS = {"torus": "tori", "box": "boxes"}


@dataclass(frozen=True)
class Style:
    """A way of putting clauses into words.

    Attributes:
        summary: what it is like, as a phrase.
        openings: what a text may begin with: (before one thing, before several).
        words: plain word or relation to the style's own.
        articles: whether single things have "a" or "an".
        link: before the second and each further relation of a clause.
        joint: between clauses.
    """

    summary: str
    openings: tuple[tuple[str, str], ...] = (("", ""),)
    words: Mapping[str, str] = field(default_factory=dict)
    articles: bool = True
    link: str = f" {LINK} "
    joint: str = " and "

    def write(self, clauses: Sequence[Clause], *, opening: float = 0.0) -> str:
        """The clauses as a text.

        Args:
            clauses: things and their relations, or one thing and its number; no qualities.
            opening: which of the openings, 0..1: a uniform draw makes each as likely.

        Returns:
            Words in small letters; a comma between clauses where the style has no "and".
        """
        one, several = self.openings[int(opening * len(self.openings))]
        first = one if clauses[0].number is None else several
        return (first + " " if first else "") + self.joint.join(map(self._clause, clauses))

    def noun(self, phrase: Phrase) -> str:
        """The phrase in the style's words, without article."""
        words = str(phrase).split()
        return " ".join(self.words.get(word, word) for word in words)

    def _clause(self, clause: Clause) -> str:
        if clause.number is not None:
            *words, last = self.noun(clause.things[0]).split()
            return " ".join([NUMBERS[clause.number], *words, plural_of(last)])
        nouns = [self.noun(thing) for thing in clause.things]
        if self.articles:
            nouns = [_with_article(noun) for noun in nouns]
        text = nouns[0]
        for place, (relation, noun) in enumerate(zip(clause.relations, nouns[1:], strict=True)):
            text += f"{self.link if place else ' '}{self.words.get(relation, relation)} {noun}"
        return text


STYLES: dict[str, Style] = {
    "plain": Style("just the things: a red sphere next to a blue cone"),
    "photo": Style(
        "as below a picture: a photo of a red sphere",
        openings=tuple(
            (words, words) for words in ("a photo of", "a picture of", "an image of", "a rendering of")
        ),
    ),
    "sentence": Style(
        "as one would say it: there is a red sphere",
        openings=(("there is", "there are"), ("i see", "i see"), ("this scene shows", "this scene shows")),
    ),
    "grey": Style(
        "as below a picture without colour: a grey photo of a sphere",
        openings=tuple((words, words) for words in ("a grey photo of", "a black and white photo of")),
    ),
    "drawing": Style(
        "as below a pencil drawing: a drawing of a sphere",
        openings=tuple((words, words) for words in ("a drawing of", "a sketch of")),
    ),
    "keywords": Style("no little words: red sphere, blue cone", articles=False, link=" ", joint=", "),
    "everyday": Style("in the words of EVERYDAY: a red ball beside a blue cone", words=EVERYDAY),
}
"""Name to style. All of them say the same of the same scene; only the words differ.

What "grey" and "drawing" say of the picture itself is true of the shifts "grey" and "sketch" alone; captions
for these leave out what the shift hides (`Shift.hides`).
"""

OPENINGS = tuple(
    dict.fromkeys(words for style in STYLES.values() for pair in style.openings for words in pair if words)
)

TEMPLATES: dict[str, str | None] = {
    "{}": "keywords",
    "a {}": "plain",
    "a photo of a {}": "photo",
    "a picture of a {}": "photo",
    "an image of a {}": "photo",
    "a rendering of a {}": "photo",
    "there is a {}": "sentence",
    "i see a {}": "sentence",
    "this scene shows a {}": "sentence",
    "a grey photo of a {}": "grey",
    "a black and white photo of a {}": "grey",
    "a drawing of a {}": "drawing",
    "a sketch of a {}": "drawing",
    "the {}": None,
    "a photo of the {}": None,
    "a toy {}": None,
    "a {} on the ground": None,
}
"""Template of a label prompt to the style of caption that is worded so.

A model that was trained on captions of some styles (its card lists them) has seen just their templates; None
marks wordings that no caption has, some with words that no caption has.
"""


def prompt(template: str, label: Phrase | str, *, everyday: bool = False) -> str:
    """A label in words, to compare pictures with: "a photo of an orange cube".

    Args:
        template: text with one "{}"; one of TEMPLATES or your own. A template's "a" or "an" before the slot
            becomes what the label needs.
        label: a noun phrase without article: `Phrase(colour="orange", shape="cube")` or "orange cube".
        everyday: whether to put the label into the words of EVERYDAY ("a photo of an orange box").

    Returns:
        The prompt.

    Raises:
        ValueError: the template has no slot or several, or the label is empty.

    Source: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021,
        section 3.1.4.
    """
    if template.count("{}") != 1:
        raise ValueError(f"a template has one '{{}}' for the label, not {template.count('{}')}: '{template}'")
    text = str(label).strip()
    if not text:
        raise ValueError("the label is empty: give a Phrase, or words such as 'red cube'")
    if everyday:
        text = " ".join(EVERYDAY.get(word, word) for word in text.split())
    before, after = template.split("{}")
    words = before.split(" ")
    if len(words) > 1 and words[-2].lower() in ("a", "an") and not words[-1]:
        words[-2] = words[-2][0] + _with_article(text).split()[0][1:]
        before = " ".join(words)
    return before + text + after


def plural_of(noun: str) -> str:
    """The noun for several things: "spheres", "boxes", "tori"."""
    return _PLURALS.get(noun, noun + "s")


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
