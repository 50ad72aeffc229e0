"""Chance and ceiling of looking for the scene of a caption, and for the caption of a scene.

The ceiling is the recall of one who knows the scenes and how captions come about, and so ranks by how likely
this scene and this caption belong together; no model does better on average. For a caption c, scenes s are
ranked by P(c | s). For a scene, captions are ranked by P(c | s) / P(c), since the others are of other scenes:
the less often a caption is said, the more it tells that it fits. What ranks alike is drawn blindly.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from mmdl_course.data.world.ceilings.bounds import Bounds, mean_and_error, object_table
from mmdl_course.data.world.claims import ATTRIBUTES, holds
from mmdl_course.data.world.grammar import read
from mmdl_course.data.world.inputs import check_between, check_count, check_names, index_of
from mmdl_course.data.world.language import caption, parse
from mmdl_course.data.world.sampling import ANY, SceneConfig, sample_scenes
from mmdl_course.data.world.scene import Scenes
from mmdl_course.data.world.speaker import likelihood
from mmdl_course.data.world.threads import one_thread

__all__ = ["oracle_recall", "retrieval", "retrieval_estimate"]

_CROWD = 2000  # scenes to judge by how often a caption is said; four times as many change no recall by 0.01
_ALIKE = 1e-9  # relative difference up to which two scores are the same


def retrieval(
    *,
    config: SceneConfig,
    detail: float,
    gallery: int,
    at: int = 1,
    leave_out: Sequence[str] = (),
    find: Literal["scene", "caption"] = "scene",
) -> Bounds:
    """Recall of retrieval, exactly; for scenes of one object, where all levels of caption are the same.

    A caption that leaves attributes out is true of every scene that agrees in what it says. A caption is as
    likely for all of these, so who knows everything still has to guess. With B others in the gallery that
    rank better and E that rank alike, the recall at r is E[min(max(r − B, 0) / (E + 1), 1)]; the others are
    drawn independently, so (B, E) is multinomial. Looking for a scene, B = 0.

    Args:
        config: the scenes; one object each.
        detail: as `caption` takes it, 0..1.
        gallery: number of scenes n, each with one caption; the right one included.
        at: r, how many may be returned, 1..n.
        leave_out: as `caption` takes it.
        find: whether a caption looks for its scene or a scene for its caption.

    Returns:
        Chance r / n, and the ceiling.

    Raises:
        ValueError: scenes of several objects (`retrieval_estimate` handles them), `at` outside 1..n, or what
            `caption` refuses.
    """
    if config.objects != (1, 1):
        raise ValueError(
            f"retrieval is for scenes of one object, config.objects is {config.objects}: "
            "use retrieval_estimate"
        )
    _check(at, gallery, find)
    check_between("detail", detail, 0, 1)
    check_names("leave_out", leave_out, ATTRIBUTES, "attribute")
    table = object_table(config)
    patterns = list(_omissions(detail, leave_out))
    # What a caption of each pattern says of an object of each kind: how likely another object is to fit it.
    fits = torch.stack(
        [(table.sum(dropped, keepdim=True) if dropped else table).expand_as(table) for dropped, _ in patterns]
    ).flatten(1)[:, table.flatten() > 0]  # (pattern, kind)
    kinds = table.flatten()[table.flatten() > 0]
    shares = torch.tensor([share for _, share in patterns], dtype=torch.float64)
    weight = shares[:, None] * kinds
    if find == "scene":
        better, alike = torch.zeros_like(fits), fits
    else:
        ratio = fits[None] / fits[:, None]  # (own, other, kind)
        said = (shares[:, None] * fits)[None]  # how likely another scene's caption is this one
        better = (said * (ratio < 1 - _ALIKE)).sum(1)
        alike = (said * ((ratio - 1).abs() <= _ALIKE)).sum(1)
    cases, which = (
        torch.stack([better, alike], -1).flatten(0, 1).mul(1e12).round().unique(dim=0, return_inverse=True)
    )
    recall = _expected(*(cases / 1e12).unbind(1), others=gallery - 1, at=at)
    return Bounds(at / gallery, (weight.flatten() * recall[which]).sum().item())


def _expected(
    better: Float[Tensor, " case"], alike: Float[Tensor, " case"], *, others: int, at: int
) -> Float[Tensor, " case"]:
    """E[min(max(at − B, 0) / (E + 1), 1)] where B of the others rank better and E alike, independently."""
    from scipy.stats import binom

    total = torch.zeros_like(better)
    for ahead in range(min(at, others + 1)):
        left = others - ahead
        mass = torch.from_numpy(binom.pmf(ahead, others, better.numpy()))
        same = (alike / (1 - better).clamp(min=_ALIKE)).clamp(0, 1)
        number = torch.arange(left + 1, dtype=torch.float64)
        tied = torch.from_numpy(binom.pmf(number.numpy(), left, same.numpy()[:, None]))
        total += mass * (tied * ((at - ahead) / (number + 1)).clamp(max=1)).sum(1)
    return total


@one_thread()
def retrieval_estimate(
    *,
    generator: torch.Generator,
    config: SceneConfig = ANY,
    detail: float,
    gallery: int,
    at: int = 1,
    level: str = "pair",
    leave_out: Sequence[str] = (),
    find: Literal["scene", "caption"] = "scene",
    galleries: int = 20,
) -> Bounds:
    """Recall as in `retrieval`, for any scenes and levels, estimated on sampled galleries.

    Args:
        generator: source of randomness.
        config: the scenes.
        detail: as `caption` takes it, 0..1.
        gallery: number of scenes in each gallery.
        at: how many may be returned, 1..gallery.
        level: as `caption` takes it.
        leave_out: as `caption` takes it.
        find: whether a caption looks for its scene or a scene for its caption.
        galleries: how many galleries to average over, at least 2.

    Returns:
        Chance, and the mean of `oracle_recall` with its standard error over galleries.

    Raises:
        ValueError: `at` outside 1..gallery, fewer than two galleries, or what `caption` refuses.
    """
    _check(at, gallery, find)
    check_count("galleries", galleries, least=2)
    crowd = sample_scenes(_CROWD, generator=generator, config=config) if find == "caption" else None
    recalls = []
    for _ in range(galleries):
        scenes = sample_scenes(gallery, generator=generator, config=config)
        texts = caption(scenes, generator=generator, detail=detail, level=level, leave_out=leave_out)
        recalls.append(oracle_recall(texts, scenes, at=at, level=level, find=find, crowd=crowd).mean())
    mean, error = mean_and_error(torch.stack(recalls))
    return Bounds(at / gallery, mean, ceiling_error=error)


@one_thread()
def oracle_recall(
    captions: Sequence[str],
    scenes: Scenes,
    *,
    at: int = 1,
    level: str = "pair",
    find: Literal["scene", "caption"] = "scene",
    crowd: Scenes | None = None,
) -> Float[Tensor, " query"]:
    """The chance that an oracle finds each caption's scene in this gallery, or each scene's caption.

    Args:
        captions: one per scene, as `caption` says them of it, in any style.
        scenes: the gallery.
        at: how many are returned, 1..number of scenes.
        level: of the captions.
        find: "scene" takes the captions as queries, "caption" the scenes.
        crowd: a thousand or more scenes of the same distribution, to judge by how often each caption is said;
            for `find="caption"` alone.

    Returns:
        min(max(at − B, 0) / (E + 1), 1) with B others that rank better and E that rank alike.

    Raises:
        ValueError: not one caption per scene, a caption that is false of its scene or not of this level, or
            no crowd where one is needed.
    """
    if len(captions) != len(scenes):
        raise ValueError(f"{len(captions)} captions for {len(scenes)} scenes")
    _check(at, len(scenes), find)
    if (find == "caption") != (crowd is not None):
        raise ValueError("a crowd is needed to find captions, and not to find scenes")
    said = [read(text) for text in captions]
    score = likelihood(said, scenes, level=level)  # (caption, scene)
    own = score.diagonal()
    for place in (own == 0).nonzero().flatten().tolist():
        scene, text = scenes[place], captions[place]
        if all(holds(claim, scene).item() for claim in parse(text)):
            raise ValueError(
                f"caption {place}, '{text}', is true, but not what level '{level}' says of its scene"
            )
        raise ValueError(f"caption {place}, '{text}', is not true of its scene")
    if crowd is not None:
        often = (likelihood(said, crowd, level=level).sum(1) + own) / (len(crowd) + 1)
        score = (score / often[:, None]).T
        own = score.diagonal()
    limit = own[:, None] * torch.tensor([1 - _ALIKE, 1 + _ALIKE], dtype=own.dtype)
    better = (score > limit[:, 1:]).sum(1)
    alike = (score >= limit[:, :1]).sum(1) - better
    return ((at - better) / alike).clamp(0.0, 1.0)


def _omissions(detail: float, leave_out: Sequence[str]) -> Iterator[tuple[tuple[int, ...], float]]:
    """What `caption` leaves out of a noun phrase (places in ATTRIBUTES), with its probability."""
    never = {list(ATTRIBUTES).index(kind) for kind in leave_out}
    for pattern in range(8):
        dropped = tuple(place for place in range(3) if pattern >> place & 1 or place in never)
        share = 1.0
        for place in range(3):
            share *= (1 - detail) if pattern >> place & 1 else detail
        shape = 1.0 if 3 in never else (1 - detail) / 5 if len(dropped) < 3 else 0.0
        for chosen, part in ((dropped, share * (1 - shape)), ((*dropped, 3), share * shape)):
            if part > 0:
                yield chosen, part


def _check(at: int, gallery: int, find: str) -> None:
    index_of(find, ("scene", "caption"), "thing to find")
    check_count("gallery", gallery)
    check_count("at", at)
    if at > gallery:
        raise ValueError(f"at must lie in 1..{gallery}, the size of the gallery, not {at}")
