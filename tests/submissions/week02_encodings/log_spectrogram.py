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

# --- new

WHEATS |= {
    "scipy_spectrogram": """
from scipy import signal

def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    window = signal.get_window("hann", size)
    _, _, s = signal.spectrogram(waveform.numpy().astype(float), window=window, nperseg=size, noverlap=size - hop, detrend=False, scaling="spectrum", mode="complex")
    power = np.abs(s * window.sum()) ** 2
    return 10 * np.log10(np.clip(power.T, floor, None))
""",
    "scipy_stft_without_padding": """
from scipy.signal import stft
from scipy.signal.windows import hann

def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    w = hann(size, sym=False)
    _, _, z = stft(waveform.double().numpy(), window=w, nperseg=size, noverlap=size - hop, boundary=None, padded=False, scaling="spectrum")
    return torch.tensor(10 * np.log10(np.fmax((np.abs(z) * w.sum()) ** 2, floor))).transpose(0, 1)
""",
    "sliding_windows_and_numpy": """
def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    frames = np.lib.stride_tricks.sliding_window_view(waveform.numpy(), size)[::hop]
    window = np.hanning(size + 1)[:-1]
    x = np.fft.rfft(frames * window, axis=-1)
    p = (x * x.conj()).real
    p[p < floor] = floor
    return 10.0 * np.log10(p)
""",
    "a_list_of_frames_and_a_full_transform": """
def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    out = []
    number = (len(waveform) - size) // hop + 1
    for j in range(number):
        piece = waveform[j * hop : j * hop + size].clone()
        piece *= 0.5 * (1 - torch.cos(2 * torch.pi * torch.arange(size) / size))
        line = torch.view_as_real(torch.fft.fft(piece))[: size // 2 + 1]
        out.append(torch.where((line**2).sum(-1) > floor, (line**2).sum(-1), floor))
    return 10 * torch.stack(out).log() / np.log(10)
""",
    "a_convolution_with_waves": """
def log_spectrogram(waveform, *, size, hop, floor=1e-10):
    n = torch.arange(size).double()
    waves = torch.hann_window(size, dtype=torch.float64) * torch.exp(-2j * torch.pi * torch.outer(torch.arange(size // 2 + 1).double(), n) / size)
    kernels = torch.cat([waves.real, waves.imag])[:, None, :]
    both = F.conv1d(waveform.double()[None, None], kernels, stride=hop)[0]
    power = (both**2).unflatten(0, (2, -1)).sum(0)
    return torch.log10(torch.max(power, torch.full_like(power, floor))).mul(10).t()
""",
}

CHAFFS |= {
    "the_rest_is_padded": dict(
        expects=("Parseval", "do not fit"),
        source=but("waveform.unfold(0, size, hop)", "F.pad(waveform, (0, -(len(waveform) - size) % hop)).unfold(0, size, hop)"),
    ),
    "top_eighty": dict(
        expects=("silence", "by the loudest"),
        source=but("    return 10 * power.clamp(min=floor).log10()", "    decibels = 10 * power.clamp(min=floor).log10()\n    return decibels.clamp(min=float(decibels.max()) - 80)"),
    ),
    "relative_to_the_loudest": dict(
        expects=("tone", "off"),
        source=but("    return 10 * power.clamp(min=floor).log10()", "    return 10 * (power / power.max()).clamp(min=floor).log10()"),
    ),
    "floor_in_decibels": dict(
        expects=("tone", "before the logarithm"),
        source=but("power.clamp(min=floor).log10()", "power.log10().clamp(min=floor)"),
    ),
    "floor_of_the_magnitude": dict(
        expects=("click", "floor"),
        source=but("    power = torch.fft.rfft(frames * torch.hann_window(size)).abs().square()", "    power = torch.fft.rfft(frames * torch.hann_window(size)).abs().clamp(min=floor).square()").replace("power.clamp(min=floor).log10()", "power.log10()"),
    ),
    "only_infinity_is_replaced": dict(
        expects=("silence", "max(P, floor)"),
        source=but("10 * power.clamp(min=floor).log10()", "torch.nan_to_num(10 * power.log10(), neginf=10 * float(np.log10(floor)))"),
    ),
    "zero_is_replaced": dict(
        expects=("silence", "max(P, floor)"),
        source=but("power.clamp(min=floor)", "torch.where(power == 0, floor, power)"),
    ),
    "window_of_unit_sum": dict(
        expects=("tone", "256"), source=but("torch.hann_window(size)", "torch.hann_window(size) / torch.hann_window(size).sum()")
    ),
    "window_of_unit_energy": dict(
        expects=("tone", "256"), source=but("torch.hann_window(size)", "torch.hann_window(size) / torch.hann_window(size).norm()")
    ),
    "the_root_of_hann": dict(
        expects=("tone", "off"), source=but("torch.hann_window(size)", "torch.hann_window(size).sqrt()")
    ),
    "a_triangle": dict(
        expects=("tone", "off"), source=but("torch.hann_window(size)", "torch.bartlett_window(size)")
    ),
    "nyquist_is_left_out": dict(
        expects=("tone", "N/2 + 1"), source=but("    return 10 * power", "    return 10 * power[:, :-1]")
    ),
    "constant_is_left_out": dict(
        expects=("tone", "N/2 + 1"), source=but("    return 10 * power", "    return 10 * power[:, 1:]")
    ),
    "the_window_over_the_whole": dict(
        expects=("tone", "not the whole recording"),
        source=but(" * torch.hann_window(size)", "").replace("waveform.unfold", "(waveform * torch.hann_window(len(waveform))).unfold"),
    ),
    "pre_emphasis": dict(
        expects=("tone", "off"),
        source=but("waveform.unfold", "torch.cat([waveform[:1], waveform[1:] - 0.97 * waveform[:-1]]).unfold"),
    ),
    "first_frame_around_zero": dict(
        expects=("tone", "padded"),
        source=but("waveform.unfold", "F.pad(waveform, (size // 2, size // 2)).unfold"),
    ),
    "hop_is_the_overlap": dict(
        expects=("tone", "overlap by the hop"),
        source=but("unfold(0, size, hop)", "unfold(0, size, size - hop)"),
    ),
    "hop_is_half_a_frame": dict(
        expects=("tone", "hop"), source=but("unfold(0, size, hop)", "unfold(0, size, size // 2)")
    ),
    "standardised_at_the_end": dict(
        expects=("tone", "off"),
        source=but("    return 10 * power.clamp(min=floor).log10()", "    x = 10 * power.clamp(min=floor).log10()\n    return (x - x.mean()) / x.std()"),
    ),
    "one_frame_less": dict(
        expects=("tone", "last frame that fits"),
        source=but("unfold(0, size, hop)", "unfold(0, size, hop)[:-1]"),
    ),
}
