# %% [markdown]
"""
{{week}}

**Where we are.** x → encoder → z → decoder → y. In week 09 two encoders, one for images and one for texts, came to
share one space of z, and a classifier was made of nothing but the *names* of its classes, filled into a sentence.
That sentence was ours. This week the encoders stay as they are, every number of them; all we may change is the
sentence. First by hand, then by averaging, then by gradient descent. And then we ask what the gradient wrote.

Work from top to bottom. An exercise cell holds `raise NotImplementedError`; replace that line, run the cell, then run
the check below it. A failed check tells you what it called, what came back and what it expected. Some points are
decided at grading, by checks that you do not see and that draw fresh data. What trains here are a few hundred to a few thousand numbers; the whole notebook takes seven or eight minutes,
its longest cell about two.
"""

# %%
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from mmdl_course import viz
from mmdl_course.architectures import load_checkpoint
from mmdl_course.architectures.miniclip import MiniCLIP
from mmdl_course.architectures.tokenizer import END
from mmdl_course.checks import Exercise
from mmdl_course.data import world
from mmdl_course.training import budget, fit
from mmdl_course.viz import explorers

torch.set_num_threads(1)  # models this small gain nothing from more, and lose much on a busy machine


def seeded(seed: int) -> torch.Generator:
    """A source of randomness of its own: the same seed gives the same figure on every machine."""
    return torch.Generator().manual_seed(seed)


viz.show(
    viz.flow(highlight="encoder"),
    alt="The flow of a model: x, encoder f, z, decoder g, y. The encoder is highlighted: it stays as it is, and only "
    "what the text encoder reads will change.",
)

# %% [markdown]
"""
## 1. The same pictures, other words

"a photo of a {}", "a bad photo of a {}", "itap of the {}", "a {} in a video game": CLIP's authors wrote eighty such
templates by hand (deck B, "Prompt engineering"). They had a reason. On the deck's next slide, one article moves the
accuracy on Caltech101 by more than five points, and the word "satellite" moves it on EuroSAT by thirteen.

Let us see whether our own small CLIP is as touchy. `miniclip` is the checkpoint that ships with the course: trained
on rendered scenes of one to three objects and on captions of them, in a handful of styles. We freeze it, and give it
three tasks. Each asks which of 48 pairs of colour and shape is in the picture:

- **objects**: pictures as in its training (but for eight pairs such as "red sphere", which it has never seen
together). The easy case, like Caltech101 for CLIP.
- **textures**: the same objects, painted with patterns it has never met (the deck's DTD asks for textures).
- **from above**: small things, seen by a drone. Its training camera stood lower and nearer, and no caption ever said
  "from above". This is our EuroSAT: a domain far from the captions.

A fourth task, on real drawings and with a real text model, joins them below.
"""

# %%
model = load_checkpoint("miniclip").requires_grad_(False)
SHAPES, COLOURS = world.SHAPES, tuple(world.COLOURS)
PAIRS = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
seeds = range(budget(3, grading=1))


def unit(vectors: Float[Tensor, "*any dim"]) -> Float[Tensor, "*any dim"]:
    """The same directions, with length one: the product of two is their cosine."""
    return F.normalize(vectors, dim=-1)


@dataclass(frozen=True)
class Task:
    """Image vectors and their classes: a pool that labelled examples are drawn from, and a test set."""

    title: str
    classes: list[str]
    pool: Float[Tensor, "image embedding"]
    pool_class: Int64[Tensor, " image"]
    test: Float[Tensor, "image embedding"]
    test_class: Int64[Tensor, " image"]
    examples: Float[Tensor, "image 3 height width"]


def draw(count: int, *, seed: int, size: str, look: Callable) -> tuple[Tensor, Tensor, Tensor]:
    """Image vectors of fresh scenes with one object, its place in PAIRS, and the first pictures."""
    config = world.SceneConfig(objects=(1, 1), sizes=("small", "large") if size == "any" else (size,))
    scenes = world.sample_scenes(count, generator=seeded(seed), config=config)
    z, pictures = [], []
    for start in range(0, count, 500):
        images = look(scenes[start : start + 500], seeded(seed + start))
        z.append(unit(model.encode_image(images)))
        pictures.append(images[:6])
    return torch.cat(z), scenes.colour[:, 0] * len(SHAPES) + scenes.shape[:, 0], torch.cat(pictures)[:6]


def make_task(title: str, *, seed: int, size: str, look: Callable) -> Task:
    """Draw the pool and the test set of a task."""
    pool, pool_class, examples = draw(budget(2400, grading=300), seed=seed, size=size, look=look)
    test, test_class, _ = draw(budget(2000, grading=150), seed=seed + 50_000, size=size, look=look)
    return Task(title, PAIRS, pool, pool_class, test, test_class, examples)


DRONE = world.Camera(elevation=60.0, distance=10.0)
tasks = {
    "objects": make_task(
        "objects", seed=1, size="any", look=lambda scenes, _: world.render(scenes, size=64).image
    ),
    "textures": make_task(
        "textures",
        seed=2,
        size="any",
        look=lambda scenes, generator: (
            world.shifted(scenes, "texture", 1.0, size=64, generator=generator).views.image
        ),
    ),
    "from above": make_task(
        "from above",
        seed=3,
        size="small",
        look=lambda scenes, _: world.render(scenes, camera=DRONE, size=64).image,
    ),
}
viz.show(
    viz.strip(
        {name: task.examples for name, task in tasks.items()},
        title=f"{len(tasks)} tasks, and what their pictures look like",
    ),
    alt="Six pictures of each task. Objects: one object on grey ground. Textures: the same kind of scene, each object "
    "painted with a pattern. From above: small objects seen from high up and farther away.",
)

# %% [markdown]
"""
A classifier from words, as in week 09: fill the template with every class's name, embed, normalise; the class whose
vector has the largest cosine with the image wins. All templates are judged on the *same* test pictures, so their
difference is much surer than either number: what counts is only the pictures on which they disagree. We give every
difference with its standard error, computed picture by picture ("paired").

**Predict, then run.** Three prompts for each task. For which task do you expect the wording to matter most? And will
"a photo of a small {}" help where all things are small?
"""


# %%
def class_vectors(template: str, classes: Sequence[str] = PAIRS) -> Float[Tensor, "class_ embedding"]:
    """The unit vector of each class's sentence."""
    return unit(model.encode_text([world.prompt(template, name) for name in classes]))


def is_right(task: Task, weights: Float[Tensor, "class_ embedding"]) -> Float[Tensor, " image"]:
    """1 for each test picture that is named rightly, else 0."""
    return ((task.test @ weights.T).argmax(dim=1) == task.test_class).float()


def accuracy(task: Task, weights: Float[Tensor, "class_ embedding"]) -> float:
    """Share of the test pictures that are named rightly."""
    return is_right(task, weights).mean().item()


def difference(first: Float[Tensor, " image"], second: Float[Tensor, " image"]) -> str:
    """How many points the second is better, with the paired standard error."""
    change = 100 * (second - first)
    return f"{change.mean():+.1f} ± {change.std() / len(change) ** 0.5:.1f}"


HAND = {
    "objects": ("a {}", "a photo of {}", "a photo of a {}"),
    "textures": ("a photo of a {}", "a toy {}", "a rendering of a {}"),
    "from above": ("a photo of a {}", "a photo of a small {}", "a photo of {}"),
}
for name, templates in HAND.items():
    first = is_right(tasks[name], class_vectors(templates[0]))
    print(f"{name} (chance {1 / len(PAIRS):.3f})")
    for template in templates:
        right = is_right(tasks[name], class_vectors(template))
        print(
            f"   {template:24s}{right.mean():.3f}",
            "" if template == templates[0] else f"  {difference(first, right)} points",
        )

# %% [markdown]
"""
Where the pictures are those of the training, our model hardly hears the difference: its captions came with and
without "a photo of a", so it has learned that these words say nothing. From above the same words are no longer idle; on textures they still are. From above, leaving out one "a" behind "of" (which no caption of one thing ever did) is worth four points, of the size that the deck
reports. Notice what it is *not*: the English did not get better.

What is it, then? Try your own, and look at the map, which shows *which* classes changed against the first prompt of the
list. Look at its columns. (Words that no caption had are all the same unknown word to this small model.)
"""


# %%
def named_by(template: str) -> Int64[Tensor, " image"]:
    """The class that each picture from above gets."""
    if template.count("{}") != 1:
        raise ValueError(
            "A template has one {} where the name of the class goes, such as: a photo of a small {}"
        )
    return (tasks["from above"].test @ class_vectors(template).T).argmax(dim=1)


explorers.try_prompt(
    named_by,
    truth=tasks["from above"].test_class,
    classes=PAIRS,
    prompts=[
        "a photo of a {}",
        "a photo of {}",
        "a photo of a small {}",
        "a small toy {} on the ground",
        "a drawing of a {}",
        "not a {}",
        "i see three {}",
    ],
    grid=(COLOURS, SHAPES),
)

# %% [markdown]
"""
## 2. Ask in several ways, and average

One way out is not to choose. Ask with several templates and combine (deck B: CLIP uses all eighty). The cheap way to
combine is *in the space of z*: average the vectors of a class once, and you have a classifier that costs no more than
a single prompt. It may help to let some templates count more than others, say those that do better on a few labelled
pictures; so each template t gets a weight w_t ≥ 0:

W_c = normalise( Σ_t w_t · normalise(v_tc) )

{{exercise:template_ensemble}}

Write `template_ensemble`. It gets the vectors v as they leave the text encoder, of any length, and the weights. Only
the ratios of the weights matter.

**The trap:** whoever averages the *logits* of the templates, or forgets the last normalisation, which comes to the
same, punishes a class for the disagreement of its templates: a mean of unit vectors that point in different
directions is short. And whoever forgets the first normalisation lets the longest vector speak for all.
"""


# %% nbgrader={"grade": false, "grade_id": "template_ensemble", "locked": false, "schema_version": 3, "solution": true, "task": false}
def template_ensemble(
    vectors: Float[Tensor, "template class_ embedding"], weights: Float[Tensor, " template"]
) -> Float[Tensor, "class_ embedding"]:
    """One classifier from several templates, averaged in the space of z.

    Args:
        vectors: what the text encoder makes of each template filled with each class; of any length.
        weights: how much each template counts, 0 or more, not all 0; only their ratios matter.

    Returns:
        One unit vector for each class.

    Source: Radford et al. 2021, section 3.1.4; deck B, "Prompt engineering".
    """
    ### BEGIN SOLUTION
    each = F.normalize(vectors, dim=-1)
    return F.normalize((weights[:, None, None] * each).sum(dim=0), dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "template_ensemble-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("template_ensemble", points=4)
ensemble = exercise.student()

with exercise.check(
    "two templates, by hand: each has its say, however long its vectors",
    points=1,
    hint="Normalise each vector over its last axis, before anything is averaged. (100, 0) and (0, 1) lie half-way at (0.71, 0.71).",
):
    got = ensemble(torch.tensor([[[100.0, 0.0]], [[0.0, 1.0]]]), torch.tensor([1.0, 1.0]))
    exercise.close(F.normalize(torch.as_tensor(got), dim=-1), torch.full((1, 2), 0.5**0.5), atol=1e-5)

with exercise.check(
    "every class has length one, also one whose templates disagree",
    points=1,
    hint="The mean of vectors that disagree is short, and averaging logits keeps it short: normalise once more, each class over "
    "its own numbers.",
):
    vectors = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    got = ensemble(vectors, torch.tensor([1.0, 1.0]))
    exercise.shape(got, (2, 3))
    exercise.close(torch.as_tensor(got).norm(dim=1), torch.ones(2), atol=1e-5)

### BEGIN HIDDEN TESTS
with exercise.check(
    "weights count as told, and only their ratios",
    points=1,
    hint="A template of weight 0 has no say, not even in the lengths of the others, and one of weight 3 counts as much as three copies "
    "with weight 1. No softmax: the weights are what they are.",
):
    got = ensemble(torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]), torch.tensor([3.0, 1.0]))
    exercise.close(F.normalize(torch.as_tensor(got), dim=-1), torch.tensor([[0.9**0.5, 0.1**0.5]]), atol=1e-5)
    vectors = exercise.draw(4, 5, 6)
    three = ensemble(torch.cat([vectors[:1].expand(3, -1, -1), vectors[1:2]]), torch.ones(4))
    exercise.close(ensemble(vectors, torch.tensor([3.0, 1.0, 0.0, 0.0])), three, atol=1e-5)
    exercise.close(ensemble(vectors, torch.tensor([30.0, 10.0, 0.0, 0.0])), three, atol=1e-5)

with exercise.check(
    "fresh vectors, against a slow computation of another kind",
    points=1,
    hint="Sum over the templates, not over the classes. Each step has a normalisation over the embedding, before and after.",
):
    vectors, weights = (
        10 ** exercise.draw(3, 4, 1) * exercise.draw(3, 4, 5),
        exercise.draw(3).abs() + 0.1,
    )
    expected = torch.zeros(4, 5)
    for row in range(4):
        for template in range(3):
            v = vectors[template, row]
            expected[row] += weights[template] * v / (v @ v) ** 0.5
        expected[row] /= (expected[row] @ expected[row]) ** 0.5
    exercise.close(ensemble(vectors, weights), expected, atol=1e-4)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Three axes: template, class, embedding. Lengths live on the last one, the average runs over the first. Which shape
must the weights have to multiply the vectors?
</details>
<details><summary>Pseudo code</summary>

```text
each ← vectors / their lengths (last axis)
total ← sum over templates of weight · each
return total / its lengths (last axis)
```
</details>
<details><summary>Help: the size of tensor a must match the size of tensor b</summary>

`weights` has shape (template,), and broadcasting lines up the *last* axes. Make it (template, 1, 1) with
`weights[:, None, None]`, or use `torch.einsum("t,tce->ce", weights, each)`.
</details>

Does it help? We take all templates that the course knows, ask the model with each, and combine: all of them equally;
those that captions are worded like (the first seven); and all, each weighted by its accuracy on four labelled
pictures of each class, to the power of 20, so that poor ones drop out.
"""


# %%
def few_shots(task: Task, shots: int, *, seed: int) -> Int64[Tensor, " image"]:
    """Places in the pool of `shots` examples of each class, drawn by the seed. More shots hold the fewer ones."""
    generator = seeded(10_000 + seed)
    chosen = []
    for number in range(len(task.classes)):
        of_class = (task.pool_class == number).nonzero()[:, 0]
        chosen.append(of_class[torch.randperm(len(of_class), generator=generator)][:shots])
    return torch.cat(chosen)


# %% tags=["demo"]
TEMPLATES = list(world.TEMPLATES)
everything = torch.stack(
    [model.encode_text([world.prompt(template, pair) for pair in PAIRS]) for template in TEMPLATES]
)
averaged: dict[str, Float[Tensor, "class_ embedding"]] = {}
for name, task in tasks.items():
    labelled = few_shots(task, 4, seed=0)
    scores = torch.tensor(
        [
            ((task.pool[labelled] @ unit(v).T).argmax(1) == task.pool_class[labelled]).float().mean()
            for v in everything
        ]
    )
    usual = torch.tensor([1.0 if i < 7 else 0.0 for i in range(len(TEMPLATES))])
    single = [is_right(task, unit(v)) for v in everything]
    values = [right.mean().item() for right in single]
    weighted = (scores / scores.max()) ** 20
    answers = {
        "all, equally": template_ensemble(everything, torch.ones(len(TEMPLATES))),
        "the first seven": template_ensemble(everything, usual),
        "weighted by 4 shots": template_ensemble(everything, weighted),
    }
    reference = single[TEMPLATES.index("a photo of a {}")]
    best = int(scores.argmax())
    print(
        f"{name}: {len(TEMPLATES)} templates alone {min(values):.3f} … {max(values):.3f}, median {np.median(values):.3f}, "
        f'"a photo of a {{}}" {reference.mean():.3f}'
    )
    for kind, weights in answers.items():
        right = is_right(task, weights)
        print(f"   {kind:22s}{right.mean():.3f}  {difference(reference, right)}")
    print(
        f'   best on 4 shots: "{TEMPLATES[best]}" {values[best]:.3f}  {difference(reference, single[best])}'
    )
    averaged[name] = answers["all, equally"]
ensembles = averaged
# %% [markdown]
"""
Asking in several ways is an insurance rather than a gain: the ensemble lands at about the median template, on textures near the best one,
far from the worst, and nobody had to know beforehand that "a grey photo of a {}" is a poor idea here. With CLIP's
eighty templates the authors report 3.5 points on ImageNet over the single default prompt; we do not see that, with or
without weights. Our templates are few, and a small model reads most of them in the same way. Picking the best on four labelled pictures of each class found a good one from above and on objects, and a
middling one on textures. That is one draw of the pictures; with another seed it may be another template.

## 3. Let the gradient choose

A template is a few words, a word is a vector, and vectors can be learned. That is the whole idea of *context
optimisation*, CoOp (Zhou et al. 2022; deck B, "Can we learn to prompt instead?"): put M free vectors in front of the
class's name,

[V]₁ [V]₂ … [V]_M [CLASS]

send them through the frozen text encoder, compare with the image's vector as always, and follow the gradient of the
cross-entropy on a few labelled pictures, all the way back *through* the text encoder into [V]₁ … [V]_M.

First the reading. Our text encoder works in two steps. `model.tokenizer.encode(texts)` gives numbers of tokens: a start
token, one for each word, an end token, and filling after that, so that all rows are equally long. `END` (imported above) is the number of the end token, so `tokens == END` marks its
place. `model.text.words(tokens)` gives a vector for each token. Then `model.encode_words(vectors, end)` adds the positions, runs the transformer, and reads the
result off at the position `end` of each text's end token, which alone has seen the whole text:

| position | 0 | 1 | 2 | 3 | 4 | 5 |
|---|---|---|---|---|---|---|
| "red cube" | ⟨start⟩ | red | cube | **⟨end⟩** | | |
| "orange" | ⟨start⟩ | orange | **⟨end⟩** | ⟨pad⟩ | | |
| M = 2, "red cube" | ⟨start⟩ | [V]₁ | [V]₂ | red | cube | **⟨end⟩** |

{{exercise:read_with_context}}

Write `read_with_context`: for every text, its own context between the start token and the words of its label.

**The trap:** the context is *inserted*, not written over anything: every word of the label stays, and the start token
stays in front. And when the words move, the end token moves with them.
"""


# %% nbgrader={"grade": false, "grade_id": "read_with_context", "locked": false, "schema_version": 3, "solution": true, "task": false}
def read_with_context(
    model: MiniCLIP, contexts: Float[Tensor, "text length dim"], labels: Sequence[str]
) -> Float[Tensor, "text embedding"]:
    """What the text encoder makes of ⟨start⟩ [V]₁ … [V]_M label ⟨end⟩.

    Args:
        model: its tokenizer, its word vectors `model.text.words` and its `encode_words` are used.
        contexts: the M vectors of each text; M may be 0.
        labels: one for each text, of one word or several.

    Returns:
        Where the texts lie in the shared space, as `model.encode_words` gives it: not normalised.

    Source: Zhou et al. 2022, "Learning to prompt for vision-language models", section 3.2; deck B, "Can we learn to
        prompt instead?".
    """
    ### BEGIN SOLUTION
    tokens = model.tokenizer.encode(labels)
    words = model.text.words(tokens)  # (text, position, dim)
    end = (tokens == END).int().argmax(dim=1)
    words = torch.cat([words[:, :1], contexts, words[:, 1:]], dim=1)  # (text, length + position, dim)
    return model.encode_words(words, end + contexts.shape[1])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "read_with_context-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("read_with_context", points=4)
read = exercise.student()


def words_as_context(words, count, model=model):
    """The vectors of some words, once for each of `count` texts."""
    tokens = model.tokenizer.encode([words])[0, 1:-1]
    return model.text.words(tokens).detach().expand(count, -1, -1)


with exercise.check(
    'with the vectors of "a photo of a" it reads "a photo of a red cube"',
    points=1,
    hint="Insert the context after the start token (row 0 of the words) and before the label: no word is lost, and rows get M places "
    "longer. The end token has moved M places to the right. encode_words adds the positions itself, and its result is wanted as it "
    "is, not normalised.",
):
    exercise.close(
        read(model, words_as_context("a photo of a", 2), ["red cube", "blue cone"]),
        model.encode_text(["a photo of a red cube", "a photo of a blue cone"]).detach(),
        atol=1e-4,
    )

with exercise.check(
    "labels of one, two and three words side by side",
    points=1,
    hint="Shorter labels are filled up after their end token. Find each text's own end: (tokens == END).int().argmax(dim=1), plus M.",
):
    labels = ["cube", "red cube", "small red cube"]
    exercise.close(
        read(model, words_as_context("there is a", 3), labels),
        model.encode_text([f"there is a {label}" for label in labels]).detach(),
        atol=1e-4,
    )

with exercise.check(
    "an empty context changes nothing",
    points=1,
    hint="With M = 0 the text is the bare label between start and end.",
):
    labels = ["white torus", "ball"]
    exercise.close(read(model, torch.zeros(2, 0, 64), labels), model.encode_text(labels).detach(), atol=1e-4)

### BEGIN HIDDEN TESTS
with exercise.check(
    "every text has its own context, gradients reach all of it, and fresh words come out right",
    points=1,
    hint="Row i of the contexts belongs to label i. Do not detach and do not work under no_grad: the context is to be learned.",
):
    openings, labels = (
        ["i see a", "the large shiny", "two of three"],
        ["cone", "purple wedge", "matte green ring"],
    )
    rows = torch.stack([words_as_context(opening, 1)[0] for opening in openings]).clone().requires_grad_()
    got = torch.as_tensor(read(model, rows, labels))
    exercise.close(
        got.detach(),
        model.encode_text([f"{o} {w}" for o, w in zip(openings, labels, strict=True)]).detach(),
        atol=1e-4,
    )
    exercise.true(got.requires_grad, "no gradient can reach the contexts")
    (gradient,) = torch.autograd.grad(got.sum(), rows)
    exercise.true(
        bool((gradient.abs().sum(dim=2) > 0).all()), "some of the context vectors get no gradient at all"
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Take the row of word vectors apart into the first place and the rest, and put the context between.
</details>
<details><summary>Pseudo code</summary>

```text
tokens ← encode(labels)
words ← vectors of the tokens
end ← place of END in each row
words ← first column, then contexts, then the other columns
return encode_words(words, end + M)
```
</details>
<details><summary>Help: Sizes of tensors must match except in dimension 1</summary>

You concatenate (text, position, dim) with something of another number of texts or axes. There is one context for each
text; with `words[:, :1]` (not `words[:, 0]`) the axis of positions stays.
</details>

The first check is worth a second look: **every hand-written prompt is a point in the space of contexts.** Whatever
you could have written with M words, the gradient could find, and it may also find what lies between the words.

One context for all classes is enough; it says what *kind of picture* this is. Then the same context works for a class
that comes later. (Zhou et al. also try one context for each class; it needs more labels, and has nothing to say about
a new class.)

{{exercise:coop}}

Complete `CoOp`. `self.context` is an `nn.Parameter` of shape (length, dim), with small random numbers at the start: `torch.randn`
times 0.02, drawn with `generator`; `model.text.words.weight.shape[1]` is dim. Logits are cosines times the model's own scale,
`model.log_scale.exp()`. Use your `read_with_context`.

**The trap:** what is trained is the context, *nothing else*: a CoOp that also moves the encoder is a fine-tuned model,
not a prompt (week 11 does that, on purpose). So freeze the model. And the class vectors change with every step of
training: compute them afresh, do not keep those of the start.
"""


# %% nbgrader={"grade": false, "grade_id": "coop", "locked": false, "schema_version": 3, "solution": true, "task": false}
class CoOp(nn.Module):
    """A learned context that all classes share.

    Args:
        model: the pretrained encoders; they are frozen.
        length: M, how many context vectors.
        generator: draws the first numbers of the context.

    Source: Zhou et al. 2022, equation 3; deck B, "Learning to prompt for vision-language models".
    """

    def __init__(self, model: MiniCLIP, length: int, *, generator: torch.Generator):
        super().__init__()
        ### BEGIN SOLUTION
        self.model = model.requires_grad_(False)
        dim = model.text.words.weight.shape[1]
        self.context = nn.Parameter(0.02 * torch.randn(length, dim, generator=generator))
        ### END SOLUTION

    def class_vectors(self, labels: Sequence[str]) -> Float[Tensor, "class_ embedding"]:
        """The unit vector of each class: the shared context, then the label."""
        ### BEGIN SOLUTION
        contexts = self.context.expand(len(labels), -1, -1)
        return F.normalize(read_with_context(self.model, contexts, labels), dim=1)
        ### END SOLUTION

    def forward(
        self, z: Float[Tensor, "image embedding"], labels: Sequence[str]
    ) -> Float[Tensor, "image class_"]:
        """Logits: cosine of each image's vector (of any length) with each class's, times the model's scale."""
        ### BEGIN SOLUTION
        return self.model.log_scale.exp() * F.normalize(z, dim=1) @ self.class_vectors(labels).T
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "coop-check", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("coop", points=6)
Student = exercise.student("CoOp")


def written(model, words):
    """The vectors of some words: a context that was written by hand."""
    return model.text.words(model.tokenizer.encode([words])[0, 1:-1]).detach()


def tiny_clip(generator):
    """A small model of the same kind with random weights, which nobody has frozen."""
    torch.manual_seed(int(torch.randint(10_000, (), generator=generator)))
    return MiniCLIP(
        words=["red", "blue", "cube", "cone", "a", "photo", "of", "big"],
        size=16,
        dim=16,
        depth=1,
        heads=2,
        embedding=12,
        length=16,
    )


with exercise.check(
    "one context for all classes, small random numbers from the generator",
    points=1,
    hint="self.context = nn.Parameter(0.02 * torch.randn(length, dim, generator=generator)): its shape is (M, dim), without an axis for "
    "classes.",
):
    clip = tiny_clip(exercise.generator)
    first, again, other = (Student(clip, 5, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    exercise.true(isinstance(first.context, nn.Parameter), "self.context is not an nn.Parameter")
    exercise.shape(first.context.detach(), (5, 16))
    exercise.close(first.context.detach(), again.context.detach(), atol=1e-7)
    exercise.true(
        not torch.equal(first.context.detach(), other.context.detach()), "two seeds give the same context"
    )
    exercise.true(
        0.01 < float(first.context.detach().std()) < 0.04,
        "the numbers at the start do not have a deviation of about 0.02",
    )

with exercise.check(
    'with the vectors of "a photo of a" it is the hand-written prompt',
    points=1,
    hint="class_vectors: read_with_context with the same context for every label, then length one over the last axis.",
):
    clip = tiny_clip(exercise.generator)
    labels = ["red cube", "blue cone", "cube", "big red cone"]
    learner = Student(clip, 4, generator=exercise.generator)
    with torch.no_grad():
        learner.context.copy_(written(clip, "a photo of a"))
        exercise.close(
            learner.class_vectors(labels),
            F.normalize(clip.encode_text([f"a photo of a {label}" for label in labels]), dim=1),
            atol=1e-4,
        )

with exercise.check(
    "without context it is the bare label, and the logits are scaled cosines",
    points=1,
    hint="Normalise the images' vectors as well, and multiply by model.log_scale.exp(), not by log_scale.",
):
    clip = tiny_clip(exercise.generator)
    learner = Student(clip, 0, generator=exercise.generator)
    z, labels = 5 * exercise.draw(3, 12), ["red cube", "cone"]
    with torch.no_grad():
        text = F.normalize(clip.encode_text(labels), dim=1)
        expected = 10.0 * F.normalize(z, dim=1) @ text.T  # a new model's scale is 10
        exercise.close(learner(z, labels), expected, atol=1e-3)

with exercise.check(
    "a step of training moves the context and nothing of the model",
    points=1,
    hint="Freeze the model: model.requires_grad_(False). An optimiser that is given learner.parameters() must not move the encoders, also "
    "when they came unfrozen. And the context must move: no detach and no torch.no_grad() between it and the logits.",
):
    clip = tiny_clip(exercise.generator)
    learner = Student(clip, 3, generator=exercise.generator)
    before = [p.detach().clone() for p in clip.parameters()]
    start = learner.context.detach().clone()
    optimiser = torch.optim.Adam(learner.parameters(), lr=0.1)
    loss = F.cross_entropy(learner(exercise.draw(6, 12), ["red", "blue"]), torch.tensor([0, 1, 0, 1, 0, 1]))
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    exercise.true(
        not torch.equal(start, learner.context.detach()),
        "the context is where it was: is it among learner.parameters(), and did a gradient arrive?",
    )
    exercise.true(
        all(torch.equal(a, b.detach()) for a, b in zip(before, clip.parameters(), strict=True)),
        "the model's own weights have changed",
    )

### BEGIN HIDDEN TESTS
with exercise.check(
    "the class vectors follow the context",
    points=1,
    hint="Compute the class vectors in each call. Vectors that were kept from the start, or from the last labels, never learn.",
):
    clip = tiny_clip(exercise.generator)
    learner = Student(clip, 2, generator=exercise.generator)
    labels = ["red cube", "blue cone"]
    with torch.no_grad():
        z = exercise.draw(3, 12)
        first = torch.as_tensor(learner.class_vectors(labels)).clone()
        logits = torch.as_tensor(learner(z, labels)).clone()
        learner.context.add_(exercise.draw(2, 16))
        second = torch.as_tensor(learner.class_vectors(labels)).clone()
        exercise.true(
            not torch.allclose(first, second, atol=1e-4),
            "the context has moved, and the class vectors have not",
        )
        after = torch.as_tensor(learner(z, labels)).clone()
        exercise.true(
            not torch.allclose(logits, after, atol=1e-4), "the context has moved, and the logits have not"
        )
        exercise.close(learner(z, ["cone", *labels])[:, 1:], after, atol=1e-3)
        exercise.close(learner.class_vectors(labels[::-1]), second.flip(0), atol=1e-4)

with exercise.check(
    "it learns: fresh pictures from far away, four labelled ones of each shape",
    points=1,
    hint="100 steps of Adam on the context should beat the bare label by far. Does the gradient reach all of the context, through the text "
    "encoder?",
):
    config = world.SceneConfig(objects=(1, 1), sizes=("small",))
    scenes = world.sample_scenes(300, generator=exercise.generator, config=config)
    z = F.normalize(
        model.encode_image(world.render(scenes, camera=world.Camera(distance=12.0), size=64).image), dim=1
    ).detach()
    labels, truth = list(SHAPES), scenes.shape[:, 0]
    shots = torch.cat([(truth == shape).nonzero()[:4, 0] for shape in range(len(SHAPES))])
    rest = torch.ones(300, dtype=torch.bool)
    rest[shots] = False
    bare = F.normalize(model.encode_text(labels), dim=1).detach()
    zero = ((z[rest] @ bare.T).argmax(1) == truth[rest]).float().mean().item()
    learner = Student(model, 4, generator=exercise.generator)
    fit(
        lambda i: F.cross_entropy(learner(z[shots][i], labels), truth[shots][i]),
        [p for p in learner.parameters() if p.requires_grad],
        count=len(shots),
        steps=100,
        generator=exercise.generator,
        learning_rate=0.03,
    )
    with torch.no_grad():
        right = (learner(z[rest], labels).argmax(1) == truth[rest]).float().mean().item()
    exercise.between(right, chance=zero, ceiling=1.0, full=0.12)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Every hand-written prompt is a special case of this module. What would it be with the context of "a photo of a"?
</details>
<details><summary>Pseudo code</summary>

```text
__init__: freeze the model, keep it; context ← Parameter(0.02 · random (M, dim))
class_vectors: the same context once for each label → read_with_context → length one
forward: scale · unit(z) · class_vectors transposed
```
</details>
<details><summary>Help: the context does not move</summary>

Is it an `nn.Parameter` (a plain tensor is not listed by `parameters()`)? Did you call `.detach()`, `.data`, or compute under
`torch.no_grad()`? Freezing the *model's* parameters does not stop gradients from passing through it.
</details>
<details><summary>Help: the check says that the model's own weights have changed</summary>

`self.model = model` makes the encoders part of this module, so their parameters are listed by `learner.parameters()`. Freeze
them: `model.requires_grad_(False)`.
</details>
"""


# %%
def learn(
    learner: nn.Module,
    z: Float[Tensor, "image embedding"],
    truth: Int64[Tensor, " image"],
    labels: Sequence[str],
    *,
    seed: int,
    steps: int | None = None,
    batch_size: int = 128,
    label: str = "prompt",
) -> nn.Module:
    """Train a prompt on labelled image vectors: Adam on the cross-entropy; what the last step leaves is used."""
    steps = budget(300, grading=4) if steps is None else steps
    fit(
        lambda i: F.cross_entropy(learner(z[i], labels), truth[i]),
        [parameter for parameter in learner.parameters() if parameter.requires_grad],
        count=len(z),
        steps=steps,
        generator=seeded(seed),
        batch_size=batch_size,
        learning_rate=0.02,
        warm_up=min(20, steps // 3),
        label=label,
    )
    return learner.eval()


def learned_vectors(
    task: Task, *, shots: int, length: int, seed: int, wrong_labels: bool = False
) -> Float[Tensor, "class_ embedding"]:
    """The class vectors of a CoOp that saw `shots` pictures of each class."""
    chosen = few_shots(task, shots, seed=seed)
    truth = task.pool_class[chosen]
    if wrong_labels:
        truth = truth[torch.randperm(len(truth), generator=seeded(seed))]
    learner = CoOp(model, length, generator=seeded(seed))
    learn(
        learner,
        task.pool[chosen],
        truth,
        task.classes,
        seed=seed,
        steps=budget(150, grading=4)
        if length > 8
        else None,  # half the steps, to save time: the last point or so is not reached
        label=f"{task.title}, {shots} shots",
    )
    with torch.no_grad():
        return learner.class_vectors(task.classes)


# %% [markdown]
"""
The fourth task is real: **emoji kinds**. OpenMoji's drawings as EfficientNet-Lite0 sees them, and 14 kinds ("mammal",
"vehicle", "sad face") in sentences as the real language model all-MiniLM-L6-v2 reads them. What makes the two into one
"CLIP" is a linear map from image features to the vectors of the emoji's *names*, fitted by ridge regression on about half of the emoji of these kinds and on all emoji of other kinds; nobody
told it of kinds. This is our counterpart of the deck's Flowers102: many kinds of one sort of thing.
The vectors ship with the course, so no model has to be fetched. For the learned prompt, we ran the same idea through
MiniLM beforehand: four vectors among its word pieces, three seeds, and ship the class vectors that came out.
"""

# %%
from functools import cache

from mmdl_course.architectures.pretrained import load_minilm
from mmdl_course.data.emoji import load_emoji
from mmdl_course.data.emoji_features import load_emoji_features
from mmdl_course.data.emoji_prompts import load_emoji_prompts, map_to_names

kinds = load_emoji_prompts()
emoji = load_emoji(size=48)
emoji_features = load_emoji_features()
placed = map_to_names(emoji_features.images, emoji_features.texts, train=kinds.map_train, ridge=kinds.ridge)
example_of_kind = torch.stack(
    [(kinds.label == number).nonzero()[0, 0] for number in range(len(kinds.classes))]
)
tasks["emoji kinds"] = Task(
    "emoji kinds",
    list(kinds.classes),
    placed[kinds.train],
    kinds.label[kinds.train],
    placed[kinds.test],
    kinds.label[kinds.test],
    emoji.images[example_of_kind],
)
viz.show(
    viz.image_grid(
        emoji.images[example_of_kind],
        titles=list(kinds.classes),
        columns=7,
        title=f"One emoji of each of the {len(kinds.classes)} kinds",
    ),
    alt="One emoji of each of the 14 kinds: " + ", ".join(kinds.classes) + ".",
)

# %% [markdown]
"""
Now the deck's prompt table in miniature: three hand-written prompts of differing wording, the ensemble of all
templates, and sixteen context vectors (four for the emoji), learned from 16 labelled pictures of each class. Beside it
three honest baselines. An *untrained* context. One that was trained on *shuffled labels*: the same pictures for as many
steps, and nothing to learn about them. And one that changes no word and uses no label: "a photo of a {}", *calibrated*. From
every class's cosine we subtract its mean over the pool of unlabelled pictures, so that no class is ahead before there is a
picture (Zhao et al. 2021 do the like to language models, with the answer to an empty question; Zhou et al. 2023 take
the mean over a batch, as we do. It takes for granted that the classes are about equally common, which they are
not among the emoji).

**Predict, then run.** In the deck, the learned prompt wins everywhere, by 5.5 points on Caltech101 and by 46 on
EuroSAT. Order our four tasks by what you expect to be gained.
"""

# %% tags=["demo"]
DECK = {
    "objects": ("Caltech101", (82.68, 80.81, 86.29), 91.83),
    "textures": ("DTD", (39.83, 40.25, 42.32), 63.58),
    "from above": ("EuroSAT", (24.17, 37.46, 37.56), 83.53),
    "emoji kinds": ("Flowers102", (60.86, 65.81, 66.14), 94.51),
}
HAND["emoji kinds"] = ("a {}", "a photo of a {}", "this emoji shows a {}")
LONG = 16
hand_vectors = {
    name: {template: class_vectors(template) for template in HAND[name]}
    for name in HAND
    if name != "emoji kinds"
}
hand_vectors["emoji kinds"] = {
    template: kinds.texts[kinds.templates.index(template)] for template in HAND["emoji kinds"]
}
ensembles["emoji kinds"] = template_ensemble(kinds.texts, torch.ones(len(kinds.templates)))
SHOTS = budget((1, 2, 4, 8, 16), grading=(1, 2))
most = SHOTS[-1]
by_shots: dict[str, dict[int, list[Float[Tensor, "class_ embedding"]]]] = {}
for name, task in tasks.items():
    by_shots[name] = {}
    for shots in SHOTS:
        if name == "emoji kinds":
            by_shots[name][shots] = list(kinds.learned[kinds.shots.index(shots)])
        else:
            by_shots[name][shots] = [
                learned_vectors(task, shots=shots, length=LONG, seed=seed) for seed in seeds
            ]
learned = by_shots
trained_on_nothing = {}
for name, task in tasks.items():
    if name != "emoji kinds":
        bare = [CoOp(model, LONG, generator=seeded(seed)) for seed in seeds]
        with torch.no_grad():
            untrained = [accuracy(task, each.class_vectors(task.classes)) for each in bare]
        shuffled = [
            accuracy(task, learned_vectors(task, shots=most, length=LONG, seed=seed, wrong_labels=True))
            for seed in seeds
        ]
        trained_on_nothing[name] = {"untrained context": untrained, "shuffled labels": shuffled}
controls = trained_on_nothing


def calibrated(task: Task, weights: Float[Tensor, "class_ embedding"]) -> Float[Tensor, " image"]:
    """`is_right`, after each class's mean cosine with the unlabelled pool was subtracted."""
    ahead = (task.pool @ weights.T).mean(dim=0)
    return ((task.test @ weights.T - ahead).argmax(dim=1) == task.test_class).float()


def spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation over seeds, in per cent."""
    values = 100 * np.array(values)
    return f"{values.mean():5.1f}" + (f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else "")


table: dict[str, dict[str, list[float]]] = {}
for name, task in tasks.items():
    rows = {template: [accuracy(task, vectors)] for template, vectors in hand_vectors[name].items()}
    rows["ensemble of all templates"] = [accuracy(task, ensembles[name])]
    rows["a photo of a {}, calibrated"] = [
        calibrated(task, hand_vectors[name]["a photo of a {}"]).mean().item()
    ]
    rows.update(controls.get(name, {}))
    rows[f"[V]₁ … [V]_M, {most} shots"] = [accuracy(task, vectors) for vectors in learned[name][most]]
    table[name] = rows
    deck_name, deck_hand, deck_learned = DECK[name]
    print(f"{name} (chance {100 / len(task.classes):.1f} %){'':24s}deck: {deck_name}")
    for row, values in rows.items():
        beside = ""
        if row in HAND[name]:
            beside = f"{deck_hand[HAND[name].index(row)]:.2f}"
        elif row.startswith("[V]"):
            beside = f"{deck_learned:.2f}"
        print(f"   {row:28s}{spread(values):14s}{beside:>12s}")
    best_hand = max(HAND[name], key=lambda template: rows[template][0])
    worst_hand = min(HAND[name], key=lambda template: rows[template][0])
    right = [is_right(task, vectors) for vectors in learned[name][most]]
    print(
        f"   wording: {difference(is_right(task, hand_vectors[name][worst_hand]), is_right(task, hand_vectors[name][best_hand]))}"
        f"   learned against the best by hand: "
        f"{difference(is_right(task, hand_vectors[name][best_hand]), torch.stack(right).mean(0))}"
        f"   (deck: {max(deck_hand) - min(deck_hand):+.1f}, {deck_learned - max(deck_hand):+.1f})"
    )
prompt_table = table

# %% [markdown]
"""
Nearly the deck's order: little to gain where the pictures are ordinary and everything is named already, most where they
are far from the captions (textures and emoji are too near each other to be ordered). The gains are smaller than the deck's, and on *objects* and *textures* wording hardly matters, which it does on Caltech101 and DTD. On the real drawings with the real
language model it matters most of all, and the ensemble is worth less than a good single prompt: half of its templates
are poor ones.

But look at the calibrated row before you praise the gradient. On textures and from above, the same old "a photo of a {}" gains
most of what the learned prompt gains, without a label, just by not favouring any class. On the emoji it does not: there the context has learned something more. Keep that in mind; section 7 finds out what it means.

Three things to be fair about. The best by hand was picked on the test pictures (among the emoji, of twelve), which flatters the hand.
Shuffled labels cost accuracy, so it is not the mere training that helps. And an untrained context is as good as most wordings or better: small random vectors say as little as "a photo of a" does.

You can ask the real MiniLM about the real drawings yourself. The twelve prompts of the list ship with the course; to type
your own, get the model once with `mmdl fetch minilm`.
"""


# %% tags=["demo"]
minilm = cache(load_minilm)  # only when somebody types, and once


def kind_named_by(template: str) -> Int64[Tensor, " image"]:
    """The kind that each emoji of the test half gets; wordings that do not ship need MiniLM."""
    if template in kinds.templates:
        weights = kinds.texts[kinds.templates.index(template)]
    elif template.count("{}") == 1:
        weights = minilm().encode([template.replace("{}", kind) for kind in kinds.classes])
    else:
        raise ValueError("A template has one {} where the name of the kind goes, such as: an emoji of a {}")
    return (tasks["emoji kinds"].test @ weights.T).argmax(dim=1)


explorers.try_prompt(
    kind_named_by,
    truth=tasks["emoji kinds"].test_class,
    classes=kinds.classes,
    prompts=["a photo of a {}", *(t for t in kinds.templates[::-1] if t != "a photo of a {}")],
)

# %% [markdown]
"""
## 4. How many examples?

Sixteen labelled pictures of each class: with as many one could simply train a classifier on the image vectors and
never use a word. The honest rival is the *linear probe* of week 09 (multinomial logistic regression on the frozen
image vectors). It knows nothing at the start; the prompt starts at the class's name.

**Predict, then run.** Where does the probe overtake?
"""

# %% tags=["demo"]
import warnings

from sklearn.linear_model import LogisticRegression


def linear_probe(z: Float[Tensor, "image embedding"], truth: Int64[Tensor, " image"]) -> LogisticRegression:
    """Multinomial logistic regression on image vectors, with little regularisation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "many classes, few samples": that is the point here
        return LogisticRegression(C=100.0, max_iter=2000).fit(z.numpy(), truth.numpy())


def probed(probe: LogisticRegression, task: Task) -> float:
    """Share of the test pictures that a linear probe names rightly."""
    return float(probe.score(task.test.numpy(), task.test_class.numpy()))


def shots_of(name: str, shots: int, seed: int) -> tuple[Tensor, Tensor]:
    """The labelled image vectors that a learned prompt of this task and seed saw, and their classes."""
    if name == "emoji kinds":
        chosen = kinds.shot_numbers[seed, :, :shots].flatten()
        return placed[chosen], kinds.label[chosen]
    chosen = few_shots(tasks[name], shots, seed=seed)
    return tasks[name].pool[chosen], tasks[name].pool_class[chosen]


overtaken = {}
for name, task in tasks.items():
    by_prompt = [[accuracy(task, learned[name][shots][seed]) for shots in SHOTS] for seed in seeds]
    by_probe = []
    for seed in seeds:
        by_probe.append([probed(linear_probe(*shots_of(name, shots, seed)), task) for shots in SHOTS])
    best_hand = max(HAND[name], key=lambda template: prompt_table[name][template][0])
    by_hand = prompt_table[name][best_hand][0]
    gap = np.mean(by_probe, axis=0) - np.mean(by_prompt, axis=0)
    overtaken[name] = next((shots for shots, g in zip(SHOTS, gap, strict=True) if g > 0), None)
    viz.show(
        viz.curves(
            {"learned prompt": np.array(by_prompt), "linear probe": np.array(by_probe)},
            x=SHOTS,
            x_label="number of labelled pictures of each class",
            y_label="accuracy",
            title=f"{name}: "
            + (
                f"the linear probe is ahead at {overtaken[name]} pictures of each class"
                if overtaken[name]
                else "the linear probe is nowhere ahead of the learned prompt"
            ),
            references={f'by hand: "{best_hand}"': by_hand, "chance": 1 / len(task.classes)},
            log_x=True,
        ),
        alt=f"{name}: accuracy against labelled pictures of each class. Learned prompt "
        + ", ".join(f"{v:.2f}" for v in np.mean(by_prompt, axis=0))
        + "; linear probe "
        + ", ".join(f"{v:.2f}" for v in np.mean(by_probe, axis=0))
        + f"; best prompt by hand {by_hand:.2f}; shots {SHOTS}.",
    )
for name, shots in overtaken.items():
    print(f"{name:14s}the linear probe is ahead from {shots} shots on" if shots else f"{name:14s}never")
# %% [markdown]
"""
On textures and from above, one picture of each class gives the prompt most of its gain, and more pictures add little: all
classes share one context, so it can learn what these pictures are *like*, but hardly anything about a single class. (On the emoji it takes four to get past the best prompt by hand.) The probe starts below the learned prompt
everywhere, on objects and textures far below the bare names as well, and ends above it, by about ten points on
textures and from above. (With the real CLIP,
Zhou et al. find the prompt ahead of the probe on average up to 16 shots, most of all with one or two. On the emoji we see that up to 4; at 8 and 16 the two are about equal.) So why use a prompt at all when labels are not that few?

## 5. A prompt for the classes that nobody had pictures of

A learned context can be put in front of *any* name. So train it on some classes, and use it on others: that is what a
prompt has over a linear probe, which has no row for a new class. Does the context carry over? The standard test is
*base-to-new* (Zhou et al. 2022b): split the classes in two; learn from a few pictures of the **base** classes; then name
test pictures of base classes among the base names, and test pictures of **new** classes among the new names. The two
accuracies are summed up by their harmonic mean, H = 2bn / (b + n), which is near the smaller one: a method that buys
base with new is not to look good.

{{exercise:base_to_new}}

Write `base_to_new`. It is an examiner: it gets *any* way of learning, as a function, and must not let it see what it will
be asked about.

`learn(z, truth, names)` gets image vectors, for each the place of its class **in `names`**, and the names; it returns a
classifier, a function `classify(z, names)` that gives logits (image, name) for whatever names it is given.

**The trap:** everything that leaks. No picture of a new class and no new *name* may reach `learn`. When the base classes are
numbers 3, 4 and 9, their places in `names` are 0, 1 and 2: renumber. And it is the harmonic mean, not the mean; when both
are 0, it is 0.
"""


# %% nbgrader={"grade": false, "grade_id": "base_to_new", "locked": false, "schema_version": 3, "solution": true, "task": false}
def base_to_new(
    learn: Callable,
    names: Sequence[str],
    base: Sequence[int],
    train: tuple[Float[Tensor, "train embedding"], Int64[Tensor, " train"]],
    test: tuple[Float[Tensor, "test embedding"], Int64[Tensor, " test"]],
) -> tuple[float, float, float]:
    """Learn from base classes, then name pictures of base classes and of new ones, each among their own.

    Args:
        learn: (z, truth, names) → classify, where classify(z, names) → logits (image, name). `truth` holds places
            in `names`.
        names: of all classes.
        base: numbers of the base classes; all others are new.
        train: image vectors and class numbers, of all classes.
        test: the same, for testing.

    Returns:
        Accuracy on base classes, accuracy on new classes, their harmonic mean.

    Source: Zhou et al. 2022, "Conditional prompt learning for vision-language models", section 4.1.
    """
    ### BEGIN SOLUTION

    def part(of: tuple[Tensor, Tensor], classes: list[int]) -> tuple[Tensor, Tensor, list[str]]:
        z, truth = of
        place = torch.full((len(names),), -1)
        place[classes] = torch.arange(len(classes))
        chosen = place[truth] >= 0
        return z[chosen], place[truth[chosen]], [names[number] for number in classes]

    base = list(base)
    new = [number for number in range(len(names)) if number not in base]
    classify = learn(*part(train, base))
    found = []
    for classes in (base, new):
        z, truth, among = part(test, classes)
        found.append((classify(z, among).argmax(dim=1) == truth).float().mean().item())
    total = sum(found)
    return found[0], found[1], 2 * found[0] * found[1] / total if total else 0.0
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "base_to_new-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("base_to_new", points=5)
examine = exercise.student()

NAMES = ("ant", "bee", "cat", "dog", "elk", "fox")


def pictures(generator, count):
    """Vectors that tell their class: number c is c + 1 in the first place, the rest is noise."""
    truth = torch.arange(count) % len(NAMES)
    truth = truth[torch.randperm(count, generator=generator)]
    return torch.cat([truth[:, None] + 1.0, torch.randn(count, 2, generator=generator)], dim=1), truth


def reader(right=lambda name, picture: True):
    """A learner that already knows all classes, and writes down what it was shown and asked."""
    seen = {"learned": [], "asked": []}

    def learner(z, truth, names):
        seen["learned"].append((torch.as_tensor(z), torch.as_tensor(truth), list(names)))

        def classify(z, names):
            seen["asked"].append((torch.as_tensor(z), list(names)))
            logits = torch.zeros(len(z), len(names))
            for i, row in enumerate(z):
                name = NAMES[int(row[0]) - 1]
                for j, other in enumerate(names):
                    logits[i, j] = 1.0 if (other == name) == bool(right(name, row)) else 0.0
            return logits

        return classify

    return learner, seen


with exercise.check(
    "a learner that knows everything gets 1, 1 and 1",
    points=1,
    hint="Return (base, new, harmonic). In each part the logits have one column for each name you passed, so a picture's truth is the "
    "place of its class among *these* names.",
):
    learner, _ = reader()
    got = examine(
        learner, NAMES, [1, 3, 4], pictures(exercise.generator, 24), pictures(exercise.generator, 30)
    )
    exercise.close(tuple(float(v) for v in got), (1.0, 1.0, 1.0), atol=1e-6)

with exercise.check(
    "what the learner saw: base classes only, renumbered",
    points=1,
    hint="Learn once: pick the training pictures whose class is in base, pass the base names only, and give for each picture the place of its "
    "class in these names (0, 1, 2, …), in the order in which you pass them.",
):
    learner, seen = reader()
    z, truth = pictures(exercise.generator, 24)
    examine(learner, NAMES, [4, 1, 3], (z, truth), pictures(exercise.generator, 30))
    exercise.equal(len(seen["learned"]), 1)
    got_z, got_truth, got_names = seen["learned"][0]
    exercise.equal(sorted(got_names), ["bee", "dog", "elk"])
    exercise.equal(len(got_z), 12)
    exercise.true(
        all(
            0 <= int(t) < len(got_names) and got_names[int(t)] == NAMES[int(row[0]) - 1]
            for row, t in zip(got_z, got_truth, strict=True)
        ),
        "the class given with some training picture is not the place of its name among the names",
    )

with exercise.check(
    "base 0.5 and new 1 make a harmonic mean of 2/3",
    points=1,
    hint="b = 0.5 (bees and dogs) and n = 1 (all others): are these right? Then H = 2bn / (b + n), not (b + n) / 2. And 0, when both "
    "are 0.",
):
    learner, _ = reader(lambda name, picture: name not in ("bee", "dog") or picture[1] == 0)
    z = torch.tensor([[2.0, 0.0], [2.0, 1.0], [4.0, 0.0], [4.0, 1.0], [1.0, 0.0], [3.0, 0.0]])
    truth = torch.tensor([1, 1, 3, 3, 0, 2])
    got = examine(learner, NAMES, [1, 3], (z, truth), (z, truth))
    exercise.close(tuple(float(v) for v in got), (0.5, 1.0, 2 / 3), atol=1e-6)
    never, _ = reader(lambda name, picture: False)
    exercise.close(float(examine(never, NAMES, [1, 3], (z, truth), (z, truth))[2]), 0.0, atol=1e-9)

### BEGIN HIDDEN TESTS
with exercise.check(
    "what the classifier was asked: test pictures only, each kind among its own names",
    points=1,
    hint="Base pictures among base names, new pictures among new names: never among all, and never pictures from the training set.",
):
    learner, seen = reader()
    z, truth = pictures(exercise.generator, 36)
    test_z, test_truth = pictures(exercise.generator, 42)
    examine(learner, NAMES, [5, 0], (z, truth), (test_z, test_truth))
    asked = {}
    for part, names in seen["asked"]:
        asked.setdefault(tuple(sorted(names)), []).append(part)
    exercise.equal(sorted(asked), [("ant", "fox"), ("bee", "cat", "dog", "elk")])
    for names, parts in asked.items():
        wanted = test_z[[NAMES[int(t)] in names for t in test_truth]]
        exercise.true(
            sorted(torch.cat(parts)[:, 1].tolist()) == sorted(wanted[:, 1].tolist()),
            f"the pictures to be told apart as {', '.join(names)} are not the test pictures of these classes",
        )

with exercise.check(
    "fresh numbers: some classes confused, base given out of order",
    points=1,
    hint="Renumber with the order in which you pass the names. A base such as [4, 2, 0] is legal, and so is one that holds all classes "
    "but one.",
):
    for base in ([4, 2, 0], [3, 0, 1, 5, 2]):
        wrong = {NAMES[base[0]], NAMES[next(n for n in range(6) if n not in base)]}
        learner, _ = reader(lambda name, picture, wrong=wrong: name not in wrong)
        z, truth = pictures(exercise.generator, 48)
        b = 1 - 1 / len(base)
        n = 1 - 1 / (6 - len(base)) if len(base) < 5 else 1.0  # among one name, nobody can be wrong
        got = examine(learner, NAMES, base, (z, truth), pictures(exercise.generator, 60))
        exercise.close(tuple(float(v) for v in got), (b, n, 2 * b * n / (b + n)), atol=1e-5)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

You need the same thing three times: those pictures whose class is in a list, their places in that list, and the names
of the list. Write it once as an inner function.
</details>
<details><summary>Pseudo code</summary>

```text
part(pictures, classes): keep those whose class is in classes; truth ← place in classes; names of classes
new ← all numbers that are not in base
classify ← learn(part(train, base))
for base and new: z, truth, names ← part(test, …); accuracy of argmax classify(z, names)
harmonic ← 2bn / (b + n), or 0
```
</details>
<details><summary>Help: index -1, or a class given that does not exist</summary>

`names.index` and `truth` count differently: `truth` counts all classes, the learner only those in its list. A tensor with
one entry for each class (`place = torch.full((len(names),), -1)`, then `place[classes] = torch.arange(len(classes))`)
translates all at once.
</details>

The paper's finding about CoOp was sobering: over eleven data sets, what it gained on base classes (69 → 83 %), it lost
on new ones (74 → 63 %), so that on classes it had no pictures of, the untouched "a photo of a {}" was *better* (deck B,
"Issue in CoOp: the prompt is overfit to wider unseen classes"; numbers: Zhou et al. 2022b, table 1).

**Predict, then run.** Does that happen to us? We split the classes in two ways. *Random half*: 24 of the 48 pairs are base, so
that nearly every colour and shape is in some base class and in some new one. *Other shapes*: three shapes in all colours are
base, the other three are new, so that half of the words in a new name were never learned with. And we train as long as
before, and three times as long.
"""

# %% tags=["demo"]
SHORT = 4


def splits(seed: int) -> dict[str, list[int]]:
    """Base classes: a random half, or three shapes in all colours."""
    order = torch.randperm(len(PAIRS), generator=seeded(300 + seed)).tolist()
    shapes = torch.randperm(len(SHAPES), generator=seeded(400 + seed))[: len(SHAPES) // 2].tolist()
    return {
        "random half": sorted(order[: len(PAIRS) // 2]),
        "other shapes": [pair for pair in range(len(PAIRS)) if pair % len(SHAPES) in shapes],
    }


def by_hand(z: Tensor, truth: Tensor, names: Sequence[str]) -> Callable:
    """The learner that learns nothing: "a photo of a {}"."""
    return lambda z, names: z @ class_vectors("a photo of a {}", names).T


def in_parts(learner: nn.Module) -> Callable:
    """A classifier that looks at a hundred pictures at a time, and computes no gradients."""

    def classify(z: Tensor, names: Sequence[str]) -> Tensor:
        with torch.no_grad():
            return torch.cat([learner(part, names) for part in z.split(100)])

    return classify


def learns(kind: Callable, *, seed: int, steps: int, batch_size: int = 128) -> Callable:
    """A way of learning for base_to_new: make a learner with `kind()`, train it, hand out its classifier."""

    def way(z: Tensor, truth: Tensor, names: Sequence[str]) -> Callable:
        return in_parts(
            learn(
                kind(), z, truth, names, seed=seed, steps=steps, batch_size=batch_size, label=f"seed {seed}"
            )
        )

    return way


def examined(name: str, base: list[int], way: Callable, *, seed: int) -> tuple[float, float, float]:
    """The base-to-new test on one of our tasks, with as many shots as we have."""
    task = tasks[name]
    chosen = few_shots(task, most, seed=seed)
    return base_to_new(
        way,
        task.classes,
        base,
        (task.pool[chosen], task.pool_class[chosen]),
        (task.test[:1000], task.test_class[:1000]),
    )


FAR = ("textures", "from above")
tried: dict[tuple[str, str], dict[str, list[tuple[float, float, float]]]] = {}
for name in FAR:
    for seed in seeds:
        for split, base in splits(seed).items():
            rows = tried.setdefault((name, split), {})

            def context(seed: int = seed) -> CoOp:
                return CoOp(model, SHORT, generator=seeded(seed))

            ways = {
                '"a photo of a {}"': by_hand,
                "CoOp": learns(context, seed=seed, steps=budget(300, grading=3)),
                "CoOp, 3 × as long": learns(context, seed=seed, steps=budget(900, grading=4)),
            }
            for row, way in ways.items():
                rows.setdefault(row, []).append(examined(name, base, way, seed=seed))
base_new = tried


def tell_base_new() -> None:
    """Print base, new and their harmonic mean for all that was tried so far."""
    for (name, split), rows in base_new.items():
        print(f"{name}, {split}{'':12s}base          new           H")
        for row, values in rows.items():
            print(f"   {row:30s}" + "".join(f"{spread(column):14s}" for column in zip(*values, strict=True)))


tell_base_new()
# %% [markdown]
"""
Not what the paper found, and the two splits tell why. Where base and new classes share their words (random half), most of
the gain on base classes is there on new ones as well: what the context learned about these pictures holds for "blue
cone" as for "red cone". Where the new classes have other shapes, little carries over: base gains as much as before or more, new gains a few points on textures, and nothing that
three seeds could show from above. In many of the paper's data sets the names of a class share next to nothing with those of others (kinds of flower, of pet, of food), and there the
untouched prompt had been *good* on new classes: much to lose. Ours is poor on these pictures, so there is little to lose.
That is our explanation; what is measured is that the carrying over depends on what base and new have in common.

## 6. A prompt for each picture

Why should the context be the same for every picture? "The prompt embeddings ignore the visual instance", says the deck. *CoCoOp*,
conditional context optimisation, lets the picture have a say. A small network h, the *meta-network*, looks at the
image's vector z and gives one more vector, π = h(z), which is added to every context vector:

[V]_m(z) = [V]_m + h(z),   m = 1 … M

Now each picture has class vectors *of its own*. For B pictures and C classes, B · C texts must be read instead of C: that
is the price. (The authors trained with one picture in a batch, for want of memory.)

{{exercise:cocoop}}

Complete `CoCoOp`. `self.context` is as in CoOp; `self.meta` is an `nn.Module` from the embedding to dim, with one hidden layer of
`hidden` units and a ReLU, and its last layer starts at zero. Then training starts from CoOp, and h has to earn its place.
The sizes are `model.text_projection.out_features` (embedding) and `model.text.words.weight.shape[1]` (dim). h sees the *unit* vector
of the image. Use your `read_with_context`.

**The trap:** the batch is not one picture. Whoever feeds h with the batch's mean, or adds π along the axis of classes,
gets shapes that fit and a prompt that is conditioned on the wrong thing. What a picture is called must not depend on
who else is in the batch.
"""


# %% nbgrader={"grade": false, "grade_id": "cocoop", "locked": false, "schema_version": 3, "solution": true, "task": false}
class CoCoOp(nn.Module):
    """A learned context to which every image adds a vector of its own.

    Args:
        model: the pretrained encoders; they are frozen.
        length: M, how many context vectors.
        hidden: width of the meta-network.
        generator: draws the first numbers of the context.

    Source: Zhou et al. 2022, "Conditional prompt learning for vision-language models", equation 4; deck B,
        "Conditional prompt learning".
    """

    def __init__(self, model: MiniCLIP, length: int, *, hidden: int = 16, generator: torch.Generator):
        super().__init__()
        ### BEGIN SOLUTION
        self.model = model.requires_grad_(False)
        dim = model.text.words.weight.shape[1]
        self.context = nn.Parameter(0.02 * torch.randn(length, dim, generator=generator))
        self.meta = nn.Sequential(
            nn.Linear(model.text_projection.out_features, hidden), nn.ReLU(), nn.Linear(hidden, dim)
        )
        nn.init.zeros_(self.meta[2].weight)
        nn.init.zeros_(self.meta[2].bias)
        ### END SOLUTION

    def contexts(self, z: Float[Tensor, "image embedding"]) -> Float[Tensor, "image length dim"]:
        """The context vectors of each image: [V]_m + h(z)."""
        ### BEGIN SOLUTION
        own = self.meta(F.normalize(z, dim=1))  # (image, dim)
        return self.context + own[:, None]
        ### END SOLUTION

    def forward(
        self, z: Float[Tensor, "image embedding"], labels: Sequence[str]
    ) -> Float[Tensor, "image class_"]:
        """Logits: cosine of each image's vector with each class's vector *for this image*, times the model's scale."""
        ### BEGIN SOLUTION
        each = self.contexts(z).repeat_interleave(len(labels), dim=0)  # (image · class, length, dim)
        text = read_with_context(self.model, each, list(labels) * len(z))
        text = F.normalize(text, dim=1).view(len(z), len(labels), -1)
        return self.model.log_scale.exp() * torch.einsum("ie,ice->ic", F.normalize(z, dim=1), text)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "cocoop-check", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("cocoop", points=6)
Student = exercise.student("CoCoOp")


def unfrozen_clip(generator):
    """A small model of the same kind with random weights, which nobody has frozen."""
    torch.manual_seed(int(torch.randint(10_000, (), generator=generator)))
    return MiniCLIP(
        words=["red", "blue", "cube", "cone", "a", "photo", "of", "big"],
        size=16,
        dim=16,
        depth=1,
        heads=2,
        embedding=12,
        length=16,
    )


def word_vectors(model, words):
    """The vectors of some words: a context that was written by hand."""
    return model.text.words(model.tokenizer.encode([words])[0, 1:-1]).detach()


def stirred(learner, generator, size=0.5):
    """Give every number that is learned a random value, as if it had been trained."""
    with torch.no_grad():
        for parameter in learner.parameters():
            if parameter.requires_grad:
                parameter.copy_(size * torch.randn(parameter.shape, generator=generator))
    return learner


with exercise.check(
    "at the start it is a context that all pictures share",
    points=1,
    hint="The last layer of self.meta, and only the last layer, starts at zero, weights and bias, so that h(z) = 0 and the context of every "
    "image is self.context. That is drawn as in CoOp: torch.randn with `generator`, times 0.02.",
):
    clip = unfrozen_clip(exercise.generator)
    learner, again = (
        Student(clip, 3, hidden=5, generator=torch.Generator().manual_seed(exercise.seed)) for _ in range(2)
    )
    exercise.shape(learner.context.detach(), (3, 16))
    got = torch.as_tensor(learner.contexts(exercise.draw(4, 12))).detach()
    exercise.shape(got, (4, 3, 16))
    exercise.close(got, learner.context.detach().expand(4, -1, -1), atol=1e-6)
    exercise.true(
        any(bool(parameter.any()) for parameter in learner.meta.parameters()),
        "every layer of the meta-network is zero, so that no gradient ever reaches more than its last bias",
    )
    exercise.close(again.context.detach(), learner.context.detach(), atol=1e-7)
    exercise.true(
        0.01 < float(learner.context.detach().std()) < 0.04,
        "the numbers of the context at the start do not have a deviation of about 0.02",
    )

with exercise.check(
    "every context vector of an image gets the same h(z), computed from its unit vector",
    points=1,
    hint="contexts: self.context (length, dim) plus meta(unit z) (image, dim) with an axis for the length put in between. meta: a layer from "
    "embedding to `hidden`, a ReLU, a layer from `hidden` to dim.",
):
    learner = stirred(
        Student(unfrozen_clip(exercise.generator), 3, hidden=5, generator=exercise.generator),
        exercise.generator,
    )
    z = 7 * exercise.draw(4, 12)
    u = F.normalize(z, dim=1)
    own = learner.meta(u).detach()
    exercise.shape(own, (4, 16))
    exercise.close(
        torch.as_tensor(learner.contexts(z)).detach() - learner.context.detach(),
        own[:, None].expand(-1, 3, -1),
        atol=1e-4,
    )
    exercise.true(
        any(5 in parameter.shape for parameter in learner.meta.parameters()),
        "no layer of the meta-network has `hidden` units, which are 5 here",
    )
    exercise.true(
        not torch.allclose(own + learner.meta(-u), 2 * learner.meta(0 * u), atol=1e-3),
        "the meta-network is linear: what does a ReLU between its layers do?",
    )

with exercise.check(
    'with h = 0 and the vectors of "a photo of a" it is the hand-written prompt',
    points=1,
    hint="Each image's contexts once for each label, read_with_context, unit vectors, and then the cosine of image i with the vectors of "
    "image i, times the scale.",
):
    clip = unfrozen_clip(exercise.generator)
    learner = Student(clip, 4, generator=exercise.generator)
    z, labels = 3 * exercise.draw(3, 12), ["red cube", "cone", "big blue cone", "blue cube"]
    with torch.no_grad():
        learner.context.copy_(word_vectors(clip, "a photo of a"))
        text = F.normalize(clip.encode_text([f"a photo of a {label}" for label in labels]), dim=1)
        exercise.close(learner(z, labels), 10.0 * F.normalize(z, dim=1) @ text.T, atol=1e-3)

### BEGIN HIDDEN TESTS
with exercise.check(
    "a picture's logits do not depend on the others in its batch",
    points=1,
    hint="h sees one image at a time: no mean over the batch, and each image meets the class vectors of its own context. If you flattened "
    "(image, class): does the order of the labels fit the order of the contexts?",
):
    learner = stirred(
        Student(unfrozen_clip(exercise.generator), 2, hidden=6, generator=exercise.generator),
        exercise.generator,
    )
    z, labels = exercise.draw(4, 12), ["red cube", "cone", "big blue cone", "blue"]
    with torch.no_grad():
        together = torch.as_tensor(learner(z, labels))
        exercise.shape(together, (4, 4))
        alone = torch.cat([torch.as_tensor(learner(z[i : i + 1], labels)) for i in range(4)])
        exercise.close(together, alone, atol=1e-3)
        swapped = torch.as_tensor(learner(z, labels[::-1]))
        exercise.close(swapped, together.flip(1), atol=1e-3)

with exercise.check(
    "logits of fresh pictures, one text at a time",
    points=1,
    hint="Image i and class c: the cosine of z_i with the text that is read with the contexts of image i and label c, times log_scale.exp().",
):
    clip = unfrozen_clip(exercise.generator)
    learner = stirred(Student(clip, 2, hidden=6, generator=exercise.generator), exercise.generator)
    z, labels = exercise.draw(3, 12), ["red cube", "cone"]
    expected = torch.zeros(3, 2)
    with torch.no_grad():
        for i in range(3):
            own = learner.context + learner.meta(F.normalize(z[i], dim=0))
            for c, label in enumerate(labels):
                words = word_vectors(clip, label)
                ends = clip.text.words(torch.tensor([1, 2]))  # start and end
                row = torch.cat([ends[:1], own, words, ends[1:]])
                text = clip.encode_words(row[None], torch.tensor([len(row) - 1]))[0]
                expected[i, c] = clip.log_scale.exp() * F.cosine_similarity(z[i], text, dim=0)
        exercise.close(learner(z, labels), expected, atol=1e-3)

with exercise.check(
    "training moves the context and the meta-network, and nothing of the model",
    points=1,
    hint="Freeze the model; keep the context as an nn.Parameter and the meta-network as a module, both as attributes of self; no detach.",
):
    clip = unfrozen_clip(exercise.generator)
    learner = stirred(Student(clip, 2, hidden=6, generator=exercise.generator), exercise.generator)
    before = [p.detach().clone() for p in clip.parameters()]
    own = {name: p.detach().clone() for name, p in learner.meta.named_parameters()}
    start = learner.context.detach().clone()
    optimiser = torch.optim.Adam(learner.parameters(), lr=0.05)
    loss = F.cross_entropy(
        learner(exercise.draw(6, 12), ["red cube", "blue", "cone"]), torch.tensor([0, 1, 2, 0, 1, 2])
    )
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    exercise.true(not torch.equal(start, learner.context.detach()), "the context is where it was")
    exercise.true(
        any(not torch.equal(own[name], p.detach()) for name, p in learner.meta.named_parameters()),
        "the meta-network is as it was: does a gradient arrive?",
    )
    exercise.true(
        all(torch.equal(a, b.detach()) for a, b in zip(before, clip.parameters(), strict=True)),
        "the model's own weights have changed",
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

`read_with_context` takes one context for each *text*. How many texts are there, and which context belongs to which?
Write down the order of all (image, class) couples, and make contexts and labels in that order.
</details>
<details><summary>Pseudo code</summary>

```text
contexts: context (1, length, dim) + meta(unit z) (image, 1, dim)
forward: repeat each image's contexts C times in a row; repeat the list of labels once for each image
text ← unit(read_with_context(…)), folded to (image, class, embedding)
logits[i, c] ← scale · unit(z)[i] · text[i, c]
```
</details>
<details><summary>Help: the same picture gets other logits in another batch</summary>

`repeat` and `repeat_interleave` put things in a different order: `[a, b].repeat(2)` is a b a b, `repeat_interleave(2)` is a a b b. The
contexts must stay with their image while the labels run.
</details>

CoCoOp against CoOp, on the same splits and shots, for as many steps. Beside them stands a control which is not in the
paper: the very same trained CoCoOp, but every picture gets the *mean* π of the test pictures instead of its own. That makes it
a CoOp, whose context is [V]_m plus the mean. If conditioning on the picture is what helps, this must hurt.
"""


# %% tags=["demo"]
def with_mean_pi(learner: CoCoOp, pictures: Float[Tensor, "image embedding"]) -> CoOp:
    """The CoOp whose context is that of a trained CoCoOp plus the mean of h over some pictures."""
    same = CoOp(model, learner.context.shape[0], generator=seeded(0))
    with torch.no_grad():
        same.context.copy_(learner.context + learner.meta(unit(pictures)).mean(dim=0))
    return same


for rows in base_new.values():  # so that the cell can be run again
    rows.pop("CoCoOp", None), rows.pop("CoCoOp, mean π", None)
for name in FAR:
    for seed in seeds:
        for split, base in splits(seed).items():
            kept = []

            def conditional(seed: int = seed, kept: list = kept) -> CoCoOp:
                torch.manual_seed(seed)
                kept.append(CoCoOp(model, SHORT, generator=seeded(seed)))
                return kept[-1]

            way = learns(conditional, seed=seed, steps=budget(300, grading=2), batch_size=16)
            rows = base_new[name, split]
            rows.setdefault("CoCoOp", []).append(examined(name, base, way, seed=seed))
            unconditional = in_parts(with_mean_pi(kept[0], tasks[name].test))
            rows.setdefault("CoCoOp, mean π", []).append(
                examined(name, base, lambda *_, it=unconditional: it, seed=seed)
            )
tell_base_new()
for part, place in (("base", 0), ("new", 1), ("H", 2)):
    for (name, split), rows in base_new.items():
        hand, first, second, mean_pi = (
            np.array(rows[row])[:, place] for row in ('"a photo of a {}"', "CoOp", "CoCoOp", "CoCoOp, mean π")
        )
        print(
            f"{part:5s}{name + ', ' + split:28s}CoOp − by hand {spread(first - hand):14s}"
            f"CoCoOp − CoOp {spread(second - first):14s}CoCoOp − its mean π {spread(second - mean_pi)}"
        )
# %% [markdown]
"""
After equally many steps our CoCoOp is ahead of CoOp on base classes in three of the four settings and, in the
mean of the seeds, on new ones that share their words (from above this is within the spread). The control says
that the trained CoCoOp *uses* the picture's own π: without it, it loses what it was ahead. But look at the row
"CoOp, 3 × as long" before you thank π. On textures a plain CoOp that trained longer has nearly the same H, and
each of its steps reads 24 texts where CoCoOp's reads 384. From above, in random halves, some points of H
remain, within the spread. So here conditioning mostly learns faster by the step; that it learns something which
one context cannot, three seeds do not show. On new classes of other shapes they show nothing either way. The
paper's order (CoCoOp ahead on new classes and in H, 75.8 against 71.7 for both CoOp and the hand) appears at
equal steps and nearly goes away with longer training.

And across domains? A context that was learned on one task is put in front of the same 48 names on another. The paper's
claim is that CoCoOp travels better.
"""

# %% tags=["demo"]
SOME = budget(500, grading=20)  # CoCoOp reads 48 texts for each picture
WORLD = ("objects", "textures", "from above")
travel: dict[str, dict[str, dict[str, list[float]]]] = {}
for source in ("objects", "from above"):
    for seed in seeds:
        chosen = few_shots(tasks[source], most, seed=seed)
        torch.manual_seed(seed)
        pair = {
            "CoOp": CoOp(model, SHORT, generator=seeded(seed)),
            "CoCoOp": CoCoOp(model, SHORT, generator=seeded(seed)),
        }
        for kind, learner in pair.items():
            learn(
                learner,
                tasks[source].pool[chosen],
                tasks[source].pool_class[chosen],
                PAIRS,
                seed=seed,
                steps=budget(300, grading=2),
                batch_size=128 if kind == "CoOp" else 8,
                label=f"{kind} on {source}, seed {seed}",
            )
            for target in WORLD:
                guess = in_parts(learner)(tasks[target].test[:SOME], PAIRS).argmax(dim=1)
                travel.setdefault(kind, {}).setdefault(source, {}).setdefault(target, []).append(
                    (guess == tasks[target].test_class[:SOME]).float().mean().item()
                )
print(f"{'learned on':28s}" + "".join(f"{'on ' + target:>18s}" for target in WORLD))
print(
    f"{'(a photo of a {})':28s}"
    + "".join(
        f"{100 * is_right(tasks[target], class_vectors('a photo of a {}'))[:SOME].mean():18.1f}"
        for target in WORLD
    )
)
for kind, sources in travel.items():
    for source, targets in sources.items():
        print(f"{kind + ', ' + source:28s}" + "".join(f"{spread(targets[target]):>18s}" for target in WORLD))

# %% [markdown]
"""
What is learned on one kind of picture hardly ever helps on another, and mostly costs up to five points: the context has learned what
*these* pictures are like. Three seeds do not show that CoCoOp travels better than CoOp.

## 7. What did it write?

The gradient chose vectors, and we have no idea what they say. "Issue with all prompt learners: we have no clue
what they learned" (deck B, "Interpretable prompt learning"). The obvious thing is to look for the words that lie
nearest. Zhou et al. do it with the Euclidean distance, and find a few words that fit, such as "fluffy" and "paw" for pets,
among many that do not.

A nearest word always exists. So a list of nearest words is worthless without the second number: *how far* they are,
compared with how far words usually are from each other.

{{exercise:nearest_words}}

Write `nearest_words`. It returns, for each context vector, the k nearest words with their distances, nearest first; and
the yardstick: the *median* over all words of the distance to the nearest **other** word.

**The trap:** similarity by dot product prefers long vectors, and cosines ignore the length, which the text encoder does
see: it is the distance that says whether the encoder reads the same. And every word is at distance 0 from itself.
"""


# %% nbgrader={"grade": false, "grade_id": "nearest_words", "locked": false, "schema_version": 3, "solution": true, "task": false}
def nearest_words(
    context: Float[Tensor, "length dim"],
    vectors: Float[Tensor, "token dim"],
    words: Sequence[str],
    *,
    k: int,
) -> tuple[list[list[tuple[str, float]]], float]:
    """The words that lie nearest to learned context vectors, and how near words lie to each other.

    Args:
        context: learned vectors.
        vectors: one for each word.
        words: the words, in the order of the vectors.
        k: how many for each context vector.

    Returns:
        For each context vector k pairs (word, Euclidean distance), nearest first; and the median over all words of
        the distance to the nearest other word.

    Source: Zhou et al. 2022, interpreting the learned prompts.
    """
    ### BEGIN SOLUTION
    near = torch.cdist(context, vectors).topk(k, dim=1, largest=False)
    read = [
        [(words[number], float(far)) for number, far in zip(numbers, fars, strict=True)]
        for numbers, fars in zip(near.indices.tolist(), near.values.tolist(), strict=True)
    ]
    between = torch.cdist(vectors, vectors)
    between.fill_diagonal_(float("inf"))
    return read, float(between.amin(dim=1).median())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "nearest_words-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("nearest_words", points=3)
nearest = exercise.student()

with exercise.check(
    "three words, by hand: the nearest, not the longest and not the most parallel",
    points=1,
    hint="Euclidean distances: torch.cdist(context, vectors). From (1, 1) to near (1.5, 0.5) it is 0.71, to loud (9, 9) it is 11.3, to "
    "faint (0.2, 0.2) it is 1.13.",
):
    vectors = torch.tensor([[9.0, 9.0], [1.5, 0.5], [0.2, 0.2]])
    read, _ = nearest(torch.tensor([[1.0, 1.0]]), vectors, ["loud", "near", "faint"], k=3)
    exercise.equal([word for word, _ in read[0]], ["near", "faint", "loud"])
    exercise.close([float(far) for _, far in read[0]], [0.5**0.5, 1.28**0.5, 128**0.5], atol=1e-3)

with exercise.check(
    "the yardstick: from each word to the nearest other one, and the median of that",
    points=1,
    hint="From words to words: it does not depend on the context. They are at distance 0 from themselves: take the diagonal out. Here the "
    "distances to the nearest other word are 1, 1, 2, 7 and 50; the median is 2, one number.",
):
    line = torch.tensor([[0.0], [1.0], [3.0], [10.0], [60.0]])
    _, yardstick = nearest(torch.tensor([[0.4]]), line, list("abcde"), k=1)
    exercise.close(yardstick, 2.0, atol=1e-3)

### BEGIN HIDDEN TESTS
with exercise.check(
    "fresh vectors, against a slow computation",
    points=1,
    hint="One list for each context vector, k pairs (word, distance) in it, nearest first. The yardstick does not depend on the context.",
):
    vectors, context = exercise.draw(9, 5), exercise.draw(4, 5)
    words = [f"word{i}" for i in range(9)]
    read, yardstick = nearest(context, vectors, words, k=2)
    exercise.equal([len(row) for row in read], [2, 2, 2, 2])
    for row, vector in zip(read, context, strict=True):
        fars = sorted(
            (float((vector - v).square().sum() ** 0.5), word) for v, word in zip(vectors, words, strict=True)
        )
        exercise.equal([word for word, _ in row], [word for _, word in fars[:2]])
        exercise.close([float(far) for _, far in row], [far for far, _ in fars[:2]], atol=1e-3)
    others = [
        min(float((a - b).square().sum() ** 0.5) for j, b in enumerate(vectors) if i != j)
        for i, a in enumerate(vectors)
    ]
    exercise.close(yardstick, float(np.median(others)), atol=1e-3)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

`torch.cdist` gives all distances between two sets of vectors at once; `topk(…, largest=False)` the smallest of each row.
</details>
<details><summary>Pseudo code</summary>

```text
distances ← cdist(context, vectors); the k smallest of each row, as (word, distance)
between ← cdist(vectors, vectors), its diagonal set to infinity
yardstick ← median of the smallest of each row
```
</details>
<details><summary>Help: my yardstick is 0</summary>

The nearest word to every word is the word itself. `between.fill_diagonal_(float("inf"))` before you take the minimum.
</details>
"""

# %%
WORDS = [word for word in model.tokenizer.words if word != ","]
WORD_VECTORS = model.text.words(model.tokenizer.encode([" ".join(WORDS)])[0, 1:-1])


def learned_context(name: str, *, length: int, seed: int, classes: Sequence[int] | None = None) -> CoOp:
    """A CoOp that was trained on a task, or on some of its classes."""
    task = tasks[name]
    chosen = few_shots(task, most, seed=seed)
    place = torch.full((len(PAIRS),), -1)
    classes = list(range(len(PAIRS))) if classes is None else list(classes)
    place[classes] = torch.arange(len(classes))
    chosen = chosen[place[task.pool_class[chosen]] >= 0]
    return learn(
        CoOp(model, length, generator=seeded(seed)),
        task.pool[chosen],
        place[task.pool_class[chosen]],
        [PAIRS[number] for number in classes],
        seed=seed,
        label=f"{name}, M = {length}, seed {seed}",
    )


# %% tags=["demo"]
short_contexts = {name: [learned_context(name, length=SHORT, seed=seed) for seed in seeds] for name in FAR}
for name in FAR:
    for seed in seeds:
        read, yardstick = nearest_words(short_contexts[name][seed].context.detach(), WORD_VECTORS, WORDS, k=1)
        print(f"{name}, seed {seed}:", ", ".join(f"{word} ({far:.2f})" for ((word, far),) in read))
print(f"between words: {yardstick:.2f} from a word to the nearest other one (median)")
print("\nemoji kinds, through the real MiniLM, which started at the words 'a photo of a':")
for seed, row in enumerate(kinds.read):
    print(f"   seed {seed}:", ", ".join(f"{word} ({far:.2f})" for word, far in row))
print(f"   between word pieces: {kinds.neighbour_distance:.2f}")

# %% [markdown]
"""
Read the two numbers together. The learned vectors lie about as far from their nearest word as words lie from each other: none of them *is* a
word. What a nearest word tells is then an open question, and there is a test for it: **put
the words in front of the names and measure.** For the emoji we know the answer already. All seeds still "read" as "a
photo of a", the words that they started from; and these words classify far worse than the vectors that "read" so. For
our own tasks the answer comes below.

But why read vectors at all, if words are wanted? Let us turn it round and search among prompts that *are* words. There are as many prompts of four words as 103⁴, about 113 million, so we climb. Start from some prompt. Take one place at a time; try every word in it, the other places as they
now are; keep the best. Go round until a whole round changes nothing. It is gradient-free (we only ask "how many are
right?"), like the deck's "interpretable prompt optimization", where a language model proposes the candidates.

{{exercise:search_prompt}}

Write `search_prompt`. `score(template, split)` gives the accuracy of a template such as "ring two little a {}" on `"shots"`, the few
labelled pictures, or on `"test"`.

**The trap:** `score` would also tell you the test accuracy. Whoever chooses by it has no test left. And a word replaces what
stands there only if it is *strictly* better: otherwise equals swap for ever, and the search never ends.
"""


# %% nbgrader={"grade": false, "grade_id": "search_prompt", "locked": false, "schema_version": 3, "solution": true, "task": false}
def search_prompt(score: Callable[[str, str], float], words: Sequence[str], *, start: Sequence[str]) -> str:
    """Find a prompt of real words by changing one word at a time.

    Args:
        score: (template, split) → accuracy of a template with one "{}"; split is "shots" or "test".
        words: what may stand in each place.
        start: the words to begin with; the prompt keeps their number.

    Returns:
        The template, such as "ring two little a {}": no single word of it can be replaced for a higher accuracy on the
        shots.

    Source: coordinate ascent, as in Shin et al. 2020, "AutoPrompt", without gradients.
    """
    ### BEGIN SOLUTION
    chosen = list(start)
    best = score(" ".join([*chosen, "{}"]), "shots")
    changed = True
    while changed:
        changed = False
        for place in range(len(chosen)):
            for word in words:
                trial = [*chosen[:place], word, *chosen[place + 1 :]]
                value = score(" ".join([*trial, "{}"]), "shots")
                if value > best:
                    best, chosen, changed = value, trial, True
    return " ".join([*chosen, "{}"])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "search_prompt-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("search_prompt", points=5)
search = exercise.student()


def patient(score, most=5000):
    """The same scores, for as long as anybody needs who has a handful of words."""
    asked = []

    def asks(template, split):
        asked.append(template)
        exercise.true(
            len(asked) <= most,
            f"it has asked for {most:,} scores and does not end: does an equal replace an equal, or is a change of an earlier round "
            "never forgotten?",
        )
        return score(template, split)

    return asks


with exercise.check(
    "one best word for each place",
    points=1,
    hint="Try every word in every place and keep what is better, until a whole round changes nothing. The template ends with '{}', words are "
    "separated by single spaces.",
):
    wanted = ["c", "a", "d"]

    def places_right(template, split):
        return sum(a == b for a, b in zip(template.split()[:-1], wanted, strict=True)) / 3

    exercise.equal(search(patient(places_right), list("abcd"), start=["a", "b", "b"]), "c a d {}")

with exercise.check(
    "places are tried in turn, each with the others as they now are",
    points=1,
    hint="After a better word was found for the first place, judge the second place with that word in front of it, not with the old one.",
):
    table = {"a b {}": 0.5, "b b {}": 0.6, "a a {}": 0.6, "b a {}": 0.1}
    got = search(patient(lambda template, split: table[template]), ["a", "b"], start=["a", "b"])
    exercise.true(
        got in ("b b {}", "a a {}"),
        f"it ended with '{got}' ({table.get(got)}), which is worse than both ways to 0.6",
    )

with exercise.check(
    "it stops, also where all prompts are equally good",
    points=1,
    hint="A word must be strictly better than what stands there. With >= two equal words replace each other without end. A start that cannot be "
    "improved is the answer.",
    seconds=10,
):
    exercise.equal(search(patient(lambda template, split: 0.5), list("abc"), start=["b", "a"]), "b a {}")

### BEGIN HIDDEN TESTS
with exercise.check(
    "chosen by the shots, without a look at the test",
    points=1,
    hint='Ask score(template, "shots") only. What is best on the test pictures must not decide.',
):
    asked = set()

    def two_faced(template, split):
        asked.add(split)
        first, second = template.split()[:-1]
        return {"shots": ord(first) + ord(second), "test": -ord(first) - ord(second)}[split] / 250

    search(patient(two_faced), list("abcxyz"), start=["a", "x"])
    exercise.true(asked == {"shots"}, f"it asked for the accuracy on {sorted(asked)}")

with exercise.check(
    "fresh scores: no change of a single word is better, and it takes several rounds",
    points=1,
    hint="Go round again until a whole round has changed nothing: a later place may open a way for an earlier one.",
):
    values = {}

    def fresh(template, split):
        if template not in values:
            values[template] = float(torch.rand((), generator=exercise.generator))
        return values[template]

    for _ in range(3):
        values.clear()
        got = search(patient(fresh), list("abcde"), start=["a", "a", "a"])
        parts = got.split()
        exercise.true(
            len(parts) == 4 and parts[-1] == "{}" and set(parts[:-1]) <= set("abcde"),
            f"'{got}' is not three of the words and the place for the class",
        )
        for place in range(3):
            for word in "abcde":
                other = " ".join([*parts[:place], word, *parts[place + 1 :]])
                exercise.true(
                    fresh(other, "shots") <= fresh(got, "shots"),
                    f"'{got}' has {fresh(got, 'shots'):.2f} on the shots, and '{other}' would have {fresh(other, 'shots'):.2f}",
                )
    ladder = {"a a {}": 0.1, "a b {}": 0.2, "b b {}": 0.3, "b c {}": 0.4, "c c {}": 0.5}
    got = search(patient(lambda template, split: ladder.get(template, 0.0)), list("abc"), start=["a", "a"])
    exercise.equal(got, "c c {}")
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Three loops inside each other: rounds, places, words. What has to be true for another round?
</details>
<details><summary>Pseudo code</summary>

```text
best ← score of the start on the shots
repeat: for each place, for each word: the prompt with this word in this place; if its score > best: keep both
until a whole round kept nothing
```
</details>
<details><summary>Help: it does not end, or the check was stopped after some seconds</summary>

You replace at equal scores (`>=`), or you remember "changed" from an earlier round: set it to False at the start of each
round.
</details>

What does readability cost? Five ways to get a prompt. The one by hand is the best of our three on the test pictures, which flatters it; the
others fill four places and are chosen on the same 16 shots of each class: the nearest words of the learned context, read as if they were a prompt; the search among all words that the
model knows; the search among words that speak of pictures and things, but neither of shapes nor of colours nor of
numbers; and the vectors themselves.

**Predict, then run.** Will a prompt found by the search be one that you would have written?
"""

# %% tags=["demo"]
SPEAKING = sorted(
    set(world.words_of(" ".join(world.TEMPLATES)))
    | set(world.SIZES)
    | set(world.MATERIALS)
    | {
        "little",
        "big",
        "dull",
        "glossy",
        "far",
        "away",
        "from",
        "object",
        "thing",
        "in",
        "is",
        "left",
        "right",
        "front",
    }
)


def scorer(name: str, seed: int) -> Callable[[str, str], float]:
    """For search_prompt: the accuracy of a template on the shots of a seed, or on the test set."""
    task = tasks[name]
    chosen = few_shots(task, most, seed=seed)
    parts = {
        "shots": (task.pool[chosen], task.pool_class[chosen]),
        "test": (task.test, task.test_class),
    }

    def score(template: str, split: str) -> float:
        z, truth = parts[split]
        with torch.no_grad():
            weights = unit(model.encode_text([template.replace("{}", pair) for pair in PAIRS]))
        return ((z @ weights.T).argmax(dim=1) == truth).float().mean().item()

    return score


costs: dict[str, dict[str, list[float]]] = {}
findings: dict[str, dict[str, list[str]]] = {}
for name in FAR:
    rows = costs.setdefault(name, {})
    best_hand = max(HAND[name], key=lambda template: accuracy(tasks[name], class_vectors(template)))
    for seed in seeds:
        score = scorer(name, seed)
        context = short_contexts[name][seed]
        read, _ = nearest_words(context.context.detach(), WORD_VECTORS, WORDS, k=1)
        vocabulary = {"all words": WORDS, "speaking words": SPEAKING}
        if budget(full=False, grading=True):
            vocabulary = {kind: few[:6] for kind, few in vocabulary.items()}
        prompts = {"nearest words of the context": " ".join(word for ((word, _),) in read) + " {}"}
        for kind, among in vocabulary.items():
            prompts[f"search, {kind}"] = search_prompt(score, among, start=["a", "photo", "of", "a"])
        rows.setdefault(f'by hand: "{best_hand}"', []).append(score(best_hand, "test"))
        for kind, prompt in prompts.items():
            rows.setdefault(kind, []).append(score(prompt, "test"))
            findings.setdefault(name, {}).setdefault(kind, []).append(prompt)
        with torch.no_grad():
            rows.setdefault("the learned vectors, M = 4", []).append(
                accuracy(tasks[name], context.class_vectors(PAIRS))
            )
    print(name)
    for kind, values in rows.items():
        said = "; ".join(dict.fromkeys(findings[name].get(kind, [])))
        print(f"   {kind:34s}{spread(values):14s}{said}")
price, found_prompts = costs, findings

# %% [markdown]
"""
On textures the search among all words beats the four vectors as we trained them; from above it keeps about
three quarters of their gain. These *are* words,
every one of them. And the nearest words? From above they are worth nearly as much as the searched ones; on textures they
keep a good half of what the vectors gain; on the emoji they kept nothing. So a reading *can* be right, and neither the
words nor their distances tell you when: use it and measure.

But is "wedge little ramp is a red cone" readable? We can pronounce it, and that is all. The words that
speak of pictures find less, and even they make no sentence.

So what do such prompts do? The map of the explorer had a hint: prompts differ in how many pictures they call a *wedge*. Let
us count what each prompt calls the pictures. In truth each shape is there in one picture of six.
"""

# %% tags=["demo"]
sentences = {
    'by hand: "a photo of a {}"': class_vectors("a photo of a {}"),
    'by hand: "a photo of {}"': class_vectors("a photo of {}"),
}
found = found_prompts["from above"]
for kind in ("nearest words of the context", "search, all words"):
    sentences[f'{kind}: "{found[kind][0]}"'] = class_vectors(found[kind][0])
with torch.no_grad():
    sentences["the learned vectors, M = 4"] = short_contexts["from above"][0].class_vectors(PAIRS)
truth = tasks["from above"].test_class % len(SHAPES)
print(f"{'share of pictures called a …':64s}" + "".join(f"{shape:>10s}" for shape in SHAPES))
print(f"{'(in truth)':64s}" + "".join(f"{(truth == s).float().mean():10.2f}" for s in range(len(SHAPES))))
for kind, weights in sentences.items():
    called = (tasks["from above"].test @ weights.T).argmax(dim=1) % len(SHAPES)
    print(f"{kind:64s}" + "".join(f"{(called == s).float().mean():10.2f}" for s in range(len(SHAPES))))

# %% [markdown]
"""
Asked with "a photo of a {}", the model takes two thirds of what it sees from above for a wedge. The learned vectors bring
all six shapes back to nearly the shares that they really have. The searched words do the same in their odd way: put "wedge" in
front of *every* name, and being a wedge is no longer a distinction. That is why a list with "wedge" in it works, although it
says nothing about the pictures. And that is why the calibrated prompt of section 3 came so close to the learned ones: most of
what these contexts have learned is *how readily to say what*, which needs no gradient, no other words and no labels, only a pool of unlabelled pictures. We found out by counting what the model says, and by a baseline that can do this one thing and nothing else. A
gain is not understood before somebody has tried to get it more cheaply.

How long should the context be? Move the slider: the accuracy on base classes and on new ones (random halves, from above),
and the nearest words. Do the new classes still gain where the base classes do?
"""

# %% tags=["demo"]
LENGTHS = budget((1, 2, 4, 8, 16), grading=(1, 4))
by_length: dict[str, dict[int, list[float]]] = {"base classes": {}, "new classes": {}}
said_by: dict[int, list[tuple[str, float]]] = {}
for length in LENGTHS:
    for seed in seeds:
        base = splits(seed)["random half"]
        learner = learned_context("from above", length=length, seed=seed, classes=base)
        seen_base, seen_new, _ = examined("from above", base, lambda *_, it=learner: in_parts(it), seed=seed)
        by_length["base classes"].setdefault(length, []).append(seen_base)
        by_length["new classes"].setdefault(length, []).append(seen_new)
        if seed == 0:
            read, _ = nearest_words(learner.context.detach(), WORD_VECTORS, WORDS, k=1)
            said_by[length] = [row[0] for row in read]
explorers.context_length(by_length, words=said_by, start=4, chance=2 / len(PAIRS))
# %% [markdown]
"""
## 8. The scoreboard

Everything that can name 48 things from above, in one picture. One row is not few-shot at all: a linear probe that got all
2,400 labels of the pool, to show how much more the image vectors hold than any prompt gets out of them.
"""

# %% tags=["demo"]
task = tasks["from above"]
few = [probed(linear_probe(*shots_of("from above", most, seed)), task) for seed in seeds]
rows = {f'by hand: "{template}"': prompt_table["from above"][template] for template in HAND["from above"]}
rows["ensemble of all templates"] = prompt_table["from above"]["ensemble of all templates"]
rows["a photo of a {}, calibrated"] = prompt_table["from above"]["a photo of a {}, calibrated"]
rows |= controls["from above"]
rows["searched, speaking words"] = price["from above"]["search, speaking words"]
rows["searched, all words"] = price["from above"]["search, all words"]
rows["CoOp, M = 4"] = price["from above"]["the learned vectors, M = 4"]
rows[f"CoOp, M = {LONG}"] = prompt_table["from above"][f"[V]₁ … [V]_M, {most} shots"]
rows[f"linear probe, {most} shots"] = few
rows["linear probe, all labels"] = [probed(linear_probe(task.pool, task.pool_class), task)]
viz.show(
    viz.scoreboard(
        rows,
        unit="accuracy from above, 48 classes",
        methods=["searched, all words", "CoOp, M = 4", f"CoOp, M = {LONG}"],
        chance=1 / len(PAIRS),
        title=f"From above, “{max(rows, key=lambda row: np.mean(rows[row]))}” is best",
    ),
    alt="Accuracy from above: "
    + ", ".join(f"{row} {np.mean(value):.2f}" for row, value in rows.items())
    + ".",
)

# %% [markdown]
"""
## 9. Which would you use, and why?

{{exercise:which_prompting}}

All four have a frozen CLIP. For each, choose a way of prompting and the reason that decides. Some ways and reasons fit
nobody, and nothing says that each fits only once.

- **hospital**: tells six findings apart in scans, which look nothing like web pictures. There are 30 labelled scans of each.
  Whatever is put into the device must be *text*, made of words from a list that doctors have signed; the two
prompts that they wrote themselves were not good enough.
- **web shop**: ordinary product photographs and ordinary product names, forty new names every day. Nobody labels anything, and nobody checks any one of them.
- **zoo**: cameras above the enclosures, so animals are seen from angles that no caption describes. 16 labelled pictures of each of
  60 species, whose English names the model knows; the animals that arrive next year have names too, and must be told at
  once.
- **foundry**: twelve kinds of casting, known as 4711-A to 4711-L. The list has not changed since 1998. 900 labelled pictures of
  each.

Ways: `"hand"` (one prompt, by hand), `"ensemble"` (of ordinary templates), `"learned context"` (CoOp), `"searched words"` (discrete
search), `"linear probe"` (no prompt at all).

Reasons: `"no labels"`: nothing can be fitted, and averaging insures against a poor template. `"new names"`: a few labels tell what the
pictures are like, and the same vectors must serve names to come. `"readable"`: what was found has to be checked by a person.
`"many labels"`: the classes are fixed, their names say nothing, and labels abound. `"best in the paper"`: it has the highest number
in the table. `"fewest parameters"`: it has less to learn.

**The trap:** the largest number of this notebook is not an argument. What is given, and what must come out?
"""


# %% nbgrader={"grade": false, "grade_id": "which_prompting", "locked": false, "schema_version": 3, "solution": true, "task": false}
def which_prompting() -> dict[str, tuple[str, str]]:
    """For each place the way and the reason: {"hospital": (way, reason), …}."""
    ### BEGIN SOLUTION
    return {
        "hospital": ("searched words", "readable"),
        "web shop": ("ensemble", "no labels"),
        "zoo": ("learned context", "new names"),
        "foundry": ("linear probe", "many labels"),
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "which_prompting-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("which_prompting", points=4)
answers_of = exercise.student()

PLACES = ("hospital", "web shop", "zoo", "foundry")
WAYS = {
    "hand": "One prompt by hand is one draw from a lottery. Is there something that costs as little and insures against a poor draw, or are there labels to choose by?",
    "ensemble": "An ensemble of ordinary templates uses no labels. Are there any, and do the pictures look like those that ordinary templates speak of?",
    "learned context": "A learned context stands in front of a name, it needs some labels, and nobody can read it. Does the name say anything, are there labels, and does anybody have to read it?",
    "searched words": "Searched words can be read, and score a little less. Does anybody have to read them, and are there labels to search with?",
    "linear probe": "A linear probe has no words that anybody could read, no row for a new class, and needs many labels. Are the classes fixed, are there enough labels, and is no text asked for?",
}
WHY = {
    "no labels": "Is there really nothing that could be fitted?",
    "new names": "Will there be classes that nobody has labelled, whose names are known?",
    "readable": "Must a person check what was found?",
    "many labels": "Are the classes fixed, and are there many labels for each?",
    "best in the paper": "A number from another task says little about this one. What is given here?",
    "fewest parameters": "Few parameters are a means. What must come out here?",
}

with exercise.check(
    "every place has a way and a reason from the lists",
    points=0,
    hint='Return {"hospital": ("way", "reason"), …} with all four places. Which answers are right is decided at grading.',
):
    exercise.choices(answers_of(), PLACES, options=WAYS, reasons=WHY)

### BEGIN HIDDEN TESTS
with exercise.check(
    "hospital: 30 scans of each finding, and a doctor who signs",
    points=1,
    hint="What can be signed? And are there labels to choose it by?",
):
    exercise.choice(
        answers_of()["hospital"], options=WAYS, reasons=WHY, correct=("searched words", "readable")
    )

with exercise.check(
    "web shop: ordinary photographs, new names every day, no labels",
    points=1,
    hint="Nothing can be learned where nothing is labelled. What is the safest thing to do with words alone?",
):
    exercise.choice(answers_of()["web shop"], options=WAYS, reasons=WHY, correct=("ensemble", "no labels"))

with exercise.check(
    "zoo: unusual angles, a few labels, and animals that come next year",
    points=1,
    hint="Which of the ways learns from few labels what the pictures are like, and still has something to say about a new name?",
):
    exercise.choice(answers_of()["zoo"], options=WAYS, reasons=WHY, correct=("learned context", "new names"))

with exercise.check(
    "foundry: twelve fixed kinds without telling names, 900 labels each",
    points=1,
    hint='What does the text encoder make of "4711-C"? And where did the probe stand at many shots?',
):
    exercise.choice(
        answers_of()["foundry"], options=WAYS, reasons=WHY, correct=("linear probe", "many labels")
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Ask three questions of each place: are there labels? Will there be names without labels? Must somebody read the result?
</details>
<details><summary>How to write it down</summary>

`return {"hospital": ("way", "reason"), "web shop": (…), "zoo": (…), "foundry": (…)}`
</details>
<details><summary>Help: "is not a choice on the list"</summary>

Use the short names in quotation marks, as they are written in the lists above.
</details>

## An exam question

*A colleague trains a CoOp with M = 16 on 100 bird species and reports 81 % on these species, against 71 % for "a photo of a {}, a
type of bird". She proposes to ship it for all 600 species of the region and explains that the learned words "feather,
sky, the, nest" show that the model understood the task. Name two measurements that she must make before that, say what
each could reveal, and answer her second argument.* Take five minutes and write four sentences.

<details><summary>What we would answer</summary>

First, base-to-new: the accuracy on species of which no picture was used, among their own names, against the prompt by
hand; the context may have gained on its 100 species and lost on the 500 others, and only the harmonic mean of both would
show it. Second, the same on pictures of another source, or a linear probe on the same shots: the first shows whether
the context has learned the pictures' look rather than the task, the second whether words are needed at all. Nearest
words always exist: without their distances, compared with the distances between words, they show nothing, and a context
started from a sentence can keep "reading" as this sentence whatever it does. If she needs words, she should put these four in
front of the names and measure, or search among words in the first place.
</details>

## What to take home

- A prompt is a point in the space of contexts. By hand, by search or by gradient: what differs is who chooses, and from
  what.
- Wording matters where words say something false about the pictures ("a grey photo of"), and where the model
leans towards a class anyway, so that a small push changes many answers. An ensemble insures against a poor
wording; it does not know the pictures.
- A learned context adapts to what pictures look like from a handful of labels; a linear probe needs more, and in the end
  gets further, but has nothing to say about a new class.
- What is learned on some classes serves others as far as they share what had to be learned. Measure it: base, new, H.
- Conditioning on the picture costs a text for every picture and class. A control says whether it is used, and a plain context that trains longer whether it is needed.
- Ask what a gain consists of. On two of our tasks most of it was a matter of which class is said too readily, and a mean
  over unlabelled pictures corrected that as well; on the emoji it was not.
- A nearest word is not a meaning. What a person must be able to read has to be searched for among what persons can read.

## Further reading

- Zhou, Yang, Loy, Liu (2022): Learning to prompt for vision-language models (CoOp). arXiv 2109.01134.
- Zhou, Yang, Loy, Liu (2022b): Conditional prompt learning for vision-language models (CoCoOp). arXiv 2203.05557.
- Radford and others (2021): Learning transferable visual models from natural language supervision, section 3.1.4. arXiv
  2103.00020.
- Zhao, Wallace, Feng, Klein, Singh (2021): Calibrate before use: improving few-shot performance of language models.
  arXiv 2102.09690.
- Zhou and others (2023): Batch calibration: rethinking calibration for in-context learning and prompt
engineering. arXiv 2309.17249.
- Shin, Razeghi, Logan, Wallace, Singh (2020): AutoPrompt: eliciting knowledge from language models with automatically
  generated prompts. arXiv 2010.15980.
- Khashabi and others (2022): Prompt waywardness: the curious case of discretized interpretation of continuous prompts.
  arXiv 2112.08348.
- Zhang and others (2022): Tip-Adapter: training-free adaption of CLIP for few-shot classification. arXiv 2207.09519.
"""
