"""Make the emoji features that ship: `python -m mmdl_course.pipelines.emoji_features`, after `mmdl fetch`."""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from mmdl_course.architectures.pretrained import load_efficientnet_lite0, load_minilm
from mmdl_course.data.emoji import Emoji, load_emoji
from mmdl_course.data.emoji_archive import write_emoji_archive
from mmdl_course.data.emoji_features import FILE, pack

__all__ = ["QUERIES", "image_features", "text_features", "write"]

SIZE = 224
_CHUNK = 64

QUERIES = (
    "something to eat for breakfast",
    "it is raining outside",
    "I am in love with you",
    "an animal with a long neck",
    "time to go to bed",
    "let us celebrate tonight",
    "how to pay for it",
    "a vehicle that flies",
    "it is far too hot",
    "a sport with a ball",
    "I have no idea",
    "the capital of France",
    "a person who puts out fires",
    "what a doctor uses",
    "music to dance to",
    "a pet that purrs",
    "man's best friend",
    "a big grey animal with a trunk",
    "the king of the jungle",
    "an insect that makes honey",
    "something that lives in the sea",
    "a bird that cannot fly",
    "a slow animal with a house on its back",
    "dangerous reptile",
    "a farm animal that gives milk",
    "a flower for my mother",
    "a tree at Christmas",
    "fruit that monkeys like",
    "a sour yellow fruit",
    "vegetable that makes you cry",
    "fast food with cheese",
    "Italian dinner",
    "Japanese food",
    "something cold and sweet",
    "a hot drink in the morning",
    "an alcoholic drink",
    "dessert with candles",
    "the weather is nice today",
    "it is freezing cold",
    "a storm is coming",
    "colours in the sky after the rain",
    "what shines at night",
    "our planet",
    "travel to another planet",
    "a holiday by the sea",
    "sleeping in the forest in a tent",
    "climbing high mountains",
    "skiing in winter",
    "riding a bike",
    "swimming in a pool",
    "running fast",
    "lifting something heavy",
    "playing chess",
    "a game for the computer",
    "winning first place",
    "throwing dice",
    "painting a picture",
    "watching a film",
    "taking a photograph",
    "listening to a song",
    "an instrument with strings",
    "an instrument with black and white keys",
    "reading a novel",
    "writing a letter",
    "sending an e-mail",
    "calling somebody",
    "working at a desk",
    "searching for something",
    "locking the door",
    "repairing a machine",
    "cutting paper",
    "measuring a length",
    "a scientific experiment",
    "looking at the stars",
    "looking at very small things",
    "studying at school",
    "graduating from university",
    "a place to pray",
    "a place to borrow money",
    "where sick people go",
    "where planes land",
    "where a family lives",
    "a very old building",
    "public transport in a city",
    "travelling by rail",
    "a boat without an engine",
    "police car with a siren",
    "stop, danger",
    "you must not smoke here",
    "throw it into the bin",
    "recycle this",
    "a question",
    "I agree with you",
    "I do not like it",
    "please be quiet",
    "pointing upwards",
    "saying goodbye",
    "applause",
    "laughing very hard",
    "crying a lot",
    "being very angry",
    "feeling ill",
    "being tired",
    "being surprised",
    "a kiss",
    "falling in love",
    "a broken relationship",
    "getting married",
    "having a baby",
    "growing old",
    "a scary night in October",
    "something from outer space",
    "a creature from fairy tales",
    "a magician",
    "a monarch",
    "a spy",
    "somebody who cooks",
    "somebody who teaches",
    "clothes for cold days",
    "shoes for a party",
    "jewellery",
    "what time is it",
    "waiting for a long time",
    "turn to the right",
    "a perfect score",
    "something free of charge",
    "a tropical island",
    "the flag of a country in Africa",
)
"""Everyday texts; none is the name of an emoji."""


@torch.no_grad()
def image_features(images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 1280"]:
    """What EfficientNet-Lite0's classifier would read, of drawings that fill their frame.

    Args:
        images: 0..1.

    Raises:
        CourseError: the model is not fetched; the message says what to type.
    """
    network = load_efficientnet_lite0()
    starts = tqdm(range(0, len(images), _CHUNK), desc="looking", leave=False)
    return torch.cat(
        [network.features(network.prepare(images[start : start + _CHUNK], crop=1.0)) for start in starts]
    )


@torch.no_grad()
def text_features(texts: Sequence[str]) -> Float[Tensor, "text 384"]:
    """Unit vectors of texts, by MiniLM.

    Args:
        texts: English.

    Raises:
        CourseError: the model is not fetched; the message says what to type.
    """
    return load_minilm().encode(texts)


def write(emoji: Emoji, *, file: Path = FILE) -> None:
    """Compute all features and write them, whole or not at all.

    Args:
        emoji: drawings and names.
        file: where to.
    """
    parts = {
        "images": image_features(emoji.images),
        "outlines": image_features(emoji.outlines),
        "texts": text_features(emoji.names["en"]),
        "query_texts": text_features(QUERIES),
    }
    arrays = {}
    for name, values in parts.items():
        arrays[name], arrays[f"{name}_range"] = pack(values)
    write_emoji_archive(file, {"characters": emoji.characters, "queries": QUERIES}, **arrays)


if __name__ == "__main__":
    torch.set_num_threads(1)
    write(load_emoji(size=SIZE))
