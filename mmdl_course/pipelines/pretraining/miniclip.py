"""How MiniCLIP is made: images and captions of one world, in words of several styles."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from mmdl_course.architectures.miniclip import MiniCLIP
from mmdl_course.data.world import COLOURS, SHAPES, VOCABULARY, Scenes, caption, prompt
from mmdl_course.data.world.ceilings import retrieval_estimate
from mmdl_course.pipelines.pretraining.recipe import Recipe, Score
from mmdl_course.pipelines.pretraining.scenes import ONE_HELD_OUT, ONE_SEEN, PIXELS, SIZE, TRAINING, draw
from mmdl_course.training import fit, one_against_one

__all__ = ["MINICLIP"]

STYLES = {"photo": 4, "plain": 3, "sentence": 2, "keywords": 0.5, "everyday": 0.5}
"""Style of caption to its weight. Few captions say "ball" or leave out the article: wording matters."""

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
WORDINGS = ("a {}", "{}", "there is a {}", "the {}", "a drawing of a {}")


def build() -> MiniCLIP:
    """The untrained model."""
    return MiniCLIP(words=VOCABULARY, size=SIZE, pixels=PIXELS)


def train(model: MiniCLIP, generator: torch.Generator, steps: int) -> None:
    """Train it in place on fresh captions of a fixed set of scenes: of one object first, then of several."""
    first = max(1, round(FIRST * steps))
    for config, share, part in ((ONE_SEEN, FIRST, first), (TRAINING, 1 - FIRST, steps - first)):
        scenes, images = draw(round(share * SCENES), config=config, generator=generator)
        fit(
            partial(_loss, model, scenes, images, generator),
            model.parameters(),
            count=len(scenes),
            steps=part,
            generator=generator,
            batch_size=BATCH,
            learning_rate=LEARNING_RATE,
            warm_up=min(50, part // 2),
            label=f"MiniCLIP, up to {config.objects[1]} objects",
        )


def _loss(
    model: MiniCLIP, scenes: Scenes, images: Tensor, generator: torch.Generator, indices: Tensor
) -> Tensor:
    level, silence = (
        options[int(torch.randint(len(options), (), generator=generator))] for options in (LEVELS, SILENCE)
    )
    say = partial(caption, scenes[indices], generator=generator, detail=DETAIL, style=STYLES)
    texts = [text for _ in range(CAPTIONS) for text in say(level=level, leave_out=silence)]
    place = {text: number for number, text in enumerate(texts)}
    same = torch.tensor([place[text] for text in texts])
    same = same[:, None] == same  # (text, text): word for word alike
    owner = torch.arange(len(indices)).repeat(CAPTIONS)  # (text,)
    positive = torch.zeros(len(indices), len(texts)).index_add_(0, owner, same.float()) > 0
    image = normalize(model.encode_image(images[indices] / 255), dim=1)
    text = normalize(model.encode_text(texts), dim=1)
    return one_against_one(model.log_scale.exp() * image @ text.T, positive)


@torch.no_grad()
def score(model: MiniCLIP, generator: torch.Generator) -> list[Score]:
    """Naming one object by its pair of colour and shape, in several wordings; retrieval by caption."""
    untrained = build().eval()
    scores = []
    for kind, config, wordings in (
        ("held-out", ONE_HELD_OUT, ("a photo of a {}", *WORDINGS, "everyday")),
        ("seen", ONE_SEEN, ("a photo of a {}",)),
    ):
        scenes, images = draw(TEST, config=config, generator=generator)
        for wording in wordings:
            value, bare = (
                _naming(each, images / 255, scenes, wording).float() for each in (model, untrained)
            )
            told = "in everyday words: a photo of a ball" if wording == "everyday" else f'"{wording}"'
            scores.append(
                _share(
                    value,
                    bare,
                    task=f"name a {kind} pair among 48, {told}",
                    chance=1 / (len(COLOURS) * len(SHAPES)),
                    ceiling=1.0,
                )
            )
    bounds = retrieval_estimate(generator=generator, config=TRAINING, detail=DETAIL, gallery=GALLERY)
    found = [_found(model, untrained, generator) for _ in range(TEST // GALLERY)]
    value, bare = (torch.cat(each) for each in zip(*found, strict=True))
    task = f"find the scene of a caption among {GALLERY}, one to three objects"
    scores.append(_share(value, bare, task=task, chance=bounds.chance, ceiling=bounds.ceiling))
    return scores


def _naming(model: MiniCLIP, images: Tensor, scenes: Scenes, wording: str) -> Tensor:
    labels = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
    everyday = wording == "everyday"
    template = "a photo of a {}" if everyday else wording
    texts = model.encode_text([prompt(template, label, everyday=everyday) for label in labels])
    guess = (model.encode_image(images) @ normalize(texts, dim=1).T).argmax(1)
    return guess == scenes.colour[:, 0] * len(SHAPES) + scenes.shape[:, 0]


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


MINICLIP = Recipe(
    name="miniclip",
    summary="Image and text towers that end in one space of 64 dimensions, learned from captions.",
    data=(
        f"{SCENES:,} scenes of one to three objects at {SIZE} × {SIZE} pixels, without the held-out pairs; "
        f"fresh captions at every step, {DETAIL:.0%} of size, colour and material named, in half of the "
        "batches never the shape or never the colour; styles by weight: "
        + ", ".join(f"{name} {weight}" for name, weight in STYLES.items())
    ),
    steps=3000,
    build=build,
    train=train,
    score=score,
)
