# %% [markdown]
"""
{{week}}

**Where we are.** x → encoder → z → decoder → y, and θ is what we learn: all the numbers in encoder and decoder. In week 10 θ
stayed as it was, and only a sentence changed. That got us from 39 to 61 % on pictures taken from above, and no further:
a linear probe on the same vectors was better. This week θ itself may move. The question is how much of it has to, what each part of
it costs, and what is lost on the way.

Work from top to bottom. An exercise cell holds `raise NotImplementedError`; replace that line, run the cell, then run
the check below it. A failed check tells you what it called, what came back and what it expected. Some points are
decided at grading, by checks that you do not see and that draw fresh data. Each model trains for about ten seconds, and
there are some thirty of them.
"""

# %%
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from mmdl_course import viz
from mmdl_course.architectures import load_checkpoint
from mmdl_course.architectures.miniclip import MiniCLIP
from mmdl_course.architectures.transformer import Block
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
    alt="The flow of a model: x, encoder f, z, decoder g, y. The encoder is highlighted: this week its own weights move.",
)

# %% [markdown]
"""
## 1. What does it cost to move θ?

Fine-tuning is training that starts from a trained model. Nothing in the recipe is new; the bill is. While a model trains with
Adam in 32-bit floats, memory holds for **every** parameter its value (4 bytes), and for every parameter **that is trained**
also its gradient (4 bytes) and the two running averages of Adam (8 bytes). That is 16 bytes for a parameter that moves and 4
for one that does not, before a single activation is stored. And for every task one copy of all that moved must be kept on disk.

So people looked for a small part of θ, or a small addition to it, that is enough ("parameter-efficient fine-tuning", PEFT;
deck B, "How to efficiently fine-tune VLMs?"). Three ideas will keep us busy this week. For a transformer block of width d:

- **BitFit** (Ben Zaken et al. 2022) trains the biases, all of them, and nothing else.
- **Adapters** (Houlsby et al. 2019; deck B, "Adding adapters") put a small network d → b → d behind the attention and behind
  the MLP of every block, two for each block. Its two layers have weights and biases. Only they are trained.
- **LoRA** (Hu et al. 2022; deck B, "Adding LoRA") leaves a weight matrix W alone and adds a product of two thin ones: W + BA, with B
  of shape (d, r) and A of shape (r, d). In the original it does so for the query's and the value's matrix of every block. Only A
  and B are trained; they have no biases.

{{exercise:training_cost}}

Write `training_cost` for a stack of our own transformer blocks. Look at them first: `print(Block(64, heads=4))`. A block has four
linear layers d → d in its attention, an MLP d → 4d → d, and two layer norms with a weight and a bias of d numbers each. Every
linear layer has a bias.

**The trap:** what is *added* has to be stored as well, and what is frozen still takes its four bytes. And a bias is a bias
wherever it is: layer norms have one, too.
"""


# %% nbgrader={"grade": false, "grade_id": "training_cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
def training_cost(dim: int, blocks: int, method: str, *, size: int = 0) -> tuple[int, int]:
    """How many parameters are trained in a stack of transformer blocks, and what memory that takes.

    Args:
        dim: width d of the blocks.
        blocks: how many.
        method: "full", "bitfit", "adapter" or "lora".
        size: bottleneck b of the adapters, or rank r of LoRA; no meaning for the others.

    Returns:
        Number of trained parameters; bytes for all parameters (4 each), and for those that are trained also gradients (4)
        and Adam's two averages (8). Activations do not count.

    Source: Houlsby et al. 2019, section 2.1; Hu et al. 2022, section 4; Ben Zaken et al. 2022, section 3.
    """
    ### BEGIN SOLUTION
    d = dim
    base = blocks * (4 * (d * d + d) + (d * 4 * d + 4 * d) + (4 * d * d + d) + 2 * 2 * d)
    added = {
        "adapter": blocks * 2 * (d * size + size + size * d + d),
        "lora": blocks * 2 * (2 * d * size),
    }.get(method, 0)
    trained = {"full": base, "bitfit": blocks * (4 * d + 4 * d + d + 2 * d)}.get(method, added)
    return trained, 4 * (base + added) + 12 * trained
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "training_cost-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("training_cost", points=5)
cost = exercise.student()


def counted(dim, blocks):
    """Parameters of real blocks, and how many of them are biases."""
    stack = nn.ModuleList(Block(dim, heads=1) for _ in range(blocks))
    named = [(name, p.numel()) for name, p in stack.named_parameters()]
    return sum(n for _, n in named), sum(n for name, n in named if name.endswith("bias"))


with exercise.check(
    "full fine-tuning: as many as real blocks have, 16 bytes each",
    points=1,
    hint="For each block: attention 4(d² + d), MLP d·4d + 4d and 4d·d + d, two norms of 2d each. All of it is trained: 4 + 4 + 8 bytes.",
):
    for dim, blocks in ((8, 1), (64, 2)):
        number, _ = counted(dim, blocks)
        exercise.equal(tuple(cost(dim, blocks, "full")), (number, 16 * number))

with exercise.check(
    "BitFit: all biases, and the frozen rest still takes its four bytes",
    points=1,
    hint="Biases of the four attention layers (4d), of the MLP (4d + d) and of the two norms (2d). Bytes: 4 for each parameter there is, "
    "12 more for each that is trained.",
):
    for dim, blocks in ((8, 1), (32, 3)):
        number, biases = counted(dim, blocks)
        exercise.equal(tuple(cost(dim, blocks, "bitfit")), (biases, 4 * number + 12 * biases))

with exercise.check(
    "adapters of one unit and LoRA of rank one, by hand",
    points=1,
    hint="d = 8: an adapter 8 → 1 → 8 has 8 + 1 + 8 + 8 numbers, and a block has two. LoRA of rank 1: A has 8 and B has 8, for query and value.",
):
    number, _ = counted(8, 1)
    exercise.equal(tuple(cost(8, 1, "adapter", size=1)), (50, 4 * (number + 50) + 12 * 50))
    exercise.equal(tuple(cost(8, 1, "lora", size=1)), (32, 4 * (number + 32) + 12 * 32))

### BEGIN HIDDEN TESTS
with exercise.check(
    "adapters and LoRA of fresh sizes",
    points=2,
    hint="Each adapter: d·b + b down, b·d + d up, two for each block. LoRA: r·d for A and d·r for B, for two matrices of each block.",
):
    for _ in range(4):
        dim, blocks, size = (int(torch.randint(2, 40, (), generator=exercise.generator)) for _ in range(3))
        number, _ = counted(dim, 1)
        small = sum(p.numel() for p in nn.Sequential(nn.Linear(dim, size), nn.Linear(size, dim)).parameters())
        for method, added in (("adapter", 2 * blocks * small), ("lora", 4 * blocks * size * dim)):
            exercise.equal(
                tuple(cost(dim, blocks, method, size=size)),
                (added, 4 * (blocks * number + added) + 12 * added),
            )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Four numbers decide everything: what there is, what is added, what is trained, and 4 or 16 bytes. Write the first three
down for each method before you write code.
</details>
<details><summary>Pseudo code</summary>

base ← blocks · (attention + MLP + norms), weights and biases
added ← 0, or blocks · 2 · (numbers of one adapter), or blocks · 2 · (numbers of A and B)
trained ← base, or all biases, or added
bytes ← 4 · (base + added) + 12 · trained
</details>
<details><summary>Help: my number is off by 2d for each block</summary>

The layer norms: 2d weights and 2d biases in each block. `sum(p.numel() for p in Block(8, heads=1).parameters())` tells you what you
should get.
</details>

What does that mean for the models one reads about? (Blocks only; embeddings and activations come on top.)
"""

# %% tags=["demo"]
print(f"{'':34s}{'trained':>16s}{'memory, GB':>14s}{'kept for each task, MB':>26s}")
for name, dim, blocks in (
    ("our text tower", 64, 2),
    ("MiniLM-sized", 384, 6),
    ("ViT-L-sized", 1024, 24),
    ("GPT-3-sized", 12288, 96),
):
    for method, size in (("full", 0), ("bitfit", 0), ("adapter", 64), ("lora", 4)):
        trained, memory = training_cost(dim, blocks, method, size=size)
        print(
            f"{name + ', ' + method + (f' {size}' if size else ''):34s}{trained:16,d}{memory / 1e9:14.4f}{4 * trained / 1e6:26.2f}"
        )

# %% [markdown]
"""
Adam's averages and the gradients are what hurts: whoever trains little pays little more than for just *having* the model. And
what has to be kept for each task shrinks by factors of hundreds to thousands. (Hu et al. report 18 million trained parameters for
GPT-3 with rank 4 on query and value. Compare.)

## 2. Fine-tune all of it, and look twice

Our task is the hardest of week 10: small objects seen from above and far away, 48 pairs of colour and shape, 16 labelled
pictures of each. The model is MiniCLIP, whose image tower never saw such pictures, so the image tower has to learn, too.
Classes stay what they were: sentences, "a photo of a red cube". The loss is the cross-entropy over the 48 sentences.

The deck's list of CLIP's limitations ends with "Fine-tuning can actually decrease performance". Decrease *where*? We watch
three things that the model could do before and that nobody trains now: naming the same pairs in **ordinary pictures**; naming them
on **textures**; and **finding** the picture of a longer caption among 100 pictures with one to three objects (recall@1).

**Predict, then run.** How far does full fine-tuning get from above? And what becomes of the other three?
"""

# %%
SHAPES, COLOURS = world.SHAPES, tuple(world.COLOURS)
PAIRS = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
DRONE = world.Camera(elevation=60.0, distance=10.0)
SHOTS = 16
seeds = range(budget(3, grading=1))


def render_in_parts(scenes: world.Scenes, look: Callable) -> Float[Tensor, "image 3 height width"]:
    """Pictures of many scenes, 500 at a time."""
    parts = [look(scenes[start : start + 500]) for start in range(0, len(scenes), 500)]
    return torch.cat(parts)


def textured(scenes: world.Scenes) -> Float[Tensor, "image 3 height width"]:
    """The scenes with patterns on everything."""
    return world.shifted(scenes, "texture", 1.0, size=64, generator=seeded(len(scenes))).views.image


def ordinary(scenes: world.Scenes) -> Float[Tensor, "image 3 height width"]:
    """The scenes as MiniCLIP knows them."""
    return world.render(scenes, size=64).image


def above(scenes: world.Scenes) -> Float[Tensor, "image 3 height width"]:
    """The scenes seen from above and far away."""
    return world.render(scenes, camera=DRONE, size=64).image


def one_object(count: int, *, seed: int, look: Callable, sizes: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Pictures of one object, and which of PAIRS it is."""
    config = world.SceneConfig(objects=(1, 1), sizes=tuple(sizes))
    scenes = world.sample_scenes(count, generator=seeded(seed), config=config)
    return render_in_parts(scenes, look), scenes.colour[:, 0] * len(SHAPES) + scenes.shape[:, 0]


pool = one_object(budget(2000, grading=300), seed=1, look=above, sizes=["small"])
tests = {
    name: one_object(budget(600, grading=60), seed=70_000 + i, look=look, sizes=sizes)
    for i, (name, look, sizes) in enumerate(
        (
            ("from above", above, ["small"]),
            ("ordinary", ordinary, ["small", "large"]),
            ("textures", textured, ["small", "large"]),
        )
    )
}
many = world.sample_scenes(
    budget(400, grading=100), generator=seeded(60_000), config=world.SceneConfig(objects=(1, 3))
)
many_images = render_in_parts(many, ordinary)
many_captions = world.caption(many, generator=seeded(60_001), style="photo", detail=1.0)
viz.show(
    viz.strip({name: images[:6] for name, (images, _) in tests.items()} | {"to be found": many_images[:6]}),
    alt="Six pictures each: small objects from above; ordinary pictures of one object; textured objects; scenes of one to three "
    "objects that captions are to find.",
)


# %%
def few_shots(truth: Int64[Tensor, " image"], *, seed: int) -> Int64[Tensor, " image"]:
    """Places of 16 pictures of each class."""
    generator = seeded(10_000 + seed)
    chosen = []
    for number in range(len(PAIRS)):
        of_class = (truth == number).nonzero()[:, 0]
        chosen.append(of_class[torch.randperm(len(of_class), generator=generator)][:SHOTS])
    return torch.cat(chosen)


PHOTO = "a photo of a {}"


def class_vectors(model: MiniCLIP, template: str = PHOTO) -> Float[Tensor, "class_ embedding"]:
    """The unit vectors of "a photo of a red sphere" and so on."""
    return F.normalize(model.encode_text([world.prompt(template, pair) for pair in PAIRS]), dim=1)


def image_vectors(model: MiniCLIP, images: Tensor) -> Float[Tensor, "image embedding"]:
    """The unit vectors of images."""
    return F.normalize(torch.cat([model.encode_image(part) for part in images.split(250)]), dim=1)


@torch.no_grad()
def abilities(model: MiniCLIP, template: str = PHOTO) -> dict[str, float]:
    """What a model can do: name pairs in three kinds of picture, and find pictures by their captions."""
    weights = class_vectors(model, template)
    able = {
        name: (image_vectors(model, images) @ weights.T).argmax(1).eq(truth).float().mean().item()
        for name, (images, truth) in tests.items()
    }
    z, text = image_vectors(model, many_images), F.normalize(model.encode_text(many_captions), dim=1)
    hits = []
    for start in range(0, len(z), 100):
        found = (text[start : start + 100] @ z[start : start + 100].T).argmax(1)
        hits.append((found == torch.arange(len(found))).float())
    return able | {"find by caption": torch.cat(hits).mean().item()}


def trained_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Those that an optimiser may move."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def tune(
    model: MiniCLIP,
    data: tuple[Tensor, Tensor],
    *,
    seed: int,
    learning_rate: float,
    label: str,
    template: str = PHOTO,
) -> MiniCLIP:
    """Train what may move on 16 shots of each class; classes are sentences."""
    chosen = few_shots(data[1], seed=seed)
    images, truth = data[0][chosen], data[1][chosen]

    def loss(indices: Tensor) -> Tensor:
        z = F.normalize(model.encode_image(images[indices]), dim=1)
        return F.cross_entropy(model.log_scale.exp() * z @ class_vectors(model, template).T, truth[indices])

    fit(
        loss,
        trained_parameters(model),
        count=len(truth),
        steps=budget(100, grading=3),
        generator=seeded(seed),
        batch_size=48,
        learning_rate=learning_rate,
        warm_up=budget(10, grading=1),
        label=f"{label}, seed {seed}",
    )
    return model.eval()


def fresh() -> MiniCLIP:
    """MiniCLIP as it ships, frozen."""
    return load_checkpoint("miniclip").requires_grad_(False)


# %% tags=["demo"]
def all_free(seed: int) -> MiniCLIP:
    """MiniCLIP, fine-tuned from above, every weight free to move (but the scale)."""
    model = fresh().requires_grad_(True)
    model.log_scale.requires_grad_(False)
    return tune(model, pool, seed=seed, learning_rate=2e-3, label="full")


zero_shot = abilities(fresh())
tuned = [all_free(seed) for seed in seeds]
results: dict[str, list[dict[str, float]]] = {
    "zero-shot": [zero_shot],
    "full": [abilities(model) for model in tuned],
}
trained_numbers = {"zero-shot": 0, "full": sum(p.numel() for p in trained_parameters(tuned[0]))}


def tell(method: str) -> None:
    """Print what a method can do, mean ± deviation over seeds."""
    row = f"{method:22s}{trained_numbers[method]:10,d}"
    for name in zero_shot:
        values = 100 * np.array([able[name] for able in results[method]])
        row += f"{values.mean():12.1f}" + (f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else " " * 6)
    print(row)


print(f"{'':22s}{'trained':>10s}" + "".join(f"{name:>17s}" for name in zero_shot))
for method in results:
    tell(method)
# %% [markdown]
"""
From above the gain is large, far larger than any prompt's. And the model pays with what it could do before: fewer ordinary
pictures are named rightly, and fewer captions find their picture. Nobody asked it to forget. Nothing in the loss asked it
to remember, either.

## 3. Add a little: adapters

The deck's first idea is to leave the layers alone and to put something small *behind* them, an adapter (Houlsby et al. 2019):

adapter(h) = h + W_up · gelu(W_down · h + b_down) + b_up

The first layer squeezes d numbers into a bottleneck of b, the second brings them back.

{{exercise:adapter}}

Complete `Adapter`, for features on the last axis.

**The trap:** at the start the model must be what it was, or all that it knows is noise to whatever comes next. So the
residual (`h + …`) is there, and the *last* layer starts at zero, weights and bias. Only the last: if both layers start at zero,
no gradient ever gets through to the first.
"""


# %% nbgrader={"grade": false, "grade_id": "adapter", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Adapter(nn.Module):
    """A bottleneck that adds a correction to features.

    Args:
        dim: numbers of a feature vector.
        bottleneck: width of the narrow place.

    Source: Houlsby et al. 2019, "Parameter-efficient transfer learning for NLP", figure 2; deck B, "Adding adapters".
    """

    def __init__(self, dim: int, bottleneck: int):
        super().__init__()
        ### BEGIN SOLUTION
        self.down = nn.Linear(dim, bottleneck)
        self.up = nn.Linear(bottleneck, dim)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)
        ### END SOLUTION

    def forward(self, h: Float[Tensor, "*any dim"]) -> Float[Tensor, "*any dim"]:
        """h, corrected."""
        ### BEGIN SOLUTION
        return h + self.up(F.gelu(self.down(h)))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "adapter-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("adapter", points=5)
Student = exercise.student("Adapter")


def moved(module, generator):
    """The module with random numbers in all its parameters, as if it had been trained."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return module


with exercise.check(
    "at the start it changes nothing",
    points=1,
    hint="h + up(gelu(down(h))), and the last layer, up, starts at zero: its weight and its bias.",
):
    h = exercise.draw(4, 6, 10)
    exercise.close(Student(10, 3)(h), h, atol=1e-6)

with exercise.check(
    "a bottleneck: as many parameters as two layers d → b → d have",
    points=1,
    hint="Two nn.Linear with biases, as attributes of self: dim → bottleneck and bottleneck → dim. The residual has no parameters.",
):
    exercise.equal(sum(p.numel() for p in Student(10, 3).parameters()), 10 * 3 + 3 + 3 * 10 + 10)

with exercise.check(
    "it can learn: gradients reach it from the very start",
    points=1,
    hint="With the last layer at zero, its own weights get a gradient at once. If everything starts at zero, they do not, and nothing ever moves.",
):
    adapter = Student(6, 4)
    gradients = torch.autograd.grad(
        (adapter(exercise.draw(8, 6)) * exercise.draw(8, 6)).sum(),
        list(adapter.parameters()),
        allow_unused=True,
    )
    shapes = [p.shape for p in adapter.parameters()]
    reached = [
        bool(g is not None and (g != 0).any())
        for g, shape in zip(gradients, shapes, strict=True)
        if tuple(shape) == (6, 4)
    ]
    exercise.true(reached == [True], "no gradient reaches the weights of the last layer")

### BEGIN HIDDEN TESTS
with exercise.check(
    "after training: the residual, and a bend between the layers",
    points=2,
    hint="h is added as it is, not normalised, not scaled; between the layers stands a gelu. Without it, two linear layers are one.",
):
    adapter = moved(Student(5, 2), exercise.generator)
    h = exercise.draw(7, 5)
    weights = {tuple(p.shape): p.detach() for p in adapter.parameters()}
    down, up = weights[2, 5], weights[5, 2]
    squeezed = h @ down.T + weights[(2,)]
    bent = squeezed * 0.5 * (1 + torch.erf(squeezed / 2**0.5))
    exercise.close(adapter(h), h + bent @ up.T + weights[(5,)], atol=1e-2, why="gelu may be the tanh form")
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Which of the two layers must be zero so that the sum is h, and which must not, so that the zero one gets a gradient?
</details>
<details><summary>Pseudo code</summary>

down ← Linear(dim, bottleneck); up ← Linear(bottleneck, dim), its weight and bias filled with zeros
forward: h + up(gelu(down(h)))
</details>
<details><summary>Help: it changes h at the start by a little</summary>

`nn.Linear` has a bias, and it starts at random numbers, too: `nn.init.zeros_(self.up.bias)`.
</details>

## 4. A thin update: LoRA

An adapter stays in the way: the model has more layers from now on, and is slower for ever. *LoRA* (deck B: "Can we learn a
low-rank approximation of these huge matrices during fine-tuning?") changes the weights themselves, but only along a few
directions. Write what training adds to a weight matrix as ΔW. If ΔW has rank r, it is a product of two thin matrices:

W + ΔW,   ΔW = (α / r) · B A,   B: (out, r),   A: (r, in)

A starts with random numbers, B with zeros, so ΔW is 0 at the start. α is a constant: with it, one learning rate serves several
ranks. After training ΔW can be **merged** into W: the model has its old shape again and costs nothing extra. It can be
taken out again, and another task's put in.

{{exercise:lora}}

Complete `LoRA`, which wraps a layer, `nn.Linear` or `nn.Conv2d`. A convolution's weight (out, in, height, width) counts as a
matrix with one row for each output: `weight.flatten(1)`. The simplest forward for both computes with the changed weight:
`functional_call(self.base, {"weight": changed}, (x,))` calls a layer as if its weight were `changed`, and lets gradients through.

`merge()` adds ΔW to the base's weight, `unmerge()` takes it out; while it is merged, forward must not add it again.

**The trap:** A *and* B at zero: no gradient, for ever. Both random: the model is broken from the start. B A has the shape of the
weight, A B has not, or, worse, has it by accident. The scale belongs into the merged weight as well. The base gets no
gradients. And who merges twice must not get ΔW twice.
"""


# %% nbgrader={"grade": false, "grade_id": "lora", "locked": false, "schema_version": 3, "solution": true, "task": false}
class LoRA(nn.Module):
    """A layer whose weight may change by a matrix of low rank.

    Args:
        base: a linear layer or a convolution; it is frozen.
        rank: r.
        alpha: α; the change is (α / r) · B A.
        generator: draws A at the start: normal with variance 1 / (columns of A).

    Source: Hu et al. 2022, "LoRA: low-rank adaptation of large language models", section 4.1; deck B, "LoRA".
    """

    def __init__(self, base: nn.Linear | nn.Conv2d, rank: int, *, alpha: float, generator: torch.Generator):
        super().__init__()
        ### BEGIN SOLUTION
        self.base = base.requires_grad_(False)
        out, columns = base.weight.flatten(1).shape
        self.A = nn.Parameter(torch.randn(rank, columns, generator=generator) / columns**0.5)
        self.B = nn.Parameter(torch.zeros(out, rank))
        self.scale = alpha / rank
        self.merged = False
        ### END SOLUTION

    def update(self) -> Tensor:
        """ΔW, in the shape of the base's weight."""
        ### BEGIN SOLUTION
        return self.scale * (self.B @ self.A).view_as(self.base.weight)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """What the layer gives with W + ΔW."""
        ### BEGIN SOLUTION
        if self.merged:
            return self.base(x)
        return functional_call(self.base, {"weight": self.base.weight + self.update()}, (x,))
        ### END SOLUTION

    def merge(self) -> None:
        """Put ΔW into the base's weight, if it is not there yet."""
        ### BEGIN SOLUTION
        if not self.merged:
            self.base.weight.data += self.update().detach()
            self.merged = True
        ### END SOLUTION

    def unmerge(self) -> None:
        """Take ΔW out of the base's weight, if it is there."""
        ### BEGIN SOLUTION
        if self.merged:
            self.base.weight.data -= self.update().detach()
            self.merged = False
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "lora-check", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("lora", points=8)
Student = exercise.student("LoRA")


def layers(generator):
    """A linear layer and a convolution with random weights, and an input for each."""
    torch.manual_seed(int(torch.randint(10_000, (), generator=generator)))
    return (
        (nn.Linear(7, 5), torch.randn(4, 7, generator=generator)),
        (nn.Conv2d(3, 6, kernel_size=3, stride=2, padding=1), torch.randn(2, 3, 8, 8, generator=generator)),
    )


def trained(layer, generator):
    """The layer with random numbers in A and B, as if it had been trained."""
    with torch.no_grad():
        layer.A.copy_(torch.randn(layer.A.shape, generator=generator))
        layer.B.copy_(torch.randn(layer.B.shape, generator=generator))
    return layer


with exercise.check(
    "at the start it is the layer that it wraps: A random, B zero",
    points=1,
    hint="self.A: (rank, columns) normal numbers from the generator divided by √columns; self.B: (out, rank) zeros. Both nn.Parameters.",
):
    for base, x in layers(exercise.generator):
        before = base(x).detach()
        layer = Student(base, 2, alpha=4.0, generator=exercise.generator)
        columns = base.weight.flatten(1).shape[1]
        exercise.shape(layer.A.detach(), (2, columns))
        exercise.shape(layer.B.detach(), (base.weight.shape[0], 2))
        exercise.close(layer(x).detach(), before, atol=1e-5)
        exercise.true(bool((layer.A != 0).all()), "A has zeros at the start, so that no gradient reaches B")
    wide = Student(nn.Linear(400, 3), 8, alpha=1.0, generator=exercise.generator)
    exercise.close(float(wide.A.detach().std()), 0.05, atol=0.005, why="3,200 draws")

with exercise.check(
    "the change is (α / r) · B A",
    points=1,
    hint="B (out, r) times A (r, columns), times alpha / rank, in the shape of the weight: view_as(self.base.weight).",
):
    layer = Student(nn.Linear(3, 2, bias=False), 2, alpha=6.0, generator=exercise.generator)
    with torch.no_grad():
        layer.A.copy_(torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]))
        layer.B.copy_(torch.tensor([[1.0, 1.0], [0.0, 2.0]]))
    exercise.close(layer.update().detach(), 3 * torch.tensor([[1.0, 1.0, 2.0], [0.0, 2.0, 0.0]]), atol=1e-5)

with exercise.check(
    "forward computes with W + ΔW, for a linear layer and for a convolution",
    points=2,
    hint="functional_call(self.base, {'weight': self.base.weight + self.update()}, (x,)). The bias, the stride and the padding stay the base's.",
):
    for base, x in layers(exercise.generator):
        weight = base.weight.detach().clone()
        layer = trained(Student(base, 3, alpha=1.5, generator=exercise.generator), exercise.generator)
        changed = weight + 0.5 * (layer.B @ layer.A).detach().view_as(weight)
        exercise.close(
            layer(x).detach(), functional_call(base, {"weight": changed}, (x,)).detach(), atol=1e-3
        )

with exercise.check(
    "A and B learn, and the base does not",
    points=1,
    hint="Freeze the base: base.requires_grad_(False). The change must be computed with gradients: no detach, no .data in forward.",
):
    for base, x in layers(exercise.generator):
        layer = trained(Student(base, 2, alpha=2.0, generator=exercise.generator), exercise.generator)
        (layer(x) ** 2).sum().backward()
        exercise.finite_nonzero(layer.A.grad)
        exercise.finite_nonzero(layer.B.grad)
        exercise.true(
            all(p.grad is None for p in base.parameters()), "the layer that is wrapped gets gradients as well"
        )

### BEGIN HIDDEN TESTS
with exercise.check(
    "merged: the same output from the bare base, also when merged twice",
    points=2,
    hint="merge: base.weight += ΔW with its scale, once, and remember it; while it is merged, forward is the base's alone.",
):
    for base, x in layers(exercise.generator):
        layer = trained(Student(base, 2, alpha=5.0, generator=exercise.generator), exercise.generator)
        with torch.no_grad():
            before = layer(x).clone()
            layer.merge()
            exercise.close(base(x), before, atol=1e-3)
            exercise.close(layer(x), before, atol=1e-3)
            layer.merge()
            exercise.close(layer(x), before, atol=1e-3)

with exercise.check(
    "unmerged: everything as it was, also when unmerged twice",
    points=1,
    hint="unmerge: base.weight −= ΔW, only if it is merged; afterwards forward adds ΔW again.",
):
    for base, x in layers(exercise.generator):
        weight = base.weight.detach().clone()
        layer = trained(Student(base, 2, alpha=5.0, generator=exercise.generator), exercise.generator)
        with torch.no_grad():
            before = layer(x).clone()
            layer.unmerge()
            layer.merge()
            layer.unmerge()
            layer.unmerge()
            exercise.close(base.weight.detach(), weight, atol=1e-4)
            exercise.close(layer(x), before, atol=1e-3)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Everything but the constructor is about one matrix, ΔW. Write `update` first, then say the rest with it.
</details>
<details><summary>Pseudo code</summary>

out, columns ← shape of base.weight.flatten(1)
A ← Parameter(normal (rank, columns) / √columns); B ← Parameter(zeros (out, rank))
update: scale · (B A), in the weight's shape
forward: merged? base(x) : the base, called with weight W + update
merge, unmerge: add or subtract update, if not done already
</details>
<details><summary>Help: a leaf Variable that requires grad is being used in an in-place operation</summary>

In `merge` the weight is changed in place: under `torch.no_grad()`, or on `self.base.weight.data`, with `self.update().detach()`.
</details>

## 5. Into the model, and out again

Now it has to get into a model that somebody else wrote. Every layer has a name, such as `text.blocks.0.attention.query`, and
patterns such as `"text.blocks.*.attention.query"` pick some. `model.named_modules()` lists names and modules; a module is exchanged
by `setattr(parent, "query", new)`, where the parent is `model.get_submodule("text.blocks.0.attention")`.

{{exercise:inject}}

Write `inject` and `delta`. `inject` freezes the model, then replaces every module whose **full** name fits one of the patterns
(`fnmatchcase(name, pattern)`) by `make(module)`, and returns the names. `delta` returns what has to be kept for the task: the
parameters that may be trained, by their names, and nothing else.

**The trap:** the order. What `make` returns has new parameters that must stay trainable, so freeze *before*. Collect the names
before you replace anything: the new modules contain the old ones, which would fit again.
"""


# %% nbgrader={"grade": false, "grade_id": "inject", "locked": false, "schema_version": 3, "solution": true, "task": false}
def inject(model: nn.Module, patterns: Sequence[str], make: Callable[[nn.Module], nn.Module]) -> list[str]:
    """Freeze a model and put something trainable in the place of some of its modules.

    Args:
        model: changed in place.
        patterns: for the full names of modules, as in file names: "text.blocks.*.attention.query".
        make: module → what takes its place.

    Returns:
        Names of the modules that were replaced, in the model's order.

    Raises:
        ValueError: a pattern fits no module.
    """
    ### BEGIN SOLUTION
    model.requires_grad_(False)
    names = [name for name, _ in model.named_modules() if name]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ValueError(f"no module of the model fits the pattern '{pattern}'")
    chosen = [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
    for name in chosen:
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, make(model.get_submodule(name)))
    return chosen
    ### END SOLUTION


def delta(model: nn.Module) -> dict[str, Tensor]:
    """What was trained: copies of the trainable parameters, by their full names.

    Args:
        model: with some parameters that require gradients.

    Returns:
        Name → numbers; `load_state_dict(…, strict=False)` puts them into another model of this shape.
    """
    ### BEGIN SOLUTION
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "inject-check", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("inject", points=6)
inject_into = exercise.student("inject")
delta_of = exercise.student("delta")


class Plus(nn.Module):
    """A layer and a vector that is added to what it gives; what a check puts in the place of layers."""

    def __init__(self, base):
        super().__init__()
        self.base = base
        self.extra = nn.Parameter(torch.zeros(base.weight.shape[0]))

    def forward(self, x):
        """The layer's output, moved."""
        return self.base(x) + self.extra


def two_blocks(seed):
    """Two blocks of a transformer with weights from a seed."""
    torch.manual_seed(seed)
    return nn.Sequential(Block(8, heads=2), Block(8, heads=2))


with exercise.check(
    "modules are found by their full names and replaced where they were",
    points=2,
    hint="fnmatchcase(name, pattern) on the names of model.named_modules(); setattr on the parent, model.get_submodule('0.attention').",
):
    model = two_blocks(1)
    old = model[1].attention.query
    names = inject_into(model, ["*.attention.query", "0.mlp.2"], Plus)
    exercise.equal(sorted(names), ["0.attention.query", "0.mlp.2", "1.attention.query"])
    exercise.true(isinstance(model[0].mlp[2], Plus), "'0.mlp.2' was not replaced by what make() returned")
    exercise.true(
        isinstance(model[1].attention.query, Plus) and model[1].attention.query.base is old,
        "in '1.attention.query' there is not make(the module that was there)",
    )
    exercise.true(isinstance(model[0].attention.key, nn.Linear), "'0.attention.key' was replaced as well")

with exercise.check(
    "only what is new may be trained",
    points=1,
    hint="model.requires_grad_(False) first, then replace: the parameters that make() creates require gradients by themselves.",
):
    model = two_blocks(2)
    inject_into(model, ["*.value"], Plus)
    free = sorted(name for name, p in model.named_parameters() if p.requires_grad)
    exercise.equal(free, ["0.attention.value.extra", "1.attention.value.extra"])

with exercise.check(
    "a pattern that fits nothing is an error",
    points=1,
    hint="Raise a ValueError when a pattern fits no name: otherwise a misspelt name trains nothing, and nobody notices. The empty name of the "
    "whole model does not count.",
):
    exercise.raises(ValueError, inject_into, two_blocks(3), ["*.attention.qery"], Plus)

### BEGIN HIDDEN TESTS
with exercise.check(
    "the delta is small, and makes another copy of the base the same model",
    points=1,
    hint="Only parameters with requires_grad, with their names in model.named_parameters(), as copies: training must not change what was kept.",
):
    model, other = two_blocks(4), two_blocks(4)
    for each in (model, other):
        inject_into(each, ["*.query", "*.mlp.0"], Plus)
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p.copy_(exercise.draw(*p.shape))
    kept = delta_of(model)
    exercise.equal(sum(value.numel() for value in kept.values()), 2 * (8 + 32))
    other.load_state_dict(kept, strict=False)
    x = exercise.draw(3, 5, 8)
    exercise.close(other(x).detach(), model(x).detach(), atol=1e-5)
    before = {name: value.clone() for name, value in kept.items()}
    with torch.no_grad():
        for p in model.parameters():
            p.add_(1.0)
    exercise.true(
        all(torch.equal(before[name], kept[name]) for name in kept),
        "what was kept changes when the model is trained on",
    )

with exercise.check(
    "new modules that hold a module of a fitting name are not replaced again",
    points=1,
    hint="Collect the names first, then replace. A Plus has the layer that it wraps inside, and its name may fit the pattern as well.",
):
    model = two_blocks(5)
    names = inject_into(model, ["*.attention.query*"], Plus)
    exercise.equal(sorted(names), ["0.attention.query", "1.attention.query"])
    exercise.true(
        isinstance(model[0].attention.query.base, nn.Linear),
        "the layer inside the new module was replaced, too",
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

A name such as "0.attention.query" has two parts: the way to the parent, and the last word. `name.rpartition(".")` takes it apart.
</details>
<details><summary>Pseudo code</summary>

freeze the model
names ← all names of modules but the empty one
each pattern fits some name, or ValueError
chosen ← names that fit some pattern
for each: parent.last ← make(module)
</details>
<details><summary>Help: 'LoRA' object has no attribute 'weight', or endless nesting</summary>

You replace while you walk through `named_modules()`, and it walks on into what you have just put in. Make a list first.
</details>

Now everybody from above, with the same shots, steps and loss. For each method the best of two or three learning rates, tried
with one seed on other pictures than those of the test:

- **linear probe** on the frozen image vectors, which are then no longer compared with sentences;
- **prompt**: as in week 10, only words: the vectors of four words that no caption has, in front of every name, may move;
- **BitFit**: all biases of both towers;
- **adapters**, of 8 units, behind the MLP of the text tower's blocks, and behind the image tower's convolutions (for each
  pixel of the feature map);
- **LoRA** with ranks 1 to 16 in all linear layers of the text tower's blocks and all convolutions of the image tower;
- **full** fine-tuning, from above.

**Predict, then run.** Where on the axis of trained parameters does the accuracy stop to rise?
"""

# %%
LAYERS = ["text.blocks.*.attention.*", "text.blocks.*.mlp.0", "text.blocks.*.mlp.2", "image.stem.*"]


def wants_lora(module: nn.Module) -> bool:
    """Linear layers and convolutions have a weight that can be changed."""
    return isinstance(module, nn.Linear | nn.Conv2d)


def with_lora(*, rank: int, seed: int) -> MiniCLIP:
    """MiniCLIP with LoRA in its blocks and convolutions; α = r."""
    model = fresh()
    names = [
        name
        for name, module in model.named_modules()
        if wants_lora(module) and any(fnmatchcase(name, pattern) for pattern in LAYERS)
    ]
    generator = seeded(seed)
    inject(model, names, lambda module: LoRA(module, rank, alpha=float(rank), generator=generator))
    return model


class ForEachPixel(nn.Module):
    """An adapter for feature maps: the same for every place."""

    def __init__(self, layer: nn.Module, adapter: nn.Module):
        super().__init__()
        self.layer, self.adapter = layer, adapter

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output, corrected place by place."""
        return self.adapter(self.layer(x).movedim(1, -1)).movedim(-1, 1)


def with_adapters(*, bottleneck: int, seed: int) -> MiniCLIP:
    """MiniCLIP with adapters behind the parts of its text blocks and behind its convolutions."""
    model = fresh()
    torch.manual_seed(seed)
    dim = model.text.words.weight.shape[1]
    convolutions = [name for name, m in model.named_modules() if isinstance(m, nn.Conv2d)]

    def behind(module: nn.Module) -> nn.Module:
        if isinstance(module, nn.Conv2d):
            return ForEachPixel(module, Adapter(module.out_channels, bottleneck))
        return (
            nn.Sequential(module, Adapter(dim, bottleneck)) if isinstance(module, nn.Sequential) else module
        )

    inject(model, [*convolutions, "text.blocks.*.mlp"], behind)
    return model


def with_free_biases() -> MiniCLIP:
    """MiniCLIP whose biases may move."""
    model = fresh()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.endswith("bias"))
    return model


FOUR_WORDS = "do same what have {}"


def with_free_words() -> MiniCLIP:
    """MiniCLIP in which the vectors of four words may move."""
    model = fresh()
    rows = torch.zeros(len(model.tokenizer), 1)
    rows[model.tokenizer.encode([FOUR_WORDS.replace(" {}", "")])[0, 1:-1]] = 1.0
    table = model.text.words.weight.requires_grad_(True)
    table.register_hook(lambda gradient: gradient * rows)  # all others get no gradient and stay
    return model


# %% tags=["demo"]
import warnings

from sklearn.linear_model import LogisticRegression


def probe(seed: int) -> dict[str, float]:
    """A linear probe on the frozen vectors; the model behind it stays what it was."""
    model = fresh()
    chosen = few_shots(pool[1], seed=seed)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few samples of many classes: that is the point
        line = LogisticRegression(C=100.0, max_iter=2000).fit(
            image_vectors(model, pool[0][chosen]).numpy(), pool[1][chosen].numpy()
        )
        able = {
            name: float(line.score(image_vectors(model, images).numpy(), truth.numpy()))
            for name, (images, truth) in tests.items()
        }
    return able | {"find by caption": zero_shot["find by caption"]}


RANKS = budget((1, 2, 4, 8, 16), grading=(1, 4))
RATES = {1: 0.03, 2: 0.02, 4: 0.02, 8: 0.01, 16: 0.01}
makers: dict[str, tuple[Callable[[int], MiniCLIP], float, str]] = {
    "prompt": (lambda _: with_free_words(), 0.02, FOUR_WORDS),
    "BitFit": (lambda _: with_free_biases(), 0.01, PHOTO),
    "adapters, b = 8": (lambda seed: with_adapters(bottleneck=8, seed=seed), 0.01, PHOTO),
} | {
    f"LoRA, r = {rank}": (lambda seed, rank=rank: with_lora(rank=rank, seed=seed), RATES[rank], PHOTO)
    for rank in RANKS
}
scores = dict(results)
numbers = dict(trained_numbers)
scores["linear probe"] = [probe(seed) for seed in seeds]
numbers["linear probe"] = len(PAIRS) * (fresh().text_projection.out_features + 1)
lora_deltas = []
for method, (make, rate, template) in makers.items():
    scores[method] = []
    for seed in seeds:
        model = tune(make(seed), pool, seed=seed, learning_rate=rate, label=method, template=template)
        scores[method].append(abilities(model, template))
        numbers[method] = sum(p.numel() for p in trained_parameters(model))
        if method == "LoRA, r = 4":
            lora_deltas.append(delta(model))
numbers["prompt"] = 4 * fresh().text.words.weight.shape[1]
results, trained_numbers = scores, numbers
print(f"{'':22s}{'trained':>10s}" + "".join(f"{name:>17s}" for name in zero_shot))
for method in sorted(results, key=trained_numbers.get):
    tell(method)
for what in ("from above", "find by caption"):
    lora = [f"LoRA, r = {rank}" for rank in RANKS]
    series = {
        "LoRA": (
            [trained_numbers[m] for m in lora],
            np.array([[a[what] for a in results[m]] for m in lora]).T,
        )
    }
    for method in ("linear probe", "prompt", "BitFit", "adapters, b = 8", "full"):
        series[method] = ([trained_numbers[method]], np.array([[a[what]] for a in results[method]]))
    viz.show(
        viz.tradeoff(
            series,
            x_label="trained parameters",
            y_label="accuracy" if what == "from above" else "recall@1 of 100",
            title=what if what == "from above" else "find by caption, which nobody trained",
            references={
                "zero-shot": zero_shot[what],
                "chance": 1 / len(PAIRS) if what == "from above" else 0.01,
            },
            notes={"LoRA": [f"r = {rank}" for rank in RANKS]},
        ),
        alt=f"{what} against trained parameters: zero-shot {zero_shot[what]:.2f}; "
        + ", ".join(f"{m} {np.mean([a[what] for a in results[m]]):.2f}" for m in results if m != "zero-shot")
        + ".",
    )

# %% [markdown]
"""
A few thousand numbers do nearly what 372 thousand do: LoRA of rank 1, with little more than one per cent of the parameters, is
within four points of full fine-tuning, and from rank 4 on the spread covers the difference. The prompt moves least and forgets
nothing, but words alone get nowhere near. The linear probe uses its numbers worse than LoRA does, and without words it is of
little use on other pictures (its "find by caption" is the untouched model's).

Now the second figure: **small is not gentle.** BitFit moved two thousand numbers and lost more of the captions than full
fine-tuning did with 372 thousand. Where the papers say that LoRA forgets less than full fine-tuning (Biderman et al. 2024), our
seeds scatter too much to say so: all learning rates were chosen for the new task alone, and a higher one buys accuracy here with
forgetting there. What is lost has to be measured; it cannot be read off the number of parameters.

## 6. How low is the rank?

Full fine-tuning was free to change every weight in every direction. Did it? Take a layer's weight before and after, and
look at the difference ΔW through its singular values σ₁ ≥ σ₂ ≥ …: the matrix is a sum of rank-one pieces, and σᵢ² is the share of the
squared entries ("energy") that piece i carries. The best approximation of rank r, in the sum of squares, keeps the first r
pieces and drops the rest (Eckart and Young 1936).

{{exercise:low_rank}}

Write `low_rank`: the smallest rank that keeps at least `share` of the energy of an update, and the best approximation of this rank.

**The trap:** the energy is the *squared* singular values, not their sum. A matrix of zeros has rank 0. And a convolution's
update has four axes: flatten it to (out, rest), and give the approximation back in the shape that came in.
"""


# %% nbgrader={"grade": false, "grade_id": "low_rank", "locked": false, "schema_version": 3, "solution": true, "task": false}
def low_rank(update: Float[Tensor, "out ..."], share: float) -> tuple[int, Float[Tensor, "out ..."]]:
    """How many directions an update has, and what it is along these alone.

    Args:
        update: ΔW of a linear layer (out, in) or of a convolution (out, in, height, width).
        share: of the energy (sum of squares) to be kept, above 0 and at most 1.

    Returns:
        The smallest rank whose best approximation keeps at least this share; this approximation, in the update's shape.

    Source: Eckart and Young 1936; Hu et al. 2022, section 7.
    """
    ### BEGIN SOLUTION
    U, S, V = torch.linalg.svd(update.flatten(1).double(), full_matrices=False)
    energy = S.square().cumsum(0)
    if energy[-1] == 0:
        return 0, torch.zeros_like(update)
    rank = int((energy < (share - 1e-9) * energy[-1]).sum()) + 1
    best = (U[:, :rank] * S[:rank]) @ V[:rank]
    return rank, best.view_as(update).to(update.dtype)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "low_rank-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("low_rank", points=5)
lowest = exercise.student("low_rank")


def with_singular_values(values, rows, columns):
    """A matrix with these singular values, turned at random."""
    left, right = exercise.rotation(rows), exercise.rotation(columns)
    return (left[:, : len(values)] * torch.tensor(values)) @ right[: len(values)]


with exercise.check(
    "energy is squared: singular values 3, 2 and 1",
    points=1,
    hint="3² + 2² + 1² = 14: the first piece keeps 9/14 = 0.64, two keep 13/14 = 0.93. By the sum of the values, 3/6 and 5/6, it would be others.",
):
    matrix = with_singular_values([3.0, 2.0, 1.0], 6, 5)
    exercise.equal(lowest(matrix, 0.6)[0], 1)
    exercise.equal(lowest(matrix, 0.9)[0], 2)
    exercise.equal(lowest(matrix, 0.95)[0], 3)

with exercise.check(
    "the approximation: only the pieces that are kept",
    points=1,
    hint="(U[:, :r] * S[:r]) @ V[:r], where torch.linalg.svd gives U, S and V already transposed.",
):
    matrix = torch.diag(torch.tensor([4.0, 1.0, 0.5]))
    rank, best = lowest(matrix, 0.9)
    exercise.equal(rank, 1)
    exercise.close(best, torch.diag(torch.tensor([4.0, 0.0, 0.0])), atol=1e-4)

with exercise.check(
    "nothing has rank 0, and all of it is all of it",
    points=1,
    hint="A matrix of zeros: rank 0 and zeros. With share 1 nothing of the energy may be lost.",
):
    rank, best = lowest(torch.zeros(3, 4), 0.9)
    exercise.equal(rank, 0)
    exercise.close(best, torch.zeros(3, 4), atol=1e-9)
    matrix = torch.diag(torch.tensor([2.0, 2.0, 2.0]))
    exercise.equal(lowest(matrix, 1.0)[0], 3)

### BEGIN HIDDEN TESTS
with exercise.check(
    "a convolution: one row for each output, the shape given back",
    points=1,
    hint="update.flatten(1) is (out, in · height · width); at the end view_as(update).",
):
    update = with_singular_values([5.0, 3.0, 0.1], 6, 18).view(6, 2, 3, 3)
    rank, best = lowest(update, 0.99)
    exercise.equal(rank, 2)
    exercise.shape(best, (6, 2, 3, 3))
    exercise.equal(int(torch.linalg.matrix_rank(torch.as_tensor(best).flatten(1).float(), atol=1e-2)), 2)

with exercise.check(
    "fresh matrices: what is lost is the tail's energy, and one rank less would lose too much",
    points=1,
    hint="The smallest rank with energy ≥ share · total: count how many partial sums are still below, and add one.",
):
    for share in (0.5, 0.8, 0.97):
        values = (exercise.draw(5).abs() + 0.1).sort(descending=True).values
        matrix = with_singular_values(values.tolist(), 7, 9)
        rank, best = lowest(matrix, share)
        energy = values.square()
        exercise.true(
            float(energy[:rank].sum() / energy.sum()) >= share - 1e-4,
            f"rank {rank} keeps less than {share} of the energy",
        )
        exercise.true(
            float(energy[: rank - 1].sum() / energy.sum()) < share + 1e-4,
            f"rank {rank - 1} would keep {share} already",
        )
        exercise.close(
            float((matrix - torch.as_tensor(best)).square().sum()), float(energy[rank:].sum()), atol=1e-3
        )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

`torch.linalg.svd(matrix, full_matrices=False)` gives U, the singular values, and V transposed. `cumsum` adds them up one after the other.
</details>
<details><summary>Pseudo code</summary>

U, S, V ← svd(update flattened to (out, rest))
energy ← partial sums of S²; all zero: rank 0, zeros
rank ← number of partial sums below share · total, plus 1
best ← U[:, :rank] · S[:rank] · V[:rank], in the shape that came in
</details>
<details><summary>Help: with share 1 my rank is too large or too small by one</summary>

Floats: the last partial sums differ from the total by rounding. Compute in `double()`, and ask for a hair less than the share.
</details>

For comparison: a random matrix of the same shape and, as every matrix has *some* rank below which 90 % lie, that is the number
to beat.
"""

# %% tags=["demo"]
before = fresh().state_dict()
after = tuned[0].state_dict()
moved_layers = [name for name, value in before.items() if name.endswith("weight") and value.ndim > 1]
print(f"{'weight':44s}{'shape':>14s}{'rank for 90 %':>16s}{'random':>10s}{'moved by':>12s}")
for name in moved_layers:
    update = after[name] - before[name]
    noise = torch.randn(update.shape, generator=seeded(0))
    moved_by = float(update.norm() / before[name].norm())
    print(
        f"{name:44s}{' × '.join(map(str, update.flatten(1).shape)):>14s}{low_rank(update, 0.9)[0]:16d}"
        f"{low_rank(noise, 0.9)[0]:10d}{100 * moved_by:10.0f} %"
    )


def truncated(rank: int, start: dict[str, Tensor], end: dict[str, Tensor]) -> dict[str, Tensor]:
    """The fine-tuned weights, but the update of every matrix cut to a rank; what is no matrix is fine-tuned whole."""
    cut = dict(end)
    for name in moved_layers:
        U, S, V = torch.linalg.svd((end[name] - start[name]).flatten(1), full_matrices=False)
        cut[name] = start[name] + ((U[:, :rank] * S[:rank]) @ V[:rank]).view_as(start[name])
    return cut


def accuracy_from_above(state: dict[str, Tensor]) -> float:
    """Accuracy from above of MiniCLIP with these weights."""
    model = fresh()
    model.load_state_dict(state)
    images, truth = tests["from above"]
    with torch.no_grad():
        return (
            (image_vectors(model, images) @ class_vectors(model).T).argmax(1).eq(truth).float().mean().item()
        )


CUTS = budget((0, 1, 2, 4, 8, 16, 32), grading=(0, 4))
accuracy_at = {rank: accuracy_from_above(truncated(rank, before, after)) for rank in CUTS}
shown = "image.stem.6.weight"
update = (after[shown] - before[shown]).flatten(1)
S = torch.linalg.svdvals(update)
cut_updates = {rank: (truncated(rank, before, after)[shown] - before[shown]).flatten(1) for rank in CUTS}
explorers.low_rank(
    update,
    approximations=cut_updates,
    singular_values=S,
    accuracy=accuracy_at,
    references={"full": accuracy_from_above(after), "zero-shot": zero_shot["from above"]},
    start=4,
)

# %% [markdown]
"""
In the text tower the update is thin: two to eleven of the 64 directions of a layer hold 90 % of the energy, where a
random matrix needs 33 to 49. The convolutions are not so thin: about half of what a random matrix needs.

Move the slider. At rank 0 only what is no matrix was fine-tuned (biases and norms), and that is worth something already. Then compare
rank 4 with LoRA of rank 4 in the table: a full update that is *cut* to rank 4 afterwards is worse than one that was *learned* with rank 4.
Low rank is less a property that full fine-tuning has than a budget that training can live with.

## 7. Keep both: interpolate

Fine-tuning moved the weights from θ₀ to θ₁. From above θ₁ is better, elsewhere θ₀. One need not choose an end. *WiSE-FT* (Wortsman
et al. 2022) takes a point between:

θ(α) = (1 − α) θ₀ + α θ₁

That this gives anything but rubbish is not obvious: the model is not linear in θ, and for two models that were trained apart it
would be rubbish. But θ₁ started from θ₀ and did not go far.

{{exercise:interpolate}}

Write `interpolate` for two state dictionaries.

**The trap:** α = 0 is where we started. Neither of the two ends may change (tensors of a state dictionary are the model's own memory). And
counters, which are whole numbers, cannot be mixed: take them from the fine-tuned one.
"""


# %% nbgrader={"grade": false, "grade_id": "interpolate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def interpolate(start: dict[str, Tensor], end: dict[str, Tensor], alpha: float) -> dict[str, Tensor]:
    """Weights on the straight line between two models of one shape.

    Args:
        start: state dictionary of the pretrained model, θ₀.
        end: state dictionary of the fine-tuned one, θ₁, with the same names.
        alpha: α, 0 gives the start and 1 the end.

    Returns:
        (1 − α) θ₀ + α θ₁; what is no floating-point number is the end's.

    Raises:
        ValueError: the names differ.

    Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", section 3.
    """
    ### BEGIN SOLUTION
    if start.keys() != end.keys():
        raise ValueError(f"the models have different weights: {sorted(start.keys() ^ end.keys())[:4]}")
    return {
        name: (1 - alpha) * start[name] + alpha * value if value.is_floating_point() else value.clone()
        for name, value in end.items()
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "interpolate-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("interpolate", points=4)
between = exercise.student("interpolate")

with exercise.check(
    "a quarter of the way, by hand",
    points=1,
    hint="(1 − α) · start + α · end, name by name: from 4 to 8 a quarter of the way is 5.",
):
    got = between({"w": torch.tensor([4.0, 0.0])}, {"w": torch.tensor([8.0, -4.0])}, 0.25)
    exercise.close(got["w"], torch.tensor([5.0, -1.0]), atol=1e-6)

with exercise.check(
    "the ends are the ends, and stay what they were",
    points=1,
    hint="α = 0: the start; α = 1: the end. Make new tensors; no +=, no mul_ on what you were given, and no name that shares its memory.",
):
    start, end = {"w": exercise.draw(3, 2)}, {"w": exercise.draw(3, 2)}
    first, last = start["w"].clone(), end["w"].clone()
    for alpha, expected in ((0.0, first), (1.0, last)):
        got = between(start, end, alpha)
        exercise.close(got["w"], expected, atol=1e-6)
        got["w"].zero_()
        exercise.true(
            torch.equal(start["w"], first) and torch.equal(end["w"], last),
            "changing the result, or computing it, changed one of the two models",
        )

### BEGIN HIDDEN TESTS
with exercise.check(
    "counters come from the fine-tuned model, and other names are refused",
    points=1,
    hint="value.is_floating_point() tells what can be mixed. Compare the names of both dictionaries, and raise a ValueError if they differ.",
):
    start = {"w": torch.zeros(2), "steps": torch.tensor(10)}
    end = {"w": torch.ones(2), "steps": torch.tensor(17)}
    got = between(start, end, 0.5)
    exercise.equal(got["steps"], torch.tensor(17))
    exercise.close(got["w"], torch.full((2,), 0.5), atol=1e-6)
    exercise.raises(ValueError, between, {"w": torch.zeros(2)}, end, 0.5)
    exercise.raises(ValueError, between, start, {"w": torch.zeros(2)}, 0.5)

with exercise.check(
    "fresh models: a linear layer half-way gives half of both outputs",
    points=1,
    hint="All names, weights and biases alike, with the same α.",
):
    torch.manual_seed(exercise.seed % 10_000)
    first, second, middle = nn.Linear(5, 3), nn.Linear(5, 3), nn.Linear(5, 3)
    alpha = float(torch.rand((), generator=exercise.generator))
    middle.load_state_dict(between(first.state_dict(), second.state_dict(), alpha))
    x = exercise.draw(4, 5)
    exercise.close(middle(x).detach(), ((1 - alpha) * first(x) + alpha * second(x)).detach(), atol=1e-5)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

One dictionary comprehension over the names of the end.
</details>
<details><summary>Pseudo code</summary>

names differ: ValueError
for each name: mixed, if it holds floating-point numbers; else a copy of the end's
</details>
<details><summary>Help: the check says that one of the models was changed</summary>

`start[name]` *is* the model's memory. `start[name] * (1 - alpha)` makes a new tensor, `start[name] *= …` does not, and at α = 1 a result
that is `end[name]` itself would be changed together with it.
</details>

**Predict, then run.** From α = 0 to 1 the accuracy from above rises, and finding by captions falls. Will the curve of both be a
straight line between the two ends, lie below it, or above?
"""

# %% tags=["demo"]
ALPHAS = budget([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], grading=[0.0, 0.5, 1.0])
paths = {name: [] for name in zero_shot}
for model in tuned:
    row = []
    for alpha in ALPHAS:
        mixed = fresh()
        mixed.load_state_dict(interpolate(before, model.state_dict(), alpha))
        row.append(abilities(mixed))
    for name in paths:
        paths[name].append([able[name] for able in row])
viz.show(
    viz.curves(
        {name: np.array(values) for name, values in paths.items()},
        x=ALPHAS,
        x_label="α: 0 is the pretrained model, 1 the fine-tuned one",
        y_label="accuracy, recall@1",
        title="between the two models",
    ),
    alt="Accuracy against α: "
    + "; ".join(
        f"{name} " + ", ".join(f"{v:.2f}" for v in np.mean(values, axis=0)) for name, values in paths.items()
    )
    + ".",
)
for alpha, values in zip(
    ALPHAS, np.mean([paths["from above"], paths["ordinary"], paths["find by caption"]], axis=1).T, strict=True
):
    print(
        f"α = {alpha:.1f}   from above {values[0]:.3f}   ordinary {values[1]:.3f}   find by caption {values[2]:.3f}   mean of the three {values.mean():.3f}"
    )

# %% [markdown]
"""
Both curves bend upwards: a fifth of the way gives more than half of what there is to gain from above, and costs next to nothing
elsewhere. On ordinary pictures the middle is even a little better than either end. No training, no labels, one line of code. (Wortsman et al.
see the same with the real CLIP and ImageNet's shifts.) Two reservations: α has to be chosen on something, and textures, which
nobody asked for and which fine-tuning hurt, stay hurt from the first step on.

## 8. One base, many tasks

What is small can be exchanged. We train LoRA with rank 4 on textures as well, keep both deltas, and put them into one base in
turn. Merged, the model is as fast as before.
"""

# %% tags=["demo"]
texture_pool = one_object(budget(2000, grading=300), seed=2, look=textured, sizes=["small", "large"])
texture_deltas = [
    delta(
        tune(
            with_lora(rank=4, seed=seed), texture_pool, seed=seed, learning_rate=0.02, label="LoRA, textures"
        )
    )
    for seed in seeds
]
kept = {"from above": lora_deltas, "textures": texture_deltas}
print(f"{'one base, with the delta of':30s}" + "".join(f"{name:>17s}" for name in zero_shot))
print(f"{'(none)':30s}" + "".join(f"{100 * value:13.1f}    " for value in zero_shot.values()))
for task, deltas in kept.items():
    able = []
    for seed, part in zip(seeds, deltas, strict=True):
        model = with_lora(rank=4, seed=seed)
        model.load_state_dict(part, strict=False)
        able.append(abilities(model))
    print(
        f"{task:30s}"
        + "".join(
            f"{100 * np.mean([a[name] for a in able]):11.1f}"
            + (f" ± {100 * np.std([a[name] for a in able], ddof=1):.1f}" if len(able) > 1 else "      ")
            for name in zero_shot
        )
    )
images = tests["from above"][0][:50]
with torch.no_grad():
    apart = model.encode_image(images)
    for module in model.modules():
        if isinstance(module, LoRA):
            module.merge()
    merged = model.encode_image(images)
whole = sum(value.numel() for value in fresh().state_dict().values())
print(
    f"merged and unmerged outputs differ by at most {float((apart - merged).abs().max()):.1e} (values up to {float(apart.abs().max()):.1f})"
)
print(f"a delta has {sum(v.numel() for v in lora_deltas[0].values()):,} numbers, the model {whole:,}")

# %% [markdown]
"""
Each delta is good for its own task and bad for the other's: it is a specialist, and the base forgets through it as it does through
full fine-tuning. But it is a twentieth of the model's size, and taking it out gives the base back, untouched. That cannot be said of
full fine-tuning.

## 9. The scoreboard
"""

# %% tags=["demo"]
best_alpha = ALPHAS[len(ALPHAS) // 2]
middle = ALPHAS.index(best_alpha)
rows = {
    method: [
        np.mean([able["from above"], able["ordinary"], able["find by caption"]]) for able in results[method]
    ]
    for method in results
}
rows[f"full, α = {best_alpha}"] = [
    np.mean([paths[name][seed][middle] for name in ("from above", "ordinary", "find by caption")])
    for seed in range(len(tuned))
]
viz.show(
    viz.scoreboard(
        rows,
        unit="mean of: from above, ordinary, find by caption",
        methods=[method for method in rows if method.startswith(("LoRA", "adapters", "full, α"))],
    ),
    alt="Mean over three abilities: "
    + ", ".join(f"{row} {np.mean(value):.2f}" for row, value in rows.items())
    + ".",
)

# %% [markdown]
"""
## 10. Which would you use, and why?

{{exercise:which_tuning}}

For each situation choose a way and the reason that decides. Some ways and reasons fit nobody, and nothing says that each fits
only once.

- **keyboards**: one vision-language model of 7 billion weights on a server, and 3,000 customers, each with pictures and words of
  their own. Every request must be answered with its customer's model, and there is room for one copy of the weights.
- **telescope**: a survey has labelled four million pictures with a hundred classes. The machine that trains is large, the
  model will do this and nothing else for ten years, and accuracy is all that counts.
- **museum guide**: the model must get better at drawings, of which there are a few thousand labelled ones. Visitors will also go on to
  ask it about photographs and everything else that it can do now. There is one model, one copy, and training has been done already,
  in full; there is no time to train again.
- **rented model**: the model stands behind somebody's interface, which takes pictures and returns vectors. There are 20 labelled
  pictures for each of eight classes.

Ways: `"full"` (fine-tune everything), `"LoRA"` (low-rank deltas), `"interpolation"` (between pretrained and fine-tuned weights), `"linear probe"`
(on the vectors), `"train from scratch"`.

Reasons: `"small deltas"`: what belongs to a task must be small and quick to exchange. `"one task, many labels"`: nothing has to be
kept, and there is enough data for every weight. `"keep both"`: new ability is wanted and the old ones must stay, without training.
`"vectors only"`: the weights are out of reach. `"fewest parameters"`: less can go wrong. `"state of the art"`: it is what everybody does now.

**The trap:** a parameter count is not a purpose. What is scarce in each situation: memory, labels, time, access?
"""


# %% nbgrader={"grade": false, "grade_id": "which_tuning", "locked": false, "schema_version": 3, "solution": true, "task": false}
def which_tuning() -> dict[str, tuple[str, str]]:
    """For each situation the way and the reason: {"keyboards": (way, reason), …}."""
    ### BEGIN SOLUTION
    return {
        "keyboards": ("LoRA", "small deltas"),
        "telescope": ("full", "one task, many labels"),
        "museum guide": ("interpolation", "keep both"),
        "rented model": ("linear probe", "vectors only"),
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "which_tuning-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("which_tuning", points=4)
answers_of = exercise.student()

CASES = ("keyboards", "telescope", "museum guide", "rented model")
WAYS = {
    "full": "Full fine-tuning needs a copy of all weights for each task, forgets what it is not asked for, and takes enough labels. Is any of that a problem here?",
    "LoRA": "LoRA is trained, needs the weights, and keeps a small delta for each task. Are there several tasks, or too little memory, and can anybody train?",
    "interpolation": "Interpolation needs both ends, and trades a little of each. Is there a fine-tuned model already, and must the old abilities stay?",
    "linear probe": "A linear probe needs vectors and labels, and cannot change what the vectors hold. Is more than the vectors within reach?",
    "train from scratch": "Whoever starts from scratch throws away what the model knows. Is there any reason to?",
}
WHY = {
    "small deltas": "Are there many tasks that share one base?",
    "one task, many labels": "Is there one task only, and data for all weights?",
    "keep both": "Must old abilities stay beside the new one, with what is there already?",
    "vectors only": "Is it the access to the model that decides?",
    "fewest parameters": "A number of parameters is a means. What is scarce here?",
    "state of the art": "What others do says nothing about this situation. What is scarce here?",
}

with exercise.check(
    "every situation has a way and a reason from the lists",
    points=0,
    hint='Return {"keyboards": ("way", "reason"), …} with all four situations. Which answers are right is decided at grading.',
):
    given = answers_of()
    exercise.true(
        isinstance(given, dict) and set(given) == set(CASES),
        f"the dictionary must have exactly the keys {', '.join(CASES)}",
    )
    for situation in CASES:
        exercise.choice(given[situation], options=WAYS, reasons=WHY)

### BEGIN HIDDEN TESTS
with exercise.check(
    "keyboards: 3,000 customers, one copy of the weights",
    points=1,
    hint="What would 3,000 copies of 7 billion weights take? What can be exchanged between two requests?",
):
    exercise.choice(answers_of()["keyboards"], options=WAYS, reasons=WHY, correct=("LoRA", "small deltas"))

with exercise.check(
    "telescope: four million labels, one task",
    points=1,
    hint="Nothing is scarce here, and nothing has to be remembered.",
):
    exercise.choice(
        answers_of()["telescope"], options=WAYS, reasons=WHY, correct=("full", "one task, many labels")
    )

with exercise.check(
    "museum guide: fine-tuned already, and everything else must stay",
    points=1,
    hint="There are two models, the one before and the one after. What can be made of two models without training?",
):
    exercise.choice(
        answers_of()["museum guide"], options=WAYS, reasons=WHY, correct=("interpolation", "keep both")
    )

with exercise.check(
    "rented model: pictures in, vectors out",
    points=1,
    hint="Which of the ways does without the weights?",
):
    exercise.choice(
        answers_of()["rented model"], options=WAYS, reasons=WHY, correct=("linear probe", "vectors only")
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

For each situation, strike out what is impossible: who has no weights, who has no time, who has no room?
</details>
<details><summary>How to write it down</summary>

`return {"keyboards": ("way", "reason"), "telescope": (…), "museum guide": (…), "rented model": (…)}`
</details>
<details><summary>Help: "is not a choice on the list"</summary>

Use the short names in quotation marks, as they are written in the lists above.
</details>

## An exam question

*A team trains LoRA with rank 8 on the query and value matrices of a model with 24 blocks of width 1,024 and reports that "training
takes a thousandth of the memory of full fine-tuning". Compute the number of trained parameters and the memory for weights, gradients and
Adam's averages, for LoRA and for full fine-tuning, and correct the sentence. Then name one thing that LoRA does not save.* Take
seven minutes.

<details><summary>What we would answer</summary>

Trained: 24 · 2 · 2 · 8 · 1,024 = 786,432. A block has 12 d² + 13 d parameters, so there are 24 · 12,596,224 = 302,309,376. LoRA needs
4 · (302,309,376 + 786,432) + 12 · 786,432 bytes, about 1.22 GB; full fine-tuning needs 16 · 302,309,376 bytes, about 4.84 GB. It is a
quarter of the memory, not a thousandth: the frozen weights have to be there. What shrinks by a factor of 384 is what is trained,
and what is kept for each task. Not saved: the activations, as the gradient passes through all blocks down to the first A; and for
the same reason not much of the time of a step.
</details>

## What to take home

- Memory is 16 bytes for a weight that moves and 4 for one that does not: the base itself is what remains.
- Whatever is added starts as nothing: a residual with a zero at its end, a product with one zero factor. One, not two.
- A few directions for each matrix can be enough. How many is a question to the singular values and to the curve, not to faith.
- Fine-tuning forgets what the loss does not ask for. Watch it: measure what nobody trains.
- The straight line between before and after holds models that keep a good part of both.

## Further reading

- Houlsby and others (2019): Parameter-efficient transfer learning for NLP. arXiv 1902.00751.
- Hu and others (2022): LoRA: low-rank adaptation of large language models. arXiv 2106.09685.
- Ben Zaken, Goldberg, Ravfogel (2022): BitFit: simple parameter-efficient fine-tuning for transformer-based masked
  language-models. arXiv 2106.10199.
- Wortsman and others (2022): Robust fine-tuning of zero-shot models. arXiv 2109.01903.
- Aghajanyan, Gupta, Zettlemoyer (2021): Intrinsic dimensionality explains the effectiveness of language model fine-tuning.
  arXiv 2012.13255.
- Biderman and others (2024): LoRA learns less and forgets less. arXiv 2405.09673.
"""
