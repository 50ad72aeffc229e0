"""Wheats and chaffs for log_spectrogram. Each replaces the solution cell; names say what the author believed."""

RIGHT = """
def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    frames = waveform.unfold(0, size, hop)
    power = torch.fft.rfft(frames * torch.hann_window(size)).abs().square()
    return 10 * power.clamp(min=floor).log10()
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


WHEATS = {
    "torch_stft_without_padding": """
def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    x = torch.stft(waveform, n_fft=size, hop_length=hop, window=torch.hann_window(size), center=False, return_complex=True)
    return 10 * torch.log10(torch.maximum(x.abs() ** 2, torch.tensor(floor))).T
""",
    "numpy_frame_by_frame": """
def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    x = np.asarray(waveform, dtype=float)
    w = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    rows, start = [], 0
    while start + size <= len(x):
        rows.append(np.abs(np.fft.rfft(w * x[start:start + size])) ** 2)
        start += hop
    return 10 * np.log10(np.maximum(np.array(rows), floor))
""",
    "the_sums_themselves": """
def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    n = torch.arange(size, dtype=torch.float64)
    k = torch.arange(size // 2 + 1, dtype=torch.float64)
    angle = 2 * torch.pi * k[:, None] * n / size
    window = torch.sin(torch.pi * n / size) ** 2
    starts = torch.arange(0, len(waveform) - size + 1, hop)
    frames = waveform.double()[starts[:, None] + torch.arange(size)] * window
    power = (frames @ angle.cos().T) ** 2 + (frames @ angle.sin().T) ** 2
    return 10 * torch.log10(power.clamp(floor)).float()
""",
    "twenty_for_the_magnitude": """
def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    magnitude = torch.fft.fft(waveform.unfold(0, size, hop) * torch.hann_window(size), dim=-1).abs()[:, : size // 2 + 1]
    return 20 * torch.log10(magnitude.clamp(min=floor**0.5))
""",
    "floor_after_the_logarithm": """
import math

def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    x = torch.fft.rfft(torch.stack([waveform[s : s + size] for s in range(0, len(waveform) - size + 1, hop)]) * torch.hann_window(size))
    decibels = 10 * torch.log10(x.real ** 2 + x.imag ** 2)
    return decibels.clamp(min=10 * math.log10(floor))
""",
}

CHAFFS = {
    "hop_and_size_swapped": dict(
        expects=("tone", "hop and frame length are swapped"),
        source="""
def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    frames = waveform.unfold(0, hop, size)
    power = torch.fft.rfft(frames * torch.hann_window(hop)).abs().square()
    return 10 * power.clamp(min=floor).log10()
""",
    ),
    "frames_side_by_side": dict(
        expects=("tone", "begin N apart"), source=but("unfold(0, size, hop)", "unfold(0, size, size)")
    ),
    "magnitude_for_power": dict(
        expects=("tone", "log of the magnitude"), source=but(".abs().square()", ".abs()")
    ),
    "no_window": dict(expects=("tone", "without a window"), source=but(" * torch.hann_window(size)", "")),
    "two_sided": dict(expects=("tone", "two-sided"), source=but("rfft", "fft")),
    "log_of_zero": dict(
        expects=("silence", "floor"), source=but("power.clamp(min=floor).log10()", "power.log10()")
    ),
    "floor_is_added": dict(
        expects=("silence", "Adding the floor"), source=but("power.clamp(min=floor)", "(power + floor)")
    ),
    "eighty_below_the_loudest": dict(
        expects=("silence", "by the loudest"),
        source=but("clamp(min=floor)", "clamp(min=float(power.max()) * 1e-8)"),
    ),
    "the_floor_is_fixed": dict(
        expects=("click", "floor that was passed"), source=but("clamp(min=floor)", "clamp(min=1e-10)")
    ),
    "natural_logarithm": dict(
        expects=("tone", "natural logarithm"),
        source=but("10 * power.clamp(min=floor).log10()", "power.clamp(min=floor).log()"),
    ),
    "bels": dict(expects=("tone", "decibels are ten"), source=but("10 * power", "power")),
    "twenty_for_the_power": dict(
        expects=("tone", "20 log₁₀ is for magnitudes"), source=but("10 * power", "20 * power")
    ),
    "symmetric_window": dict(
        expects=("tone", "symmetric window"),
        source=but("torch.hann_window(size)", "torch.hann_window(size, periodic=False)"),
    ),
    "hamming": dict(
        expects=("tone", "Hamming"), source=but("torch.hann_window(size)", "torch.hamming_window(size)")
    ),
    "the_window_after_the_transform": dict(
        expects=("tone", "window"),
        source=but(
            "rfft(frames * torch.hann_window(size))", "rfft(frames) * torch.hann_window(size // 2 + 1)"
        ),
    ),
    "padded_at_both_ends": dict(
        expects=("tone", "nothing is padded"),
        source="""
def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    x = torch.stft(waveform, n_fft=size, hop_length=hop, window=torch.hann_window(size), return_complex=True)
    return 10 * torch.log10((x.abs() ** 2).clamp(min=floor)).T
""",
    ),
    "bins_first": dict(expects=("tone", "transposed"), source=but(".log10()", ".log10().T")),
    "the_last_frame_is_missing": dict(
        expects=("tone", "last frame that fits"), source=but("waveform.unfold", "waveform[:-1].unfold")
    ),
    "the_real_part": dict(
        expects=("click", "same power in all bins"), source=but(".abs().square()", ".real.square()")
    ),
    "normalised_by_the_length": dict(expects=("tone", "256"), source=but(".square()", ".square() / size")),
    "orthonormal": dict(
        expects=("tone", "256"), source=but("hann_window(size))", 'hann_window(size), norm="ortho")')
    ),
    "mean_removed": dict(
        expects=("click", "power in all bins"),
        source=but(
            "frames = waveform.unfold(0, size, hop)",
            "frames = waveform.unfold(0, size, hop)\n    frames = frames - frames.mean(1, keepdim=True)",
        ),
    ),
    "inner_bins_counted_twice": dict(
        expects=("tone", "256"), source=but("    return", "    power[:, 1:-1] *= 2\n    return")
    ),
    "normalised_loudness": dict(
        expects=("tone", "256"),
        source=but(
            "frames = waveform.unfold", "frames = (waveform / waveform.square().mean().sqrt()).unfold"
        ),
    ),
}
