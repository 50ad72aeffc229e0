"""`mmdl doctor`: what is missing or mismatched on this machine, and the command that mends it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from rich.console import Console

from mmdl_course.course import Course

__all__ = ["Finding", "examine", "installed_closure", "read_pins"]

SETUP = "make setup  (conda: conda env update -f environment.yml)"
_OLDEST = (3, 11)
_DISK, _MEMORY = 2, 2  # GB below which work is likely to fail


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    state: Literal["ok", "note", "warning", "problem"]
    what: str
    remedy: str = ""


def examine(course: Course) -> bool:
    """Print what is right and what is wrong, with a remedy for each.

    Args:
        course: the registry, which knows the root.

    Returns:
        Whether there is no problem; warnings do not count.
    """
    console = Console(highlight=False, soft_wrap=True, markup=False)
    styles = {"ok": "green", "note": "cyan", "warning": "yellow", "problem": "bold red"}
    problems = 0
    for check in _CHECKS:
        for finding in _findings(check, course):
            problems += finding.state == "problem"
            console.print(f"{finding.state:<8}", style=styles[finding.state], end="")
            console.print(finding.what)
            if finding.remedy:
                console.print(f"{'':<8}→ {finding.remedy}")
    console.print("Everything is in place." if not problems else f"{problems} to mend; the arrows say how.")
    return problems == 0


def read_pins(course: Course) -> dict[str, str]:
    """The exact versions in constraints.txt, by canonical name; empty when the file is missing."""
    from packaging.utils import canonicalize_name

    path = course.root / "constraints.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {canonicalize_name(name.strip()): version.strip() for name, version in pairs}


def installed_closure(name: str) -> tuple[dict[str, str], set[str]]:
    """What a distribution needs, directly and indirectly, on this machine.

    Args:
        name: an installed distribution, extras in brackets: "mmdl_course[dev]".

    Returns:
        Canonical name → installed version (the distribution itself left out), and the names that are missing.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, str] = {}
    missing: set[str] = set()
    waiting = [Requirement(name)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            distribution = metadata.distribution(wanted.name)
        except metadata.PackageNotFoundError:
            missing.add(key[0])
            continue
        found[key[0]] = distribution.version
        for line in distribution.requires or []:
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
                waiting.append(requirement)
    found.pop(canonicalize_name(Requirement(name).name), None)
    return found, missing


def _findings(check: Callable[[Course], Iterator[Finding]], course: Course) -> list[Finding]:
    try:
        return list(check(course))
    except Exception as error:  # noqa: BLE001 (a broken installation may raise anything; the doctor must not)
        what = f"{check.__name__.strip('_')}: {type(error).__name__}: {error}"
        return [Finding("problem", what, SETUP)]


def _python(course: Course) -> Iterator[Finding]:
    here = ".".join(map(str, sys.version_info[:3]))
    oldest = ".".join(map(str, _OLDEST))
    if sys.version_info < _OLDEST:
        yield Finding(
            "problem",
            f"Python {here} is too old; the course needs {oldest} or newer",
            "make PYTHON=python3.11 setup",
        )
    else:
        yield Finding("ok", f"Python {here}")
    if sys.prefix != sys.base_prefix or os.environ.get("CONDA_PREFIX") == sys.prefix:
        yield Finding("ok", f"environment {sys.prefix}")
    else:
        yield Finding("problem", f"{sys.executable} is in no environment of its own", SETUP)
    own = course.root / ".venv"
    if own.is_dir() and Path(sys.prefix).resolve() != own.resolve():
        remedy = "make doctor  (it uses .venv; or remove .venv if you prefer the other)"
        yield Finding("warning", f"mmdl runs from {sys.prefix}, not from the course's .venv", remedy)


def _packages(course: Course) -> Iterator[Finding]:
    pins = read_pins(course)
    if not pins:
        yield Finding("problem", "constraints.txt is missing", "git checkout -- constraints.txt")
        return
    found, missing = installed_closure("mmdl_course")
    for name in sorted(missing):
        yield Finding("problem", f"{name} is not installed", SETUP)
    wrong = {name: version for name, version in found.items() if pins.get(name, "") != version.split("+")[0]}
    for name, version in sorted(wrong.items()):
        if name in pins:
            yield Finding("problem", f"{name} {version} is installed, {pins[name]} is pinned", SETUP)
        else:
            yield Finding("warning", f"{name} {version} is installed, constraints.txt does not pin it")
    if not wrong and not missing:
        yield Finding("ok", f"{len(found)} packages, all as pinned")


def _torch(course: Course) -> Iterator[Finding]:  # noqa: ARG001 (all checks have the same signature)
    # In a process of its own: a broken build may end it without a Python exception.
    code = "import torch; assert torch.eye(8).mm(torch.eye(8)).sum() == 8; print(torch.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode == 0:
        yield Finding("ok", f"PyTorch {done.stdout.strip()} computes")
    else:
        reason = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
        yield Finding("problem", f"PyTorch does not work: {reason}", SETUP)


def _kernel(course: Course) -> Iterator[Finding]:  # noqa: ARG001 (all checks have the same signature)
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    remedy = f"{sys.executable} -m ipykernel install --sys-prefix"
    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        yield Finding("problem", "Jupyter has no kernel called python3", remedy)
        return
    command = spec.argv[0]
    # A bare "python" is replaced by the interpreter that starts the kernel.
    if Path(command).name == command or Path(command).resolve() == Path(sys.executable).resolve():
        yield Finding("ok", f"kernel python3 ({spec.resource_dir})")
    else:
        yield Finding("problem", f"kernel python3 starts another Python: {command}", remedy)


def _configuration(course: Course) -> Iterator[Finding]:
    from jupyter_core.paths import jupyter_config_path
    from traitlets.config import PyFileConfigLoader

    if not (course.root / "jupyter_config.py").is_file():
        yield Finding("problem", "jupyter_config.py is missing", "git checkout -- jupyter_config.py")
        return
    for folder in map(Path, jupyter_config_path()):
        path = folder / "jupyter_config.py"
        if not path.is_file():
            continue
        before = Path.cwd()
        os.chdir(course.root)  # where Jupyter would be started
        try:
            config = PyFileConfigLoader(path.name, path=str(folder)).load_config()
        finally:
            os.chdir(before)
        if config.CourseDirectory.get("root") == str(course.root):
            yield Finding("ok", f"JupyterLab and nbgrader read jupyter_config.py (through {path})")
            return
    what = "JupyterLab and nbgrader do not read the course's jupyter_config.py"
    yield Finding(
        "problem", what, f"{sys.executable} -m pip install --constraint constraints.txt --editable ."
    )


def _notebooks(course: Course) -> Iterator[Finding]:
    names = [f"notebooks/{week.folder}/{week.folder}.ipynb" for week in course.ready]
    absent = [name for name in ("notebooks/README.md", *names) if not (course.root / name).is_file()]
    for name in absent:
        yield Finding("problem", f"{name} is missing", "mmdl build")
    if not absent:
        yield Finding("ok", f"{len(names)} notebook{'s' * (len(names) != 1)} built")


def _progress(course: Course) -> Iterator[Finding]:
    from mmdl_course.progress import progress_file

    path = progress_file(course)
    folder = next(parent for parent in path.parents if parent.exists())
    if os.access(path if path.is_file() else folder, os.W_OK):
        yield Finding("ok", f"progress is kept in {path}")
    else:
        remedy = "Make it writable, or set the environment variable MMDL_PROGRESS to a folder that is."
        yield Finding("warning", f"your progress cannot be kept: {path} cannot be written", remedy)


def _models(course: Course) -> Iterator[Finding]:  # noqa: ARG001 (all checks have the same signature)
    from mmdl_course.cache import CacheError, cache_folder
    from mmdl_course.models import MODELS, model_folder

    for model in MODELS.values():
        remedy = f"mmdl fetch {model.name}"
        try:
            yield Finding("ok", f"model {model.name} ({model_folder(model)})")
        except CacheError as error:
            if cache_folder("models", model.name).exists():
                yield Finding("warning", str(error).split(" Repair")[0], remedy)
            else:
                what = f"model {model.name} is not fetched; some later weeks use it"
                yield Finding("note", what, f"{remedy}  ({model.size / 1e6:.0f} MB, once)")


def _room(course: Course) -> Iterator[Finding]:
    import psutil

    disk = shutil.disk_usage(course.root).free / 1e9
    memory = psutil.virtual_memory().available / 1e9
    for what, free, least, remedy in (
        ("disk", disk, _DISK, "Free some space: notebooks cannot be saved on a full disk."),
        (
            "memory",
            memory,
            _MEMORY,
            "Close other programs and kernels you no longer need (Kernel > Shut Down All).",
        ),
    ):
        if free < least:
            yield Finding(
                "warning", f"{free:.1f} GB of {what} free; the course is comfortable with {least}", remedy
            )
        else:
            yield Finding("ok", f"{free:.1f} GB of {what} free")


_CHECKS: tuple[Callable[[Course], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _torch,
    _kernel,
    _configuration,
    _notebooks,
    _progress,
    _models,
    _room,
)
