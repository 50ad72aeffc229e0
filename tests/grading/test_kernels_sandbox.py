"""Cells that try to get out of their sandbox, in real kernels: the harm stays inside."""

import os
import platform
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel_cells import MIB, SMALL, errors, family, full, held, linux, processes, run, value, warm

from mmdl_course.grading.kernels import linux as system
from mmdl_course.grading.kernels import sandbox, trial
from mmdl_course.grading.kernels.warm_executor import WarmExecutor

pytestmark = linux

DAEMON = """
import os, subprocess
command = ["/bin/sh", "-c", "sleep 300; true", {marker!r}]
if os.fork() == 0:
    os.setsid()
    subprocess.Popen(command, start_new_session=True)
    os._exit(0)
os.wait()
"""
CALL = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    return errno.errorcode[ctypes.get_errno()] if result == -1 else result
"""


@pytest.fixture(scope="module", params=["full", "weak"])
def walled(request: pytest.FixtureRequest) -> Iterator[WarmExecutor]:
    with warm(request.param) as executor:
        yield executor


@pytest.fixture(scope="module")
def isolated() -> Iterator[WarmExecutor]:
    with warm("full") as executor:
        yield executor


def test_files_of_the_host_can_be_neither_read_nor_written(walled: WarmExecutor, tmp_path: Path) -> None:
    secret = tmp_path / "gradebook.db"
    secret.write_text("marks")
    work = tmp_path / "work"
    work.mkdir()
    (work / "points.csv").write_text("1,2")
    (work / "hidden.ipynb").write_text("the hidden tests")
    (work / "link").symlink_to(secret)
    done = run(
        walled,
        work,
        f"open({str(secret)!r}).read()",
        f"open({str(secret)!r}, 'w').write('mine')",
        f"import os; os.listdir({str(Path.home())!r})" if walled.sandbox == "weak" else "1/0",
        f"open({__file__!r}).read()",
        "open('link').read()",
        "import os; open('points.csv', 'a').write(',3'); (sorted(os.listdir()), open('points.csv').read())",
        "open('/usr/bin/new', 'w')",
        "import mmdl_course, pathlib; pathlib.Path(mmdl_course.__file__).write_text('')",
        "open('/etc/shadow').read()",
    )
    assert [bool(name) for name in errors(done)] == [*[True] * 5, False, *[True] * 3]
    assert value(done, 5) == (["points.csv"], "1,2,3")
    assert secret.read_text() == "marks"
    assert (work / "points.csv").read_text() == "1,2"


@full
def test_the_root_holds_the_runtime_and_nothing_else(isolated: WarmExecutor, tmp_path: Path) -> None:
    done = run(
        isolated,
        tmp_path,
        "import os, mmdl_course; sorted(os.listdir(os.path.dirname(os.path.dirname(mmdl_course.__file__))))",
        "[entry.split()[1] for entry in open('/proc/self/mounts') if 'rw' in entry.split()[3].split(',')]",
    )
    import mmdl_course

    beside = {path.name for path in Path(mmdl_course.__file__).parents[1].iterdir()}
    assert set(value(done, 0)) <= {"mmdl_course", ".venv"} & beside | {"mmdl_course"}
    writable = set(value(done, 1))
    assert {"/sandbox", "/tmp", "/dev/shm"} <= writable
    assert {path for path in writable if not path.startswith(("/dev/", "/proc"))} == {"/sandbox", "/tmp"}


def test_the_environment_holds_no_secrets(
    walled: WarmExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_TOKEN", "a-secret")
    with warm(walled.sandbox) as executor:  # one that has seen the variable
        done = run(
            executor,
            tmp_path,
            "import os; [os.environ.get(n) for n in ('GRADER_TOKEN', 'MMDL_SEED', 'OMP_NUM_THREADS')]",
            "b'a-secret' in open('/proc/self/environ', 'rb').read()",
        )
    assert value(done, 0) == [None, "7", "1"]
    assert value(done, 1) is False


def test_there_is_no_network(walled: WarmExecutor, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        port = server.getsockname()[1]
        abstract.bind(f"\0mmdl-test-{port}")
        abstract.listen()
        done = run(
            walled,
            tmp_path,
            f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=2)",
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
            "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
            "socket.socket(40, socket.SOCK_STREAM)  # AF_VSOCK, which no namespace holds back",
            "socket.getaddrinfo('example.org', 80)",
            f"socket.socket(socket.AF_UNIX).connect('\\0mmdl-test-{port}')",
            "socket.socketpair() and 1",
        )
    assert [bool(name) for name in errors(done)] == [*[True] * 6, False]


@full
def test_other_processes_are_invisible_and_out_of_reach(isolated: WarmExecutor, tmp_path: Path) -> None:
    done = run(
        isolated,
        tmp_path,
        "import os; sorted(int(name) for name in os.listdir('/proc') if name.isdigit())",
        f"os.kill({os.getpid()}, 0)",
        "os.kill(-1, 9)",
        "(os.getpid(), os.getppid())",
    )
    assert value(done, 0) == [1]
    assert errors(done) == ["", "ProcessLookupError", "ProcessLookupError", ""]
    assert value(done, 3) == (1, 0)


def test_without_namespaces_no_socket_in_a_folder_can_be_reached(tmp_path: Path) -> None:
    address = str(tmp_path / "bus")
    with socket.socket(socket.AF_UNIX) as bus, warm("weak") as executor:
        bus.bind(address)
        bus.listen()
        done = run(executor, tmp_path, f"import socket; socket.socket(socket.AF_UNIX).connect({address!r})")
    assert errors(done) == ["PermissionError"]


def test_signals_do_not_get_out(walled: WarmExecutor, tmp_path: Path) -> None:
    server = walled.server.pid
    done = run(walled, tmp_path, f"import os; os.kill({server}, 9)", f"os.kill({os.getpid()}, 0)")
    assert all(errors(done))
    assert walled.server.pid == server


def test_dangerous_system_calls_are_refused(walled: WarmExecutor, tmp_path: Path) -> None:
    numbers = {name: system.call_numbers()[name] for name in system.REFUSED}
    done = run(
        walled,
        tmp_path,
        CALL,
        f"{{name: call(number, 0, 0, 0, 0, 0, 0) for name, number in {numbers}.items()}}",
        f"call({system.call_numbers()['clone']}, 0x10000000 | 17, 0, 0, 0, 0)",
        "call(435, 0, 0)",
        "open('/proc/self/status').read().split('CapEff:')[1].split()[0]",
        "(libc.prctl(1, 0, 0, 0, 0), libc.prctl(23, 0, 0, 0, 0))",
    )
    assert set(value(done, 1).values()) == {"EPERM"}
    assert value(done, 2) == "EPERM"  # a new user namespace
    assert value(done, 3) == "ENOSYS"
    assert int(value(done, 4), 16) == 0


@pytest.mark.parametrize(
    ("column", "header"),
    [(0, "x86_64-linux-gnu/asm/unistd_64.h"), (0, "asm/unistd_64.h"), (1, "asm-generic/unistd.h")],
)
def test_the_numbers_of_system_calls_are_the_systems_own(column: int, header: str) -> None:
    """ARM64 takes its numbers from the generic list, which every machine's headers have."""
    path = Path("/usr/include") / header
    if not path.exists() or (column == 0 and platform.machine() != "x86_64"):
        pytest.skip(f"no {path} here")
    listed = dict(re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", path.read_text(), re.MULTILINE))
    ours = {name: numbers[column] for name, numbers in system._NUMBERS.items()}
    newer = {"fchmodat2"}  # than some headers
    assert {name for name, number in ours.items() if number is not None and name not in listed} <= newer
    assert {name for name, number in ours.items() if number is None and name in listed} == set()
    assert [name for name in ours if name in listed and ours[name] != int(listed[name])] == []


def test_a_memory_bomb_is_a_memory_error(walled: WarmExecutor, tmp_path: Path) -> None:
    bomb = "hoard = []\nwhile True:\n    hoard.append(bytearray(50_000_000))"
    done = run(walled, tmp_path, bomb, "del hoard; 1 + 1")
    assert errors(done) == ["MemoryError", ""]
    assert value(done) == 2


@full
def test_memory_of_many_processes_counts_together(isolated: WarmExecutor, tmp_path: Path) -> None:
    bomb = """
import os, time
for _ in range(9):
    if os.fork() == 0:
        hoard = bytearray(b"x") * 250_000_000
        time.sleep(60)
        os._exit(0)
time.sleep(60)
"""
    done = run(isolated, tmp_path, "x = 1", bomb, "x")
    assert errors(done) == ["", "KernelDied", ""]
    assert any("1920 MiB of memory" in flag for flag in done.flags)
    assert value(done) == 1


def test_a_fork_bomb_ends_its_cell(walled: WarmExecutor, tmp_path: Path) -> None:
    if walled.sandbox == "weak" and os.geteuid() == 0:
        pytest.skip("root's processes are not counted without namespaces: ending them all takes a while")
    bomb = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    alive = len(family(os.getpid()))
    with warm(walled.sandbox, timeout=2) as executor:
        done = run(executor, tmp_path, bomb, "1 + 1")
    assert errors(done)[0] in ("CellTimeoutError", "KernelDied", "BlockingIOError")
    assert value(done) == 2
    assert len(family(os.getpid())) <= alive


@full
def test_a_disk_filler_meets_a_full_disk(isolated: WarmExecutor, tmp_path: Path) -> None:
    fill = """
import os
for number in range(100):
    with open(f"{folder}/big{number}", "wb") as file:
        file.write(bytes(1_000_000))
"""
    done = run(
        isolated,
        tmp_path,
        *[f"folder = {folder!r}\n{fill}" for folder in (".", "/tmp", "/dev/shm")],
        "[os.unlink(f'{place}/{name}') for place in ('.', '/tmp', '/dev/shm') for name in os.listdir(place)"
        " if name.startswith('big')]; open('small', 'w').write('fits')",
    )
    assert errors(done) == ["OSError", "OSError", "OSError", ""]


@pytest.mark.parametrize("level", held)
def test_nothing_outlives_the_notebook(level: str, tmp_path: Path) -> None:
    marker = f"mmdl-daemon-{os.getpid()}-{level}"
    with warm(level) as executor:
        done = run(executor, tmp_path, DAEMON.format(marker=marker))
        assert errors(done) == [""]
        assert processes(marker) == []


@full
def test_the_trial_says_why_a_level_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_level: str) -> None:
        raise OSError(1, "unshare(user, pid): Operation not permitted")

    monkeypatch.setattr(sandbox, "separate", refuse)
    reason = trial.try_level("full")
    assert "unshare(user, pid)" in reason
    assert "sysctl" in reason


@full
def test_limits_hold_in_the_kernel(isolated: WarmExecutor, tmp_path: Path) -> None:
    done = run(
        isolated,
        tmp_path,
        "import resource as r; [r.getrlimit(k)[1] for k in (r.RLIMIT_CORE, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE)]",
        "r.getrlimit(r.RLIMIT_AS)[1]",
    )
    assert value(done, 0) == [0, SMALL.disk, SMALL.open_files]
    assert value(done, 1) < 8192 * MIB


@full
def test_a_stubborn_kernel_is_killed_at_once(isolated: WarmExecutor, tmp_path: Path) -> None:
    stubborn = "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt:\n        pass"
    with warm(isolated.sandbox, timeout=1, iopub_timeout=1, limits=SMALL) as executor:
        start = time.monotonic()
        done = run(executor, tmp_path, "x = 1", stubborn, "x")
    assert errors(done) == ["", "CellTimeoutError", ""]
    assert time.monotonic() - start < 20
