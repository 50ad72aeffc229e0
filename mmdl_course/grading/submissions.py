"""Read tests/submissions/: each exercise's wheats (other correct answers) and chaffs (plausible mistakes)."""

import ast
import runpy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mmdl_course.course import Course, Week

__all__ = ["MIN_CHAFFS", "MIN_WHEATS", "Kind", "Variant", "read_submissions", "submissions_path"]

MIN_WHEATS, MIN_CHAFFS = 2, 5

Kind = Literal["reference", "wheat", "chaff", "empty"]


@dataclass(frozen=True)
class Variant:
    """One way to fill in an exercise."""

    exercise: str
    name: str
    kind: Kind
    source: str  # replaces the solution cell
    expects: tuple[str, str] = ("", "")  # of a chaff: part of a check's name, words of its message


def submissions_path(course: Course, week: Week, exercise_id: str) -> Path:
    """Where an exercise's wheats and chaffs are written."""
    return course.root / "tests" / "submissions" / week.folder / f"{exercise_id}.py"


def read_submissions(course: Course, week: Week) -> tuple[list[Variant], list[str]]:
    """Read the wheats and chaffs of a week; an exercise that is marked by hand has none.

    Args:
        course: the registry.
        week: the week.

    Returns:
        The variants in the order of the exercises, and every complaint about the files.
    """
    variants: list[Variant] = []
    complaints: list[str] = []
    by_hand = {exercise.id for exercise in week.exercises if exercise.by_hand}
    ids = [exercise.id for exercise in week.exercises if exercise.id not in by_hand]
    for exercise_id in ids:
        path = submissions_path(course, week, exercise_id)
        name = path.relative_to(course.root)
        if not path.is_file():
            complaints.append(f"{name} is missing: write WHEATS and CHAFFS for exercise {exercise_id}.")
            continue
        try:
            names = runpy.run_path(str(path))
        except Exception as error:  # noqa: BLE001 (the file is code: anything may come out of it)
            line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
            complaints.append(f"{name}{line} does not run: {type(error).__name__}: {error}")
            continue
        for kind in ("wheat", "chaff"):
            found, wrong = _variants(names, kind, exercise_id)
            variants += found
            complaints += [f"{name}: {complaint}" for complaint in wrong]
    folder = submissions_path(course, week, "x").parent
    for path in sorted(folder.glob("*.py")):
        if path.stem in by_hand:
            remedy = "there is no check that wheats and chaffs could test: remove the file."
            complaints.append(f"{path.relative_to(course.root)}: {path.stem} is marked by hand; {remedy}")
        elif path.stem not in ids:
            known = ", ".join(ids)
            complaints.append(
                f"{path.relative_to(course.root)}: {week.id} has no such exercise. Known: {known}."
            )
    return variants, complaints


def _variants(names: dict[str, Any], kind: Kind, exercise_id: str) -> tuple[list[Variant], list[str]]:
    label, least = ("WHEATS", MIN_WHEATS) if kind == "wheat" else ("CHAFFS", MIN_CHAFFS)
    table = names.get(label)
    if not isinstance(table, dict):
        entry = "source" if kind == "wheat" else "dict(expects=, source=)"
        return [], [f"{label} is missing: write a dict from name to {entry}."]
    variants, wrong = [], []
    if len(table) < least:
        wrong.append(f"{len(table)} of at least {least} {label}: write {least - len(table)} more.")
    for name, entry in table.items():
        expects: object = ("", "")
        source = entry
        if kind == "chaff":
            if not isinstance(entry, dict) or set(entry) != {"expects", "source"}:
                wrong.append(f'{label}["{name}"] must be dict(expects=(check, words), source="…").')
                continue
            expects, source = entry["expects"], entry["source"]
            if not _two_texts(expects):
                wrong.append(
                    f'{label}["{name}"]: expects must be (part of a check\'s name, words of its message).'
                )
                continue
        if complaint := _source_complaint(source):
            wrong.append(f'{label}["{name}"]: {complaint}')
            continue
        variants.append(Variant(exercise_id, name, kind, source.strip("\n"), expects))
    return variants, wrong


def _two_texts(expects: object) -> bool:
    return (
        isinstance(expects, Sequence)
        and len(expects) == 2
        and all(isinstance(text, str) and text.strip() for text in expects)
    )


def _source_complaint(source: object) -> str:
    if not isinstance(source, str):
        return "the source must be a string."
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return f"line {error.lineno} of the source is not Python: {error.msg}."
    return "" if tree.body else "the source is empty."
