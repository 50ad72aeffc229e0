"""Questions about scenes with their exact answers, and the reader that answers a question's text.

exists     "is there a red sphere?"                           yes, no
count      "how many large objects are there?"                0 to 4
attribute  "what colour is the cone?"                         the values of the attribute
relation   "is the cube left of the red object?"              yes, no
compare    "are there more cubes than red objects?"           yes, no
           "do the cube and the red object have the same size?"

"the" always means exactly one object of the scene, otherwise the question is not asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations, product

import torch
from jaxtyping import Int8
from torch import Tensor

from mmdl_course.data.world.claims import ATTRIBUTES, RELATIONS, Phrase, related
from mmdl_course.data.world.grammar import CaptionError, read_phrase
from mmdl_course.data.world.inputs import check_generator, check_names, index_of
from mmdl_course.data.world.scene import SLOTS, Scenes
from mmdl_course.data.world.threads import one_thread

__all__ = ["KINDS", "Query", "Question", "answer", "answer_table", "ask", "read_question"]

KINDS = ("exists", "count", "attribute", "relation", "compare")
"""Kinds of question."""

RARE = 0.01
"""Balanced questions leave out answers that a smaller share of the scenes gives."""


@dataclass(frozen=True)
class Query:
    """What a question asks.

    Attributes:
        kind: from KINDS.
        subject: what is spoken of.
        other: what it is compared or related to.
        relation: from RELATIONS.
        attribute: "size", "colour", "material" or "shape": what is asked for, or compared.
    """

    kind: str
    subject: Phrase
    other: Phrase | None = None
    relation: str | None = None
    attribute: str | None = None

    def __str__(self) -> str:
        """A question that `read_question` reads back."""
        match self.kind:
            case "exists":
                return f"is there {self.subject.with_article}?"
            case "count":
                return f"how many {self.subject.plural} are there?"
            case "attribute":
                return f"what {self.attribute} is the {self.subject}?"
            case "relation":
                return f"is the {self.subject} {self.relation} the {self.other}?"
            case "compare" if self.attribute is None:
                return f"are there more {self.subject.plural} than {self.other.plural}?"
        return f"do the {self.subject} and the {self.other} have the same {self.attribute}?"

    @property
    def answers(self) -> tuple[str, ...]:
        """Every answer there can be."""
        match self.kind:
            case "count":
                return tuple(map(str, range(SLOTS + 1)))
            case "attribute":
                return ATTRIBUTES[self.attribute]
        return ("no", "yes")


@dataclass(frozen=True)
class Question:
    """A question about one scene.

    Attributes:
        text: the question.
        kind: from KINDS.
        answer: the exact answer, one of `answers`.
        answers: the closed vocabulary of answers to questions of this sort.
        scene: which scene of the batch is meant.
    """

    text: str
    kind: str
    answer: str
    answers: tuple[str, ...]
    scene: int


@one_thread()
def ask(
    scenes: Scenes, *, generator: torch.Generator, kinds: Sequence[str] = KINDS, balanced: bool = False
) -> list[Question]:
    """Draw questions.

    As the world is, answers are lopsided: most things that could be there are not, and who always says "no"
    is mostly right. Balanced, each text comes up equally often with each of its answers (those that at least
    one in a hundred of the scenes gives, where the question can be asked), so a model that reads
    the question and does not look gains nothing from it.

    Source: Goyal et al. 2017, "Making the V in VQA matter", for the balancing.

    Args:
        scenes: what to ask about.
        generator: source of randomness.
        kinds: from KINDS.
        balanced: whether answers come up equally often.

    Returns:
        For each kind one question per scene, without the scenes of which none can be asked. Balanced: up to
        as many questions of each kind as there are scenes, in random order; some scenes are asked about
        several times, others never.

    Raises:
        ValueError: an unknown kind.
    """
    check_generator(generator)
    check_names("kinds", kinds, KINDS, "kind of question")
    draw = _balanced if balanced else _one_each
    found = []
    for kind in kinds:
        queries, table = answer_table(scenes, kind=kind)
        found += [
            Question(str(query), kind, query.answers[table[row, scene]], query.answers, scene)
            for row, scene in draw(table, generator)
            for query in [queries[row]]
        ]
    return found


def answer(text: str, scenes: Scenes) -> list[str | None]:
    """Answer a question by its text: about the scene it was asked of, or about what could have been.

    Args:
        text: as `ask` writes it; capitals do not matter.
        scenes: the scenes to look at.

    Returns:
        The answer in each scene; None where "the" does not mean exactly one object, or where
        the question is about one and the same object twice.

    Raises:
        CaptionError: a question that cannot be read.
    """
    query = read_question(text)
    return [query.answers[place] if place >= 0 else None for place in _Look(scenes).answer(query).tolist()]


def answer_table(scenes: Scenes, *, kind: str) -> tuple[tuple[Query, ...], Int8[Tensor, "question scene"]]:
    """Every question of a kind that `ask` may draw, answered in every scene.

    Args:
        scenes: the scenes.
        kind: from KINDS.

    Returns:
        The queries, and for each the index of the answer in `Query.answers`; -1 where it cannot be asked.

    Raises:
        ValueError: no such kind.
    """
    index_of(kind, KINDS, "kind of question")
    look, queries = _Look(scenes), _pool(kind)
    return queries, torch.stack([look.answer(query) for query in queries])


def read_question(text: str) -> Query:
    """Read a question.

    Args:
        text: in one of the forms that this module lists.

    Returns:
        What it asks.

    Raises:
        CaptionError: no such form, or a word that does not belong there.
    """
    plain = " ".join(text.lower().removesuffix("?").split())
    for kind, pattern in _FORMS:
        if found := re.fullmatch(pattern, plain):
            parts = found.groupdict()
            for role in ("subject", "other"):
                if role in parts:
                    parts[role] = _read_phrase(parts[role], text, plural="more" in pattern or kind == "count")
            return Query(kind, **parts)
    raise CaptionError(
        f"cannot read the question '{text}': it should look like "
        + ", ".join(f"'{_pool(kind)[-1]}'" for kind in KINDS)
    )


_FORMS = (
    ("exists", r"is there an? (?P<subject>.+)"),
    ("count", r"how many (?P<subject>.+) are there"),
    ("attribute", rf"what (?P<attribute>{'|'.join(ATTRIBUTES)}) is the (?P<subject>.+)"),
    ("relation", rf"is the (?P<subject>.+) (?P<relation>{'|'.join(RELATIONS)}) the (?P<other>.+)"),
    ("compare", r"are there more (?P<subject>.+) than (?P<other>.+)"),
    (
        "compare",
        rf"do the (?P<subject>.+) and the (?P<other>.+) have the same (?P<attribute>{'|'.join(ATTRIBUTES)})",
    ),
)


def _read_phrase(words: str, text: str, *, plural: bool) -> Phrase:
    try:
        return read_phrase(words, plural=plural)
    except CaptionError as error:
        raise CaptionError(f"cannot read the question '{text}': {error}") from None


class _Look:
    """Answers queries about a batch; what several queries need is worked out once."""

    def __init__(self, scenes: Scenes) -> None:
        self.scenes = scenes
        self.matches = cache(lambda phrase: phrase.matches(scenes))
        self.count = cache(lambda phrase: self.matches(phrase).sum(1))
        self.slot = cache(lambda phrase: self.matches(phrase).int().argmax(1))
        self.related = cache(lambda relation: related(relation, scenes))

    def answer(self, query: Query) -> Int8[Tensor, " scene"]:
        subject, other = query.subject, query.other
        match query.kind:
            case "exists":
                return (self.count(subject) > 0).to(torch.int8)
            case "count":
                return self.count(subject).to(torch.int8)
            case "compare" if query.attribute is None:
                return (self.count(subject) > self.count(other)).to(torch.int8)
        valid = self.count(subject) == 1
        here = torch.arange(len(self.scenes), device=valid.device)
        if other is None:
            value = getattr(self.scenes, query.attribute)[here, self.slot(subject)]
        else:
            valid = valid & (self.count(other) == 1) & (self.slot(subject) != self.slot(other))
            if query.relation is not None:
                value = self.related(query.relation)[here, self.slot(subject), self.slot(other)]
            else:
                column = getattr(self.scenes, query.attribute)
                value = column[here, self.slot(subject)] == column[here, self.slot(other)]
        return torch.where(
            valid, value.to(torch.int8), torch.tensor(-1, dtype=torch.int8, device=valid.device)
        )


@cache
def _pool(kind: str) -> tuple[Query, ...]:
    """Every query of a kind: short noun phrases, so that texts come up often enough to be balanced."""
    single = [Phrase(**{name: value}) for name, values in ATTRIBUTES.items() for value in values]
    double = [
        Phrase(**{first: one, second: two})
        for first, second in combinations(ATTRIBUTES, 2)
        for one, two in product(ATTRIBUTES[first], ATTRIBUTES[second])
    ]
    match kind:
        case "exists":
            return tuple(Query(kind, phrase) for phrase in single + double)
        case "count":
            return tuple(Query(kind, phrase) for phrase in [Phrase(), *double, *single])
        case "attribute":
            return tuple(
                Query(kind, phrase, attribute=name)
                for name in ATTRIBUTES
                for phrase in [Phrase(), *double, *single]
                if getattr(phrase, name) is None
            )
        case "relation":
            return tuple(
                Query(kind, *pair, relation=name) for name in RELATIONS for pair in permutations(single, 2)
            )
    return tuple(
        [Query(kind, *pair) for pair in permutations(single, 2)]
        + [
            Query(kind, *pair, attribute=name)
            for name in ATTRIBUTES
            for pair in combinations(single, 2)
            if all(getattr(phrase, name) is None for phrase in pair)
        ]
    )


def _one_each(table: Tensor, generator: torch.Generator) -> list[tuple[int, int]]:
    """(question, scene): one question for each scene that has any."""
    valid = (table >= 0).T  # (scene, question)
    able = valid.any(1).nonzero().squeeze(1)
    if not len(able):
        return []
    rows = torch.multinomial(valid[able].float(), 1, generator=generator).squeeze(1)
    return list(zip(rows.tolist(), able.tolist(), strict=True))


def _balanced(table: Tensor, generator: torch.Generator) -> list[tuple[int, int]]:
    """(question, scene): sets of one scene for each answer of a question, until there are enough."""
    sets = []
    for row, places in enumerate(table):
        asked = (places >= 0).sum()
        groups = [(places == place).nonzero().squeeze(1) for place in places[places >= 0].unique()]
        groups = [group for group in groups if len(group) >= RARE * asked]
        if len(groups) > 1:
            drawn = [group[torch.randperm(len(group), generator=generator)].tolist() for group in groups]
            sets += [[(row, scene) for scene in chosen] for chosen in zip(*drawn, strict=False)]
    found = []
    for place in torch.randperm(len(sets), generator=generator).tolist():
        if len(found) + len(sets[place]) > table.shape[1]:
            break
        found += sets[place]
    return [found[place] for place in torch.randperm(len(found), generator=generator).tolist()]
