"""Warm kernels give what cold ones give; their server and their grader may die."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from kernel_cells import KERNEL, cold, family, full, held, linux, run, value, warm
from traitlets.config import Config

import mmdl_course
from mmdl_course.course import CourseError
from mmdl_course.grading.kernels import sandbox
from mmdl_course.grading.kernels.box import Limits
from mmdl_course.grading.kernels.sandbox import Support
from mmdl_course.grading.kernels.warm_executor import WarmExecutor

pytestmark = linux

ROOT = str(Path(mmdl_course.__file__).parents[1])


def _outputs(execution: Any) -> list[list[str]]:
    """What each cell has put out, without what differs from run to run."""
    shown = []
    for cell in execution.notebook.cells:
        streams: dict[str, str] = {}
        parts = []
        for output in cell.outputs:
            if output.output_type == "stream":  # how it is cut into messages is chance
                streams[output.name] = streams.get(output.name, "") + output.text
            elif output.output_type == "error":
                parts.append(f"{output.ename}: {output.evalue}")
            else:
                parts.append(f"{sorted(output.data)} {output.data['text/plain']}")
        shown.append([*(f"{name}: {text}" for name, text in sorted(streams.items())), *parts])
    return shown


PLAIN = (
    "x = 20",
    "x + 1",
    "print('out'); import sys; print('err', file=sys.stderr)",
    "1 / 0",
    "import os; os.system('echo from a child') and None",
    "!echo from a shell",
    "import multiprocessing as m\nwith m.get_context('fork').Pool(1) as pool:\n"
    "    y = pool.map(sys.stdout.write, ['from a worker'])",
    "from IPython.display import HTML; HTML('<b>bold</b>')",
    "input('?')",
    "import threading; t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()",
    "open('companion.txt').read()",
    "import warnings; warnings.simplefilter('always'); __name__, In[1], _1",
    "import pickle\nclass A: pass\npickle.loads(pickle.dumps(A())).__class__.__module__",
)
LIBRARIES = (
    "import torch; from torch.utils.data import DataLoader, TensorDataset",
    "loader = DataLoader(TensorDataset(torch.arange(100.)), batch_size=10, num_workers=2)",
    "sum(float(batch[0].sum()) for batch in loader)",
    "torch.manual_seed(0); torch.randn(2, 2).mm(torch.ones(2, 2)), torch.get_num_threads()",
    "l = torch.nn.Linear(3, 1); l(torch.ones(1, 3)).sum().backward(); l.weight.grad",
    "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show(); plt.get_backend()",
    "import ipywidgets as w; slider = w.IntSlider(3); slider",
    "hits = []; slider.observe(lambda change: hits.append(change.new), 'value'); slider.value = 5; hits",
    "import numpy as np; rng = np.random.default_rng(0); X = rng.normal(size=(200, 3)); y = X[:, 0] > 0",
    "from sklearn.linear_model import Ridge; from sklearn.model_selection import cross_val_score",
    "cross_val_score(Ridge(), X, y, n_jobs=2).mean()",
    "from sklearn.ensemble import RandomForestClassifier as Forest",
    "Forest(n_jobs=2, n_estimators=20, random_state=0).fit(X, y).score(X, y)",
    "from tqdm.auto import tqdm; tqdm.__module__",
    "from mmdl_course import viz; from mmdl_course.checks import Exercise",
    "from mmdl_course.data import world; from mmdl_course.training import fit",
)


@pytest.mark.parametrize("level", held)
def test_a_warm_kernel_gives_what_a_cold_one_gives(level: str, tmp_path: Path) -> None:
    (tmp_path / "companion.txt").write_text("beside")
    # "weak" has neither terminals nor sockets that lead from one process to another.
    cells = [cell for cell in PLAIN if level != "weak" or not cell.startswith(("!", "import multi"))]
    with warm(level) as executor:
        done = run(executor, tmp_path, *cells)
    assert _outputs(done) == _outputs(run(cold(), tmp_path, *cells))
    assert done.flags == ()


@pytest.mark.slow
def test_the_courses_libraries_work(tmp_path: Path) -> None:
    expected = _outputs(run(cold(), tmp_path, *LIBRARIES))
    assert not any("Error" in text for cell in expected for text in cell)
    for level in [level for level in held if level != "weak"]:
        with warm(level, modules=None, limits=Limits()) as executor:  # type: ignore[arg-type]
            assert _outputs(run(executor, tmp_path, *LIBRARIES)) == expected, level


@pytest.mark.exhaustive
@full
def test_umap_and_numba_work_although_nothing_may_be_written_beside_them(tmp_path: Path) -> None:
    cells = (
        "import numpy as np, numba; from umap import UMAP",
        "UMAP(n_neighbors=5, random_state=0, n_epochs=5, n_jobs=1).fit_transform(np.eye(40)).shape",
        "@numba.njit(parallel=True)\ndef total(x):\n    s = 0.0\n    for i in numba.prange(x.size):\n"
        "        s += x[i]\n    return s\ntotal(np.ones(1000))",
    )
    with warm("full", limits=Limits(), timeout=120) as executor:
        done = run(executor, tmp_path, *cells)
    assert (value(done, 1), value(done, 2)) == ((40, 2), 1000.0)


def test_unseeded_numbers_differ_between_cells_and_not_between_gradings(tmp_path: Path) -> None:
    cells = (
        "import random, numpy; [random.random(), float(numpy.random.rand())]",
        "random.random()",
        "hash('x')",
    )
    with warm("none", modules=(*KERNEL, "numpy")) as executor:
        first, second = (run(executor, tmp_path, *cells) for _ in range(2))
    assert [value(first, i) for i in range(2)] == [value(second, i) for i in range(2)]
    assert value(first, 1) not in value(first, 0)


def test_no_message_is_lost_however_many_there_are(tmp_path: Path) -> None:
    with warm(held[0]) as executor:
        done = run(executor, tmp_path, "for n in range(4000):\n    print(n, flush=True)")
    printed = "".join(output.text for output in done.notebook.cells[0].outputs)
    assert printed == "".join(f"{n}\n" for n in range(4000))
    assert done.flags == ()


def test_several_threads_share_one_server(tmp_path: Path) -> None:
    with warm(held[0]) as executor:
        results: list[Any] = []
        sources = [f"import time; time.sleep(1); {number} + 1" for number in range(4)]
        threads = [
            threading.Thread(target=lambda source=source: results.append(run(executor, tmp_path, source)))
            for source in sources
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(value(done) for done in results) == [1, 2, 3, 4]


def test_a_killed_server_is_started_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with warm(held[0]) as executor:
        assert value(run(executor, tmp_path, "1 + 1")) == 2
        before = executor.server.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        time.sleep(0.2)
        assert value(run(executor, tmp_path, "1 + 2")) == 3
        assert executor.server.pid not in (None, before)
    assert "The fork server has died (status -9); starting it again" in caplog.text


def test_a_running_kernel_survives_its_server(tmp_path: Path) -> None:
    with warm(held[0]) as executor:
        assert executor.server.pid is not None
        threading.Timer(1.5, os.kill, (executor.server.pid, signal.SIGKILL)).start()
        done = run(executor, tmp_path, "import time; time.sleep(3); 1", "1 + 1")
    assert (value(done), done.flags) == (2, ())


def test_a_server_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "has_a_thread.py").write_text(
        "import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()"
    )
    from mmdl_course.grading.kernels import fork_server

    monkeypatch.setattr(sys, "executable", _python_with(tmp_path))
    with pytest.raises(CourseError, match="started threads"):
        fork_server.ForkServer({}, modules=["has_a_thread"]).start()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(CourseError, match="cannot start"):
        fork_server.ForkServer({}, modules=[]).start()


def _python_with(folder: Path) -> str:
    """A Python that finds modules in a folder; the server's own PYTHONPATH is the grader's business."""
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{folder}" exec {sys.executable} "$@"\n')
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize("level", [level for level in held if level != "weak"])
def test_a_killed_grader_leaves_no_process(level: str, tmp_path: Path) -> None:
    script = f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from kernel_cells import run, warm
        with warm({level!r}) as executor:
            print("started", flush=True)
            run(executor, Path({str(tmp_path)!r}), "import subprocess; subprocess.Popen(['sleep', '300'],"
                " start_new_session=True)", "while True: pass")
    """
    temporary = tmp_path / "t"
    temporary.mkdir()
    environment = {**os.environ, "PYTHONPATH": ROOT, "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as grader:
        assert grader.stdout is not None
        assert grader.stdout.readline() == b"started\n"
        relatives: set[int] = set()
        deadline = time.monotonic() + 20
        while len(relatives) < 4 and time.monotonic() < deadline:  # server, keeper, kernel, sleep
            relatives = family(grader.pid)
            time.sleep(0.1)
        assert len(relatives) >= 4
        grader.kill()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in relatives) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in relatives if Path(f"/proc/{pid}").exists()] == []
    assert list(temporary.glob("mmdl-*")) == []


def test_a_machine_without_walls_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from mmdl_course.grading.kernels import warm_executor

    little = Support("weak", {"full": "unshare: Operation not permitted. sysctl"})
    monkeypatch.setattr(warm_executor, "support", lambda: little)
    with pytest.raises(CourseError, match=r'no sandbox "full" here: unshare.* holds here is "weak"'):
        WarmExecutor(Config(), None, {}, sandbox="full")
    WarmExecutor(Config(), None, {}, sandbox="weak")


def test_elsewhere_the_modules_import_and_promise_nothing() -> None:
    script = """
        import sys
        sys.platform = "win32"
        sys.modules["resource"] = sys.modules["fcntl"] = None
        from mmdl_course.grading.kernels import sandbox
        print(sandbox.support().level, "|", sandbox.support().explain())
    """
    environment = {**os.environ, "PYTHONPATH": ROOT}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    level, _, explanation = done.stdout.partition(" | ")
    assert level == "none"
    assert "Grade on Linux" in explanation


@full
@pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else takes root")
@pytest.mark.parametrize("level", ["full", "weak"])
def test_an_ordinary_user_gets_the_same_walls(level: str, tmp_path: Path) -> None:
    if "full" not in held:
        pytest.skip(sandbox.support().explain())
    script = f"""
        import json, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from kernel_cells import errors, run, value, warm
        folder = Path(sys.argv[1])
        (folder / "beside.txt").write_text("beside")
        with warm({level!r}) as executor:
            done = run(executor, folder, "import os; os.getuid()", "open('beside.txt', 'a').write('!')",
                       f"open({{str(folder.parent / 'secret')!r}})", "import socket; socket.socket()",
                       "while True: os.fork()", "1 + 1")
        print(json.dumps([value(done, 0), errors(done), value(done), (folder / "beside.txt").read_text()]))
    """
    (tmp_path / "secret").write_text("secret")
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = _as_ordinary_user([*command, str(tmp_path / "work")], tmp_path)
    user, problems, last, beside = json.loads(done.stdout.splitlines()[-1])
    assert user == (1000 if level == "full" else 54321)
    assert problems[:4] == ["", "", "FileNotFoundError" if level == "full" else "PermissionError", "OSError"]
    assert problems[4] in ("BlockingIOError", "KernelDied", "CellTimeoutError")
    assert (last, beside) == (2, "beside")


def _as_ordinary_user(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a made-up user, in a mount namespace that lets them reach Python and the package."""
    script = """
        set -e
        user=$1 folder=$2 prefix=$3; shift 3
        mkdir "$folder/python"; mount --bind "$prefix" "$folder/python"
        case "$prefix" in /root/*)  # which is root's alone
            mount -t tmpfs -o mode=755 none /root
            mkdir -p "$prefix"; mount --bind "$folder/python" "$prefix" ;;
        esac
        exec setpriv --reuid "$user" --regid "$user" --clear-groups --inh-caps=-all "$@"
    """
    work = folder / "work"
    work.mkdir()
    os.chown(work, 54321, 54321)
    work.chmod(0o755)
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(parent.stat().st_mode | 0o011)  # pytest's folders are the tester's alone
    environment = {"PATH": os.environ["PATH"], "HOME": str(work), "PYTHONPATH": ROOT, "OMP_NUM_THREADS": "1"}
    start = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
    done = subprocess.run(
        [*start, "54321", str(folder), sys.base_prefix, *command],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done
