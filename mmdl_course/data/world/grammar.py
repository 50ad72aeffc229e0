"""What a text says, clause by clause, and the reader that finds it in the wording of any style.

text     = [ opening ] clause { ( "and" | "," ) clause }
clause   = noun { [ "which is" ] relation noun } | number nouns | "the" words "is" ( words | noun )
noun     = [ "a" | "an" ] words
words    = up to one each of size, colour, material, then a shape or "object"
number   = "no" | "one" | "two" | "three" | "four"
relation = one of RELATIONS

"which" is the thing named last. Openings ("a photo of") and other words for the same ("ball" for "sphere")
are those of `styles`.
"""

import difflib
import re

from mmdl_course.data.world.claims import ATTRIBUTES, NUMBERS, RELATIONS, Clause, Phrase
from mmdl_course.data.world.styles import LINK, OPENINGS, STYLES, plural_of

__all__ = ["CaptionError", "read", "read_phrase"]


class CaptionError(ValueError):
    """A text that the grammar cannot read; the message names the word."""


def read(text: str) -> tuple[Clause, ...]:
    """Read a text into clauses.

    Args:
        text: in the grammar of this module, in any style; capitals and full stops do not matter.

    Returns:
        The clauses in order.

    Raises:
        CaptionError: a word the grammar cannot read there, or an unfinished sentence.
    """
    if not isinstance(text, str):
        raise CaptionError(f"there is one text to read at a time, a str, not {type(text).__name__}")
    return _Reader(text).sentence()


def read_phrase(words: str, *, plural: bool = False) -> Phrase:
    """Read one noun phrase without article.

    Args:
        words: "small red cube"; "small red cubes" where `plural`. In any style, too.
        plural: whether several things are meant.

    Returns:
        What it says.

    Raises:
        CaptionError: a word the grammar cannot read there, or something after the phrase.
    """
    reader = _Reader(words)
    phrase = reader.things(plural=plural)
    if reader.next is not None:
        raise reader.error("the end, after one noun phrase,")
    return phrase


_PLAIN = {own: plain for style in STYLES.values() for plain, own in style.words.items()}
_KIND = {name: kind for kind, names in ATTRIBUTES.items() for name in names}
_KIND |= {own: _KIND[plain] for own, plain in _PLAIN.items() if plain in _KIND}
_ADJECTIVES = {name for name, kind in _KIND.items() if kind != "shape"}
_NOUNS = {name: name for name, kind in _KIND.items() if kind == "shape"}
_NOUNS |= {"object": None} | {own: None for own, plain in _PLAIN.items() if plain == "object"}
_PLURALS = {plural_of(name): name for name in _NOUNS} | {"toruses": "torus"}
_RELATIONS = {name: name for name in RELATIONS} | {
    own: plain for own, plain in _PLAIN.items() if plain in RELATIONS
}
_WORDS = {*_KIND, *_NOUNS, *_PLURALS, *NUMBERS, *LINK.split(), "a", "an", "the", "is", "and"}
_WORDS |= set(" ".join((*_RELATIONS, *OPENINGS)).split())


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0
        self.words, self.after_comma = [], set()
        for word in re.findall(r"[^\s.,]+|,", text.lower()):
            if word == ",":
                self.after_comma.add(len(self.words))
            else:
                self.words.append(word)

    def sentence(self) -> tuple[Clause, ...]:
        self.skip(*OPENINGS)
        found = [self.clause()]
        while self.place < len(self.words):
            if not self.skip("and") and self.place not in self.after_comma:
                raise self.error(f"'and', or after a first noun one of: {', '.join(RELATIONS)},")
            found.append(self.clause())
        return tuple(found)

    def clause(self) -> Clause:
        if self.next in NUMBERS:
            number = NUMBERS.index(self.next)
            self.place += 1
            return Clause((self.things(plural=number != 1),), number=number)
        if self.skip("the"):
            subject = self.things()
            if not self.skip("is"):
                raise self.error("'is'")
            if self.next not in ("a", "an", *_ADJECTIVES):
                raise self.error("a size, a colour, a material, or 'a' and a noun")
            quality = self.noun() if self.next in ("a", "an") else Phrase(**self.adjectives())
            return Clause((subject,), quality=quality)
        if self.next not in ("a", "an", *_ADJECTIVES, *_NOUNS):
            raise self.error("'a', 'an', 'the', a number or a noun")
        things, relations = [self.noun()], []
        while True:
            linked = self.skip(LINK)
            relation = self.skip(*_RELATIONS)
            if not relation:
                if linked:
                    raise self.error(f"one of: {', '.join(RELATIONS)}")
                return Clause(tuple(things), tuple(relations))
            relations.append(_RELATIONS[relation])
            things.append(self.noun())

    def noun(self) -> Phrase:
        self.skip("a", "an")
        return self.things()

    def things(self, *, plural: bool = False) -> Phrase:
        said = self.adjectives()
        shapes = _PLURALS if plural else _NOUNS
        if self.next not in shapes:
            raise self.error(f"a {'plural ' if plural else ''}shape or '{'objects' if plural else 'object'}'")
        self.place += 1
        word = self.words[self.place - 1]
        name = _PLURALS[word] if plural else word
        name = _PLAIN.get(name, name)
        return Phrase(**said, shape=None if name == "object" else name)

    def adjectives(self) -> dict[str, str]:
        said = {}
        while self.next in _ADJECTIVES:
            kind = _KIND[self.next]
            if kind in said:
                raise self.error(f"a shape or another attribute than {kind} (already '{said[kind]}')")
            said[kind] = _PLAIN.get(self.next, self.next)
            self.place += 1
        return said

    @property
    def next(self) -> str | None:
        return self.words[self.place] if self.place < len(self.words) else None

    def skip(self, *choices: str) -> str | None:
        """Go past whichever choice stands here, the longest if several do, and say which."""
        for choice in sorted(choices, key=len, reverse=True):
            parts = choice.split()
            if self.words[self.place : self.place + len(parts)] == parts:
                self.place += len(parts)
                return choice
        return None

    def error(self, wanted: str) -> CaptionError:
        if self.next is None:
            return CaptionError(f"'{self.text}' ends too early: {wanted} should follow")
        hint = ""
        if self.next not in _WORDS:
            near = difflib.get_close_matches(self.next, _WORDS, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else "; the grammar does not know this word"
        where = f"word {self.place + 1} of '{self.text}'"
        return CaptionError(f"cannot read '{self.next}' ({where}): {wanted} should stand here{hint}")
