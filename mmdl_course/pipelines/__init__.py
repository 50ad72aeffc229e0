"""Translation, alignment, fusion: data, architectures and training composed."""
