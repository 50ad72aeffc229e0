"""f and g: encoders and decoders."""

from mmdl_course.architectures.networks import ConvNet, mlp

__all__ = ["ConvNet", "mlp"]
