"""A real signal that PyWavelets ships: three heartbeats of an electrocardiogram."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mmdl_course.data.card import Shipped, ship, shipped_file

__all__ = ["Electrocardiogram", "load_ecg"]

RATE = 360.0
"""Samples per second of the ECG as far as its hum tells; the package does not say.

Its spectrum has a line at 1/6 of a cycle per sample. Read as the 60 Hz of American mains that is 360 Hz, the
rate of the MIT-BIH recordings; the beats then come at 66 per minute and the QT interval is 0.4 s, both
ordinary. Read as 50 Hz it would be 300 Hz and 55 beats per minute, which a heart can also do.
"""


@dataclass(frozen=True, kw_only=True, repr=False)
class Electrocardiogram(Shipped):
    """Voltage between two places of the skin over time.

    Attributes:
        signal: in the steps of the converter; what a step is in millivolts is not documented.
        rate: samples per second, inferred: see RATE.
    """

    signal: Float[Tensor, " time"]
    rate: float

    @property
    def seconds(self) -> Float[Tensor, " time"]:
        """When each sample was taken, from 0 on."""
        return torch.arange(len(self.signal)) / self.rate


def load_ecg() -> Electrocardiogram:
    """Load the electrocardiogram: 1,024 samples with three beats.

    Returns:
        The signal.

    Raises:
        DataError: PyWavelets is not installed.
    """
    card = ship(
        "PyWavelets",
        title="Electrocardiogram, three beats",
        source="unknown: among the demonstrations of F. Wasilewski's PyWavelets, which name neither the "
        "recording nor its rate (360 Hz is inferred from the hum of the mains; that is also the rate of the "
        "MIT-BIH Arrhythmia Database, but nothing says that it comes from there)",
        licence="MIT (the package's; that of the recording is not stated)",
    )
    with np.load(shipped_file("PyWavelets", "pywt/data/ecg.npz")) as archive:
        signal = torch.tensor(archive["data"], dtype=torch.float32)
    return Electrocardiogram(signal=signal, rate=RATE, card=card)
