"""What the cache keeps, and what happens when it cannot."""

import errno
from pathlib import Path

import pytest

from mmdl_course.cache import CacheError, cache_folder, cached, store


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MMDL_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def full_disk(monkeypatch):
    def refuse(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)


def test_the_environment_moves_the_cache(folder, monkeypatch):
    assert cache_folder("models", "x") == folder / "models" / "x"
    monkeypatch.delenv("MMDL_CACHE")
    assert "mmdl_course" in cache_folder().parts


def test_what_is_made_once_is_read_afterwards():
    made = []
    for _ in range(2):
        assert cached("squares", lambda: made.append(1) or b"1 4 9") == b"1 4 9"
    assert made == [1]


@pytest.mark.parametrize("damage", [b"", b"short", bytes(100)])
def test_a_damaged_file_is_made_again(folder, damage):
    cached("squares", lambda: b"1 4 9")
    (folder / "data" / "squares").write_bytes(damage)
    with pytest.warns(UserWarning, match="squares is damaged"):
        assert cached("squares", lambda: b"1 4 9") == b"1 4 9"
    assert cached("squares", lambda: b"never called") == b"1 4 9"


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_named_and_leaves_nothing_behind(folder):
    with pytest.raises(CacheError, match=r"the disk is full.*MMDL_CACHE"):
        store(folder / "models" / "weights", b"1")
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_does_not_keep_the_data_from_who_asked():
    with pytest.warns(UserWarning, match="the disk is full"):
        assert cached("squares", lambda: b"1 4 9") == b"1 4 9"


def test_a_folder_that_cannot_be_written_is_named(folder, monkeypatch):
    (folder / "file").write_text("in the way")
    monkeypatch.setenv("MMDL_CACHE", str(folder / "file"))
    with pytest.raises(CacheError, match=r"cannot write .*file.* writable"):
        store(cache_folder("data", "x"), b"1")


def test_a_failed_making_is_not_kept(folder):
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cached("squares", fail)
    assert not Path(folder / "data" / "squares").exists()
