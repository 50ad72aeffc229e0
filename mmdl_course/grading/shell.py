"""Run notebook cells in this process and collect their outputs as a kernel would send them."""

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

__all__ = ["NotebookShell", "make_shell"]

Output = dict[str, Any]


class _Results(DisplayHook):
    def write_output_prompt(self) -> None:
        """A notebook shows the prompt itself."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        result = {"execution_count": self.prompt_count, "data": format_dict, "metadata": md_dict or {}}
        self.shell.outputs.append({"output_type": "execute_result", **result})

    def finish_displayhook(self) -> None:
        self._is_active = False


class _Displays(DisplayPublisher):
    def publish(self, data: dict[str, Any], metadata: dict[str, Any] | None = None, **_: Any) -> None:
        self.shell.outputs.append({"output_type": "display_data", "data": data, "metadata": metadata or {}})

    def clear_output(self, wait: bool = False) -> None:  # noqa: ARG002 (IPython's signature)
        self.shell.outputs.clear()


class _Stream(io.TextIOBase):
    def __init__(self, name: str, outputs: list[Output]) -> None:
        self.name, self._outputs = name, outputs

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        last = self._outputs[-1] if self._outputs else {}
        if last.get("name") == self.name:
            last["text"] += text
        elif text:
            self._outputs.append({"output_type": "stream", "name": self.name, "text": text})
        return len(text)


class NotebookShell(InteractiveShell):
    """IPython's shell, with results, displays, tracebacks and streams kept in `outputs` in their order."""

    displayhook_class = Type(_Results)
    display_pub_class = Type(_Displays)

    def __init__(self, **kwargs: Any) -> None:
        self.outputs: list[Output] = []
        super().__init__(**kwargs)

    def run(self, source: str) -> list[Output]:
        """Run one cell.

        Args:
            source: its source; IPython's magics are allowed.

        Returns:
            nbformat outputs. What compiled code writes to file descriptor 2 counts as stderr, as in a kernel.
        """
        self.outputs = []
        with _streams(self.outputs), _descriptor(self.outputs):
            self.run_cell(source, store_history=True)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")  # a kernel's inline backend does so after each cell
        return self.outputs

    def _showtraceback(self, etype: type, evalue: Exception, stb: list[str]) -> None:
        # The name is IPython's: its way to put a traceback somewhere else than on the terminal.
        error = {
            "ename": getattr(etype, "__name__", str(etype)),
            "evalue": str(evalue),
            "traceback": list(stb),
        }
        self.outputs.append({"output_type": "error", **error})


def make_shell() -> NotebookShell:
    """The process's one shell, without history files, colours or an output cache."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0
    config.InteractiveShell.xmode = "Plain"
    return NotebookShell.instance(config=config)


@contextmanager
def _streams(outputs: list[Output]) -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Stream("stdout", outputs), _Stream("stderr", outputs)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def _descriptor(outputs: list[Output]) -> Iterator[None]:
    with tempfile.TemporaryFile() as file:
        before = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)
            file.seek(0)
            text = file.read().decode(errors="replace")
            if text:
                outputs.append({"output_type": "stream", "name": "stderr", "text": text})
