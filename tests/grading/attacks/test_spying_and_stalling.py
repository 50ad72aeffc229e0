"""Hostile submissions that read what is hidden, or that only want to do harm."""

import base64
from pathlib import Path

import pytest
from bench import CHECK, run

HIDDEN = 'with exercise.check("negative numbers work, too"'
HONEST = "def double(x):\n    return x + x\n"

SPIES = {
    "history": "str(In) + str(get_ipython().user_ns.get('_ih')) + str(globals().get('_i'))",
    "history manager": "str(get_ipython().history_manager.input_hist_raw)",
    "linecache": "str(__import__('linecache').cache)",
    "parent message": "str(get_ipython().kernel.get_parent()) + str(get_ipython().parent_header)",
    "last result": "str(get_ipython().last_execution_result)",
    "inspect": "str([__import__('inspect').getsource(type(exercise))])",
    "working folder": "str([p.read_text() for p in __import__('pathlib').Path().rglob('*') if p.is_file()])",
}


# Prints what stands around the hidden test, in letters that the test's own text is not made of; a whole cache
# would be a flood. What is looked for is put together, so that this text itself is not found.
PRINT = """
import base64
def tell(text):
    begin = text.find("with exercise." + 'check("neg')
    print("SPY", base64.b64encode(text[max(begin, 0):][:1000].encode()).decode(), "END")
"""


@pytest.mark.parametrize("spy", SPIES)
def test_the_hidden_tests_text_lies_nowhere(spy: str, tmp_path: Path) -> None:
    cell = f"{PRINT}def double(x):\n    tell({SPIES[spy]})\n    return 2 * x\n"
    done = run(cell, folder=tmp_path)
    told = [part.split(" END")[0] for part in done.text.split("SPY ")[1:]]
    assert told
    assert all(HIDDEN not in base64.b64decode(part).decode() for part in told)
    assert done.marks == (3.0,)


def test_a_text_that_lies_there_is_found(tmp_path: Path) -> None:
    """Else the two tests around this one would prove nothing."""
    given = f"print({HIDDEN!r})\n{PRINT}tell(str(In))"
    done = run(given, folder=tmp_path, checks=0)
    (told,) = (part.split(" END")[0] for part in done.text.split("SPY ")[1:])
    assert HIDDEN in base64.b64decode(told).decode()


def test_nor_is_it_found_after_the_check(tmp_path: Path) -> None:
    spies = " + ".join(f"({spy})" for spy in SPIES.values())
    done = run(HONEST, "CHECK", f"{PRINT}tell({spies})", folder=tmp_path, checks=0)
    (told,) = (part.split(" END")[0] for part in done.text.split("SPY ")[1:])
    assert HIDDEN not in base64.b64decode(told).decode()


def test_what_frames_tell_is_not_shown(tmp_path: Path) -> None:
    cell = """
import sys
def double(x):
    frame = sys._getframe()
    while frame:
        if "raw_cell" in frame.f_locals:
            print("SPY", frame.f_locals["raw_cell"][::-1])
        frame = frame.f_back
    return 2 * x
"""
    done = run(cell, folder=tmp_path)
    assert done.marks == (0.0,)
    assert any("sys._getframe" in flag for flag in done.flags)
    assert "SPY" not in done.text


def test_a_message_from_the_checks_names_no_hidden_line(tmp_path: Path) -> None:
    done = run("def double(x):\n    raise ValueError(str(__import__('linecache').cache))\n", folder=tmp_path)
    assert "double_(-2.5)" not in done.text


STALLS = {
    "a loop that swallows everything": """
def double(x):
    while True:
        try:
            while True: pass
        except BaseException:
            pass
""",
    "output without end": "def double(x):\n    while True: print('spam' * 100)\n",
    "stderr without end": "import os\ndef double(x):\n    for _ in range(3000): os.write(2, b'spam' * 999)\n",
    "memory of results": "def double(x):\n    return 'x' * 50_000_000\n",
    "a value that never ends": "def double(x):\n    a = []; a.append(a); return a\n",
    "a generator without end": "def double(x):\n    while True: yield x\n",
}


@pytest.mark.parametrize("stall", STALLS)
def test_a_stall_costs_its_own_check_alone(stall: str, tmp_path: Path) -> None:
    done = run(STALLS[stall], HONEST, "CHECK", STALLS[stall], "CHECK", HONEST, folder=tmp_path, timeout=4)
    assert done.marks == (3.0, 0.0, 3.0), done.flags
    assert len(done.text) < 300_000


def test_a_patch_is_flagged_in_every_cell_that_it_reaches(tmp_path: Path) -> None:
    done = run(HONEST, "CHECK", "Exercise.close = lambda *a, **k: None", "CHECK", folder=tmp_path)
    assert done.marks == (3.0, 0.0, 0.0)
    for name in ("double-2", "double-3"):
        assert any(flag.startswith(f"{name}: points withheld") for flag in done.flags)
    assert not any(flag.startswith("double-1") for flag in done.flags)


def test_the_next_submission_is_not_touched(tmp_path: Path) -> None:
    run("import builtins; builtins.float = int; import atexit; atexit.register(print, 3.0)", folder=tmp_path)
    done = run(HONEST, folder=tmp_path)
    assert (done.marks, done.flags) == ((3.0,), ())


def test_the_check_is_what_the_course_tests_with() -> None:
    assert HIDDEN in CHECK
