"""What callers hand over (numpy, torch or lists), turned into checked numpy arrays."""

from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = ["as_array", "as_images", "as_points", "as_steps", "to_numpy"]


def to_numpy(values: Any) -> np.ndarray:
    """Turn an array, a tensor (on any device, with or without a gradient) or nested lists into numpy.

    Args:
        values: anything numpy or torch made, or lists of numbers.

    Returns:
        The same values; a copy only where there is no other way.
    """
    # torch is not imported here: most figures are made without it.
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def as_array(values: Any, *, name: str, shape: tuple[str | int, ...], kinds: str) -> np.ndarray:
    """Check the shape of an array and what kind of numbers it holds.

    Args:
        values: numbers.
        name: what the caller calls them; appears in the message.
        shape: length of each axis; a word stands for any length but 0.
        kinds: letters of numpy's kinds: "f" floating point, "i" and "u" whole numbers, "b" truth values.

    Returns:
        The same values.

    Raises:
        ValueError: another shape or kind.
    """
    array = to_numpy(values)
    fits = array.ndim == len(shape) and all(
        length > 0 and (isinstance(wanted, str) or wanted == length)
        for wanted, length in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        raise ValueError(f"{name}: expected shape ({wanted}), got {array.shape}.")
    if array.dtype.kind not in kinds:
        numbers = "whole" if "i" in kinds else "floating-point"
        raise ValueError(f"{name}: expected {numbers} numbers, got {array.dtype}.")
    return array


def as_images(images: Any, *, name: str = "images") -> Float[np.ndarray, "image height width 3"]:
    """Check images and put the colour channel last, as matplotlib wants it.

    Args:
        images: Float "image 3 height width" or "image height width", 0 … 1.
        name: what the caller calls them; appears in the message.

    Returns:
        RGB images, 0 … 1.

    Raises:
        ValueError: another shape, a value outside 0 … 1, or not a number.
    """
    array = to_numpy(images)
    wanted = f"{name}: expected shape (image, 3, height, width) or (image, height, width), got {array.shape}."
    if array.ndim == 3:
        array = np.repeat(array[..., None], 3, axis=-1)  # (image, height, width, 3)
    elif array.ndim == 4 and array.shape[1] == 3:
        array = np.moveaxis(array, 1, -1)  # (image, height, width, 3)
    elif array.ndim == 4 and array.shape[-1] == 3:
        raise ValueError(f"{wanted} The colour channel is last: move it with images.permute(0, 3, 1, 2).")
    elif array.ndim == 4 and array.shape[1] == 1:
        raise ValueError(f"{wanted} Drop the channel axis of grey images: images[:, 0].")
    elif array.ndim == 2:
        raise ValueError(f"{wanted} For a single image, add the first axis: images[None].")
    else:
        raise ValueError(wanted)
    if 0 in array.shape:
        raise ValueError(f"{wanted} There is nothing to draw.")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: some values are NaN or infinite; they cannot be drawn.")
    low, high = array.min(), array.max()
    if low < -1e-5 or high > 1 + 1e-5:
        raise ValueError(
            f"{name}: values must lie in 0 … 1, got {low:.4g} … {high:.4g}. Divide bytes by 255; clamp "
            "what a decoder returns with images.clamp(0, 1)."
        )
    return array.clip(0, 1)


def as_points(
    points: Any, *, name: str, dimensions: tuple[int, ...] = (1, 2, 3)
) -> Float[np.ndarray, "n dim"]:
    """Check points that are to be drawn.

    Args:
        points: Float "n dim".
        name: what the caller calls them; appears in the message.
        dimensions: the dims that can be drawn.

    Returns:
        The points.

    Raises:
        ValueError: another shape, no point, or not a number.
    """
    array = to_numpy(points)
    if array.ndim != 2 or array.shape[1] not in dimensions or not len(array):
        dims = " or ".join(f"(n, {dim})" for dim in dimensions)
        raise ValueError(f"{name}: expected points of shape {dims}, got {array.shape}.")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).any(axis=1).sum())
        raise ValueError(f"{name}: {bad} of {len(array)} points are NaN or infinite; they cannot be drawn.")
    return array


def as_steps(
    steps: Any, *, name: str, dimensions: tuple[int, ...] = (1, 2, 3)
) -> Float[np.ndarray, "step dim"]:
    """Check the steps of a way that is to be drawn.

    Args:
        steps: Float "step dim"; a row of NaN leaves a gap.
        name: what the caller calls them; appears in the message.
        dimensions: the dims that can be drawn.

    Returns:
        The steps.

    Raises:
        ValueError: another shape, no step, or not a number.
    """
    array = to_numpy(steps)
    if array.ndim == 2 and array.dtype.kind == "f":
        as_points(array[~np.isnan(array).all(axis=1)], name=name, dimensions=dimensions)
        return array.astype(np.float64)
    return as_points(array, name=name, dimensions=dimensions)
