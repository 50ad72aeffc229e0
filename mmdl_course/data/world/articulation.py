"""From timed sounds to what the vocal tract does: resonances and loudness, moment by moment."""

from dataclasses import dataclass

import numpy as np

from mmdl_course.data.world.prosody import Score, Sound
from mmdl_course.data.world.voices import Voice

__all__ = ["HOP", "Gestures", "gestures"]

HOP = 0.005
"""Time between two shapes of the tract, s."""

_TICK = 0.001  # of loudness, s
_NEUTRAL = np.array((500.0, 1500.0, 2500.0))
_NASAL_POLE, _NASAL_ZERO = 270.0, 700.0  # Hz, after Klatt 1980, section II.B
_VOICE_BAR = 10 ** (-13 / 20)  # voicing behind a closure
_HEAVY = 0.88  # coefficient of the low-pass that the closed mouth is


@dataclass(frozen=True)
class Gestures:
    """What a voice does to speak a text; frames are HOP apart, ticks a millisecond.

    Attributes:
        formants: (frame, 3), Hz.
        widths: their bandwidths, (frame, 3), Hz.
        nasal: (frame, 2) frequencies of the nasal pole and zero, Hz; equal where the nose is shut.
        dull: coefficient of the low-pass on the voice, 0..1, (frame,).
        noisy: sound whose noise colours the frame, -1 for none, (frame,).
        voicing: amplitude of the vocal folds' sound, (tick,).
        breath: amplitude of the noise at the vocal folds, (tick,).
        hiss: amplitude of the noise at a narrow place, (tick,).
        pitch: Hz, (tick,).
    """

    formants: np.ndarray
    widths: np.ndarray
    nasal: np.ndarray
    dull: np.ndarray
    noisy: np.ndarray
    voicing: np.ndarray
    breath: np.ndarray
    hiss: np.ndarray
    pitch: np.ndarray


def gestures(score: Score, voice: Voice) -> Gestures:
    """Move the tract through a text.

    Formants run along straight lines between knots, which locus equations put at the edges of consonants,
    and are then rounded off.

    Source: Klatt 1980, "Software for a cascade/parallel formant synthesizer"; Sussman, McCaffrey & Matthews
        1991, "An investigation of locus equations as a source of relational invariance".

    Args:
        score: what is spoken, and when.
        voice: who speaks.

    Returns:
        Resonances for each frame, loudness and pitch for each tick.
    """
    time = np.arange(int(np.ceil(score.duration / HOP)) + 1) * HOP
    tick = np.arange(int(np.ceil(score.duration / _TICK)) + 1) * _TICK
    knots, values = _formant_knots(score.sounds)
    formants = np.stack([np.interp(time, knots, row) for row in values.T], -1)
    formants = _rounded(formants, 5) / voice.tract
    sounds = score.sounds
    starts = np.array([sound.start for sound in sounds])
    here = np.searchsorted(starts, time, side="right") - 1
    phonemes = [sound.phoneme for sound in sounds]
    widths = np.array([phoneme.widths if phoneme else (90, 120, 180) for phoneme in phonemes])[here]
    nose = np.array([bool(phoneme) and phoneme.kind == "nasal" for phoneme in phonemes], float)[here]
    zero = _NASAL_POLE + (_NASAL_ZERO - _NASAL_POLE) * _rounded(nose, 9)
    nasal = np.stack([np.full_like(zero, _NASAL_POLE), zero], -1) / voice.tract
    closed = np.array([bool(p) and p.kind in ("stop", "affricate") and p.voiced for p in phonemes], float)
    dull = _HEAVY * _rounded(closed[here], 3) * (1 - nose)
    noisy = np.full(len(time), -1)
    for number, sound in enumerate(sounds):
        if sound.phoneme and sound.phoneme.noise:
            low, high = _noise_span(sound)
            noisy[(time > low - 2.5 * HOP) & (time < high + 2.5 * HOP)] = number
    pitch = np.interp(tick, *score.pitch)
    return Gestures(formants, _rounded(widths, 5), nasal, dull, noisy, *_loudness(sounds, tick, voice), pitch)


def _rounded(track: np.ndarray, frames: int) -> np.ndarray:
    """A track without corners: averaged over a raised cosine."""
    window = np.hanning(frames + 2)[1:-1]
    window /= window.sum()
    padded = np.pad(track, [(frames // 2, frames // 2)] + [(0, 0)] * (track.ndim - 1), mode="edge")
    return sum(weight * padded[place : place + len(track)] for place, weight in enumerate(window))


def _formant_knots(sounds: tuple[Sound, ...]) -> tuple[np.ndarray, np.ndarray]:
    edges = [_edge(sounds, place) for place in range(len(sounds) + 1)]
    knots, values = [], []
    for place, sound in enumerate(sounds):
        knots.append(sound.start)
        values.append(edges[place])
        phoneme = sound.phoneme
        if phoneme and phoneme.sonorant:
            length = sound.end - sound.start
            first = min(_reach(sounds, place, -1), 0.42 * length)
            last = min(_reach(sounds, place, +1), 0.42 * length)
            if phoneme.end:
                first, last = min(first, 0.3 * length), min(last, 0.22 * length)
            knots += [sound.start + first, sound.end - last]
            values += [_target(sound, +1), _target(sound, -1)]
    knots.append(sounds[-1].end)
    values.append(edges[-1])
    return np.array(knots), np.array(values)


def _target(sound: Sound, side: int) -> np.ndarray:
    """What the resonances of a sonorant aim at, at its start (side 1) or end (-1)."""
    phoneme = sound.phoneme
    return np.array(phoneme.end if phoneme.end and side < 0 else phoneme.formants, float)


def _reach(sounds: tuple[Sound, ...], place: int, side: int) -> float:
    """How long a sonorant takes from its edge with a neighbour to its own resonances, s."""
    own, other = sounds[place].phoneme, sounds[place + side].phoneme
    if other is None or other.kind == "aspirate":
        return 0.02
    if other.kind == "vowel":
        return own.reach
    reach = other.reach
    if side < 0 and other.kind == "stop":
        reach = max(0.02, reach + 0.02 - sounds[place - 1].aspiration / 2)
    return reach


def _edge(sounds: tuple[Sound, ...], place: int) -> np.ndarray:
    """Resonances where sound place - 1 meets sound `place`."""
    left = sounds[place - 1] if place else None
    right = sounds[place] if place < len(sounds) else None
    one, two = (sound.phoneme if sound else None for sound in (left, right))
    if one and two and one.sonorant and two.sonorant:
        if one.kind == "vowel" and two.kind == "nasal":
            return _locus(two, _target(left, -1))
        if one.kind == "nasal" and two.kind == "vowel":
            return _locus(one, _target(right, +1))
        return (_target(left, -1) + _target(right, +1)) / 2
    before, after = _sonorant(sounds, place - 1, -1), _sonorant(sounds, place, +1)
    if one and one.obstruent and two and two.obstruent:
        return (_locus(one, before) + _locus(two, after)) / 2
    if one and one.obstruent:
        return _locus(one, after if two else _NEUTRAL)
    if two and two.obstruent:
        return _locus(two, before if one else _NEUTRAL)
    if two is None or two.kind == "aspirate":
        return before if one and one.sonorant else after
    return after


def _sonorant(sounds: tuple[Sound, ...], place: int, side: int) -> np.ndarray:
    """Resonances of the next sonorant on a side, within a few sounds; neutral ones if there is none."""
    for step in range(4):
        at = place + side * step
        if not 0 <= at < len(sounds) or sounds[at].phoneme is None:
            break
        if sounds[at].phoneme.kind in ("vowel", "glide"):
            return _target(sounds[at], side)
    return _NEUTRAL


def _locus(phoneme, neighbour: np.ndarray) -> np.ndarray:
    share = np.array(phoneme.yields)
    found = (1 - share) * np.array(phoneme.formants) + share * neighbour
    found[2] = max(found[2], found[1] + 250)
    return found


def _noise_span(sound: Sound) -> tuple[float, float]:
    """When a sound's noise is heard, s."""
    match sound.phoneme.kind:
        case "stop":
            return sound.end - sound.release, sound.end - sound.aspiration
        case "affricate":
            return sound.start + 0.45 * (sound.end - sound.start), sound.end
    return sound.start, sound.end


def _loudness(
    sounds: tuple[Sound, ...], tick: np.ndarray, voice: Voice
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    voicing, breath, hiss, burst = (np.zeros_like(tick) for _ in range(4))
    for place, sound in enumerate(sounds):
        phoneme = sound.phoneme
        if phoneme is None:
            continue
        span = _ticks(sound.start, sound.end)
        level = 10 ** (phoneme.level / 20)
        if phoneme.sonorant:
            level *= 0.8 + 0.2 * sound.stress if phoneme.kind == "vowel" else 1.0
            if not sounds[place + 1].phoneme:
                length = span.stop - span.start
                level = level * np.interp(np.arange(length), [0, 0.55 * length, length], [1, 0.85, 0.25])
            voicing[span] = level
        elif phoneme.kind == "aspirate":
            breath[span] = 10 ** (-13 / 20)
        elif phoneme.kind == "fricative":
            if phoneme.voiced:
                final = not sounds[place + 1].phoneme
                voicing[span] = level * (0.5 if final else 1.0)
            hiss[_ticks(*_noise_span(sound))] = 10 ** (phoneme.noise.level / 20)
        else:
            low, high = _noise_span(sound)
            if phoneme.voiced:
                length = _ticks(sound.start, low).stop - span.start
                fade = np.linspace(1, 0.35, length)
                voicing[span.start : span.start + length] = _VOICE_BAR * fade
            if phoneme.kind == "affricate":
                hiss[_ticks(low, high)] = 10 ** (phoneme.noise.level / 20)
                if phoneme.voiced:
                    voicing[_ticks(low, high)] = level
            else:
                burst[_ticks(low, high)] = 10 ** (phoneme.noise.level / 20)
                breath[_ticks(high, sound.end)] = 10 ** (-15 / 20)
    voicing = _rounded(voicing, 15)
    breath = _rounded(breath, 9) + 0.2 * voice.breath**1.5 * voicing
    return voicing * (1 - 0.4 * voice.breath), breath, _rounded(hiss, 21) + _rounded(burst, 3)


def _ticks(start: float, end: float) -> slice:
    return slice(round(start / _TICK), round(end / _TICK))
