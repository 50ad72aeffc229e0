"""Marks that student code cannot quietly make: sealed results, and a look at what has been changed.

A check cell runs in the student's own interpreter. The grader asks the kernel, before and after each check
cell, what its critical functions and hooks are (sentinel.py travels with the question), and compares that
with the answer from before any student code ran, which only the grader has. While the cell runs, the checks
tell each decision at once, sealed with a key that the kernel drew for this cell and that changes with each
message. Only what comes sealed counts; the mark, the table and the outputs are made from it here.

Suspicions are flags for a person. A grave one (something that can raise a mark) also withholds the cell's
points until a person has decided. What remains forgeable is said in docs/grading.md.
"""

import ast
import base64
import hashlib
import json
import marshal
import re
import secrets
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdl_course.checks.render import Report, as_html, as_json, as_text
from mmdl_course.checks.results import MIME, Result
from mmdl_course.grading import sentinel
from mmdl_course.grading.critical import CRITICAL
from mmdl_course.grading.python_cells import parse_cell
from mmdl_course.grading.scores import EXECUTOR_ERRORS, append_error
from mmdl_course.grading.suspicions import WITHHELD

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["ASK", "SEALED", "Guard", "Promise", "promise"]

SEALED = sentinel.MIME
METADATA = "mmdl-sentinel"
ASK = (
    f"(lambda request: exec(__import__('marshal').loads(__import__('zlib').decompress(__import__('binascii')"
    f".a2b_base64(request.pop('code')))), {{'__name__': {METADATA!r}, 'request': request}}))"
    f"(get_ipython().kernel.get_parent()['metadata'].pop({METADATA!r}))"
)

_KEYS = 1_000  # requests to one kernel
# Loaded before student code when the notebook names the first.
_LIBRARIES = {
    "torch": ("torch", "torch.testing", "torch.nn.functional"),
    "numpy": ("numpy", "numpy.linalg", "numpy.random", "numpy.testing"),
}
_CHECKS = (
    "blame",
    "capture",
    "check",
    "claims",
    "compare",
    "describe",
    "draws",
    "exercise",
    "limits",
    "marks",
    "messages",
    "plain",
    "progress",
    "properties",
    "recorder",
    "render",
    "results",
    "witness",
)
# Compiled, as a kernel would need 9 ms for it. The kernel runs the same Python: one of another version would
# not answer, and every check would say so.
_TEXT = Path(sentinel.__file__).read_text(encoding="utf-8") + "\nmain(request)\n"
_CODE = base64.b64encode(
    zlib.compress(marshal.dumps(compile(_TEXT, "<mmdl-sentinel>", "exec", optimize=2)))
).decode()
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_MOST = 8  # suspicions told of one cell


@dataclass(frozen=True)
class Promise:
    """What a check cell's text says will be reported."""

    exercise: str
    points: float
    checks: dict[str, float]  # name -> points, in order
    names: tuple[str, ...]  # global names it reads


@dataclass
class _Seen:
    """What came from the kernel about one check cell."""

    results: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, Any] | None = None
    number: int = 0
    begun: str = ""
    answered: set[str] = field(default_factory=set)
    grave: dict[str, None] = field(default_factory=dict)
    slight: dict[str, None] = field(default_factory=dict)


class Guard:
    """Watches one kernel. It makes requests, takes the sealed answers, and settles check cells.

    A request is metadata for a message that executes ASK: a message's code is kept in many places (history,
    linecache, the shell's last result), its metadata in one, from where the sentinel takes them away.
    """

    def __init__(self, notebook: "NotebookNode") -> None:
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        named = [name for name in _LIBRARIES if name in text]
        if named == ["torch"]:
            named.append("numpy")  # torch loads it
        self.modules = [module for name in named for module in _LIBRARIES[name]]
        if "mmdl_course" in text:
            self.modules += ["mmdl_course.checks", *(f"mmdl_course.checks.{name}" for name in _CHECKS)]
        self._functions: dict[str, tuple[int, str]] = {}  # label -> fingerprint, what it is
        self._known: dict[str, int] = {}  # module -> hash of its functions, when all was well
        self._closed: set[str] = set()
        self._usual: set[str] = set()
        self._seen = _Seen()
        self._tokens: dict[str, bytes] = {}
        self._key = b""
        self._locks: list[bytes] = []

    # requests -----------------------------------------------------------------------------------------

    def arm(self) -> dict[str, Any]:
        """The first request to a kernel, before any student code."""
        keys = [secrets.token_bytes(32)]
        for _ in range(_KEYS):
            keys.append(hashlib.blake2b(keys[-1], digest_size=32).digest())
        lock = keys.pop()
        self._locks = keys
        self._functions, self._known, self._tokens, self._key = {}, {}, {}, b""
        return self._request("arm", modules=self.modules, lock=lock.hex())

    def before(self, cell: "NotebookNode") -> dict[str, Any]:
        """The request before a check cell."""
        self._seen, self._tokens, self._key = _Seen(), {}, b""
        wanted = promise(cell.source)
        return self._request("before", names=wanted.names if wanted else (), known=self._known)

    def after(self, cell: "NotebookNode") -> dict[str, Any]:
        """The request after a check cell."""
        wanted = promise(cell.source)
        return self._request("after", names=wanted.names if wanted else (), known=self._known)

    # answers ------------------------------------------------------------------------------------------

    def take(self, message: Any) -> None:
        """Take a message that says it is sealed. One that is not is kept as a suspicion."""
        try:
            kind, text, seal = message["kind"], message["body"], message["seal"]
            key = self._tokens.pop(kind, b"") if kind in ("arm", "before", "after") else self._key
            wanted = hashlib.blake2b(f"{kind}\n{text}".encode(), key=key, digest_size=32).hexdigest()
            if not key or not secrets.compare_digest(wanted, seal):
                raise ValueError(kind)
            body = json.loads(text)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._grave("a message to the grader was not sealed by the checks")
            return
        if kind in ("arm", "before", "after"):
            self._look(kind, body)
        else:
            self._key = hashlib.blake2b(self._key, digest_size=32, person=b"mmdl next").digest()
            self._hear(kind, body)

    def settle(self, cell: "NotebookNode") -> list[str]:
        """Make the check cell's outputs from what came sealed.

        Args:
            cell: the check cell as it was executed; its outputs are changed in place.

        Returns:
            Flags, in words.
        """
        name = cell.metadata.nbgrader.get("grade_id")
        wanted = promise(cell.source)
        seen = self._seen
        if wanted is None:  # not a check cell of this course: settled by its outputs
            return [f"{name}: {text}" for text in [*seen.grave, *seen.slight]]
        shown = [o.data[MIME] for o in cell.outputs if MIME in o.get("data", {})]
        values = [o.data.get("text/plain") for o in cell.outputs if o.output_type == "execute_result"]
        cell.outputs = [
            output
            for output in cell.outputs
            if output.output_type != "execute_result" and MIME not in output.get("data", {})
        ]
        errors = {output.ename for output in cell.outputs if output.output_type == "error"}
        lost = errors & EXECUTOR_ERRORS
        if not lost:
            self._missing(errors)
        report = self._report(wanted)
        if report is not None and not errors:
            self._displays(shown, values, report)
        elif values and not lost:
            self._slight("it showed a score and did not come to its end: not counted")
        if report is not None:
            _show(cell, report)
        flags = [f"{name}: {text}" for text in [*list(seen.grave)[:_MOST], *list(seen.slight)[:_MOST]]]
        if seen.grave:
            said = f"its checks say {report.earned:g} of {report.points:g}" if report else "it has no report"
            flags.insert(0, f"{name}: {WITHHELD}, {said}; a person decides")
            # What student code wrote may hold what it has read.
            cell.outputs = [output for output in cell.outputs if MIME in output.get("data", {})]
            append_error(
                cell, "Withheld", "these points are withheld until a person has looked at the submission"
            )
        elif report is not None and not errors:
            _value(cell, report.earned)
        elif not errors:
            append_error(cell, "NoScore", "the check ended without its report")
        return flags

    # within -------------------------------------------------------------------------------------------

    def _request(self, kind: str, **more: Any) -> dict[str, Any]:
        token = secrets.token_bytes(32)
        self._tokens[kind] = token
        request = {
            "do": kind,
            "token": token.hex(),
            "key": self._locks.pop().hex(),
            "critical": CRITICAL,
            **more,
        }
        return {METADATA: {**request, "code": _CODE}}

    def _look(self, kind: str, body: dict[str, Any]) -> None:
        self._seen.answered.add(kind)
        for room, (digest, rows) in body["functions"].items():
            now = {label: (identity, text) for label, identity, text in rows}
            if kind == "arm":
                self._functions |= now
            if kind == "arm" and room.startswith("mmdl_course"):
                self._closed.add(room)  # nobody adds a name to these
            if not self._compare(room, now):
                self._known[room] = digest
        if kind == "arm":
            self._usual = {text for _, text in body["strange"]}  # the machine's own, whatever it is
        for grave, text in body["strange"]:
            if text in self._usual:
                continue
            (self._grave if grave else self._slight)(text)
        for text in body["seen"]:
            self._grave(text)
        if not body["armed"]:
            self._grave("the kernel's audit hook does not answer")
        if kind == "before":
            self._key = bytes.fromhex(body.get("key", ""))

    def _compare(self, room: str, now: dict[str, tuple[int, str]]) -> bool:
        """Note what is not as it was when the kernel started; whether there was something."""
        found = False
        for label, (identity, text) in now.items():
            was = self._functions.get(label)
            if was is None and room in self._closed:
                found = True
                self._grave(f"{label} is new: {text}")
            elif was is not None and was != (identity, text):
                found = True
                what = f"was {was[1]}, is {text}" if was[1] != text else f"is another {text}"
                self._grave(f"{label} was changed: {what}")
        return found

    def _hear(self, kind: str, body: dict[str, Any]) -> None:
        seen = self._seen
        if body["number"] != seen.number:
            self._grave("a message of the checks is missing")
        seen.number += 1
        for text in [*body["suspicions"], *body["seen"]]:
            self._grave(text)
        if kind == "begun":
            if seen.begun:
                self._grave("the check cell began twice")
            seen.begun = body["begun"]
        elif kind == "decided":
            if seen.report is not None:
                self._grave("a check was decided after the report")
            seen.results.append(body["decided"])
        elif kind == "reported":
            if seen.report is not None:
                self._grave("the check cell reported twice")
            seen.report = body["reported"]

    def _missing(self, errors: set[str]) -> None:
        for kind, when in (("before", "began"), ("after", "ended")):
            if kind not in self._seen.answered:
                self._grave(f"the kernel did not answer when the check {when}")
        if not self._seen.begun and not errors:
            self._grave("the checks' own Exercise was not made")
        if self._seen.report is None and not errors:
            self._grave("the checks' own report() did not run")

    def _report(self, wanted: Promise) -> Report | None:
        """The report as the sealed messages tell it, if they are what the cell's text promises."""
        said, results = self._seen.report, self._seen.results
        if said is None:
            return None
        told = {result["name"]: float(result["points"]) for result in results}
        if len(told) != len(results) or told != wanted.checks or self._seen.begun != wanted.exercise:
            self._grave("the checks that reported are not the ones in the cell")
        slim = [
            {k: result[k] for k in ("name", "points", "earned", "state", "message")} for result in results
        ]
        if said["results"] != slim or float(said["points"]) != wanted.points:
            self._grave("the report is not what the checks had decided")
        kept = tuple(
            Result(
                name=result["name"],
                points=float(result["points"]),
                earned=float(min(max(result["earned"], 0.0), wanted.checks.get(result["name"], 0.0))),
                state=result["state"],
                message=result["message"],
                lines=tuple((label, text) for label, text in result["lines"]),
            )
            for result in results
        )
        earned = float(min(round(sum(result.earned for result in kept), 6), wanted.points))
        if abs(earned - float(said["earned"])) > 1e-6:
            self._grave(f"the report says {said['earned']} points, its checks sum to {earned:g}")
        return Report(
            exercise=wanted.exercise,
            points=wanted.points,
            earned=earned,
            seed=said["seed"],
            remaining=0.0,
            results=kept,
            notes=tuple(said["notes"]),
        )

    def _displays(self, shown: list[Any], values: list[Any], report: Report) -> None:
        """Whether the cell showed its report and its score once each, and nothing that looks like them."""
        truth = as_json(report)
        if any(json.loads(json.dumps(table)) != json.loads(json.dumps(truth)) for table in shown):
            self._slight("it showed a report that is not the checks' own: not counted")
        elif len(shown) != 1:
            self._slight(f"it showed its report {len(shown)} times")
        if [_COLOURS.sub("", str(value)) for value in values] != [repr(report.earned)]:
            self._slight(
                f"it showed {', '.join(str(value)[:40] for value in values) or 'no score'}: not counted"
            )

    def _grave(self, text: str) -> None:
        self._seen.grave.setdefault(text)

    def _slight(self, text: str) -> None:
        self._seen.slight.setdefault(text)


def promise(source: str) -> Promise | None:
    """What a check cell says it will report.

    Args:
        source: the cell's text, hidden tests included.

    Returns:
        None when the cell does not begin with Exercise(…).
    """
    tree, _ = parse_cell(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    made = [call for call in calls if ast.unparse(call.func) == "Exercise" and call.args]
    if len(made) != 1:
        return None
    checks = sorted(
        (call for call in calls if ast.unparse(call.func) == "exercise.check" and call.args),
        key=lambda call: call.lineno,
    )
    read = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    try:
        return Promise(
            exercise=ast.literal_eval(made[0].args[0]),
            points=_points(made[0]),
            checks={ast.literal_eval(call.args[0]): _points(call) for call in checks},
            names=tuple(sorted(read)),
        )
    except (ValueError, StopIteration):
        return None


def _points(call: ast.Call) -> float:
    return float(ast.literal_eval(next(key.value for key in call.keywords if key.arg == "points")))


def _show(cell: "NotebookNode", report: Report) -> None:
    from nbformat.v4 import new_output

    bundle = {"text/plain": as_text(report), "text/html": as_html(report), MIME: as_json(report)}
    cell.outputs.append(new_output("display_data", data=bundle))


def _value(cell: "NotebookNode", score: float) -> None:
    from nbformat.v4 import new_output

    data = {"text/plain": repr(score)}
    cell.outputs.append(new_output("execute_result", data=data, execution_count=cell.get("execution_count")))
