"""f and g: encoders and decoders."""
