"""The walls around a kernel, on Linux, with what the kernel of the operating system offers and nothing else.

A freshly forked process with one thread calls `separate` (which forks once more) and then `enter`; when that
returns, student code may run. Levels:

- full: namespaces of its own (mount, pid, net, ipc, uts; user as well when started by an ordinary user), a
  read-only root of the Python runtime and little else, a scratch disk in memory, and all of "weak".
- weak: landlock (files), seccomp (system calls), resource limits, no capabilities. No namespaces: other
  processes can be seen in part, the disk is limited per file only.
- none: resource limits alone.

Whatever cannot be set up is an OSError: nothing is left out silently. docs/grading.md says what all this
protects against.
"""

import ctypes
import errno
import functools
import json
import os
import platform
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from mmdl_course.cache import cache_folder

__all__ = ["Box", "Level", "Limits", "Support", "enter", "environment_inside", "separate", "support"]

Level = Literal["full", "weak", "none"]
LEVELS: tuple[Level, ...] = ("full", "weak", "none")
MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one kernel and everything it starts may use."""

    # Bytes of address space of each process above the server's, of which threads reserve up to 1 GiB without
    # using it; all processes together may really use a quarter more.
    memory: int = 5120 * MIB
    disk: int = 512 * MIB  # bytes of the scratch disk; in "weak" and "none" of a single file
    processes: int = 128  # processes and threads
    open_files: int = 1024


@dataclass(frozen=True)
class Box:
    """What a sandbox is made of.

    Attributes:
        level: how much of it.
        limits: see `Limits`.
        work: the folder whose files the kernel finds in its working folder. Notebooks are left out.
        run: an empty folder of this kernel's own on the host; removed by whoever made it.
    """

    level: Level
    limits: Limits
    work: str
    run: str

    def to_json(self) -> dict[str, Any]:
        """For the way to the fork server."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Box":
        """The inverse of `to_json`."""
        return cls(**{**fields, "limits": Limits(**fields["limits"])})

    @property
    def scratch(self) -> str:
        """The only folder that can be written, as the kernel sees it."""
        return _SCRATCH if self.level == "full" else f"{self.run}/scratch"

    @property
    def working_folder(self) -> str:
        """The kernel's working folder, as the kernel sees it."""
        return self.work if self.level == "none" else f"{self.scratch}/work"

    @property
    def own_folder(self) -> str:
        """A folder that is not the student's to look into, as the kernel sees it."""
        return self.run if self.level == "none" else f"{self.scratch}/run"


@dataclass(frozen=True)
class Support:
    """What this machine allows: the strongest level that holds, and why a stronger one does not."""

    level: Level
    reasons: dict[str, str]  # level -> what failed

    def explain(self) -> str:
        """In words, with remedies; empty when everything holds."""
        lines = [f'no sandbox "{level}" here: {reason}' for level, reason in self.reasons.items()]
        return "; ".join(lines)


@functools.cache
def support() -> Support:
    """Try every level in a process of its own.

    Returns:
        The strongest level that holds, and the reasons against stronger ones.
    """
    if sys.platform != "linux":
        reason = f"{platform.system()} has no namespaces, landlock or seccomp. Grade on Linux"
        return Support("none", {"full": reason, "weak": reason})
    # A process of its own, since only one with a single thread may fork and go on.
    command = [sys.executable, "-P", "-m", __name__]
    environment = {**os.environ, "PYTHONPATH": str(_package().parent)}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=120, check=False, cwd="/"
    )
    try:
        reasons: dict[str, str] = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        reasons = dict.fromkeys(("full", "weak"), f"the trial itself failed ({last})")
    level: Level = next((level for level in LEVELS if not reasons.get(level)), "none")
    stronger = LEVELS[: LEVELS.index(level)]
    return Support(level, {name: reasons[name] for name in stronger})


def separate(level: Level) -> tuple[int, int | None]:
    """Fork into new process and user namespaces (level "full") or just fork.

    Only the child is inside; it has to call `enter`. Unsharing the process namespace takes a fork to come
    true, and the parent stays outside to watch and to end it all: a namespace dies with its first process.

    Args:
        level: of the sandbox.

    Returns:
        (0, …) in the child, (its process id, …) in the parent; and for `enter` the user id to take on.

    Raises:
        OSError: namespaces are not allowed here.
    """
    privileged = level == "full" and os.geteuid() == 0 and _libc().unshare(_NEW_PID) == 0
    if level == "full" and not privileged:
        uid, gid = os.getuid(), os.getgid()
        _check(_libc().unshare(_NEW_USER | _NEW_PID), "unshare(user, pid)")
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{_UID_INSIDE} {uid} 1")
        _write("/proc/self/gid_map", f"{_UID_INSIDE} {gid} 1")
    uid = None
    if privileged or (level == "weak" and os.geteuid() == 0 and _others_may_read(_readable())):
        uid = _unused_uid()
    return os.fork(), uid


def enter(box: Box, *, uid: int | None) -> None:
    """Close the walls around this process, for good.

    Args:
        box: what to build.
        uid: what `separate` said; None to stay who one is.

    Raises:
        OSError: something could not be set up; then no student code may run here.
    """
    _write("/proc/self/oom_score_adj", "1000")  # should memory run out, this is to go, not the grader
    if box.level == "none":
        _limit(box.limits, processes=None)
        _die_with_parent()
        return
    owner = os.geteuid() if uid is None else uid
    if box.level == "full":
        _check(_libc().unshare(_NEW_MOUNT | _NEW_NET | _NEW_IPC | _NEW_UTS), "unshare(mount, net, ipc, uts)")
        _build_root(box, owner)
        _check(_libc().sethostname(b"grading", 7), "sethostname")
    else:
        if uid is not None:
            Path(box.run).chmod(0o711)  # the way to the scratch folder
        _fill_scratch(Path(box.scratch), box, owner)
    # Of its own user id, or in a user namespace, only the kernel's own processes count.
    alone = uid is not None or box.level == "full"
    _limit(box.limits, processes=box.limits.processes + (0 if alone else _tasks_of_this_user()))
    _drop_privileges(uid)
    _die_with_parent()
    _landlock(box)
    _seccomp(refused=_DENIED if box.level == "full" else (*_DENIED, *_DENIED_IN_WEAK))


def environment_inside(box: Box, given: dict[str, str]) -> dict[str, str]:
    """What a kernel may know of the environment that it was asked to run in.

    Args:
        box: its sandbox.
        given: what an executor, or stock nbgrader, would have passed on.
    """
    numbers = {name: given.get(name, "1") for name in THREADS}  # numba refuses a change after the fork
    loky = {"LOKY_MAX_CPU_COUNT": str(os.cpu_count() or 1)}  # or it asks and warns, which can cost points
    if box.level == "none":
        return {**given, **numbers, **loky}
    passed = {name: value for name, value in given.items() if name.startswith(_PASSED_ON)}
    tmp = "/tmp" if box.level == "full" else f"{box.scratch}/tmp"
    home = f"{box.scratch}/home"
    return {
        **passed,
        **numbers,
        **loky,
        "PATH": os.pathsep.join([f"{sys.prefix}/bin", "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "TMPDIR": tmp,
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "MMDL_CACHE": f"{box.scratch}/cache",
    }


THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_PASSED_ON = ("LANG", "LC_", "TZ", "MMDL_", "NBGRADER_EXECUTION", "MPLBACKEND", "PYDEVD_DISABLE")
_SCRATCH = "/sandbox"
_UID_INSIDE = 1000
# systemd gives out nothing between its containers' range and 2^31; the watcher's process id makes it unique.
_FIRST_UNUSED_UID = 1_900_000_000

# ---- files


def _package() -> Path:
    import mmdl_course

    return Path(mmdl_course.__file__).resolve().parent


def _readable() -> list[str]:
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
    paths += [str(_package()), str(cache_folder())]
    kept: list[str] = []
    for path in dict.fromkeys(form for given in paths for form in (given, os.path.realpath(given))):
        if Path(path).exists() and not any(path.startswith(f"{other}/") for other in kept):
            kept.append(path)
    return kept


def _build_root(box: Box, owner: int) -> None:
    """Make a root of tmpfs and read-only views, move into it and let go of the old one."""
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    root = Path(box.run) / "root"
    root.mkdir()
    _mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=16m,mode=755")
    scratch = Path(f"{root}{_SCRATCH}")
    scratch.mkdir()
    options = f"size={box.limits.disk},nr_inodes={max(10_000, box.limits.disk >> 13)},mode=755"
    _mount("tmpfs", scratch, "tmpfs", _MS_NOSUID | _MS_NODEV, options)
    _fill_scratch(scratch, box, owner)
    # /tmp comes before what may lie below it. Bound, so that one size limit holds for all of them.
    for inside, source in (("/tmp", "tmp"), ("/dev/shm", "shm")):
        Path(f"{root}{inside}").mkdir(parents=True)
        _mount(scratch / source, f"{root}{inside}", None, _MS_BIND)
    for path in _readable():
        _bind(path, f"{root}{path}", attributes=_ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV)
    for name in ("null", "zero", "full", "random", "urandom"):
        _bind(f"/dev/{name}", f"{root}/dev/{name}", attributes=_ATTR_NOSUID)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        Path(f"{root}/dev/{name}").symlink_to(f"/proc/self/fd{target}")
    Path(f"{root}/dev/pts").mkdir()  # IPython's !command runs in a terminal
    _mount("devpts", f"{root}/dev/pts", "devpts", _MS_NOSUID, "newinstance,ptmxmode=666,mode=620,max=16")
    Path(f"{root}/dev/ptmx").symlink_to("pts/ptmx")
    Path(f"{root}/proc").mkdir()
    _mount("proc", f"{root}/proc", "proc", _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    Path(f"{root}/etc").mkdir(exist_ok=True)
    _write(f"{root}/etc/passwd", f"student:x:{owner}:{owner}::{_SCRATCH}/home:/bin/sh\n")
    _write(f"{root}/etc/group", f"student:x:{owner}:\n")
    _set_attributes(root, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, recursive=False)
    os.chdir(root)
    _check(_libc().syscall(_numbers()["pivot_root"], b".", b"."), "pivot_root")  # the old root lies on top …
    _check(_libc().umount2(b".", _MNT_DETACH), "umount of the old root")  # … until it is taken off
    os.chdir("/")


def _fill_scratch(scratch: Path, box: Box, owner: int) -> None:
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
    _mount(source, target, None, _MS_BIND | _MS_REC)
    _set_attributes(target, attributes, recursive=True)


def _others_may_read(paths: list[str]) -> bool:
    """Whether a user without rights gets at all of them."""
    for path in paths:
        if any(not parent.stat().st_mode & stat.S_IXOTH for parent in Path(path).parents):
            return False
        if not Path(path).stat().st_mode & stat.S_IROTH:
            return False
    return True


# ---- processes


def _unused_uid() -> int | None:
    """A user id that nobody has; None inside a container that maps too few."""
    lines = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    uid = _FIRST_UNUSED_UID + os.getpid()
    return uid if any(int(first) <= uid < int(first) + int(count) for first, _, count in lines) else None


def _tasks_of_this_user() -> int:
    count = 0
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and process.stat().st_uid == os.getuid():
                count += sum(1 for _ in (process / "task").iterdir())
        except OSError:
            continue  # it has ended
    return count


def _limit(limits: Limits, *, processes: int | None) -> None:
    import resource  # Windows has none, and imports this module nevertheless

    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    wanted = {
        resource.RLIMIT_AS: held + limits.memory,
        resource.RLIMIT_FSIZE: limits.disk,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
    }
    if processes is not None:
        wanted[resource.RLIMIT_NPROC] = processes
    for kind, value in wanted.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def _drop_privileges(uid: int | None) -> None:
    for capability in range(64):
        if _libc().prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # beyond the last one, or not ours to drop: then there is none to gain either
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    header = struct.pack("Ii", 0x20080522, 0)
    _check(_libc().capset(header, bytes(24)), "capset")
    _check(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _check(_libc().prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable")  # or its own /proc/self would be root's


def _die_with_parent() -> None:
    # Last of the changes of identity, each of which would undo it.
    _check(_libc().prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0), "pdeathsig")


def _landlock(box: Box) -> None:
    """Files: read the runtime, write the scratch folder. Signals and abstract sockets: not outwards."""
    abi = _libc().syscall(_LANDLOCK_CREATE, None, 0, 1)
    if abi < 1:
        if box.level == "full":
            return  # the mounts hold without it
        raise OSError(errno.ENOSYS, "landlock is not switched on in this kernel (Linux 5.13, lsm=landlock)")
    everything = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    scopes = 0b11 if abi >= 6 else 0
    rules = struct.pack("QQQ", everything, 0, scopes)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = _libc().syscall(_LANDLOCK_CREATE, rules, len(rules), 0)
    _check(min(ruleset, 0), "landlock_create_ruleset")
    read = 0b1101  # execute, read a file, read a folder
    writable = [box.scratch, "/dev/null"]
    if box.level == "full":
        readable = ["/"]
        writable += ["/tmp", "/dev/shm", "/dev/pts"]
    else:
        devices = [f"/dev/{name}" for name in ("zero", "full", "random", "urandom")]
        # Landlock keeps other processes' memory, files and environment shut; joblib reads the other two.
        readable = [*_readable(), *devices, "/proc", "/sys/fs/cgroup"]
        writable += ["/dev/shm"]  # PyTorch's workers hand tensors over in it
    for paths, access in ((readable, read), (writable, everything)):
        for path in paths:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = access if Path(path).is_dir() else access & _LANDLOCK_OF_FILES
            rule = struct.pack("=Qi", allowed & everything, descriptor)
            _check(_libc().syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0), f"landlock_add_rule {path}")
            os.close(descriptor)
    _check(_libc().syscall(_LANDLOCK_RESTRICT, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def _seccomp(refused: Sequence[str]) -> None:
    """System calls: no network, no way into other processes, no mounts, no new namespaces."""
    numbers = _numbers()
    deny, missing, family = (0x50000 | code for code in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT))
    allow, pretend, kill = 0x7FFF0000, 0x50000, 0x80000000
    load, equal, at_least, some_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06

    def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("HBBI", code, yes, no, value)

    program = [
        step(load, 4),  # the architecture
        step(equal, _AUDIT_ARCHITECTURES[platform.machine()], 1, 0),
        step(answer, kill),
        step(load, 0),  # the call's number
        step(at_least, 0x40000000, 0, 1),  # x86's second table of calls
        step(answer, deny),
    ]
    for name in refused:
        program += [step(equal, numbers[name], 0, 1), step(answer, deny)]
    # What is looked at by its first argument. Sockets: Unix alone. clone: no namespace. prctl: the kernel
    # keeps dying with its watcher, and code that asks to change that is told that it has.
    for name, test, value, answers in (
        ("socket", equal, 1, (allow, family)),
        ("clone", some_bit, _NEW_ANY, (deny, allow)),
        ("prctl", equal, _PR_SET_PDEATHSIG, (pretend, allow)),
    ):
        program += [
            step(equal, numbers[name], 0, 4),
            step(load, 16),
            step(test, value, 0, 1),
            step(answer, answers[0]),
            step(answer, answers[1]),
        ]
    # clone3's flags lie in memory, where no filter sees them; C libraries fall back to clone.
    program += [step(equal, _CLONE3, 0, 1), step(answer, missing), step(answer, allow)]
    code = ctypes.create_string_buffer(b"".join(program))
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)))
    _check(_libc().prctl(_PR_SET_SECCOMP, 2, filter_, 0, 0), "seccomp")


# ---- the operating system's numbers and calls

_NEW_MOUNT, _NEW_UTS, _NEW_IPC = 0x20000, 0x4000000, 0x8000000
_NEW_USER, _NEW_PID, _NEW_NET = 0x10000000, 0x20000000, 0x40000000
_NEW_ANY = _NEW_MOUNT | _NEW_UTS | _NEW_IPC | _NEW_USER | _NEW_PID | _NEW_NET | 0x2000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_MNT_DETACH = 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP = 1, 4, 22
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_LANDLOCK_OF_FILES = 0b1100_0000_0000_0111  # execute, write, read, truncate, ioctl: the rest is for folders
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_MOUNT_SETATTR, _CLONE3 = 442, 435
_AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Name, number on x86_64 and on aarch64. memfd, shmget and msgget give memory that no limit counts.
_TABLE = """
    socket 41 198, clone 56 220, prctl 157 167, ptrace 101 117, process_vm_readv 310 270,
    process_vm_writev 311 271, kcmp 312 272, mount 165 40, umount2 166 39, pivot_root 155 41,
    chroot 161 51, unshare 272 97, setns 308 268, acct 163 89, quotactl 179 60, swapon 167 224,
    swapoff 168 225, reboot 169 142, syslog 103 116, init_module 175 105, finit_module 313 273,
    delete_module 176 106, kexec_load 246 104, kexec_file_load 320 294, bpf 321 280,
    perf_event_open 298 241, userfaultfd 323 282, fanotify_init 300 262, add_key 248 217,
    request_key 249 218, keyctl 250 219, name_to_handle_at 303 264, open_by_handle_at 304 265,
    personality 135 92, memfd_create 319 279, shmget 29 194, msgget 68 186, move_pages 279 239,
    vhangup 153 58, io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427,
    open_tree 428 428, move_mount 429 429, fsopen 430 430, fsconfig 431 431, fsmount 432 432,
    fspick 433 433, pidfd_getfd 438 438, mount_setattr 442 442, memfd_secret 447 447, connect 42 203
"""
_NUMBERS = {
    name: (int(intel), int(arm)) for name, intel, arm in (entry.split() for entry in _TABLE.split(","))
}
# Landlock does not hold connections to sockets that lie in folders: the session bus would run any command
# outside. In "full" such sockets cannot be seen.
_DENIED_IN_WEAK = ("connect",)
_DENIED = [name for name in _NUMBERS if name not in ("socket", "clone", "prctl", *_DENIED_IN_WEAK)]


def _numbers() -> dict[str, int]:
    machine = platform.machine()
    if machine not in _AUDIT_ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no list of system calls for {machine}; x86_64 and aarch64 have one")
    column = list(_AUDIT_ARCHITECTURES).index(machine)
    return {name: pair[column] for name, pair in _NUMBERS.items()}


@functools.cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text)
    except OSError as error:
        raise OSError(error.errno, f"writing {path}: {error.strerror}") from None


def _mount(source: Any, target: Any, kind: str | None, flags: int, options: str | None = None) -> None:
    encode = lambda value: None if value is None else os.fsencode(value)  # noqa: E731
    result = _libc().mount(encode(source), encode(target), encode(kind), flags, encode(options))
    _check(result, f"mount of {source or kind} on {target}")


def _set_attributes(path: Any, attributes: int, *, recursive: bool) -> None:
    wanted = struct.pack("QQQQ", attributes, 0, 0, 0)
    flags = 0x8000 if recursive else 0
    result = _libc().syscall(_MOUNT_SETATTR, -100, os.fsencode(path), flags, wanted, len(wanted))
    _check(result, f"mount_setattr of {path} (Linux 5.12)")


# ---- the trial


def _try_level(level: Level) -> str:
    """What goes wrong at this level, or ""."""
    with tempfile.TemporaryDirectory(prefix="mmdl-try-") as run:
        work = Path(run) / "given"
        work.mkdir()
        reader, writer = os.pipe()
        watcher = os.fork()
        if watcher == 0:
            _watch_trial(Box(level, Limits(), str(work), run), writer)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            answer = pipe.read()
        os.waitpid(watcher, 0)
    if answer == "it holds":
        return ""
    return _with_remedy(answer or "its process ended without a word")


def _watch_trial(box: Box, writer: int) -> None:
    try:
        child, uid = separate(box.level)
        if child == 0:
            enter(box, uid=uid)
            Path(f"{box.scratch}/work/written").write_text("here")
            import colorsys  # noqa: F401 -- any module that is not loaded yet: the runtime can be read

            os.write(writer, b"it holds")
        else:
            os.waitpid(child, 0)
    except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the answer
        os.write(
            writer, str(error.strerror if isinstance(error, OSError) and error.strerror else error).encode()
        )
    os._exit(0)


def _with_remedy(problem: str) -> str:
    if "unshare" in problem or "mount" in problem or "uid_map" in problem:
        return (
            f"{problem}. Namespaces are not allowed here. Ubuntu 24.04: sysctl "
            "kernel.apparmor_restrict_unprivileged_userns=0; older Debian: sysctl "
            "kernel.unprivileged_userns_clone=1; in a container: start it with --privileged, or grade outside"
        )
    if "ermission" in problem:
        return f"{problem}. The Python environment must be readable for everybody: chmod -R o+rX"
    return problem


def _try_all() -> None:
    sys.stdout.write(json.dumps({level: _try_level(level) for level in ("full", "weak")}))


if __name__ == "__main__":
    _try_all()
