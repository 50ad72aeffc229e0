"""What a score means: the chance level and the ceiling that the distribution of scenes sets for each task."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mmdl_course.data.world.claims import ATTRIBUTES, Phrase, holds
from mmdl_course.data.world.language import caption, parse
from mmdl_course.data.world.questions import KINDS, answer_table, ask
from mmdl_course.data.world.sampling import ANY, SceneConfig, sample_scenes
from mmdl_course.data.world.scene import Scenes, index_of
from mmdl_course.data.world.threads import one_thread

__all__ = [
    "Bounds",
    "captioning",
    "classification",
    "oracle_recall",
    "retrieval",
    "retrieval_estimate",
    "vqa",
]


@dataclass(frozen=True)
class Bounds:
    """Between what scores of a task lie.

    Attributes:
        chance: expected score of the best that does not look at the input, 0..1.
        ceiling: expected score of one that knows the scene, or all that the input says of it, 0..1.
        chance_error: standard error of `chance`; 0 where it is exact.
        ceiling_error: standard error of `ceiling`; 0 where it is exact.
    """

    chance: float
    ceiling: float
    chance_error: float = 0.0
    ceiling_error: float = 0.0


def classification(
    label: str, *, config: SceneConfig = ANY, train: SceneConfig | None = None, given: str | None = None
) -> Bounds:
    """Accuracy of naming an attribute of an object, exactly.

    Args:
        label: "size", "colour", "material" or "shape"; "pair" for colour and shape together.
        config: the scenes it is tested on.
        train: the scenes it is trained on; those of `config` when left out.
        given: an attribute that chance may go by, for shortcuts: with colour as the label's spurious
            companion, how far does one get who sees colour alone?

    Returns:
        Chance: always the largest class of the training scenes (for each value of `given`). Ceiling: the
        share of objects whose class occurs in training; a class that does not can never be learned.

    Raises:
        ValueError: no such attribute.
    """
    for name in (label, *([] if given is None else [given])):
        index_of(name, (*ATTRIBUTES, "pair"), "label")
    test, seen = (_marginal(_table(each), label, given) for each in (config, train or config))
    best = seen.argmax(1, keepdim=True)  # (given, 1)
    known = seen.sum(0) > 0
    return Bounds(test.gather(1, best).sum().item(), test.sum(0)[known].sum().item())


def retrieval(*, config: SceneConfig, detail: float, gallery: int, at: int = 1) -> Bounds:
    """Recall when a caption is used to look for its scene among others, exactly; for scenes of one object.

    A caption that leaves attributes out is true of every scene that agrees in what it says. It is drawn the
    same way for all of them, so none is likelier than another, and who knows everything still has to guess.
    With K scenes in the class, p its probability and n scenes in the gallery, K − 1 is binomial(n − 1, p) and
    the recall at r is E[min(r, K) / K].

    Args:
        config: the scenes; one object each.
        detail: as `caption` takes it, 0..1.
        gallery: number of scenes n, the right one included.
        at: r, how many scenes may be returned, 1..n.

    Returns:
        Chance r / n, and the ceiling.

    Raises:
        ValueError: scenes of several objects (`retrieval_estimate` handles them), or `at` outside 1..n.
    """
    if config.objects != (1, 1):
        raise ValueError(
            f"retrieval is for scenes of one object, config.objects is {config.objects}: "
            "use retrieval_estimate"
        )
    _check_at(at, gallery)
    from scipy.stats import binom

    table = _table(config)
    ceiling = 0.0
    for dropped, share in _omissions(detail).items():
        p = table.sum(dropped).flatten() if dropped else table.flatten()
        p = p[p > 0]
        others = torch.arange(gallery, dtype=torch.float64)
        mass = torch.from_numpy(binom.pmf(others.numpy()[None], gallery - 1, p.numpy()[:, None]))
        recall = (mass * (at / (others + 1)).clamp(max=1)).sum(1)  # (class,)
        ceiling += share * (p * recall).sum().item()
    return Bounds(at / gallery, ceiling)


@one_thread()
def retrieval_estimate(
    *,
    generator: torch.Generator,
    config: SceneConfig = ANY,
    detail: float,
    gallery: int,
    at: int = 1,
    galleries: int = 20,
) -> Bounds:
    """Recall as in `retrieval`, for any scenes, estimated on sampled galleries.

    Args:
        generator: source of randomness.
        config: the scenes.
        detail: as `caption` takes it, 0..1.
        gallery: number of scenes in each gallery.
        at: how many scenes may be returned, 1..gallery.
        galleries: how many galleries to average over, at least 2.

    Returns:
        Chance, and the mean of `oracle_recall` with its standard error over galleries.

    Raises:
        ValueError: `at` outside 1..gallery, or fewer than two galleries.
    """
    _check_at(at, gallery)
    if galleries < 2:
        raise ValueError(f"a standard error needs at least 2 galleries, not {galleries}")
    recalls = []
    for _ in range(galleries):
        scenes = sample_scenes(gallery, generator=generator, config=config)
        texts = caption(scenes, generator=generator, detail=detail)
        recalls.append(oracle_recall(texts, scenes, at=at).mean())
    mean, error = _mean(torch.stack(recalls))
    return Bounds(at / gallery, mean, ceiling_error=error)


@one_thread()
def oracle_recall(captions: Sequence[str], scenes: Scenes, *, at: int = 1) -> Float[Tensor, " scene"]:
    """For each caption, the chance that an oracle finds its scene in this gallery.

    The oracle knows which scenes a caption is true of and returns `at` of them, blindly. On scenes of
    several objects, a model that also knew the speaker's habits (which relation is mentioned how often)
    could do slightly better.

    Args:
        captions: one per scene, true of it.
        scenes: the gallery.
        at: how many scenes are returned, 1..number of scenes.

    Returns:
        min(at, K) / K with K the number of scenes that the caption is true of.

    Raises:
        ValueError: not one caption per scene, or a caption that is false of its scene.
    """
    if len(captions) != len(scenes):
        raise ValueError(f"{len(captions)} captions for {len(scenes)} scenes")
    _check_at(at, len(scenes))
    counts = []
    for place, text in enumerate(captions):
        true = torch.stack([holds(claim, scenes) for claim in parse(text)]).all(0)
        if not true[place]:
            raise ValueError(f"caption {place}, '{text}', is not true of its scene")
        counts.append(true.sum())
    return (at / torch.stack(counts)).clamp(max=1.0) if counts else torch.empty(0)


@one_thread()
def vqa(
    *,
    generator: torch.Generator,
    config: SceneConfig = ANY,
    kinds: Sequence[str] = KINDS,
    balanced: bool = False,
    scenes: int = 4000,
) -> dict[str, Bounds]:
    """Accuracy on the questions of `ask`, per kind.

    Args:
        generator: source of randomness.
        config: the scenes.
        kinds: from KINDS.
        balanced: as `ask` takes it.
        scenes: number of scenes of the estimate, at least 4.

    Returns:
        Chance: the best constant answer to each question text, learned on half of the scenes and tried on the
        other half, with the standard error over the latter; a blind model that saw more scenes might find a
        better constant for a rare text. Balanced: one in as many as a text has answers, averaged over the
        questions. Ceiling 1: every
        question has one exact answer. A kind of which nothing can be asked is left out.

    Raises:
        ValueError: an unknown kind, or too few scenes.
    """
    if scenes < 4:
        raise ValueError(f"the estimate needs at least 4 scenes, not {scenes}")
    batch = sample_scenes(scenes, generator=generator, config=config)
    found = {}
    for kind in kinds:
        score = _blind_balanced(batch, kind, generator) if balanced else _blind(batch, kind)
        if len(score) > 1:
            chance, error = _mean(score)
            found[kind] = Bounds(chance, 1.0, chance_error=error)
    return found


@one_thread()
def captioning(
    *, generator: torch.Generator, config: SceneConfig = ANY, detail: float, scenes: int = 2000
) -> dict[str, Bounds]:
    """How right and how complete a caption of given detail can be.

    Args:
        generator: source of randomness.
        config: the scenes.
        detail: as `caption` takes it, 0..1.
        scenes: number of scenes of the estimate, at least 2.

    Returns:
        "precision": share of a caption's claims that are true. Ceiling 1; chance is that of the caption of
        another scene. "recall": share of the attributes of all objects (four each) that the caption states
        truly. The ceiling is what a caption of this form and detail states; chance again that of
        the caption of another scene.

    Raises:
        ValueError: fewer than two scenes.
    """
    if scenes < 2:
        raise ValueError(f"the estimate needs at least 2 scenes, not {scenes}")
    batch = sample_scenes(scenes, generator=generator, config=config)
    texts = caption(batch, generator=generator, detail=detail)
    right, told, lucky = [], [], []
    for place, text in enumerate(texts):
        other = (place + 1) % scenes
        right.append(_precision(text, batch[other]))
        told.append(_recall(text, batch[place]))
        lucky.append(_recall(text, batch[other]))
    (right, right_error), (told, told_error), (lucky, lucky_error) = (
        _mean(torch.tensor(values)) for values in (right, told, lucky)
    )
    return {
        "precision": Bounds(right, 1.0, chance_error=right_error),
        "recall": Bounds(lucky, told, lucky_error, told_error),
    }


def _table(config: SceneConfig) -> Float[Tensor, "size colour material shape"]:
    """Probability of each kind of object; the dimensions in the order of ATTRIBUTES."""
    single = []
    for chosen, names in ((config.sizes, ATTRIBUTES["size"]), (config.materials, ATTRIBUTES["material"])):
        counts = torch.tensor([chosen.count(name) for name in names], dtype=torch.float64)
        single.append(counts / counts.sum())
    joint = config.joint().double().T
    return torch.einsum("i,ck,m->icmk", single[0], joint / joint.sum(), single[1])


def _marginal(table: Tensor, label: str, given: str | None) -> Float[Tensor, "given class_"]:
    """The table summed to `given` and `label`; a pair is colour and shape as one class."""
    letters = dict(zip(ATTRIBUTES, "icmk", strict=True)) | {"pair": "ck", None: ""}
    rows, columns = letters[given], letters[label]
    if set(rows) & set(columns):
        raise ValueError(f"'{given}' says '{label}' already: let chance go by another attribute")
    out = torch.einsum(f"icmk->{rows}{columns}", table)
    count = torch.tensor([table.shape["icmk".index(letter)] for letter in rows]).prod().long().item()
    return out.reshape(count, -1)


def _omissions(detail: float) -> dict[tuple[int, ...], float]:
    """What `caption` leaves out of a noun phrase (places in ATTRIBUTES), with its probability."""
    found = {}
    for pattern in range(8):
        dropped = tuple(place for place in range(3) if pattern >> place & 1)
        share = (1 - detail) ** len(dropped) * detail ** (3 - len(dropped))
        shape = (1 - detail) / 5 if len(dropped) < 3 else 0.0
        found[dropped] = share * (1 - shape)
        found[(*dropped, 3)] = share * shape
    return {dropped: share for dropped, share in found.items() if share > 0}


def _blind(scenes: Scenes, kind: str) -> Float[Tensor, " scene"]:
    """For each scene of the second half, the expected score of constant answers learned on the first."""
    queries, table = answer_table(scenes, kind=kind)
    valid = table >= 0
    weight = valid / valid.sum(0).clamp(min=1)  # (question, scene): how likely it is drawn
    half = table.shape[1] // 2
    places = range(max(len(query.answers) for query in queries))
    votes = torch.stack([((table == place) * weight)[:, :half].sum(1) for place in places])
    right = (table == votes.argmax(0)[:, None]) * weight
    return right.sum(0)[half:][valid.any(0)[half:]]


def _blind_balanced(scenes: Scenes, kind: str, generator: torch.Generator) -> Float[Tensor, " question"]:
    """For each balanced question, one over the number of answers that its text has."""
    questions = ask(scenes, generator=generator, kinds=(kind,), balanced=True)
    answers = {}
    for question in questions:
        answers.setdefault(question.text, set()).add(question.answer)
    return torch.tensor([1 / len(answers[question.text]) for question in questions])


def _precision(text: str, scene: Scenes) -> float:
    true = [holds(claim, scene).item() for claim in parse(text)]
    return sum(true) / len(true)


def _recall(text: str, scene: Scenes) -> float:
    """Share of the objects' attributes that the clauses of a text state truly."""
    stated = 0
    for clause in re.split(" and ", text):
        found = parse(clause)
        if not all(holds(claim, scene).item() for claim in found):
            continue
        claim = found[-1]  # a relation after its two objects, or the only one
        stated += _attributes(claim.subject) * (claim.number or 1) + _attributes(claim.other or Phrase())
    return stated / (4 * scene.present.sum().item())


def _attributes(phrase: Phrase) -> int:
    return sum(getattr(phrase, kind) is not None for kind in ATTRIBUTES)


def _mean(values: Tensor) -> tuple[float, float]:
    """Mean and its standard error."""
    values = values.double()
    return values.mean().item(), (values.std() / len(values) ** 0.5).item()


def _check_at(at: int, gallery: int) -> None:
    if not 1 <= at <= gallery:
        raise ValueError(f"at must lie in 1..{gallery}, the size of the gallery, not {at}")
