"""Run one notebook in a kernel of its own, and survive it.

An executor knows nothing of gradebooks: it gets a notebook that is ready to run and gives it back with
outputs. Whatever a cell does, it costs that cell only: a dead or stuck kernel is replaced and the later cells
still run.
"""

import asyncio
import math
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader.preprocessors import Execute
from traitlets import Dict, Float, Integer
from traitlets.config import Config

from mmdl_course.course import CourseError
from mmdl_course.grading.messages import WaryClient, WarySession
from mmdl_course.grading.scores import append_error, is_check
from mmdl_course.grading.tripwires import ASK, SEALED, Guard

__all__ = ["Execution", "Executor", "LocalExecutor", "Runners"]

ANSWER = 60  # seconds in which a kernel tells what its functions are; loading torch is among them
STOPPED = "grading was stopped while this notebook ran"
SLOW_CHECK = 15  # seconds; checks stop endless loops themselves, and the instructor should know

# Messages that say something about a cell.
_TAKEN = frozenset(
    {
        *("clear_output", "comm_close", "comm_msg", "comm_open", "display_data", "error", "execute_input"),
        *("execute_result", "status", "stream", "update_display_data"),
    }
)


@dataclass(frozen=True)
class Execution:
    """An executed notebook."""

    notebook: NotebookNode
    flags: tuple[str, ...] = ()  # timeouts, dead kernels, floods: in words
    seconds: float = 0.0


class Executor(Protocol):
    """Runs a notebook. Implementations share no state between calls and do not touch the gradebook."""

    def execute(self, notebook: NotebookNode, resources: dict[str, Any]) -> Execution:
        """Run every code cell.

        Args:
            notebook: ready to run; may be changed in place.
            resources: nbconvert's; ["metadata"]["path"] is the kernel's working folder.

        Returns:
            The notebook with outputs. Trouble that a cell makes is an error in that cell and a flag.
        """
        ...


class Runners:
    """The notebooks that an executor is running, so that another thread can end them."""

    def __init__(self) -> None:
        self._running: set[SteadfastExecute] = set()
        self._lock = threading.Lock()
        self._stopped = False

    @contextmanager
    def running(self, runner: "SteadfastExecute") -> Iterator[None]:
        """Know of a notebook while it runs.

        Args:
            runner: what runs it.

        Raises:
            CourseError: everything was stopped, before or meanwhile.
        """
        with self._lock:
            if self._stopped:
                raise CourseError(STOPPED)
            self._running.add(runner)
        try:
            yield
        except Exception as error:
            if self._stopped:  # whatever a killed kernel looks like at that point
                raise CourseError(STOPPED) from error
            raise
        finally:
            with self._lock:
                self._running.discard(runner)

    def stop(self) -> None:
        """Kill the kernels and wait until their notebooks have ended; no other is started."""
        with self._lock:
            self._stopped = True
        while True:
            with self._lock:
                left = list(self._running)
            if not left:
                return
            for runner in left:
                runner.stop()  # again and again: a kernel may just have been starting
            time.sleep(0.1)


@dataclass(frozen=True)
class LocalExecutor:
    """One fresh kernel on this machine per notebook, not isolated."""

    config: Config
    log: Any
    environment: dict[str, str]
    runners: Runners = field(default_factory=Runners)

    def execute(self, notebook: NotebookNode, resources: dict[str, Any]) -> Execution:
        """Run every code cell; see `Executor`."""
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="mmdl-kernel-", ignore_cleanup_errors=True) as profile:
            # The grader's own IPython profile and its start-up files have no part in a mark.
            environment = {**self.environment, "IPYTHONDIR": profile}
            runner = SteadfastExecute(config=self.config, log=self.log, environment=environment)
            with self.runners.running(runner):
                notebook, _ = runner.preprocess(notebook, resources)
        return Execution(notebook, tuple(dict.fromkeys(runner.flags)), time.monotonic() - start)


class SteadfastExecute(Execute):
    """An Execute that goes on after a dead kernel, a cell that cannot be stopped, a flood of output."""

    environment = Dict(help="the kernel's environment variables")
    notebook_timeout = Float(900, help="seconds for all cells together").tag(config=True)
    max_stream_characters = Integer(1_000_000, help="printed text a cell may make").tag(config=True)
    max_display_characters = Integer(20_000_000, help="shown data a cell may make").tag(config=True)
    iopub_timeout = Integer(30, help="seconds for messages that are still on their way").tag(config=True)
    max_restarts = Integer(5, help="kernels to replace in one notebook").tag(config=True)
    client_factory = WaryClient  # what talks to the kernel

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.flags: list[str] = []
        self._stopped = False

    def stop(self) -> None:
        """End the run from another thread: the kernel is killed and not replaced."""
        self._stopped = True
        provisioner = getattr(self.km, "provisioner", None)
        if provisioner is not None and provisioner.has_process:
            with suppress(OSError):
                asyncio.run(provisioner.kill())

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run every code cell of `nb`; see nbconvert's ExecutePreprocessor."""
        self.flags = []
        self._deadline = math.inf  # until the guard is in the kernel
        self._over = ""  # why no further cell runs
        self._restarts = 0
        self._harmful: set[int] = set()  # cells that are not run a second time
        self._written: dict[tuple[int, str], int] = {}  # (cell, kind of output) -> characters so far
        self._flooded: set[int] = set()
        self._guard = Guard(nb)
        self.timeout_func = self._seconds
        self.shutdown_kernel = "immediate"  # nothing is lost: the notebook has the outputs
        self.store_widget_state = False
        self.skip_cells_with_tag = ""  # every cell runs, whatever its tags
        return super().preprocess(nb, resources, km)

    def create_kernel_manager(self) -> Any:
        """A manager whose client takes nothing on trust."""
        self.km = super().create_kernel_manager()
        self._wary()
        return self.km

    def setup_kernel(self, **kwargs: Any) -> Any:
        """Start the kernel in the grading environment, not in the grader's."""
        return super().setup_kernel(**self._start, **kwargs)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run one cell. Whatever happens, the cell ends with an output that says so."""
        if cell.cell_type != "code" or not cell.source.strip():
            return cell, resources
        if not self._over and time.monotonic() > self._deadline:
            self._stop(f"the notebook ran longer than {self.notebook_timeout:g} s")
        if self._over:
            cell.outputs = []
            append_error(cell, "NotRun", f"not run: {self._over}")
            return cell, resources
        start = time.monotonic()
        guarded = is_check(cell)
        session = self.kc.session  # of the kernel that runs this cell
        try:
            if self._deadline == math.inf:
                self._arm(index)
            if guarded:
                self._check_assign_resources(resources)
                self._ask(self._guard.before(cell), index)
                self.execute_cell(cell, index, store_history=False)  # its text is nobody's In[…]
                self._ask(self._guard.after(cell), index)
            else:
                super().preprocess_cell(cell, resources, index)
            if any(output.get("ename") == "CellTimeoutError" for output in cell.outputs):
                self.flags.append(f"time limit: {self._name(cell, index)} was interrupted")
                self._harmful.add(index)
            elif guarded and time.monotonic() - start > SLOW_CHECK:
                self.flags.append(f"slow: {self._name(cell, index)} took {time.monotonic() - start:.0f} s")
        except DeadKernelError:
            append_error(cell, "KernelDied", "the kernel died in this cell (crash, exit or out of memory)")
            self.flags.append(f"kernel died in {self._name(cell, index)}")
            self._replace_kernel(index)
        except CellTimeoutError:
            append_error(cell, "CellTimeoutError", "the cell ran too long and could not be interrupted")
            self.flags.append(f"time limit: {self._name(cell, index)} had to be killed")
            self._replace_kernel(index)
        if session.dropped:
            session.dropped = 0
            self._harmful.add(index)
            append_error(cell, "BadMessage", "the kernel sent something that is no message of Jupyter's")
            self.flags.append(f"messages that are none, in {self._name(cell, index)}")
        if index in self._flooded:
            self._harmful.add(index)
            append_error(cell, "TooMuchOutput", "the cell was stopped because it wrote too much")
            self.flags.append(f"output flood in {self._name(cell, index)}")
        if guarded:
            self.flags += self._guard.settle(cell)
            self.clear_display_id_mapping(index)  # no later message changes what was settled
        return cell, resources

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """Take a message from the kernel. What is sealed is for the guard and no output."""
        if msg["msg_type"] not in _TAKEN:
            return None
        if msg["msg_type"].startswith("comm") and self._too_much(msg["content"], cell_index, "display"):
            return None
        data = msg["content"].get("data")
        if isinstance(data, dict) and SEALED in data:
            self._guard.take(data[SEALED])
            return None
        return super().process_message(msg, cell, cell_index)

    def output(self, outs: list[NotebookNode], msg: dict[str, Any], display_id: Any, cell_index: int) -> Any:
        """Take an output, up to the limit. Errors are never dropped: a lost error would read as a pass."""
        kind, content = msg["msg_type"], msg["content"]
        if kind == "error":
            return super().output(outs, msg, display_id, cell_index)
        if self._too_much(content, cell_index, "stream" if kind == "stream" else "display"):
            return None
        return super().output(outs, msg, display_id, cell_index)

    def _too_much(self, content: dict[str, Any], cell_index: int, stream: str) -> bool:
        """Whether a cell has written more than it may, with this; it is stopped when it has."""
        size = len(content.get("text", ""))
        size += sum(len(v) if isinstance(v, str) else len(repr(v)) for v in content.get("data", {}).values())
        written = self._written.get((cell_index, stream), 0) + size
        self._written[cell_index, stream] = written
        limit = self.max_stream_characters if stream == "stream" else self.max_display_characters
        if written <= limit:
            return False
        if cell_index not in self._flooded:
            self._flooded.add(cell_index)
            self._interruption = asyncio.ensure_future(self.km.interrupt_kernel())
        return True

    def _wary(self) -> None:
        assert self.km is not None
        self.km.session = WarySession(parent=self.km)  # the client gets a copy
        self.km.client_factory = self.client_factory

    @property
    def _start(self) -> dict[str, Any]:
        # What the kernel's process itself says on stderr is not an output of a cell.
        return {"env": dict(self.environment), "stderr": subprocess.DEVNULL}

    def _arm(self, index: int) -> None:
        """Put the guard into a new kernel. Only then the time runs: loading torch is not the student's."""
        self._ask(self._guard.arm(), index)
        self._deadline = min(self._deadline, time.monotonic() + self.notebook_timeout)

    def _ask(self, request: dict[str, Any], index: int) -> None:
        """Send the guard's request; its answer comes through process_message."""
        cell = self.nb.cells[index]
        self.kc.session.metadata = request
        try:
            self.execute_cell(new_code_cell(ASK, metadata={"guard": True}), index, store_history=False)
        finally:
            self.kc.session.metadata = {}
            self.nb.cells[index] = cell  # nbclient puts what it runs into the notebook

    def _seconds(self, cell: NotebookNode) -> int:
        if cell.metadata.get("guard") is True:
            return ANSWER
        # Rounded up: a cell that is stopped at the deadline leaves no time in which the next could start.
        left = self._deadline - time.monotonic()
        return max(1, math.ceil(min(left, self.timeout if self.timeout and self.timeout > 0 else left)))

    def _name(self, cell: NotebookNode, index: int) -> str:
        return cell.metadata.get("nbgrader", {}).get("grade_id") or f"cell {index + 1}"

    def _stop(self, why: str) -> None:
        self._over = why
        self.flags.append(f"{why}: later cells did not run")

    def _replace_kernel(self, index: int) -> None:
        """Start again without the harmful cell: rebuild the state that the cells before it had made."""
        if self._stopped:
            raise CourseError(STOPPED)
        self._harmful.add(index)
        if self._restarts >= self.max_restarts:
            self._stop(f"{self.max_restarts + 1} kernels were lost")
            return
        self._restarts += 1
        self._cleanup_kernel()
        self.km = self.create_kernel_manager()
        self.start_new_kernel(**self._start)
        self.start_new_kernel_client()
        self._arm(index)
        for position, cell in enumerate(self.nb.cells[:index]):
            # Check cells have their results and leave nothing that a later cell needs.
            if cell.cell_type != "code" or position in self._harmful or is_check(cell):
                continue
            if time.monotonic() > self._deadline:
                return  # the next cell will say so
            try:
                self.execute_cell(NotebookNode({**cell, "outputs": []}), position, store_history=True)
            except (DeadKernelError, CellTimeoutError):
                self._stop(f"{self._name(cell, position)} did not run a second time")
                return
            finally:
                self.nb.cells[position] = cell  # the outputs of the first run stay
