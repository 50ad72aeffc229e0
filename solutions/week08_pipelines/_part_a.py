# %% [markdown]
"""
## Translation: a caption is a translation of a picture

Translation (A67) turns one modality into another. For a captioner the letters of the deck mean:

- **x**: an image, 3 × 64 × 64 numbers.
- **f**: the image encoder. Ours is a stack of convolutions.
- **z**: what f makes of x. It is not one vector here, it is 64 vectors, one for each patch of 8 × 8 pixels. "Hidden
  features may be a single vector or a more complex state" (A70).
- **g**: the decoder. It writes one word at a time, and for each word it looks at z.
- **y**: the caption. And θ learns p(y | x) from pairs of an image and a caption.

A captioner of this kind ships with the course: 465,024 numbers, trained on 24,000 scenes. Its captions can be marked
without an opinion. `world.parse` takes a caption apart into claims, and `world.holds` says of each claim whether it is
true of the scene. "a red sphere next to a blue cone" makes three: there is a red sphere, there is a blue cone, and the
one is next to the other.

A share of true claims alone means little: "a sphere" is true of many scenes. So we print it beside four captioners
that have not seen the scene:

- **another scene's image**: the same model, but it is shown another picture.
- **no image**: the same decoder as a language model. It draws its words.
- **the most frequent caption**, always.
- **another scene's caption**, written by the world. It is what the course calls chance.

**Predict, then run.** Which kind of claim will the captioner get wrong most often: that a thing exists, how many
there are, or how two things stand to each other? And which of the four blind ones comes out on top?
"""

# %%
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from einops import rearrange
from jaxtyping import Bool

from mmdl_course.architectures import load_checkpoint
from mmdl_course.architectures.miniclip import ImageTower, MiniCLIP
from mmdl_course.architectures.tokenizer import END, PAD, START, WordTokenizer
from mmdl_course.architectures.transformer import positions

captioner = load_checkpoint("captioner")
told_scenes = world.sample_scenes(
    budget(400, grading=24), generator=seeded(811), config=world.SceneConfig(objects=(1, 3))
)
told_images = world.render(told_scenes, size=64).image
others = world.sample_scenes(
    budget(4000, grading=200), generator=seeded(812), config=world.SceneConfig(objects=(1, 3))
)
most_frequent = Counter(world.caption(others, generator=seeded(813), detail=0.7)).most_common(1)[0][0]


def verdicts(texts: Sequence[str], scenes: world.Scenes) -> list[list[tuple[str, bool]]]:
    """For each text the kind and truth of every claim that it makes of its scene; none if it cannot be read."""
    found = []
    for number, text in enumerate(texts):
        scene = scenes[number : number + 1]
        try:
            found.append([(claim.kind, bool(world.holds(claim, scene)[0])) for claim in world.parse(text)])
        except world.CaptionError:
            found.append([])
    return found


def true_share(claims: list[list[tuple[str, bool]]]) -> tuple[float, float, float]:
    """Mean share of true claims, its standard error, and the share of captions in which every claim is true."""
    shares = np.array([np.mean([true for _, true in row]) if row else 0.0 for row in claims])
    return shares.mean(), shares.std(ddof=1) / len(shares) ** 0.5, (shares == 1).mean()


written = captioner.write(told_images)
said_of_other = written[1:] + written[:1]  # what it says when it is shown the next scene
world_captions = world.caption(told_scenes, generator=seeded(814), detail=0.7)
torch.manual_seed(8)  # write(sample=True) draws from torch's global generator
blindly = captioner.write(count=len(told_images), sample=True)
tellers = {
    "the world's own caption": world_captions,
    "captioner": written,
    "another scene's image": said_of_other,
    "no image": blindly,
    f"always '{most_frequent}'": [most_frequent] * len(told_images),
    "another scene's caption (chance)": world_captions[1:] + world_captions[:1],
}
judged = {name: verdicts(texts, told_scenes) for name, texts in tellers.items()}

viz.show(
    viz.image_grid(told_images[:6], titles=[f"{written[n]}\n({world_captions[n]})" for n in range(6)]),
    alt="Six scenes; above each what the captioner says, and in brackets a caption of the world: "
    + "; ".join(f"{written[n]} ({world_captions[n]})" for n in range(6))
    + ".",
)
print(f"{'':46s}{'true claims, %':>18s}{'all true, %':>14s}    by kind, % (of how many claims)")
for name, claims in judged.items():
    mean, error, whole = true_share(claims)
    kinds: dict[str, list[bool]] = {}
    for kind, true in (claim for row in claims for claim in row):
        kinds.setdefault(kind, []).append(true)
    told = ", ".join(
        f"{kind} {100 * np.mean(kinds[kind]):.0f} ({len(kinds[kind])})" for kind in sorted(kinds)
    )
    print(f"{name:46s}{100 * mean:11.1f} ± {100 * error:.1f}{100 * whole:14.1f}    {told}")

# %% [markdown]
"""
RESULT_ONE

## One step of the decoder

How does a word get to see a picture? By *cross-attention*. Each word asks a question (the query), each patch of the
image offers a label and a content (key and value), and the word takes the contents whose labels fit its question.
Queries come from the text, keys and values from the image. Swap them and you get an image that reads.

A decoder block has three parts, and each adds to the stream of word vectors. First the words look at each other, each
at itself and at those *before* it. Then each word looks at the image. Then a small network works on each word alone.

Three more things have to be right, and each has a classic mistake that no error message will point out.

**Training.** The model sees all words of a caption at once and predicts at each place the *next* one. This is *teacher
forcing*: it always continues the true caption, never its own. If the target is not shifted, the model learns to copy
the word it was given. If a place can see later words, it copies the answer from there. Both have a wonderful loss, and
write nonsense.

**Padding.** Captions in a batch have different lengths, and images of different sizes have different numbers of
patches. The rest is filled up. No loss may come from filling, and nothing may look at it. (Filled *words* stand at the
end, where the words before them cannot look anyway.)

**Writing.** The model's own words go back in, one at a time, until it says that it has ended. Here a *cache* saves
work: the earlier words do not change any more, so only the new word has to go through the block. It still has to see
the earlier ones.

These are the parts of a block. `Look` is attention with several heads, where you say who asks, who answers and who is
allowed to see whom.
"""


# %%
class Look(nn.Module):
    """Multi-head attention: each one who asks gets a mixture of those who answer.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.2.
    """

    def __init__(self, dim: int, *, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def forward(
        self,
        asking: Float[Tensor, "text asker dim"],
        answering: Float[Tensor, "text answerer dim"],
        allowed: Bool[Tensor, "#text #asker answerer"] | None = None,
    ) -> Float[Tensor, "text asker dim"]:
        """What each asker takes. `allowed` is True where it may look, and None lets everybody look everywhere."""
        split = "text place (head dim) -> text head place dim"
        query = rearrange(self.query(asking), split, head=self.heads)
        key = rearrange(self.key(answering), split, head=self.heads)
        value = rearrange(self.value(answering), split, head=self.heads)
        mask = None if allowed is None else allowed[:, None]  # the same for each head
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out(rearrange(mixed, "text head place dim -> text place (head dim)"))


class DecoderBlock(nn.Module):
    """The parts of one block of a captioner; `caption_step` says how they work together."""

    def __init__(self, dim: int, *, heads: int) -> None:
        super().__init__()
        self.self_norm, self.cross_norm, self.mlp_norm = (nn.LayerNorm(dim) for _ in range(3))
        self.self_attention, self.cross_attention = Look(dim, heads=heads), Look(dim, heads=heads)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))


# %% [markdown]
"""
{{exercise:caption_step}}

Write three functions.

`caption_step(block, words, image, visible=…, earlier=…)` is one block. Each of the three parts reads a *normalised*
copy of the stream and *adds* its answer to the stream: `self_norm` and `self_attention`, `cross_norm` and
`cross_attention`, `mlp_norm` and `mlp`. The patches in `image` come as they are and are not normalised. A word sees
itself and those before it. It sees all patches that are `visible`. With `earlier`, the words in `words` come after
those in `earlier`: return vectors for `words` only.

`teacher_forcing(tokens)` turns captions into inputs and goals, both one position shorter than the captions. Where the
goal is filling (`PAD`), write -100: `F.cross_entropy` leaves such places out.

`greedy_decode(next_word, count, length=…)` writes `count` captions. Each begins with `START`; then the likeliest word
is added, again and again. After its `END` a caption gets only `PAD`. Stop as soon as *all* have ended, or at `length`
tokens.

**The trap:** there are four. A target that is not shifted. A mask that is missing, or that does not fit when the cache
is in use: one new word after four earlier ones sees five, not one. A look at filling. And an `END` that is ignored, or
that ends the captions of the others as well.
"""


# %% nbgrader={"grade": false, "grade_id": "caption_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def caption_step(
    block: DecoderBlock,
    words: Float[Tensor, "text position dim"],
    image: Float[Tensor, "text patch dim"],
    *,
    visible: Bool[Tensor, "text patch"] | None = None,
    earlier: Float[Tensor, "text before dim"] | None = None,
) -> Float[Tensor, "text position dim"]:
    """One block of a captioner: words look at the words before them, and at the image.

    Args:
        block: its parts.
        words: the vectors that come into the block.
        image: the patches' vectors.
        visible: False where a patch is filling; None if all are real.
        earlier: what came into this block for the words before these; None if there are none.

    Returns:
        The vectors of `words`, refined.

    Source: Vaswani et al. 2017, section 3.1, with norm first (Xiong et al. 2020); deck A, slide 67.
    """
    ### BEGIN SOLUTION
    seen = words if earlier is None else torch.cat([earlier, words], dim=1)
    before = seen.shape[1] - words.shape[1]
    causal = torch.ones(1, words.shape[1], seen.shape[1], dtype=torch.bool).tril(before)
    patches = None if visible is None else visible[:, None]
    words = words + block.self_attention(block.self_norm(words), block.self_norm(seen), causal)
    words = words + block.cross_attention(block.cross_norm(words), image, patches)
    return words + block.mlp(block.mlp_norm(words))
    ### END SOLUTION


def teacher_forcing(
    tokens: Int64[Tensor, "text position"],
) -> tuple[Int64[Tensor, "text place"], Int64[Tensor, "text place"]]:
    """What goes into a captioner in training, and what should come out.

    Args:
        tokens: START, words, END, and PAD up to the longest caption's length.

    Returns:
        inputs: tokens to read.
        goals: at each place the token that follows; -100 where nothing is to be learned.
    """
    ### BEGIN SOLUTION
    goals = tokens[:, 1:]
    return tokens[:, :-1], goals.masked_fill(goals == PAD, -100)
    ### END SOLUTION


@torch.no_grad()
def greedy_decode(
    next_word: Callable[[Tensor], Tensor], count: int, *, length: int = 12
) -> Int64[Tensor, "text position"]:
    """Write captions, each time with the likeliest word.

    Args:
        next_word: takes the tokens so far, Int64 "text position", and returns logits, Float "text token".
        count: number of captions.
        length: most tokens of a caption, START included.

    Returns:
        START, words, END, and PAD behind it. A caption that reaches `length` may lack its END.
    """
    ### BEGIN SOLUTION
    tokens = torch.full((count, 1), START)
    ended = torch.zeros(count, dtype=torch.bool)
    while tokens.shape[1] < length and not ended.all():
        word = next_word(tokens).argmax(dim=-1).masked_fill(ended, PAD)
        tokens = torch.cat([tokens, word[:, None]], dim=1)
        ended = ended | (word == END)
    return tokens
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "caption_step-check", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("caption_step", points=6)
step = exercise.student()
forced, decode = exercise.student("teacher_forcing"), exercise.student("greedy_decode")


def any_block(dim=16):
    """A block with weights drawn for this check."""
    block = DecoderBlock(dim, heads=2)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.copy_(0.4 * exercise.draw(*parameter.shape))
    return block.requires_grad_(False)


def same(a, b):
    """Whether two tensors hold the same numbers, up to rounding."""
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-4)


def any_captions(lengths):
    """Captions of so many words, filled up."""
    rows = [
        [START, *exercise.rng.integers(4, 30, size=many).tolist(), END, *[PAD] * (max(lengths) - many)]
        for many in lengths
    ]
    return torch.tensor(rows)


with exercise.check(
    "teacher forcing: at each place the goal is the next word, and filling does not count",
    points=1,
    hint="inputs = all but the last token, goals = all but the first. PAD becomes -100 among the goals, in a copy; END is a goal like any word: else nobody learns to stop.",
):
    tokens = any_captions([5, 2, 4, 1])
    before = tokens.clone()
    inputs, goals = forced(tokens)
    exercise.shape(inputs, (4, 6))
    exercise.shape(goals, (4, 6))
    expected = [[after if after != PAD else -100 for after in row[1:]] for row in before.tolist()]
    exercise.equal(goals, torch.tensor(expected))
    counts = torch.tensor(expected) != -100
    exercise.equal(torch.as_tensor(inputs)[counts], before[:, :-1][counts])
    exercise.true(
        torch.equal(tokens, before),
        "the captions themselves were changed: goals is a view of tokens, so writing -100 into it writes into them",
    )

with exercise.check(
    "no leak: a later word changes nothing at the places before it",
    points=1,
    hint="allowed[asker, answerer] is True where the answerer is the asker itself or stands before it: a lower triangle, its diagonal included.",
):
    block, words, image = any_block(), exercise.draw(2, 6, 16), exercise.draw(2, 5, 16)
    out = step(block, words, image)
    exercise.shape(out, (2, 6, 16))
    exercise.finite(out)
    for place in range(1, 6):
        changed = words.clone()
        changed[:, place:] = exercise.draw(2, 6 - place, 16)
        exercise.true(
            same(step(block, changed, image)[:, :place], out[:, :place]),
            f"the words from place {place} on were changed, and the vectors before place {place} changed with them: "
            "they see the answer that they are to predict",
        )
    changed = words.clone()
    changed[:, 0] = exercise.draw(2, 16)
    moved_places = [not same(a, b) for a, b in zip(step(block, changed, image)[0], out[0], strict=True)]
    exercise.true(
        all(moved_places),
        "the first word was changed, and a later place did not notice: words must see those before them",
    )
    with torch.no_grad():
        block.self_attention.value.weight.zero_()
    exercise.true(
        not same(step(block, words[:, :1], image), out[:, :1]),
        "the first word takes nothing in self-attention, though it should look at itself",
    )

with exercise.check(
    "greedy decoding ends where the model ends",
    points=1,
    hint="Keep a True/False for each caption: has it ended? Those that have get PAD. Stop when all have, and not when the first has.",
):
    scripts = torch.tensor([[7, 9, END, 8, 8, 8, 8], [5, END, 6, 6, END, 6, 6], [4, 4, 7, 5, END, 9, 9]])
    calls = []

    def scripted(tokens):
        """Logits that dictate the script; after END they go on, as untrained places do."""
        calls.append(tuple(tokens.shape))
        exercise.true(bool((tokens[:, 0] == START).all()), "the captions do not begin with START")
        return F.one_hot(scripts[: len(tokens), tokens.shape[1] - 1], 12).float()

    found = decode(scripted, 3, length=8)
    exercise.equal(
        found,
        torch.tensor(
            [[START, 7, 9, END, PAD, PAD], [START, 5, END, PAD, PAD, PAD], [START, 4, 4, 7, 5, END]]
        ),
    )
    exercise.true(
        len(calls) == 5,
        f"the model was asked {len(calls)} times; after 5 words all captions have ended",
    )
    exercise.equal(decode(scripted, 3, length=4), torch.tensor(
        [[START, 7, 9, END], [START, 5, END, PAD], [START, 4, 4, 7]]
    ))  # fmt: skip

### BEGIN HIDDEN TESTS
with exercise.check(
    "each word asks, each patch of its own image answers",
    points=1,
    hint="Three times: stream + part(norm(stream)). In cross-attention the words ask and the patches answer, as they come, without the mask of the words.",
):
    block, words, image = any_block(), exercise.draw(3, 5, 16), exercise.draw(3, 7, 16)
    out = step(block, words, image)
    for place in range(5):  # place by place, without any mask
        x = words[:, place : place + 1]
        x = x + block.self_attention(block.self_norm(x), block.self_norm(words[:, : place + 1]))
        x = x + block.cross_attention(block.cross_norm(x), image)
        x = x + block.mlp(block.mlp_norm(x))
        exercise.close(out[:, place], x[:, 0], atol=1e-4, why="float32 rounds")
    five = image[:, :5]
    exercise.true(
        not same(step(block, words, torch.cat([five[:, :4], five[:, :1]], dim=1))[:, 0], step(block, words, five)[:, 0]),
        "the first word does not see the last patch: the mask of the words was laid on the image",
    )  # fmt: skip

with exercise.check(
    "nobody looks at patches that are filling",
    points=1,
    hint="visible is True where a patch is real. It is the same for all words of a text: (text, patch) becomes (text, 1, patch).",
):
    block, words, image = any_block(), exercise.draw(3, 4, 16), exercise.draw(3, 6, 16)
    visible = torch.tensor([[1, 1, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 1, 0]]).bool()
    filled = image.masked_fill(~visible[..., None], 30.0)
    out = step(block, words, filled, visible=visible)
    for text in range(3):
        alone = step(block, words[text : text + 1], image[text : text + 1, visible[text]])
        exercise.close(out[text], alone[0], atol=1e-4, why="float32 rounds")

with exercise.check(
    "with the cache and without it the same words are written",
    points=1,
    hint="With `earlier`, the answers in self-attention come from earlier and words together, and the triangle moves right by the number of earlier words: tril(diagonal=before). The cache holds what came into the block, so it is normalised like the words.",
):
    block, words, image = any_block(), exercise.draw(2, 7, 16), exercise.draw(2, 5, 16)
    out = step(block, words, image)
    for before, after in ((4, 5), (3, 6), (1, 7), (6, 7)):
        some = step(block, words[:, before:after], image, earlier=words[:, :before])
        exercise.shape(some, (2, after - before, 16))
        exercise.close(some, out[:, before:after], atol=1e-4, why="float32 rounds")
    visible = torch.tensor([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]]).bool()
    exercise.close(
        step(block, words[:, 3:], image, visible=visible, earlier=words[:, :3]),
        step(block, words, image, visible=visible)[:, 3:],
        atol=1e-4,
        why="float32 rounds",
    )

    blocks, table = [any_block(), any_block()], exercise.draw(20, 16)
    image = exercise.draw(6, 5, 16)

    def uncached(tokens):
        """All words go through both blocks."""
        x = table[tokens]
        for one in blocks:
            x = step(one, x, image)
        return x[:, -1] @ table.T

    caches = [torch.zeros(6, 0, 16) for _ in blocks]

    def cached(tokens):
        """The newest word alone goes through both blocks."""
        x = table[tokens[:, -1:]]
        for number, one in enumerate(blocks):
            came_in = x
            x = step(one, x, image, earlier=caches[number])
            caches[number] = torch.cat([caches[number], came_in], dim=1)
        return x[:, -1] @ table.T

    exercise.equal(decode(cached, 6, length=9), decode(uncached, 6, length=9))
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Begin with `seen`, the vectors that may answer in self-attention: `words` alone, or `earlier` and `words` together. How
many of them stand before the first of `words`? The first of `words` may look at those and at itself; the second at one
more. That is a triangle which was moved to the right.
</details>
<details><summary>Pseudo code</summary>

```text
caption_step:
    seen ← words, or earlier and words side by side along the positions
    allowed ← ones (1, words, seen), lower triangle, moved right by the number of earlier words
    words ← words + self_attention(self_norm(words) asks, self_norm(seen) answers, allowed)
    words ← words + cross_attention(cross_norm(words) asks, image answers, visible with an axis for the words)
    words + mlp(mlp_norm(words))
teacher_forcing: all but the last; all but the first, with -100 for PAD
greedy_decode: tokens ← START; until all have ended or length is reached:
    word ← likeliest next word, PAD for those that have ended; add it; who says END has ended
```
</details>
<details><summary>Help: is True "may look" or "may not look"?</summary>

Here True is *may look*, in `allowed` and in `visible`. Other functions of PyTorch (`nn.MultiheadAttention`) take masks that are True where
one may *not* look, so many programs that you will read have a `~` here.
</details>
<details><summary>Help: the loss is wonderful, and the captions are nonsense</summary>

Then the answer was among the questions. Either the goals are not shifted against the inputs, or a place sees later
words.
</details>

Now the pieces make a model: word vectors, an image encoder, blocks, and a last layer that scores the next word. It has
one block only; the shipped captioner has three. Note how `loss` and `write` share everything but the source of the
words.
"""


# %%
ALIGNED = load_checkpoint("miniclip")


class SmallCaptioner(nn.Module):
    """An image tower like MiniCLIP's and a decoder of one block."""

    def __init__(self, vocabulary: Sequence[str], *, dim: int = 64, length: int = 12) -> None:
        super().__init__()
        self.tokenizer, self.length = WordTokenizer(vocabulary), length
        self.image = ImageTower(dim=dim, pixels=(0.6, 0.12))
        self.image_norm = nn.LayerNorm(dim)
        self.words = nn.Embedding(len(self.tokenizer), dim)
        nn.init.normal_(self.words.weight, std=0.1)
        self.position = positions(length, dim)
        self.blocks = nn.ModuleList([DecoderBlock(dim, heads=4)])
        self.norm, self.out = nn.LayerNorm(dim), nn.Linear(dim, len(self.tokenizer))

    def logits(
        self, tokens: Int64[Tensor, "text position"], z: Float[Tensor, "text patch dim"]
    ) -> Float[Tensor, "text position token"]:
        """g: scores of the word that follows each position, given the patches."""
        x, z = self.words(tokens) + self.position[: tokens.shape[1]], self.image_norm(z)
        for block in self.blocks:
            x = caption_step(block, x, z)
        return self.out(self.norm(x))

    def loss(
        self, tokens: Int64[Tensor, "text position"], z: Float[Tensor, "text patch dim"]
    ) -> Float[Tensor, ""]:
        """Mean cross-entropy of the next word, nats."""
        inputs, goals = teacher_forcing(tokens)
        return F.cross_entropy(self.logits(inputs, z).flatten(0, 1), goals.flatten(), ignore_index=-100)

    def write(self, z: Float[Tensor, "text patch dim"]) -> list[str]:
        """One caption for each image."""
        tokens = greedy_decode(lambda tokens: self.logits(tokens, z)[:, -1], len(z), length=self.length)
        return self.tokenizer.decode(tokens)


# %% [markdown]
"""
## Alignment as initialisation

"Different pipelines may be combined (e.g. use alignment pre-training to initialize encoder)" (A70). The reason is
money. Captions that somebody writes for *your* task are few. Pairs of images and some text are many. So let alignment
(A68) teach the image encoder on the many pairs, and let translation start from there with the few captions.

Our MiniCLIP was aligned on 24,000 scenes. Its image tower has the same form as the tower of `SmallCaptioner`. Moving
it across sounds like one line, and it is a line in which most of the mistakes are silent:

- A file of weights holds the *whole* model under its own names. MiniCLIP's has `image.stem.0.weight` and
  `image.position`, and also `image_projection.weight` and `text.…`. With `strict=False`, names that do not fit are
  skipped without a word. If none fits, the encoder stays random and nothing fails.
- "Frozen" has two halves. `requires_grad_(False)` stops the gradients. But a layer like batch norm also keeps running
  averages, which are no parameters: in *training mode* they are replaced at each forward pass, gradient or not. Only
  evaluation mode holds them still. (Our tower has no such layer. Most encoders that you will download have.)
- Weights must be *copied*. Two models that share the memory of one tensor are trained together.

{{exercise:start_aligned}}

Write `start_aligned`. It copies the image encoder's weights and buffers out of `weights` into `captioner.image`. There
a name `image.NAME` belongs to the encoder's own `NAME`; everything else in `weights` belongs to other parts. If one of
the encoder's names is missing, or there is an `image.NAME` that the encoder does not have, an error must be raised (of
any kind). Then:

- with `freeze=True`, the encoder asks for no gradient and is in evaluation mode. Everything else moves, and is in
  training mode.
- with `freeze=False`, everything moves and is in training mode. This holds whatever state the captioner came in.

It returns a list of the parameters that move, each once: exactly what the optimiser should get.

**The trap:** the one that makes no noise. After your line, is it *known* that the weights arrived?
"""


# %% nbgrader={"grade": false, "grade_id": "start_aligned", "locked": false, "schema_version": 3, "solution": true, "task": false}
def start_aligned(captioner: nn.Module, weights: Mapping[str, Tensor], *, freeze: bool) -> list[nn.Parameter]:
    """Give a captioner an aligned image encoder, and say what moves.

    Args:
        captioner: changed in place; its image encoder is `captioner.image`.
        weights: the `state_dict()` of an aligned model, whose image encoder is called `image` as well.
        freeze: whether the encoder stays as it is.

    Returns:
        The parameters that move.

    Source: deck A, slide 70.
    """
    ### BEGIN SOLUTION
    own = {name.removeprefix("image."): value for name, value in weights.items() if name.startswith("image.")}
    captioner.image.load_state_dict(own)  # strict: a wrong name is an error
    captioner.train().requires_grad_(True)
    if freeze:
        captioner.image.eval().requires_grad_(False)
    return [parameter for parameter in captioner.parameters() if parameter.requires_grad]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "start_aligned-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("start_aligned", points=4)
start = exercise.student()


class TowerWithState(nn.Module):
    """An encoder with batch norm and dropout, as many downloaded ones have them."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 4, stride=4), nn.BatchNorm2d(6), nn.GELU(), nn.Dropout(0.2))
        self.position = nn.Parameter(torch.zeros(4, 6))

    def forward(self, image):
        """One vector for each patch."""
        return self.stem(image).flatten(2).transpose(1, 2) + self.position


class Stand(nn.Module):
    """A stand-in for a captioner, with a part on each side of the encoder and state of its own."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.image = TowerWithState()
        self.image_norm = nn.BatchNorm1d(4)
        self.decoder = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 5))

    def forward(self, image):
        """Some scores."""
        return self.decoder(self.image_norm(self.image(image * self.scale)))


def aligned_weights():
    """Weights of an aligned model with that encoder, drawn for this check."""
    tower = TowerWithState()
    weights = {"log_scale": torch.tensor(2.0), "image_projection.weight": exercise.draw(6, 6)}
    for name, value in tower.state_dict().items():
        drawn = exercise.draw(*value.shape) if value.is_floating_point() else torch.full_like(value, 17)
        weights[f"image.{name}"] = drawn.abs() + 0.1 if "running_var" in name else drawn
    weights["text.words.weight"] = exercise.draw(9, 6)
    return weights


def moving_names(model):
    """Names of what asks for a gradient."""
    return sorted(name for name, parameter in model.named_parameters() if parameter.requires_grad)


with exercise.check(
    "MiniCLIP's image tower arrives in a fresh captioner",
    points=1,
    hint="Keep the names that begin with 'image.' (with its dot), take that beginning away, and give the rest to captioner.image.load_state_dict. Never with strict=False.",
):
    model = SmallCaptioner(["red", "cube"])
    start(model, ALIGNED.state_dict(), freeze=True)
    images = torch.rand(3, 3, 64, 64, generator=exercise.generator)
    with torch.no_grad():
        exercise.close(model.image(images), ALIGNED.image(images), atol=1e-5, why="float32 rounds")
    exercise.true(
        all(a.data_ptr() != b.data_ptr() for a in model.parameters() for b in ALIGNED.parameters()),
        "the captioner and MiniCLIP share memory: whoever trains one trains the other. Copy the weights",
    )

with exercise.check(
    "what moves is what the optimiser gets, each once",
    points=1,
    hint="requires_grad_(False) on captioner.image alone, after everything else was set to True. Then collect what asks for a gradient from captioner.parameters().",
):
    for freeze in (True, False):
        model = Stand().requires_grad_(False).eval()  # whatever state it came in
        given = start(model, aligned_weights(), freeze=freeze)
        exercise.equal(
            moving_names(model),
            sorted(n for n, _ in model.named_parameters() if not (freeze and n.startswith("image."))),
        )
        given = list(given)
        exercise.true(
            all(isinstance(parameter, nn.Parameter) for parameter in given),
            "return the parameters themselves, in a list; an optimiser needs no names",
        )
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        exercise.equal(
            sorted(names.get(id(p), "no parameter of this captioner") for p in given), moving_names(model)
        )

### BEGIN HIDDEN TESTS
with exercise.check(
    "frozen is frozen, batch norm's averages too",
    points=1,
    hint="captioner.train() first, then captioner.image.eval(): the order matters. load_state_dict brings the buffers (running averages) as well; a loop over parameters does not.",
):
    weights = aligned_weights()
    model = Stand()
    given = start(model, weights, freeze=True)
    exercise.true(
        not any(module.training for module in model.image.modules()),
        "the frozen encoder is in training mode: batch norm will replace its running averages, and dropout drops",
    )
    exercise.true(
        all(m.training for n, m in model.named_modules() if not (n == "image" or n.startswith("image."))),
        "the rest of the captioner is in evaluation mode, though it is about to be trained",
    )
    fresh = {name: value.clone() for name, value in model.state_dict().items()}
    optimiser = torch.optim.AdamW(given, lr=0.05)
    for _ in range(3):
        optimiser.zero_grad()
        model(exercise.draw(8, 3, 8, 8)).square().mean().backward()
        optimiser.step()
    for name, value in model.state_dict().items():
        if name.startswith("image."):
            exercise.close(value, weights[name], atol=1e-6, why="float32 rounds")
    exercise.true(
        all(not torch.equal(fresh[n], v) for n, v in model.state_dict().items() if n.startswith("decoder.")),
        "after three steps the decoder is where it was: does the optimiser get it?",
    )
    model = Stand().eval()
    start(model, weights, freeze=False)
    exercise.true(
        all(module.training for module in model.modules()),
        "with freeze=False the whole captioner, encoder included, is trained: all of it belongs into training mode",
    )

with exercise.check(
    "a wrong name is an error, and nothing is shared",
    points=1,
    hint="strict=True, which is load_state_dict's own choice, raises when a name is missing or one is over. And it copies, unless assign=True.",
):
    good = aligned_weights()
    for wrong in (
        {name.replace("image.", "vision.", 1): value for name, value in good.items()},
        {name: value for name, value in good.items() if name != "image.position"},
        {name: value for name, value in good.items() if name != "image.stem.1.running_mean"},
        {**good, "image.stem.9.weight": torch.ones(3)},
    ):
        exercise.raises(Exception, start, Stand(), wrong, freeze=True)
    kept = {name: value.clone() for name, value in good.items()}
    first, second = Stand(), Stand()
    moving = list(start(first, good, freeze=False))
    start(second, good, freeze=False)
    with torch.no_grad():
        for parameter in moving:
            parameter.add_(1.0)
        for buffer in first.image.buffers():
            buffer.add_(1)
    exercise.true(
        all(torch.equal(value, kept[name]) for name, value in good.items()),
        "one captioner was trained, and the weights that it started from changed with it",
    )
    exercise.true(
        all(torch.equal(value, kept[f"image.{name}"]) for name, value in second.image.state_dict().items()),
        "one captioner was trained, and a second one that started from the same weights changed with it",
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

`load_state_dict` is strict unless told otherwise, and it copies. So all that is left to do is to hand it exactly the
right names, and to set what moves in an order in which the special case comes last.
</details>
<details><summary>Pseudo code</summary>

```text
own ← {name without "image.": value} for the names that begin with "image."
captioner.image loads own, strictly
everything: training mode, gradients
if freeze: captioner.image: evaluation mode, no gradients
the parameters that ask for a gradient
```
</details>
<details><summary>Help: Missing key(s) in state_dict, Unexpected key(s)</summary>

That is the strict check at work. Print the names on both sides, `sorted(weights)` and
`sorted(captioner.image.state_dict())`: what has to go from the beginning?
</details>
<details><summary>And if somebody calls `captioner.train()` later?</summary>

Then the frozen encoder is in training mode again. Many training loops do this before each epoch. In a model of your own, override `train`
so that it puts the frozen part back.
</details>

## How many captions does it save?

Now the question that A70 leaves open: does it help, and when? We train the small captioner on 50, 200 and 800
captioned images. The captions name colour and shape ("a cyan wedge"), so a caption is one claim, and it is true or
not. Four starts:

- **random, all moves**: the encoder is as random as the decoder.
- **random, frozen**: a control. What do random convolutions give?
- **aligned, frozen**: MiniCLIP's tower, untouched.
- **aligned, all moves**: MiniCLIP's tower, and the training goes on.

Everything else is equal: the same captions, steps, batches and learning rate.

**Predict, then run.** At which number of captions is the gap between random and aligned the largest? And with 50
captions: is it better to freeze the aligned encoder, or to let it move?
"""

# %% tags=["demo"]
ONE = world.SceneConfig(objects=(1, 1))
COUNTS = budget((50, 200, 800), grading=(16, 32))
few_seeds = range(budget(3, grading=1))


def named(count: int, *, seed: int) -> tuple[world.Scenes, Tensor, list[str]]:
    """Scenes of one thing, their images, and captions that name colour and shape."""
    scenes = world.sample_scenes(count, generator=seeded(seed), config=ONE)
    texts = world.caption(scenes, generator=seeded(seed), detail=1.0, leave_out=("size", "material"))
    return scenes, world.render(scenes, size=64).image, texts


_, few_images, few_texts = named(max(COUNTS), seed=821)
held_scenes, held_images, held_texts = named(budget(300, grading=20), seed=822)
WORDS = sorted({word for text in few_texts for word in WordTokenizer.split(text)})


def all_true(texts: Sequence[str], scenes: world.Scenes) -> float:
    """Share of captions that say something, and nothing false."""
    return true_share(verdicts(texts, scenes))[2]


def teach(start: str, count: int, *, seed: int) -> tuple[float, float]:
    """Train a small captioner; share of its captions that are true, of fresh scenes and of those it learned from."""
    torch.manual_seed(seed)
    model = SmallCaptioner(WORDS)
    weights = ALIGNED.state_dict()
    if start.startswith("random"):  # its own weights, under the names of an aligned model
        weights = {f"image.{name}": value.clone() for name, value in model.image.state_dict().items()}
    frozen = start.endswith("frozen")
    moving = start_aligned(model, weights, freeze=frozen)
    chosen = torch.randperm(len(few_texts), generator=seeded(seed))[:count]
    tokens = model.tokenizer.encode([few_texts[n] for n in chosen.tolist()])
    images = few_images[chosen]
    with torch.no_grad():
        z = model.image(images)  # computed once, if it cannot change

    fit(
        lambda i: model.loss(tokens[i], z[i] if frozen else model.image(images[i])),
        moving,
        count=count,
        steps=budget(150, grading=2),
        batch_size=16,
        learning_rate=3e-3,
        warm_up=budget(10, grading=0),
        generator=seeded(seed),
        label=f"{start}, {count} captions, seed {seed}",
    )
    model.eval()
    some = chosen[:50]
    with torch.no_grad():
        fresh, known = model.write(model.image(held_images)), model.write(model.image(few_images[some]))
    right = [said == few_texts[n] for said, n in zip(known, some.tolist(), strict=True)]
    return all_true(fresh, held_scenes), float(np.mean(right))


STARTS = ("random, all moves", "random, frozen", "aligned, frozen", "aligned, all moves")
learned = {
    start: np.array([[teach(start, count, seed=seed) for count in COUNTS] for seed in few_seeds])
    for start in STARTS
}
favourite = Counter(few_texts).most_common(1)[0][0]
blind = {
    f"always '{favourite}'": all_true([favourite] * len(held_texts), held_scenes),
    "caption of another scene": all_true(held_texts[1:] + held_texts[:1], held_scenes),
}

viz.show(
    viz.curves(
        {start: runs[..., 0] for start, runs in learned.items()},
        x=COUNTS,
        x_label="captioned images for the training",
        y_label="true captions of fresh scenes (share)",
        log_x=True,
        references={"caption of another scene": blind["caption of another scene"], "ceiling": 1.0},
    ),
    alt="Share of true captions over the number of captioned images. "
    + "; ".join(f"{start}: {np.round(runs[..., 0].mean(0), 2).tolist()}" for start, runs in learned.items())
    + ".",
)
print(
    f"{'true captions, %':28s}"
    + "".join(f"{count:>15d}" for count in COUNTS)
    + "   (learned ones repeated, %)"
)
for start, runs in learned.items():
    fresh, known = 100 * runs[..., 0], 100 * runs[..., 1]
    told = "".join(f"{mean:9.1f} ± {dev:3.1f}" for mean, dev in zip(fresh.mean(0), fresh.std(0), strict=True))
    print(f"{start:28s}{told}   ({', '.join(f'{mean:.0f}' for mean in known.mean(0))})")
for name, share in blind.items():
    print(f"{name:28s}{100 * share:9.1f}")

# %% [markdown]
"""
RESULT_TWO

## One space, two modalities

Why should a tower that was trained to *align* be good for *translation*? Look at what alignment made. It put images
and captions into one space of 64 dimensions, in which a picture lies where its caption lies (A68). So z already
separates what captions speak of.

Below are 60 scenes twice, as an image (blue) and as a caption (orange), by the two main axes of all 120 points; a line
joins each image and its caption. First with the aligned MiniCLIP, then with the same network before any training.

**Predict, then run.** Will the two clouds lie on top of each other? And how long are the lines?
"""

# %%
pair_scenes = world.sample_scenes(60, generator=seeded(831), config=world.SceneConfig(objects=(1, 2)))
pair_images = world.render(pair_scenes, size=64).image
pair_texts = world.caption(pair_scenes, generator=seeded(832), detail=0.7, style="photo")


@torch.no_grad()
def both(model: MiniCLIP) -> tuple[Tensor, Tensor]:
    """z of the images and of their captions, as unit vectors."""
    return F.normalize(model.encode_image(pair_images), dim=1), F.normalize(
        model.encode_text(pair_texts), dim=1
    )


torch.manual_seed(0)
untrained = MiniCLIP(**load_checkpoint("miniclip").config).eval()
print(f"{'':12s}{'own caption':>14s}{'other caption':>15s}{'gap':>8s}{'nearest is own, %':>20s}")
for name, model in {"aligned": load_checkpoint("miniclip"), "untrained": untrained}.items():
    z_image, z_text = both(model)
    together = torch.cat([z_image, z_text])
    axes = torch.linalg.svd(together - together.mean(0), full_matrices=False)[2][:2]
    plane = (together - together.mean(0)) @ axes.T
    gap = (z_image.mean(0) - z_text.mean(0)).norm().item()
    cosine = z_image @ z_text.T
    own = cosine.diagonal().mean().item()
    other = (cosine.sum() - cosine.diagonal().sum()).item() / (cosine.numel() - len(cosine))
    nearest = (cosine.argmax(dim=1) == torch.arange(len(cosine))).float().mean().item()
    viz.show(
        viz.modality_gap(plane[:60], plane[60:], gap=gap),
        alt=f"The {name} MiniCLIP: 60 images and their captions in a plane, joined by lines. The means are {gap:.2f} apart.",
    )
    print(f"{name:12s}{own:14.2f}{other:15.2f}{gap:8.2f}{100 * nearest:20.1f}")

# %% [markdown]
"""
RESULT_THREE
"""
