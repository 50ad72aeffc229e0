"""How the captioner is made: it tells scenes, and knows how captions go where it sees none."""

import torch
from jaxtyping import Float
from torch import Tensor

from mmdl_course.architectures.captioner import Captioner
from mmdl_course.architectures.checkpoints import load_checkpoint
from mmdl_course.data.world import VOCABULARY, CaptionError, Scenes, caption, holds, parse
from mmdl_course.data.world.ceilings import captioning
from mmdl_course.pipelines.pretraining.recipe import Recipe, Score
from mmdl_course.pipelines.pretraining.scenes import ONE_HELD_OUT, PIXELS, SIZE, TRAINING, draw
from mmdl_course.training import fit

__all__ = ["CAPTIONER"]

DETAIL = 0.7
SCENES = 24_000
BATCH = 128
BLIND = 0.15
"""Share of the batches without images: what makes the decoder a language model as well."""
TEST = 500


def build() -> Captioner:
    """The untrained model."""
    return Captioner(words=VOCABULARY, size=SIZE, pixels=PIXELS)


def train(model: Captioner, generator: torch.Generator, steps: int) -> None:
    """Train it in place on fresh plain captions of a fixed set of scenes, from MiniCLIP's image tower on."""
    model.image.load_state_dict(load_checkpoint("miniclip").image.state_dict())
    scenes, images = draw(SCENES, config=TRAINING, generator=generator)

    def loss(indices: Tensor) -> Tensor:
        texts = caption(scenes[indices], generator=generator, detail=DETAIL)
        blind = torch.rand((), generator=generator) < BLIND
        return model.loss(model.tokenizer.encode(texts), None if blind else images[indices] / 255)

    fit(
        loss,
        model.parameters(),
        count=SCENES,
        steps=steps,
        generator=generator,
        batch_size=BATCH,
        learning_rate=2e-3,
        warm_up=min(50, steps // 2),
        label="captioner",
    )


@torch.no_grad()
def score(model: Captioner, generator: torch.Generator) -> list[Score]:
    """How much of what it says is true, of scenes like those it learned from and of pairs it never saw."""
    scores = []
    for kind, config in (("new scenes", TRAINING), ("one object, held-out pair", ONE_HELD_OUT)):
        scenes, images = draw(TEST, config=config, generator=generator)
        bounds = captioning(generator=generator, config=config, detail=DETAIL)["precision"]
        seeing = truth(model.write(images / 255), scenes)
        blind = truth(model.write(count=TEST, sample=True), scenes)
        scores.append(
            Score(
                task=f"caption {kind}",
                measure="share of a caption's claims that are true",
                value=seeing.mean().item(),
                error=(seeing.std() / TEST**0.5).item(),
                baseline=blind.mean().item(),
                baseline_name="the same decoder without the image",
                chance=bounds.chance,
                ceiling=bounds.ceiling,
            )
        )
    return scores


def truth(texts: list[str], scenes: Scenes) -> Float[Tensor, " scene"]:
    """Share of each text's claims that are true of its scene; 0 for a text that the grammar cannot read."""
    shares = torch.zeros(len(texts))
    for place, text in enumerate(texts):
        try:
            said = parse(text)
        except CaptionError:
            continue
        true = [holds(claim, scenes[place]).item() for claim in said]
        shares[place] = sum(true) / len(true)
    return shares


CAPTIONER = Recipe(
    name="captioner",
    summary="A small language decoder that looks at an image's patches, or at nothing, and writes a caption.",
    data=(
        f"{SCENES:,} scenes of one to three objects at {SIZE} × {SIZE} pixels, without the held-out pairs; "
        f"fresh plain captions at every step, {DETAIL:.0%} of size, colour and material named; "
        f"{BLIND:.0%} of the batches without the images. The image tower starts as MiniCLIP's"
    ),
    steps=1000,
    build=build,
    train=train,
    score=score,
)
