"""Colours as they are seen: lightness, contrast, and what colour-blindness and grey paper leave of them."""

from typing import Any

import numpy as np
from matplotlib.colors import to_rgb

# Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation of color vision
# deficiency", severity 1.0, for linear RGB.
DEFICIENCIES = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}


def linear(colour: Any) -> np.ndarray:
    """From sRGB, 0 … 1, or a colour's name to linear RGB."""
    c = np.array(to_rgb(colour)) if isinstance(colour, str) else np.asarray(colour, dtype=float)[..., :3]
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def luminance(colour: Any) -> Any:
    """Relative luminance, 0 … 1: what a print without colour keeps. Source: WCAG 2.2."""
    return linear(colour) @ np.array([0.2126, 0.7152, 0.0722])


def contrast(one: Any, other: Any) -> Any:
    """Contrast ratio of two colours, 1 … 21. Source: WCAG 2.2."""
    first, second = luminance(one), luminance(other)
    return (np.maximum(first, second) + 0.05) / (np.minimum(first, second) + 0.05)


def seen_with(deficiency: str, colour: Any) -> np.ndarray:
    """Linear RGB of a colour as somebody with this deficiency sees it."""
    return np.clip(linear(colour) @ np.array(DEFICIENCIES[deficiency]).T, 0, 1)


def lab(rgb: np.ndarray) -> np.ndarray:
    """From linear RGB to CIELAB, in which 2.3 is just noticeable."""
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.072175],
        [0.0193339, 0.119192, 0.9503041],
    ]
    x, y, z = np.cbrt(np.maximum(np.array(to_xyz) @ rgb / (0.95047, 1.0, 1.08883), 0.0))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
