"""From a text to timed sounds and a melody: stress, lengthening, pauses, and the fall of the pitch."""

from dataclasses import dataclass

import numpy as np

from mmdl_course.data.world.lexicon import LEXICON, tokens
from mmdl_course.data.world.phonemes import PHONEMES, Phoneme
from mmdl_course.data.world.voices import Voice

__all__ = ["Score", "Sound", "score"]

_MARGIN = 0.05  # silence before and after a text, s
_BREAK = 0.22  # pause at a mark of punctuation, s
_BURST = {True: 0.008, False: 0.012}  # of a stop, voiced or not, s
_FINAL = 1.35  # how much longer the last syllable of a phrase is
_RISE = "?"


@dataclass(frozen=True)
class Sound:
    """One sound of a text; a pause has no phoneme.

    Attributes:
        name: from PHONEMES, or "" for a pause.
        stress: of a vowel, 0 (none) to 1 (full).
        word: place of its word in the text, -1 for a pause.
        start: s.
        end: s.
        release: part of the duration, at its end, that a stop's burst and breath take, s.
        aspiration: part of the release, at its end, that is breath, s.
        opens: whether it comes before the vowel of its syllable.
    """

    name: str
    stress: float
    word: int
    start: float
    end: float
    release: float = 0.0
    aspiration: float = 0.0
    opens: bool = True

    @property
    def phoneme(self) -> Phoneme | None:
        """What it is."""
        return PHONEMES.get(self.name)


@dataclass(frozen=True)
class Score:
    """A text as a voice will speak it.

    Attributes:
        sounds: in order, without gaps, from 0 s.
        words: the text's words.
        pitch: (s, Hz) knots of the melody.
    """

    sounds: tuple[Sound, ...]
    words: tuple[str, ...]
    pitch: tuple[np.ndarray, np.ndarray]

    @property
    def duration(self) -> float:
        """Length, s."""
        return self.sounds[-1].end


def score(text: str, voice: Voice) -> Score:
    """Decide when each sound of a text is spoken, and on which pitch.

    Args:
        text: words of LEXICON and punctuation.
        voice: who speaks.

    Returns:
        Timed sounds and the melody.

    Raises:
        UnknownWordError: a word without a pronunciation.
        ValueError: a text without a word.
    """
    found = tokens(text)
    words = tuple(token for token in found if token in LEXICON)
    if not words:
        raise ValueError(f"the text '{text}' has no word to speak")
    phrases, place = [[]], 0
    for token in found:
        if token in LEXICON:
            phrases[-1].append(place)
            place += 1
        elif phrases[-1]:
            phrases.append([])
    phrases = [phrase for phrase in phrases if phrase]
    sounds, clock = [Sound("", 0, -1, 0.0, _MARGIN)], _MARGIN
    for number, phrase in enumerate(phrases):
        if number:
            sounds.append(Sound("", 0, -1, clock, clock + _BREAK / voice.rate))
            clock = sounds[-1].end
        for sound in _timed(phrase, words, voice, clock):
            sounds.append(sound)
            clock = sound.end
    sounds.append(Sound("", 0, -1, clock, clock + _MARGIN))
    rises = text.rstrip().endswith(_RISE) and words[0] not in ("what", "how", "which", "where", "who")
    return Score(tuple(sounds), words, _melody(sounds, voice, rises))


def _timed(phrase: list[int], words: tuple[str, ...], voice: Voice, clock: float) -> list[Sound]:
    """The sounds of one phrase with their durations.

    Source: rules after Klatt 1979, "Synthesis by rule of segmental durations in English sentences".
    """
    row = [(name, word) for word in phrase for name in LEXICON[words[word]]]
    names = [name.rstrip("012") for name, _ in row]
    vowels = [place for place, (name, _) in enumerate(row) if name[-1].isdigit()]
    kinds = [PHONEMES[name].kind for name in names]
    sounds = []
    for place, (full, word) in enumerate(row):
        name = names[place]
        stress = {"1": 1.0, "2": 0.6}.get(full[-1], 0.0)
        ahead = [vowel for vowel in vowels if vowel >= place and row[vowel][1] == word]
        opens = bool(ahead)
        after = names[place + 1] if place + 1 < len(row) else ""
        before = names[place - 1] if place and row[place - 1][1] == word else ""
        if name == "AH" and not stress:
            name = "AX"
        if name == "L" and not opens:
            name = "EL"
        phoneme = PHONEMES[name]
        share = 1.0
        last = place >= vowels[-1]
        if phoneme.kind == "vowel":
            if not last:
                share *= 0.75 if any(v > place for v in ahead) else 0.9
            if not stress:
                share *= 0.55
            if after and row[place + 1][1] == word and PHONEMES[after].obstruent:
                share *= 1.1 if PHONEMES[after].voiced else 0.8
        elif before and PHONEMES[before].kind != "vowel" or (after and kinds[place + 1] != "vowel"):
            share *= 0.8
        duration = phoneme.shortest + share * (phoneme.duration - phoneme.shortest)
        if last:
            duration *= _FINAL if phoneme.sonorant else 1.1
        release = aspiration = 0.0
        if phoneme.kind == "stop":
            release = _BURST[phoneme.voiced]
            if not phoneme.voiced:
                target = row[ahead[0]][0] if ahead else ""
                strong = bool(ahead) and (target[-1] != "0" or place == 0 or row[place - 1][1] != word)
                aspiration = phoneme.aspiration * (1.0 if strong else 0.45)
                if before == "S":
                    aspiration = phoneme.aspiration * 0.25
            if after and kinds[place + 1] in ("stop", "affricate"):
                aspiration, release = 0.0, 0.5 * release
            release += aspiration
        length = (duration + release) / voice.rate
        release, aspiration = release / voice.rate, aspiration / voice.rate
        sounds.append(Sound(name, stress, word, clock, clock + length, release, aspiration, opens))
        clock += length
    return sounds


def _melody(sounds: list[Sound], voice: Voice, rises: bool) -> tuple[np.ndarray, np.ndarray]:
    """A line that falls through the text, a bump on each stressed vowel, a last fall or rise.

    Source: Pierrehumbert 1980, "The phonology and phonetics of English intonation", for the shape.
    """
    end = sounds[-1].end
    time = np.arange(0.0, end + 0.01, 0.01)
    line = 0.5 - time / end
    stressed = [sound for sound in sounds if sound.stress > 0.5]
    for number, sound in enumerate(stressed):
        middle, width = (sound.start + sound.end) / 2, 0.09 / voice.rate
        height = 0.45 if number < len(stressed) - 1 else 0.35
        line = line + height * np.exp(-0.5 * ((time - middle) / width) ** 2)
    final = next((sound for sound in reversed(sounds) if sound.stress or sound.phoneme), sounds[-1])
    nucleus = (stressed or [final])[-1]
    tail = np.clip((time - (nucleus.start + nucleus.end) / 2) / max(end - nucleus.start, 1e-3), 0, 1)
    line = line + (0.9 if rises else -0.35) * tail
    sounding = np.zeros_like(time)
    for sound in sounds:
        if sound.phoneme and sound.phoneme.voiced:
            sounding[(time >= sound.start) & (time < sound.end)] = 1
    line = line - (line * sounding).sum() / max(sounding.sum(), 1)
    return time, voice.pitch * 2 ** (voice.intonation * line / 12)
