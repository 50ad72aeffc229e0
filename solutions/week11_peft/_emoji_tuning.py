"""Make the emoji tuning that ships: `python solutions/week11_peft/_emoji_tuning.py`.

Needs MiniLM (`mmdl fetch minilm`) and ten minutes on one core. With `--choose` it tries learning rates instead, on
Spanish names of training emoji, and writes nothing. It lies beside the lesson and not in the package because it
solves the lesson's exercises.
"""

import re
import sys
import time

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn import functional

from mmdl_course.architectures.pretrained import MiniLM, load_minilm
from mmdl_course.data.emoji import load_emoji
from mmdl_course.data.emoji_archive import write_emoji_archive
from mmdl_course.data.emoji_prompts import load_emoji_prompts
from mmdl_course.data.emoji_tuning import FILE, load_emoji_tuning
from mmdl_course.training import fit

SEEDS, STEPS, BATCH, WARM_UP, SCALE = (0, 1, 2), 60, 32, 10, 20.0
RATES = {"probe": 0.0, "prompt": 1e-2, "bitfit": 1e-2, "adapter": 3e-3, "lora": 3e-3, "full": 1e-4}
"""Chosen with `--choose`: the smallest that is within a standard error of the best. Neither a German name nor an emoji
of the test half had a say."""

LINEAR = r"encoder\.layer\.\d+\.(attention\.self\.(query|key|value)|attention\.output\.dense|intermediate\.dense|output\.dense)"
ENDS = r"encoder\.layer\.\d+\.(attention\.output|output)\.dense"  # the ends of attention and network
METHODS = {
    "linear probe": ("probe", 0, 1.0),
    "prompt, M = 4": ("prompt", 4, 1.0),
    "BitFit": ("bitfit", 0, 1.0),
    "adapters, w = 8": ("adapter", 8, 1.0),
    **{f"LoRA, r = {rank}": ("lora", rank, 1.0) for rank in (1, 4, 16)},
    "LoRA, r = 16, larger steps": ("lora", 16, 10 / 3),
    "full": ("full", 0, 1.0),
}
"""What is tried: kind, size, and what the learning rate is multiplied by."""


class LoRA(nn.Module):
    """A frozen linear layer and its low-rank update, α = r."""

    def __init__(self, base, rank, generator):
        super().__init__()
        self.base = base
        self.A = nn.Parameter(
            torch.randn(rank, base.in_features, generator=generator) / base.in_features**0.5
        )
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x):
        return self.base(x) + x @ self.A.T @ self.B.T


class Adapter(nn.Module):
    """A frozen linear layer and a bottleneck behind it."""

    def __init__(self, base, width):
        super().__init__()
        self.base = base
        self.down, self.up = nn.Linear(base.out_features, width), nn.Linear(width, base.out_features)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x):
        y = self.base(x)
        return y + self.up(functional.gelu(self.down(y)))


def replace(network, pattern, make):
    """Put new modules in the place of those whose names match."""
    for name in [name for name, _ in network.named_modules() if re.fullmatch(pattern, name)]:
        parent, _, leaf = name.rpartition(".")
        setattr(network.get_submodule(parent), leaf, make(network.get_submodule(name)))


def prepared(kind, size, seed):
    """A fresh MiniLM in which only that moves."""
    minilm = load_minilm()
    network, generator = minilm.network, torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    if kind == "full":
        network.requires_grad_(True)
    elif kind == "bitfit":
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.endswith("bias"))
    elif kind == "lora":
        replace(network, LINEAR, lambda layer: LoRA(layer, size, generator))
    elif kind == "adapter":
        replace(network, ENDS, lambda layer: Adapter(layer, size))
    return minilm


def encode(network, tokens, which):
    """Unit vectors, with gradients."""
    some = {name: value[which] for name, value in tokens.items()}
    longest = int(some["attention_mask"].sum(1).max())
    some = {name: value[:, :longest] for name, value in some.items()}
    hidden = network(**some).last_hidden_state
    return MiniLM.pool(hidden, some["attention_mask"])


class Task:
    """Kinds of emoji by their names in a language.

    With `choosing`, ten of the sixteen shots of each kind are trained on, and the rest of the training half takes
    the place of the test half.
    """

    def __init__(self, language, *, choosing=False):
        emoji, self.kinds = load_emoji(size=8), load_emoji_prompts()
        self.characters = emoji.characters
        self.foreign, self.english = list(emoji.names[language]), list(emoji.names["en"])
        self.subgroups = [name.replace("-", " ") for name in emoji.subgroups]
        self.subgroup = emoji.subgroup
        self.shots = [numbers[:, : 10 if choosing else 16].flatten() for numbers in self.kinds.shot_numbers]
        train = self.kinds.train
        self.tests = [
            train[~torch.isin(train, shots)] if choosing else self.kinds.test for shots in self.shots
        ]
        self.others = (self.kinds.label < 0).nonzero()[:, 0]
        base = load_minilm()
        self.base = base
        self.classes = base.encode(list(self.kinds.classes))
        self.vectors = base.encode(self.foreign)

    def examined(self, minilm, seed, classes=None):
        """Foreign names right or wrong; English kinds; subgroups."""
        kinds, test = self.kinds, self.tests[seed]
        classes = self.classes if classes is None else classes
        with torch.no_grad():
            foreign = minilm.encode([self.foreign[i] for i in test])
            english = minilm.encode([self.english[i] for i in test])
            others = minilm.encode([self.english[i] for i in self.others])
            named = minilm.encode(self.subgroups)
        right = (foreign @ classes.T).argmax(1) == kinds.label[test]
        return (
            right,
            ((english @ classes.T).argmax(1) == kinds.label[test]).float().mean().item(),
            ((others @ named.T).argmax(1) == self.subgroup[self.others]).float().mean().item(),
        )

    def run(self, kind, size, rate, seed):
        """Train one way; returns numbers that move, results, seconds, the model."""
        shots, test, truth = self.shots[seed], self.tests[seed], self.kinds.label
        began = time.perf_counter()
        if kind == "probe":
            probe = LogisticRegression(C=100.0, max_iter=2000).fit(self.vectors[shots], truth[shots])
            right = torch.from_numpy(probe.predict(self.vectors[test].numpy())) == truth[test]
            _, _, subgroups = self.examined(self.base, seed)
            # the probe has seen no English name; English vectors are what it is asked with
            with torch.no_grad():
                english = self.base.encode([self.english[i] for i in test])
            return 14 * 385, (right, float(probe.score(english, truth[test])), subgroups), 0.0, self.base
        minilm = prepared(kind, size, seed)
        generator = torch.Generator().manual_seed(seed)
        if kind == "prompt":
            words = minilm.network.embeddings.word_embeddings
            tokens = minilm.tokenizer(list(self.kinds.classes), padding=True, return_tensors="pt")
            mask = torch.cat([torch.ones(14, size, dtype=torch.long), tokens["attention_mask"]], dim=1)
            context = nn.Parameter(0.05 * torch.randn(size, 384, generator=generator))
            rows = words(tokens["input_ids"])

            def classes():
                inside = torch.cat([rows[:, :1], context.expand(14, -1, -1), rows[:, 1:]], dim=1)
                hidden = minilm.network(inputs_embeds=inside, attention_mask=mask).last_hidden_state
                return MiniLM.pool(hidden, mask)

            moving = [context]

            def loss(i):
                return functional.cross_entropy(SCALE * self.vectors[shots[i]] @ classes().T, truth[shots[i]])
        else:
            tokens = dict(minilm.tokenizer(self.foreign, padding=True, return_tensors="pt"))
            moving = [parameter for parameter in minilm.network.parameters() if parameter.requires_grad]

            def loss(i):
                z = encode(minilm.network, tokens, shots[i])
                return functional.cross_entropy(SCALE * z @ self.classes.T, truth[shots[i]])

        fit(
            loss,
            moving,
            count=len(shots),
            steps=STEPS,
            generator=generator,
            batch_size=BATCH,
            learning_rate=rate,
            warm_up=WARM_UP,
            label=kind,
        )
        seconds = time.perf_counter() - began
        learned = classes().detach() if kind == "prompt" else None
        return sum(p.numel() for p in moving), self.examined(minilm, seed, learned), seconds, minilm


def choose():
    """Try learning rates, a factor of about three apart, on Spanish names of training emoji."""
    task = Task("es", choosing=True)
    print(f"{sum(map(len, task.tests))} names tested, {len(task.shots[0])} trained on for each seed")
    print("The smallest rate that is within one standard error (over the names) of the best is taken.")
    for kind, size in (("prompt", 4), ("bitfit", 0), ("adapter", 8), ("lora", 4), ("full", 0)):
        for rate in (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2):
            if not RATES[kind] / 4 < rate < 12 * RATES[kind]:
                continue
            scores = [task.run(kind, size, rate, seed)[1][0].float().mean().item() for seed in SEEDS]
            right = np.mean(scores)
            error = (right * (1 - right) / sum(map(len, task.tests))) ** 0.5
            print(f"{kind:8s} {rate:<7g} {right:.3f} ± {error:.3f}", flush=True)


def main():
    torch.set_num_threads(1)
    if "--choose" in sys.argv:
        choose()
        return
    task = Task("de")
    zero = task.examined(task.base, 0)
    print("zero-shot", zero[0].float().mean().item(), *zero[1:])
    moving, right, english, subgroups = [], [], [], []
    for name, (kind, size, factor) in METHODS.items():
        rows = [task.run(kind, size, factor * RATES[kind], seed) for seed in SEEDS]
        moving.append(rows[0][0])
        right.append(torch.stack([row[1][0] for row in rows]))
        english.append([row[1][1] for row in rows])
        subgroups.append([row[1][2] for row in rows])
        seconds = np.mean([row[2] for row in rows])
        said = right[-1].float().mean(1)
        print(
            f"{name:28s}{moving[-1]:11,d} {said.mean():.3f} {said.std():.3f} en {np.mean(english[-1]):.3f} sub {np.mean(subgroups[-1]):.3f} {seconds:.1f} s",
            flush=True,
        )
        if kind == "full":
            after = rows[0][3].network
    before = task.base.network
    matrices = [name for name, _ in before.named_modules() if re.fullmatch(LINEAR, name)]
    update, weight = [], []
    for name in matrices:
        old, new = before.get_submodule(name).weight.detach(), after.get_submodule(name).weight.detach()
        update.append(torch.linalg.svdvals(new - old))
        weight.append(torch.linalg.svdvals(old))
    listed = {
        "characters": task.characters,
        "methods": list(METHODS),
        "moving": moving,
        "zero_shot": [zero[0].float().mean().item(), *zero[1:]],
        "matrices": matrices,
    }
    write_emoji_archive(
        FILE,
        listed,
        right=torch.stack(right).numpy(),
        english=np.array(english, dtype=np.float32),
        subgroups=np.array(subgroups, dtype=np.float32),
        update=torch.stack(update).numpy(),
        weight=torch.stack(weight).half().numpy(),
    )
    print(f"{FILE.name}: {FILE.stat().st_size / 1000:.0f} kB", load_emoji_tuning().right.shape)


if __name__ == "__main__":
    main()
