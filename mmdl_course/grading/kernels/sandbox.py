"""The walls around a kernel, on Linux, with what the kernel of the operating system offers and nothing else.

A freshly forked process with one thread calls `separate` (which forks once more) and then `enter`; when that
returns, student code may run. Levels:

- full: namespaces of its own (mount, pid, net, ipc, uts; user as well when started by an ordinary user), a
  read-only root of the Python runtime and little else, a scratch disk in memory, and all of "weak".
- weak: landlock (files), seccomp (system calls), resource limits, no capabilities. No namespaces: other
  processes can be seen in part, the disk is limited per file only.
- none: resource limits alone.

Whatever cannot be set up is an OSError: nothing is left out silently. docs/grading.md says what all this
protects against. box.py has the limits and folders, root.py the files, linux.py the operating system's calls,
trial.py finds out what a machine allows.
"""

import errno
import functools
import json
import os
import platform
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mmdl_course.grading.kernels import linux
from mmdl_course.grading.kernels.box import LEVELS, Box, Level, Limits
from mmdl_course.grading.kernels.root import build_root, fill_scratch, package, readable

__all__ = [
    "LEVELS",
    "Box",
    "Level",
    "Limits",
    "Support",
    "enter",
    "environment_inside",
    "separate",
    "support",
]


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
    command = [sys.executable, "-P", "-m", "mmdl_course.grading.kernels.trial"]
    environment = {**os.environ, "PYTHONPATH": str(package().parent)}
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
    privileged = level == "full" and os.geteuid() == 0 and linux.libc().unshare(linux.NEW_PID) == 0
    if level == "full" and not privileged:
        uid, gid = os.getuid(), os.getgid()
        linux.check(linux.libc().unshare(linux.NEW_USER | linux.NEW_PID), "unshare(user, pid)")
        linux.write("/proc/self/setgroups", "deny")
        linux.write("/proc/self/uid_map", f"{_UID_INSIDE} {uid} 1")
        linux.write("/proc/self/gid_map", f"{_UID_INSIDE} {gid} 1")
    uid = None
    if privileged or (level == "weak" and os.geteuid() == 0 and _others_may_read(readable())):
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
    linux.write("/proc/self/oom_score_adj", "1000")  # should memory run out, this is to go, not the grader
    if box.level == "none":
        _limit(box.limits, processes=None)
        _die_with_parent()
        return
    owner = os.geteuid() if uid is None else uid
    if box.level == "full":
        apart = linux.NEW_MOUNT | linux.NEW_NET | linux.NEW_IPC | linux.NEW_UTS
        linux.check(linux.libc().unshare(apart), "unshare(mount, net, ipc, uts)")
        build_root(box, owner)
        linux.check(linux.libc().sethostname(b"grading", 7), "sethostname")
    else:
        if uid is not None:
            Path(box.run).chmod(0o711)  # the way to the scratch folder
        fill_scratch(Path(box.scratch), box, owner)
    # Of its own user id, or in a user namespace, only the kernel's own processes count.
    alone = uid is not None or box.level == "full"
    _limit(box.limits, processes=box.limits.processes + (0 if alone else _tasks_of_this_user()))
    linux.drop_capabilities(uid)
    _die_with_parent()
    _landlock(box)
    linux.filter_calls(alone=box.level == "full")


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
_UID_INSIDE = 1000
# systemd gives out nothing between its containers' range and 2^31; the watcher's process id makes it unique.
_FIRST_UNUSED_UID = 1_900_000_000


def _others_may_read(paths: list[str]) -> bool:
    """Whether a user without rights gets at all of them."""
    for path in paths:
        if any(not parent.stat().st_mode & stat.S_IXOTH for parent in Path(path).parents):
            return False
        if not Path(path).stat().st_mode & stat.S_IROTH:
            return False
    return True


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


def _die_with_parent() -> None:
    # Last of the changes of identity, each of which would undo it.
    linux.check(linux.libc().prctl(linux.PR_SET_PDEATHSIG, 9, 0, 0, 0), "pdeathsig")


def _landlock(box: Box) -> None:
    """Files: read the runtime, write the scratch folder. Signals and abstract sockets: not outwards."""
    writable = [box.scratch, "/dev/null"]
    if box.level == "full":
        linux.restrict_files(["/"], [*writable, "/tmp", "/dev/shm", "/dev/pts"])
        return  # with landlock or without: the mounts hold
    devices = [f"/dev/{name}" for name in ("zero", "full", "random", "urandom")]
    # Landlock keeps other processes' memory, files and environment shut; joblib reads the other two.
    may_read = [*readable(), *devices, "/proc", "/sys/fs/cgroup"]
    # PyTorch's workers hand tensors over in /dev/shm.
    if not linux.restrict_files(may_read, [*writable, "/dev/shm"]):
        raise OSError(errno.ENOSYS, "landlock is not switched on in this kernel (Linux 5.13, lsm=landlock)")
