import re

import pytest

from mmdl_course.checks import ChecksError, Exercise, Result

RIGHT = "def task(x):\n    return 2 * x"

TWO = """
exercise = Exercise("task", points={points})
call = exercise.student()
with exercise.check("first", points={first}):
    exercise.close(call(1.0), 2.0, atol=0)
with exercise.check("second", points={second}):
    exercise.close(call(3.0), {expected}, atol=0)
score = exercise.report()
"""


def test_all_checks_run_and_the_sum_is_a_plain_float(notebook):
    notebook.cell("def task(x):\n    return x + 3")
    notebook.cell(TWO.format(points=3, first=1, second=2, expected=6.0))
    exercise = notebook.names["exercise"]
    assert [(result.state, result.earned) for result in exercise.results] == [("wrong", 0.0), ("passed", 2.0)]
    assert type(notebook.names["score"]) is float
    assert notebook.names["score"] == exercise.earned == 2.0


def test_the_sum_has_no_dust_of_float_addition(notebook):
    notebook.cell(RIGHT)
    notebook.cell(TWO.format(points=0.3, first=0.1, second=0.2, expected=6.0))
    assert notebook.names["score"] == 0.3


def test_a_failed_check_says_what_was_called_returned_expected_and_why(one):
    result = one(
        "exercise.close(call(3.0), 6.0, atol=1e-3, why='float32 rounds')",
        "def task(x):\n    return x + 2",
        hint="Twice, not plus two.",
    )
    assert result.state == "wrong"
    assert result.message.splitlines() == [
        "Called: task(x=3.0)",
        "Returned: 5.0",
        "Expected: 6.0, give or take 0.001 (float32 rounds)",
        "Problem: It is off by 1.0.",
        "Likely cause: Twice, not plus two.",
    ]


def test_the_call_shown_is_the_one_that_returned_the_value(one):
    result = one(
        "exercise.close(call(1.0), call(4.0), atol=0.1)",
        "def task(x):\n    return x",
    )
    assert "Called: task(x=1.0)" in result.message
    assert "what `task` returned for the other input" in result.message


def test_a_value_computed_from_the_return_value_is_shown_beside_it(one):
    result = one("exercise.close(call(3.0) / 10, 1.0, atol=0)", RIGHT)
    assert "Returned: 6.0\nGot: 0.6\nExpected: 1.0" in result.message


def test_long_arguments_get_a_line_each(one):
    result = one("exercise.true(call(torch.zeros(40, 50), torch.ones(7, 9)), 'no')", "def task(a, b): pass")
    assert (
        "Called: task(a, b) with\n    a = float32 tensor of shape (40, 50), all 0.0\n    b = "
        in result.message
    )


def test_a_crash_names_the_exception_and_the_students_line(one):
    result = one("call(0)", "def half(x):\n    return 1 / x\n\ndef task(x):\n    return half(x)")
    assert result.state == "crashed"
    assert "Called: task(x=0)" in result.message
    assert "Stopped with: ZeroDivisionError: division by zero" in result.message
    assert "In: half, line 2: return 1 / x" in result.message
    assert "<cell" not in result.message


def test_a_frequent_crash_gets_its_likely_cause(one):
    result = one("call(torch.ones(2, 3))", "def task(x):\n    return x @ x", hint="Think of pairs.")
    assert "Likely cause: A matrix product needs (n, k) @ (k, m)" in result.message
    assert "Hint: Think of pairs." in result.message


def test_an_exception_that_cannot_be_shown_is_still_a_crash(one):
    student = """
    class Odd(Exception):
        def __str__(self):
            raise ValueError

    def task(x):
        raise Odd
    """
    result = one("call(1)", student, hint="A hint is no likely cause of a crash.")
    assert "Stopped with: Odd\nIn: task, line 7: raise Odd\nHint: A hint" in result.message


def test_an_object_that_says_itself_what_it_holds_is_no_number(one):
    student = """
    class Odd:
        def __array__(self, *args, **kwargs):
            raise TypeError("no")

    def task(x):
        return Odd()
    """
    result = one("exercise.close(call(1), 1.0, atol=0)", student)
    assert result.state == "wrong"
    assert "Returned: " in result.message
    assert "an Odd, not a number" in result.message


def test_parameters_that_differ_from_the_task(one):
    result = one("call(1, 2)", "def task(x):\n    return x")
    assert "Called: task(1, 2)" in result.message
    assert "Likely cause: The parameters differ from the ones in the task" in result.message


def test_the_same_crash_is_told_once(notebook):
    notebook.cell("def task(x):\n    return undefined * x")
    notebook.cell(TWO.format(points=3, first=1, second=2, expected=6.0))
    first, second = notebook.names["exercise"].results
    assert "Called: task(x=1.0)" in first.message
    assert "name 'undefined' is not defined" in first.message
    assert second.state == "crashed"
    assert "NameError, as in “first”" in second.message


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("", "`task` does not exist in this notebook yet"),
        (
            "def task(x):\n    # YOUR CODE HERE\n    raise NotImplementedError('not attempted yet')",
            "`task` is not",
        ),
        (
            "def part(x):\n    raise NotImplementedError\n\ndef task(x):\n    return part(x)",
            "`task` calls `part`, which is not written yet",
        ),
        (
            "class task:\n    def __init__(self, x):\n        raise NotImplementedError",
            "`task.__init__` is not written yet",
        ),
    ],
)
def test_not_attempted(one, student, words):
    result = one("call(1)", student)
    assert (result.state, result.score) == ("not attempted", 0.0)
    assert words in result.message


def test_an_error_of_torch_is_a_crash_even_when_it_is_a_not_implemented_error(one):
    result = one("call()(torch.ones(1))", "class task(nn.Module): pass")
    assert result.state == "crashed"
    assert "forward" in result.message


@pytest.mark.parametrize(
    ("student", "cause"),
    [
        ("return torch.lerp(torch.tensor(1), torch.tensor(2), 0.5)", "does not know the dtype"),
        (
            "w = torch.ones(2, requires_grad=True)\n    y = w.exp()\n    y += 1\n    y.sum().backward()",
            "`y = y + …` instead of `y += …`",
        ),
        (
            "layer = nn.Linear(2, 2)\n    layer.weight += torch.ones(2, 2, requires_grad=True) * 2",
            "use `torch.no_grad()`",
        ),
        (
            "layer = nn.Linear(2, 2)\n    layer.weight = layer.weight * 2",
            "only an `nn.Parameter` fits",
        ),
        (
            "w = nn.Linear(1, 1).requires_grad_(False)\n    w.weight += torch.ones(1, requires_grad=True)",
            "carries a gradient",
        ),
    ],
)
def test_what_torch_says_of_gradients_and_dtypes_is_put_in_plain_words(one, student, cause):
    result = one("call(1)", f"def task(x):\n    {student}")
    assert result.state == "crashed"
    assert cause in result.message


def test_a_missing_name_in_the_check_itself_is_not_attempted(one):
    result = one("exercise.true(model is not None, '')")
    assert result.state == "not attempted"
    assert "`model` does not exist" in result.message


def test_a_name_that_now_means_something_else(one):
    result = one("call(1)", "task = 3.5")
    assert result.state == "wrong"
    assert "`task` is 3.5, not a function" in result.message
    assert "gave the name `task` to something else" in result.message


def test_a_changed_argument_is_the_likely_cause(one):
    result = one(
        "x = torch.ones(3)\nexercise.close(call(x), x, atol=0)\nexercise.close(call(x), [1, 1, 1], atol=0)",
        "def task(x):\n    x += 1\n    return x",
        hint="The author's hint.",
    )
    assert "`task` changed its argument `x` in place" in result.message
    assert "Hint: The author's hint." in result.message
    assert "Called: task(x=tensor([2.0, 2.0, 2.0]))" in result.message  # as the function found it


def test_students_code_that_quits_python(one):
    result = one("call(1)", "def task(x):\n    sys.exit(0)")
    assert result.state == "crashed"
    assert "asked Python to quit" in result.message


def test_a_plain_assert_is_wrong_not_crashed(one):
    result = one("assert call(1) == 5, 'two times one is two'", RIGHT)
    assert result.state == "wrong"
    assert "Called: task(x=1)\nReturned: 2\nProblem: Two times one is two." in result.message


def test_a_students_own_assert_is_a_crash(one):
    result = one("call(1)", "def task(x):\n    assert x > 2, 'too small'")
    assert result.state == "crashed"
    assert "AssertionError: too small" in result.message


def test_watch_records_what_a_students_object_does(one):
    result = one(
        "model = exercise.watch(call(), 'model')\nexercise.shape(model(torch.ones(2, 3)), (2, 5))",
        "def task():\n    return nn.Linear(3, 4)",
    )
    assert "Called: model(input=tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]))" in result.message
    assert "the shape is (2, 4), expected (2, 5)" in result.message.lower()


def test_watch_finds_a_name(one):
    student = """
    class task(nn.Module):
        def encode(self, x):
            return x[:1]
    """
    result = one("exercise.shape(exercise.watch(call().encode)(torch.ones(3)), (3,))", student)
    assert "Called: task.encode(x=tensor([1.0, 1.0, 1.0]))" in result.message


def test_many_calls_keep_few_copies(one, notebook):
    one("for n in range(100):\n    call(torch.ones(n))", "def task(x): pass")
    assert len(notebook.names["exercise"]._run.checks[0].calls) == 16


# stderr, warnings, interrupts -----------------------------------------------------------------------------


def test_stderr_and_warnings_become_notes(one, capfd):
    student = """
    import logging, os
    from tqdm import tqdm
    handler = logging.StreamHandler()
    def task(x):
        print("to stderr", file=sys.stderr)
        os.write(2, b"from a library in C")
        logging.getLogger("loud").addHandler(handler)
        logging.getLogger("loud").warning("from a logger")
        warnings.warn("mind the gap")
        for _ in tqdm(range(3)):
            pass
        return np.log(np.zeros(1)) * 0 + 2 * x
    """
    result = one("call(1)", student)
    out, err = capfd.readouterr()
    assert result.state == "passed"
    assert err == ""
    assert "Your code warned: UserWarning: mind the gap" in out
    assert "Your code warned: RuntimeWarning: divide by zero" in out
    assert "Your code wrote to stderr" in out


def test_displayhook_does_not_show_a_score(one, monkeypatch):
    shown = []
    monkeypatch.setattr("sys.displayhook", shown.append)
    assert one("call(1)", "def task(x):\n    sys.displayhook(2.0)\n    raise ValueError").score == 0.0
    assert shown == []


def test_an_interrupt_ends_the_remaining_checks(notebook):
    notebook.cell("called = []\ndef task(x):\n    called.append(x)\n    raise KeyboardInterrupt")
    notebook.cell(TWO.format(points=3, first=1, second=2, expected=6.0))
    first, second = notebook.names["exercise"].results
    assert (first.state, second.state) == ("crashed", "crashed")
    assert "it was interrupted" in first.message
    assert second.message == "Not run: the check “first” was interrupted."
    assert notebook.names["called"] == [1.0]


def test_an_endless_loop_costs_its_check_and_no_other(notebook):
    notebook.cell("def task(x):\n    while x > 2:\n        pass\n    return 2 * x")
    notebook.cell("""
    exercise = Exercise("task", points=3)
    call = exercise.student()
    with exercise.check("hangs", points=1, seconds=0.1):
        call(3)
    with exercise.check("returns", points=1):
        exercise.equal(call(1), 2)
    with exercise.check("hangs again", points=0.5, seconds=0.1):
        call(4)
    with exercise.check("is not run any more", points=0.5):
        exercise.equal(call(1), 2)
    score = exercise.report()
    """)
    results = notebook.names["exercise"].results
    assert [result.state for result in results] == ["crashed", "passed", "crashed", "crashed"]
    assert "took too long: stopped after 0.1 seconds" in results[0].message
    assert re.search(r"In: task, line [23]: ", results[0].message)
    assert results[3].message == "Not run: the checks “hangs” and “hangs again” took too long."


def test_an_endless_loop_cannot_swallow_the_alarm(one):
    student = """
    def task(x):
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                pass
    """
    assert one("call(1)", student, seconds=0.1).state == "crashed"


# randomness -----------------------------------------------------------------------------------------------

DRAWS = """
exercise = Exercise("task", points=3)
with exercise.check("first", points=1):
    one = exercise.draw(3), exercise.rng.random(), exercise.rotation(3)
{hidden}
with exercise.check("last", points=1):
    last = exercise.draw(3), exercise.rng.random(), torch.rand(1), np.random.rand()
exercise.report()
"""
HIDDEN = (
    'with exercise.check("hidden", points=1):\n    exercise.draw(50), torch.rand(3), exercise.rng.random()'
)


def test_a_seed_draws_the_same_numbers_with_and_without_the_hidden_checks(notebook):
    notebook.cell(DRAWS.format(hidden=HIDDEN))
    with_hidden = notebook.names["last"]
    notebook.cell(DRAWS.format(hidden=""))
    without = notebook.names["last"]
    assert with_hidden[0].equal(without[0])
    assert with_hidden[1:] == without[1:]


def test_another_seed_exercise_or_check_draws_other_numbers(notebook, monkeypatch):
    notebook.cell(DRAWS.format(hidden=""))
    first = notebook.names["one"][0]
    assert not first.equal(notebook.names["last"][0])
    monkeypatch.setenv("MMDL_SEED", "8")
    notebook.cell(DRAWS.format(hidden=""))
    assert not first.equal(notebook.names["one"][0])


def test_without_a_seed_in_the_environment_one_holds_for_the_process(notebook, monkeypatch):
    monkeypatch.delenv("MMDL_SEED")
    notebook.cell('seeds = Exercise("a", points=1).seed, Exercise("b", points=1).seed')
    assert len(set(notebook.names["seeds"])) == 1


def test_a_seed_that_is_no_number_is_named(monkeypatch):
    monkeypatch.setenv("MMDL_SEED", "today")
    with pytest.raises(ChecksError, match="MMDL_SEED is 'today'"):
        Exercise("task", points=1)


def test_checks_leave_the_global_generators_as_they_were(notebook):
    notebook.cell("torch.manual_seed(1); np.random.seed(1); before = torch.rand(1), np.random.rand()")
    notebook.cell("torch.manual_seed(1); np.random.seed(1)")
    notebook.cell(DRAWS.format(hidden=HIDDEN))
    notebook.cell("after = torch.rand(1), np.random.rand()")
    assert notebook.names["before"] == notebook.names["after"]


def test_a_rotation_preserves_lengths_and_orientation(notebook):
    notebook.cell(DRAWS.format(hidden=""))
    notebook.cell(
        "rotation = one[2].double(); product = rotation @ rotation.T; sign = torch.linalg.det(rotation)"
    )
    assert abs(notebook.names["product"].numpy() - [[1, 0, 0], [0, 1, 0], [0, 0, 1]]).max() < 1e-6
    assert abs(notebook.names["sign"].item() - 1) < 1e-6


# the author's mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('Exercise("", points=1)', "give the id"),
        ('Exercise("task", points=0)', "give a positive number"),
        ('Exercise("task", points=1).check("a", points=2)', "its checks have 2 points"),
        ('Exercise("task", points=1).check("a", points=-1)', "give zero or a positive number"),
        ('Exercise("task", points=1).check(" ", points=1)', "a check has no name"),
        (
            'e = Exercise("task", points=1)\ne.check("a", points=0)\ne.check("a", points=0)',
            'two checks are called "a"',
        ),
        ('e = Exercise("task", points=1)\ne.check("a", points=1)\ne.report()', "never ran: write `with"),
        ('Exercise("task", points=1).report()', "has no checks"),
        ('Exercise("task", points=1).close(1, 1, atol=0)', "belong inside"),
        ('Exercise("task", points=1).draw(3)', "belong inside"),
        ('Exercise("task", points=1).student()()', "belong inside"),
        (
            'e = Exercise("task", points=1)\ntask = e.student()\nwith e.check("a", points=1):\n    task()',
            "took the name `task` away from the student's work",
        ),
        (
            'e = Exercise("task", points=1)\nwith e.check("a", points=1):\n    e.close(1, 1, atol=-1)',
            "tolerances",
        ),
        (
            'e = Exercise("task", points=1)\nwith e.check("a", points=1):\n    e.report()',
            "stands inside check",
        ),
        (
            'e = Exercise("task", points=1)\n'
            'with e.check("a", points=1):\n    with e.check("b", points=0):\n        pass',
            '"b" stands inside check "a"',
        ),
        (
            'e = Exercise("task", points=1)\nc = e.check("a", points=1)\n'
            "with c:\n    pass\nwith c:\n    pass",
            "is entered twice",
        ),
    ],
)
def test_an_authors_mistake_stops_the_cell(notebook, source, words):
    with pytest.raises(ChecksError, match=words):
        notebook.cell(source)


# the report -----------------------------------------------------------------------------------------------


def test_missing_points_are_announced(notebook, capsys):
    notebook.cell(RIGHT)
    notebook.cell(TWO.format(points=5, first=1, second=2, expected=6.0))
    text = capsys.readouterr().out
    assert notebook.names["score"] == 3.0
    assert "task: 3 of 3 points" in text
    assert "2 more points are decided at grading, on fresh draws." in text
    assert "Seed 7" in text


@pytest.mark.parametrize(("expected", "score"), [(6.0, 5.0), (7.0, 1.0)])
def test_validation_asks_for_no_more_than_a_student_can_see(notebook, monkeypatch, expected, score):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    notebook.cell(RIGHT)
    notebook.cell(TWO.format(points=5, first=1, second=2, expected=expected))
    assert notebook.names["score"] == score


def test_nothing_attempted_is_said_once_and_gently(notebook, capsys):
    notebook.cell(TWO.format(points=3, first=1, second=2, expected=6.0))
    text = capsys.readouterr().out
    assert notebook.names["score"] == 0.0
    assert text.count("does not exist") == 1
    assert "wrong" not in text
    assert "not attempted yet (3 points to earn)" in text


def test_report_may_be_shown_again(notebook):
    notebook.cell(RIGHT)
    notebook.cell(TWO.format(points=3, first=1, second=2, expected=6.0))
    notebook.cell("again = exercise.report()")
    assert notebook.names["again"] == 3.0


def test_a_result_is_frozen():
    with pytest.raises(AttributeError):
        Result("a", 1.0, 1.0, "passed", "").earned = 2.0


def test_students_may_call_a_variable_exercise(one):
    assert one("exercise.equal(call(2), 4)", "exercise = display = 5\n" + RIGHT).score == 2.0
