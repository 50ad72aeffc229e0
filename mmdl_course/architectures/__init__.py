"""f and g: encoders and decoders."""

from mmdl_course.architectures.autoencoder import ImageAutoencoder
from mmdl_course.architectures.captioner import Captioner
from mmdl_course.architectures.checkpoints import load_checkpoint
from mmdl_course.architectures.miniclip import MiniCLIP
from mmdl_course.architectures.networks import ConvNet, mlp
from mmdl_course.architectures.tokenizer import WordTokenizer

__all__ = ["Captioner", "ConvNet", "ImageAutoencoder", "MiniCLIP", "WordTokenizer", "load_checkpoint", "mlp"]
