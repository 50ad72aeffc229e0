"""Wheats and chaffs for input_space. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "by_big_integers": """
def input_space(height, width, *, channels=3, levels=256):
    dimensions = height * width * channels
    return dimensions, math.log10(levels ** dimensions)
""",
    "by_natural_logarithms": """
def input_space(height, width, channels=3, levels=256):
    d = torch.Size([channels, height, width]).numel()
    return d, float(np.log(levels) / np.log(10.0) * d)
""",
}

CHAFFS = {
    "base_and_exponent_swapped": dict(expects=("256 × 256", "levels multiplied by itself"), source="""
def input_space(height, width, *, channels=3, levels=256):
    d = channels * height * width
    return d, levels * math.log10(d)
"""),
    "one_dimension_per_pixel": dict(expects=("728 × 1280", "one number for each colour channel"), source="""
def input_space(height, width, *, channels=3, levels=256):
    d = height * width
    return d, d * math.log10(levels ** channels)
"""),
    "float_is_large_enough": dict(expects=("256 × 256", "overflows"), source="""
def input_space(height, width, *, channels=3, levels=256):
    d = channels * height * width
    return d, math.log10(float(levels) ** d)
"""),
    "natural_logarithm": dict(expects=("256 × 256", "log10"), source="""
def input_space(height, width, *, channels=3, levels=256):
    d = channels * height * width
    return d, d * math.log(levels)
"""),
    "always_bytes_and_colours": dict(expects=("fresh sizes", "only their defaults"), source="""
def input_space(height, width, *, channels=3, levels=256):
    d = 3 * height * width
    return d, d * math.log10(256)
"""),
    "one_more_tick": dict(expects=("256 × 256", "levels multiplied by itself"), source="""
def input_space(height, width, *, channels=3, levels=256):
    d = channels * height * width
    return d, d * math.log10(levels - 1)
"""),
}
