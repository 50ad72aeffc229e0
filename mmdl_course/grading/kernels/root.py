"""The files of a sandbox: what may be read, the root that shows nothing else, the folder to write in."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from mmdl_course.cache import cache_folder
from mmdl_course.grading.kernels import linux
from mmdl_course.grading.kernels.box import SCRATCH, Box

__all__ = ["build_root", "fill_scratch", "package", "readable"]


def package() -> Path:
    """The folder of mmdl_course."""
    import mmdl_course

    return Path(mmdl_course.__file__).resolve().parent


def readable() -> list[str]:
    """The runtime: what a kernel has to read, and nothing that belongs to a person or a course."""
    paths = [
        *("/bin", "/sbin", "/lib", "/lib32", "/lib64"),
        *("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/share"),
        *("/usr/local/bin", "/usr/local/lib", "/usr/local/share/fonts"),
        *("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime", "/etc/mime.types"),
        *("/etc/ssl/certs", "/sys/devices/system/cpu"),
    ]
    for prefix in (sys.prefix, sys.base_prefix):
        # Of a system's own Python the folders above are enough: /usr/local may hold nbgrader's exchange.
        if prefix not in ("/usr", "/usr/local"):
            paths.append(prefix)
    paths += [str(package()), str(cache_folder())]
    kept: list[str] = []
    for path in dict.fromkeys(form for given in paths for form in (given, os.path.realpath(given))):
        if Path(path).exists() and not any(path.startswith(f"{other}/") for other in kept):
            kept.append(path)
    return kept


def build_root(box: Box, owner: int) -> None:
    """Make a root of tmpfs and read-only views, move into it and let go of the old one."""
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    root = Path(box.run) / "root"
    root.mkdir()
    linux.mount("tmpfs", root, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=16m,mode=755")
    scratch = Path(f"{root}{SCRATCH}")
    scratch.mkdir()
    options = f"size={box.limits.disk},nr_inodes={max(10_000, box.limits.disk >> 13)},mode=755"
    linux.mount("tmpfs", scratch, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
    fill_scratch(scratch, box, owner)
    # /tmp comes before what may lie below it. Bound, so that one size limit holds for all of them.
    for inside, source in (("/tmp", "tmp"), ("/dev/shm", "shm")):
        Path(f"{root}{inside}").mkdir(parents=True)
        linux.mount(scratch / source, f"{root}{inside}", None, linux.MS_BIND)
    for path in readable():
        _bind(path, f"{root}{path}", attributes=linux.ATTR_RDONLY | linux.ATTR_NOSUID | linux.ATTR_NODEV)
    for name in ("null", "zero", "full", "random", "urandom"):
        _bind(f"/dev/{name}", f"{root}/dev/{name}", attributes=linux.ATTR_NOSUID)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        Path(f"{root}/dev/{name}").symlink_to(f"/proc/self/fd{target}")
    Path(f"{root}/dev/pts").mkdir()  # IPython's !command runs in a terminal
    options = "newinstance,ptmxmode=666,mode=620,max=16"
    linux.mount("devpts", f"{root}/dev/pts", "devpts", linux.MS_NOSUID, options)
    Path(f"{root}/dev/ptmx").symlink_to("pts/ptmx")
    Path(f"{root}/proc").mkdir()
    inert = linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("proc", f"{root}/proc", "proc", inert)
    Path(f"{root}/etc").mkdir(exist_ok=True)
    linux.write(f"{root}/etc/passwd", f"student:x:{owner}:{owner}::{SCRATCH}/home:/bin/sh\n")
    linux.write(f"{root}/etc/group", f"student:x:{owner}:\n")
    linux.set_attributes(root, linux.ATTR_RDONLY | linux.ATTR_NOSUID | linux.ATTR_NODEV, recursive=False)
    os.chdir(root)
    linux.pivot_root()


def fill_scratch(scratch: Path, box: Box, owner: int) -> None:
    """Lay out the scratch folder: the companion files, and a cache that can be written and starts full."""
    scratch.mkdir(exist_ok=True)
    for name in ("home", "tmp", "work", "shm", "cache", "run"):
        (scratch / name).mkdir()
        (scratch / name).chmod(0o1777 if name in ("tmp", "shm") else 0o700)
    for source, place in _plain_files(Path(box.work)):
        if source.suffix != ".ipynb":
            (scratch / "work" / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, scratch / "work" / place, follow_symlinks=False)
    for source, place in _plain_files(cache_folder()):
        (scratch / "cache" / place).parent.mkdir(parents=True, exist_ok=True)
        (scratch / "cache" / place).symlink_to(source)
    if owner != os.geteuid():
        for folder, folders, files in os.walk(scratch):
            for name in [".", *folders, *files]:
                os.chown(Path(folder) / name, owner, owner, follow_symlinks=False)


def _plain_files(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Regular files below a folder with their places; links, pipes and devices are no companions."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent) / name
            if stat.S_ISREG(path.lstat().st_mode):
                yield path, path.relative_to(folder)


def _bind(source: str, target: str, *, attributes: int) -> None:
    if Path(source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).touch()
    # Recursive: a user namespace may not take a mount apart from those below it.
    linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)
    linux.set_attributes(target, attributes, recursive=True)
