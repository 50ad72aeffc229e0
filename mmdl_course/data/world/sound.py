"""Spoken captions: text to waveform, in the voice that you choose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mmdl_course.data.world.prosody import Score, score
from mmdl_course.data.world.scene import index_of
from mmdl_course.data.world.synthesis import RATES, synthesise
from mmdl_course.data.world.voices import VOICES, Voice

__all__ = ["Speech", "speak"]


@dataclass(frozen=True)
class Speech:
    """Texts as sound, and when which word sounds: what recordings of people never come with exactly.

    Attributes:
        waveform: air pressure, -1..1; 0 after the end of a text.
        length: samples of each text.
        sample_rate: samples a second.
        texts: what is spoken.
        voices: who speaks.
        words: the words of each text, as they are spoken.
        start: first sample of each word; -1 where a text has fewer words.
        end: the sample after its last one; -1 where a text has fewer words.
    """

    waveform: Float[Tensor, "text time"]
    length: Int64[Tensor, " text"]
    sample_rate: int
    texts: tuple[str, ...]
    voices: tuple[Voice, ...]
    words: tuple[tuple[str, ...], ...]
    start: Int64[Tensor, "text word"]
    end: Int64[Tensor, "text word"]

    def __len__(self) -> int:
        return len(self.texts)


def speak(
    texts: Sequence[str],
    *,
    voice: Voice | str | Sequence[Voice | str] = "man",
    sample_rate: int = 16_000,
) -> Speech:
    """Say texts aloud: formant synthesis of the course's own small lexicon.

    The same text in the same voice is always the same sound, whatever it is spoken beside. To listen:
    `IPython.display.Audio(speech.waveform[0], rate=speech.sample_rate)`.

    Args:
        texts: captions, questions, answers or expressions; words of LEXICON. Capitals do not matter,
            punctuation is a pause, and a question that can be answered with yes or no rises at its end.
        voice: who speaks: a Voice, a name from VOICES, or one of these for each text.
        sample_rate: 16000 or, as through a telephone, 8000 samples a second.

    Returns:
        The waveforms, padded at their ends, with the place of each word.

    Raises:
        UnknownWordError: a word without a pronunciation.
        ValueError: an unknown voice or sample rate, a number of voices that is not the texts', or a text
            without a word.
    """
    if isinstance(texts, str):
        raise ValueError(f"texts must be a sequence of texts: speak(['{texts}']), not speak('{texts}')")
    texts = tuple(texts)
    voices = _voices(voice, len(texts))
    if sample_rate not in RATES:
        raise ValueError(f"sample_rate must be one of {', '.join(map(str, RATES))}, not {sample_rate}")
    scores = [score(text, speaker) for text, speaker in zip(texts, voices, strict=True)]
    waves = [
        synthesise(sounds, text, speaker, sample_rate)
        for sounds, text, speaker in zip(scores, texts, voices, strict=True)
    ]
    length = torch.tensor([len(wave) for wave in waves], dtype=torch.long)
    waveform = torch.zeros(len(texts), max((len(wave) for wave in waves), default=0))
    for row, wave in zip(waveform, waves, strict=True):
        row[: len(wave)] = torch.from_numpy(wave)
    start, end = _places(scores, sample_rate)
    words = tuple(sounds.words for sounds in scores)
    return Speech(waveform, length, sample_rate, texts, voices, words, start, end)


def _voices(voice: Voice | str | Sequence[Voice | str], count: int) -> tuple[Voice, ...]:
    chosen = [voice] * count if isinstance(voice, Voice | str) else list(voice)
    if len(chosen) != count:
        raise ValueError(f"{len(chosen)} voices for {count} texts: give one voice, or one for each text")
    for one in chosen:
        if isinstance(one, str):
            index_of(one, VOICES, "voice")
    return tuple(VOICES[one] if isinstance(one, str) else one for one in chosen)


def _places(scores: Sequence[Score], sample_rate: int) -> tuple[Tensor, Tensor]:
    """First sample and the sample after the last one of each word."""
    most = max((len(one.words) for one in scores), default=0)
    places = np.full((2, len(scores), most), -1)
    for row, one in enumerate(scores):
        for sound in one.sounds:
            if sound.phoneme:
                begin, finish = round(sound.start * sample_rate), round(sound.end * sample_rate)
                if places[0, row, sound.word] < 0:
                    places[0, row, sound.word] = begin
                places[1, row, sound.word] = finish
    start, end = torch.from_numpy(places)
    return start, end
