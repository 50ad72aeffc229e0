"""Two things that nbgrader and its libraries do again and again, done once: nothing else of them changes."""

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["import_jsonschema", "one_engine"]

_GRAMMAR = "rfc3987_syntax"


def import_jsonschema() -> None:
    """Import jsonschema, which comes with nbformat, without a check that nobody here asks for.

    For the format "iri" it builds a parser from a grammar, which takes as long as all of nbgrader. It does
    without when there is no such grammar.
    """
    if _GRAMMAR in sys.modules:
        return
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # Python's way to say: not to be found
    try:
        import jsonschema  # noqa: F401
    finally:
        del sys.modules[_GRAMMAR]


@contextmanager
def one_engine() -> Iterator[None]:
    """Let all of nbgrader's Gradebooks with one address share their engine.

    Each step of nbgrader opens the gradebook anew, a dozen times a submission. The connection is a new one
    each time, and closed, as ever; the engine keeps what SQL it has compiled.
    """
    from nbgrader import api

    before = api.create_engine
    api.create_engine = _engine
    try:
        yield
    finally:
        api.create_engine = before


@functools.lru_cache(maxsize=4)
def _engine(address: str, **options: Any) -> Any:
    from sqlalchemy import create_engine

    return create_engine(address, **options)
