# %% [markdown]
"""
## 3. Structure says what must not matter

Text, sound, pictures, point clouds, graphs, tables (deck A17–A28) all reach the model as arrays of numbers. An array
always has an order: a first row, a first pixel, a first node. Often that order means nothing. A cloud of points has
no first point; whoever stored it had to begin somewhere. The *structure* of x is the list of what may be changed
without changing what is meant. Such a change is called a **symmetry**:

| structure | must not matter | must matter |
|---|---|---|
| set (a point cloud) | the order of the points | how large the cloud is |
| sequence (a caption) | where in the window it begins | the order of the words |
| grid (a picture) | where in the frame things stand | which pixel is beside which |
| graph (a club) | how the members are numbered | who knows whom |
| scene graph | how the objects are numbered | which way an arrow points |
| table (attributes) | the order of the rows | which numbers share a row |

(Must not matter *for what*? A picture's shift must not matter for "is there a cube?", and it does for "where is
it?". A symmetry belongs to a question.)

An encoding e(x) can treat a symmetry in three ways. It can have it built in, so that e(x) does not change. It can
leave it to the model, which then has to learn from examples that two different arrays mean the same. Or it can throw
away too much, and be blind for what matters as well. We measure: the relative change |e(x′) − e(x)| / |e(x)|, once
for an x′ that means the same, and once for an x′ that does not. For each structure we try the numbers as they lie
there, something too coarse, and something that fits.

**Predict, then run.** Which column of the table will be larger for the numbers as they lie there?
"""

# %%
from mmdl_course.data.graphs import load_karate_club

CLUB = (load_karate_club().adjacency > 0).double()
VOCABULARY = {word: number for number, word in enumerate(world.VOCABULARY)}
WINDOW = 48  # places for words


def cloud_of(seed: int) -> Float[Tensor, "point 3"]:
    """200 points on the objects of one scene."""
    scenes = world.sample_scenes(1, generator=seeded(seed))
    return world.point_cloud(scenes, points=200, generator=seeded(seed)).position[0].double()


def caption_of(seed: int) -> Float[Tensor, "position token"]:
    """One caption, each word a row with a single 1, at the start of an empty window."""
    scenes = world.sample_scenes(1, generator=seeded(seed))
    words = world.words_of(world.caption(scenes, generator=seeded(seed))[0])
    rows = torch.zeros(WINDOW, len(VOCABULARY), dtype=torch.float64)
    rows[torch.arange(len(words)), torch.tensor([VOCABULARY[word] for word in words])] = 1
    return rows


def picture_of(seed: int) -> Float[Tensor, "3 height width"]:
    """One picture."""
    return world.render(world.sample_scenes(1, generator=seeded(seed)), size=32).image[0].double()


def scene_graph_of(
    seed: int,
) -> tuple[Float[Tensor, "object feature"], Float[Tensor, "relation object object"]]:
    """Colours and shapes of three objects, and the arrows of the four relations."""
    config = world.SceneConfig(objects=(3, 3))
    scenes = world.sample_scenes(1, generator=seeded(seed), config=config)
    graph = world.scene_graph(scenes)
    present = scenes.present[0]
    colour = F.one_hot(scenes.colour[0, present], len(world.COLOURS))
    shape = F.one_hot(scenes.shape[0, present], len(world.SHAPES))
    return torch.cat([colour, shape], dim=1).double(), graph.edges[0][:, present][:, :, present].double()


def table_of(seed: int) -> Float[Tensor, "sample column"]:
    """x, y, radius, and whether large, of the objects of 60 scenes; each column with mean 0 and variance 1."""
    rows = world.attribute_table(world.sample_scenes(60, generator=seeded(seed)))
    numbers = [[row["x"], row["y"], row["scale"], float(row["size"] == "large")] for row in rows]
    columns = torch.tensor(numbers, dtype=torch.float64)
    return (columns - columns.mean(0)) / columns.std(0)


def shuffled(x: Tensor, generator: torch.Generator) -> Tensor:
    """The rows in another order."""
    return x[torch.randperm(len(x), generator=generator)]


def begins_later(rows: Tensor, generator: torch.Generator) -> Tensor:
    """The same words some places later in the window."""
    return rows.roll(int(torch.randint(1, 6, (1,), generator=generator)), dims=0)


def words_mixed(rows: Tensor, generator: torch.Generator) -> Tensor:
    """The same words in another order."""
    length = int(rows.sum())
    return torch.cat([shuffled(rows[:length], generator), rows[length:]])


def shifted_picture(image: Tensor, generator: torch.Generator) -> Tensor:
    """All moved by up to eight pixels; what leaves on one side comes in on the other."""
    down, right = torch.randint(1, 9, (2,), generator=generator).tolist()
    return image.roll((down, right), dims=(1, 2))


def pixels_mixed(image: Tensor, generator: torch.Generator) -> Tensor:
    """The same pixels at other places."""
    order = torch.randperm(image[0].numel(), generator=generator)
    return image.flatten(1)[:, order].reshape(image.shape)


def renumbered(adjacency: Tensor, generator: torch.Generator) -> Tensor:
    """The same graph with its nodes in another order."""
    order = torch.randperm(len(adjacency), generator=generator)
    return adjacency[order][:, order]


def partners_swapped(adjacency: Tensor, generator: torch.Generator) -> Tensor:
    """Ten times: a–b and c–d become a–d and c–b. All keep their number of friends."""
    graph = adjacency.clone()
    done = 0
    while done < 10:
        edges = graph.triu().nonzero()
        (a, b), (c, d) = edges[torch.randperm(len(edges), generator=generator)[:2]].tolist()
        if len({a, b, c, d}) == 4 and not graph[a, d] and not graph[c, b]:
            for first, second, value in ((a, b, 0), (c, d, 0), (a, d, 1), (c, b, 1)):
                graph[first, second] = graph[second, first] = value
            done += 1
    return graph


def objects_renumbered(graph: tuple[Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The same scene graph with its objects in another order."""
    nodes, edges = graph
    order = torch.tensor([[1, 0, 2], [1, 2, 0], [2, 1, 0]])[torch.randint(3, (1,), generator=generator)[0]]
    return nodes[order], edges[:, order][:, :, order]


def arrows_turned(graph: tuple[Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Left of becomes right of, behind becomes in front of."""
    nodes, edges = graph
    return nodes, edges.transpose(1, 2)


def column_mixed(table: Tensor, generator: torch.Generator) -> Tensor:
    """The numbers of the third column in another order, all else as it was."""
    mixed = table.clone()
    mixed[:, 2] = shuffled(table[:, 2], generator)
    return mixed


def products(x: Tensor) -> Tensor:
    """How the columns go together: means of the products of all pairs of columns."""
    return x.T @ x / len(x)


def flat(graph: tuple[Tensor, Tensor]) -> Tensor:
    """Nodes and arrows as they lie there."""
    return torch.cat([part.flatten() for part in graph])


STRUCTURES = {  # x, what must not matter, what must matter, encodings
    "set": (cloud_of, shuffled, lambda x, _: x.mean(0) + 1.5 * (x - x.mean(0)), {
        "flattened": torch.flatten, "mean": lambda x: x.mean(0), "mean products": products}),
    "sequence": (caption_of, begins_later, words_mixed, {
        "flattened": torch.flatten, "bag of words": lambda x: x.sum(0), "bag of word pairs": lambda x: x[:-1].T @ x[1:]}),
    "grid": (picture_of, shifted_picture, pixels_mixed, {
        "flattened": torch.flatten, "mean colour": lambda x: x.mean((1, 2)), "|Fourier transform|": lambda x: torch.fft.fft2(x).abs()}),
    "graph": (lambda _: CLUB, renumbered, partners_swapped, {
        "flattened": torch.flatten, "sorted degrees": lambda x: x.sum(0).sort().values, "eigenvalues": torch.linalg.eigvalsh}),
    "scene graph": (scene_graph_of, objects_renumbered, arrows_turned, {
        "flattened": flat, "counts of names, arrows": lambda g: torch.cat([g[0].sum(0), g[1].sum((1, 2))]),
        "counts of triples": lambda g: g[0].T @ g[1] @ g[0]}),
    "table": (table_of, shuffled, column_mixed, {
        "flattened": torch.flatten, "deviations of columns": lambda x: x.std(0), "mean products": products}),
}  # fmt: skip

print(f"{'structure':13s}{'encoding':25s}{'must not matter':>18s}{'must matter':>16s}")
for structure, (draw_x, same, other, encodings) in STRUCTURES.items():
    for encoding, encode in encodings.items():
        changes = []
        for seed in range(budget(20, grading=2)):
            x = draw_x(seed)
            before, after, changed = encode(x), encode(same(x, seeded(seed))), encode(other(x, seeded(seed)))
            changes.append([((y - before).norm() / before.norm()).item() for y in (after, changed)])
        mean, deviation = np.mean(changes, axis=0), np.std(changes, axis=0)
        verdict = "has it built in" if mean[1] > 1e-6 else "blind for both"
        verdict = "leaves it to the model" if mean[0] > 1e-6 else verdict
        told = "".join(f"{m:9.3f} ± {d:.3f}" for m, d in zip(mean, deviation, strict=True))
        print(f"{structure:13s}{encoding:25s}{told}   {verdict}")

# %% [markdown]
"""
Read the first row of each structure. Stored as they lie there, the numbers change more under what must not matter
than under what must, for five of the six (and about as much for the grid). Two clouds that differ in nothing but the
order of their points are *farther apart* than a cloud and another one half as large again. A model on such numbers
has to learn from examples that they mean the same: for a cloud of 200 points, in 200! orders.

The coarse encodings have the symmetry too, and are blind: exactly zero in both columns. A symmetry is easily had by
throwing things away: a constant has all of them. What one wants is to lose *exactly* what must not matter, and the
third rows are only steps in that direction. (Different clouds can share their mean products, different graphs their
eigenvalues, different pictures the absolute values of their Fourier transform; and that one forgives shifts only if
what leaves on one side comes in on the other.) Weeks 03 to 05 are about models that have the symmetry and keep the
rest.

A sequence sits in between: the words as a bag are a set, and to make a sequence of it the order has to be put back.
That is what positions are for.
"""

# %% [markdown]
"""
## 4. Positions: putting the order back

Take the words of a caption as a bag, and for each word a vector. A model that treats all members of the bag alike
cannot tell "the cube left of the cone" from "the cone left of the cube". So each vector gets an encoding of its
position p as well. What should that encoding be like? Two wishes:

- The size of the numbers must not grow with p.
- "Three words to the left" should look the same everywhere in the text. What we say of an offset should not have to
  be said again for each p.

A hand of a clock does both. Its tip is at (sin ωp, cos ωp), a unit vector for all p, and going k further *turns* it
by ωk, wherever it stands. One hand comes round again after 2π/ω, so Vaswani et al. (2017) take d/2 of them, from fast
to slow. Hand i = 0, …, d/2 − 1 has the frequency

ω_i = 10000^(−2i/d) radians for each position.

{{exercise:positions}}

Write `positions`: for each number in `places` a row of d numbers, the sine and the cosine of hand 0, then the sine and
the cosine of hand 1, and so on: (sin ω₀p, cos ω₀p, sin ω₁p, cos ω₁p, …). The places are whole numbers in any order,
possibly negative, and d is even.

This **layout is a convention**. Other programs write all sines first and then all cosines; the numbers are the same,
and a linear layer would not care. But two programs that exchange weights have to agree, so here it is interleaved, as
in the paper.

**The trap:** the 2i in the exponent. In the paper 2i is the number of the *column* of the sine, so i counts hands and
goes to d/2 − 1. And both columns of a hand have the same frequency: a sine and a cosine that run at different speeds
are no clock, and nothing turns.
"""


# %% nbgrader={"grade": false, "grade_id": "positions", "locked": false, "schema_version": 3, "solution": true, "task": false}
def positions(places: Int64[Tensor, " position"], dim: int) -> Float[Tensor, "position dim"]:
    """Encode positions by the hands of d/2 clocks.

    Args:
        places: p, whole numbers in any order; may be negative.
        dim: d, even.

    Returns:
        One row for each place: sin ω₀p, cos ω₀p, sin ω₁p, cos ω₁p, …; all in -1..1.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.5.
    """
    ### BEGIN SOLUTION
    frequency = 10000.0 ** (-torch.arange(0, dim, 2) / dim)
    angle = places[:, None] * frequency  # (position, dim / 2)
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)  # (position, dim)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "positions-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("positions", points=4)
encode_positions = exercise.student()


def clocks(places, dim):
    """What the student's function says of these places, checked for its shape, in doubles."""
    got = encode_positions(torch.as_tensor(places), dim)
    exercise.shape(got, (len(places), dim))
    exercise.finite(got)
    return torch.as_tensor(got).detach().double()


with exercise.check(
    "one hand and two hands, by hand",
    points=1,
    hint="d = 2 has one hand with ω = 1: sin p, cos p. d = 4 has two, with ω = 1 and ω = 10000^(−2/4) = 0.01. Angles are radians, "
    "and p is what stands in places, not its number in the list.",
):
    places = torch.tensor([0, 2, 1])
    wanted = torch.stack([places.double().sin(), places.double().cos()], dim=1)
    exercise.close(clocks(places, 2), wanted, atol=1e-4)
    got = clocks(torch.tensor([3, 1]), 4)[1]
    numbers = torch.tensor([0.8414710, 0.5403023, 0.0099998, 0.9999500], dtype=torch.float64)
    exercise.true(
        not torch.allclose(got, numbers[[0, 2, 1, 3]], atol=1e-4),
        "the numbers are right and stand in another layout: all sines first. Here sine and cosine of a hand stand side by side",
    )
    exercise.true(
        not torch.allclose(got, numbers[[1, 0, 3, 2]], atol=1e-4),
        "the numbers are right and stand in another layout: of each hand the sine comes first",
    )
    exercise.close(got, numbers, atol=1e-4)

with exercise.check(
    "an inner product depends on the offset alone",
    points=1,
    hint="sin a sin b + cos a cos b = cos(a − b): that needs the sine and the cosine of the *same* angle. A row's product with itself "
    "is the number of hands, d/2.",
):
    for dim in (6, 16):
        start = exercise.rng.choice(400, size=12, replace=False)
        offset = int(exercise.rng.integers(1, 30))
        here, there = clocks(start, dim), clocks(start + offset, dim)
        exercise.close((here * here).sum(1), torch.full((12,), dim / 2, dtype=torch.float64), atol=2e-3)
        product = (here * there).sum(1)
        exercise.close(product, product[:1].expand(12), atol=3e-3, why="the same offset for all twelve")

### BEGIN HIDDEN TESTS
with exercise.check(
    "a shift is one rotation, the same for all places",
    points=1,
    hint="Going k further turns hand i by ω_i·k. The matrix built from positions([k]) takes every row to the row k places later.",
):
    dim, offset = 2 * int(exercise.rng.integers(3, 12)), int(exercise.rng.integers(2, 40))
    turn = clocks(np.array([offset]), dim)[0]
    rotation = torch.zeros(dim, dim, dtype=torch.float64)
    for hand in range(0, dim, 2):
        sine, cosine = turn[hand], turn[hand + 1]
        rotation[hand : hand + 2, hand : hand + 2] = torch.stack([cosine, sine, -sine, cosine]).reshape(2, 2)
    exercise.close(rotation @ rotation.T, torch.eye(dim, dtype=torch.float64), atol=2e-3)
    start = exercise.rng.integers(-200, 500, size=15)
    exercise.close(clocks(start, dim) @ rotation.T, clocks(start + offset, dim), atol=4e-3)

with exercise.check(
    "fresh sizes, number by number",
    points=1,
    hint="Column 2i is sin(p / 10000^(2i/d)), column 2i + 1 the cosine of the same angle, i = 0 … d/2 − 1.",
):
    dim = 2 * int(exercise.rng.integers(4, 20))
    places = exercise.rng.integers(-100, 900, size=9)
    angle = places[:, None] / 10000 ** (np.arange(0, dim, 2) / dim)
    wanted = np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(9, dim)
    exercise.close(clocks(places, dim), wanted, atol=3e-3, why="float32 rounds large angles")
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Make the d/2 frequencies first, as one vector. Then all angles are a table: places down, frequencies across.
</details>
<details><summary>Pseudo code</summary>

frequency ← 10000^(−2i/d) for i = 0, 1, …, d/2 − 1
angle ← places as a column times frequency as a row
stack sin(angle) and cos(angle) on a new last axis, so that they stand beside each other, then flatten the last two axes
</details>
<details><summary>Help: I get "the numbers are right and stand in another layout"</summary>

`torch.cat([sin, cos], dim=1)` puts all sines first. `torch.stack([sin, cos], dim=2)` makes pairs; `.flatten(1)` then
lays the pairs one after the other. Or fill an empty tensor: `out[:, 0::2] = sin`, `out[:, 1::2] = cos`.
</details>
"""

# %% [markdown]
"""
**Predict, then run.** The inner product of the encodings of p and p + k, for k = 0, …, 100. With one hand it is cos k.
What does it become with many hands? And what is it for a one-hot position (a 1 in place p, else 0)?
"""

# %% tags=["demo"]
offsets = torch.arange(101)
falloff = {}
for dim in (4, 16, 64, 256):
    falloff[f"d = {dim}"] = positions(offsets, dim) @ positions(torch.tensor([0]), dim)[0] / (dim / 2)
falloff["one-hot"] = (offsets == 0).float()
viz.show(
    viz.curves(
        falloff,
        x=offsets,
        x_label="offset k (positions)",
        y_label="inner product, 1 at k = 0",
    ),
    alt="Inner product against offset. With d = 4 it swings between about −0.2 and 1 all the way. With d = 16 and 64 it falls and "
    "swings less; with d = 256 it falls smoothly to about 0.45 at offset 100. For one-hot positions it is 1 at offset 0 and 0 elsewhere.",
)
print("inner product of p and p + 3, at p = 0, 10, 100, 1000:")
starts = torch.tensor([0, 10, 100, 1000])
for name, at in {
    "sinusoidal, d = 64": lambda p: positions(p, 64),
    "one-hot": lambda p: F.one_hot(p, 1004).float(),
    "the bare number": lambda p: p[:, None].float(),
}.items():
    print(
        f"  {name:20s}" + "".join(f"{value:14.2f}" for value in (at(starts) * at(starts + 3)).sum(1).tolist())
    )

# %% [markdown]
"""
One hand alone comes round again and again; with d = 4 the offset 6 looks nearly like 0. With many hands of different
speeds they never agree again by accident, and what remains at d = 256 falls smoothly: near is similar, far is less so.
It does not fall to zero. The slow hands have hardly moved after 100 steps, and they make up much of the sum.

One-hot positions know only "the same" and "not the same"; to them the next place is as far away as the last. And with
the bare number, the product says little about the offset: the same offset of 3 gives 0 in one place and a million in
another.

Now the use. A model wants to fetch **the token three to the left**. In attention (week 03) a token at p asks with the
score s(p, q) = e(p)ᵀ W e(q), and takes the token at the q with the highest score. W is learned. We learn it on the
places 0 to 63, and leave out one asker of every four, drawn by chance. There are three tests: the 46 askers of the
training; the 15 left out *between* them; and all askers in the places 64 to 127 and 128 to 191, *beyond* anything seen
(there the 64 places of the new window are on offer). Chance is 1 in 64.

As a yardstick: the W that the exercise promises, the rotation by −3, written down without any training.

**Predict, then run.** Which of the three encodings will find the right place beyond the training's end?
"""

# %% tags=["demo"]
BACK, SPAN, DIM = 3, 64, 64
ENCODERS = {
    "sinusoidal": lambda p: positions(p, DIM),
    "one-hot": lambda p: F.one_hot(p, 3 * SPAN).float(),
    "bare number": lambda p: torch.stack([p / SPAN, torch.ones(len(p))], dim=1),
}


def share_found(weight: Tensor, encode, askers: Int64[Tensor, " query"], first: int) -> float:
    """Share of askers whose highest score is at the right place; ties are broken by chance."""
    keys = torch.arange(first, first + SPAN)
    scores = encode(askers) @ weight @ encode(keys).T
    best = (scores + 1e-6 * torch.rand(scores.shape, generator=seeded(0))).argmax(dim=1)
    return (keys[best] == askers - BACK).float().mean().item()


def found_everywhere(weight: Tensor, encode, trained: Tensor, between: Tensor) -> list[float]:
    """The share found among trained, between and beyond."""
    beyond = [
        share_found(weight, encode, first + torch.arange(BACK, SPAN), first) for first in (SPAN, 2 * SPAN)
    ]
    return [
        share_found(weight, encode, trained, 0),
        share_found(weight, encode, between, 0),
        float(np.mean(beyond)),
    ]


def learn_to_fetch(encode, trained: Tensor, *, seed: int) -> Tensor:
    """W, by cross-entropy over the places of the first window."""
    questions, keys = encode(trained), encode(torch.arange(SPAN))
    width = keys.shape[1]
    weight = (torch.randn(width, width, generator=seeded(seed)) / width**0.5).requires_grad_()
    fit(
        lambda i: F.cross_entropy(questions[i] @ weight @ keys.T, trained[i] - BACK),
        [weight],
        count=len(trained),
        steps=budget(1000, grading=20),
        generator=seeded(seed),
        batch_size=len(trained),
        learning_rate=1e-2,
        label=f"fetching, seed {seed}",
    )
    return weight.detach()


fetched: dict[str, list[list[float]]] = {name: [] for name in (*ENCODERS, "rotation by −3")}
turn_back = positions(torch.tensor([-BACK]), DIM)[0]
blocks = [torch.tensor([[c, -s], [s, c]]) for s, c in turn_back.reshape(-1, 2).tolist()]
for seed in range(budget(5, grading=1)):
    between = torch.arange(BACK, SPAN - 1, 4) + torch.randint(4, (15,), generator=seeded(100 + seed))
    trained = torch.tensor([place for place in range(BACK, SPAN) if place not in between.tolist()])
    for name, encode in ENCODERS.items():
        weight = learn_to_fetch(encode, trained, seed=seed)
        fetched[name].append(found_everywhere(weight, encode, trained, between))
    fetched["rotation by −3"].append(
        found_everywhere(torch.block_diag(*blocks), ENCODERS["sinusoidal"], trained, between)
    )

print(f"{'share found, %':20s}{'trained':>16s}{'between':>16s}{'beyond':>16s}")
for name, rows in fetched.items():
    rows = 100 * np.array(rows)
    deviation = rows.std(axis=0, ddof=1) if len(rows) > 1 else np.zeros(3)
    print(
        f"{name:20s}" + "".join(f"{m:9.1f} ± {d:4.1f}" for m, d in zip(rows.mean(0), deviation, strict=True))
    )
print(f"{'chance':20s}" + f"{100 / SPAN:9.1f}{'':7s}" * 3)

# %% [markdown]
"""
All askers that were trained find their place with the sinusoidal and with the one-hot positions. After that they
part. For one-hot positions each place is a stranger: what was learned of one says nothing of another, and both
columns on the right are at chance, give or take a few askers. The bare number fails even in training. Its score is a
straight line in q, and a straight line is highest at one of its ends. (Note that p − 3 is the easiest *sum* there is.
It is the asking by inner products that a bare number is no good for.)

The sinusoidal row is where it gets interesting. Between the trained places it finds nearly all. Beyond them it finds
about half: thirty times chance, and far from all. The last row says that this is not the encoding's fault. *One*
matrix is right everywhere, and it is a rotation; but 46 examples from 64 places do not force the training to find it,
and it found another one that is as good on those. An encoding can make a rule easy to say. It cannot make a model say
it. (Week 03 meets positions that build the rotation into the model.)
"""

# %% [markdown]
"""
## 5. Patches: from a grid to a sequence

A transformer reads a sequence of vectors. To feed it a picture one cuts the picture into patches, and lays out each
patch as one vector (Dosovitskiy et al. 2021, "An image is worth 16x16 words"). Nothing is computed, nothing is lost,
it is a matter of axes. That is why it so easily goes wrong without anybody noticing.

{{exercise:patchify}}

Write `patchify` and its inverse `unpatchify`. `size` is (rows, columns) of a patch, in pixels; it divides the picture's
height and width.

- **Patches** in reading order: the top row of patches from left to right, then the next row.
- **Numbers inside a patch**: all of the first channel, then all of the second, …; within a channel in reading order.
  (So a linear layer on a patch sees its numbers in the order of a convolution's weight.)

`unpatchify` gets the picture's (channel, height, width) as `shape`, since the patches alone do not say it.

**The trap:** an axis order that *round-trips* and is wrong. `images.reshape(image, patch, feature)` has the right
shape, and a reshape back restores every picture perfectly. And its "patches" are strips of rows, one colour at a
time. So the round trip proves nothing. What does: changing one pixel may change one patch only, the right one.
"""


# %% nbgrader={"grade": false, "grade_id": "patchify", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patchify(
    images: Float[Tensor, "image channel height width"], size: tuple[int, int]
) -> Float[Tensor, "image patch feature"]:
    """Cut images into patches, one vector each.

    Args:
        images: any numbers.
        size: rows and columns of a patch, pixels; they divide height and width.

    Returns:
        Patches in reading order; inside a patch channel, row, column, the last one running fastest.

    Source: Dosovitskiy et al. 2021, "An image is worth 16x16 words", section 3.1 (the order is our convention).
    """
    ### BEGIN SOLUTION
    count, channels, height, width = images.shape
    rows, columns = size
    cut = images.reshape(count, channels, height // rows, rows, width // columns, columns)
    cut = cut.permute(0, 2, 4, 1, 3, 5)  # (image, patch row, patch column, channel, row, column)
    return cut.flatten(3).flatten(1, 2)  # (image, patch, feature)
    ### END SOLUTION


def unpatchify(
    patches: Float[Tensor, "image patch feature"], size: tuple[int, int], shape: tuple[int, int, int]
) -> Float[Tensor, "image channel height width"]:
    """Put patches together again: the inverse of patchify.

    Args:
        patches: as patchify returns them.
        size: rows and columns of a patch, pixels.
        shape: channel, height, width of an image.

    Returns:
        The images.
    """
    ### BEGIN SOLUTION
    channels, height, width = shape
    rows, columns = size
    cut = patches.reshape(-1, height // rows, width // columns, channels, rows, columns)
    return cut.permute(0, 3, 1, 4, 2, 5).reshape(-1, channels, height, width)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "patchify-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("patchify", points=4)
cut, join = exercise.student("patchify"), exercise.student("unpatchify")

with exercise.check(
    "a picture of 4 × 6 pixels in patches of 2 × 3, by hand",
    points=1,
    hint="The first patch holds the pixels 0 1 2 of the first row and 6 7 8 of the second. `size` is (rows, columns).",
):
    picture = torch.arange(24.0).reshape(1, 1, 4, 6)
    got = cut(picture, (2, 3))
    exercise.shape(got, (1, 4, 6))
    exercise.true(
        not torch.equal(torch.as_tensor(got).flatten(), picture.flatten()),
        "the patches are the picture's rows cut to length: a reshape alone moves no number. Split height and width into two axes "
        "each, then permute",
    )
    by_hand = [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11], [12, 13, 14, 18, 19, 20], [15, 16, 17, 21, 22, 23]]
    exercise.close(got, torch.tensor([by_hand], dtype=torch.float32), atol=0.0)

with exercise.check(
    "changing one pixel changes one patch, the right one",
    points=1,
    hint="A pixel has three numbers, one for each channel, and all three belong to the same patch. Its patch is the one in row "
    "(pixel's row // patch's rows) and column (pixel's column // patch's columns), counted in reading order.",
):
    images = exercise.draw(2, 3, 8, 12)
    before = torch.as_tensor(cut(images.clone(), (4, 3)))
    exercise.shape(before, (2, 8, 36))
    for _ in range(5):
        image, row, column = (int(exercise.rng.integers(high)) for high in (2, 8, 12))
        changed = images.clone()
        changed[image, :, row, column] += 1
        different = (torch.as_tensor(cut(changed, (4, 3))) - before).abs().sum(dim=2).nonzero().tolist()
        right = [image, (row // 4) * 4 + column // 3]
        exercise.true(
            different == [right],
            f"the pixel in row {row}, column {column} of image {image} changed the patches {different} ([image, patch]); with "
            f"patches of 4 × 3 in a picture of 8 × 12 it belongs to {right} alone",
        )

### BEGIN HIDDEN TESTS
with exercise.check(
    "fresh sizes, patch by patch, with channels",
    points=1,
    hint="Inside a patch: channel, then row, then column, the last running fastest. Patches need not be square, nor pictures, and a "
    "picture need not have three channels.",
):
    rows, columns, down, across = (int(exercise.rng.integers(2, 5)) for _ in range(4))
    rows += columns == rows  # never square
    channels = int(exercise.rng.choice([2, 4, 5]))
    images = exercise.draw(3, channels, down * rows, across * columns)
    got = torch.as_tensor(cut(images.clone(), (rows, columns)))
    exercise.shape(got, (3, down * across, channels * rows * columns))
    for number in range(down * across):
        top, left = number // across * rows, number % across * columns
        exercise.close(
            got[:, number], images[:, :, top : top + rows, left : left + columns].flatten(1), atol=0.0
        )

with exercise.check(
    "unpatchify puts each patch where it came from",
    points=1,
    hint="Go backwards: split the patches' axis into rows and columns of patches, the features' into channel, row, column; permute so "
    "that each row of patches stands beside the row inside it; then reshape.",
):
    rows, columns, down, across, channels = (int(exercise.rng.integers(2, 5)) for _ in range(5))
    rows += columns == rows
    shape = (channels, down * rows, across * columns)
    patches = exercise.draw(2, down * across, channels * rows * columns)
    got = torch.as_tensor(join(patches.clone(), (rows, columns), shape))
    exercise.shape(got, (2, *shape))
    for number in range(down * across):
        top, left = number // across * rows, number % across * columns
        exercise.close(
            got[:, :, top : top + rows, left : left + columns].flatten(1), patches[:, number], atol=0.0
        )
    exercise.close(cut(got, (rows, columns)), patches, atol=0.0)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Give every axis of the result a name before you write anything: image, patch row, patch column, channel, row in the
patch, column in the patch. Six axes. A reshape can only split or join *neighbouring* axes; all moving is done by
`permute`.
</details>
<details><summary>Pseudo code</summary>

patchify: split height → (patch row, row), width → (patch column, column)
move the axes into the order image, patch row, patch column, channel, row, column
join the first pair after image into patch, the last three into feature

unpatchify: split what was joined, move the axes back to image, channel, patch row, row, patch column, column, join
</details>
<details><summary>Help: "view size is not compatible with input tensor's size and stride"</summary>

After `permute` the numbers lie in memory in the old order, and `view` would have to copy. `reshape` does.
</details>
"""

# %% [markdown]
"""
A picture of what a wrong axis order does. We replace each number by the mean of its patch, and put the patches
together again: once with your functions, once with two reshapes. Both pairs round-trip without a loss.
"""

# %% tags=["demo"]
PATCH = (8, 8)


def strips(images: Tensor, size: tuple[int, int]) -> Tensor:
    """The wrong patches: the numbers as they lie in memory, cut to length."""
    return images.reshape(len(images), -1, images.shape[1] * size[0] * size[1])


few = world.render(world.sample_scenes(6, generator=seeded(5)), size=64).image
mosaics = {"picture": few}
for name, cut_up, together in (
    ("right axis order", patchify, lambda parts: unpatchify(parts, PATCH, few.shape[1:])),
    ("wrong axis order", strips, lambda parts: parts.reshape(few.shape)),
):
    parts = cut_up(few, PATCH)
    print(f"{name:17s} round trip exact: {torch.equal(together(parts), few)}")
    mosaics[name] = together(parts.mean(dim=2, keepdim=True).expand_as(parts))
    moved = few.clone()
    moved[:, :, 20, 30] += 0.5
    touched = ((cut_up(moved, PATCH) - parts).abs().sum(dim=2) > 0).sum(dim=1)
    print(f"{'':17s} patches that one pixel touches: {touched.tolist()}")
viz.show(
    viz.strip(mosaics),
    alt="Six pictures; below them, each number replaced by its patch's mean: a coarse mosaic in which the objects' places and "
    "dominant tones can be seen, though in grey, as a mean over three channels. With the wrong axis order: horizontal bands over the "
    "whole width in shifted colours, with no object left.",
)

# %% [markdown]
"""
Both round trips are exact. But a pixel belongs to one patch on the right side and to three on the wrong one, one for
each colour; and in the second mosaic nothing of the objects' places from left to right is left.

Does a model mind? That depends on the model. We ask for the colour of the one object in a picture (eight colours,
chance 12.5 %), with 1,500 pictures to learn from. First a **linear** classifier on all the numbers, flattened. Then a
**shared** network: the same two layers look at every patch, and the answers are averaged over the patches, as in a
transformer's first step. Beside the right patches and the wrong ones there are two more kinds of 192 numbers: 64 pixels
in reading order with all their three colours, and numbers from all over the picture, drawn by chance once for all.

**Predict, then run.** For which of the two models does the axis order matter?
"""


# %% tags=["demo"]
def single_objects(
    count: int, *, seed: int
) -> tuple[Float[Tensor, "image 3 height width"], Int64[Tensor, " image"]]:
    """Small pictures of one object, and its colour."""
    config = world.SceneConfig(objects=(1, 1), sizes=("large",))
    scenes = world.sample_scenes(count, generator=seeded(seed), config=config)
    return world.render(scenes, size=32).image - 0.5, scenes.colour[:, 0]


many, colour = single_objects(budget(1500, grading=100), seed=1)
new, new_colour = single_objects(budget(1000, grading=100), seed=2)
anywhere = torch.randperm(many[0].numel(), generator=seeded(3))
CUTS = {
    "patches": lambda images: patchify(images, PATCH),
    "wrong axis order": lambda images: strips(images, PATCH),
    "rows of pixels": lambda images: strips(images.movedim(1, 3).reshape(images.shape), PATCH),
    "numbers by chance": lambda images: strips(images.flatten(1)[:, anywhere].reshape(images.shape), PATCH),
}


def colour_score(parts: Tensor, new_parts: Tensor, *, shared: bool, seed: int) -> float:
    """Test accuracy of a linear classifier on all numbers, or of one network for every patch, averaged."""
    torch.manual_seed(seed)
    width = parts.shape[2] if shared else parts[0].numel()
    reads = (
        nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        if shared
        else nn.Flatten()
    )
    head = nn.Linear(64 if shared else width, len(world.COLOURS))

    def answer(x: Tensor) -> Tensor:
        return head(reads(x).mean(dim=1) if shared else reads(x))

    fit(
        lambda i: F.cross_entropy(answer(parts[i]), colour[i]),
        [*reads.parameters(), *head.parameters()],
        count=len(parts),
        steps=budget(600, grading=10),
        generator=seeded(seed),
        batch_size=64,
        learning_rate=3e-3,
        label=f"{'shared' if shared else 'linear'}, seed {seed}",
    )
    with torch.no_grad():
        return 100 * (answer(new_parts).argmax(dim=1) == new_colour).float().mean().item()


print(f"{'colour right, %':20s}{'linear, flattened':>20s}{'shared, averaged':>20s}")
for name, cut_up in CUTS.items():
    told = ""
    for shared in (False, True):
        score = [
            colour_score(cut_up(many), cut_up(new), shared=shared, seed=seed)
            for seed in range(budget(3, grading=1))
        ]
        told += f"{np.mean(score):13.1f} ± {np.std(score, ddof=1) if len(score) > 1 else 0:4.1f}"
    print(f"{name:20s}{told}")

# %% [markdown]
"""
The linear model on all numbers does not care at all: each number has a weight of its own, wherever it stands. So a
test of such a model, too, would never have found the mistake. The shared network does care, and the wrong order costs
it more than half of its accuracy. What is it that hurts? Not that squares became strips: rows of whole pixels do as
well as patches, within a quarter of a point. And not disorder as such: even numbers drawn by chance do far better
than the wrong order. It is that a strip holds *one* colour channel only. Red, green and blue of a pixel never meet in
the network, and the mean over all strips forgets which was which. Patches decide what a model can put together
cheaply.
"""

# %% [markdown]
"""
## 6. Sound: which frequencies, when

A waveform is a sequence of air pressures, 16,000 a second. Hardly anything that we hear is a property of one of these
numbers. A vowel is a set of frequencies that lasts for a tenth of a second; and if the recording starts a millisecond
later, the vowel is the same and all numbers are different. So sound is mostly given to models as a **spectrogram**:
which frequencies are there, as time goes by.

- **Frames.** Cut out N samples, beginning at sample 0, at H (the *hop*), at 2H, … Usually H < N, so that frames
  overlap. Frames that do not fit any more are left out; nothing is padded. That makes 1 + ⌊(T − N) / H⌋ frames of T
  samples.
- **Window.** A cut makes hard edges, and an edge contains all frequencies. So fade in and out: multiply sample n = 0,
  …, N − 1 of each frame by the Hann window w_n = ½ − ½ cos(2πn / N).
- **Fourier transform.** X_k = Σ_n w_n x_n e^(−2πikn/N). For real x, bin N − k is the mirror image of bin k, so keep k
  = 0, …, N/2: N/2 + 1 bins, for the frequencies k · rate / N.
- **Power and logarithm.** P_k = |X_k|², in decibels 10 · log₁₀ P_k. Ears judge by ratios, and so do decibels.
- **Floor.** The log of zero is minus infinity, and silence is common. Replace P by max(P, floor) before the
  logarithm.

A check that costs nothing is **Parseval's theorem**: energy in time is energy in frequency. In this convention (no
factor in the transform, one-sided, N even)

Σ_n (w_n x_n)² = (P_0 + 2 · (P_1 + … + P_{N/2−1}) + P_{N/2}) / N.

{{exercise:log_spectrogram}}

Write `log_spectrogram` as specified above: a tensor of shape (frames, N/2 + 1), in decibels.

**The trap:** hop and frame length are two different numbers. Power is the *square* of the magnitude. The window is
easily forgotten, and nothing crashes. (Its denominator here is N, as in `torch.hann_window(N)`; `np.hanning(N)`
divides by N − 1.) And `torch.stft` pads both ends unless told otherwise.
"""


# %% nbgrader={"grade": false, "grade_id": "log_spectrogram", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_spectrogram(
    waveform: Float[Tensor, " time"], *, size: int, hop: int, floor: float = 1e-10
) -> Float[Tensor, "frame bin"]:
    """The power of each frequency in each frame, in decibels.

    Args:
        waveform: at least `size` samples.
        size: N, samples of a frame; even.
        hop: H, samples from the start of one frame to the start of the next.
        floor: the least power, above 0; what is below counts as this.

    Returns:
        10 · log₁₀ max(P, floor): frames in time, bins k = 0 … N/2 from 0 to half the sample rate.

    Source: Oppenheim and Schafer, "Discrete-time signal processing", section 10.3; deck A19 for the signals.
    """
    ### BEGIN SOLUTION
    frames = waveform.unfold(0, size, hop)  # (frame, sample)
    power = torch.fft.rfft(frames * torch.hann_window(size)).abs().square()  # (frame, bin)
    return 10 * power.clamp(min=floor).log10()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "log_spectrogram-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("log_spectrogram", points=5)
spectrum_of = exercise.student()


def levels(waveform, *, size, hop, **options):
    """What the student's function says of a waveform, checked for its shape, in doubles."""
    got = spectrum_of(waveform, size=size, hop=hop, **options)
    count, bins = 1 + (len(waveform) - size) // hop, size // 2 + 1
    found = tuple(getattr(got, "shape", ()))
    likely = {
        (
            count,
            size,
        ): "this is two-sided: for real signals the bins above N/2 are mirror images; keep N/2 + 1 of them",
        (bins, count): "this is transposed: frames come first, then bins",
        (
            1 + (len(waveform) - hop) // size,
            hop // 2 + 1,
        ): "hop and frame length are swapped: frames are N long, and begin H apart",
        (
            1 + len(waveform) // hop,
            bins,
        ): "there are too many frames: nothing is padded (torch.stft needs center=False)",
        (count - 1, bins): "the last frame that fits is missing: there are 1 + (T − N) // H",
        (
            len(waveform) // size,
            bins,
        ): "these frames begin N apart: they overlap, as each begins H after the last",
    }
    if found != (count, bins) and found in likely:
        exercise.true(False, f"the shape is {found}, expected {(count, bins)}: {likely[found]}")
    exercise.shape(got, (count, bins))
    return torch.as_tensor(got).detach().double()


with exercise.check(
    "a tone is in its bin",
    points=1,
    hint="Eight periods in N = 64 samples: bin 8. There |X| = N/4 = 16, since the window's mean is ½ and a cosine has two sides; the "
    "power is 256, which is 24.08 dB. The two neighbours have a quarter of the power.",
):
    tone = torch.cos(2 * torch.pi * 8 * torch.arange(320) / 64)
    got = levels(tone, size=64, hop=16)[3]
    peak = float(got[8])
    for level, mistake in {
        30.10: "30.1 dB is the tone without a window",
        12.04: "12.0 dB is ten times the log of the magnitude; the power is its square",
        48.16: "48.2 dB is twenty times the log of the power: 20 log₁₀ is for magnitudes, 10 log₁₀ for powers",
        5.545: "5.5 is the natural logarithm of the power",
        2.408: "2.4 is the log₁₀ of the power: decibels are ten of those",
        23.95: "23.9 dB is a symmetric window, divided by N − 1; here it is N",
        24.75: "24.7 dB is a Hamming window",
    }.items():
        exercise.true(abs(peak - level) > 0.04, f"{mistake}; expected are 24.08 dB at the tone's bin")
    exercise.close(got[7:10], [18.062, 24.082, 18.062], atol=0.02)
    exercise.true(
        bool((got[[0, 3, 5, 11, 20, 32]] < -40).all()),
        "the tone sounds in other bins as well; with the window it is in bins 7, 8 and 9 alone",
    )

with exercise.check(
    "a click is heard in the frames that hold it",
    points=1,
    hint="Frame j has the samples jH … jH + N − 1. A click of height 1 has the same power in all bins of a frame, w² of the place at "
    "which it stands there. All other frames are silent: at the floor that was passed.",
):
    click = torch.zeros(1000)
    click[100] = 1.0
    got = levels(click, size=64, hop=24, floor=1e-8)  # 40 frames, the last ends with the last sample
    wanted = torch.full((40, 33), -80.0, dtype=torch.float64)
    for frame in range(2, 5):
        place = 100 - 24 * frame
        wanted[frame] = 20 * np.log10(0.5 - 0.5 * np.cos(2 * np.pi * place / 64))
    exercise.close(got, wanted, atol=0.02)

### BEGIN HIDDEN TESTS
with exercise.check(
    "Parseval: the energy in frequency is the energy in time",
    points=1,
    hint="P is |X|² without any factor; the window multiplies the samples, before the transform.",
):
    size, hop = 2 * int(exercise.rng.integers(10, 40)), int(exercise.rng.integers(5, 30))
    noise = exercise.draw(6 * size + int(exercise.rng.integers(size)))
    power = 10 ** (levels(noise, size=size, hop=hop) / 10)
    window = 0.5 - 0.5 * torch.cos(2 * torch.pi * torch.arange(size, dtype=torch.float64) / size)
    energy = torch.stack(
        [(noise[j * hop : j * hop + size].double() * window).square().sum() for j in range(len(power))]
    )
    exercise.close((2 * power.sum(1) - power[:, 0] - power[:, -1]) / size, energy, atol=1e-4, rtol=2e-3)

with exercise.check(
    "a fresh recording, bin by bin",
    points=1,
    hint="Compare with the sum itself: X_k = Σ w_n x_n e^(−2πikn/N), n from the frame's own first sample.",
):
    size, hop = 2 * int(exercise.rng.integers(8, 30)), int(exercise.rng.integers(3, 40))
    noise = float(10 ** exercise.rng.uniform(-1, 1)) * exercise.draw(5 * size)
    power = 10 ** (levels(noise, size=size, hop=hop) / 10)
    n = np.arange(size)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / size)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(size // 2 + 1), n) / size)
    frames = [noise[j * hop : j * hop + size].double().numpy() for j in range(len(power))]
    wanted = np.abs(np.stack([waves @ (window * frame) for frame in frames])) ** 2
    exercise.close(power, wanted, atol=1e-4 * float(wanted.mean()), rtol=2e-3)

with exercise.check(
    "silence is at the floor, and all else as it was",
    points=1,
    hint="max(P, floor) before the logarithm: `clamp(min=floor)`. Adding the floor lifts what is a little above it, too, and a floor "
    "that goes by the loudest is another one for each recording.",
):
    floor = float(10 ** exercise.rng.uniform(-6, -2))
    quiet = torch.zeros(512)
    quiet[256:] = (2 * floor) ** 0.5 / 16 * torch.cos(2 * torch.pi * 5 * torch.arange(256) / 64)
    got = levels(quiet, size=64, hop=32, floor=floor)
    exercise.finite(got)
    least = 10 * np.log10(floor)
    exercise.close(got[:7], torch.full((7, 33), least, dtype=torch.float64), atol=0.01)
    exercise.close(got[-1, 4:7], [least, least + 3.0103, least], atol=0.02)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

`waveform.unfold(0, size, hop)` is the table of frames, one a row, without a loop. Of `torch.fft` you want the
transform for real input.
</details>
<details><summary>Pseudo code</summary>

frames ← all slices of N samples that begin at 0, H, 2H, … and fit
window ← ½ − ½ cos(2πn/N), n = 0 … N − 1
X ← one-sided Fourier transform of each frame · window
power ← |X|²; return 10 · log₁₀(max(power, floor))
</details>
<details><summary>Help: my click is in the right frames, but at the wrong level</summary>

The level tells where in the frame the click stands. If all three frames have the same level, there is no window; if
they are off by a little, look at the window's denominator.
</details>
"""

# %% [markdown]
"""
### What the frame length trades

One spoken caption, two frame lengths, the same hop. A frame of N samples is N / rate seconds long, and its bins are
rate / N hertz apart: the product is 1. Whoever looks twice as closely at the frequencies looks half as closely at the
time.

**Predict, then run.** In which of the two pictures will you see the pitch of the voice (115 Hz, with its multiples)?
"""

# %% tags=["demo"]
from IPython.display import Audio, display

SENTENCE = "a small red cube left of a large green torus"
spoken = world.speak([SENTENCE])
RATE, HOP = spoken.sample_rate, 64
wave = spoken.waveform[0, : spoken.length[0]]
marks = list(zip(spoken.words[0], spoken.start[0].tolist(), spoken.end[0].tolist(), strict=False))


def panel_name(size: int, rate: float, unit: str = "ms") -> str:
    """How long a frame is, and how far apart its bins are."""
    return f"frames of {1000 * size / rate:.0f} {unit}, bins {rate / size:.3g} Hz apart"


viz.show(
    viz.spectrogram(
        {
            panel_name(size, RATE): log_spectrogram(wave, size=size, hop=HOP, floor=1e-8)
            for size in (128, 1024)
        },
        rate=RATE,
        hop=HOP,
        words=marks,
        reach=70,
        highest=5000,
    ),
    alt="Two spectrograms of the same spoken caption with its words above. With frames of 8 ms the beginnings of sounds and single "
    "pulses of the voice are sharp in time and the resonances are broad bands. With frames of 64 ms the bands dissolve into thin "
    "level lines, the multiples of the pitch, and the beginnings are smeared.",
)
display(Audio(wave.numpy(), rate=RATE))

# %% [markdown]
"""
Above, one sees *when*: the burst of air that opens "cube" or "torus" is a sharp upright line, and within the vowels
there is an upright line for each single vibration of the vocal folds. The resonances of the throat are broad bands that
glide from sound to sound: they are what tells the vowels apart. Below, the same bands have dissolved into level lines:
the pitch and its multiples, which rise and fall together as the sentence is intoned. In exchange the bursts are smeared
over the length of a frame. Neither is the right one. 20 to 30 ms, somewhere in between, is usual for speech.

The same tool on a signal of the body: three heartbeats, a real electrocardiogram (`load_ecg`). Its electric hum stands
at one sixth of the sample rate. The file does not say what that rate is; the course *inferred* 360 a second by reading
the hum as the 60 Hz of American mains. So the scale of the picture rests on that reading, and the line at 60 Hz is no
discovery.
"""

# %% tags=["demo"]
from mmdl_course.data.signals import load_ecg

ecg = load_ecg()
beats = (ecg.signal - ecg.signal.mean()) / ecg.signal.std()
viz.show(
    viz.spectrogram(
        {
            panel_name(size, ecg.rate): log_spectrogram(beats, size=size, hop=4, floor=1e-8)
            for size in (32, 256)
        },
        rate=ecg.rate,
        hop=4,
        reach=70,
        highest=120,
    ),
    alt="Two spectrograms of three heartbeats. With frames of 89 ms three narrow upright stripes, one for each beat, reach from 0 to "
    "about 100 Hz, with weaker low waves before and after each. With frames of 711 ms the stripes are broad hills, and a thin level "
    "line stands at 60 Hz. Grey margins at both ends, half a frame wide.",
)
steady = log_spectrogram(beats, size=256, hop=4)
hertz = torch.arange(steady.shape[1]) * ecg.rate / 256
band = (hertz > 45) & (hertz < 75)
loudest = steady.mean(0)[band].argmax()
print(
    f"loudest between 45 and 75 Hz: bin at {hertz[band][loudest]:.1f} Hz, {steady.mean(0)[band].max() - steady.mean(0)[band].median():.0f} dB over the band's median"
)

# %% [markdown]
"""
The short frames tell the moment of each beat, and even the smaller waves before and after it; the hum is no more than
a pale band two bins high. The long frames find the hum as a thin line, and blur each beat into a hill that is as wide
as a frame. (The grey margins have no frame whose middle is there: nothing was padded.)

### What is it good for?

Fourteen words, each spoken alone by twelve voices; twelve *other* voices in the test. Pitch, length of the throat,
speed and breath are drawn at random for each voice. The classifier learns nothing: it takes the word of the nearest
training example (Euclidean distance). So all that differs is the encoding, from the raw samples step by step to the
log-spectrogram, averaged over time. Chance is 1 in 14, 7.1 %.

**Predict, then run.** Which step will gain most: to frequencies at all, the window, the square, or the logarithm?
"""

# %% tags=["demo"]
SPOKEN = ("red", "green", "blue", "yellow", "white", "cube", "cone", "sphere", "torus", "cylinder", "left", "right", "small", "large")  # fmt: skip


def random_voices(count: int, *, seed: int) -> list[world.Voice]:
    """Speakers that differ in everything; short throats tend to have high voices."""
    rng = np.random.default_rng(seed)
    voices = []
    for number in range(count):
        tract = rng.uniform(0.75, 1.1)
        pitch = np.clip(115 * tract**-3 * np.exp(0.12 * rng.normal()), 60, 350)
        rate, breath, intonation = rng.uniform((0.75, 0.1, 3.0), (1.3, 0.6, 9.0))
        voices.append(
            world.Voice(
                f"{number}", float(pitch), float(tract), float(rate), float(breath), float(intonation)
            )
        )
    return voices


def spectrum(frames: Tensor, *, window: bool) -> Tensor:
    """Magnitudes of frames, with the window or without."""
    return torch.fft.rfft(frames * torch.hann_window(frames.shape[1]) if window else frames).abs()


def averaged(wave: Tensor) -> dict[str, Tensor]:
    """Five encodings of one word; all but the first are averaged over time."""
    frames = wave.unfold(0, 256, 128)
    return {
        "raw samples": F.pad(wave, (0, max(0, 16_000 - len(wave))))[:16_000],
        "magnitude, no window": spectrum(frames, window=False).mean(0),
        "magnitude, window": spectrum(frames, window=True).mean(0),
        "power, window": spectrum(frames, window=True).square().mean(0),
        "log-power, no window": 10 * spectrum(frames, window=False).square().clamp(min=1e-4).log10().mean(0),
        "log-spectrogram": log_spectrogram(wave, size=256, hop=128, floor=1e-4).mean(0),
        "same, floor 1e-10": log_spectrogram(wave, size=256, hop=128, floor=1e-10).mean(0),
    }


def encoded_words(voices: list[world.Voice]) -> dict[str, Tensor]:
    """All encodings of all words by all voices; the words run fastest."""
    speech = world.speak(list(SPOKEN) * len(voices), voice=[voice for voice in voices for _ in SPOKEN])
    rows = [averaged(wave[:length]) for wave, length in zip(speech.waveform, speech.length, strict=True)]
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


heard: dict[str, list[float]] = {}
for seed in range(budget(4, grading=1)):
    speakers = budget(12, grading=2)
    known = encoded_words(random_voices(speakers, seed=seed))
    others = encoded_words(random_voices(speakers, seed=1000 + seed))
    truth = torch.arange(len(SPOKEN)).repeat(speakers)
    for name in known:
        nearest = torch.cdist(others[name], known[name]).argmin(dim=1)
        heard.setdefault(name, []).append(100 * (truth[nearest] == truth).float().mean().item())
print(f"{'words right, %':24s}other voices")
for name, scores_of_word in heard.items():
    deviation = np.std(scores_of_word, ddof=1) if len(scores_of_word) > 1 else 0.0
    print(f"{name:24s}{np.mean(scores_of_word):6.1f} ± {deviation:.1f}")
print(f"{'chance':24s}{100 / len(SPOKEN):6.1f}")

# %% [markdown]
"""
The raw samples are near chance: the nearest waveform is hardly ever the same word, as two recordings of one word do
not line up sample by sample. Looking at frequencies at all is by far the largest step, even by magnitudes without a
window. The window adds four to eight points, the logarithm nine to fourteen. The square alone *hurts*: distances
between powers are decided by the few loudest bins, and only the logarithm brings the quiet ones back. So "power" in a
log-spectrogram is not there for its own sake: with a logarithm, it is a factor of two.

The row before chance is a warning. The same log-spectrogram with a lower floor loses eight points, since it then
takes seriously how silent the silence is. (The floor of 1e-4 was the first we tried. These are synthetic voices and
one simple classifier; the order of the steps may be another one elsewhere.) And all but the first forgot the order of
the sounds, as they are means over time. For fourteen words that is enough; but two words with the same sounds in
another order would look the same.
"""
