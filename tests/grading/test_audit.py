import json
import subprocess
import sys

import pytest
import tiny_course as tiny

from mmdl_course.course import CourseError, load_course
from mmdl_course.grading import audit as audit_module
from mmdl_course.grading.audit import audit_weeks
from mmdl_course.grading.restore import restored_release
from mmdl_course.grading.submissions import read_submissions
from mmdl_course.grading.verdicts import Run, judge

FIELDS = {"week", "exercise", "variant", "kind", "seed", "score", "max_score", "messages"}


def make(root, *, submissions=tiny.SUBMISSIONS, lesson=tiny.LESSON):
    tiny.make_course(root, lesson=lesson)
    tiny.write_submissions(root, submissions)
    return load_course(root)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """One audit of a sound course: its exit status, what it printed goes to the log, its runs."""
    root = tmp_path_factory.mktemp("sound")
    course = make(root)
    status = audit_weeks(course, [], seeds=4, json_file=root / "audit.json")
    return status, json.loads((root / "audit.json").read_text(encoding="utf-8"))


def test_a_sound_course_passes(sound):
    status, _ = sound
    assert status == 0


def test_the_json_has_one_object_per_run(sound):
    _, runs = sound
    assert all(set(run) == FIELDS for run in runs)
    counts = {
        kind: sum(run["kind"] == kind for run in runs) for kind in ("reference", "wheat", "chaff", "empty")
    }
    assert counts == {"reference": 4, "wheat": 2 * 4, "chaff": 5 * 3, "empty": 1}
    assert [run["kind"] for run in runs][:4] == ["reference"] * 4  # in the order of the table
    assert sorted({run["seed"] for run in runs}) == [1, 2, 3, 4]


def test_scores_are_those_that_nbgrader_gives(sound):
    _, runs = sound
    scores = {run["variant"]: run["score"] for run in runs}
    assert scores == {
        "reference": 3, "by_product": 3, "by_lambda": 3,
        "square": 0, "absolute": 1, "prints": 0, "crash": 0, "triple": 0, "empty": 0,
    }  # fmt: skip
    assert {run["max_score"] for run in runs} == {3}


def test_messages_are_what_a_student_reads(sound):
    _, runs = sound
    absolute = next(run for run in runs if run["variant"] == "absolute")
    assert len(absolute["messages"]) == 1
    assert absolute["messages"][0].startswith("negative numbers work, too [wrong]: ")
    assert "No absolute value is needed" in absolute["messages"][0]
    assert next(run for run in runs if run["variant"] == "reference")["messages"] == []


FAULTY = """
WHEATS = {
    "wrong_after_all": "def double(x):\\n    return 2 * x + 1",
    "noisy_import": "import sys\\nprint('hello', file=sys.stderr)\\ndef double(x):\\n    return 2 * x",
}
CHAFFS = {
    "not_a_mistake": dict(expects=("two times", "Add"), source="def double(x):\\n    return x + x"),
    "unnamed": dict(expects=("negative", "the moon"), source="def double(x):\\n    return x * x"),
    "another_check": dict(expects=("three", "Add"), source="def double(x):\\n    return abs(2 * x)"),
    "endless": dict(expects=("two", "x"), source="while True:\\n    pass"),
    "dead": dict(expects=("two", "x"), source="import os, signal\\nos.kill(os.getpid(), signal.SIGKILL)"),
}
"""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """One audit in which everything is wrong that can be: what it says, line by line."""
    root = tmp_path_factory.mktemp("faulty")
    lesson = tiny.LESSON.replace("exercise.close(double_(3.0), 6.0, atol=1e-9)", "pass")
    course = make(root, submissions=FAULTY, lesson=lesson)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_module, "TIMEOUT", 3.0)
        status = audit_weeks(course, [], seeds=2, json_file=root / "a.json")
    return status, json.loads((root / "a.json").read_text(encoding="utf-8")), course


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("endless", "no result after 3 s"),
        ("dead", "its process was ended by SIGKILL"),
    ],
)
def test_a_child_that_hangs_or_dies_is_a_result(faulty, variant, words):
    _, runs, _ = faulty
    run = next(run for run in runs if run["variant"] == variant)
    assert run["score"] == 0
    assert words in run["messages"][0]


def test_a_faulty_course_fails(faulty):
    status, _, _ = faulty
    assert status == 1


def test_stderr_of_the_solution_cell_costs_nothing(faulty):
    _, runs, _ = faulty
    assert {run["score"] for run in runs if run["variant"] == "noisy_import"} == {3}


def complaints(capsys, course, seeds=1):
    status = audit_weeks(course, [], seeds=seeds, json_file=None)
    return status, capsys.readouterr().out


def test_each_fault_is_named(tmp_path, capsys):
    submissions = FAULTY.replace("while True:", "while False:").replace("signal.SIGKILL", "0")
    status, said = complaints(capsys, make(tmp_path, submissions=submissions))
    assert status == 1
    for words in (
        "wheat wrong_after_all: is not simply right: 0 of 3",
        "chaff not_a_mistake: keeps full marks",
        'chaff unnamed: its message should say "the moon"',
        'chaff another_check: a check called "…three…" should fail; these did: "negative numbers work',
    ):
        assert words in said
    assert "noisy_import:" not in said


def test_a_stub_that_earns_points_is_named(tmp_path, capsys):
    lesson = tiny.LESSON.replace("exercise.close(double_(3.0), 6.0, atol=1e-9)", "pass")
    status, said = complaints(capsys, make(tmp_path, lesson=lesson))
    assert status == 1
    assert 'empty: the stub earns 1 and is not simply "not attempted"' in said


def test_a_reference_that_stops_is_named(tmp_path, capsys):
    lesson = tiny.LESSON.replace(
        "from mmdl_course.checks import Exercise", "from mmdl_course.checks import Exercize"
    )
    status, said = complaints(capsys, make(tmp_path, lesson=lesson))
    assert status == 1
    assert "the reference stops in cell 2 (ImportError" in said


def test_demonstrations_are_skipped(tmp_path, capsys):
    lesson = tiny.LESSON.replace('slow = "a demonstration"', "1 / 0")
    status, said = complaints(capsys, make(tmp_path, lesson=lesson))
    assert status == 0, said


def test_a_worker_that_dies_is_named(tmp_path, capsys):
    lesson = tiny.LESSON.replace(
        "# %% tags", "# %%\nimport os\nprint('last words')\nos._exit(3)\n\n# %% tags"
    )
    status, said = complaints(capsys, make(tmp_path, lesson=lesson))
    assert status == 1
    assert "the audit's process died in cell 3" in said


def test_a_json_file_that_cannot_be_written_is_named(tmp_path):
    course = make(tmp_path)
    with pytest.raises(CourseError, match="Name a file that can be written"):
        audit_weeks(course, [], seeds=1, json_file=tmp_path)


def test_restoring_puts_hidden_tests_back_and_solutions_not(tmp_path):
    course = make(tmp_path)
    restored = restored_release(course, course.week("week01"))
    submitted = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in restored.submitted.cells
        if "nbgrader" in cell.metadata
    }
    assert "negative numbers work, too" in submitted["double-check"]
    assert "not attempted yet" in submitted["double"]


# the submissions' files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("WHEATS = {", "WHEATS = {(", "double.py:"),
        ("WHEATS = {", "WHEAT = {", "WHEATS is missing"),
        ('"by_lambda"', '"by_product"', "1 of at least 2 WHEATS: write 1 more"),
        ('"crash"', '"square"', "4 of at least 5 CHAFFS: write 1 more"),
        (
            'dict(expects=("two times three", "ZeroDivisionError"), ',
            "dict(",
            '"crash"] must be dict(expects=',
        ),
        ('("two times three", "ZeroDivisionError")', '"two times"', '"crash"]: expects must be'),
        ("return x / 0", "return x /", '"crash"]: line 3 of the source is not Python'),
        ("double = lambda x: x * 2", "# nothing", '"by_lambda"]: the source is empty'),
        ("WHEATS = {", "1 / 0\nWHEATS = {", "double.py does not run: ZeroDivisionError"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path, old, new, words):
    assert old in tiny.SUBMISSIONS
    course = make(tmp_path, submissions=tiny.SUBMISSIONS.replace(old, new, 1))
    _, wrong = read_submissions(course, course.week("week01"))
    assert len(wrong) == 1
    assert wrong[0].startswith("tests/submissions/week01_tiny/double.py")
    assert words in wrong[0]


def test_missing_and_unknown_files_are_named(tmp_path):
    course = make(tmp_path)
    path = tmp_path / "tests" / "submissions" / "week01_tiny" / "double.py"
    path.rename(path.with_name("treble.py"))
    _, wrong = read_submissions(course, course.week("week01"))
    assert "double.py is missing" in wrong[0]
    assert "treble.py: week01 has no such exercise. Known: double." in wrong[1]


# verdicts ------------------------------------------------------------------------------------------------


def run(kind, *, seed=1, score=3.0, failed=()):
    return Run("week01", "double", "it", kind, seed, score, 3.0, tuple(failed))


def test_one_bad_seed_of_many_is_enough():
    runs = [run("wheat", seed=seed, score=3.0 - (seed == 7)) for seed in range(1, 21)]
    (judged,) = judge(runs, [])
    assert "is not simply right: 2 of 3" in judged.complaints[0]
    assert "(seed 7; 1 of 20 runs)" in judged.complaints[0]


def test_a_correct_answer_passes_the_checks_without_points_too():
    informs = [("only informs", "wrong", "no")]
    assert judge([run("wheat", failed=informs)], [])[0].complaints


def test_the_stub_must_be_not_attempted_everywhere():
    missing = [("a", "not attempted", ""), ("b", "not attempted", "")]
    assert judge([run("empty", score=0.0, failed=missing)], [])[0].complaints == ()
    crashed = [("a", "not attempted", ""), ("b", "crashed", "")]
    assert judge([run("empty", score=0.0, failed=crashed)], [])[0].complaints


# the shell that stands for a kernel -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("1.5", ["execute_result"]),
        ("1.5;", []),
        ("print(1)\nprint(2)", ["stdout"]),
        ("import sys; print(1, file=sys.stderr)", ["stderr"]),
        ("import os\n_ = os.write(2, b'from C')", ["stderr"]),
        ("1 / 0", ["error"]),
        ("x =", ["error"]),
        (
            "from IPython.display import HTML, display\ndisplay(HTML('a'))\n2.0",
            ["display_data", "execute_result"],
        ),
        ("import asyncio\nawait asyncio.sleep(0)\n3", ["execute_result"]),
        ("import warnings\nwarnings.warn('look')", ["stderr"]),
    ],
)
def test_outputs_are_a_kernels(source, kinds):
    code = f"""
import json
from mmdl_course.grading.shell import make_shell
print(json.dumps([out.get("name", out["output_type"]) for out in make_shell().run({source!r})]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == kinds
