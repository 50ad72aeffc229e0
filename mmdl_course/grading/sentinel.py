"""The grader's eyes in a kernel. Its code travels with each request; no kernel imports it.

tripwires.py sends a request when a kernel has started ("arm"), before each check cell ("before") and after it
("after"). What it sees goes back to the grader at once and is judged there, so
that nothing in the kernel needs to be believed later: what functions were at the start is the grader's
knowledge. Standard library only. docs/grading.md says what this stops and what it does not.

One long file, because one text travels: parts that import each other would have to be modules in the kernel,
where student code could replace them.
"""

import _blake2
import _thread
import gc
import json
import posix
import sys
import threading
import types

MIME = "application/vnd.mmdl.sealed+json"

# Modules found under these names in sys.modules are the ones that were loaded.
MODULES = (
    "builtins",
    "sys",
    "gc",
    "json",
    "_json",
    "_blake2",
    "posix",
    "os",
    "threading",
    "types",
    "signal",
    "marshal",
    "binascii",
    "zlib",
)

READING = {  # reading another function's state, or the heap
    "gc.get_objects",
    "gc.get_referrers",
    "gc.get_referents",
    "sys._getframe",
    "sys._current_frames",
    "sys._current_exceptions",
}
CHANGING = {  # changing what runs
    "sys.settrace",
    "sys.setprofile",
    "sys.addaudithook",
    "sys.monitoring.register_callback",
    "ctypes.dlopen",
    "ctypes.dlsym",
    "ctypes.cdata",
    "ctypes.cdata/buffer",
    "ctypes.string_at",
    "ctypes.PyObj_FromPtr",
    "object.__setattr__",
    "object.__delattr__",
    "code.__new__",
    "ctypes.call_function",
    "ctypes.dlsym/handle",
    "exec",
    "open",
}
GIVE_FRAMES = ("/inspect.py", "/traceback.py", "/logging/__init__.py", "/IPython/utils/frame.py")
FRAMES = ("tb_frame", "gi_frame", "cr_frame", "ag_frame")
EVENT = "mmdl.sentinel"
LONGEST = 20  # records kept; the first ones tell the story


def main(request):
    """Do what the grader asks and reply, sealed with the request's token."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if request["do"] == "arm":
        for name in request["modules"]:
            try:
                __import__(name)
            except Exception:  # noqa: BLE001  (then no cell can use it either)
                continue
    libraries = library_folders()
    if request["do"] == "arm":
        sys.addaudithook(make_hook(bytes.fromhex(request["lock"]), shell, libraries))
    entries = surroundings(request["critical"])
    box = []
    sys.audit(EVENT, box, bytes.fromhex(request["key"]))
    state = box[0] if box else None
    body = {
        "armed": state is not None,
        "functions": changed_rooms(entries, request.get("known", {})),
        "strange": strange(shell, libraries, request.get("names", ()), entries),
        "seen": [*state["seen"], *state["suspicions"]] if state else [],
    }
    if state:
        state["seen"].clear()
        state["suspicions"].clear()
        state["checking"] = request["do"] == "before"
    witness = sys.modules.get("mmdl_course.checks.witness")
    if request["do"] == "before" and witness is not None:
        key = posix.urandom(32)
        body["key"] = key.hex()
        witness.appoint(make_witness(witness.Witness, key, shell, state, entries, request["names"]))
    elif request["do"] == "after" and witness is not None:
        witness.appoint(witness.NOBODY)
    send(shell, request["do"], body, bytes.fromhex(request["token"]))


def send(shell, kind, body, key):
    """Publish a sealed message, past the shell's own publisher and its hooks."""
    text = json.dumps(body)
    seal = _blake2.blake2b(f"{kind}\n{text}".encode(), key=key, digest_size=32).hexdigest()
    content = {"data": {MIME: {"kind": kind, "body": text, "seal": seal}}, "metadata": {}, "transient": {}}
    kernel = shell.kernel
    kernel.session.send(
        kernel.iopub_socket,
        "display_data",
        content,
        parent=kernel.get_parent(),
        ident=shell.display_pub.topic,
    )


def make_witness(base, key, shell, state, entries, checked):
    """A witness that tells each decision at once. Its key changes with each message and is never kept."""
    rooms = sys.modules
    allowed = {
        "begun": rooms["mmdl_course.checks.exercise"].Exercise.__init__.__code__,
        "returned": None,
        "decided": rooms["mmdl_course.checks.check"].Check.__exit__.__code__,
        "reported": rooms["mmdl_course.checks.exercise"].Exercise.report.__code__,
    }
    sizes = {
        id(home): (room, home, len(home)) for room, _, home, _, _ in entries if room.startswith("mmdl_course")
    }
    suspicions = state["suspicions"] if state else {}
    suspicions.clear()
    now = [key, 0]
    libraries = library_folders()
    beside = [_thread._count()]
    modes = torch_modes()

    def look():
        for _, label, home, name, value in entries:
            if home.get(name) is not value:
                suspicions.setdefault(f"{label} was changed while the check ran", None)
        for room, home, size in sizes.values():
            if len(home) != size:
                suspicions.setdefault(f"a name was added in {room} while the check ran", None)
        if sys.gettrace() is not None or sys.getprofile() is not None:
            suspicions.setdefault("a trace or profile function ran while the check ran", None)

        if _thread._count() != beside[0]:
            beside[0] = _thread._count()
            for _, text in threads(shell.user_ns, libraries):
                suspicions.setdefault(text, None)

    def tell(kind, body, called_by):
        # Tests may wrap the checks in a run-time type checker; a kernel does not.
        code = called_by.f_code
        if allowed[kind] is not None and code is not allowed[kind]:
            suspicions.setdefault(f"the witness was called by {place(called_by)}, not by the checks", None)
            return
        look()
        held, number = now
        message = {
            "number": number,
            kind: body,
            "suspicions": [*suspicions],
            "seen": state["seen"] if state else [],
        }
        send(shell, kind, message, held)
        now[:] = _blake2.blake2b(held, digest_size=32, person=b"mmdl next").digest(), number + 1

    class Sworn(base):
        __slots__ = ()
        names = tuple(checked)

        def begun(self, exercise, check_file):
            # The cell's text is not for students' functions: not as history, not by inspect.
            sys.modules["linecache"].cache.pop(check_file, None)
            content = shell.kernel.get_parent().get("content")
            if type(content) is dict:
                content["code"] = ""
            tell("begun", exercise, sys._getframe(1))

        def depth(self):
            return modes() if modes else ()

        def returned(self, changed):
            look()
            for name in changed:
                suspicions.setdefault(f"`{name}` was changed by student code during the check", None)

        def decided(self, result):
            tell("decided", result, sys._getframe(1))

        def reported(self, report):
            tell("reported", report, sys._getframe(1))

    return Sworn()


def make_hook(lock, shell, libraries):
    """An audit hook that writes down what student code does to functions, frames and the heap.

    Its notes are given to whoever knows the bytes whose hash is `lock`; these bytes are the next lock. So a
    key that was used, and may be found in some old text, opens nothing.
    """
    state = {"seen": [], "suspicions": {}, "checking": False}
    seen = state["seen"]
    user = shell.user_ns
    busy = []
    getframe = sys._getframe
    watched = READING | CHANGING | {"object.__getattr__"}
    locks = [lock]
    blake2b = _blake2.blake2b

    def hook(event, arguments):
        if event not in watched:
            if event == EVENT and blake2b(arguments[1], digest_size=32).digest() == locks[0]:
                locks[0] = arguments[1]
                arguments[0].append(state)
            return
        if busy or len(seen) >= LONGEST:
            return
        if event == "exec":
            if arguments[0].co_filename == "<mmdl-sentinel>" and not asked_by_the_grader(getframe(1)):
                seen.append(f"the grader's request ran through {place(getframe(1))}")
            return
        if event == "object.__getattr__" and arguments[1] not in FRAMES:
            return
        if event == "open" and not (type(arguments[0]) is str and arguments[0].endswith("/mem")):
            return
        if (event in READING or event == "object.__getattr__") and not state["checking"]:
            return
        busy.append(1)
        try:
            frame = getframe(1)
            while frame is not None and frame.f_code.co_filename.endswith("/ctypes/__init__.py"):
                frame = frame.f_back
            if frame is not None and frame.f_code.co_filename.endswith(GIVE_FRAMES):
                frame = frame.f_back
            if frame is None:
                return
            # IPython's own `open` stands before Python's, so there the caller says nothing.
            if event != "open" and frame.f_globals is not user and is_library(frame.f_code, libraries):
                return
            what = f"{arguments[1]} of {describe(arguments[0])}" if event.startswith("object.") else event
            entry = f"{what} in {place(frame)} (cell {shell.execution_count})"
            if entry not in seen:
                seen.append(entry)
        finally:
            busy.clear()

    return hook


def asked_by_the_grader(frame):
    """Whether this is the request's own frame, right below the cell's, and nobody stands between."""
    return frame.f_code.co_name == "<lambda>" and frame.f_back.f_code.co_name == "<module>"


def changed_rooms(entries, known):
    """Modules whose functions the grader does not know: their hash and [label, id, what it is] of each.

    A hash says all that must stay as it was: which object bears the name, and for a function its code,
    closure and defaults.
    """
    rooms = {}
    for room, label, _, _, value in entries:
        rooms.setdefault(room, []).append((label, value))
    rooms["sys.modules"] = [(f"the module {name}", sys.modules.get(name)) for name in MODULES]
    changed = {}
    for room, rows in rooms.items():
        digest = hash(tuple((label, fingerprint(value)) for label, value in rows))
        if known.get(room) != digest:
            changed[room] = [digest, [[label, fingerprint(value), describe(value)] for label, value in rows]]
    return changed


def surroundings(critical):
    """(room, label, dictionary, name, value) of each critical function, what its module calls included."""
    modules = sys.modules
    builtin = vars(modules["builtins"])
    rows = [
        ("builtins", f"builtins.{name}", builtin, name, value)
        for name, value in builtin.items()
        if name not in ("_", "__", "___", "input")  # the kernel makes a new `input` for each cell
    ]
    for room, module in list(modules.items()):
        if not room.startswith("mmdl_course.checks") or module is None:
            continue
        home = vars(module)
        for name, value in home.items():
            if name.startswith("__"):
                continue
            rows.append((room, f"{room}.{name}", home, name, value))
            if isinstance(value, type) and value.__module__ == room:
                parts = vars(value)
                rows += [(room, f"{room}.{name}.{key}", parts, key, part) for key, part in parts.items()]
    for room, names in critical.items():
        owner = modules.get(room)
        if room == "torch.Tensor" and "torch" in modules:
            owner = getattr(modules["torch"], "Tensor", None)
        if owner is None:
            continue
        home = vars(owner)
        for name in names.split():
            value = home.get(name)
            if value is None and room != "torch.Tensor":  # there, what is inherited can be covered
                continue
            rows.append((room, f"{room}.{name}", home, name, value))
            if room.startswith(("numpy", "torch")):  # what their functions in Python call
                rows += calls_of(room, f"{room}.{name}", value)
    return rows


def calls_of(room, label, function):
    """The globals that a function written in Python uses."""
    function = getattr(function, "_implementation", function)  # numpy's dispatcher has its function in it
    if not isinstance(function, types.FunctionType):
        return []
    home = function.__globals__
    names = [name for name in function.__code__.co_names if name in home]
    return [(room, f"{name} in {label}", home, name, home[name]) for name in names]


def fingerprint(value):
    """A number that changes with the object and with what a function does."""
    if not isinstance(value, types.FunctionType):
        return id(value)
    closure = tuple(id(cell.cell_contents) for cell in value.__closure__ or () if filled(cell))
    options = tuple((name, id(part)) for name, part in (value.__kwdefaults__ or {}).items())
    return hash((id(value), id(value.__code__), closure, id(value.__defaults__), options))


def describe(value):
    """A value's kind and name."""
    kind = type(value).__name__
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if type(name) is not str:
        return kind
    return f"{kind} {getattr(value, '__module__', '')}.{name}"


def filled(cell):
    """Whether a closure's cell holds something."""
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def strange(shell, libraries, names, entries):
    """What hangs on the interpreter's and the shell's hooks and comes from no library: [grave, text]."""
    user = shell.user_ns
    found = []

    def hooks(label, items, grave=True):
        for item in items:
            if not from_library(item, user, libraries):
                found.append([grave, f"{label}: {describe(item)}"])

    manager = shell.input_transformer_manager
    hooks("IPython input transformer", [*shell.input_transformers_post, *shell.input_transformers_cleanup])
    hooks(
        "IPython input transformer",
        [*manager.cleanup_transforms, *manager.line_transforms, *manager.token_transformers],
    )
    hooks("IPython AST transformer", shell.ast_transformers)
    for event, callbacks in shell.events.callbacks.items():
        hooks(f"IPython event {event}", callbacks)
    hooks("IPython display hook", getattr(shell.display_pub, "_hooks", ()))
    hooks("sys.displayhook", [sys.displayhook])
    hooks("sys.excepthook", [sys.excepthook], grave=False)
    hooks("sys.stdout", [sys.stdout, sys.stderr], grave=False)
    hooks("sys.meta_path", sys.meta_path)
    hooks("sys.path_hooks", sys.path_hooks)
    hooks(
        "sys.settrace",
        [
            hook
            for hook in (sys.gettrace(), sys.getprofile(), threading.gettrace(), threading.getprofile())
            if hook
        ],
    )
    hooks("gc callback", gc.callbacks)
    if shell.custom_exceptions:  # IPython wraps the handler in a function of its own
        found.append([False, f"IPython exception handler for {shell.custom_exceptions}"])
    signals = sys.modules.get("signal")
    if signals is not None:
        for name in ("SIGALRM", "SIGINT", "SIGTERM", "SIGUSR1", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGCHLD"):
            handler = signals.getsignal(getattr(signals, name))
            hooks(f"handler of {name}", [handler] if callable(handler) else [])
        for timer in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF"):
            if any(signals.getitimer(getattr(signals, timer))):
                found.append([True, f"a timer is running: {timer}"])
    for owner in (
        shell,
        shell.kernel,
        shell.display_pub,
        shell.displayhook,
        shell.events,
        shell.kernel.session,
        manager,
        shell.compile,
    ):
        for name, value in vars(owner).items():
            if callable(value) and callable(getattr(type(owner), name, None)):
                hooks(f"{type(owner).__name__}.{name}", [value])
        for kind in type(owner).__mro__:
            for name, value in vars(kind).items():
                if isinstance(value, types.FunctionType) and not from_library(value, user, libraries):
                    found.append([True, f"{kind.__name__}.{name}: {describe(value)}"])
    for handlers in (shell.kernel.shell_handlers, shell.kernel.control_handlers):
        hooks("kernel handler", handlers.values())
    torch = sys.modules.get("torch")
    if torch_modes() is not None:
        hooks("torch function mode", torch.overrides._get_current_function_mode_stack())
        hooks("torch dispatch mode", torch.utils._python_dispatch._get_current_dispatch_mode_stack())
        for name in sorted(getattr(torch.library, "_impls", ())):
            if name.startswith("aten/") and name.endswith("/CPU"):
                found.append([True, f"another implementation of {name}"])
    found += threads(user, libraries)
    found += shadows(user, names)
    for room, label, _, _, value in entries:
        if (
            not room.startswith("mmdl_course")
            and isinstance(value, types.FunctionType)
            and not from_library(value, user, libraries)
        ):
            found.append([True, f"{label}: {describe(value)}"])
    for room, module in list(sys.modules.items()):
        if room.startswith("mmdl_course"):
            found += replaced(room, module, user, libraries)
    return found


def torch_modes():
    """A function that counts the modes through which torch sends its calls; None without torch."""
    inner = getattr(sys.modules.get("torch"), "_C", None)
    if not hasattr(inner, "_len_torch_function_stack") or "torch.library" not in sys.modules:
        return None
    return lambda: (inner._len_torch_function_stack(), inner._len_torch_dispatch_stack())


def threads(user, libraries):
    """Threads that run student code."""
    found = []
    alive = {thread.ident: thread.name for thread in threading.enumerate()}
    for identity, frame in sys._current_frames().items():
        if identity == threading.get_ident():
            continue
        while frame is not None:
            if frame.f_globals is user or not is_library(frame.f_code, libraries):
                found.append(
                    [True, f"a thread still runs: {alive.get(identity, 'not of threading')}, {place(frame)}"]
                )
                break
            frame = frame.f_back
    return found


def shadows(user, names):
    """Names that the check cell uses and the notebook took for something else."""
    found = []
    builtin = vars(sys.modules["builtins"])
    usual = {
        "np": "numpy",
        "torch": "torch",
        "math": "math",
        "nn": "torch.nn",
        "F": "torch.nn.functional",
        "numpy": "numpy",
    }
    checks = sys.modules.get("mmdl_course.checks")
    for name in names:
        value = user.get(name)
        if value is None:
            continue
        if name in builtin and value is not builtin[name]:
            found.append([callable(value), f"the notebook's `{name}` is not Python's: {describe(value)}"])
        if name in usual and usual[name] in sys.modules and value is not sys.modules[usual[name]]:
            found.append(
                [True, f"the notebook's `{name}` is not the module {usual[name]}: {describe(value)}"]
            )
        if name == "Exercise" and checks is not None and value is not checks.Exercise:
            found.append([True, f"the notebook's `Exercise` is not the checks': {describe(value)}"])
    return found


def replaced(room, module, user, libraries):
    """Functions in the course's own modules that were not written there."""
    if type(module) is not types.ModuleType or not is_path(getattr(module, "__file__", None), libraries):
        return [[True, f"sys.modules[{room!r}] is {describe(module)}"]]
    return [
        [True, f"{room}.{name}: {describe(value)}"]
        for name, value in vars(module).items()
        if isinstance(value, types.FunctionType) and not from_library(value, user, libraries)
    ]


def library_folders():
    """Where code that no student wrote lies."""
    import sysconfig

    folders = {
        *sysconfig.get_paths().values(),
        *(getattr(sys, name) for name in ("prefix", "base_prefix", "exec_prefix")),
    }
    course = sys.modules.get("mmdl_course")
    if course is not None and getattr(course, "__file__", None):
        folders.add(course.__file__.rpartition("/")[0])
    return tuple(f"{folder.rstrip('/')}/" for folder in folders if folder not in ("", "/", "/usr"))


def is_path(file, libraries):
    """Whether a file lies with the libraries, or is one of Python's own that have no file."""
    return type(file) is str and file.startswith(
        (*libraries, "<frozen ", "<__array_function__", "<@beartype", "<mmdl-sentinel")
    )


def is_library(code, libraries):
    """Whether code was not written in the notebook."""
    if code.co_filename == "<string>":  # made by dataclasses, namedtuple, attrs
        return code.co_name.startswith("__") and code.co_name.endswith("__")
    return is_path(code.co_filename, libraries)


def from_library(item, user, libraries):
    """Whether a callable, or an object's class, comes from a library."""
    for _ in range(5):
        if isinstance(item, types.MethodType):
            owner = item.__self__
            if isinstance(owner, type | types.ModuleType):
                item = item.__func__
                continue
            if not from_library(type(owner), user, libraries):
                return False
            item = item.__func__
            continue
        inner = (
            getattr(item, "func", None)
            if type(item).__name__ == "partial"
            else getattr(item, "__wrapped__", None)
        )
        if inner is None or isinstance(item, type):
            break
        item = inner
    if isinstance(item, types.FunctionType):
        return item.__globals__ is not user and is_library(item.__code__, libraries)
    if isinstance(item, types.BuiltinFunctionType | type(dict.get) | type(object.__repr__)):
        return item not in (exec, eval)
    kind = item if isinstance(item, type) else type(item)
    home = sys.modules.get(kind.__module__)
    if kind.__module__ == "builtins":
        return True
    if home is None or vars(home) is user:
        return False
    return getattr(home, "__file__", None) is None or is_path(home.__file__, libraries)


def place(frame):
    """A frame in words."""
    return f"{frame.f_code.co_qualname}, line {frame.f_lineno}"
