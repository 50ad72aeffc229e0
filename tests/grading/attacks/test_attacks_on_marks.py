"""Hostile submissions against the mark: none is raised, and none that would change it passes unseen."""

from pathlib import Path

import pytest
from bench import REPOSITORY, run
from on_marks import ATTACKS, LIMITS, Attack


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_trick_does_not_raise_the_mark_and_is_seen(attack: Attack, tmp_path: Path) -> None:
    done = run(attack.cell, folder=tmp_path, **({"check": attack.check.strip()} if attack.check else {}))
    assert done.marks[0] <= attack.deserved, done.flags
    assert done.marks[0] == attack.deserved or done.flags, "points lost without a word"
    assert any(attack.noticed in flag for flag in done.flags) or not attack.noticed, done.flags
    assert not (tmp_path / "poisoned").exists()


@pytest.mark.parametrize("attack", LIMITS, ids=lambda attack: attack.name)
def test_a_known_limit_is_still_one(attack: Attack, tmp_path: Path) -> None:
    """When one of these is closed at last, the documentation must say so."""
    done = run(attack.cell, folder=tmp_path, **({"check": attack.check.strip()} if attack.check else {}))
    assert (done.marks[0], done.flags) == (3.0, ())


def test_the_documentation_names_the_limits() -> None:
    text = (REPOSITORY / "docs" / "grading.md").read_text(encoding="utf-8")
    section = text[text.index("## What can still be forged") :]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")][1:]
    assert rows == [attack.name for attack in LIMITS]
