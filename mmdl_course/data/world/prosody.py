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
_FINAL = 1.1  # how much longer the last syllable of a phrase is
_STRESS = {"1": 1.0, "2": 0.6}
_ASKED = ("what", "how", "which", "where", "who")  # questions that begin so do not rise


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
    """

    name: str
    stress: float
    word: int
    start: float
    end: float
    release: float = 0.0
    aspiration: float = 0.0

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
    sounds, clock = [Sound("", 0.0, -1, 0.0, _MARGIN)], _MARGIN
    for number, phrase in enumerate(phrases):
        if number:
            sounds.append(Sound("", 0.0, -1, clock, clock + _BREAK / voice.rate))
            clock = sounds[-1].end
        for sound in _timed(phrase, words, voice, clock):
            sounds.append(sound)
            clock = sound.end
    sounds.append(Sound("", 0.0, -1, clock, clock + _MARGIN))
    rises = text.rstrip().endswith("?") and words[0] not in _ASKED
    return Score(tuple(sounds), words, _melody(sounds, voice, rises))


@dataclass(frozen=True)
class _Place:
    """A sound with what decides how it is spoken: its neighbours, its syllable, its phrase."""

    name: str
    stress: float
    word: int
    before: Phoneme | None  # in the same word
    after: Phoneme | None
    across: bool  # whether `after` begins another word
    onward: bool  # whether another syllable of its word follows
    strong: bool  # whether it leads to a stressed vowel, or begins a word
    last: bool  # whether it belongs to the end of the phrase, from its last vowel on

    @property
    def phoneme(self) -> Phoneme:
        return PHONEMES[self.name]


def _places(phrase: list[int], words: tuple[str, ...]) -> list[_Place]:
    row = [(name.rstrip("012"), name[-1], word) for word in phrase for name in LEXICON[words[word]]]
    vowels = [place for place, (_, digit, _) in enumerate(row) if digit.isdigit()]
    stressed = any(digit == "1" for _, digit, _ in row)
    found = []
    for place, (name, digit, word) in enumerate(row):
        after = row[place + 1] if place + 1 < len(row) else None
        starts = place == 0 or row[place - 1][2] != word
        ahead = [vowel for vowel in vowels if vowel >= place and row[vowel][2] == word]
        stress = _STRESS.get(digit, 0.0) if stressed or place != vowels[-1] else 1.0
        if name == "AH" and not stress:
            # "the" before a vowel ends like "see"
            vowel_next = after is not None and after[1].isdigit()
            name = "IY" if words[word] == "the" and vowel_next else "AX"
        elif name == "L" and not ahead:
            name = "EL"
        found.append(
            _Place(
                name,
                stress,
                word,
                before=None if starts else PHONEMES[row[place - 1][0]],
                after=PHONEMES[after[0]] if after else None,
                across=bool(after) and after[2] != word,
                onward=any(vowel > place for vowel in ahead),
                strong=bool(ahead) and (starts or row[ahead[0]][1] != "0"),
                last=place >= vowels[-1],
            )
        )
    return found


def _timed(phrase: list[int], words: tuple[str, ...], voice: Voice, clock: float) -> list[Sound]:
    """The sounds of one phrase with their durations."""
    sounds = []
    for place in _places(phrase, words):
        release, aspiration = _release(place)
        length = (_duration(place) + release) / voice.rate
        sounds.append(
            Sound(
                place.name,
                place.stress,
                place.word,
                clock,
                clock + length,
                release / voice.rate,
                aspiration / voice.rate,
            )
        )
        clock += length
    return sounds


def _duration(place: _Place) -> float:
    """How long a sound lasts, of a stop how long its closure, s.

    Source: rules after Klatt 1979, "Synthesis by rule of segmental durations in English sentences".
    """
    phoneme, share = place.phoneme, 1.0
    if phoneme.kind == "vowel":
        if not place.last:
            share *= 0.7 if place.onward else 0.8
        if not place.stress:
            share *= 0.55
        if place.after and not place.across and place.after.obstruent:
            share *= 1.1 if place.after.voiced else 0.8
    elif any(other and other.kind != "vowel" for other in (place.before, place.after)):
        share *= 0.8
    duration = phoneme.shortest + share * (phoneme.duration - phoneme.shortest)
    if place.last:
        duration *= _FINAL if phoneme.sonorant else 1.1
    return duration


def _release(place: _Place) -> tuple[float, float]:
    """How long a stop's burst and breath last, and the breath of that, s."""
    phoneme = place.phoneme
    if phoneme.kind != "stop":
        return 0.0, 0.0
    burst = _BURST[phoneme.voiced]
    if place.after and place.after.kind in ("stop", "affricate"):
        return 0.5 * burst, 0.0
    share = 1.0 if place.strong else 0.45
    if place.before is PHONEMES["S"]:
        share = 0.25
    return burst + share * phoneme.aspiration, share * phoneme.aspiration


def _melody(sounds: list[Sound], voice: Voice, rises: bool) -> tuple[np.ndarray, np.ndarray]:
    """A line that falls through the text, a bump on each stressed vowel, a last fall or rise.

    Source: Pierrehumbert 1980, "The phonology and phonetics of English intonation", for the shape.
    """
    end = sounds[-1].end
    time = np.arange(0.0, end + 0.01, 0.01)
    line = 0.5 - time / end
    stressed = [sound for sound in sounds if sound.stress == 1]
    nucleus = stressed[-1]
    for sound in stressed:
        height = (-0.2 if rises else 0.35) if sound is nucleus else 0.45
        away = (time - (sound.start + sound.end) / 2) * voice.rate
        line = line + height * np.exp(-0.5 * (away / 0.09) ** 2)
    turn = (nucleus.start + nucleus.end) / 2
    line = line + (1.4 if rises else -0.35) * np.clip((time - turn) / (end - turn), 0, 1)
    heard = np.zeros(len(time), bool)
    for sound in sounds:
        if sound.phoneme and sound.phoneme.voiced:
            heard |= (time >= sound.start) & (time < sound.end)
    line = (line - line[heard].mean()) / np.ptp(line[heard])
    return time, voice.pitch * 2 ** (voice.intonation * line / 12)
