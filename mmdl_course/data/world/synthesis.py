"""From the movements of a vocal tract to sound: a source, noise, and resonances that filter them."""

import hashlib
from functools import lru_cache

import numpy as np

from mmdl_course.data.world.articulation import HOP, Gestures, gestures
from mmdl_course.data.world.prosody import Score
from mmdl_course.data.world.voices import Voice

__all__ = ["RATES", "synthesise"]

RATES = (16_000, 8_000)
"""Sample rates there are, Hz."""

_RATE = RATES[0]
_STEP = round(HOP * _RATE)  # samples between frames
_BLOCKS = 10
_SIZE = _BLOCKS * _STEP  # of a frame with the ringing after it
_FREQUENCY = np.fft.rfftfreq(_SIZE, 1 / _RATE)
_TABLE = 2048  # points of a period of the voice
_PEAK = 0.8
_AH = ((730.0, 1090.0, 2440.0), (100.0, 70.0, 150.0))  # what levels are relative to


def synthesise(score: Score, text: str, voice: Voice, sample_rate: int) -> np.ndarray:
    """Speak a score.

    The vocal folds' pulses and the noise of breath pass through the resonances one after the other
    (cascade); noise from a narrow place has its own spectrum beside them (parallel). The filters change every
    5 ms; each frame of the sources is filtered in the frequency domain, and frames are added with overlap.

    Source: Klatt 1980, "Software for a cascade/parallel formant synthesizer"; Klatt & Klatt 1990, "Analysis,
        synthesis, and perception of voice quality variations", for the glottal pulse and the flutter.

    Args:
        score: sounds and melody.
        text: what the noise is drawn from, with the voice.
        voice: who speaks.
        sample_rate: from RATES, Hz.

    Returns:
        float32 samples whose largest absolute value is 0.8.
    """
    moves = gestures(score, voice)
    pulses, breath, hiss = _sources(moves, text, voice)
    tract = _tract(moves, voice)
    spectrum = tract * (_spectra(pulses) * _lip(moves.dull, voice) + _spectra(breath))
    spectrum += _hiss(score, moves, voice) * _spectra(hiss)
    size = _SIZE * sample_rate // _RATE
    if size < _SIZE:
        spectrum = spectrum[:, : size // 2 + 1] * (_below_half() * size / _SIZE)
    wave = _overlapped(np.fft.irfft(spectrum, size, axis=1), size // _BLOCKS)
    wave = wave[: round(score.duration * sample_rate)]
    return (wave * (_PEAK / np.abs(wave).max())).astype(np.float32)


def _sources(moves: Gestures, text: str, voice: Voice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pulses of the vocal folds, noise of breath, noise from a narrow place, at 16 kHz."""
    count = (len(moves.formants) - 1) * _STEP
    time = np.arange(count) / _RATE
    tick = np.arange(len(moves.pitch)) * 0.001
    pitch, voicing, breath, hiss = (
        np.interp(time, tick, track) for track in (moves.pitch, moves.voicing, moves.breath, moves.hiss)
    )
    wobble = sum(np.sin(2 * np.pi * rate * time) for rate in (12.7, 7.1, 4.7)) / 3
    pitch = pitch * (1 + 0.008 * wobble)
    phase = np.cumsum(pitch) / _RATE
    pulses = _pulses(phase, pitch, voice)
    middle = _open_share(voice) / 2
    open_ = 1 + 0.6 * np.cos(2 * np.pi * (phase - middle)) * (voicing > 0.02)
    seed = hashlib.sha256(repr((text, voice.pitch, voice.tract, voice.rate, voice.breath)).encode()).digest()
    random = np.random.default_rng(int.from_bytes(seed[:8]))
    noise = random.uniform(-np.sqrt(3), np.sqrt(3), (2, count))
    return pulses * voicing, noise[0] * breath * open_ / _gains(voice)[1], noise[1] * hiss * open_


@lru_cache(maxsize=64)
def _pulse_harmonics(share: float) -> np.ndarray:
    """Fourier series of a period of the flow's derivative; the vocal folds are open for a share of it."""
    place = np.arange(_TABLE) / _TABLE / share
    return np.fft.rfft(np.where(place < 1, 2 * place - 3 * place**2, 0.0))


def _open_share(voice: Voice) -> float:
    return 0.6 + 0.2 * voice.breath


def _pulses(phase: np.ndarray, pitch: np.ndarray, voice: Voice) -> np.ndarray:
    """The voice without harmonics above half the sample rate; without the tract, a stressed "ah" is 1."""
    count = (0.49 * _RATE / pitch).astype(int)
    least = int(count.min())
    tables = np.stack([_table(_open_share(voice), some) for some in range(least, int(count.max()) + 1)])
    place = (phase % 1.0) * _TABLE
    low = place.astype(int)
    row = count - least
    below = tables[row, low]
    return (below + (place - low) * (tables[row, low + 1] - below)) / _gains(voice)[0]


@lru_cache(maxsize=1024)
def _table(share: float, count: int) -> np.ndarray:
    """A period of the voice with the first harmonics only; its first point is repeated at the end."""
    harmonics = _pulse_harmonics(share).copy()
    harmonics[0] = 0
    harmonics[count + 1 :] = 0
    table = np.fft.irfft(harmonics, _TABLE)
    return np.append(table, table[0])


@lru_cache(maxsize=64)
def _gains(voice: Voice) -> tuple[float, float]:
    """Root mean square of the voice and of white noise behind the tract of a stressed "ah"."""
    formants, widths = (np.array([values]) for values in _AH)
    nose = np.full((1, 2), 270.0 / voice.tract)
    tract = np.abs(_cascade(formants / voice.tract, widths, nose) * _upper(voice))[0]
    count = int(0.49 * _RATE / voice.pitch)
    harmonics = np.abs(_pulse_harmonics(_open_share(voice))[1 : count + 1]) / _TABLE
    filtered = harmonics * np.interp(
        np.arange(1, count + 1) * voice.pitch, _FREQUENCY, tract * np.abs(_tilt(voice))
    )
    return float(np.sqrt(2 * (filtered**2).sum())), float(np.sqrt((tract**2).mean()))


def _tract(moves: Gestures, voice: Voice) -> np.ndarray:
    return _cascade(moves.formants, moves.widths, moves.nasal) * _upper(voice)


def _cascade(formants: np.ndarray, widths: np.ndarray, nasal: np.ndarray) -> np.ndarray:
    """Transfer function (frame, frequency) of three resonances, the nasal one and the nasal gap."""
    poles = np.concatenate([formants, nasal[:, :1]], 1)
    poles = _resonances(poles, np.concatenate([widths, np.full_like(nasal[:, :1], 100.0)], 1))
    zeros = _resonances(nasal[:, 1:], np.full_like(nasal[:, 1:], 100.0))
    return np.fft.rfft(zeros, _SIZE, axis=1) / np.fft.rfft(poles, _SIZE, axis=1)


def _resonances(frequency: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Polynomial in 1/z, (frame, coefficient), whose inverse resonates at some frequencies; 1 at 0 Hz."""
    radius = np.exp(-np.pi * width / _RATE)
    first = -2 * radius * np.cos(2 * np.pi * frequency / _RATE)
    second = radius**2
    product = np.ones((len(frequency), 1))
    for place in range(frequency.shape[1]):
        longer = np.zeros((len(frequency), product.shape[1] + 2))
        longer[:, :-2] = product
        longer[:, 1:-1] += first[:, place, None] * product
        longer[:, 2:] += second[:, place, None] * product
        product = longer
    return product / product.sum(1, keepdims=True)


@lru_cache(maxsize=64)
def _upper(voice: Voice) -> np.ndarray:
    """Transfer function of the resonances from the fourth on, which hardly move."""
    frequency = np.array([[3400.0, *np.arange(4500.0, 9000.0, 1000.0)]]) / voice.tract
    frequency = frequency[:, frequency[0] < 0.48 * _RATE]
    width = 100 + 0.04 * frequency
    return 1 / np.fft.rfft(_resonances(frequency, width), _SIZE, axis=1)


def _low_pass(coefficient: np.ndarray) -> np.ndarray:
    turn = np.exp(-2j * np.pi * _FREQUENCY / _RATE)
    return (1 - coefficient) / (1 - coefficient * turn)


def _tilt(voice: Voice) -> np.ndarray:
    return _low_pass(np.array([0.15 + 0.45 * voice.breath]))


def _lip(dull: np.ndarray, voice: Voice) -> np.ndarray:
    """What the vocal folds' softness and a closed mouth take from the high frequencies."""
    both = np.repeat(_tilt(voice)[None], len(dull), 0)
    closed = dull > 0
    both[closed] *= _low_pass(dull[closed, None])
    return both


def _hiss(score: Score, moves: Gestures, voice: Voice) -> np.ndarray:
    """Spectrum (frame, frequency) of the noise from a narrow place, with a mean power of 1."""
    shape = np.zeros((len(moves.noisy), len(_FREQUENCY)))
    for frame in np.flatnonzero(moves.noisy >= 0):
        noise = score.sounds[moves.noisy[frame]].phoneme.noise
        for number, (centre, width, level) in enumerate(noise.peaks):
            centre = centre * voice.tract**-0.6
            if noise.follows and number == 0:
                centre = float(moves.formants[frame, 1])
            shape[frame] += 10 ** (level / 20) / np.sqrt(1 + ((_FREQUENCY - centre) / (width / 2)) ** 2) ** 2
    power = np.sqrt((shape**2).mean(1, keepdims=True))
    return shape / np.where(power > 0, power, 1)


def _spectra(source: np.ndarray) -> np.ndarray:
    """Spectra of frames that fade into each other."""
    padded = np.pad(source, _STEP).reshape(-1, _STEP)
    frames = np.concatenate([padded[:-1], padded[1:]], 1) * np.hanning(2 * _STEP + 1)[:-1]
    return np.fft.rfft(frames, _SIZE, axis=1)


def _overlapped(frames: np.ndarray, step: int) -> np.ndarray:
    """Sum of frames that start a step after each other; the first starts a step before the text does."""
    total = np.zeros((len(frames) + _BLOCKS, step))
    for block in range(_BLOCKS):
        total[block : block + len(frames)] += frames[:, block * step : (block + 1) * step]
    return total[1:].ravel()


@lru_cache(maxsize=1)
def _below_half() -> np.ndarray:
    """A low-pass with a soft edge below 4 kHz."""
    frequency = _FREQUENCY[: _SIZE // 4 + 1]
    return np.cos(np.pi / 2 * np.clip((frequency - 3600) / 400, 0, 1)) ** 2
