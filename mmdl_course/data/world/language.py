"""Captions of scenes from a small grammar, and the parser back from text to claims.

sentence = clause { "and" clause }
clause   = noun | noun relation noun | number nouns | "the" words "is" ( words | noun )
noun     = ( "a" | "an" ) words
words    = up to one each of size, colour, material, then a shape or "object"
number   = "no" | "one" | "two" | "three" | "four"
relation = one of RELATIONS
"""

import difflib
import re

import torch

from mmdl_course.data.world.claims import (
    ATTRIBUTES,
    NUMBERS,
    RELATIONS,
    Claim,
    Phrase,
    describe,
    related,
    without,
)
from mmdl_course.data.world.scene import SLOTS, Scenes
from mmdl_course.data.world.threads import one_thread

__all__ = ["CaptionError", "caption", "parse"]


class CaptionError(ValueError):
    """A text that the grammar cannot read; the message names the word."""


_COUNT_SHARE, _LIST_SHARE = 0.2, 0.3  # up to here a caption counts, up to there it lists, else it relates


@one_thread()
def caption(scenes: Scenes, *, generator: torch.Generator, detail: float = 0.5) -> list[str]:
    """One caption per scene, true of it: "a large red shiny sphere next to a small blue cone".

    Scenes with several objects are told by a relation of two of them, sometimes by two objects side by side
    ("a red cube and a torus") or, where objects are alike, by their number ("two green cones").

    Args:
        scenes: what to speak about; each holds an object.
        generator: source of randomness.
        detail: probability, 0..1, that each of size, colour and material is named. Then the shape may be left
            out ("a small red object"), a fifth as often as the others.

    Returns:
        The captions, in the order of the scenes.

    Raises:
        ValueError: a scene is empty.
    """
    if not scenes.present.any(1).all():
        raise ValueError(
            f"scene {int(scenes.present.any(1).int().argmin())} is empty: nothing to say about it"
        )
    phrases = describe(scenes)
    relations = torch.stack([related(name, scenes) for name in RELATIONS], -1).tolist()
    draws = torch.rand(len(scenes), SLOTS * len(ATTRIBUTES) + 4, generator=generator).tolist()
    return [_one(*parts, detail) for parts in zip(phrases, relations, draws, strict=True)]


def _one(full: list[Phrase | None], relations: list, draws: list[float], detail: float) -> str:
    form, first, second, which, *leave = draws
    slots = [slot for slot, phrase in enumerate(full) if phrase is not None]
    said = {slot: _leave_out(full[slot], leave[4 * slot : 4 * slot + 4], detail) for slot in slots}
    a = slots[int(first * len(slots))]
    if len(slots) == 1:
        return said[a].with_article
    alike = sum(_fits(said[a], full[slot]) for slot in slots)
    if form < _COUNT_SHARE and alike > 1:
        return f"{NUMBERS[alike]} {said[a].plural}"
    rest = [slot for slot in slots if slot != a]
    b = rest[int(second * len(rest))]
    true = [name for name, holds in zip(RELATIONS, relations[a][b], strict=True) if holds]
    if form < _LIST_SHARE or not true:
        return f"{said[a].with_article} and {said[b].with_article}"
    return f"{said[a].with_article} {true[int(which * len(true))]} {said[b].with_article}"


def _leave_out(phrase: Phrase, draws: list[float], detail: float) -> Phrase:
    drop = [kind for kind, draw in zip(("size", "colour", "material"), draws, strict=False) if draw >= detail]
    if len(drop) < 3 and draws[3] < (1 - detail) / 5:
        drop.append("shape")
    return without(phrase, *drop)


def _fits(said: Phrase, full: Phrase) -> bool:
    return all(getattr(said, kind) in (None, getattr(full, kind)) for kind in ATTRIBUTES)


def parse(text: str) -> tuple[Claim, ...]:
    """Read a text into the claims it makes.

    "a red sphere next to a blue cone" makes three: there is a red sphere, there is a blue cone, and one
    is next to the other.

    Args:
        text: in the grammar of this module; capitals, commas and full stops do not matter.

    Returns:
        The claims in the order in which they are made, none twice.

    Raises:
        CaptionError: a word the grammar cannot read there, or an unfinished sentence.
    """
    return _Reader(text).sentence()


_KIND = {name: kind for kind, names in ATTRIBUTES.items() for name in names}
_ADJECTIVES = {name for name, kind in _KIND.items() if kind != "shape"}
_PLURALS = {Phrase(shape=name).plural: name for name in ATTRIBUTES["shape"]} | {
    "objects": None,
    "toruses": "torus",
}
_WORDS = {*_KIND, *_PLURALS, *NUMBERS, *" ".join(RELATIONS).split(), "a", "an", "the", "is", "and", "object"}


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0
        self.words = re.findall(r"[^\s.,]+", text.lower())

    def sentence(self) -> tuple[Claim, ...]:
        found = self.clause()
        while self.place < len(self.words):
            if self.next != "and":
                raise self.error(f"'and', or after a first noun one of: {', '.join(RELATIONS)},")
            self.place += 1
            found += self.clause()
        return tuple(dict.fromkeys(found))

    def clause(self) -> list[Claim]:
        if self.next in ("a", "an"):
            subject = self.noun()
            found = [Claim("exists", subject)]
            relation = next((name for name in RELATIONS if self.ahead(name)), None)
            if relation:
                self.place += len(relation.split())
                other = self.noun()
                found += [
                    Claim("exists", other),
                    Claim("relation", subject, other=other, relation=relation),
                ]
            return found
        if self.next in NUMBERS:
            number = NUMBERS.index(self.next)
            self.place += 1
            return [Claim("count", self.things(plural=number != 1), number=number)]
        if self.next == "the":
            self.place += 1
            subject = self.things()
            if self.next != "is":
                raise self.error("'is'")
            self.place += 1
            if self.next not in ("a", "an", *_ADJECTIVES):
                raise self.error("a size, a colour, a material, or 'a' and a noun")
            other = self.noun() if self.next in ("a", "an") else self.adjectives()
            return [Claim("attribute", subject, other=other)]
        raise self.error("'a', 'an', 'the' or a number")

    def noun(self) -> Phrase:
        if self.next not in ("a", "an"):
            raise self.error("'a' or 'an'")
        self.place += 1
        return self.things()

    def things(self, *, plural: bool = False) -> Phrase:
        said = self.adjectives()
        shapes = _PLURALS if plural else {name: name for name in ATTRIBUTES["shape"]} | {"object": None}
        if self.next not in shapes:
            raise self.error(f"a {'plural ' if plural else ''}shape or '{'objects' if plural else 'object'}'")
        self.place += 1
        return Phrase(said.size, said.colour, said.material, shapes[self.words[self.place - 1]])

    def adjectives(self) -> Phrase:
        said = {}
        while self.next in _ADJECTIVES:
            kind = _KIND[self.next]
            if kind in said:
                raise self.error(f"a shape or another attribute than {kind} (already '{said[kind]}')")
            said[kind] = self.next
            self.place += 1
        return Phrase(**said)

    @property
    def next(self) -> str | None:
        return self.words[self.place] if self.place < len(self.words) else None

    def ahead(self, words: str) -> bool:
        parts = words.split()
        return self.words[self.place : self.place + len(parts)] == parts

    def error(self, wanted: str) -> CaptionError:
        if self.next is None:
            return CaptionError(f"'{self.text}' ends too early: {wanted} should follow")
        hint = ""
        if self.next not in _WORDS:
            near = difflib.get_close_matches(self.next, _WORDS, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else "; the grammar does not know this word"
        where = f"word {self.place + 1} of '{self.text}'"
        return CaptionError(f"cannot read '{self.next}' ({where}): {wanted} should stand here{hint}")
