"""JupyterLab as a person uses it: find what is on the screen, click, type, wait for the kernel.

What is looked for has a role, a name or a text, or one of JupyterLab's own class names. Nothing sleeps for a
fixed time: every step waits for what it needs to see.
"""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install -e '.[dev]'")
from playwright.sync_api import FrameLocator, Locator, Page, expect

# Generous: a machine may be busy, and a kernel that imports torch for the first time is slow.
SECONDS = 1000  # milliseconds, which Playwright counts in
START = 90 * SECONDS
RUN = 300 * SECONDS

WIDGET = "application/vnd.jupyter.widget-view+json"
# What JupyterLab's widget manager says in the place of a widget that it cannot show.
BROKEN_WIDGET = re.compile(
    "Loading widget|Error displaying widget|Error creating widget|Failed to load model"
)


class Lab:
    """One browser tab with JupyterLab in it."""

    def __init__(self, page: Page, address: str, root: Path, token: str) -> None:
        """Let the tab in.

        Args:
            page: the tab.
            address: the server's, without a slash at the end.
            root: the server's root folder on this machine.
            token: the server's.
        """
        self.page = page
        self.address = address
        self.root = root
        self.page.goto(f"{address}/login?next=/api/status&token={token}")

    def home(self) -> None:
        """Open what JupyterLab opens by itself."""
        self.page.goto(f"{self.address}/")
        self._wait_until_there()
        document = self.page.locator("#jp-main-dock-panel .jp-Document").filter(visible=True)
        expect(document).to_have_count(1, timeout=START)  # from now on it takes no click's focus away

    def notebook(self, path: str) -> "Notebook":
        """Open a notebook in a workspace of its own, and wait for its kernel.

        Args:
            path: of the notebook, from the server's root.
        """
        self.page.goto(f"{self.address}/lab/tree/{path}?reset")
        self._wait_until_there()
        return Notebook(self, path)

    def go_on_after_errors(self, path: str) -> None:
        """Mark every cell of a notebook so that Run All Cells does not stop at the first error.

        Args:
            path: of the notebook, from the server's root.
        """
        file = self.root / path
        notebook = json.loads(file.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["metadata"].setdefault("tags", []).append("raises-exception")
        file.write_text(json.dumps(notebook), encoding="utf-8")

    def menu(self, *names: str) -> None:
        """Click through the menu bar.

        Args:
            names: the menu, its entry, the entry's entry …
        """
        for name in names:
            entry = self.page.get_by_role("menuitem", name=re.compile(rf"^{re.escape(name)}"))
            entry.filter(visible=True).first.click()

    def formgrader(self) -> FrameLocator:
        """Menu Nbgrader, Formgrader: the page in the tab that it opens."""
        self.menu("Nbgrader", "Formgrader")
        return self.page.frame_locator("#jp-main-dock-panel iframe")

    def stop_kernels(self) -> None:
        """Leave the machine to the next test."""
        for session in self.page.request.get(f"{self.address}/api/sessions").json():
            cookies = {cookie["name"]: cookie["value"] for cookie in self.page.context.cookies()}
            self.page.request.delete(
                f"{self.address}/api/sessions/{session['id']}", headers={"X-XSRFToken": cookies["_xsrf"]}
            )

    def _wait_until_there(self) -> None:
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0, timeout=START)
        expect(self.page.locator("#jp-top-panel")).to_be_visible(timeout=START)


class Notebook:
    """An open notebook."""

    def __init__(self, lab: Lab, path: str) -> None:
        """Wait until the notebook is shown and its kernel answers.

        Args:
            lab: the tab.
            path: of the notebook, from the server's root.
        """
        self.lab = lab
        self.file = lab.root / path
        self.panel = lab.page.locator(".jp-NotebookPanel").filter(visible=True)
        self.kernel = self.panel.locator(".jp-Notebook-ExecutionIndicator")
        self.cells = self.panel.locator(".jp-Notebook .jp-Cell")
        expect(self.cells.first).to_be_visible(timeout=START)
        expect(self.cells).to_have_count(len(self.read()["cells"]), timeout=START)
        self._wait_until_idle(START)

    def read(self) -> dict[str, Any]:
        """The notebook as it is on the disk; while it is being written, it is none."""
        for _ in range(100):
            with suppress(json.JSONDecodeError):
                return json.loads(self.file.read_text(encoding="utf-8"))
            self.lab.page.wait_for_timeout(100)
        raise AssertionError(f"{self.file} is no notebook")

    def place(self, name: str) -> int:
        """Where the cell with this grade_id is: an exercise's id, or for its check `<id>-check`."""
        names = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in self.read()["cells"]]
        return names.index(name)

    def cell(self, name: str) -> Locator:
        """The cell with this grade_id."""
        return self.cells.nth(self.place(name))

    def cell_with(self, text: str) -> Locator:
        """The first cell with this in its source."""
        sources = ["".join(cell["source"]) for cell in self.read()["cells"]]
        return self.cells.nth(next(place for place, source in enumerate(sources) if text in source))

    def code(self, place: int) -> Locator:
        """A code cell, counted without the texts."""
        return self.panel.locator(".jp-Notebook .jp-CodeCell").nth(place)

    def run_all(self) -> None:
        """Menu Run, Run All Cells; wait for the end."""
        self.lab.menu("Run", "Run All Cells")
        self._wait_until_run()

    def run(self, cell: Locator) -> None:
        """Select a cell and run it with Shift+Enter."""
        self._select(cell)
        self.lab.page.keyboard.press("Shift+Enter")
        self._wait_until_run()

    def replace_line(self, cell: Locator, old: str, new: str) -> None:
        """Select a line with the mouse and the keyboard, and type another one over it."""
        line = cell.locator(".cm-line", has_text=old)
        line.click()
        keyboard = self.lab.page.keyboard
        keyboard.press("End")
        keyboard.press("Shift+Home")
        keyboard.type(new)
        expect(cell.locator(".cm-line", has_text=old)).to_have_count(0)

    def tab_to(self, target: Locator, *, presses: int = 10) -> None:
        """Press Tab until an element has the focus.

        Args:
            target: the element.
            presses: how many are too many.
        """
        for _ in range(presses):
            self.lab.page.keyboard.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"not reached by {presses} presses of Tab")

    def save(self) -> None:
        """Ctrl+S, until the tab has no mark of unsaved work."""
        self.lab.page.keyboard.press("Control+s")
        expect(self.lab.page.locator(".jp-mod-dirty")).to_have_count(0)

    def outputs(self, kind: str) -> list[dict[str, Any]]:
        """All outputs of a kind, from the saved notebook: JupyterLab draws what is out of sight late.

        Args:
            kind: "error", "stream", "display_data" or "execute_result".
        """
        self.save()
        cells = [cell for cell in self.read()["cells"] if cell["cell_type"] == "code"]
        return [output for cell in cells for output in cell["outputs"] if output["output_type"] == kind]

    def errors(self) -> list[str]:
        """The names of the exceptions that the cells ended with."""
        return [output["ename"] for output in self.outputs("error")]

    def warnings(self) -> list[str]:
        """Everything that went to stderr."""
        return ["".join(output["text"]) for output in self.outputs("stream") if output["name"] == "stderr"]

    def widgets(self) -> list[Locator]:
        """Every cell with a widget, scrolled to and seen to show it."""
        self.save()
        shown = []
        for place, cell in enumerate(self.read()["cells"]):
            if any(WIDGET in output.get("data", {}) for output in cell.get("outputs", [])):
                found = self.cells.nth(place)
                found.scroll_into_view_if_needed()
                expect(found.locator(".jupyter-widgets").first).to_be_visible(timeout=START)
                expect(found.get_by_text(BROKEN_WIDGET)).to_have_count(0)
                shown.append(found)
        return shown

    def validate(self) -> Locator:
        """nbgrader's button Validate; the dialog with what it found."""
        self.panel.get_by_role("button", name="Validate").click()
        dialog = self.lab.page.get_by_role("dialog")
        expect(dialog).to_be_visible(timeout=RUN)
        return dialog

    def _select(self, cell: Locator) -> None:
        cell.click(position={"x": 3, "y": 3})  # its edge: there is always one, even if the input is hidden

    def _wait_until_run(self) -> None:
        # A cell that waits or runs has a star for a number.
        expect(self.panel.locator(".jp-InputPrompt", has_text="[*]")).to_have_count(0, timeout=RUN)
        self._wait_until_idle(RUN)

    def _wait_until_idle(self, timeout: int) -> None:
        expect(self.kernel).to_have_attribute("data-status", "idle", timeout=timeout)
