"""Every loader of real data tells where the data comes from, and docs/data.md tells the same."""

import ast
import hashlib
import importlib
import re
from dataclasses import dataclass, fields, replace
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import mmdl_course
from mmdl_course.data import openmoji
from mmdl_course.data.card import Card, DataError, Shipped, ship, shipped_file

PACKAGE = Path(mmdl_course.__file__).parent
DOCUMENT = PACKAGE.parent / "docs" / "data.md"
OPTIONS = {"load_digits": lambda: {"generator": torch.Generator()}}


def loaders():
    """Module and name of every `load_…` in the room, read off the source: a new one is found by itself."""
    for path in sorted((PACKAGE / "data").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("load_"):
                yield path, node.name


LOADERS = list(loaders())
NAMES = [name for _, name in LOADERS]


@pytest.fixture(params=LOADERS, ids=NAMES)
def loaded(request, monkeypatch, tmp_path):
    path, name = request.param
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    monkeypatch.setenv("MMDL_CACHE", str(tmp_path))
    # what emoji look like is tested elsewhere
    monkeypatch.setattr(
        openmoji, "draw", lambda texts, *, size: np.zeros((len(texts), 5, size, size), "uint8")
    )
    return getattr(importlib.import_module(module), name)(**OPTIONS.get(name, dict)())


@pytest.mark.parametrize(("path", "name"), LOADERS, ids=NAMES)
def test_the_options_of_a_loader_are_named(path, name):
    (function,) = (
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if getattr(node, "name", None) == name
    )
    assert function.args.args == function.args.posonlyargs == []


def test_every_loader_has_a_card(loaded):
    card = loaded.card
    assert isinstance(loaded, Shipped)
    assert isinstance(card, Card)
    for field in ("title", "source", "licence"):
        assert len(getattr(card, field)) > 2, field
    assert re.search(r"\b(19|20)\d\d\b|unknown", card.source)  # a year, or the admission
    for package, version in zip(card.package.split(", "), card.version.split(", "), strict=True):
        assert version == metadata.version(package)


def test_a_card_has_the_shapes_of_the_arrays(loaded):
    for field in fields(loaded):
        value = getattr(loaded, field.name)
        if isinstance(value, Tensor):
            assert loaded.card.shapes[field.name] == tuple(value.shape)
        elif isinstance(value, tuple) and value:
            assert loaded.card.shapes[field.name] == (len(value),)


def test_a_card_can_be_read(loaded):
    for text in (str(loaded.card), repr(loaded)):
        assert loaded.card.title in text
        assert loaded.card.licence in text
        assert "tensor(" not in text
    assert loaded.card._repr_html_().startswith("<table>")


def test_the_document_lists_what_is_loaded(loaded):
    assert f"| {loaded.card.title} |" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("package", "version", "path", "digest"),
    re.findall(
        r"^\| (\S+) (\S+) \| `(\S+)` \| `([0-9a-f]{64})` \|$", DOCUMENT.read_text(encoding="utf-8"), re.M
    ),
    ids=lambda value: value.rpartition("/")[2][:20],
)
def test_the_document_has_the_files_hashes(package, version, path, digest):
    if metadata.version(package) != version:
        pytest.skip(f"docs/data.md describes {package} {version}, installed is {metadata.version(package)}")
    assert hashlib.sha256(shipped_file(package, path).read_bytes()).hexdigest() == digest


@dataclass(frozen=True, kw_only=True, repr=False)
class Toy(Shipped):
    x: Tensor
    words: tuple[str, ...] = ()
    rate: float = 2.0


def test_the_shapes_follow_the_arrays():
    toy = Toy(x=torch.zeros(3, 2), words=("a",), card=ship("numpy", title="<b>", source="s", licence="l"))
    assert dict(toy.card.shapes) == {"x": (3, 2), "words": (1,)}
    assert replace(toy, x=torch.zeros(5)).card.shapes["x"] == (5,)
    assert "x 3 × 2, words 1" in str(toy.card)
    assert "<b>" not in toy.card._repr_html_()


def test_a_missing_package_is_named_with_the_remedy():
    with pytest.raises(DataError, match="pip install not-there-at-all"):
        ship("not-there-at-all", title="t", source="s", licence="l")


def test_a_missing_file_is_named_with_the_remedy():
    with pytest.raises(DataError, match=r"numpy .* no file numpy/x\.csv.*pip install --force-reinstall"):
        shipped_file("numpy", "numpy/x.csv")
