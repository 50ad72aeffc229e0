"""Real pretrained models: an image classifier, a sentence encoder, a language model, CLIP.

The first three come with `mmdl fetch`, CLIP from a folder or the Hugging Face cache. Loading never uses the
network. A loaded model is in evaluation mode, in 32-bit floats, and frozen: no parameter asks for a gradient.
Gradients with respect to inputs still flow. To train the network itself, call
`model.network.requires_grad_(True)`; every load gives a network of its own.
"""

from mmdl_course.architectures.pretrained.clip import CLIP, load_clip
from mmdl_course.architectures.pretrained.efficientnet import EfficientNetLite0, load_efficientnet_lite0
from mmdl_course.architectures.pretrained.minilm import MiniLM, load_minilm
from mmdl_course.architectures.pretrained.smollm2 import SmolLM2, load_smollm2

__all__ = [
    "CLIP",
    "EfficientNetLite0",
    "MiniLM",
    "SmolLM2",
    "load_clip",
    "load_efficientnet_lite0",
    "load_minilm",
    "load_smollm2",
]
