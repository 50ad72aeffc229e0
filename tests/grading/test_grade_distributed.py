"""Grading on a Dask cluster: a real scheduler and real workers, which are killed while they grade."""

import json
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import dask_cluster
import pytest
import tiny_class as tiny
from kernel_cells import KERNEL, cold, held, linux, run, value, warm
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from mmdl_course.course import CourseError
from mmdl_course.grading.cluster import executor as distributed
from mmdl_course.grading.cluster.executor import DaskExecutor
from mmdl_course.grading.cluster.parcels import pack, unpack
from mmdl_course.grading.cluster.slots import Slots, Worker
from mmdl_course.grading.cluster.worker import open_session, run_notebook
from mmdl_course.grading.crew import Crew
from mmdl_course.grading.grade import NEEDS_A_PERSON, grade_week
from mmdl_course.grading.gradebook import read_marks, register_assignment
from mmdl_course.grading.journal import open_journal
from mmdl_course.grading.kernels import sandbox, warm_executor

pytestmark = [
    linux,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning"),
]

KILLER = "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"  # a plain kernel's parent is the worker
# Says who runs it and waits for a file; the test then knows that it is running.
WAITING = """\
import os, pathlib, time
folder = pathlib.Path({folder!r})
(folder / f"{name}-{{os.getppid()}}-{{os.getpid()}}").touch()
while not (folder / "go").exists():
    time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dask_cluster.Cluster]:
    with dask_cluster.running(tmp_path_factory.mktemp("cluster")) as cluster:
        for _ in range(2):
            # Always at the same address: the scheduler takes the new process for the old one.
            with socket.socket() as some:
                some.bind(("127.0.0.1", 0))
                port = some.getsockname()[1]
            cluster.work("--nthreads", "2", "--worker-port", str(port))
        yield cluster


def executor(address: str, *, level: Any = "none", **options: Any) -> DaskExecutor:
    config = Config({"SteadfastExecute": {"timeout": 300}})
    return DaskExecutor(
        address, config, _log(), seed=7, sandbox=level, modules=KERNEL, patience=120.0, **options
    )


def _log() -> logging.Logger:
    log = logging.getLogger("mmdl.test.cluster")
    log.propagate = False
    return log


def at_once(work: Callable[[str], Any], sources: dict[str, str]) -> dict[str, Any]:
    """Run each source as a notebook in a thread of its own: name -> execution or exception."""
    with Crew(len(sources), lambda name: work(sources[name])) as crew:
        for name in sources:
            crew.submit(name)
        found: dict[str, Any] = {}
        while len(found) < len(sources):
            report = crew.reports.get(timeout=120)
            if report.what != "started":
                found[report.task] = report.error or report.result
    return found


def started(folder: Path, name: str) -> list[tuple[int, int]]:
    """(worker, kernel) of each time that WAITING has begun."""
    return [tuple(map(int, path.name.split("-")[1:])) for path in folder.glob(f"{name}-*-*")]  # type: ignore[misc]


@pytest.mark.skipif("full" not in held, reason=sandbox.support().explain() or "-")
def test_marks_are_those_of_this_machine(
    cluster: dask_cluster.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmdl_course.grading.report.report_week", lambda *_: None)
    initialise = DaskExecutor.__init__
    monkeypatch.setattr(
        DaskExecutor,
        "__init__",
        lambda self, *args, **options: initialise(self, *args, **{**options, "modules": KERNEL}),
    )
    marks, journals = {}, {}
    for where, scheduler in (("here", None), ("there", cluster.address)):
        course = tiny.make_course_of_two(tmp_path / where)
        release = register_assignment(course, course.weeks[0], scratch=tmp_path / where / "scratch").release
        reads = "def double(x):\n    return int(open('data/two.txt').read()) * x\n"
        tiny.hand_in(course, "ada", tiny.answered(release, double=reads))
        tiny.hand_in(course, "ada", "2", name="two.txt").parent.joinpath("data").mkdir()
        beside = course.root / "submitted" / "ada" / tiny.FOLDER
        (beside / "two.txt").rename(beside / "data" / "two.txt")
        tiny.hand_in(course, "bob", tiny.answered(release, double="def double(x):\n    return x\n"))
        tiny.hand_in(course, "dan", "not a notebook")
        status = grade_week(course, "week01", json_file=None, force=False, scheduler=scheduler)
        assert status == NEEDS_A_PERSON
        marks[where] = {name: mark.exercises for name, mark in read_marks(course, course.weeks[0]).items()}
        journals[where] = open_journal(course, course.weeks[0]).entries
    assert marks["there"] == marks["here"]
    assert marks["there"]["ada"] == {"double": 3, "triple": 3}
    for name, entry in journals["here"].items():
        other = journals["there"][name]
        assert (other.state, other.score, other.flags) == (entry.state, entry.score, entry.flags)
    provenance = journals["there"]["ada"].provenance
    assert provenance is not None
    assert provenance.executor == "Dask, warm kernels, sandbox: full"


def test_a_worker_killed_half_way_costs_nobody_anything(
    cluster: dask_cluster.Cluster, tmp_path: Path
) -> None:
    sources = {name: WAITING.format(folder=str(tmp_path), name=name) + "6 * 7" for name in ("a", "b", "c")}

    def work(source: str) -> Any:
        if source == "kill":
            dask_cluster.until(lambda: all(started(tmp_path, name) for name in "abc"), "they do not start")
            dask_cluster.kill(started(tmp_path, "a")[0][0])
            again = [lambda name=name: len(started(tmp_path, name)) > 1 for name in "abc"]
            dask_cluster.until(lambda: any(one() for one in again), "nothing is started elsewhere")
            (tmp_path / "go").touch()
            return None
        return run(there, tmp_path, source)

    with executor(cluster.address) as there:
        assert there.roster.threads == 4
        found = at_once(work, {**sources, "kill": "kill"})
    assert [value(found[name]) for name in sources] == [42, 42, 42]


def test_a_submission_that_kills_two_workers_is_given_up(
    cluster: dask_cluster.Cluster, tmp_path: Path
) -> None:
    with executor(cluster.address) as there:
        found = at_once(lambda source: run(there, tmp_path, source), {"a": "1", "killer": KILLER, "b": "2"})
    assert [value(found[name]) for name in "ab"] == [1, 2]
    assert isinstance(found["killer"], CourseError)
    assert "given up: 2 workers were lost while this submission ran" in str(found["killer"])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill", "ctrl-c"])
def test_a_grader_that_is_stopped_leaves_nothing_running(
    cluster: dask_cluster.Cluster, tmp_path: Path, how: signal.Signals
) -> None:
    script = tmp_path / "grader.py"
    script.write_text(
        f"import sys; sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]!r}\n"
        "import pathlib, test_grade_distributed as t\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        f"with t.executor({cluster.address!r}) as there:\n"
        "    t.run(there, folder, t.WAITING.format(folder=str(folder), name='x'))\n",
        encoding="utf-8",
    )
    grader = subprocess.Popen([sys.executable, str(script)], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        dask_cluster.until(lambda: started(tmp_path, "x"), "it does not start")
        ((worker, kernel),) = started(tmp_path, "x")
        assert dask_cluster.alive(kernel)
        grader.send_signal(how)
        grader.wait(timeout=60)
    finally:
        grader.kill()
        grader.wait()
    dask_cluster.until(lambda: not dask_cluster.alive(kernel), "it runs on")
    assert dask_cluster.alive(worker)


def test_other_versions_or_models_are_refused(
    cluster: dask_cluster.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {**distributed.present_versions(), "torch": "1.0"}
    monkeypatch.setattr(distributed, "present_versions", lambda: versions)
    with pytest.raises(CourseError, match=r"none of its workers.*tcp://.*torch is 2\S+ here and 1\.0 where"):
        executor(cluster.address).__enter__()
    monkeypatch.undo()
    monkeypatch.setattr(distributed, "ready_models", lambda: ["no-such-model"])
    with pytest.raises(CourseError, match=r"Run there: mmdl fetch no-such-model"):
        executor(cluster.address).__enter__()


def test_a_worker_never_grades_in_a_weaker_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    weaker = sandbox.Support("weak", {"full": "this is a test"})
    monkeypatch.setattr(warm_executor, "support", lambda: weaker)
    answer = json.loads(open_session(executor("tcp://nowhere:1", level="full")._settings))
    assert set(answer) == {"refused"}
    assert "this is a test" in answer["refused"]


def test_the_scheduler_does_not_load_heavy_libraries() -> None:
    code = "import sys, mmdl_course.grading.cluster.worker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "nbgrader", "nbformat", "distributed"} & {*done.stdout.split()}


def test_a_session_of_another_process_is_a_lost_worker() -> None:
    assert json.loads(run_notebook("of-another-process", b"")) == {"lost": True}


def test_no_worker_then_a_scheduler_that_allows_no_failure_then_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with dask_cluster.running(tmp_path / "cluster", scheduler__allowed_failures="0") as cluster:
        alone = executor(cluster.address)
        alone.patience = 0.2
        with pytest.raises(CourseError, match=r"no worker was ready for 0\.2 s\. Start some"):
            alone.__enter__()
        assert "Waiting up to" in capsys.readouterr().err
        cluster.work("--nthreads", "1")

        def work(source: str) -> Any:
            if source == "kill":
                dask_cluster.until(lambda: started(tmp_path, "x"), "neither starts")
                cluster.scheduler.kill()
                return None
            return run(there, tmp_path, source)

        with executor(cluster.address) as there:
            once = f"import pathlib\nif not list(pathlib.Path({str(tmp_path)!r}).glob('once')):\n"
            once += f"    pathlib.Path({str(tmp_path / 'once')!r}).touch()\n    {KILLER}\n6 * 7"
            assert value(run(there, tmp_path, once)) == 42
            source = WAITING.format(folder=str(tmp_path), name="x")
            found = at_once(work, {"running": source, "waiting": source, "kill": "kill"})
            for name in ("running", "waiting"):
                assert "is lost. Start it again and grade again" in str(found[name])


def test_an_address_where_no_scheduler_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "CONNECT", 0.5)
    for address in (
        "tcp://127.0.0.1:1",
        "127.0.0.1",
        "nonsense://127.0.0.1:1",
        "tcp://no.such.host.invalid:1",
    ):
        with pytest.raises(CourseError, match=r"no Dask scheduler answers there .*Start one"):
            executor(address).__enter__()


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CourseError, match=r"pip install .*\[cluster\]"):
        executor("tcp://127.0.0.1:1")


def test_a_configuration_that_cannot_travel_is_named() -> None:
    config = Config({"SteadfastExecute": {"on_cell_start": print}})
    with pytest.raises(CourseError, match=r"jupyter_config\.py: SteadfastExecute"):
        DaskExecutor("tcp://127.0.0.1:1", config, _log(), seed=1)


def test_a_parcel_brings_the_notebook_and_what_is_beside_it(tmp_path: Path) -> None:
    work, there = tmp_path / "work", tmp_path / "there"
    (work / "data").mkdir(parents=True)
    there.mkdir()
    (work / "data" / "x.bin").write_bytes(bytes(range(256)))
    (work / "old.ipynb").write_text("{}", encoding="utf-8")
    (work / "passwd").symlink_to("/etc/passwd")
    notebook, folder = unpack(pack(new_notebook(cells=[new_code_cell("'\ud800'")]), work), there)
    assert notebook.cells[0].source == "'\ud800'"
    files = [path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()]
    assert files == [Path("data", "x.bin")]
    assert (folder / "data" / "x.bin").read_bytes() == bytes(range(256))


def test_who_has_lost_a_worker_runs_alone() -> None:
    slots, one, two = Slots(), Worker("one", "1", 2), Worker("two", "2", 1)
    slots.join(one)
    assert [slots.take(alone=False), slots.take(alone=False)] == [one, one]
    slots.join(two)
    assert slots.take(alone=True) is two
    with Crew(1, lambda alone: slots.take(alone=alone)) as crew:
        crew.submit(True)
        assert crew.reports.get(timeout=10).what == "started"
        slots.free(one)
        assert crew.reports.empty()
        slots.free(one)
        assert crew.reports.get(timeout=10).result is one
        crew.submit(False)
        assert crew.reports.get(timeout=10).what == "started"
        slots.leave(two)
        slots.free(one)
        assert crew.reports.get(timeout=10).result is one
    slots.end("the end")
    with pytest.raises(CourseError, match="the end"):
        slots.take(alone=False)


@pytest.mark.parametrize("level", ["none", "full"])
def test_what_is_stopped_ends_at_once(tmp_path: Path, level: str) -> None:
    here = cold() if level == "none" else warm(level)

    def work(source: str) -> Any:
        if source == "stop":
            dask_cluster.until(lambda: here.runners._running, "it does not start")
            here.runners.stop()
            return None
        return run(here, tmp_path, source)

    with nullcontext() if level == "none" else here:
        found = at_once(work, {"x": "while True: pass", "stop": "stop"})
        assert "grading was stopped" in str(found["x"])
        with pytest.raises(CourseError, match="grading was stopped"):
            run(here, tmp_path, "1")
