"""Linux's own calls and numbers that the sandbox is built with, and that Python does not offer.

What is refused and what may be read is decided in sandbox.py; here is how that is said to the operating
system. Imported everywhere, used on Linux.
"""

import ctypes
import errno
import functools
import os
import platform
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "call_numbers",
    "check",
    "drop_capabilities",
    "filter_calls",
    "libc",
    "mount",
    "pivot_root",
    "restrict_files",
    "set_attributes",
    "write",
]

NEW_MOUNT, NEW_UTS, NEW_IPC = 0x20000, 0x4000000, 0x8000000
NEW_USER, NEW_PID, NEW_NET = 0x10000000, 0x20000000, 0x40000000
_NEW_ANY = NEW_MOUNT | NEW_UTS | NEW_IPC | NEW_USER | NEW_PID | NEW_NET | 0x2000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
_PR_SET_SECCOMP, _PR_CAPBSET_DROP = 22, 24
_AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Name, number on x86_64 and on aarch64; a test compares them with the system's headers.
# Refused to every kernel. memfd, shmget and msgget give memory that no limit counts.
_REFUSED = """
    ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, kcmp 312 272, mount 165 40,
    umount2 166 39, pivot_root 155 41, chroot 161 51, unshare 272 97, setns 308 268, acct 163 89,
    quotactl 179 60, swapon 167 224, swapoff 168 225, reboot 169 142, syslog 103 116, init_module 175 105,
    finit_module 313 273, delete_module 176 106, kexec_load 246 104, kexec_file_load 320 294, bpf 321 280,
    perf_event_open 298 241, userfaultfd 323 282, fanotify_init 300 262, add_key 248 217,
    request_key 249 218, keyctl 250 219, name_to_handle_at 303 264, open_by_handle_at 304 265,
    personality 135 92, memfd_create 319 279, shmget 29 194, msgget 68 186, move_pages 279 239,
    vhangup 153 58, io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427,
    open_tree 428 428, move_mount 429 429, fsopen 430 430, fsconfig 431 431, fsmount 432 432,
    fspick 433 433, pidfd_getfd 438 438, mount_setattr 442 442, memfd_secret 447 447
"""
# Refused where a kernel shares namespaces with others. Landlock does not hold connections to sockets that
# lie in folders: the session bus would run any command outside. Semaphores and message queues would stay when
# the kernel ends, and a process of the same user may set how another one is scheduled.
_REFUSED_IN_COMPANY = """
    connect 42 203, semget 64 190, mq_open 240 180, setpriority 141 140, ioprio_set 251 30,
    sched_setparam 142 118, sched_setaffinity 203 122, sched_setattr 314 274
"""
# Answered with success and not done, where landlock does not hold them: it leaves the permissions, owners and
# dates of all files to their owner. ZeroMQ's threads set the scheduling that they have, and abort if they may
# not; shutil sets permissions after each copy.
_PRETENDED_IN_COMPANY = """
    chmod 90 -, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, chown 92 -, lchown 94 -, fchown 93 55,
    fchownat 260 54, utime 132 -, utimes 235 -, futimesat 261 -, utimensat 280 88, setxattr 188 5,
    lsetxattr 189 6, fsetxattr 190 7, removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16,
    sched_setscheduler 144 119
"""
_OTHERS = """
    socket 41 198, socketpair 53 199, clone 56 220, clone3 435 435, prctl 157 167, prlimit64 302 261,
    landlock_create_ruleset 444 444, landlock_add_rule 445 445, landlock_restrict_self 446 446
"""


def _read(table: str) -> dict[str, tuple[int | None, ...]]:
    rows = [entry.split() for entry in table.split(",")]
    return {name: tuple(None if text == "-" else int(text) for text in numbers) for name, *numbers in rows}


REFUSED, REFUSED_IN_COMPANY = tuple(_read(_REFUSED)), tuple(_read(_REFUSED_IN_COMPANY))
PRETENDED_IN_COMPANY = tuple(_read(_PRETENDED_IN_COMPANY))
_NUMBERS = _read(_REFUSED) | _read(_REFUSED_IN_COMPANY) | _read(_PRETENDED_IN_COMPANY) | _read(_OTHERS)


def call_numbers() -> dict[str, int]:
    """Name -> number of the system calls that are named here, on this machine.

    Raises:
        OSError: a processor without a list.
    """
    machine = platform.machine()
    if machine not in _AUDIT_ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no list of system calls for {machine}; x86_64 and aarch64 have one")
    column = list(_AUDIT_ARCHITECTURES).index(machine)
    found = {name: numbers[column] for name, numbers in _NUMBERS.items()}
    return {name: number for name, number in found.items() if number is not None}


@functools.cache
def libc() -> Any:
    """The C library; its functions set ctypes' errno."""
    return ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Raise what a C function has left in errno.

    Args:
        result: its value; 0 when all went well.
        what: was done, for the message.

    Raises:
        OSError: `result` is not 0.
    """
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def write(path: str, text: str) -> None:
    """Write a file, of /proc for example.

    Raises:
        OSError: with the path in its words.
    """
    try:
        Path(path).write_text(text)
    except OSError as error:
        raise OSError(error.errno, f"writing {path}: {error.strerror}") from None


def mount(source: Any, target: Any, kind: str | None, flags: int, options: str | None = None) -> None:
    """Attach a file system; an OSError names source and target."""
    encode = lambda value: None if value is None else os.fsencode(value)  # noqa: E731
    result = libc().mount(encode(source), encode(target), encode(kind), flags, encode(options))
    check(result, f"mount of {source or kind} on {target}")


def set_attributes(path: Any, attributes: int, *, recursive: bool) -> None:
    """Change a mount's attributes (ATTR_RDONLY, …); Linux 5.12."""
    wanted = struct.pack("QQQQ", attributes, 0, 0, 0)
    flags = 0x8000 if recursive else 0
    number = call_numbers()["mount_setattr"]
    result = libc().syscall(number, -100, os.fsencode(path), flags, wanted, len(wanted))
    check(result, f"mount_setattr of {path} (Linux 5.12)")


def pivot_root() -> None:
    """Make the working folder, a mount, the root, and let go of the old one."""
    check(libc().syscall(call_numbers()["pivot_root"], b".", b"."), "pivot_root")  # the old one lies on top …
    check(libc().umount2(b".", MNT_DETACH), "umount of the old root")  # … until it is taken off
    os.chdir("/")


def drop_capabilities(uid: int | None) -> None:
    """Have none, and no way to gain any.

    Args:
        uid: whom to become; None to stay who one is.
    """
    for capability in range(64):
        if libc().prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # beyond the last one, or not ours to drop: then there is none to gain either
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    header = struct.pack("Ii", 0x20080522, 0)
    check(libc().capset(header, bytes(24)), "capset")
    check(libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    check(libc().prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable")  # or its own /proc/self would be root's


def restrict_files(readable: Sequence[str], writable: Sequence[str]) -> bool:
    """Landlock. Files: these and no others. Signals and abstract sockets: not outwards, from Linux 6.12 on.

    Args:
        readable: files, and folders with all below them, that may be read and executed.
        writable: the same, with everything allowed.

    Returns:
        Whether landlock is there at all (Linux 5.13, lsm=landlock).

    Raises:
        OSError: it is, and refuses.
    """
    numbers = call_numbers()
    abi = libc().syscall(numbers["landlock_create_ruleset"], None, 0, 1)
    if abi < 1:
        return False
    everything = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    of_files = 0b1100_0000_0000_0111  # execute, write, read, truncate, ioctl: the rest is for folders
    scopes = 0b11 if abi >= 6 else 0
    rules = struct.pack("QQQ", everything, 0, scopes)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = libc().syscall(numbers["landlock_create_ruleset"], rules, len(rules), 0)
    check(min(ruleset, 0), "landlock_create_ruleset")
    read = 0b1101  # execute, read a file, read a folder
    for paths, access in ((readable, read), (writable, everything)):
        for path in paths:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = access if Path(path).is_dir() else access & of_files
            rule = struct.pack("=Qi", allowed & everything, descriptor)
            added = libc().syscall(numbers["landlock_add_rule"], ruleset, 1, rule, 0)
            check(added, f"landlock_add_rule {path}")
            os.close(descriptor)
    check(libc().syscall(numbers["landlock_restrict_self"], ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)
    return True


def filter_calls(*, alone: bool) -> None:
    """Seccomp: no network, no way into other processes, no mounts, no new namespaces.

    Args:
        alone: whether this process has namespaces of its own, so that it meets no others.
    """
    numbers = call_numbers()
    deny, missing, family = (0x50000 | code for code in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT))
    allow, pretend, kill = 0x7FFF0000, 0x50000, 0x80000000
    load, mask, equal, at_least, some_bit, answer = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06

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
    answers = dict.fromkeys(REFUSED, deny)
    if not alone:
        answers |= dict.fromkeys(REFUSED_IN_COMPANY, deny) | dict.fromkeys(PRETENDED_IN_COMPANY, pretend)
    for name, what in answers.items():
        if name in numbers:
            program += [step(equal, numbers[name], 0, 1), step(answer, what)]
    first, second = 16, 24  # where the arguments are
    everything, kind_of_socket = 0xFFFFFFFF, 0xF
    unix, datagram = 1, 2
    # Call, argument, its bits, test, value, answers if it holds and if not; None: go on.
    looked_at: list[tuple[str, int, int, int, int, int | None, int | None]] = [
        ("socket", first, everything, equal, unix, None, family),
        ("clone", first, everything, some_bit, _NEW_ANY, deny, None),
        # The kernel keeps dying with its watcher; code that asks to change that is told that it has.
        ("prctl", first, everything, equal, PR_SET_PDEATHSIG, pretend, None),
    ]
    if not alone:
        looked_at += [
            # A datagram needs no connection to get to a socket in a folder: the system's log, for one.
            ("socket", second, kind_of_socket, equal, datagram, deny, None),
            ("socketpair", second, kind_of_socket, equal, datagram, deny, None),
            # One's own limits, not another process's.
            ("prlimit64", first, everything, equal, 0, None, deny),
        ]
    for name, argument, bits, test, value, held, failed in looked_at:
        rule = [step(load, argument), step(mask, bits)]
        rule += [step(test, value, 0, 1), step(answer, held)] if held is not None else []
        rule += [step(test, value, 1, 0), step(answer, failed)] if failed is not None else []
        rule.append(step(load, 0))
        program += [step(equal, numbers[name], 0, len(rule)), *rule]
    # clone3's flags lie in memory, where no filter sees them; C libraries fall back to clone.
    program += [step(equal, numbers["clone3"], 0, 1), step(answer, missing), step(answer, allow)]
    code = ctypes.create_string_buffer(b"".join(program))
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)))
    check(libc().prctl(_PR_SET_SECCOMP, 2, filter_, 0, 0), "seccomp")
