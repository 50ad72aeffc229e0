"""Files about the emoji that were computed and ship: how they are damaged, and what is said then."""

import hashlib
import io
import re

import numpy as np
import pytest

from mmdl_course.course import find_root
from mmdl_course.data import emoji_archive, emoji_prompts, emoji_tuning
from mmdl_course.data.card import DataError

SHIPPED = {
    "emoji_prompts": (emoji_prompts.FILE, emoji_prompts.load_emoji_prompts),
    "emoji_tuning": (emoji_tuning.FILE, emoji_tuning.load_emoji_tuning),
}


@pytest.fixture(params=SHIPPED)
def shipped(request):
    return request.param, *SHIPPED[request.param]


def archive_file(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:1000],
        lambda content: content[: len(content) // 2] + bytes(100) + content[len(content) // 2 + 100 :],
        lambda _: b"",
        lambda _: b"no archive at all",
        lambda _: archive_file(listed=np.frombuffer(b"null", dtype=np.uint8)),
        lambda _: archive_file(listed=np.frombuffer(b'{"characters": []}', dtype=np.uint8)),
    ],
    ids=["cut short", "overwritten", "empty", "no archive", "a null list", "half a list"],
)
def test_a_damaged_file_is_named_with_the_remedy(tmp_path, damage, shipped):
    name, file, load = shipped
    broken = tmp_path / f"{name}.npz"
    broken.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DataError, match=rf"{name}\.npz is missing or damaged .*git checkout"):
        load(file=broken)


def test_a_missing_file_is_named_with_the_remedy(tmp_path, shipped):
    name, _, load = shipped
    with pytest.raises(DataError, match=rf"nowhere\.npz is missing .*mmdl fetch minilm.*_{name}\.py"):
        load(file=tmp_path / "nowhere.npz")


def test_other_emoji_than_those_listed_are_noticed(monkeypatch, shipped):
    _, _, load = shipped
    monkeypatch.setattr(emoji_archive, "emoji_characters", lambda: ("x",))
    with pytest.raises(DataError, match=r"other emoji .*constraints\.txt"):
        load()


def test_the_file_is_small_and_the_documentation_has_its_hash(shipped):
    name, file, _ = shipped
    assert file.stat().st_size < 600_000
    text = (find_root() / "docs" / "data.md").read_text(encoding="utf-8")
    listed = re.search(rf"`mmdl_course/data/features/{name}\.npz` \| `([0-9a-f]{{64}})`", text)
    assert listed.group(1) == hashlib.sha256(file.read_bytes()).hexdigest()
