"""Spoken words: the sound, its frequencies, and when each word is said."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mmdl_course.viz.style import ACCENT, GROUND, INK, MUTED, SEQUENTIAL

__all__ = ["draw_speech"]

_WINDOW = 0.008  # seconds: shows formants and when things happen, not the voice's harmonics
_RANGE = 60  # decibels below the loudest that are shown


def draw_speech(
    wave: Axes,
    spectrum: Axes,
    waveform: Float[np.ndarray, " sample"],
    *,
    sample_rate: int,
    words: Sequence[tuple[str, int, int]] = (),
    label_size: float = 9.0,
) -> None:
    """Draw a recording and below it its spectrogram; words stand above where they are said.

    Args:
        wave: for the waveform; the words are written above it.
        spectrum: for the spectrogram, with the scales of time and frequency.
        waveform: −1 … 1.
        sample_rate: samples a second.
        words: word, its first sample and the sample after its last one.
        label_size: of words and numbers, points.
    """
    seconds = len(waveform) / sample_rate
    time = np.arange(len(waveform)) / sample_rate
    wave.plot(time, waveform, color=ACCENT, linewidth=0.5)
    reach = 1.05 * max(np.abs(waveform).max(), 1e-6)
    wave.set(xlim=(0, seconds), ylim=(-reach, reach), xticks=[], yticks=[])
    wave.spines[:].set_visible(False)
    size = max(2, 2 * round(_WINDOW * sample_rate / 2))
    pad = max(size + 1 - len(waveform), 0)  # one window alone is no spectrogram
    # Without a little noise the decibels of silence would be minus infinity.
    hiss = 1e-6 * np.random.default_rng(0).standard_normal(len(waveform) + pad)
    heard = np.pad(waveform, (0, pad)) + hiss
    *_, picture = spectrum.specgram(
        heard,
        NFFT=size,
        pad_to=4 * size,
        Fs=sample_rate,
        noverlap=size * 3 // 4,
        cmap=SEQUENTIAL,
        interpolation="bilinear",
    )
    loudest = picture.get_array().max()
    picture.set_clim(loudest - _RANGE, loudest)
    kilohertz = np.arange(0, sample_rate / 2000 + 1e-9, 2)
    spectrum.set(xlim=(0, seconds), ylim=(0, sample_rate / 2))
    spectrum.set_yticks(1000 * kilohertz, [f"{value:g}" for value in kilohertz])
    spectrum.set_xlabel("time (s)", fontsize=label_size, labelpad=1)
    spectrum.set_ylabel("frequency (kHz)", fontsize=label_size)
    spectrum.tick_params(labelsize=label_size)
    for word, start, end in words:
        wave.axvspan(start / sample_rate, end / sample_rate, color=GROUND, linewidth=0, zorder=0)
        for axes in (wave, spectrum):
            axes.axvline(start / sample_rate, color=MUTED if axes is wave else "white", linewidth=0.6)
        wave.annotate(
            word,
            ((start + end) / 2 / sample_rate, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=label_size,
            color=INK,
        )
