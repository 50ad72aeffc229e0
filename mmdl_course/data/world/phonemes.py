"""The sounds of English as a vocal tract makes them: resonances, noise, durations."""

from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["PHONEMES", "Noise", "Phoneme"]

Number = float | int
Formants = tuple[Number, Number, Number]


@dataclass(frozen=True)
class Noise:
    """The sound of air that is forced through a narrow place.

    Attributes:
        level: how loud, dB beside a stressed "ah".
        peaks: (centre Hz, width Hz, dB) of the bumps of the spectrum.
        follows: whether the first peak lies at the second formant, where velar bursts have it.
    """

    level: Number
    peaks: tuple[Formants, ...]
    follows: bool = False


@dataclass(frozen=True)
class Phoneme:
    """One sound, spoken by an adult man.

    Attributes:
        kind: how it is made.
        formants: the first three resonances it aims at, Hz. For obstruents (stops, affricates and fricatives)
            and nasals the locus: where the resonances of neighbouring sounds point to.
        widths: their bandwidths, Hz.
        duration: in careful reading, s.
        shortest: what it cannot be hurried below, s.
        end: where the resonances of a diphthong go, Hz; None for steady sounds.
        yields: how much the resonances at its edge are the neighbour's own, 0 (none) to 1.
        reach: how long the resonances take to come from there to the neighbour's, s.
        voiced: whether the vocal folds sound.
        level: loudness of their sound, dB beside a stressed "ah".
        noise: of a fricative, or of a stop's burst.
        aspiration: breath after the burst of a stop before a stressed vowel, s.
    """

    kind: Literal["vowel", "glide", "nasal", "stop", "affricate", "fricative", "aspirate"]
    formants: Formants
    widths: Formants
    duration: float
    shortest: float
    end: Formants | None = None
    yields: Formants = (0.5, 0.5, 0.5)
    reach: float = 0.05
    voiced: bool = True
    level: Number = 0.0
    noise: Noise | None = None
    aspiration: float = 0.0

    @property
    def sonorant(self) -> bool:
        """Whether it sounds through an open tract: vowels, glides and nasals."""
        return self.kind in ("vowel", "glide", "nasal")

    @property
    def obstruent(self) -> bool:
        """Whether air is stopped or forced through a narrow place."""
        return self.kind in ("stop", "affricate", "fricative")


def _vowel(formants, widths, duration, shortest, end=None, **more) -> Phoneme:
    return Phoneme("vowel", formants, widths, duration / 1000, shortest / 1000, end=end, **more)


_VOWELS = {
    "IY": _vowel((270, 2290, 3010), (55, 110, 250), 155, 60),
    "IH": _vowel((420, 1750, 2560), (55, 100, 140), 135, 50),
    "EY": _vowel((480, 1850, 2550), (65, 100, 200), 190, 100, (320, 2220, 2750)),
    "EH": _vowel((550, 1740, 2480), (60, 90, 170), 150, 70),
    "AE": _vowel((660, 1720, 2410), (75, 110, 200), 230, 90),
    "AA": _vowel((730, 1090, 2440), (100, 70, 150), 240, 100),
    "AO": _vowel((570, 840, 2410), (85, 80, 120), 240, 100),
    "OW": _vowel((530, 1020, 2380), (75, 75, 100), 220, 90, (400, 820, 2300)),
    "UH": _vowel((440, 1020, 2240), (75, 90, 100), 160, 70),
    "UW": _vowel((320, 1400, 2260), (60, 90, 120), 210, 80, (310, 1000, 2240)),
    "AH": _vowel((630, 1250, 2450), (80, 65, 140), 150, 70),
    "AX": _vowel((580, 1250, 2400), (75, 80, 150), 75, 34, level=-3.0),
    "ER": _vowel((490, 1350, 1690), (80, 70, 110), 200, 90),
    "AY": _vowel((700, 1180, 2500), (95, 70, 180), 250, 140, (370, 2050, 2600)),
    "AW": _vowel((700, 1230, 2500), (85, 75, 140), 260, 140, (400, 900, 2350)),
    "OY": _vowel((550, 900, 2400), (80, 60, 130), 280, 150, (370, 1950, 2550)),
}

_S = ((6200.0, 2600.0, 0.0), (4300.0, 900.0, -8.0))
_SH = ((2800.0, 1000.0, 0.0), (4400.0, 2200.0, -4.0))
_F = ((1600.0, 2000.0, -6.0), (7000.0, 6000.0, 0.0))
_TH = ((1600.0, 1500.0, -10.0), (6600.0, 3400.0, 0.0))
_P = ((700.0, 900.0, 0.0), (2200.0, 3000.0, -9.0))
_T = ((4200.0, 1800.0, 0.0), (6200.0, 2600.0, -4.0))
_K = ((1800.0, 500.0, 0.0), (4500.0, 2500.0, -12.0))

_LABIAL = {"formants": (200, 800, 2100), "yields": (0.25, 0.75, 0.6), "reach": 0.035}
_DENTAL = {"formants": (230, 1400, 2550), "yields": (0.3, 0.5, 0.5), "reach": 0.045}
_ALVEOLAR = {"formants": (200, 1820, 2700), "yields": (0.25, 0.42, 0.4), "reach": 0.045}
_PALATAL = {"formants": (230, 2000, 2600), "yields": (0.25, 0.35, 0.35), "reach": 0.055}
_VELAR = {"formants": (200, 2500, 2350), "yields": (0.25, 0.7, 0.6), "reach": 0.06}
_STOP = {"kind": "stop", "widths": (90, 130, 200)}
_HISS = {"kind": "fricative", "widths": (120, 130, 200)}

_OBSTRUENTS = {
    "P": Phoneme(**_STOP, **_LABIAL, duration=0.085, shortest=0.055, voiced=False,
                 noise=Noise(-22, _P), aspiration=0.045),
    "B": Phoneme(**_STOP, **_LABIAL, duration=0.085, shortest=0.06, noise=Noise(-24, _P)),
    "T": Phoneme(**_STOP, **_ALVEOLAR, duration=0.075, shortest=0.05, voiced=False,
                 noise=Noise(-7, _T), aspiration=0.05),
    "D": Phoneme(**_STOP, **_ALVEOLAR, duration=0.075, shortest=0.05, noise=Noise(-21, _T)),
    "K": Phoneme(**_STOP, **_VELAR, duration=0.08, shortest=0.06, voiced=False,
                 noise=Noise(-7, _K, follows=True), aspiration=0.055),
    "G": Phoneme(**_STOP, **_VELAR, duration=0.08, shortest=0.06, noise=Noise(-11, _K, follows=True)),
    "CH": Phoneme("affricate", **_PALATAL, widths=(90, 130, 200), duration=0.14, shortest=0.1, voiced=False,
                  noise=Noise(-8, _SH)),
    "JH": Phoneme("affricate", **_PALATAL, widths=(90, 130, 200), duration=0.12, shortest=0.09,
                  noise=Noise(-16, _SH), level=-14),
    "F": Phoneme(**_HISS, **_LABIAL, duration=0.125, shortest=0.095, voiced=False, noise=Noise(-23, _F)),
    "V": Phoneme(**_HISS, **_LABIAL, duration=0.065, shortest=0.045, level=-11, noise=Noise(-30, _F)),
    "TH": Phoneme(**_HISS, **_DENTAL, duration=0.095, shortest=0.06, voiced=False, noise=Noise(-26, _TH)),
    "DH": Phoneme(**_HISS, **_DENTAL, duration=0.055, shortest=0.035, level=-10, noise=Noise(-32, _TH)),
    "S": Phoneme(**_HISS, **_ALVEOLAR, duration=0.11, shortest=0.07, voiced=False, noise=Noise(-9, _S)),
    "Z": Phoneme(**_HISS, **_ALVEOLAR, duration=0.08, shortest=0.05, level=-14, noise=Noise(-18, _S)),
    "SH": Phoneme(**_HISS, **_PALATAL, duration=0.11, shortest=0.08, voiced=False, noise=Noise(-7, _SH)),
    "ZH": Phoneme(**_HISS, **_PALATAL, duration=0.075, shortest=0.05, level=-14, noise=Noise(-17, _SH)),
    "HH": Phoneme("aspirate", (500, 1500, 2500), (150, 150, 200), 0.08, 0.03, voiced=False),
}  # fmt: skip

_SONORANTS = {
    "M": Phoneme("nasal", formants=(280, 1100, 2150), widths=(100, 180, 200), duration=0.1, shortest=0.08,
                 yields=(0.4, 0.7, 0.6), reach=0.035),
    "N": Phoneme("nasal", formants=(280, 1820, 2700), widths=(100, 220, 250), duration=0.085, shortest=0.065,
                 yields=(0.4, 0.42, 0.4), reach=0.045),
    "NG": Phoneme("nasal", formants=(280, 1900, 2300), widths=(100, 220, 250), duration=0.125, shortest=0.08,
                  yields=(0.4, 0.6, 0.6), reach=0.06),
    "W": Phoneme("glide", (290, 610, 2150), (60, 80, 80), 0.08, 0.06, reach=0.06, level=-4.0),
    "Y": Phoneme("glide", (260, 2200, 3020), (45, 200, 300), 0.08, 0.05, reach=0.06, level=-4.0),
    "R": Phoneme("glide", (330, 1100, 1450), (70, 100, 120), 0.085, 0.05, reach=0.055, level=-3.0),
    "L": Phoneme("glide", (340, 1050, 2750), (60, 100, 220), 0.08, 0.05, reach=0.04, level=-4.0),
}  # fmt: skip

PHONEMES: dict[str, Phoneme] = {
    **_VOWELS,
    **_OBSTRUENTS,
    **_SONORANTS,
    "EL": replace(_SONORANTS["L"], formants=(430, 800, 2650), level=-8.0),
}
"""ARPAbet name to sound, with AX for "ah" without stress and EL for the dark "l" after a vowel.

Source: monophthongs: Peterson & Barney 1952, "Control methods used in a study of the vowels", table II, men.
    Diphthongs, glides, bandwidths: after Klatt 1980, "Software for a cascade/parallel formant synthesizer",
    tables II and III. Durations: after Klatt 1979, "Synthesis by rule of segmental durations in English
    sentences". Loci that yield: the locus equations of Sussman, McCaffrey & Matthews 1991. Levels and spectra
    of noise, and what departs from a table, were adjusted until a recogniser trained on people followed.
"""
