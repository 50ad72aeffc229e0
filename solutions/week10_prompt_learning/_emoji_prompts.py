"""Make the emoji prompts that ship: `python solutions/week10_prompt_learning/_emoji_prompts.py`.

Needs MiniLM (`mmdl fetch minilm`) and two minutes on one core. It lies beside the lesson and not in the package
because it solves the lesson's exercise.
"""

import time

import numpy as np
import torch
from torch.nn import functional

from mmdl_course.architectures.pretrained import MiniLM, load_minilm
from mmdl_course.data.emoji import load_emoji
from mmdl_course.data.emoji_archive import write_emoji_archive
from mmdl_course.data.emoji_features import load_emoji_features
from mmdl_course.data.emoji_prompts import FILE, load_emoji_prompts, map_to_names

CLASSES = {
    "animal-mammal": "mammal",
    "transport-ground": "vehicle",
    "clothing": "garment",
    "sky & weather": "weather symbol",
    "food-prepared": "meal",
    "geometric": "geometric shape",
    "place-building": "building",
    "tool": "tool",
    "sport": "sport",
    "face-concerned": "sad face",
    "heart": "heart",
    "av-symbol": "media button",
    "household": "household item",
    "game": "game",
}
"""Unicode's subgroups with 24 emoji or more, and what they are called here. Not among them: flags, letters and clocks;
people, who come as person, man and woman, so that no half would be new to the other."""

TEMPLATES = (
    "{}",
    "a {}",
    "{}s",
    "a photo of a {}",
    "a black and white photo of a {}",
    "a picture of a {}",
    "a drawing of a {}",
    "an emoji of a {}",
    "this emoji shows a {}",
    "a small symbol that means {}",
    "a kind of {}",
    "the word {}",
)

SPLIT_SEED = 0
RIDGES = (300.0, 1000.0, 2000.0, 3000.0, 5000.0, 10000.0)
LEAST = 16  # training emoji per class
SHOTS = (1, 2, 4, 8, 16)
SEEDS = (0, 1, 2)

START = "a photo of a"  # four word pieces: M = 4
NOISE = 0.02  # standard deviation added to the start; that of the word pieces' coordinates is 0.05
# The three were chosen on training emoji that were not among 8 shots, out of scales 10 to 30, learning rates
# 0.001 to 0.03, 100 or 200 steps. The test half had no say.
SCALE, RATE, STEPS = 20.0, 0.001, 100


def halves(label):
    """Per class, at random: half for training, but at least 16; the rest for testing."""
    generator = torch.Generator().manual_seed(SPLIT_SEED)
    train, test = [], []
    for number in range(len(CLASSES)):
        members = (label == number).nonzero()[:, 0]
        members = members[torch.randperm(len(members), generator=generator)]
        count = max(LEAST, len(members) // 2)
        train.append(members[:count])
        test.append(members[count:])
    return torch.cat(train).sort().values, torch.cat(test).sort().values


def draw(label, train, seed):
    """Numbers of 16 training emoji per class (class, 16), in an order whose beginnings are the smaller draws."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for number in range(len(CLASSES)):
        members = train[label[train] == number]
        rows.append(members[torch.randperm(len(members), generator=generator)[:LEAST]])
    return torch.stack(rows)


class Prompted:
    """MiniLM, frozen, on texts whose first words are vectors: [CLS] context class [SEP]."""

    def __init__(self, minilm, classes):
        tokens = minilm.tokenizer(list(classes), padding=True, return_tensors="pt")
        self.network = minilm.network
        self.words = self.network.embeddings.word_embeddings(tokens["input_ids"])  # (class, token, 384)
        self.mask = tokens["attention_mask"]  # (class, token)

    def __call__(self, context):
        classes, _, width = self.words.shape
        rows = context.expand(classes, len(context), width)
        words = torch.cat(
            [self.words[:, :1], rows, self.words[:, 1:]], dim=1
        )  # (class, 1 + M + token - 1, 384)
        real = torch.cat([self.mask.new_ones(classes, len(context)), self.mask], dim=1)
        hidden = self.network(inputs_embeds=words, attention_mask=real).last_hidden_state
        return MiniLM.pool(hidden, real)  # (class, 384)


def learn(prompted, start, images, label, *, seed):
    """Context vectors (M, 384) that make the classes' texts agree with a few images; the last step's."""
    generator = torch.Generator().manual_seed(seed)
    context = (start + NOISE * torch.randn(start.shape, generator=generator)).requires_grad_()
    optimiser = torch.optim.Adam([context], lr=RATE)
    for _ in range(STEPS):
        loss = functional.cross_entropy(SCALE * images @ prompted(context).T, label)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return context.detach()


def vocabulary(minilm):
    """Word pieces that mean something, and their vectors."""
    pieces = minilm.tokenizer.convert_ids_to_tokens(range(len(minilm.tokenizer)))
    kept = [number for number, piece in enumerate(pieces) if not (piece.startswith("[") and len(piece) > 1)]
    vectors = minilm.network.embeddings.word_embeddings.weight.detach()
    return [pieces[number] for number in kept], vectors[kept]


def neighbour_distance(vectors):
    """Median distance to the nearest other word piece, of every tenth."""
    some = torch.arange(0, len(vectors), 10)
    far = torch.cdist(vectors[some], vectors)
    far[torch.arange(len(some)), some] = torch.inf
    return far.amin(1).median().item()


def main():
    torch.set_num_threads(1)
    emoji, features, minilm = load_emoji(size=8), load_emoji_features(), load_minilm()
    label = torch.full((len(emoji),), -1)
    for number, subgroup in enumerate(CLASSES):
        label[emoji.subgroup == emoji.subgroups.index(subgroup)] = number
    train, test = halves(label)
    map_train = torch.cat([(label < 0).nonzero()[:, 0], train]).sort().values

    fits = {}
    for ridge in RIDGES:
        placed = map_to_names(features.images, features.texts, train=map_train, ridge=ridge)
        fits[ridge] = torch.cosine_similarity(placed[map_train], features.texts[map_train]).mean().item()
        print(f"ridge {ridge:g}: cosine with the own name, left out, {fits[ridge]:.4f}")
    ridge = max(fits, key=fits.get)
    images = map_to_names(features.images, features.texts, train=map_train, ridge=ridge)

    classes = tuple(CLASSES.values())
    texts = torch.stack(
        [minilm.encode([template.format(name) for name in classes]) for template in TEMPLATES]
    )

    prompted = Prompted(minilm, classes)
    start_tokens = minilm.tokenizer(START, add_special_tokens=False, return_tensors="pt")["input_ids"][0]
    start = minilm.network.embeddings.word_embeddings(start_tokens)  # (4, 384)
    pieces, vectors = vocabulary(minilm)
    shot_numbers = torch.stack([draw(label, train, seed) for seed in SEEDS])  # (seed, class, 16)
    learned, read = [], []
    for shots in SHOTS:
        for seed, numbers in zip(SEEDS, shot_numbers, strict=True):
            chosen, began = numbers[:, :shots].flatten(), time.perf_counter()
            context = learn(prompted, start, images[chosen], label[chosen], seed=seed)
            print(f"{shots} shots, seed {seed}: {time.perf_counter() - began:.1f} s")
            learned.append(prompted(context))
            if shots == max(SHOTS):
                far, nearest = torch.cdist(context, vectors).min(1)
                words = [pieces[number] for number in nearest]
                read.append(
                    [(word, round(distance, 3)) for word, distance in zip(words, far.tolist(), strict=True)]
                )

    listed = {
        "characters": emoji.characters,
        "classes": classes,
        "templates": TEMPLATES,
        "shots": SHOTS,
        "ridge": ridge,
        "read": read,
        "neighbour_distance": round(neighbour_distance(vectors), 3),
    }
    write_emoji_archive(
        FILE,
        listed,
        label=label.numpy().astype(np.int16),
        train=train.numpy().astype(np.int16),
        test=test.numpy().astype(np.int16),
        map_train=map_train.numpy().astype(np.int16),
        shot_numbers=shot_numbers.numpy().astype(np.int16),
        texts=texts.half().numpy(),
        learned=torch.stack(learned).unflatten(0, (len(SHOTS), len(SEEDS))).detach().half().numpy(),
    )
    report(images)


def report(images):
    """Say what the file is worth on the test half."""
    prompts = load_emoji_prompts()

    def right(weights):
        hits = (images[prompts.test] @ weights.T).argmax(1) == prompts.label[prompts.test]
        return 100 * hits.float().mean().item()

    for template, text in zip(prompts.templates, prompts.texts, strict=True):
        print(f"{template:35} {right(text):5.1f} %")
    ensemble = functional.normalize(prompts.texts.mean(0), dim=1)
    print(f"{'all of them, averaged':35} {right(ensemble):5.1f} %")
    for shots, seeds in zip(prompts.shots, prompts.learned, strict=True):
        print(f"learned from {shots:2} shots  " + "  ".join(f"{right(weights):5.1f} %" for weights in seeds))
    for words in prompts.read:
        print("reads", words, "between neighbours", prompts.neighbour_distance)


if __name__ == "__main__":
    main()
