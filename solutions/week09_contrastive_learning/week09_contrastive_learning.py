# %% [markdown]
"""
{{week}}

**Where we are.** x → encoder → z → decoder → y. Until now y was a number of a class, and z belonged to one modality.
This week two encoders, one for images and one for sentences, end in the *same* space of z. A class is then no longer
a number: it is a place, found by reading its name. That is why a model can name what nobody has ever shown it, and
where it fails.

Work from top to bottom. An exercise cell holds `raise NotImplementedError`; replace that line, run the cell, then run
the check below it. A failed check tells you what it called, what came back and what it expected. Some points are
decided at grading, by checks that you do not see and that draw fresh data. The notebook trains several small models:
all of it together takes a few minutes.
"""

# %%
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from mmdl_course import viz
from mmdl_course.architectures import WordTokenizer, load_checkpoint, mlp
from mmdl_course.architectures.miniclip import TextTower
from mmdl_course.checks import Exercise
from mmdl_course.data import world
from mmdl_course.data.world import ceilings
from mmdl_course.training import budget, fit
from mmdl_course.viz import explorers

torch.set_num_threads(1)  # models this small gain nothing from more, and lose much on a busy machine


def seeded(seed: int) -> torch.Generator:
    """A source of randomness of its own: the same seed gives the same figure on every machine."""
    return torch.Generator().manual_seed(seed)


viz.show(
    viz.flow(highlight="z"),
    alt="The flow of a model: x, encoder f, z, decoder g, y. The space of z is highlighted: two encoders will share it.",
)

# %% [markdown]
"""
## 1. Labels that know nothing of each other

Supervised classification gives every class a number. It has worked wonderfully, and it has three built-in weaknesses
(deck B, "Issues with supervised classification"): the labels are treated as *independent*, so every mistake is
equally bad; an image says *more* than one label can hold; and when something comes up that was not in the training
set, there is no number for it.

Let us see all three. Our reality for this week holds one large object (later two) in eight colours and four shapes,
which makes 32 pairs such as "red cube". **Eight of the pairs are held out**: the models see red things and they see
spheres, but never a red sphere.
"""

# %%
SHAPES = ("sphere", "cube", "cone", "torus")
COLOURS = tuple(world.COLOURS)
PAIRS = tuple(f"{colour} {shape}" for colour in COLOURS for shape in SHAPES)
HELD_OUT = tuple((colour, SHAPES[(i + i // 4) % 4]) for i, colour in enumerate(COLOURS))
CAMERA = world.Camera(distance=6.0)


def reality(objects: int, pairs: str = "seen") -> world.SceneConfig:
    """What may appear: up to `objects` large things; "seen" pairs never hold a held-out pair, "held_out" holds nothing else."""
    return world.SceneConfig(
        objects=(1, objects), shapes=SHAPES, sizes=("large",), held_out=HELD_OUT, pairs=pairs
    )


def draw(
    count: int, *, objects: int = 1, pairs: str = "seen", seed: int
) -> tuple[world.Scenes, Float[Tensor, "scene 3 height width"]]:
    """Scenes and their images, 32 × 32 pixels."""
    scenes = world.sample_scenes(count, generator=seeded(seed), config=reality(objects, pairs))
    return scenes, world.render(scenes, camera=CAMERA, size=32).image


def true_pair(scenes: world.Scenes) -> Tensor:
    """For scenes of one object: its place in PAIRS."""
    shape = torch.tensor([SHAPES.index(world.SHAPES[i]) for i in scenes.shape[:, 0]])
    return scenes.colour[:, 0] * len(SHAPES) + shape


held_out_pairs = torch.tensor([PAIRS.index(" ".join(pair)) for pair in HELD_OUT])
seen_pairs = torch.tensor([i for i in range(len(PAIRS)) if i not in held_out_pairs])
seeds = range(budget(3, grading=1))
tests = {
    kind: draw(budget(600, grading=100), pairs=kind, seed=1000 + i)
    for i, kind in enumerate(("seen", "held_out"))
}
example = [int((true_pair(tests["seen"][0]) == pair).int().argmax()) for pair in seen_pairs[::3]]
viz.show(
    viz.strip(
        {
            "seen while training": tests["seen"][1][example],
            "held out": tests["held_out"][1][
                [int((true_pair(tests["held_out"][0]) == pair).int().argmax()) for pair in held_out_pairs]
            ],
        },
        title="The held-out pairs are made of colours and shapes that are seen",
    ),
    alt="Two rows of images of one object. Above, pairs of colour and shape that are seen in training; below, the eight held-out pairs: "
    + ", ".join(" ".join(pair) for pair in HELD_OUT)
    + ".",
)

# %% [markdown]
"""
**Predict, then run.** A network is trained to tell the 24 seen pairs apart. How often is it right on new images of
seen pairs, and how often on a red sphere? And *what* will it call a red sphere?
"""


# %%
class ImageEncoder(nn.Module):
    """Convolutions, the largest value of each feature over the image, a linear layer to as many numbers as asked for."""

    def __init__(self, outputs: int):
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((3, 32), (32, 64), (64, 128)):
            layers += [
                nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1),
                nn.GroupNorm(1, after),
                nn.GELU(),
            ]
        self.maps = nn.Sequential(*layers, nn.Conv2d(128, 128, kernel_size=3, padding=1), nn.GELU())
        self.head = nn.Linear(128, outputs)

    def features(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 128"]:
        """What is in the image, wherever it is."""
        return self.maps((images - 0.6) / 0.12).amax(
            dim=(2, 3)
        )  # 0.6 and 0.12: mean and deviation of the pixels

    def forward(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image output"]:
        """Features, mixed by the linear layer."""
        return self.head(self.features(images))


def train_network(
    outputs: int,
    loss: Callable[[Tensor, Tensor], Tensor],
    images: Tensor,
    targets: Tensor,
    *,
    seed: int,
    steps: int,
    label: str,
) -> ImageEncoder:
    """A network with `outputs` numbers at its end, trained on images and their targets."""
    torch.manual_seed(seed)
    network = ImageEncoder(outputs)
    fit(
        lambda i: loss(network(images[i]), targets[i]),
        network.parameters(),
        count=len(images),
        steps=steps,
        generator=seeded(seed),
        learning_rate=3e-3,
        warm_up=min(20, steps // 3),
        label=label,
    )
    return network.eval()


# %% tags=["demo"]
training_sets = [draw(budget(4000, grading=200), seed=seed) for seed in seeds]
class_of = torch.full((len(PAIRS),), -1)
class_of[seen_pairs] = torch.arange(len(seen_pairs))
supervised = [
    train_network(
        len(seen_pairs),
        F.cross_entropy,
        images,
        class_of[true_pair(scenes)],
        seed=seed,
        steps=budget(150, grading=5),
        label=f"24 classes, seed {seed}",
    )
    for seed, (scenes, images) in zip(seeds, training_sets, strict=True)
]


def right(guess: Tensor, scenes: world.Scenes) -> dict[str, float]:
    """How many of the guesses (places in PAIRS) have the right pair, the right colour, the right shape."""
    truth = true_pair(scenes)
    same_colour, same_shape = guess // len(SHAPES) == truth // len(SHAPES), guess % 4 == truth % 4
    return {
        "pair": (guess == truth).float().mean().item(),
        "colour": same_colour.float().mean().item(),
        "shape": same_shape.float().mean().item(),
    }


naming: dict[str, dict[str, list[dict[str, float]]]] = {"supervised, 24 classes": {}}
for kind, (scenes, images) in tests.items():
    with torch.no_grad():
        guesses = [seen_pairs[network(images).argmax(1)] for network in supervised]
    naming["supervised, 24 classes"][kind] = [right(guess, scenes) for guess in guesses]


def tell(method: str) -> None:
    """Print what a method names right, mean over seeds."""
    for kind, results in naming[method].items():
        share = {name: np.mean([result[name] for result in results]) for name in results[0]}
        print(f"{method:28s} {kind:9s}", "  ".join(f"{name} {value:.2f}" for name, value in share.items()))


tell("supervised, 24 classes")
red_spheres = true_pair(tests["held_out"][0]) == PAIRS.index("red sphere")
calls = seen_pairs[supervised[0](tests["held_out"][1][red_spheres]).argmax(1)]
names, counts = calls.unique(return_counts=True)
order = counts.argsort(descending=True)
print("a red sphere is called:", ", ".join(f"{PAIRS[names[i]]} ({counts[i]} times)" for i in order))

# %% [markdown]
"""
The held-out pairs are wrong *always*: not because they are hard to see, but because the network has no way to say
them. It does know something, though: look at how often the colour is right. Its knowledge is locked up in 24 numbers
that know nothing of each other.

## 2. The first way out: attributes

The idea that opened up recognition "beyond the training set" (deck B, "Deep learning beyond class labels") is to
predict not the class but *attributes* that classes share. A crow has a black head and a black belly; a painted
bunting has a blue head and a red belly. Write down the **signature** of each class, also of those that you have no
picture of. Learn a detector for every attribute. Then a new image gets the class whose signature fits best.

How well does a signature fit? Detectors are not sure. Let p_m be the probability that image x has attribute m.
Attributes are treated as independent given the image, so the probability of a whole signature is a product: p_m for
every attribute that the class has, and (1 − p_m) for every one that it does *not* have. Some attributes are common
and fit many images by accident, so each factor is divided by how often it is true anyway, the prior π_m or (1 − π_m).
Divide by the sum over the classes, and you have a probability:

P(class c | x)  ∝  ∏ₘ (p_m / π_m)^{a_cm} · ((1 − p_m) / (1 − π_m))^{1 − a_cm}

This is *direct attribute prediction* (Lampert, Nickisch and Harmeling 2009).

{{exercise:attribute_classifier}}

Write `attribute_classifier`. Detectors may be fooled into a certainty of exactly 0 or 1: clamp the probabilities to
10⁻⁶ … 1 − 10⁻⁶ first. There may be thousands of attributes.

**The trap:** a detector that says 0.51 knows almost nothing, and one that says 0.99 knows a lot. Who rounds both to
"yes" throws that away. (And what should come out when two classes have the same signature?)
"""


# %% nbgrader={"grade": false, "grade_id": "attribute_classifier", "locked": false, "schema_version": 3, "solution": true, "task": false}
def attribute_classifier(
    probabilities: Float[Tensor, "image attribute"],
    signatures: Float[Tensor, "class_ attribute"],
    prior: Float[Tensor, " attribute"],
) -> Float[Tensor, "image class_"]:
    """Probability of each class, from attributes alone: direct attribute prediction.

    Args:
        probabilities: p, that image i has attribute m, 0 … 1.
        signatures: a, 1 where the class has the attribute, else 0.
        prior: π, how often the attribute is true at all, between 0 and 1.

    Returns:
        P(class | image); each row sums to 1. All classes are equally likely beforehand.

    Source: Lampert, Nickisch and Harmeling 2009, equation 2; deck B, "Zero-shot learning".
    """
    ### BEGIN SOLUTION
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    has, lacks = (p / prior).log(), ((1 - p) / (1 - prior)).log()  # (image, attribute)
    return (has @ signatures.T + lacks @ (1 - signatures).T).softmax(dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "attribute_classifier-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("attribute_classifier", points=5)
classify = exercise.student()

with exercise.check(
    "two classes, two attributes, by hand",
    points=1,
    hint="What a class lacks counts too: the first class has the factors 0.8 and (1 − 0.6), the second 0.8 and 0.6. "
    "Then divide by their sum, within each image.",
):
    half = torch.tensor([0.5, 0.5])
    exercise.close(
        classify(torch.tensor([[0.8, 0.6]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]]), half),
        torch.tensor([[0.4, 0.6]]),
        atol=1e-4,
    )

with exercise.check(
    "an unsure detector counts little, a sure one much",
    points=1,
    hint="Two detectors say 0.55, which is next to nothing; one says 0.97. Multiply probabilities. Do not round them, do not "
    "count matches and do not average.",
):
    exercise.close(
        classify(
            torch.tensor([[0.55, 0.55, 0.97]]),
            torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
            torch.full((3,), 0.5),
        ),
        torch.tensor([[0.55**2 * 0.03, 0.45**2 * 0.97]]) / (0.55**2 * 0.03 + 0.45**2 * 0.97),
        atol=1e-4,
    )

with exercise.check(
    "2,000 attributes, and detectors that are certain, sometimes of what is wrong",
    points=1,
    hint="A product of 2,000 factors leaves the range of every float: add logarithms. A certainty of 0 or 1 has an infinite "
    "logarithm, and one wrong one would rule a class out for ever: clamp first.",
):
    many = (exercise.draw(4, 2000) > 0).float()
    guesses = 0.5 + 0.3 * (2 * many[:2] - 1)  # 0.8 where the first two classes have it, 0.2 where not
    guesses[:, :20] = many[:2, :20]
    guesses[:, 0] = 1 - many[:2, 0]  # as certain as the others, and wrong
    answer = classify(guesses, many, torch.full((2000,), 0.5))
    exercise.finite(answer)
    exercise.close(answer, torch.eye(4)[:2], atol=1e-3, why="2,000 attributes leave no doubt")

### BEGIN HIDDEN TESTS
with exercise.check(
    "each of two classes with one signature gets the same",
    points=1,
    hint="Nothing tells twins apart, so each gets the same probability. Do not pick one of them. Do not merge them either: beforehand, "
    "each of the three classes is equally likely, and afterwards all three sum to 1.",
):
    signatures = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    answer = torch.as_tensor(classify(torch.tensor([[0.9, 0.2, 0.7]]), signatures, torch.full((3,), 0.5)))
    exercise.close(answer[:, 0], answer[:, 2], atol=1e-5)
    first, second = 0.9 * 0.8 * 0.7, 0.1 * 0.2 * 0.3
    exercise.close(answer[0, 1], second / (2 * first + second), atol=1e-4)

with exercise.check(
    "rare attributes tell more: fresh images, classes and priors",
    points=1,
    hint="Divide p by π where the class has the attribute, and 1 − p by 1 − π where it lacks it.",
):
    p, prior = exercise.draw(6, 7).sigmoid(), 0.1 + 0.8 * exercise.draw(7).sigmoid()
    signatures = (exercise.draw(5, 7) > 0).float()
    expected = torch.zeros(6, 5)
    for i in range(6):
        for c in range(5):
            factors = [
                p[i, m] / prior[m] if signatures[c, m] else (1 - p[i, m]) / (1 - prior[m]) for m in range(7)
            ]
            expected[i, c] = math.prod(factor.item() for factor in factors)
    exercise.close(classify(p, signatures, prior), expected / expected.sum(1, keepdim=True), atol=1e-4)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

For one image and one class you have a list of factors, one for each attribute. Write the list down for the two
classes of the first check. What do you have to do with it?
</details>
<details><summary>Pseudo code</summary>

```text
clamp p → log(p / π) and log((1 − p) / (1 − π)) for every image and attribute → sum the first over what a class has,
the second over what it lacks (two matrix products) → softmax over the classes: it divides e^(sum of logarithms) by
their total.
```
</details>
<details><summary>Help: the result is nan</summary>

Either a logarithm of 0 was multiplied by 0: clamp before you take logarithms. Or a product became 0 in all classes
and 0 / 0 was divided: add logarithms instead of multiplying.
</details>
"""

# %% [markdown]
"""
Now for our world. Twelve attributes, eight colours and four shapes; a class such as "red sphere" is a signature with
two ones. The detectors are trained on the seen pairs, and asked about all 32.

**Predict, then run.** Which attribute will be harder for things that were never seen together, the colour or the
shape?
"""

# %% tags=["demo"]
ATTRIBUTES = COLOURS + SHAPES
signatures = torch.tensor([[float(name in pair.split()) for name in ATTRIBUTES] for pair in PAIRS])
by_attributes = {name: {kind: [] for kind in tests} for name in ("attributes", "attributes, decided hard")}
for seed, (scenes, images) in zip(seeds, training_sets, strict=True):
    targets = signatures[true_pair(scenes)]
    detectors = train_network(
        len(ATTRIBUTES),
        F.binary_cross_entropy_with_logits,
        images,
        targets,
        seed=seed,
        steps=budget(150, grading=5),
        label=f"attribute detectors, seed {seed}",
    )
    prior = targets.mean(0).clamp(0.01, 0.99)
    for kind, (test_scenes, test_images) in tests.items():
        with torch.no_grad():
            p = detectors(test_images).sigmoid()
        for method, sure in (("attributes", p), ("attributes, decided hard", p.round())):
            guess = torch.as_tensor(attribute_classifier(sure, signatures, prior)).argmax(1)
            by_attributes[method][kind].append(right(guess, test_scenes))
naming |= by_attributes
tell("attributes")
tell("attributes, decided hard")

# %% [markdown]
"""
A model that has never seen a red sphere can now *say* "red sphere". It seldom does, though: look at the *shape* of
what was never seen together. The detector for "sphere" has learned that red things are no spheres, because in its
training set none was; nobody told it which of the facts of its data are laws and which are accidents. And somebody
had to write the signatures. Who does that for a million classes?

## 3. The second way out: sentences

People describe pictures all the time, without being asked, in sentences: under photographs, in shop windows, on the
web. A sentence is more complex than a label, it names attributes and relations, and it comes for free. CLIP (Radford
and others 2021) learns from nothing else:

- an **image encoder** and a **text encoder** each end in a vector of the same length (A68: alignment);
- in a batch of n pairs, every image is compared with every caption: n × n cosine similarities;
- the n pairs on the diagonal are pulled together, the n² − n others pushed apart.

What would be a class in supervised learning is now "the caption that belongs to this image", and a batch of n pairs
is a classification problem with n classes, made up anew for every batch.

{{exercise:clip_loss}}

Every image in the batch has one caption that belongs to it; the other captions are wrong answers. The loss asks two
questions of the same similarity matrix: which caption belongs to this image, and which image belongs to this caption?
Both are classification problems with as many classes as the batch has pairs.

Write `clip_loss`, which is the average of the two. Its inputs are what the two encoders returned, **not yet
normalised**. The temperature is stored as its logarithm *t* so that it stays positive while it is trained:
similarities are multiplied by exp(*t*).

**The trap:** a softmax over rows and a softmax over columns of the same matrix are different distributions.

**Predict, then run:** with *n* pairs and encoders that cannot tell anything apart, what is the loss? Write the number
down.
"""


# %% nbgrader={"grade": false, "grade_id": "clip_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def clip_loss(
    image_features: Float[Tensor, "pair dim"],
    text_features: Float[Tensor, "pair dim"],
    log_temperature: Float[Tensor, ""],
) -> Float[Tensor, ""]:
    """Symmetric contrastive loss over a batch of image-text pairs, in nats.

    Args:
        image_features: from the image encoder, of any length; row i belongs to row i of the texts.
        text_features: from the text encoder, likewise.
        log_temperature: t; cosine similarities are multiplied by exp(t).

    Returns:
        The mean cross-entropy of finding the text of an image and the image of a text, averaged over both directions.

    Source: Radford et al. 2021, figure 3; deck B, "Powerful approach, simple implementation".
    """
    ### BEGIN SOLUTION
    image = F.normalize(image_features, dim=1)
    text = F.normalize(text_features, dim=1)
    similarity = image @ text.T * log_temperature.exp()  # (image, text)
    own = torch.arange(len(similarity), device=similarity.device)
    return (F.cross_entropy(similarity, own) + F.cross_entropy(similarity.T, own)) / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "clip_loss-check", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("clip_loss", points=6)
loss_of = exercise.student()
zero = torch.tensor(0.0)

with exercise.check(
    "pairs that point where nobody else does cost nothing when similarities are scaled up",
    points=1,
    hint="The loss is lowest when each image is most similar to its own caption, and a large exp(t) makes the softmax sharp. "
    "Do you divide by it? Or take the softmax twice? (F.cross_entropy takes the softmax itself.)",
):
    exercise.close(loss_of(torch.eye(4), torch.eye(4), torch.tensor(6.0)), 0.0, atol=1e-5)

with exercise.check(
    "indistinguishable pairs cost log n",
    points=1,
    hint="Each image chooses in its own row among n captions, the right one included. Cross-entropy is a mean over the batch, and the "
    "loss is the mean of two directions. Sums would give more.",
):
    exercise.close(loss_of(torch.ones(5, 3), torch.ones(5, 3), zero), math.log(5), atol=1e-5)

with exercise.check(
    "only directions matter, not lengths",
    points=1,
    hint="Normalise each row of both inputs before you compare them. A length for each row was changed; the loss must not.",
):
    image, text, length = exercise.draw(6, 8), exercise.draw(6, 8), exercise.draw(6, 1).exp()
    exercise.close(loss_of(image, text, zero), loss_of(length * image, text / length, zero), atol=1e-4)

with exercise.check(
    "the temperature is stored as a logarithm, and everything learns",
    points=1,
    hint="Multiply by exp(t). Do t and both encoders receive a gradient, or did you take .item() or .detach()? While the pairs are "
    "found, a larger t lowers the loss: its gradient is negative.",
):
    hand = math.log(1 + math.exp(-2.0))  # two opposite pairs: similarities ±1, scaled by e^0 = 1
    image = torch.tensor([[1.0], [-1.0]], requires_grad=True)
    text = torch.tensor([[3.0], [-2.0]], requires_grad=True)
    exercise.close(loss_of(image, text, zero), hand, atol=1e-5)
    t = torch.tensor(0.3, requires_grad=True)
    value = loss_of(image, text, t)
    exercise.gradients_reach(value, {"image_features": image, "text_features": text, "log_temperature": t})
    (slope,) = torch.autograd.grad(value, t)
    gap = 2 * math.exp(0.3)
    exercise.close(
        slope, -gap / (1 + math.exp(gap)), atol=1e-4, why="the derivative of log(1 + exp(−2 exp t)), by hand"
    )

### BEGIN HIDDEN TESTS
with exercise.check(
    "both directions count",
    points=1,
    hint="One softmax over captions for each image, one over images for each caption: average the two.",
):
    # Two images alike, three captions apart: the two directions differ, so one direction alone is exposed.
    image = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    image = image @ exercise.rotation(3)
    text = torch.eye(3) @ exercise.rotation(3)
    exercise.close(
        loss_of(image, text, torch.tensor(1.0)), loss_of(text, image, torch.tensor(1.0)), atol=1e-4
    )

with exercise.check(
    "agrees with a slow, independent computation on fresh features",
    points=1,
    hint="Cosine similarity times exp(t), the log of a softmax along each axis, its diagonal, the mean, the average of both.",
):
    image, text, t = exercise.draw(7, 5), exercise.draw(7, 5), 1 + 0.3 * exercise.draw(1)[0]
    cosine = torch.stack([F.cosine_similarity(image[i][None], text) for i in range(7)]) * math.exp(t)
    log_p_text = torch.stack([row - row.logsumexp(0) for row in cosine])
    log_p_image = torch.stack([column - column.logsumexp(0) for column in cosine.T])
    expected = -(log_p_text.diagonal().mean() + log_p_image.diagonal().mean()) / 2
    exercise.close(loss_of(image, text, t), expected, atol=1e-4)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

What shape is the similarity matrix, and which index of row *i* is the right class?
</details>
<details><summary>Pseudo code</summary>

```text
normalise → all pairwise dot products × exp(t) → cross-entropy of the rows against 0 … n−1 → the same for the columns
→ average.
```
</details>
<details><summary>Help: "only directions matter" fails, everything before it passes</summary>

You normalised along the batch instead of along the features, or only one of the two inputs.
</details>
"""

# %% [markdown]
"""
## 4. Several right answers in one batch

The loss pretends that only the caption on the diagonal is right. But "a sphere" was written under *one* picture of
the batch and is true of *thirty*. The others are **false negatives**: right answers that the loss punishes. On the
web, with 32,768 pairs in a batch, there are always some.

Let `positive[i, j]` say that text j is right for image i. The natural repair: of the right answers, each should get
the same share. If an image has k right texts, its target is no longer a one in one place but 1/k in k places, and its
cost is the cross-entropy with that target, which is the *mean* of −log p over its right texts. Likewise for each
text, over its right images (Yang and others 2022, "Unified contrastive learning").

{{exercise:multi_positive_loss}}

Write `multi_positive_loss`. Everything else is as in `clip_loss`: cosine similarities, times exp(t), cross-entropy
within each row and within each column, means over images and over texts, the average of both directions. There may be
more texts than images. Every image has at least one right text, and every text at least one right image.

**The trap:** an image may have three right texts while one of these texts has forty right images. Each direction has
its own shares.
"""


# %% nbgrader={"grade": false, "grade_id": "multi_positive_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def multi_positive_loss(
    image_features: Float[Tensor, "image dim"],
    text_features: Float[Tensor, "text dim"],
    log_temperature: Float[Tensor, ""],
    positive: Bool[Tensor, "image text"],
) -> Float[Tensor, ""]:
    """Symmetric contrastive loss where an image may have several right texts, and a text several right images.

    Args:
        image_features: from the image encoder, of any length.
        text_features: from the text encoder, of any length.
        log_temperature: t; cosine similarities are multiplied by exp(t).
        positive: whether text j is right for image i; none of its rows or columns is all False.

    Returns:
        Mean over images and mean over texts of −log p, averaged over each one's right answers; averaged over both
        directions; nats.

    Source: Yang et al. 2022, equations 2 to 4.
    """
    ### BEGIN SOLUTION
    similarity = F.normalize(image_features, dim=1) @ F.normalize(text_features, dim=1).T
    logits, share = similarity * log_temperature.exp(), positive.float()
    to_text = F.cross_entropy(logits, share / share.sum(1, keepdim=True))
    to_image = F.cross_entropy(logits.T, share.T / share.T.sum(1, keepdim=True))
    return (to_text + to_image) / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "multi_positive_loss-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("multi_positive_loss", points=4)
multi = exercise.student()

with exercise.check(
    "when all captions differ, it is the CLIP loss, and learns like it",
    points=1,
    hint="With one right answer each (`positive` is the identity) nothing changes: cosines times exp(t), a softmax within each row "
    "and one within each column, the average of both directions. And t and both encoders learn from it: no .item(), no .detach().",
):
    image = torch.tensor([[3.0, 0.0], [0.0, 1.0]], requires_grad=True)
    text = torch.tensor([[1.0, 0.0], [1.0, 1.0]], requires_grad=True)
    t = torch.tensor(0.5, requires_grad=True)
    value = multi(image, text, t, torch.eye(2, dtype=torch.bool))
    near, scale = (
        math.sqrt(0.5),
        math.exp(0.5),
    )  # the cosines are 1 and near for image 0, 0 and near for image 1
    ahead = (1 - near, near, 1, 0)  # how far the right answer leads: for image 0, image 1, text 0, text 1
    exercise.close(value, sum(math.log(1 + math.exp(-scale * lead)) for lead in ahead) / 4, atol=1e-5)
    exercise.gradients_reach(value, {"image_features": image, "text_features": text, "log_temperature": t})

with exercise.check(
    "one image with two right texts, by hand",
    points=1,
    hint="Similarities 1 and 0, so p = e / (e + 1) and 1 / (e + 1): the other right text stays in the softmax. The image pays the mean of "
    "the two −log p; each text has one image to choose from and pays nothing. Neither the sum of −log p nor the logarithm of the sum.",
):
    both = torch.tensor([[True, True]])
    one = -math.log(math.e / (math.e + 1))
    exercise.close(
        multi(torch.tensor([[2.0, 0.0]]), torch.eye(2), torch.tensor(0.0), both),
        (one + one + 1) / 4,
        atol=1e-5,
    )

### BEGIN HIDDEN TESTS
with exercise.check(
    "each direction has its own shares",
    points=1,
    hint="Rows are divided by the number of right texts of the image, columns by the number of right images of the text. "
    "A row's shares, transposed, do not sum to 1. Then the mean over images and the mean over texts have the same say.",
):
    # All similarities are equal, so whatever the shares, 3 images and 5 texts cost (log 5 + log 3) / 2.
    positive = torch.tensor([[1, 1, 1, 0, 1], [0, 1, 0, 1, 0], [0, 1, 0, 0, 0]], dtype=torch.bool)
    exercise.close(
        multi(torch.ones(3, 4), torch.ones(5, 4), torch.tensor(0.7), positive),
        (math.log(5) + math.log(3)) / 2,
        atol=1e-4,
    )

with exercise.check(
    "agrees with a slow, independent computation on fresh features and right answers",
    points=1,
    hint="For each image: log softmax over all texts, the mean over the right ones. For each text the same over images. "
    "Every image counts the same, however many right texts it has. Wrong texts stay in the softmax, and so do the other right ones.",
):
    image, text, t = exercise.draw(5, 6), exercise.draw(8, 6), 1 + 0.3 * exercise.draw(1)[0]
    positive = exercise.draw(5, 8) > 0.6
    positive[torch.arange(8) % 5, torch.arange(8)] = True
    scaled = torch.stack([F.cosine_similarity(image[i][None], text) for i in range(5)]) * math.exp(t)
    rows = [-(row - row.logsumexp(0))[own].mean() for row, own in zip(scaled, positive, strict=True)]
    columns = [
        -(column - column.logsumexp(0))[own].mean() for column, own in zip(scaled.T, positive.T, strict=True)
    ]
    expected = (torch.stack(rows).mean() + torch.stack(columns).mean()) / 2
    exercise.close(multi(image, text, t, positive), expected, atol=1e-4)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

`F.cross_entropy` takes class numbers, but it also takes a probability for every class. Which probabilities are the
target of one row?
</details>
<details><summary>Pseudo code</summary>

```text
logits as in clip_loss → target of the rows: positive / its row sums → cross-entropy; target of the columns: positiveᵀ
/ its row sums, against logitsᵀ → average.
```
</details>
<details><summary>Help: the third check is off although the others pass</summary>

You transposed the shares of the rows. Transpose `positive` first, then divide.
</details>
"""

# %% [markdown]
"""
**Predict, then run.** Take a batch in which several captions are repeated *word for word*, so that their text vectors
are equal. By how much do the two losses differ? And in a batch in which captions that differ are true of the same
image?
"""

# %% tags=["demo"]
NAMED = COLOURS + SHAPES + world.MATERIALS


def true_of(texts: Sequence[str], scenes: world.Scenes) -> Bool[Tensor, "image text"]:
    """Which texts are true of which scenes of one object: it must have every attribute that the text names."""
    says = torch.tensor([[float(name in text.split()) for name in NAMED] for text in texts])
    shape = true_pair(scenes) % len(SHAPES)
    has = torch.cat(
        [
            F.one_hot(scenes.colour[:, 0], len(COLOURS)),
            F.one_hot(shape, len(SHAPES)),
            F.one_hot(scenes.material[:, 0], len(world.MATERIALS)),
        ],
        dim=1,
    ).float()
    return (1 - has) @ says.T == 0


some_scenes, some_images = (part[:64] for part in training_sets[0])
texts = world.caption(some_scenes, generator=seeded(0), detail=0.5)
word_for_word = torch.tensor([[a == b for b in texts] for a in texts])
also_true = true_of(texts, some_scenes)
numbers = {text: number for number, text in enumerate(texts)}  # the same number for the same words
vectors = torch.randn(64, 16, generator=seeded(1))[[numbers[text] for text in texts]]
picture_vectors = torch.randn(64, 16, generator=seeded(2))
t = torch.tensor(2.0)
print("five of the 64 captions:", "; ".join(texts[:5]))
print(
    f"a caption is written under {word_for_word.float().sum(0).mean():.1f} of the 64 images, and true of {also_true.float().sum(0).mean():.1f}"
)
print(f"only the diagonal is right    {clip_loss(picture_vectors, vectors, t):.4f}")
print(f"the same words are right      {multi_positive_loss(picture_vectors, vectors, t, word_for_word):.4f}")
print(f"everything true is right      {multi_positive_loss(picture_vectors, vectors, t, also_true):.4f}")

# %% [markdown]
"""
Word for word, nothing changes, to the last digit. (Why? Equal texts have equal similarities, so −log p is the same
for each of them, and a mean of equal numbers is each of them. Summed over all images and texts, the two losses add up
the same terms.) So the famous duplicates are harmless; the *different* captions that are also true are not, and to
know them one must understand captions. On the web, nobody does. In our world, we do.

## 5. Two towers, one space

Now the model itself, all of it. The image encoder is the network of section 1, with as many numbers at its end as the
shared space has. The text encoder is a transformer over words, read off at the end token, and a linear projection.
And one number, the temperature. Nothing else; there is no list of classes anywhere.
"""


# %%
class TwoTowers(nn.Module):
    """CLIP in miniature: an image encoder and a text encoder that end in vectors of the same length."""

    def __init__(self, *, width: int = 64, scale: float = 10.0):
        super().__init__()
        self.image_encoder = ImageEncoder(width)
        self.tokenizer = WordTokenizer(world.VOCABULARY)
        self.text_tower = TextTower(vocabulary=len(self.tokenizer), dim=width)
        self.text_projection = nn.Linear(width, width, bias=False)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(scale)))

    def encode_image(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image dim"]:
        """Where images lie; not normalised."""
        return self.image_encoder(images)

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "text dim"]:
        """Where texts lie; not normalised."""
        tokens = self.tokenizer.encode(texts)  # (text, position)
        end = tokens.eq(2).int().argmax(dim=1)  # 2 is the end token
        return self.text_projection(self.text_tower(self.text_tower.words(tokens), end))


print(f"{sum(p.numel() for p in TwoTowers().parameters()):,} parameters")

# %% [markdown]
"""
What it learns from: 10,000 scenes of one or two objects (no held-out pair among them), with a new caption at every
step, which names each of colour and material with probability one half, and sometimes not even the shape. As on the
web, some of the pictures are black and white, and their captions do not speak of colour. (That turns out to matter. A
model that has only seen red things in red can treat "red" as evidence about shape.)

The loss is yours: `multi_positive_loss` with the diagonal as right answers. While one model trains, keep an eye on
the picture below: 12 images and their captions that are not in the training set.
"""

# %%
GREY_SHARE = 0.35  # of each batch is printed in black and white
LUMA = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
watched_scenes, watched_images = draw(12, objects=2, seed=77)
watched_texts = world.caption(watched_scenes, generator=seeded(77), detail=1.0)


def train_towers(
    scenes: world.Scenes,
    images: Tensor,
    *,
    seed: int,
    steps: int,
    batch: int = 128,
    scale: float | None = None,
    right_answers: Callable[[Sequence[str], world.Scenes], Tensor] | None = None,
    watch: dict[int, Tensor] | None = None,
) -> tuple[TwoTowers, Float[Tensor, " step"]]:
    """Train two towers on scenes, their images and fresh captions.

    Args:
        scenes: what the captions speak of.
        images: their images.
        seed: decides weights, captions and order.
        steps: optimiser steps.
        batch: pairs in a batch.
        scale: fixed exp(t); learned, starting from 10, when left out.
        right_answers: which texts are right for which scenes; the diagonal when left out.
        watch: gets the similarities of the watched images and captions at its keys' steps.

    Returns:
        The model, and the loss of every step.
    """
    torch.manual_seed(seed)
    model, generator, step = TwoTowers(scale=scale or 10.0), seeded(seed), 0
    model.log_temperature.requires_grad_(scale is None)

    def loss(i: Tensor) -> Tensor:
        nonlocal step
        if watch is not None and step in watch:
            watch[step] = compare(model, watched_images, watched_texts)
        step += 1
        grey = int(GREY_SHARE * len(i))
        pictures = images[i]
        pictures = torch.cat(
            [(pictures[:grey] * LUMA).sum(1, keepdim=True).expand(-1, 3, -1, -1), pictures[grey:]]
        )
        texts = world.caption(scenes[i[:grey]], generator=generator, detail=0.5, leave_out=("colour",))
        texts += world.caption(scenes[i[grey:]], generator=generator, detail=0.5)
        positive = (
            torch.eye(len(i), dtype=torch.bool) if right_answers is None else right_answers(texts, scenes[i])
        )
        return multi_positive_loss(
            model.encode_image(pictures), model.encode_text(texts), model.log_temperature, positive
        )

    history = fit(
        loss,
        [p for p in model.parameters() if p.requires_grad],
        count=len(scenes),
        steps=steps,
        generator=generator,
        batch_size=batch,
        learning_rate=3e-3,
        warm_up=min(30, steps // 3),
        label=f"two towers, seed {seed}",
    )
    return model.eval(), history


@torch.no_grad()
def compare(model: TwoTowers, images: Tensor, texts: Sequence[str]) -> Float[Tensor, "image text"]:
    """Cosine similarities of images and texts."""
    return F.normalize(model.encode_image(images), dim=1) @ F.normalize(model.encode_text(texts), dim=1).T


# %% tags=["demo"]
import time

steps = budget(600, grading=6)
moments = sorted({0, *(round(steps * share) for share in (0.02, 0.05, 0.1, 0.2, 0.4, 0.7))})
seen_while_training: dict[int, Tensor] = dict.fromkeys(moments)
tower_scenes, tower_images = draw(budget(10_000, grading=200), objects=2, seed=100)
start = time.perf_counter()
towers, losses = zip(
    *(
        train_towers(
            tower_scenes,
            tower_images,
            seed=seed,
            steps=steps,
            watch=seen_while_training if seed == 0 else None,
        )
        for seed in seeds
    ),
    strict=True,
)
print(f"{(time.perf_counter() - start) / len(seeds):.0f} s for a model")
watch = {**seen_while_training, steps: compare(towers[0], watched_images, watched_texts)}


# %% tags=["demo"]
explorers.training_similarity(
    watch,
    losses=losses[0],
    images=watched_images,
    captions=watched_texts,
)

# %% [markdown]
"""
Move the slider through the training and watch *what* is learned in which order. The first thing to leave the noise
are colours; rows and columns of things that share a colour light up together. Shapes come later, relations hardly at
all. Off the diagonal it never gets quite dark, and it should not: a caption of another picture may be half true of
this one. Similarity is *graded*, which no class label is.

### A classifier made of words

Two encoders give similarities. How do you use them "for normal classification" (deck B)? Write a sentence for every
class, "a photo of a red sphere", and embed it. The embeddings, one a class, are the weights of a linear classifier
that nobody trained. Since one wording is an accident, take several *templates*, and let the class be their average
direction.

{{exercise:zero_shot_classifier}}

Write `zero_shot_classifier`: for every label, fill every template (`world.prompt("a photo of a {}", "orange cube")`
writes "a photo of **an** orange cube"), embed the sentences, **normalise each**, average them, and **normalise the
average again**.

**The trap:** a mean of vectors of different lengths listens to the longest. And a mean of unit vectors is shorter
than one: where the templates of a class disagree, its vector is short, and a plain dot product would hold that
against the class.
"""


# %% nbgrader={"grade": false, "grade_id": "zero_shot_classifier", "locked": false, "schema_version": 3, "solution": true, "task": false}
def zero_shot_classifier(
    encode_text: Callable[[list[str]], Float[Tensor, "text dim"]],
    labels: Sequence[str],
    templates: Sequence[str],
) -> Float[Tensor, "class_ dim"]:
    """The weights of a classifier, from nothing but the names of its classes.

    Args:
        encode_text: list of sentences → their vectors, of any length.
        labels: names of the classes, such as "red sphere".
        templates: sentences with one "{}" for the label.

    Returns:
        One unit vector for each label, in their order.

    Source: Radford et al. 2021, section 3.1.4; deck B, "How to use CLIP for 'normal' classification?".
    """
    ### BEGIN SOLUTION
    rows = []
    for label in labels:
        each = F.normalize(encode_text([world.prompt(template, label) for template in templates]), dim=1)
        rows.append(F.normalize(each.mean(dim=0), dim=0))
    return torch.stack(rows)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "zero_shot_classifier-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("zero_shot_classifier", points=5)
weights_of = exercise.student()


def made_up_encoder(generator, *, longest=1.0):
    """Every sentence gets a random vector of its own, always the same one, of a length between 1 and `longest`."""
    known = {}

    def encode(texts):
        for text in texts:
            if text not in known:
                length = 1 + (longest - 1) * torch.rand((), generator=generator)
                known[text] = length * F.normalize(torch.randn(6, generator=generator), dim=0)
        return torch.stack([known[text] for text in texts])

    return encode, known


with exercise.check(
    "one template: the direction of each filled sentence",
    points=1,
    hint="One unit vector for each label, from a list of sentences. Fill templates with world.prompt: it writes 'an orange cube' "
    "where it must.",
):
    encode, known = made_up_encoder(exercise.generator, longest=5.0)
    got = weights_of(encode, ["red sphere", "orange cube"], ["a photo of a {}"])
    wanted = ["a photo of a red sphere", "a photo of an orange cube"]
    exercise.true(
        set(wanted) <= set(known),
        f"the encoder was not asked for {wanted}, but for {sorted(known)[:4]}",
    )
    exercise.close(got, F.normalize(torch.stack([known[text] for text in wanted]), dim=1), atol=1e-5)

with exercise.check(
    "every template has the same say, however long its vector",
    points=1,
    hint="Fill every template, and normalise each sentence's vector before you average over the templates.",
):
    loud = {"a cat": torch.tensor([100.0, 0.0]), "the cat": torch.tensor([0.0, 1.0])}
    got = weights_of(lambda texts: torch.stack([loud[text] for text in texts]), ["cat"], ["a {}", "the {}"])
    exercise.close(F.normalize(torch.as_tensor(got), dim=1), torch.full((1, 2), math.sqrt(0.5)), atol=1e-5)

with exercise.check(
    "the average has length one again",
    points=1,
    hint="The mean of unit vectors that disagree is shorter than one. Normalise each class's vector (over dim, not over classes).",
):
    encode, _ = made_up_encoder(exercise.generator)
    got = weights_of(encode, ["cat", "dog", "owl"], ["a {}", "the {}", "my {}", "one {}"])
    exercise.shape(got, (3, 6))
    exercise.close(torch.as_tensor(got).norm(dim=1), torch.ones(3), atol=1e-5)

### BEGIN HIDDEN TESTS
with exercise.check(
    "agrees with a slow, independent computation for fresh labels",
    points=1,
    hint="Rows in the order of the labels; within a row the mean over that label's own sentences only. If they were encoded all at once: "
    "is the reshape in the order of your loops?",
):
    encode, _ = made_up_encoder(exercise.generator, longest=9.0)
    labels, templates = ["apple", "red box", "ice", "tree"], ["a {}", "a photo of the {}", "{}"]
    expected = []
    for label in labels:
        total = torch.zeros(6)
        for template in templates:
            (vector,) = encode([world.prompt(template, label)])
            total += vector / vector.square().sum().sqrt()
        expected.append(total / total.square().sum().sqrt())
    exercise.close(weights_of(encode, labels, templates), torch.stack(expected), atol=1e-4)

with exercise.check(
    "names what is in fresh pictures, with a real model",
    points=1,
    hint="The class whose vector has the largest cosine with the image is named, so row i must belong to label i. The model is the "
    "course's own MiniCLIP.",
):
    clip = load_checkpoint("miniclip")
    fresh = world.sample_scenes(200, generator=exercise.generator, config=world.SceneConfig(objects=(1, 1)))
    pictures = clip.encode_image(world.render(fresh, size=64).image)
    colours = list(world.COLOURS)
    weights = torch.as_tensor(
        weights_of(clip.encode_text, [f"{colour} object" for colour in colours], ["a photo of a {}", "a {}"])
    ).float()
    named = (pictures @ weights.T).argmax(1)
    accuracy = (named == fresh.colour[:, 0]).float().mean().item()
    exercise.between(accuracy, chance=1 / len(colours), ceiling=1.0, full=0.7)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Which shape has the tensor of all sentences' vectors, if you sort it by label and template? Over which of its axes do
you average?
</details>
<details><summary>Pseudo code</summary>

```text
for each label: sentences = its filled templates → encode → normalise each → mean → normalise. Stack.
```
</details>
<details><summary>Help: "every template has the same say" fails</summary>

You averaged first and normalised afterwards. The sentence with the longest vector then decides for all.
</details>
"""

# %% [markdown]
"""
**Predict, then run.** The towers have never seen a red sphere, and no caption has ever spoken of one. Where between
chance and ceiling will they name the held-out pairs among all 32? Write a number down.

One more competitor is needed for a fair comparison. The towers saw two objects at a time, and some of the pictures in
black and white; the attribute detectors of section 2 saw neither. So they get a second chance, on the towers' own
pictures: *is there something red, is there a sphere?* (Chance, in the figure, is generous: it is what one gets who
does not look but *knows* which eight pairs were held out. Guessing among all 32 gets a quarter of that.)
"""

# %% tags=["demo"]
TEMPLATES = ("a {}", "a shiny {}", "a matte {}", "a large {}")


@torch.no_grad()
def name_pairs(model: TwoTowers, images: Tensor) -> Tensor:
    """The pair among all 32 that a model finds most similar, by name."""
    return (model.encode_image(images) @ zero_shot_classifier(model.encode_text, PAIRS, TEMPLATES).T).argmax(
        1
    )


def there_is(scenes: world.Scenes) -> Float[Tensor, "scene attribute"]:
    """1 where some object of the scene has the attribute."""
    place = torch.tensor([SHAPES.index(name) if name in SHAPES else 0 for name in world.SHAPES])
    parts = (F.one_hot(scenes.colour, len(COLOURS)), F.one_hot(place[scenes.shape], len(SHAPES)))
    return (torch.cat(parts, dim=2) * scenes.present[..., None]).amax(dim=1).float()


def asked_only(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy of the attributes that are asked; −1 is not asked."""
    return F.binary_cross_entropy_with_logits(logits[targets >= 0], targets[targets >= 0])


targets = there_is(tower_scenes)
prior = targets.mean(0).clamp(0.01, 0.99)
grey = torch.rand(len(tower_images), generator=seeded(0)) < GREY_SHARE
targets[grey, : len(COLOURS)] = -1  # the colour of a grey picture is not asked
shown = torch.where(grey[:, None, None, None], (tower_images * LUMA).sum(1, keepdim=True), tower_images)
second_chance = {kind: [] for kind in tests}
for seed in seeds:
    detectors = train_network(
        len(ATTRIBUTES),
        asked_only,
        shown,
        targets,
        seed=seed,
        steps=budget(250, grading=5),
        label=f"detectors, seed {seed}",
    )
    for kind, (test_scenes, test_images) in tests.items():
        with torch.no_grad():
            p = detectors(test_images).sigmoid()
        guess = torch.as_tensor(attribute_classifier(p, signatures, prior)).argmax(1)
        second_chance[kind].append(right(guess, test_scenes))
naming["attributes, same pictures"] = second_chance
tell("attributes, same pictures")
torch.manual_seed(99)
untrained = [TwoTowers().eval() for _ in seeds]
for method, models in (("two towers", towers), ("two towers, untrained", untrained)):
    naming[method] = {
        kind: [right(name_pairs(model, images), scenes) for model in models]
        for kind, (scenes, images) in tests.items()
    }
    tell(method)
rows = {method: [result["pair"] for result in kinds["held_out"]] for method, kinds in naming.items()}
bounds = ceilings.classification(
    "pair", config=reality(1, "held_out"), train=world.SceneConfig(shapes=SHAPES)
)
board = {
    "unit": "share of held-out pairs named right, among 32",
    "methods": "two towers",
    "chance": bounds.chance,
    "ceiling": bounds.ceiling,
    "title": f"“{max(rows, key=lambda method: np.mean(rows[method]))}” names more held-out pairs than the others",
}
viz.show(
    viz.scoreboard(rows, **board),
    alt="Held-out pairs named right, among 32: "
    + ", ".join(f"{method} {np.mean(score):.2f}" for method, score in rows.items()),
)
viz.scoreboard_table(rows, **board)

# %% [markdown]
"""
*How can a model name what it has never been shown?* Because "red sphere" is not a number any more: it is a place in a
space whose directions it has learned from other things. The supervised network has no such place, whatever it sees.

And be fair to the attributes: look at what the towers' pictures do for *them*. Most of what separates the towers from
the detectors of section 2 is not language but pictures in which colour and shape *come apart*: a red thing beside a
sphere, a shape without its colour. The rest is between the losses: a detector is told "no sphere" by every red
picture it sees, a batch of captions says so only by comparison. What language adds is something else: nobody had to
write signatures down, for these classes or for any other that words can name.

How far does that carry? ("Pre-training is so powerful, no training needed", says the deck.) The words and the looks
of *both* parts were in the training data. Nothing here, and nothing in CLIP, names a thing whose word it never read.

### Temperature and batch size

Two numbers decide how hard the contrastive task is. The *scale* exp(t): with a small one, even a perfect model cannot
bring the loss down; with a large one only the nearest wrong answer counts. The *batch*: n − 1 wrong answers for every
right one. CLIP learns the first and takes 32,768 for the second. Here are short trainings, on one object, with the
same number of pictures for every batch size.

**Predict, then run.** Order the scales 1, 10 and 100 by how well the model will name things. Is a larger batch better
when the pictures are the same number?
"""

# %% tags=["demo"]
short = budget(50, grading=3)
variants = {
    "scale 1": {"scale": 1.0},
    "scale 10": {"scale": 10.0},
    "scale 100": {"scale": 100.0},
    "scale learned": {},
    "batch 32": {"batch": 32, "steps": 4 * short},
    "batch 512": {"batch": 512, "steps": max(1, short // 4)},
}
tried: dict[str, list[float]] = {name: [] for name in variants}
gap_of_variant: dict[str, list[float]] = {name: [] for name in variants}
for seed, (scenes, images) in zip(seeds, training_sets, strict=True):
    for name, settings in variants.items():
        model, _ = train_towers(scenes, images, seed=seed, **{"steps": short, **settings})
        tried[name].append(right(name_pairs(model, tests["seen"][1]), tests["seen"][0])["pair"])
        with torch.no_grad():  # for section 6
            two_means = [
                F.normalize(z, dim=1).mean(0)
                for z in (
                    model.encode_image(tests["seen"][1]),
                    model.encode_text(world.caption(tests["seen"][0], generator=seeded(0), detail=0.5)),
                )
            ]
        gap_of_variant[name].append((two_means[0] - two_means[1]).norm().item())
viz.show(
    viz.scoreboard(
        {
            f"{name} (batch 128)" if "scale" in name else f"{name} (scale learned)": value
            for name, value in tried.items()
        },
        unit="share of seen pairs named right after a short training",
        methods="scale learned (batch 128)",
        chance=1 / len(PAIRS),
        ceiling=1.0,
        title=f"“{max(tried, key=lambda name: np.mean(tried[name]))}” learns most in a short training",
    ),
    alt="Seen pairs named right after a short training: "
    + ", ".join(f"{name} {np.mean(score):.2f}" for name, score in tried.items()),
)


# %% [markdown]
"""
With a fixed number of pictures, a larger batch also means fewer steps: read the last rows as a trade, not as a
verdict. CLIP had pictures and steps in plenty, and there a larger batch means more, and harder, wrong answers.

And the false negatives? Our world knows which captions are true of which images, so we can train once with the
diagonal as the only right answer, once with *everything true* as right. The question to both: is a true caption more
similar to an image than a false one? (Chance is one half.) And do they still name things?
"""

# %% tags=["demo"]
scored_scenes, scored_images = (part[:200] for part in (tests["seen"][0], tests["seen"][1]))
scored_texts = world.caption(scored_scenes, generator=seeded(5), detail=0.5)
truth = true_of(scored_texts, scored_scenes)
told: dict[str, dict[str, list[float]]] = {}
for name, right_answers in (("the diagonal is right", None), ("everything true is right", true_of)):
    told[name] = {"true above false": [], "pairs named": []}
    for seed, (scenes, images) in zip(seeds, training_sets, strict=True):
        model, _ = train_towers(scenes, images, seed=seed, steps=2 * short, right_answers=right_answers)
        similarity = compare(model, scored_images, scored_texts)
        above = torch.stack(
            [
                (row[is_true][:, None] > row[~is_true]).float().mean()
                for row, is_true in zip(similarity, truth, strict=True)
            ]
        )
        told[name]["true above false"].append(above.nanmean().item())
        told[name]["pairs named"].append(right(name_pairs(model, tests["seen"][1]), tests["seen"][0])["pair"])
for name, scores in told.items():
    print(
        f"{name:26s}",
        ";  ".join(f"{what} {np.mean(value):.3f} ± {np.std(value):.3f}" for what, value in scores.items()),
    )

# %% [markdown]
"""
## 6. Search: images by words, words by images

A shared space is a search engine. Embed a million images once; a query is one sentence, and the answer is what lies
nearest. How good is it? **Recall@k** asks: for how many queries is a right answer among the first k?

Three details decide whether the number can be trusted. *Ties*: a model that gives everything the same similarity has
found nothing, but code that sorts carelessly reports 100 %. *Several right answers*: an image may have five captions;
one of them is enough, and the other four must not count as rivals. *Size*: the matrix for a million images does not
fit into memory, so it is computed in chunks, and the last chunk is smaller than the rest.

{{exercise:recall_at_k}}

Write `recall_at_k` for queries and items given as vectors, compared by their cosine. A query is found when fewer than
k **wrong** items are at least as similar as its best right item; similarities that differ by less than 10⁻⁶ count as
equal. Never hold more than `chunk` rows of the similarity matrix.

**The trap:** the mean of the chunks' recalls is not the recall, unless all chunks are equally large.
"""


# %% nbgrader={"grade": false, "grade_id": "recall_at_k", "locked": false, "schema_version": 3, "solution": true, "task": false}
def recall_at_k(
    queries: Float[Tensor, "query dim"],
    items: Float[Tensor, "item dim"],
    positive: Bool[Tensor, "query item"],
    *,
    k: int,
    chunk: int = 256,
) -> float:
    """Share of queries that have a right item among the first k.

    Args:
        queries: vectors of any length.
        items: vectors of any length.
        positive: which items are right for which query; each query has at least one.
        k: how many items are returned.
        chunk: most queries that are compared at once.

    Returns:
        Recall, 0 … 1. Ties with wrong items count against the query.
    """
    ### BEGIN SOLUTION
    items, found = F.normalize(items, dim=1), 0
    for start in range(0, len(queries), chunk):
        own = positive[start : start + chunk]
        similarity = F.normalize(queries[start : start + chunk], dim=1) @ items.T  # (query, item)
        best = similarity.masked_fill(~own, -2).amax(dim=1, keepdim=True)
        rivals = ((similarity > best - 1e-6) & ~own).sum(dim=1)
        found += int((rivals < k).sum())
    return found / len(queries)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "recall_at_k-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("recall_at_k", points=5)
recall = exercise.student()
compass = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])

with exercise.check(
    "three queries, by hand",
    points=1,
    hint="`positive` says which item is right: here item 0 for every query. It is the first query's nearest, the second's second "
    "nearest and the third's farthest among the items. Found at k means: fewer than k wrong items are nearer.",
):
    queries = torch.tensor([[2.0, 0.5], [1.0, 2.0], [-1.0, 0.2]])
    positive = torch.zeros(3, 4, dtype=torch.bool)
    positive[[0, 1, 2], [0, 0, 0]] = True
    for k, expected in ((1, 1 / 3), (2, 2 / 3), (3, 2 / 3), (4, 1.0)):
        exercise.close(recall(queries, compass, positive, k=k), expected, atol=1e-6)

with exercise.check(
    "who finds everything equally similar finds nothing",
    points=1,
    hint="A wrong item that ties with the right one counts against the query. Sorting hides ties: the item that happens to come "
    "first in memory wins. Count the wrong items that are at least as similar (up to 1e-6).",
):
    alike = torch.ones(6, 4)
    exercise.close(recall(alike, alike, torch.eye(6, dtype=torch.bool), k=1), 0.0, atol=1e-6)
    exercise.close(recall(alike, alike, torch.eye(6, dtype=torch.bool), k=5), 0.0, atol=1e-6)
    exercise.close(recall(alike, alike, torch.eye(6, dtype=torch.bool), k=6), 1.0, atol=1e-6)

with exercise.check(
    "one of several right items is enough, and the others are no rivals",
    points=1,
    hint="Take the best of the right items. Only wrong items are counted, even where two right ones tie. It is not the share of the "
    "right items that were found.",
):
    positive = torch.tensor([[True, False, False, True], [False, True, True, True]])
    queries = torch.tensor([[1.0, 0.1], [-0.1, -1.0]])
    exercise.close(recall(queries, compass, positive, k=1), 1.0, atol=1e-6)
    exercise.close(recall(torch.tensor([[0.2, 1.0]]), compass, positive[:1], k=1), 0.0, atol=1e-6)
    twins = torch.tensor([[2.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # the first two are one caption, written twice
    right = torch.tensor([[True, True, False]])
    exercise.close(recall(torch.tensor([[1.0, 0.2]]), twins, right, k=1), 1.0, atol=1e-6)


### BEGIN HIDDEN TESTS
class Largest(torch.overrides.TorchFunctionMode):
    """Remembers the size of the largest tensor of numbers that torch made in it; masks, of two values, do not count."""

    def __init__(self):
        super().__init__()
        self.size = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        if isinstance(made, Tensor) and made.is_floating_point() and len(made.unique()) > 2:
            self.size = max(self.size, made.numel())
        return made


with exercise.check(
    "chunked and full agree, and chunks save memory",
    points=1,
    hint="Add up how many queries were found and divide once, by the number of queries. The last chunk is smaller; do not drop it. "
    "Of the similarity matrix, only the rows of one chunk exist at a time.",
):
    queries, items = exercise.draw(10, 5), exercise.draw(12, 5)
    similar = F.cosine_similarity(queries[:, None], items, dim=2)
    positive = exercise.draw(10, 12) > 1.0
    positive[torch.arange(10), torch.arange(10)] = True
    positive[0] = similar[0] == similar[0].min()  # one is not found,
    positive[9] = similar[9] == similar[9].max()  # and the odd one out is
    full = recall(queries, items, positive, k=2, chunk=100)
    for size in (1, 3, 4, 9, 10):
        exercise.close(recall(queries, items, positive, k=2, chunk=size), full, atol=1e-6)
    own = torch.arange(40)[:, None] % 30 == torch.arange(30)
    with Largest() as largest:
        recall(exercise.draw(40, 2), exercise.draw(30, 2), own, k=1, chunk=1)
    exercise.true(
        largest.size < 40 * 30,
        f"with chunk=1, 40 queries and 30 items, a tensor of {largest.size:,} similarities was held; one row has 30",
    )

with exercise.check(
    "agrees with a slow, independent count on fresh vectors, in both directions",
    points=1,
    hint="Normalise queries and items: only directions count. positive has one row a query; for the other direction it is "
    "transposed.",
):
    images = exercise.draw(9, 6) * exercise.draw(9, 1).exp()
    texts = exercise.draw(14, 6) * exercise.draw(14, 1).exp()
    positive = torch.zeros(9, 14, dtype=torch.bool)
    positive[torch.arange(14) % 9, torch.arange(14)] = True
    for a, b, own in ((images, texts, positive), (texts, images, positive.T)):
        for k in (1, 3):
            hits = 0
            for i in range(len(a)):
                cosine = F.cosine_similarity(a[i][None], b)
                best = cosine[own[i]].max()
                hits += int((cosine[~own[i]] >= best - 1e-6).sum() < k)
            exercise.close(recall(a, b, own, k=k), hits / len(a), atol=1e-6)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

You do not need to sort. How many wrong items may stand before the best right one, so that it is among the first k?
</details>
<details><summary>Pseudo code</summary>

```text
for each chunk of queries: cosine with all items → best right similarity of each query → count wrong items with at
least that (minus 1e-6) → found where the count is below k. Add up, divide once.
```
</details>
<details><summary>Help: everything is found although all vectors are equal</summary>

`argsort` and `topk` break ties by position. Compare numbers instead of positions.
</details>
"""

# %% [markdown]
"""
How well can a caption find its scene *at best*? Not always: "a red object" is true of many. The ceiling below is the
recall of someone who knows the world and everything in it; it is computed from the way captions come about. Recall in
both directions, among 200 scenes of one or two objects; the pair level is told, with all attributes named half of the
time.

**Predict, then run.** How large is chance at k = 1, 5 and 10?
"""

# %% tags=["demo"]
GALLERY = budget(200, grading=50)
found: dict[str, dict[str, list[float]]] = {
    name: {"text → image": [], "image → text": []} for name in ("two towers", "untrained")
}
gallery_scenes, gallery_images = draw(GALLERY, objects=2, seed=500)
gallery_texts = world.caption(gallery_scenes, generator=seeded(500), detail=0.5)
diagonal = torch.eye(GALLERY, dtype=torch.bool)
ks = (1, 5, 10)
lines = {}
for name, models in (("two towers", towers), ("untrained", untrained)):
    with torch.no_grad():
        features = [
            (model.encode_image(gallery_images), model.encode_text(gallery_texts)) for model in models
        ]
    for direction, flip in (("text → image", True), ("image → text", False)):
        lines[f"{direction}, {name}"] = [
            [recall_at_k(*((text, image) if flip else (image, text)), diagonal, k=k) for k in ks]
            for image, text in features
        ]
for find, direction in (("scene", "text → image"), ("caption", "image → text")):
    lines[f"{direction}, ceiling"] = [
        ceilings.retrieval_estimate(
            generator=seeded(0),
            config=reality(2),
            detail=0.5,
            gallery=GALLERY,
            at=k,
            find=find,
            galleries=budget(6, grading=2),
        ).ceiling
        for k in ks
    ]
lines["chance"] = [k / GALLERY for k in ks]
viz.show(
    viz.curves(
        lines,
        x=ks,
        x_label="number k of answers",
        y_label=f"recall@k among {GALLERY}",
        title="How often is the right one among the first k?",
    ),
    alt="Recall at 1, 5 and 10 in both directions, with ceiling and chance: "
    + "; ".join(
        f"{name} {', '.join(f'{value:.2f}' for value in np.atleast_2d(values).mean(0))}"
        for name, values in lines.items()
    ),
)

# %% [markdown]
"""
Search it yourself. Type what you are looking for, in the words of the world (`a red cube left of a blue cone`), and
the images are ranked by their cosine with your sentence. Words the model never read all count as the same unknown
word. Then try a sentence with *two* objects, and swap their colours. (Here the held-out pairs are among the images:
there *are* red spheres to be found.)
"""

# %% tags=["demo"]
shop = world.SceneConfig(objects=(1, 2), shapes=SHAPES, sizes=("large",))
shop_images = world.render(
    world.sample_scenes(budget(400, grading=20), generator=seeded(501), config=shop), camera=CAMERA, size=32
).image
explorers.rank_images(
    lambda text: compare(towers[0], shop_images, [text])[:, 0],
    images=shop_images,
    queries=(
        "a red sphere",
        "a yellow torus",
        "two cubes",
        "a red cube next to a blue sphere",
        "a blue cube next to a red sphere",
        "a green thing",
    ),
)

# %% [markdown]
"""
### What the space does not hold

"A red cube left of a blue cone" and "a blue cube left of a red cone" have the same words. Are they the same to the
model? Give it an image and *two* captions, the right one and one that differs in a single respect, and count how
often the right one is more similar (chance: one half, ceiling: 1, since the other is false). The two captions differ

- in **one word**: a colour that is not in the picture;
- in **who has which colour**: the two colours swapped (and nothing else is different);
- in **who is where**: left and right swapped.

**Predict, then run.** Which of the three will be near one half? The right model of language has all the words *and*
their order. Does the loss ever ask for the order?
"""


# %% tags=["demo"]
def twisted(count: int, *, seed: int) -> tuple[Tensor, dict[str, tuple[list[str], list[str]]]]:
    """Images of two objects of different colour and shape, and for each question (true captions, false ones)."""
    scenes, images = draw(6 * count, objects=2, seed=seed)
    two = scenes.present.sum(1) == 2
    apart = (scenes.position[:, 0, 0] - scenes.position[:, 1, 0]).abs() > 0.8  # clearly left and right
    different = (scenes.colour[:, 0] != scenes.colour[:, 1]) & (scenes.shape[:, 0] != scenes.shape[:, 1])
    chosen = (two & apart & different).nonzero().flatten()[:count]
    pairs: dict[str, tuple[list[str], list[str]]] = {
        name: ([], []) for name in ("one word", "who has which colour", "who is where")
    }
    for i in chosen.tolist():
        a, b = (0, 1) if scenes.position[i, 0, 0] < scenes.position[i, 1, 0] else (1, 0)
        (ca, sa), (cb, sb) = (
            (COLOURS[scenes.colour[i, j]], world.SHAPES[scenes.shape[i, j]]) for j in (a, b)
        )
        other = next(name for name in COLOURS[i % 8 :] + COLOURS if name not in (ca, cb))
        true = f"a {ca} {sa} left of a {cb} {sb}"
        for name, false in (
            ("one word", f"a {other} {sa} left of a {cb} {sb}"),
            ("who has which colour", f"a {cb} {sa} left of a {ca} {sb}"),
            ("who is where", f"a {ca} {sa} right of a {cb} {sb}"),
        ):
            pairs[name][0].append(true.replace("a orange", "an orange"))
            pairs[name][1].append(false.replace("a orange", "an orange"))
    return images[chosen], pairs


twisted_images, questions = twisted(budget(300, grading=20), seed=600)
answers = {}
for name, (true, false) in questions.items():
    answers[name] = []
    for model in towers:
        margin = (
            compare(model, twisted_images, true).diagonal() - compare(model, twisted_images, false).diagonal()
        )
        answers[name].append((margin > 0).float().mean().item())
print(
    "for example:",
    questions["who has which colour"][0][0],
    "| against |",
    questions["who has which colour"][1][0],
)
viz.show(
    viz.scoreboard(
        answers,
        unit="share of true captions that are more similar than the false one",
        methods=set(answers),
        chance=0.5,
        ceiling=1.0,
        title="Does the model notice which word is false?",
    ),
    alt="How often the true caption is more similar: "
    + ", ".join(f"{name} {np.mean(score):.2f}" for name, score in answers.items()),
)

# %% [markdown]
"""
This is the **bag-of-words failure** (Yuksekgonul and others 2023; Thrush and others 2022 found it in CLIP itself). It
is no accident of the encoder: this text tower is a transformer, which reads the order of words very well. It is the
*loss* that does not ask. Among the 127 other captions of a batch, hardly one is the same words in another order, so
the words alone win nearly every comparison. What the batch does not contain, the space need not hold. Captions with
swapped words as additional wrong answers ("hard negatives") are the usual repair; you could add them in a few lines
above.

### The gap between two kinds of points

The loss compares images with texts and texts with images, and *never* two images. So nothing forces the two clouds to
lie in the same place, as long as each image is nearer to its own text than to the others. Liang and others (2022)
found that in CLIP they do not: there is a **modality gap**.

**Predict, then run.** Which two points are closer, an image and its own caption, or an image and a quite different
image?
"""

# %% tags=["demo"]
from sklearn.decomposition import PCA


def gap_of(model: TwoTowers) -> tuple[Tensor, Tensor, dict[str, float]]:
    """Unit vectors of gallery images and captions, and how the two clouds lie to each other."""
    with torch.no_grad():
        image = F.normalize(model.encode_image(gallery_images), dim=1)
        text = F.normalize(model.encode_text(gallery_texts), dim=1)
    away = ~diagonal
    return (
        image,
        text,
        {
            "length of the gap": (image.mean(0) - text.mean(0)).norm().item(),
            "cosine of image and own caption": (image * text).sum(1).mean().item(),
            "cosine of two images": (image @ image.T)[away].mean().item(),
            "cosine of two captions": (text @ text.T)[away].mean().item(),
        },
    )


gaps = {
    "untrained": [gap_of(model)[2] for model in untrained],
    "two towers": [gap_of(model)[2] for model in towers],
}
for name, each in gaps.items():
    print(
        f"{name:11s}",
        ";  ".join(f"{what} {np.mean([gap[what] for gap in each]):.2f}" for what in each[0]),
    )
for name in ("scale 1", "scale 10", "scale 100"):
    print(f"short training, fixed {name:9s}: length of the gap {np.mean(gap_of_variant[name]):.2f}")
image, text, numbers_of_gap = gap_of(towers[0])
axes = PCA(2).fit(torch.cat([image, text]).numpy())
plane = [torch.from_numpy(axes.transform(part.numpy())).float() for part in (image, text)]
viz.show(
    viz.modality_gap(
        *plane,
        gap=numbers_of_gap["length of the gap"],
        title=f"The means of images and captions are {numbers_of_gap['length of the gap']:.2f} apart",
    ),
    alt="Images and captions in the plane of their two largest variances: the two clouds "
    f"have means that are {numbers_of_gap['length of the gap']:.2f} apart, each image joined to its caption by a line.",
)

# %% [markdown]
"""
Is your gap as large as CLIP's? (There, the means of images and captions are about 0.8 apart.) Before training, the
gap comes from the start: two random networks put everything they see into two narrow cones. What training makes of it
depends on the scale exp(t), as the last lines printed show: with a large one there is little reason to close it,
since differences between similarities are all that counts, and these are then large anyway. Keep in mind what it
means for use: similarities of image with text and of image with image are on different scales, and a text vector
cannot simply stand in for an image vector. Section 9 stumbles over that.

### Zero shots, or a few?

Zero-shot naming uses no labelled image. If you *have* some, you can train a **linear probe** (week 01) on the frozen
image vectors. How many labelled images is a name worth? The probe learns all 32 pairs, from k images of each,
held-out pairs included.
"""

# %% tags=["demo"]
import warnings

from sklearn.linear_model import LogisticRegression

shots = budget((1, 2, 4, 8, 16), grading=(1, 2))
every_scenes = [
    draw(budget(1500, grading=600), pairs=pairs, seed=700 + i) for i, pairs in enumerate(("seen", "held_out"))
]
every_labels = torch.cat([true_pair(scenes) for scenes, _ in every_scenes])
probe_test = torch.cat([images[: budget(300, grading=50)] for _, images in tests.values()])
probe_truth = torch.cat([true_pair(scenes)[: budget(300, grading=50)] for scenes, _ in tests.values()])
probe_accuracy = {"linear probe": [], "linear probe, untrained tower": []}
zero_shot = []
with torch.no_grad():
    for seed, model in zip(seeds, towers, strict=True):
        zero_shot.append((name_pairs(model, probe_test) == probe_truth).float().mean().item())
        for name, network in (("linear probe", model), ("linear probe, untrained tower", untrained[seed])):
            z = F.normalize(
                torch.cat([network.encode_image(images) for _, images in every_scenes]), dim=1
            ).numpy()
            z_test = F.normalize(network.encode_image(probe_test), dim=1).numpy()
            accuracies = []
            for count in shots:
                order = torch.randperm(len(every_labels), generator=seeded(seed))
                chosen = torch.cat([order[every_labels[order] == pair][:count] for pair in range(len(PAIRS))])
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # "many classes, few samples": that is the point here
                    probe = LogisticRegression(C=100.0, max_iter=300).fit(z[chosen], every_labels[chosen])
                accuracies.append(float(probe.score(z_test, probe_truth)))
            probe_accuracy[name].append(accuracies)
viz.show(
    viz.curves(
        probe_accuracy,
        x=shots,
        x_label="number of labelled images of each of the 32 pairs",
        y_label="share of pairs named right (half of them held out)",
        title="How many labelled images is a name worth?",
        references={"zero-shot": float(np.mean(zero_shot)), "chance": 1 / len(PAIRS)},
        log_x=True,
    ),
    alt=f"Zero-shot names {np.mean(zero_shot):.2f} right. Linear probe with {', '.join(map(str, shots))} labelled images of each pair: "
    + ", ".join(f"{value:.2f}" for value in np.mean(probe_accuracy["linear probe"], axis=0))
    + ".",
)


# %% [markdown]
"""
Where the lines cross, a name is worth that many labelled images. With more, the probe overtakes: a name says what a
class *means*, labelled images say where *this* encoder puts it.

The deck's largest table has linear probes of many encoders on 27 data sets; the best CLIP there (ViT-L/14 at 336
pixels) reaches 85.4 % on ImageNet, 99.2 % on MNIST, 98.1 % on EuroSAT (satellite images), and 60.3 % on counting the
objects of CLEVR, an artificial world of solids like ours. Here is the same table in miniature: encoders in the rows,
questions in the columns, of which the last two are real data of other kinds.

**Predict, then run.** In which columns will the raw *pixels* be the best encoder?
"""

# %% tags=["demo"]
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmdl_course.data.digits import load_digits
from mmdl_course.data.emoji import load_emoji

few = budget(500, grading=80)
two_scenes, two_images = draw(2 * few, objects=2, seed=900)
one_scenes, one_images = draw(2 * few, seed=901)
digits = load_digits(generator=seeded(0))
emoji = load_emoji(size=32)
in_order = torch.randperm(len(emoji), generator=seeded(1))[: 2 * few]
questions_to_probes = {
    "colour": (one_images, one_scenes.colour[:, 0]),
    "shape": (one_images, true_pair(one_scenes) % len(SHAPES)),
    "matte or shiny": (one_images, one_scenes.material[:, 0]),
    "one or two": (two_images, two_scenes.present.sum(1)),
    "digit (real)": (
        F.interpolate(digits.train_images[: 2 * few, None], size=(32, 32), mode="bilinear").expand(
            -1, 3, -1, -1
        ),
        digits.train_labels[: 2 * few],
    ),
    "group of emoji (real)": (emoji.images[in_order], emoji.group[in_order]),
}
encoders: dict[str, list[Callable[[Tensor], Tensor]]] = {
    "pixels": [lambda x: x.flatten(1)],
    "two towers, untrained": [model.encode_image for model in untrained],
    "supervised, 24 classes": [network.features for network in supervised],
    "two towers": [model.encode_image for model in towers],
}
print(" " * 23 + "".join(f"{name:>23s}" for name in questions_to_probes))
for name, variants_of_encoder in encoders.items():
    cells = []
    for pictures, answer in questions_to_probes.values():
        accuracy = []
        for encode in variants_of_encoder:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                z = encode(pictures).numpy()
                half = len(z) // 2
                probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=100))
                accuracy.append(float(probe.fit(z[:half], answer[:half]).score(z[half:], answer[half:])))
        cells.append(
            f"{np.mean(accuracy):.2f} ± {np.std(accuracy):.2f}" if len(accuracy) > 1 else f"{accuracy[0]:.2f}"
        )
    print(f"{name:23s}" + "".join(f"{cell:>23s}" for cell in cells))
largest_class = [
    (torch.bincount(answer[: len(answer) // 2]).argmax() == answer[len(answer) // 2 :]).float().mean().item()
    for _, answer in questions_to_probes.values()
]
print(f"{'chance (largest class)':23s}" + "".join(f"{value:23.2f}" for value in largest_class))

# %% [markdown]
"""
Each column asks something else, and no encoder wins everywhere. What the captions speak of is laid out for a linear
probe; what they never mention has to be there by luck. The real data show the limit: digits and emoji are nothing
these encoders have met, and a space made from solids on a grey ground has little to say about them. CLIP's table is
so even because nearly everything is somewhere on the web; its weak columns (counting) are what captions there do not
tell.

## 7. Other pictures than those of the training

A model that scores 76.2 % on ImageNet scores far less on other photographs of the same classes. The deck's table,
"Robustness of CLIP":

| accuracy in % | ImageNet ResNet101 | zero-shot CLIP | Δ |
|---|--:|--:|--:|
| ImageNet | 76.2 | 76.2 | 0 |
| ImageNetV2 | 64.3 | 70.1 | +5.8 |
| ImageNet-R (renditions) | 37.7 | 88.9 | +51.2 |
| ObjectNet (viewpoints, rooms) | 32.6 | 72.3 | +39.7 |
| ImageNet Sketch | 25.2 | 60.2 | +35.0 |
| ImageNet-A (chosen to be hard) | 2.7 | 77.1 | +74.4 |

The two were chosen to be *equally good on ImageNet*. Why is that needed? Because a model that is better where it was
trained is usually better elsewhere too. If you plot the accuracy under shift against the original accuracy, ordinary
models lie along a line (with both axes on a logit scale, log(a / (1 − a))). Being *on* the line is nothing special.
What counts is how far a model lies **above** it: that is its **effective robustness** (Taori and others 2020).

{{exercise:effective_robustness}}

Write `effective_robustness`. Fit the line by least squares to the *reference* models in logit coordinates (y:
shifted, x: original). For each model to be judged, read off the line which shifted accuracy its original accuracy
would predict, and return its own shifted accuracy minus that. All accuracies are between 0 and 1; clamp them to 0.001
… 0.999 before you take the logit.

**The trap:** "the accuracy falls by only 3 points" is not robustness. Falls compared with *what one would expect*
are. And the result is a difference of accuracies, not of logits.
"""


# %% nbgrader={"grade": false, "grade_id": "effective_robustness", "locked": false, "schema_version": 3, "solution": true, "task": false}
def effective_robustness(
    original: Float[Tensor, " model"],
    shifted: Float[Tensor, " model"],
    reference_original: Float[Tensor, " reference"],
    reference_shifted: Float[Tensor, " reference"],
) -> Float[Tensor, " model"]:
    """How much better models do under a shift than their original accuracy lets one expect.

    Args:
        original: accuracy of each judged model where it was trained to work, 0 … 1.
        shifted: its accuracy under the shift, 0 … 1.
        reference_original: the same for the models that set the expectation; at least two that differ.
        reference_shifted: the same for them.

    Returns:
        Shifted accuracy minus the accuracy that the references' line predicts, −1 … 1.

    Source: Taori et al. 2020, equation 1.
    """
    ### BEGIN SOLUTION
    x, y, own = (a.clamp(1e-3, 1 - 1e-3).logit() for a in (reference_original, reference_shifted, original))
    slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    return shifted - (y.mean() + slope * (own - x.mean())).sigmoid()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "effective_robustness-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("effective_robustness", points=4)
above_line = exercise.student()

with exercise.check(
    "the deck's table: when nobody loses anything, the expectation is y = x",
    points=1,
    hint="The references lie on the diagonal, so the expected shifted accuracy is the original one, and the result is the "
    "difference of the two accuracies: shifted minus expected, negative for who is worse. (What the line predicts is a logit; the sigmoid makes it "
    "an accuracy.)",
):
    same = torch.tensor([0.3, 0.5, 0.9])
    exercise.close(
        above_line(torch.tensor([0.762, 0.762]), torch.tensor([0.252, 0.602]), same, same),
        torch.tensor([-0.510, -0.160]),
        atol=1e-4,
    )

with exercise.check(
    "models on the line have none, however much they lose",
    points=1,
    hint="What counts is not the fall, but what the line (slope and intercept) predicts from the original accuracy. It is straight in logit "
    "coordinates, log(a / (1 − a)), for both axes. Fitted to plain accuracies it is another line.",
):
    x = torch.tensor([0.2, 0.35, 0.6, 0.8, 0.95])
    y = (0.8 * x.logit() - 1.0).sigmoid()
    exercise.close(above_line(x, y, x[::2], y[::2]), torch.zeros(5), atol=1e-4)

### BEGIN HIDDEN TESTS
with exercise.check(
    "fresh models above and below a fresh line",
    points=1,
    hint="Predict the logit, go back to an accuracy with the sigmoid, then subtract: the result is a difference of accuracies. "
    "The judged models take no part in the fit, and least squares means the squared errors of y, the shifted logits.",
):
    x = (exercise.draw(8)).sigmoid()
    noise = 0.2 * exercise.draw(8)
    y = (0.6 * x.logit() - 0.5 + noise).sigmoid()
    slope, intercept = np.polyfit(x.logit().double().numpy(), y.logit().double().numpy(), 1)
    own, got = (exercise.draw(3)).sigmoid(), (exercise.draw(3)).sigmoid()
    expected = got - (slope * own.logit().double() + intercept).sigmoid().float()
    exercise.close(above_line(own, got, x, y), expected, atol=1e-4)

with exercise.check(
    "accuracies of exactly 0 and 1",
    points=1,
    hint="The logit of 0 or 1 is infinite: clamp to 0.001 … 0.999 first.",
):
    got = above_line(
        torch.tensor([1.0, 0.9]),
        torch.tensor([1.0, 0.9]),
        torch.tensor([0.5, 1.0]),
        torch.tensor([0.25, 1.0]),
    )
    exercise.finite(got)
    top = math.log(999)  # the logit of 0.999; the line goes through (0, −log 3) and (top, top)
    slope = (top + math.log(3)) / top
    expected = 1 / (1 + math.exp(math.log(3) - slope * math.log(9)))
    exercise.close(
        got,
        torch.tensor([0.001, 0.9 - expected]),
        atol=2e-3,
        why="whether the shifted accuracy is clamped too makes 0.001",
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Which of the four arguments decide where the line is, and which are only held against it?
</details>
<details><summary>Pseudo code</summary>

```text
clamp, logit of the references → least squares: slope and intercept → slope · logit(original) + intercept → sigmoid →
shifted minus that.
```
</details>
<details><summary>Help: the second check is off by a few hundredths</summary>

You fitted the line to accuracies, not to their logits.
</details>
"""

# %% [markdown]
"""
Our five shifts have the same labels and another look: pencil sketches, painted textures, other grounds and skies,
other viewpoints, noise. (Each has a dial; it is turned up in full.) The task: which of the four *shapes* is it? All
models name seen pairs only. Supervised models of differing quality set the expectation, others are judged:

- **supervised**: trained on the colour images with the label "shape", with different numbers of images;
- **supervised, some grey**: the same with all the images, a third of them in black and white, *as the towers had*.

The second one is the control that decides what we may conclude. If language made the difference, it would help to
have read captions. If the pictures made the difference, it helps to have seen them.

**Predict, then run.** For which of the shifts do you expect the towers above the line?
"""

# %% tags=["demo"]
shift_names = ("sketch", "texture", "background", "viewpoint", "noise")
judged = budget(400, grading=60)
plain_scenes = tests["seen"][0][:judged]
plain_shape = true_pair(plain_scenes) % len(SHAPES)
looks = {"original": tests["seen"][1][:judged]}
for i, name in enumerate(shift_names):
    looks[name] = world.shifted(
        plain_scenes, name, 1.0, size=32, generator=seeded(800 + i), camera=CAMERA
    ).views.image
viz.show(
    viz.strip(
        {name: images[:8] for name, images in looks.items()},
        title=f"The same eight scenes under {len(looks) - 1} shifts",
    ),
    alt="The same eight scenes as they are, and as sketches, with textures, before other grounds, from other viewpoints, with noise.",
)


def accuracy_on_looks(guess: Callable[[Tensor], Tensor]) -> dict[str, float]:
    """Share of shapes named right, for the original look and every shift."""
    with torch.no_grad():
        return {name: (guess(images) == plain_shape).float().mean().item() for name, images in looks.items()}


def some_grey(images: Tensor, seed: int) -> Tensor:
    """The images, GREY_SHARE of them in black and white."""
    grey = (torch.rand(len(images), generator=seeded(seed)) < GREY_SHARE)[:, None, None, None]
    return torch.where(grey, (images * LUMA).sum(1, keepdim=True), images)


families: dict[str, list[dict[str, float]]] = {"supervised": [], "supervised, some grey": []}
sizes = budget((100, 400, 1600), grading=(50, 100))
for seed, (scenes, images) in zip(seeds, training_sets, strict=True):
    shape = true_pair(scenes) % len(SHAPES)
    for family in families:
        shown = images if family == "supervised" else some_grey(images, seed)
        for size in sizes if family == "supervised" else sizes[-1:]:
            network = train_network(
                len(SHAPES),
                F.cross_entropy,
                shown[:size],
                shape[:size],
                seed=seed,
                steps=budget(min(150, 30 + size // 12), grading=3),
                label=f"{family}, {size} images, seed {seed}",
            )
            families[family].append(accuracy_on_looks(lambda x, net=network: net(x).argmax(1)))
families["two towers, zero-shot"] = [
    accuracy_on_looks(
        lambda x, model=model: (
            model.encode_image(x) @ zero_shot_classifier(model.encode_text, SHAPES, TEMPLATES).T
        ).argmax(1)
    )
    for model in towers
]


def column(family: str, look: str) -> Tensor:
    """One accuracy for each model of a family."""
    return torch.tensor([scores[look] for scores in families[family]])


largest = slice(len(sizes) - 1, None, len(sizes))  # of each seed the model with the most training images
print("accuracy of the shape (chance 0.25); mean over seeds; in brackets the effective robustness")
print(f"{'':12s}{'supervised':>14s}{'some grey':>22s}{'two towers':>22s}")
robustness = {}
for look in looks:
    cells = [f"{column('supervised', look)[largest].mean():14.2f}"]
    for family in ("supervised, some grey", "two towers, zero-shot"):
        value = torch.as_tensor(
            effective_robustness(
                column(family, "original"),
                column(family, look),
                column("supervised", "original"),
                column("supervised", look),
            )
        )
        robustness[family, look] = value
        cells.append(
            f"{column(family, look).mean():12.2f} ({value.mean():+.2f} ± {value.std() if len(value) > 1 else 0:.2f})"
        )
    print(f"{look:12s}" + "".join(f"{cell:>22s}" if i else cell for i, cell in enumerate(cells)))

# %% tags=["demo"]
grid = torch.linspace(-6.5, 6.5, 200).sigmoid()


def expected_under(look: str) -> Tensor:
    """The line that your function holds models against: what it subtracts from a shifted accuracy of 0."""
    references = column("supervised", "original"), column("supervised", look)
    return -torch.as_tensor(effective_robustness(grid, torch.zeros_like(grid), *references))


viz.show(
    viz.robustness_plot(
        {
            look: {
                "reference": (column("supervised", "original"), column("supervised", look)),
                "line": (grid, expected_under(look)),
                "models": {
                    family: (column(family, "original"), column(family, look))
                    for family in ("supervised, some grey", "two towers, zero-shot")
                },
            }
            for look in shift_names
        },
        title="Do two towers lose less under a shift than the reference models?",
    ),
    alt="Accuracy under each shift against the original accuracy, supervised models along a fitted line. Effective robustness of the towers: "
    + ", ".join(f"{look} {robustness['two towers, zero-shot', look].mean():+.2f}" for look in shift_names),
)

# %% [markdown]
"""
Read the table in two steps. First the brackets of the last column: that is what the deck's Δ measures, in miniature.
Not all of them are positive. Then compare them with the column before: models that have read *no word*, but have seen
grey pictures. Where the two agree within their spread, the gain comes from the pictures and not from the language.
(And where they do not, the towers still differ in more than language: they saw scenes of two objects.)

This is what Fang and others (2022) found for CLIP itself: train it on ImageNet's pictures with their captions, and
its robustness is gone; it was the web's variety of pictures. What a small model can show is the *measurement*, and
that variety seen in training is what carries over. What it cannot show is the size of the deck's effect: that one
needs training data in which sketches, renditions and odd viewpoints were all there, with names. No class of pictures
here was seen by the towers as a sketch, and the numbers tell.
"""


# %% [markdown]
"""
## 8. Real drawings, real names

Enough of our own world. Here are 1,914 emoji as OpenMoji drew them and as Unicode named them; nobody on this course
made a single one. And here are two real pretrained models that have never met each other: **EfficientNet-Lite0**,
which was trained to name the thousand classes of ImageNet (Tan and Le 2019), and **MiniLM**, which was trained to
tell whether two sentences mean the same (Reimers and Gurevych 2019). What they make of drawings and names ships with
the course, so nothing has to be fetched.

Do they agree about the world? To find out, keep both frozen and train only two *linear maps* into one space, with
your loss. If that is enough to find a held-out emoji by its name, most of the agreement was there before. (Zhai and
others 2022 do the same at scale: a locked image tower, and a text tower that is tuned to it.)

Held out can mean two things, and they are not equally hard: single emoji, while their close relatives are in the
training set (a cat with tears, when nine other cats are known), or **whole families**: all cats at once. Both are
below, and a shift: train on colour, search among *outlines*.

**Predict, then run.** Chance is one in about 330. How often is the right drawing the very first one?
"""

# %% tags=["demo"]
from mmdl_course.data.emoji import lookalikes, split
from mmdl_course.data.emoji_features import load_emoji_features

features = load_emoji_features()
print(features.card)


class LinearMaps(nn.Module):
    """Two linear maps into one space, and a temperature."""

    def __init__(self, image_width: int, text_width: int, *, width: int = 256):
        super().__init__()
        self.image = nn.Linear(image_width, width, bias=False)
        self.text = nn.Linear(text_width, width, bias=False)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(15.0)))


def standard(images: Tensor, train: Tensor) -> Tensor:
    """Each feature in units of its spread over the training emoji."""
    known = features.images[train]
    return (images - known.mean(0)) / (known.std(0) + 1e-3)


def learn_maps(train: Tensor, *, seed: int) -> LinearMaps:
    """Train the maps on some of the emoji, in colour. Dropping features at random keeps them from learning names by heart."""
    torch.manual_seed(seed)
    maps = LinearMaps(features.images.shape[1], features.texts.shape[1])
    image, text = standard(features.images[train], train), features.texts[train]
    fit(
        lambda i: clip_loss(
            maps.image(F.dropout(image[i], 0.5)), maps.text(F.dropout(text[i], 0.1)), maps.log_temperature
        ),
        maps.parameters(),
        count=len(train),
        steps=budget(200, grading=5),
        generator=seeded(seed),
        batch_size=budget(512, grading=64),
        learning_rate=1e-3,
        label=f"two linear maps, seed {seed}",
    )
    return maps.eval()


def regression(train: Tensor) -> tuple[Tensor, Tensor]:
    """Baseline: ridge regression from image features to text vectors, no contrast at all."""
    x, y = standard(features.images[train], train), features.texts[train]
    return torch.linalg.solve(x.T @ x + 1000 * torch.eye(x.shape[1]), x.T @ (y - y.mean(0))), y.mean(0)


recalls: dict[str, dict[str, list[float]]] = {}
best: dict[str, list[float]] = {}
for by, share in (("drawing", 0.174), ("subgroup", 0.174)):
    held = f"held out by {by}"
    recalls[held], best[held] = {}, []
    for seed in seeds:
        parts = split(emoji, by=by, test_share=share, generator=seeded(seed))
        maps = learn_maps(parts.train, seed=seed)
        if by == "drawing" and seed == 0:
            engine, engine_parts = maps, parts
        best[held].append(len(lookalikes(emoji.images[parts.test]).unique()) / len(parts.test))
        torch.manual_seed(seed)
        blank = LinearMaps(features.images.shape[1], features.texts.shape[1])
        weights, middle = regression(parts.train)
        own = torch.eye(len(parts.test), dtype=torch.bool)
        with torch.no_grad():
            text = features.texts[parts.test]
            colour, outline = (
                standard(drawings[parts.test], parts.train)
                for drawings in (features.images, features.outlines)
            )
            for name, query, item in (
                ("two linear maps", maps.text(text), maps.image(colour)),
                ("two linear maps, among outlines", maps.text(text), maps.image(outline)),
                ("maps untrained", blank.text(text), blank.image(colour)),
                ("ridge regression", text - middle, colour @ weights),
            ):
                recalls[held].setdefault(name, []).append(recall_at_k(query, item, own, k=1))
                recalls[held].setdefault(f"{name}, first 5", []).append(recall_at_k(query, item, own, k=5))
for held, rows in recalls.items():
    first = {name: value for name, value in rows.items() if not name.endswith("first 5")}
    board = {
        "unit": f"recall@1 of a name among {len(parts.test)}, {held}",
        "methods": "two linear maps",
        "chance": 1 / len(parts.test),
        "ceiling": float(np.mean(best[held])),
        "title": f"Emoji {held}: “{max(first, key=lambda name: np.mean(first[name]))}” finds more names than the others",
    }
    viz.show(
        viz.scoreboard(first, **board),
        alt=f"Recall at 1 of emoji {held}: "
        + ", ".join(f"{name} {np.mean(value):.3f}" for name, value in first.items()),
    )
    print(
        held,
        "; among the first five: ",
        ", ".join(
            f"{name.removesuffix(', first 5')} {np.mean(value):.2f}"
            for name, value in rows.items()
            if name.endswith("first 5")
        ),
        f"; {np.mean(rows['two linear maps']) * len(parts.test):.0f} times chance",
        sep="",
    )

# %% [markdown]
"""
Two models that never met, two matrices, a few seconds of training. Now look at the differences between the rows. The
ridge regression sees the same pairs and the same features and is asked for the *position* of a text; the contrastive
maps are asked only to be *nearer to it than to others*. See how close it comes: with good frozen features, a line
goes far. Whole families held out cost most of the score: what looked like understanding was largely knowing the
relatives. And outlines cost another part, although a person hardly needs the colour: EfficientNet has learned from
photographs, where colour and texture tell a lot (Geirhos and others 2019).

The ceiling is below 1 because some emoji look exactly alike; among outlines, where colours are gone, more of them do.

### A search engine in two matrices

Choose a question, or type your own if MiniLM has been fetched (`mmdl fetch minilm`). No question is the name of an
emoji. All emoji are searched, those of the training set too. Some answers are good, some are far off: collect a few
of each. What have they in common?
"""


# %% tags=["demo"]
def search(text: str) -> Tensor:
    """Similarity of every emoji with a text."""
    if text in features.queries:
        vector = features.query_texts[features.queries.index(text)][None]
    else:
        from mmdl_course.architectures.pretrained import load_minilm
        from mmdl_course.course import CourseError

        try:
            with torch.no_grad():
                vector = load_minilm().encode([text])
        except CourseError as error:
            raise ValueError(f"take a question from the list, or fetch the text model: {error}") from error
    with torch.no_grad():
        items = F.normalize(engine.image(standard(features.images, engine_parts.train)), dim=1)
        return (items @ F.normalize(engine.text(vector), dim=1).T)[:, 0]


asked_of_emoji = (
    "riding a bike",
    "it is raining outside",
    "an animal with a long neck",
    "the capital of France",
)
found_emoji = {query: search(query).topk(8).indices for query in asked_of_emoji}
viz.show(
    viz.strip(
        {query: emoji.images[which] for query, which in found_emoji.items()},
        title="Which emoji does a text find by their drawing alone?",
    ),
    alt="; ".join(
        f"{query}: {', '.join(emoji.names['en'][i] for i in which)}" for query, which in found_emoji.items()
    ),
)

# %% tags=["demo"]

explorers.rank_images(
    search, images=emoji.images, queries=features.queries, titles=emoji.names["en"], count=10
)


# %% [markdown]
"""
## 9. Beyond single images

A space in which images and sentences can be compared is a part for other machines (deck B, "Using CLIP in other
models"). Three of them, in miniature. They use the MiniCLIP that ships with the course, which was trained for longer
than a lesson lasts, on images of 64 × 64 pixels and captions of several styles; it stays frozen.

### Videos

A text encoder and an image encoder are there; a video encoder is not. The simplest idea that could work: a video is
the *mean* of its frames' vectors. CLIP4Clip (Luo and others 2022) tried many cleverer ones and found this hard to
beat when there is little video to train on.

Our videos: a camera swings around one or two objects, from −60° to 60°, in five frames. What stands in front of
something else in one frame is free in another.

**Predict, then run.** Will five frames be better than the best single one? And what happens to the vector of a video
that is played backwards?
"""

# %% tags=["demo"]
shipped = load_checkpoint("miniclip")
ANGLES = (-60.0, -30.0, 0.0, 30.0, 60.0)
VIDEOS = budget(100, grading=10)
watched_config = world.SceneConfig(objects=(1, 2))


def unit(z: Tensor) -> Tensor:
    """Vectors of length one."""
    return F.normalize(z, dim=-1)


def film(scenes: world.Scenes) -> Float[Tensor, "scene frame 3 height width"]:
    """What the camera sees as it swings around the scenes."""
    frames = [world.render(scenes, camera=world.Camera(azimuth=angle), size=64).image for angle in ANGLES]
    return torch.stack(frames, dim=1)


pooled: dict[str, list[list[float]]] = {
    name: [] for name in ("mean of five frames", "first frame (−60°)", "middle frame (0°)")
}
for seed in seeds:
    scenes = world.sample_scenes(VIDEOS, generator=seeded(1000 + seed), config=watched_config)
    texts = world.caption(scenes, generator=seeded(seed), detail=0.7)
    with torch.no_grad():
        words = shipped.encode_text(texts)
        frames = unit(shipped.encode_image(film(scenes).flatten(0, 1))).unflatten(0, (VIDEOS, len(ANGLES)))
    own = torch.eye(VIDEOS, dtype=torch.bool)
    for name, video in zip(pooled, (frames.mean(1), frames[:, 0], frames[:, 2]), strict=True):
        pooled[name].append([recall_at_k(words, video, own, k=k) for k in (1, 5)])
backwards = frames.flip(1).mean(1)
most = [
    ceilings.retrieval_estimate(
        generator=seeded(0),
        config=watched_config,
        detail=0.7,
        gallery=VIDEOS,
        at=k,
        galleries=budget(6, grading=2),
    ).ceiling
    for k in (1, 5)
]
for place, k in enumerate((1, 5)):
    board = {
        "unit": f"recall@{k}: the video of a caption, among {VIDEOS}",
        "methods": "mean of five frames",
        "chance": k / VIDEOS,
        "ceiling": most[place],
        "title": "Do five frames find more videos than one?",
    }
    rows = {name: [recalls[place] for recalls in each] for name, each in pooled.items()}
    viz.show(
        viz.scoreboard(rows, **board),
        alt=f"Recall at {k} of videos by their captions: "
        + ", ".join(f"{name} {np.mean(value):.2f}" for name, value in rows.items()),
    )
print(
    f"largest difference between a video's vector and that of the video backwards: {(frames.mean(1) - backwards).abs().max():.1e}"
)

# %% [markdown]
"""
Pooling needs nobody to know which frame is the good one. Whether it beats that frame is another question: the model
was trained on pictures from 0° only, and the side views show what that costs; they dilute the mean as much as they
add to it. What a mean can never tell is the *order*: "the camera goes to the left" and "to the right" have the same
vector. The same loss of order, once more, as in the swapped captions.

### Which patch?

Nobody ever told the model *where* a red sphere is; the captions say only that there is one. Still, before its image
encoder takes the largest value over the places, there is a vector for every patch (here 8 × 8 of them), in the same
space as the words. Compare each patch with a sentence, and you get a map. Is it a segmentation? GroupViT (Xu and
others 2022) asked this and had to change the encoder so that patches join into groups; we just look.

A patch belongs to the word if its similarity, minus that patch's mean over all candidate words, is above a threshold.
The threshold is set on other scenes.

**Predict, then run.** For which words will the map be sharper, for colours or for shapes?
"""

# %% tags=["demo"]
CANDIDATES = {"colour": tuple(world.COLOURS), "shape": world.SHAPES}
PHRASES = {"colour": "a {} object", "shape": "a {}"}


def evidence(images: Tensor, kind: str) -> Float[Tensor, "image word row column"]:
    """How much more each patch is like a word than like the average word."""
    with torch.no_grad():
        patches = unit(shipped.encode_patches(images))  # (image, row, column, embedding)
        words = unit(shipped.encode_text([world.prompt(PHRASES[kind], name) for name in CANDIDATES[kind]]))
    similarity = torch.einsum("irce,we->iwrc", patches, words)
    return similarity - similarity.mean(dim=1, keepdim=True)


def iou(
    a: Bool[Tensor, "image height width"], b: Bool[Tensor, "image height width"]
) -> Float[Tensor, " image"]:
    """Intersection over union."""
    return (a & b).sum((1, 2)) / (a | b).sum((1, 2)).clamp(min=1)


def enlarged(patches: Tensor) -> Tensor:
    """Patches at the size of the image."""
    return patches.repeat_interleave(8, dim=-1).repeat_interleave(8, dim=-2)


def single_out(count: int, *, seed: int, kind: str) -> tuple[Tensor, Tensor, Tensor]:
    """Images of two objects, the true mask of the first one, and its word; nothing else in the image has that word."""
    config = world.SceneConfig(objects=(2, 2), sizes=("large",))
    scenes = world.sample_scenes(3 * count, generator=seeded(seed), config=config)
    word = getattr(scenes, kind)
    scenes = scenes[(word[:, 0] != word[:, 1]).nonzero().flatten()[:count]]
    views = world.render(scenes, size=64)
    return views.image, views.instance == 0, getattr(scenes, kind)[:, 0]


segmented: dict[str, dict[str, list[float]]] = {kind: {} for kind in CANDIDATES}
for kind in CANDIDATES:
    for seed in seeds:
        images, masks, word = single_out(budget(150, grading=15), seed=1100 + seed, kind=kind)
        maps = evidence(images, kind)[torch.arange(len(images)), word]  # (image, row, column)
        tune = slice(None, len(images) // 3)
        thresholds = torch.quantile(maps[tune], torch.linspace(0.5, 0.99, 25))
        best = max(thresholds, key=lambda t: iou(enlarged(maps[tune] > t), masks[tune]).mean().item())
        rest = slice(len(images) // 3, None)
        maps, masks = maps[rest], masks[rest]
        cover = F.avg_pool2d(masks.float()[:, None], 8)[:, 0]  # part of each patch that the mask covers
        size = (cover > 0.5).sum((1, 2))
        anywhere = torch.rand(cover.shape, generator=seeded(seed)).flatten(1).argsort(1).argsort(1)
        middle = (torch.arange(8) - 3.5).abs()
        for name, found_patches in {
            "patches like the word": maps > best,
            "as many patches, anywhere": (anywhere < size[:, None]).unflatten(1, (8, 8)),
            "the middle 4 × 4": (torch.maximum(middle[:, None], middle) < 2).expand(len(maps), 8, 8),
            "the whole image": torch.ones_like(cover, dtype=torch.bool),
            "ceiling of the grid": cover > 0.5,
        }.items():
            segmented[kind].setdefault(name, []).append(iou(enlarged(found_patches), masks).mean().item())
for kind, rows in segmented.items():
    top = np.mean(rows.pop("ceiling of the grid"))
    viz.show(
        viz.scoreboard(
            rows,
            unit=f"mean intersection over union (IoU), words of {kind}",
            methods="patches like the word",
            ceiling=float(top),
            title=f"Words of {kind}: do the patches show where it is?",
        ),
        alt=f"Intersection over union for words of {kind}: "
        + ", ".join(f"{name} {np.mean(value):.2f}" for name, value in rows.items())
        + f"; the best that 8 × 8 patches allow {top:.2f}.",
    )

# %% tags=["demo"]
scenes = world.make_scenes(
    [
        {"position": (-0.9, 0.0), "shape": "sphere", "colour": "red"},
        {"position": (0.9, 0.0), "shape": "cube", "colour": "blue"},
    ],
    [
        {"position": (-0.9, 0.4), "shape": "cone", "colour": "yellow"},
        {"position": (0.8, -0.4), "shape": "torus", "colour": "red"},
    ],
    [
        {"position": (-0.8, -0.5), "shape": "cube", "colour": "green"},
        {"position": (0.9, 0.5), "shape": "sphere", "colour": "blue"},
    ],
)
views = world.render(scenes, size=64)
asked = (("colour", "red"), ("colour", "blue"), ("shape", "sphere"), ("shape", "cube"))
maps, true_masks = {}, {}
for kind, name in asked:
    number = CANDIDATES[kind].index(name)
    phrase = world.prompt(PHRASES[kind], name)
    maps[phrase] = evidence(views.image, kind)[:, number]
    has = getattr(scenes, kind) == number  # (scene, object)
    slot = views.instance.clamp(min=0)
    true_masks[phrase] = (views.instance >= 0) & has.gather(1, slot.flatten(1)).view_as(slot)
viz.show(
    viz.patch_maps(
        views.image,
        maps,
        masks=true_masks,
        unit="cosine similarity, relative to the other words",
        title="Where is what the phrase means?",
    ),
    alt="Three images of two objects, and for the phrases "
    + ", ".join(maps)
    + " the patches that are more like the phrase than like other words, with the outline of what is meant.",
)

# %% [markdown]
"""
The maps point at the right thing, though nobody asked for maps, and they are far from the grid's ceiling. A patch
sees its surroundings through convolutions, so its vector speaks of more than its own square; and the loss only ever
asked whether *some* patch answers. GroupViT gets sharper maps because its architecture forces patches to take sides.

### From a sentence to a picture

A text has a place in the space, and an image has one too. If we can decode the place of an image back into an image,
can we decode the place of a *text*? That is the plan of DALL-E 2 (Ramesh and others 2022): a **decoder** from CLIP's
image vectors to images, and a **prior** that turns a text vector into a likely image vector. Why is the prior needed?
Remember the gap: a text vector is not where image vectors are.

In miniature: the decoder is a small network from the image vector to the 128 numbers of the course's image
autoencoder, which draws 32 × 32 pixels. One large object stands in the middle of the field, so that a sentence can
say nearly all there is. The prior is a linear map from text vectors to image vectors, fitted by least squares. A
judge that knows nothing of CLIP, a network that was trained to name colour and shape on real renderings, looks at
what comes out.

**Predict, then run.** What will a text vector look like that is decoded without the prior?
"""

# %% tags=["demo"]
from dataclasses import replace

from mmdl_course.pipelines.pretraining import HELD_OUT as HELD_OUT_OF_MINICLIP

painter = load_checkpoint("autoencoder")
ALL_SHAPES = tuple(world.SHAPES)
many, judged_count = budget(2000, grading=100), budget(300, grading=30)


def scenes_to_draw(count: int, *, seed: int, in_the_middle: bool = True, **limits: object) -> world.Scenes:
    """Scenes of one large object, which stands in the middle or anywhere."""
    config = world.SceneConfig(objects=(1, 1), sizes=("large",), **limits)
    scenes = world.sample_scenes(count, generator=seeded(seed), config=config)
    return replace(scenes, position=0 * scenes.position) if in_the_middle else scenes


def both_sizes(scenes: world.Scenes) -> tuple[Tensor, Tensor]:
    """Images of 64 × 64 pixels for MiniCLIP, and of 32 × 32 for the autoencoder and the judge."""
    large = world.render(scenes, size=64).image
    return large, F.avg_pool2d(large, 2)


def say(scenes: world.Scenes) -> list[str]:
    """Colour and shape of the one object."""
    return [
        world.prompt("a photo of a {}", f"{COLOURS[colour]} {ALL_SHAPES[shape]}")
        for colour, shape in zip(scenes.colour[:, 0], scenes.shape[:, 0], strict=True)
    ]


learned_from = scenes_to_draw(many, seed=1200, held_out=HELD_OUT_OF_MINICLIP)
large, small = both_sizes(learned_from)
with torch.no_grad():
    z_image, z_text = unit(shipped.encode_image(large)), unit(shipped.encode_text(say(learned_from)))
    z_small = painter.encode(small)
mean, deviation = z_small.mean(0), z_small.std(0) + 1e-3
with_one = torch.cat([z_text, torch.ones(many, 1)], dim=1)
prior_map = torch.linalg.solve(with_one.T @ with_one + torch.eye(with_one.shape[1]), with_one.T @ z_image)
any_pair = scenes_to_draw(many, seed=1201)
judge_images = both_sizes(any_pair)[1]
judges = {
    name: train_network(
        outputs,
        F.cross_entropy,
        judge_images,
        getattr(any_pair, name)[:, 0],
        seed=0,
        steps=budget(150, grading=3),
        label=f"judge of {name}",
    )
    for name, outputs in (("colour", len(COLOURS)), ("shape", len(ALL_SHAPES)))
}


def train_decoder(z: Tensor, targets: Tensor, *, seed: int) -> nn.Module:
    """From image vectors to the autoencoder's numbers, by least squares."""
    torch.manual_seed(seed)
    decoder = mlp(z.shape[1], 256, 256, mean.numel())
    wanted = ((targets - mean) / deviation).flatten(1)
    fit(
        lambda i: F.mse_loss(decoder(z[i]), wanted[i]),
        decoder.parameters(),
        count=len(z),
        steps=budget(400, grading=5),
        generator=seeded(seed),
        label=f"decoder, seed {seed}",
    )
    return decoder


def draw_from(decoder: nn.Module, z: Tensor) -> Tensor:
    """Pictures from places in the shared space."""
    with torch.no_grad():
        return painter.decode(decoder(unit(z)).view(-1, *mean.shape) * deviation + mean).clamp(0, 1)


verdicts: dict[str, dict[str, list[float]]] = {name: {} for name in judges}
for seed in seeds:
    decoder = train_decoder(z_image, z_small, seed=seed)
    fresh = scenes_to_draw(judged_count, seed=1300 + seed, held_out=HELD_OUT_OF_MINICLIP)
    large, small = both_sizes(fresh)
    with torch.no_grad():
        text, image = unit(shipped.encode_text(say(fresh))), unit(shipped.encode_image(large))
        again = painter(small).clamp(0, 1)
    moved = torch.cat([text, torch.ones(len(text), 1)], dim=1) @ prior_map
    pictures = {
        "the image's own vector": draw_from(decoder, image),
        "the text's vector": draw_from(decoder, text),
        "the text's vector, moved by the prior": draw_from(decoder, moved),
        "ceiling: rendered": small,
        "ceiling: through the autoencoder": again,
    }
    for name, judge in judges.items():
        for source, drawn in pictures.items():
            with torch.no_grad():
                hit = (judge(drawn).argmax(1) == getattr(fresh, name)[:, 0]).float().mean().item()
            verdicts[name].setdefault(source, []).append(hit)
for name, rows in verdicts.items():
    viz.show(
        viz.scoreboard(
            rows,
            unit=f"share of pictures in which the judge sees the right {name}",
            title=f"Does the prior help to draw the right {name}?",
            methods="the text's vector, moved by the prior",
            chance=1 / (len(COLOURS) if name == "colour" else len(ALL_SHAPES)),
            ceiling=1.0,
        ),
        alt=f"Pictures in which the judge sees the right {name}: "
        + ", ".join(f"{source} {np.mean(value):.2f}" for source, value in rows.items()),
    )
phrases = ["red cube", "blue sphere", "yellow torus", "green cone"] + [
    " ".join(HELD_OUT_OF_MINICLIP[i]) for i in (0, 1, 2, 4)
]
with torch.no_grad():
    text = unit(shipped.encode_text([world.prompt("a photo of a {}", phrase) for phrase in phrases]))
moved = torch.cat([text, torch.ones(len(text), 1)], dim=1) @ prior_map
rows = {"without the prior": draw_from(decoder, text), "with the prior": draw_from(decoder, moved)}
large, small = both_sizes(scenes_to_draw(many, seed=1202, in_the_middle=False, held_out=HELD_OUT_OF_MINICLIP))
with torch.no_grad():
    z_anywhere, numbers_anywhere = unit(shipped.encode_image(large)), painter.encode(small)
mean, deviation = numbers_anywhere.mean(0), numbers_anywhere.std(0) + 1e-3
rows["objects anywhere"] = draw_from(train_decoder(z_anywhere, numbers_anywhere, seed=0), moved)
viz.show(
    viz.strip(
        rows, columns=phrases, title="Drawn from words; the right half names pairs that MiniCLIP never saw"
    ),
    alt="Pictures drawn from eight phrases, without and with the prior, and by a decoder that learned from objects "
    "anywhere, which draws smears: " + ", ".join(phrases) + ".",
)

# %% [markdown]
"""
A sentence became a picture, although no part of the machine was ever trained to draw from text. Now look at the last
row, where the objects of the training set stood anywhere: a sentence does not say where, so there are many right
pictures, and least squares draws their mean (A65: generative tasks have no unique solution). DALL-E 2 has a diffusion
model in the place of our prior and another in the place of our decoder, which *sample* one of the pictures instead of
averaging all of them. Weeks 07 and 08 come back to this.
"""


# %% [markdown]
"""
## 10. Which would you use, and why?

{{exercise:which_supervision}}

For each situation choose one way to get a classifier and the reason that decides. Some ways and reasons fit no
situation, and nothing says that each fits only once.

- **bottling**: a camera above a conveyor belt sees bottles with one of 12 defects. The defects and the camera have
  been the same for years, and there are 60,000 labelled pictures of them.
- **ringing**: ornithologists have a book that gives crown, beak, wing bar and belly for each of 900 species. They
  have pictures of 300 of these species. A picture of any of the 900 must be named, and the station must be able to
  say *which marks* led to the name.
- **flea market**: sellers upload photographs of anything, under headings of their own. The list of categories is
  edited by people every week. Nobody labels pictures.
- **herbarium**: a model like CLIP has seen plenty of plants; its vectors tell them apart well. A museum has 12
  labelled pictures of each of its 40 drawers, which have numbers, not names.

Ways: `"supervised"` (train a network from its labels), `"attributes"`, `"zero-shot"` (a contrastive model with label
texts), `"linear probe"` (on the vectors of a contrastive model), `"larger model"`.

Reasons: `"fixed and many"`: the classes never change, and there are many labelled examples. `"signature"`: classes
are described by attributes that people can check. `"text"`: a class is whatever a text says, and texts are all there
is. `"few labels"`: the vectors are good, the classes have no telling names, and a few labels place a boundary. `"more
parameters"`: it can represent more functions. `"robust"`: zero-shot models are more robust.

**The trap:** the newest method is not an argument. What is *given* in the situation, and what must be said in the
end?
"""


# %% nbgrader={"grade": false, "grade_id": "which_supervision", "locked": false, "schema_version": 3, "solution": true, "task": false}
def which_supervision() -> dict[str, tuple[str, str]]:
    """For each situation the way and the reason: {"bottling": (way, reason), …}."""
    ### BEGIN SOLUTION
    return {
        "bottling": ("supervised", "fixed and many"),
        "ringing": ("attributes", "signature"),
        "flea market": ("zero-shot", "text"),
        "herbarium": ("linear probe", "few labels"),
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "which_supervision-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("which_supervision", points=4)
answers_of = exercise.student()

CASES = ("bottling", "ringing", "flea market", "herbarium")
WAYS = {
    "supervised": "A network trained from labels can say its labels and nothing else. Are the classes fixed, and are there enough examples?",
    "attributes": "Attributes need somebody who wrote the signatures down. Did somebody, and does anybody ask for them?",
    "zero-shot": "A zero-shot classifier needs texts that tell the classes apart. Are there such texts, and is there nothing better?",
    "linear probe": "A linear probe needs good vectors and a few labels for every class. Are both given?",
    "larger model": "A larger model is not a kind of supervision. What does it learn from?",
}
WHY = {
    "fixed and many": "Do the classes stay the same, and are there many labelled examples?",
    "signature": "Has somebody written down attributes, and must the answer be explained by them?",
    "text": "Is text what tells the classes?",
    "few labels": "Is it a few labels in a good space that decide?",
    "more parameters": "Being able to represent more functions is not a use. What is given?",
    "robust": "Does the situation speak of pictures that look different from those of the training?",
}

with exercise.check(
    "every situation has a way and a reason from the lists",
    points=0,
    hint='Return {"bottling": ("way", "reason"), …} with all four situations. Which answers are right is decided at grading.',
):
    exercise.choices(answers_of(), CASES, options=WAYS, reasons=WHY)

### BEGIN HIDDEN TESTS
with exercise.check(
    "bottling: twelve defects, 60,000 pictures",
    points=1,
    hint="Nothing new will ever come up, and labels abound. What is the simplest thing that uses them?",
):
    exercise.choice(
        answers_of()["bottling"], options=WAYS, reasons=WHY, correct=("supervised", "fixed and many")
    )

with exercise.check(
    "ringing: 600 species without a picture, and marks that must be named",
    points=1,
    hint="What is known of a species of which there is no picture, and in which form?",
):
    exercise.choice(answers_of()["ringing"], options=WAYS, reasons=WHY, correct=("attributes", "signature"))

with exercise.check(
    "flea market: headings, and categories that change every week",
    points=1,
    hint="A class is new on Monday, and nobody labels. What is there on Monday?",
):
    exercise.choice(answers_of()["flea market"], options=WAYS, reasons=WHY, correct=("zero-shot", "text"))

with exercise.check(
    "herbarium: drawers with numbers",
    points=1,
    hint="What would you write into the template for drawer 17?",
):
    exercise.choice(
        answers_of()["herbarium"], options=WAYS, reasons=WHY, correct=("linear probe", "few labels")
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Make a table: for each situation, what is there of labels, of attributes, of texts, of vectors? Only one way uses just
what is there.
</details>
<details><summary>How to write it down</summary>

`return {"bottling": ("way", "reason"), "ringing": (…), "flea market": (…), "herbarium": (…)}`
</details>
<details><summary>Help: "is not a choice on the list"</summary>

Use the short names in quotation marks, as they are written in the lists above.
</details>

## An exam question

*A start-up fine-tunes CLIP on its 5,000 labelled product photographs, with a linear layer on top. Accuracy on its
test photographs rises from 81 to 94 %. In the week after, customers upload sketches and screenshots, and the old
zero-shot classifier would have done better on them. Name the quantity that the start-up should have measured, say
what data it needs for that, and why the number 94 could not show it.* Take five minutes and write three sentences.

<details><summary>What we would answer</summary>

The effective robustness: the accuracy under shift, minus what models of the same original accuracy have under shift.
It needs labelled sketches and screenshots (no training, only a test set for each look), and several reference models
of differing original accuracy, for the line. The 94 % are measured on photographs like those of the training, and
fine-tuning buys accuracy there with directions of z that it no longer needs there; a test set without sketches cannot
see what was lost. (Deck B, "Limitations of CLIP": fine-tuning can actually decrease performance; week 11 measures
it.)
</details>

## What to take home

- A class as a number can never be extended. A class as a *place in a space*, found through attributes or through its
  name, can.
- The contrastive loss is two classification problems over one matrix of similarities; everything else in a batch is a
  wrong answer, also what is true.
- A zero-shot classifier is a matrix of sentence vectors: normalise, average, normalise again.
- Scores need a chance level, a ceiling and an honest treatment of ties, of several right answers, of the expected
  fall under shift.
- What a batch never asks for is not learned: who has which colour, who is left of whom. And two clouds that are never
  compared with themselves need not lie in the same place.
- The variety of pictures and words in the training data is what carries over, in the small as in the large.

## Further reading

- Lampert, Nickisch, Harmeling (2009): Learning to detect unseen object classes by between-class attribute transfer.
- Radford and others (2021): Learning transferable visual models from natural language supervision. arXiv 2103.00020.
- Yang and others (2022): Unified contrastive learning in image-text-label space. arXiv 2204.03610.
- Taori and others (2020): Measuring robustness to natural distribution shifts in image classification. arXiv
  2007.00644.
- Fang and others (2022): Data determines distributional robustness in contrastive language image pre-training (CLIP).
  arXiv 2205.01397.
- Liang and others (2022): Mind the gap: understanding the modality gap in multi-modal contrastive representation
  learning. arXiv 2203.02053.
- Yuksekgonul and others (2023): When and why vision-language models behave like bags-of-words, and what to do about
  it? arXiv 2210.01936.
- Luo and others (2022), CLIP4Clip; Xu and others (2022), GroupViT; Ramesh and others (2022), Hierarchical
  text-conditional image generation with CLIP latents.
"""
