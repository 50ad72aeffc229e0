"""Hostile submissions that want a better mark, each with one trick, and what must become of each."""

from dataclasses import dataclass

__all__ = ["ATTACKS", "LIMITS", "Attack"]

WRONG = "\ndef double(x):\n    return x * x + 1\n"  # earns nothing


@dataclass(frozen=True)
class Attack:
    """One submission.

    `noticed` are words that a flag must hold; empty when the trick is simply without effect, so that nobody
    needs to know. `deserved` is the mark that an honest grader would give; more must never be given.
    """

    name: str
    cell: str
    noticed: str = ""
    deserved: float = 0.0
    check: str = ""  # another check cell than the tiny course's


def _during(trick: str, answer: str = "x * x + 1") -> str:
    """A function that plays its trick while the checks call it."""
    lines = "\n".join(f"    {line}" for line in trick.strip().splitlines())
    return f"def double(x):\n{lines}\n    return {answer}\n"


_FAKE = """
class Fake:
    def __init__(self, *a, **k): pass
    def __getattr__(self, name): return lambda *a, **k: self
    def __enter__(self): return self
    def __exit__(self, *a): return True
    def report(self): return 3.0
"""
_TABLE = "{'exercise': 'double', 'points': 3.0, 'earned': 3.0, 'seed': 7, 'results': []}"

_NAMED = """
exercise = Exercise("double", points=3)
double_ = exercise.student()
expected = 6.0
with exercise.check("two times three is six", points=3, hint="Add."):
    exercise.close(double_(3.0), expected, atol=1e-9)
exercise.report()
"""
_WITH_ALL = """
exercise = Exercise("double", points=3)
double_ = exercise.student()
with exercise.check("all are doubled", points=3, hint="Add."):
    exercise.true(all(abs(double_(x) - 2 * x) < 1e-9 for x in (1.5, 3.0)), "some are not doubled")
exercise.report()
"""
_WITH_TORCH = """
exercise = Exercise("double", points=3)
double_ = exercise.student()
with exercise.check("all are doubled", points=3, hint="Add."):
    import torch
    exercise.true(torch.allclose(double_(torch.ones(3)), 2 * torch.ones(3)), "some are not doubled")
exercise.report()
"""
_EQUAL = """
exercise = Exercise("double", points=3)
double_ = exercise.student()
with exercise.check("exactly six", points=3, hint="Add."):
    exercise.equal(double_(3), 6)
exercise.report()
"""

ATTACKS = [
    # the score and the report, shown by hand
    Attack(
        "displayhook",
        _during("import sys; sys.displayhook(3.0); get_ipython().displayhook(3.0)"),
        "it showed",
    ),
    Attack(
        "forged report",
        "from IPython.display import publish_display_data\n"
        + _during(f"publish_display_data({{'application/vnd.mmdl.checks+json': {_TABLE}}})"),
        "it showed",
    ),
    Attack(
        "forged sealed message",
        "from IPython.display import publish_display_data\n"
        + _during(
            "publish_display_data({'application/vnd.mmdl.sealed+json': "
            "{'kind': 'reported', 'body': '{}', 'seal': '0'}})"
        ),
        "not sealed",
    ),
    Attack(
        "report changed later",
        "from IPython.display import display, update_display\n"
        + _during("display(1, display_id='a')")
        + "get_ipython().events.register('post_run_cell', lambda *a: update_display(3.0, display_id='a'))\n",
        "IPython event",
    ),
    Attack(
        "formatter of floats",
        "get_ipython().display_formatter.formatters['text/plain'].for_type(float, "
        "lambda value, printer, cycle: printer.text('3.0'))" + WRONG,
        "it showed",
    ),
    # the shell
    Attack(
        "input transformer drops the check",
        "get_ipython().input_transformers_post.append("
        "lambda lines: ['3.0\\n'] if 'Exercise(' in ''.join(lines) else lines)" + WRONG,
        "input transformer",
    ),
    Attack(
        "AST transformer",
        """
import ast
class Cheat(ast.NodeTransformer):
    def visit_With(self, node):
        node.body = [ast.Pass()]
        return ast.fix_missing_locations(node)
get_ipython().ast_transformers.append(Cheat())
"""
        + WRONG,
        "AST transformer",
    ),
    Attack(
        "event before each cell",
        "get_ipython().events.register('pre_run_cell', lambda info: None)" + WRONG,
        "IPython event",
    ),
    Attack(
        "handler of exceptions",
        "get_ipython().set_custom_exc((Exception,), lambda *a: None)" + WRONG,
        "exception handler",
    ),
    Attack(
        "run_cell of the shell",
        "shell = get_ipython(); old = shell.run_cell\n"
        "shell.run_cell = lambda code, *a, **k: old('3.0' if 'Exercise(' in code else code, *a, **k)" + WRONG,
        "run_cell",
    ),
    Attack(
        "do_execute of the kernel",
        "kernel = get_ipython().kernel; old = kernel.do_execute\n"
        "kernel.do_execute = lambda code, *a, **k: old(code, *a, **k)" + WRONG,
        "do_execute",
    ),
    Attack(
        "messages rewritten on their way",
        """
session = get_ipython().kernel.session
old = session.send
def send(stream, message, content=None, *a, **k):
    if isinstance(content, dict):
        for data in content.get("data", {}).values():
            if isinstance(data, dict) and "body" in data:
                data["body"] = data["body"].replace('"earned": 0.0', '"earned": 3.0')
    return old(stream, message, content, *a, **k)
session.send = send
"""
        + WRONG,
        "not sealed",
    ),
    Attack(
        "messages kept back",
        "get_ipython().display_pub.register_hook(lambda message: None)" + WRONG,
        "display hook",
    ),
    # the checks
    Attack("another Exercise", _FAKE + "Exercise = Fake" + WRONG, "`Exercise` is not the checks'"),
    Attack(
        "another module of checks",
        _FAKE
        + """
import sys, types
fake = types.ModuleType("mmdl_course.checks")
fake.Exercise = Fake
sys.modules["mmdl_course.checks"] = fake
from mmdl_course.checks import Exercise
"""
        + WRONG,
        "mmdl_course.checks",
    ),
    Attack("claim replaced", "Exercise.close = lambda *a, **k: None" + WRONG, "Exercise.close"),
    Attack(
        "inner function replaced",
        "import mmdl_course.checks.claims as c\nc.compare_close = print" + WRONG,
        "compare_close",
    ),
    Attack("report replaced", "Exercise.report = lambda self: 3.0" + WRONG, "Exercise.report"),
    Attack("property replaced", "Exercise.earned = property(lambda self: 3.0)" + WRONG, "Exercise.earned"),
    Attack(
        "code of a claim replaced",
        "Exercise.close.__code__ = (lambda self, got, expected, *, atol, rtol=0, why='': None).__code__"
        + WRONG,
        "__code__",
    ),
    Attack(
        "defaults of a claim changed", "Exercise.close.__kwdefaults__['rtol'] = 1e9" + WRONG, "Claims.close"
    ),
    Attack(
        "replaced for one call",
        """
def double(x):
    def once(self, *a, **k):
        del Exercise.close
    Exercise.close = once
    return x * x + 1
""",
        "a name was added in mmdl_course.checks.exercise",
    ),
    Attack("name rebound in the middle", _FAKE + _during("globals()['exercise'] = Fake()"), "exercise"),
    Attack("method covered on the object", _during("exercise.close = lambda *a, **k: None")),
    Attack(
        "results rewritten",
        _during(
            """
import dataclasses
done = exercise._run.results
done[:] = [dataclasses.replace(r, earned=r.points, state="passed", message="", lines=()) for r in done]
"""
        ),
        "the checks' own state",
    ),
    Attack(
        "frozen result written",
        _during(
            """
for result in exercise._run.results:
    object.__setattr__(result, "earned", 1.0)
    object.__setattr__(result, "state", "passed")
"""
        ),
        "not what the checks had decided",
    ),
    Attack(
        "points of a check changed",
        _during("exercise._run.open.points = 3", "2 * x if x > 0 else 0"),
        "own state",
        deserved=1.0,
    ),
    Attack("check ended by hand", _during("exercise._run.open.__exit__(None, None, None)"), "state"),
    Attack(
        "expected value rebound",
        "def double(x):\n    global expected\n    expected = 0\n    return 0\n",
        "`expected` was changed",
        check=_NAMED,
    ),
    Attack(
        "witness sent away",
        _during(
            "import mmdl_course.checks.witness as w\nexercise._run.witness = w.NOBODY\nw.appoint(w.NOBODY)"
        ),
        "own state",
    ),
    Attack(
        "witness told a tale",
        _during(
            "exercise._run.witness.decided(dict(name='two times three is six', points=1.0, earned=1.0, "
            "state='passed', message='', lines=[]))"
        ),
        "not by the checks",
    ),
    # Python and the libraries
    Attack(
        "isinstance replaced",
        "import builtins\nold = isinstance\nbuiltins.isinstance = lambda value, kind: old(value, kind)"
        + WRONG,
        "builtins.isinstance",
    ),
    Attack("float replaced", "import builtins\nbuiltins.float = lambda *a: 3.0" + WRONG, "builtins.float"),
    Attack(
        "import replaced",
        "import builtins\nold = __import__\nbuiltins.__import__ = lambda *a, **k: old(*a, **k)" + WRONG,
        "__import__",
    ),
    Attack(
        "all shadowed in the notebook",
        "def all(values):\n    return True\n" + WRONG,
        "`all` is not Python's",
        check=_WITH_ALL,
    ),
    Attack("numpy.abs replaced", "import numpy\nnumpy.abs = lambda x: 0.0 * x" + WRONG, "numpy.abs"),
    Attack(
        "json replaced",
        "import json\nold = json.dumps\njson.dumps = lambda *a, **k: old(*a, **k)" + WRONG,
        "json.dumps",
    ),
    Attack("clock replaced", "import time\ntime.sleep = lambda s: None" + WRONG, "time.sleep"),
    Attack("seeding replaced", "import random\nrandom.seed = lambda *a: None" + WRONG, "random.seed"),
    Attack(
        "torch.allclose replaced",
        "import torch\ntorch.allclose = lambda *a, **k: True" + WRONG,
        "torch.allclose",
        check=_WITH_TORCH,
    ),
    Attack(
        "tensor that equals everything",
        """
import torch
class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True
    def __eq__(self, other):
        return torch.tensor(True)
def double(x):
    return torch.zeros(3).as_subclass(Yes)
""",
        check=_WITH_TORCH,
    ),
    Attack(
        "import hook",
        "import sys\nclass Finder:\n    find_spec = print\nsys.meta_path.insert(0, Finder())" + WRONG,
        "meta_path",
    ),
    # returned objects that cheat
    Attack(
        "integer that equals everything",
        """
class Yes(int):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    __rsub__ = __sub__
    __hash__ = int.__hash__
def double(x):
    return Yes(1)
""",
        check=_EQUAL,
    ),
    Attack(
        "object of a false class",
        """
class Yes:
    __class__ = int
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    __rsub__ = __sub__
    def bit_length(self): return 1
def double(x):
    return Yes()
""",
        check=_EQUAL,
    ),
    Attack(
        "array that equals everything",
        """
import numpy as np
class Yes(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.zeros(())
    def __eq__(self, other): return np.array(True)
def double(x):
    return np.array(1.0).view(Yes)
""",
    ),
    Attack(
        "array made on demand",
        """
import sys
class Later:
    def __array__(self, dtype=None, copy=None):
        frame = sys._getframe()
        while frame and "expected" not in frame.f_locals:
            frame = frame.f_back
        import numpy
        return numpy.asarray(frame.f_locals["expected"])
def double(x):
    return Later()
""",
    ),
    Attack(
        "poisoned pickle",
        """
class Poison(float):
    def __reduce__(self):
        import os
        return os.system, ("touch poisoned",)
def double(x):
    return Poison(1.0)
""",
    ),
    Attack(
        "endless repr",
        "class Long:\n    def __repr__(self): return repr(self)\ndef double(x): return Long()\n",
    ),
    Attack(
        "broken attributes",
        "class Odd:\n    def __getattr__(self, name): raise SystemExit\ndef double(x): return Odd()\n",
    ),
    # spying
    Attack(
        "expected values from the frames",
        """
import sys
def double(x):
    frame = sys._getframe()
    while frame.f_code.co_name != "<module>":
        frame = frame.f_back
    numbers = [c for c in frame.f_code.co_consts if isinstance(c, float)]
    return next(c for c in (6.0, -5.0) if abs(c - 2 * x) < 1)
""",
        "sys._getframe",
    ),
    Attack(
        "frames from a traceback",
        _during(
            "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    error.__traceback__.tb_frame.f_back"
        ),
        "tb_frame",
    ),
    Attack(
        "keys from the heap",
        """
import gc
def double(x):
    for thing in gc.get_objects():
        if type(thing).__name__ == "function" and thing.__name__ == "tell":
            thing("decided", {"name": "two times three is six"}, None)
    return 0
""",
        "gc.get_objects",
    ),
    Attack(
        "heap through referrers",
        "import gc" + "\n" + _during("gc.get_referrers(exercise)"),
        "gc.get_referrers",
    ),
    Attack(
        "results rewritten while tracing",
        _during("import sys\nsys.settrace(lambda frame, event, argument: None)"),
        "trac",
    ),
    Attack("profile function", "import sys\nsys.setprofile(lambda *a: None)" + WRONG, "sys.setprofile"),
    Attack("audit hook", "import sys\nsys.addaudithook(lambda *a: None)" + WRONG, "addaudithook"),
    Attack(
        "audit hook that objects",
        """
import sys
def object_to(event, arguments):
    if event.startswith("mmdl"):
        raise RuntimeError
sys.addaudithook(object_to)
"""
        + WRONG,
        "did not answer",
    ),
    Attack(
        "frozen objects written through ctypes",
        "import ctypes\n" + _during("ctypes.string_at(id(exercise._run.results), 8)"),
        "ctypes",
    ),
    # endings
    Attack("os._exit", _during("import os; os._exit(0)"), "kernel died"),
    Attack("sys.exit", _during("import sys; sys.exit(0)")),
    Attack("exit of the shell", _during("exit()")),
    Attack("KeyboardInterrupt", _during("raise KeyboardInterrupt")),
    Attack("GeneratorExit", _during("raise GeneratorExit")),
    Attack(
        "ChecksError", "from mmdl_course.checks import ChecksError\n" + _during("raise ChecksError('enough')")
    ),
    Attack("atexit", "import atexit\natexit.register(lambda: print(3.0))" + WRONG),
    # what runs beside
    Attack(
        "thread left running",
        """
import threading, time
def change():
    while True:
        time.sleep(0.001)
        run = getattr(globals().get("exercise"), "_run", None)
        if run is not None:
            run.results.clear()
threading.Thread(target=change, daemon=True).start()
"""
        + WRONG,
        "thread",
    ),
    Attack(
        "thread without a name",
        "import _thread, time\n_thread.start_new_thread(lambda: time.sleep(60), ())" + WRONG,
        "thread",
    ),
    Attack(
        "signal handler",
        "from signal import *\nsignal(SIGALRM, lambda *a: 0)\nsetitimer(ITIMER_REAL, 100)" + WRONG,
        "SIGALRM",
    ),
    Attack(
        "callback of the collector", "import gc\ngc.callbacks.append(lambda *a: None)" + WRONG, "gc callback"
    ),
    # noise: no trick to gain, but none may cost or crash anything either
    Attack("stderr", _during("import sys; print('noise', file=sys.stderr)", "2 * x"), deserved=3.0),
    Attack("warnings", _during("import warnings; warnings.warn('careful')", "2 * x"), deserved=3.0),
    Attack(
        "outputs wiped",
        "from IPython.display import clear_output\n" + _during("clear_output()", "2 * x"),
        deserved=3.0,
    ),
    Attack("descriptor 2", _during("import os; os.write(2, b'noise' * 1000)", "2 * x"), deserved=3.0),
    Attack("error shown by hand", _during("get_ipython().showtraceback()", "2 * x"), "", deserved=3.0),
    # torch's own ways to stand between a call and what it does
    Attack(
        "torch mode",
        """
import torch
from torch.overrides import TorchFunctionMode
class Yes(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        return True if function is torch.allclose else function(*args, **(kwargs or {}))
Yes().__enter__()
def double(x):
    return x
""",
        "torch function mode",
        check=_WITH_TORCH,
    ),
    Attack(
        "torch mode in the middle",
        """
import torch
from torch.overrides import TorchFunctionMode
class Yes(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.allclose:
            self.__exit__(None, None, None)
            return True
        return function(*args, **(kwargs or {}))
def double(x):
    Yes().__enter__()
    return x
""",
        "a mode of torch",
        check=_WITH_TORCH,
    ),
    Attack(
        "kernel of torch replaced",
        """
import torch, warnings
warnings.simplefilter("ignore")
library = torch.library.Library("aten", "IMPL")
library.impl("isclose", lambda a, b, *rest: torch.ones_like(a, dtype=torch.bool), "CPU")
"""
        + WRONG,
        "another implementation of aten/isclose",
        check=_WITH_TORCH,
    ),
    # for a moment only
    Attack(
        "patch from within a comparison",
        """
import numpy
class Later:
    def __array__(self, *a, **k):
        old = numpy.where
        def once(*a, **k):
            numpy.where = old
            return numpy.zeros(())
        numpy.where = once
        return numpy.ones(())
def double(x):
    return Later()
""",
    ),
    Attack(
        "patch from a method that no recorder watches",
        """
import numpy
class Box:
    def value(self):
        old = numpy.where
        def once(*a, **k):
            numpy.where = old
            return numpy.zeros(())
        numpy.where = once
        return 1.0
def double(x):
    return Box()
""",
        "numpy.where was changed",
        check="""
exercise = Exercise("double", points=3)
double_ = exercise.student()
with exercise.check("a box of six", points=3, hint="Add."):
    exercise.close(double_(3.0).value(), 6.0, atol=1e-9)
exercise.report()
""",
    ),
    Attack(
        "thread for a moment",
        """
import threading, time
def later():
    time.sleep(0.2)
def double(x):
    thread = threading.Thread(target=later); thread.start()
    return x * x + 1
""",
        "a thread still runs",
    ),
    Attack(
        "frames from traceback",
        "import traceback\n" + _during("list(traceback.walk_stack(None))"),
        "_getframe",
    ),
    Attack("memory of the process", _during("open('/proc/self/mem', 'r+b').close()"), "open in"),
]

# What passes, by name: docs/grading.md says how each could be closed. A test holds that list to this one.
LIMITS = [
    Attack(
        "answers by heart",
        "def double(x):\n    return {3.0: 6.0, -2.5: -5.0}[x]\n",
        deserved=0.0,
    ),
    Attack(
        "the seed foretold",
        """
import os
from mmdl_course.checks.draws import derive
seed = derive(int(os.environ["MMDL_SEED"]), "double", "two times three is six")
def double(x):
    return 2 * x if seed else 0
""",
    ),
    Attack(
        "object that equals everything in a claim of truth",
        """
class Yes:
    def __sub__(self, other): return 0
def double(x):
    return Yes()
""",
        check=_WITH_ALL,
    ),
    Attack(
        "value changed in place",
        "def double(x):\n    expected[:] = 0\n    return 0 * x\n",
        check="""
exercise = Exercise("double", points=3)
double_ = exercise.student()
import numpy as np
expected = np.array([6.0])
with exercise.check("two times three is six", points=3, hint="Add."):
    exercise.close(double_(np.array([3.0])), expected, atol=1e-9)
exercise.report()
""",
    ),
    Attack(
        "go-between made for this grader",
        """
import dataclasses, json, marshal
from _blake2 import blake2b
from mmdl_course.checks import witness
real = marshal.loads

def loads(data):
    if b"<mmdl-sentinel>" not in data:
        return real(data)
    global code
    code = real(data.replace(b"<mmdl-sentinel>", b"<frozen mmdl-s>"))
    marshal.loads = real  # all is as it was while the grader looks
    return compile("import __main__; __main__.between(request)", "<mmdl-sentinel>", "exec")

def between(request):
    kind = request["do"]
    exec(code, {"__name__": "mmdl-sentinel", "request": request})
    marshal.loads = loads
    if kind == "before":
        tell = dict(zip(type(witness._seat[0]).decided.__code__.co_freevars,
                        type(witness._seat[0]).decided.__closure__))["tell"].cell_contents
        now = dict(zip(tell.__code__.co_freevars, tell.__closure__))["now"].cell_contents
        witness.appoint(Liar(now[0]))

class Liar(witness.Witness):
    def __init__(self, key):
        self.key, self.number = key, 0
    def send(self, kind, what):
        text = json.dumps({"number": self.number, kind: what, "suspicions": [], "seen": []})
        seal = blake2b((kind + chr(10) + text).encode(), key=self.key, digest_size=32).hexdigest()
        message = {"kind": kind, "body": text, "seal": seal}
        kernel = get_ipython().kernel
        data = {"application/vnd.mmdl.sealed+json": message}
        kernel.session.send(kernel.iopub_socket, "display_data", {"data": data, "metadata": {}},
                            parent=kernel.get_parent(), ident=get_ipython().display_pub.topic)
        self.key = blake2b(self.key, digest_size=32, person=b"mmdl next").digest()
        self.number += 1
    def begun(self, exercise, check_file):
        self.send("begun", exercise)
    def decided(self, result):
        passed = {"earned": result["points"], "state": "passed", "message": ""}
        self.send("decided", {**result, **passed, "lines": []})
        done = exercise._run.results
        done[-1] = dataclasses.replace(done[-1], **passed, lines=())
    def reported(self, report):
        self.send("reported", report)

marshal.loads = loads
"""
        + WRONG,
    ),
]
