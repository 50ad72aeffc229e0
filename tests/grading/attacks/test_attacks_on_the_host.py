"""Hostile submissions against the machine and against each other: none gets out of its sandbox."""

import copy
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bench import REPOSITORY
from host import Host, running
from jupyter_client.manager import KernelManager
from on_the_host import ATTACKS, LIMITS_OF_WEAK, TOOLS, Attack
from traitlets.config import Config

sys.path.insert(0, str(REPOSITORY / "tests" / "grading"))  # this folder's neighbours

from kernel_cells import errors, family, held, linux, processes, run, warm

from mmdl_course.grading.executor import Execution
from mmdl_course.grading.kernels.warm_executor import WarmExecutor

pytestmark = linux

SHORT = {
    "timeout": 1,
    "iopub_timeout": 1,
    "max_stream_characters": 100_000,
    "max_display_characters": 1_000_000,
}
ENOUGH = {**SHORT, "timeout": 20, "iopub_timeout": 20}


# All that holds is tried; what is not the strongest takes its time with the slow tests.
LEVELS = [
    pytest.param(level, marks=[pytest.mark.exhaustive] if position else [])
    for position, level in enumerate(level for level in held if level != "none")
]


class Neighbour:
    """Another student's kernel, from the same server, that is to go on undisturbed."""

    def __init__(self, executor: WarmExecutor, work: Path) -> None:
        before = family(executor.server.pid or 0)
        self.manager = KernelManager()
        self.manager._kernel_spec = executor._kernel_spec()
        self.manager.start_kernel(cwd=str(work), env=dict(executor.environment))
        self.folder = self.manager.provisioner.run
        self.pid = max(family(executor.server.pid or 0) - before)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.secret = "secret-of-the-neighbour"
        self.ask(f"answer = 41; mine = {self.secret!r}; open('mine.txt', 'w').write(mine)")

    def ask(self, code: str) -> str:
        reply = self.client.execute(code, user_expressions={"it": "answer + 1"}, reply=True, timeout=60)
        return reply["content"]["user_expressions"]["it"]["data"]["text/plain"]

    def known(self) -> dict[str, Any]:
        return {
            "neighbour": self.pid,
            "neighbour_folder": self.folder,
            "neighbour_socket": f"{self.manager.ip}-{self.manager.shell_port}",
        }

    def end(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Walls:
    """One executor at one level, and a neighbour in it."""

    def __init__(self, executor: WarmExecutor, neighbour: Neighbour) -> None:
        self.executor, self.neighbour = executor, neighbour

    def attack(self, host: Host, attack: Attack) -> tuple[Execution, str]:
        """Run it; the notebook with all its text."""
        known = {**host.known(), **self.neighbour.known(), "server": self.executor.server.pid}
        start = "\n".join(f"{name} = {value!r}" for name, value in known.items()) + TOOLS
        runner = copy.copy(self.executor)
        runner.config = Config({"SteadfastExecute": SHORT if attack.stalls else ENOUGH})
        done = run(runner, host.work, start, attack.cell, "6 * 7")
        return done, "\n".join(str(output) for cell in done.notebook.cells for output in cell.outputs)


@pytest.fixture(scope="module", params=held)
def walls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walls]:
    with warm(request.param) as executor:
        neighbour = Neighbour(executor, tmp_path_factory.mktemp("neighbour"))
        yield Walls(executor, neighbour)
        neighbour.end()


def printed(execution: Execution, position: int = 1) -> str:
    outputs = execution.notebook.cells[position].outputs
    return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout")


def nothing_left(walls: Walls) -> bool:
    """Whether the server has no descendants but the neighbour and its keeper."""
    deadline = time.monotonic() + 5
    while len(family(walls.executor.server.pid or 0)) > 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    return len(family(walls.executor.server.pid or 0)) == 2


def complaints(walls: Walls, attack: Attack, folder: Path) -> list[str]:
    """Run an attack; what should have held and did not."""
    server = walls.executor.server.pid
    with running() as host:
        done, text = walls.attack(host, attack)
        found = [f"told: {name}" for name in host.told(text)] + host.harm()
        found += [f"left running: {pid}" for pid in processes(host.marker)]
    start, error, _ = errors(done)
    last = [output.data["text/plain"] for output in done.notebook.cells[-1].outputs if "data" in output]
    must = {
        "the neighbour's secret": walls.neighbour.secret not in text,
        "the neighbour's answer": walls.neighbour.ask("1") == "42",
        "the fork server": walls.executor.server.pid == server,
        "processes that are left": nothing_left(walls),
        "the cell before": not start,
        f"its error: {error}": (error or "-") in (attack.error.split() or ["-"]),
        f"what it printed: {printed(done)[:1000]}": re.search(attack.prints, printed(done)) is not None,
        f"the next cell, {done.flags}": last == ["42"] or (attack.fatal and done.flags),
        "a notebook that can be written": bool(nbformat.writes(done.notebook).encode()),
    }
    if attack.afterwards:
        later = printed(run(walls.executor, folder, attack.afterwards), 0)
        must["the next submission"] = later == "clean\n"
    return found + [what for what, holds in must.items() if not holds]


@pytest.mark.parametrize("walls", LEVELS, indirect=True)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_host_is_untouched(walls: Walls, attack: Attack, tmp_path: Path) -> None:
    if walls.executor.sandbox == "weak" and attack.name in LIMITS_OF_WEAK:
        pytest.skip("a known limit")
    assert complaints(walls, attack, tmp_path) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("walls", [level for level in held if level == "weak"], indirect=True)
@pytest.mark.parametrize("name", LIMITS_OF_WEAK)
def test_a_known_limit_of_weak_is_still_one(walls: Walls, name: str, tmp_path: Path) -> None:
    """When one of these is closed at last, the documentation must say so."""
    (attack,) = [attack for attack in ATTACKS if attack.name == name]
    try:
        assert complaints(walls, attack, tmp_path) != []
    finally:
        for path in Path("/dev/shm").glob("mmdl-*"):
            path.unlink()


@pytest.mark.parametrize("walls", ["none"], indirect=True)
@pytest.mark.parametrize("attack", [one for one in ATTACKS if one.works], ids=lambda attack: attack.name)
def test_without_a_sandbox_it_would_have_worked(walls: Walls, attack: Attack) -> None:
    """Else an attack that is refused proves nothing: it may only be badly written."""
    with running() as host:
        _, text = walls.attack(host, attack)
        assert host.told(text) or host.harm(), text[:2000]


def test_the_documentation_names_the_attacks_and_the_limits() -> None:
    text = (REPOSITORY / "docs" / "grading.md").read_text(encoding="utf-8")
    section = text[text.index("### What was tried against it") : text.index("## Where a mark comes from")]
    rows = [line.split("|")[1:4] for line in section.splitlines() if line.startswith("| ")][1:]
    assert {name.strip(): tries.strip() for name, tries, _ in rows} == {
        attack.name: attack.tries for attack in ATTACKS
    }
    assert [name.strip() for name, _, weak in rows if "open" in weak] == list(LIMITS_OF_WEAK)
