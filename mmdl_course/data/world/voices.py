"""Who speaks: what makes one voice sound unlike another."""

import math
from dataclasses import dataclass

__all__ = ["VOICES", "Voice"]


@dataclass(frozen=True)
class Voice:
    """A speaker.

    Attributes:
        name: what to call it; has no influence on the sound.
        pitch: vibrations of the vocal folds per second, Hz, 50..400; the geometric mean over a text.
        tract: length of the vocal tract relative to an adult man's 17.5 cm, 0.6..1.2. Resonances go with
            1 / tract.
        rate: speed relative to careful reading, 0.5..2.
        breath: part of the air that passes without making the folds sound, 0 (pressed) to 1 (near a whisper).
        intonation: how far pitch rises and falls, semitones from lowest to highest, 0..12.
    """

    name: str
    pitch: float | int = 115.0
    tract: float | int = 1.0
    rate: float | int = 1.0
    breath: float | int = 0.2
    intonation: float | int = 6.0

    def __post_init__(self) -> None:
        for field, (low, high, unit) in _RANGES.items():
            value = getattr(self, field)
            if not (math.isfinite(value) and low <= value <= high):
                raise ValueError(
                    f"{field} of voice '{self.name}' must lie in {low}..{high}{unit}, not {value}"
                )


_RANGES = {
    "pitch": (50, 400, " Hz"),
    "tract": (0.6, 1.2, ""),
    "rate": (0.5, 2, ""),
    "breath": (0, 1, ""),
    "intonation": (0, 12, " semitones"),
}

VOICES: dict[str, Voice] = {
    voice.name: voice
    for voice in (
        Voice("man"),
        Voice("woman", pitch=205.0, tract=0.87, breath=0.3),
        Voice("child", pitch=270.0, tract=0.76, rate=0.95, breath=0.3, intonation=8.0),
        Voice("low", pitch=80.0, tract=1.08, rate=0.95, breath=0.1, intonation=4.0),
        Voice("high", pitch=240.0, tract=0.9, breath=0.15, intonation=9.0),
        Voice("slow", pitch=100.0, tract=1.03, rate=0.72, intonation=5.0),
        Voice("quick", pitch=135.0, tract=0.97, rate=1.35, breath=0.15, intonation=7.0),
        Voice("breathy", pitch=175.0, tract=0.9, rate=0.9, breath=0.75, intonation=4.0),
    )
}
"""Name to voice: eight speakers that differ in all that a Voice can differ in."""
