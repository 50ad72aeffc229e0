"""Chance and ceiling where the answer is one of a few: classes of objects, answers to questions."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from mmdl_course.data.world.ceilings.bounds import Bounds, mean_and_error, object_table
from mmdl_course.data.world.claims import ATTRIBUTES
from mmdl_course.data.world.inputs import check_count, check_names, index_of
from mmdl_course.data.world.questions import KINDS, answer_table, ask
from mmdl_course.data.world.sampling import ANY, SceneConfig, sample_scenes
from mmdl_course.data.world.scene import Scenes
from mmdl_course.data.world.threads import one_thread

__all__ = ["classification", "vqa"]


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
    test, seen = (_marginal(object_table(each), label, given) for each in (config, train or config))
    best = seen.argmax(1, keepdim=True)  # (given, 1)
    known = seen.sum(0) > 0
    return Bounds(test.gather(1, best).sum().item(), test.sum(0)[known].sum().item())


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
    check_count("scenes", scenes, least=4)
    check_names("kinds", kinds, KINDS, "kind of question")
    batch = sample_scenes(scenes, generator=generator, config=config)
    found = {}
    for kind in kinds:
        score = _blind_balanced(batch, kind, generator) if balanced else _blind(batch, kind)
        if len(score) > 1:
            chance, error = mean_and_error(score)
            found[kind] = Bounds(chance, 1.0, chance_error=error)
    return found


def _marginal(table: Tensor, label: str, given: str | None) -> Float[Tensor, "given class_"]:
    """The table summed to `given` and `label`; a pair is colour and shape as one class."""
    letters = dict(zip(ATTRIBUTES, "icmk", strict=True)) | {"pair": "ck", None: ""}
    rows, columns = letters[given], letters[label]
    if set(rows) & set(columns):
        raise ValueError(f"'{given}' says '{label}' already: let chance go by another attribute")
    out = torch.einsum(f"icmk->{rows}{columns}", table)
    count = torch.tensor([table.shape["icmk".index(letter)] for letter in rows]).prod().long().item()
    return out.reshape(count, -1)


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
