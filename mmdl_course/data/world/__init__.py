"""One reality, many modalities: scenes with known factors and what is derived from them."""
