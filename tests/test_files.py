"""Files and folders appear whole or not at all."""

import shutil
from pathlib import Path

import pytest

from mmdl_course.files import remove_folder, replace_file, replace_folder


def _make(folder: Path, text: str) -> Path:
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text(text, encoding="utf-8")
    return folder


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    for text in ("old", "new"):
        replace_file(tmp_path / "made" / "file", text)
    assert (tmp_path / "made" / "file").read_text(encoding="utf-8") == "new"
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["file"]


def test_a_folder_is_replaced_with_all_that_was_in_it(tmp_path: Path) -> None:
    final = tmp_path / "place" / "final"
    (_make(final, "old") / "other").touch()
    replace_folder(_make(tmp_path / "staged", "new"), final)
    assert (final / "deep" / "file").read_text(encoding="utf-8") == "new"
    assert not (final / "other").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["place"]
    assert [path.name for path in final.parent.iterdir()] == ["final"]


@pytest.mark.parametrize("left", [".final.new", ".final.old"])
def test_what_a_killed_process_left_goes(tmp_path: Path, left: str) -> None:
    final = _make(tmp_path / "final", "old")
    _make(tmp_path / left, "half")
    replace_folder(_make(tmp_path / "staged", "new"), final)
    assert [path.name for path in tmp_path.iterdir()] == ["final"]
    _make(tmp_path / left, "half")
    remove_folder(final)
    remove_folder(final)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_moved_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    final = _make(tmp_path / "final", "old")

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(shutil, "move", full)
    with pytest.raises(OSError, match="no space"):
        replace_folder(_make(tmp_path / "staged", "new"), final)
    assert (final / "deep" / "file").read_text(encoding="utf-8") == "old"
