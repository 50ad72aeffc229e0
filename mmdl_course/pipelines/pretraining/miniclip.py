"""How MiniCLIP is made: images and captions of one world, in words of several styles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn.functional import normalize

from mmdl_course.architectures.miniclip import MiniCLIP
from mmdl_course.data.world import (
    COLOURS,
    SHAPES,
    SHIFTS,
    VOCABULARY,
    SceneConfig,
    Scenes,
    caption,
    concatenate,
    prompt,
)
from mmdl_course.data.world.ceilings import retrieval_estimate
from mmdl_course.pipelines.pretraining.recipe import Recipe, Score
from mmdl_course.pipelines.pretraining.scenes import ONE_HELD_OUT, ONE_SEEN, PIXELS, SIZE, TRAINING, draw
from mmdl_course.training import decoupled_contrast, fit

__all__ = ["MINICLIP"]


@dataclass(frozen=True)
class Look:
    """How some of the pictures look, and how people write about such pictures.

    Attributes:
        share: of the pictures.
        styles: of caption, with their weights.
        silence: attributes that cannot be seen, so that no caption names them.
    """

    share: float
    styles: Mapping[str, float | int]
    silence: tuple[str, ...] = ()


LOOKS = {
    "photo": Look(0.55, {"photo": 5, "plain": 3, "sentence": 1.5, "keywords": 0.25, "everyday": 0.25}),
    "grey": Look(0.25, {"grey": 4, "plain": 1}, SHIFTS["grey"].hides),
    "sketch": Look(0.2, {"drawing": 1}, SHIFTS["sketch"].hides),
}
"""Look of a picture, a shift's name but for the first.

As on the web, words go with looks: who says "a drawing of" means one, and few captions say "ball" or leave
out the article. So wording matters. And pictures without colour teach what a shape is whatever its colour:
a tower that has seen colour alone takes red as evidence against spheres, as no training scene has a red one.
"""

LEVELS = ("gist", "pair", "pair", "full")
"""Drawn for each batch."""

SILENCE = ((), (), ("shape",), ("colour",))
"""What the captions of a batch never name, drawn for each batch. Who has heard of red things and of spheres
apart can put the two together."""

DETAIL = 0.7
SCENES = 24_000
FIRST = 1 / 3
"""Share of the scenes, and of the steps, that hold one object: words come first where they are clear."""
CAPTIONS = 2  # per image and step: text is cheap beside images
BATCH = 128
LEARNING_RATE = 3e-3
TEST = 1000
GALLERY = 200
WORDINGS = ("a {}", "{}", "there is a {}", "the {}", "a drawing of a {}", "a grey photo of a {}")


def build() -> MiniCLIP:
    """The untrained model."""
    return MiniCLIP(words=VOCABULARY, size=SIZE, pixels=PIXELS)


def train(model: MiniCLIP, generator: torch.Generator, steps: int) -> None:
    """Train it in place on fresh captions of fixed pictures: of one object first, then of several."""
    first = max(1, round(FIRST * steps))
    for config, share, part in ((ONE_SEEN, FIRST, first), (TRAINING, 1 - FIRST, steps - first)):
        scenes, images, looks = _pictures(round(share * SCENES), config, generator)
        fit(
            partial(_loss, model, scenes, images, looks, generator),
            model.parameters(),
            count=len(scenes),
            steps=part,
            generator=generator,
            batch_size=BATCH,
            learning_rate=LEARNING_RATE,
            warm_up=min(50, part // 2),
            label=f"MiniCLIP, up to {config.objects[1]} objects",
        )


def _pictures(
    count: int, config: SceneConfig, generator: torch.Generator
) -> tuple[Scenes, UInt8[Tensor, "scene 3 height width"], Int64[Tensor, " scene"]]:
    """Scenes, a picture of each, and which of LOOKS it has."""
    counts = [round(look.share * count) for look in LOOKS.values()]
    parts = [
        draw(number, config=config, generator=generator, shift=None if name == "photo" else name)
        for name, number in zip(LOOKS, counts, strict=True)
    ]
    looks = torch.arange(len(LOOKS)).repeat_interleave(torch.tensor(counts))
    return concatenate(scenes for scenes, _ in parts), torch.cat([images for _, images in parts]), looks


def _loss(
    model: MiniCLIP,
    scenes: Scenes,
    images: Tensor,
    looks: Tensor,
    generator: torch.Generator,
    indices: Tensor,
) -> Tensor:
    level, silence = (
        options[int(torch.randint(len(options), (), generator=generator))] for options in (LEVELS, SILENCE)
    )
    indices = indices[looks[indices].argsort()]
    texts, owner = [], []
    for number, look in enumerate(LOOKS.values()):
        places = (looks[indices] == number).nonzero().flatten()
        hidden = tuple({*look.silence, *silence})
        for _ in range(CAPTIONS if len(places) else 0):
            texts += caption(
                scenes[indices[places]],
                generator=generator,
                detail=DETAIL,
                style=look.styles,
                level=level,
                leave_out=hidden,
            )
            owner.append(places)
    first = {text: number for number, text in enumerate(texts)}
    same = torch.tensor([first[text] for text in texts])
    same = same[:, None] == same  # (text, text): word for word alike
    positive = torch.zeros(len(indices), len(texts)).index_add_(0, torch.cat(owner), same.float()) > 0
    image = normalize(model.encode_image(images[indices] / 255), dim=1)
    text = normalize(model.encode_text(texts), dim=1)
    return decoupled_contrast(model.log_scale.exp() * image @ text.T, positive)


@torch.no_grad()
def score(model: MiniCLIP, generator: torch.Generator) -> list[Score]:
    """Naming one object in several wordings, in pictures of several looks; retrieval by caption."""
    untrained = build().eval()
    pairs = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
    scores = []
    for what, labels, config, look, wordings in (
        ("a held-out pair among 48", pairs, ONE_HELD_OUT, None, ("a photo of a {}", *WORDINGS, "everyday")),
        ("a seen pair among 48", pairs, ONE_SEEN, None, ("a photo of a {}",)),
        (
            "a shape in a grey picture",
            SHAPES,
            ONE_SEEN,
            "grey",
            ("a grey photo of a {}", "a photo of a {}", "{}"),
        ),
        ("a shape in a sketch", SHAPES, ONE_SEEN, "sketch", ("a drawing of a {}", "a photo of a {}", "{}")),
    ):
        scenes, images = draw(TEST, config=config, generator=generator, shift=look)
        truth = scenes.shape[:, 0]
        if labels is pairs:
            truth = scenes.colour[:, 0] * len(SHAPES) + truth
        for wording in wordings:
            value, bare = (
                (_named(each, images / 255, labels, wording) == truth).float() for each in (model, untrained)
            )
            told = "in everyday words: a photo of a ball" if wording == "everyday" else f'"{wording}"'
            scores.append(
                _share(value, bare, task=f"name {what}, {told}", chance=1 / len(labels), ceiling=1.0)
            )
    bounds = retrieval_estimate(generator=generator, config=TRAINING, detail=DETAIL, gallery=GALLERY)
    found = [_found(model, untrained, generator) for _ in range(TEST // GALLERY)]
    value, bare = (torch.cat(each) for each in zip(*found, strict=True))
    task = f"find the scene of a caption among {GALLERY}, one to three objects"
    scores.append(_share(value, bare, task=task, chance=bounds.chance, ceiling=bounds.ceiling))
    return scores


def _named(model: MiniCLIP, images: Tensor, labels: Sequence[str], wording: str) -> Int64[Tensor, " image"]:
    everyday = wording == "everyday"
    template = "a photo of a {}" if everyday else wording
    texts = model.encode_text([prompt(template, label, everyday=everyday) for label in labels])
    return (model.encode_image(images) @ normalize(texts, dim=1).T).argmax(1)


def _found(
    model: MiniCLIP, untrained: MiniCLIP, generator: torch.Generator
) -> tuple[Float[Tensor, " scene"], Float[Tensor, " scene"]]:
    scenes, images = draw(GALLERY, config=TRAINING, generator=generator)
    texts = caption(scenes, generator=generator, detail=DETAIL)
    hits = []
    for each in (model, untrained):
        similarity = each.encode_text(texts) @ normalize(each.encode_image(images / 255), dim=1).T
        hits.append((similarity.argmax(1) == torch.arange(len(scenes))).float())
    return hits[0], hits[1]


def _share(value: Tensor, bare: Tensor, *, task: str, chance: float, ceiling: float) -> Score:
    return Score(
        task=task,
        measure="share right",
        value=value.mean().item(),
        error=(value.std() / len(value) ** 0.5).item(),
        baseline=bare.mean().item(),
        baseline_name="the same network untrained",
        chance=chance,
        ceiling=ceiling,
    )


def _weights(look: Look) -> str:
    return ", ".join(f"{style} {weight}" for style, weight in look.styles.items())


MINICLIP = Recipe(
    name="miniclip",
    summary="Image and text towers that end in one space of 64 dimensions, learned from captions.",
    data=(
        f"{SCENES:,} scenes of one to three objects at {SIZE} × {SIZE} pixels, without the held-out pairs; "
        f"fresh captions at every step, {DETAIL:.0%} of size, colour and material named, in half of the "
        "batches never the shape or never the colour; looks with their styles by weight: "
        + "; ".join(f"{look.share:.0%} {name} ({_weights(look)})" for name, look in LOOKS.items())
    ),
    steps=4500,
    build=build,
    train=train,
    score=score,
)
