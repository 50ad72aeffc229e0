import pytest

RETURN = "def task(x=None):\n    return {}"


def returning(one, value, claim):
    """A check with this claim about `got`, where the student's function returns this value."""
    return one(f"got = call()\nexercise.{claim}", RETURN.format(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1.5", "1.5"),
        ("np.float64(1.5)", "1.5"),
        ("np.float32(1.5)", "torch.tensor(1.5)"),
        ("torch.tensor(1.5, dtype=torch.bfloat16)", "1.5"),
        ("torch.tensor(1.5, dtype=torch.float64)", "np.float16(1.5)"),
        ("torch.tensor(1.5, requires_grad=True) * 1", "1.5"),
        ("torch.tensor([1.5])", "1.5"),
        ("np.array([[1.5]])", "torch.tensor(1.5)"),
        ("np.arange(3)", "torch.tensor([0.0, 1.0, 2.0])"),
        ("torch.arange(3)", "np.arange(3)"),
        ("[0, 1, 2]", "np.arange(3)"),
        ("[torch.tensor(0.0), torch.tensor(1.0)]", "[0, 1]"),
        ("[[torch.ones((), requires_grad=True)]]", "[[1.0]]"),
        ("(0, 1, 2)", "[0.0, 1.0, 2.0]"),
        ("torch.eye(2).to_sparse()", "np.eye(2)"),
        ("1 + 2j", "torch.tensor(1 + 2j)"),
        ("math.inf", "float('inf')"),
        ("10**5000", "10**5000"),
        ("(torch.zeros(2), torch.ones(3))", "(np.zeros(2), np.ones(3))"),
        ("{'mean': 0.0, 'std': torch.ones(2)}", "{'mean': 0, 'std': np.ones(2)}"),
        ("np.array([True, False])", "torch.tensor([True, False])"),
        ("1.05", "1.0"),
    ],
)
def test_close_across_libraries(one, value, expected):
    result = returning(one, value, f"close(got, {expected}, atol=0.1)")
    assert result.state == "passed", result.message


@pytest.mark.parametrize(
    ("value", "expected", "words"),
    [
        ("1.3", "1.0", "It is off by 0.3"),
        ("torch.ones(3, 1)", "torch.ones(3)", "The shape is (3, 1), expected (3,)"),
        ("1.0", "torch.ones(1)", "The shape is (), expected (1,)"),
        ("1.0", "torch.ones(3)", "The shape is (), expected (3,)"),
        ("torch.ones(3)", "1.0", "The shape is (3,), expected ()"),
        ("math.nan", "1.0", "It is NaN (not a number)"),
        ("torch.tensor([1.0, math.nan])", "[1.0, 1.0]", "1 of 2 values are NaN"),
        ("math.nan", "math.nan", "NaN"),
        ("1.0", "math.nan", "The value it is compared with is NaN"),
        ("math.inf", "1.0", "off by inf"),
        ("-math.inf", "math.inf", "off by inf"),
        ("True", "1.0", "It is True or False where a number is expected"),
        ("torch.tensor([True])", "[1.0]", "A comparison (`==`, `<`) was returned"),
        ("None", "1.0", "The function ends without `return`"),
        ("0.5", "True", "It is a number where True or False is expected"),
        ("'1.0'", "1.0", "It is a string, not a number"),
        ("task", "1.0", "It is a function, not a number or an array of numbers"),
        ("[[1], [2, 3]]", "[1.0, 2.0]", "whose entries differ in shape"),
        ("10**400", "1.0", "too large for a float"),
        ("10**400", "10**400 + 5", "It is off by 5"),
        (
            "torch.tensor([[1.0, 2.0], [3.0, 9.0]])",
            "[[1, 2], [3, 4]]",
            "the farthest, [1, 1], is 9.0 instead of 4.0",
        ),
        ("(1.0, torch.ones(2))", "(1.0, torch.ones(3))", "The shape of entry [1] is (2,), expected (3,)"),
        ("(torch.ones(2),)", "(torch.ones(2), torch.ones(2))", "It has 1 entry, expected 2"),
        ("{'mean': 0.0}", "{'mean': 0.0, 'std': 1.0}", "It has the keys ['mean'], expected ['mean', 'std']"),
        ("1.0", "{'mean': 0.0}", "It is a float, not a dict"),
        ("1.0", "(torch.ones(2), 1)", "It is a float, not a tuple"),
    ],
)
def test_close_refuses(one, value, expected, words):
    result = returning(one, value, f"close(got, {expected}, atol=0.1)")
    assert result.state == "wrong"
    assert words in result.message


def test_values_that_differ_late_are_shown_with_enough_digits(one):
    message = returning(one, "1.00000012", "close(got, 1.0, atol=1e-9)").message
    assert "Returned: 1.00000012\n" in message


def test_relative_tolerance_and_its_reason(one):
    assert returning(one, "104.0", "close(got, 100.0, atol=0, rtol=0.05)").state == "passed"
    result = returning(one, "106.0", "close(got, 100.0, atol=0.5, rtol=0.05, why='20,000 samples')")
    assert "Expected: 100.0, give or take 0.5 plus 5 % (20,000 samples)" in result.message


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3", "3"),
        ("3.0", "3"),
        ("np.int64(3)", "3"),
        ("torch.tensor(3)", "3"),
        ("np.True_", "True"),
        ("[1, 'a']", "(1, 'a')"),
        ("{'a': [1, 2]}", "{'a': (1, 2)}"),
        ("{1, 2}", "{2, 1}"),
        ("torch.arange(3)", "np.arange(3)"),
        ("'isomap'", "'isomap'"),
        ("2795520", "2795520"),
        ("torch.ones(2, 3).shape", "(2, 3)"),
    ],
)
def test_equal(one, value, expected):
    result = returning(one, value, f"equal(got, {expected})")
    assert result.state == "passed", result.message


@pytest.mark.parametrize(
    ("value", "expected", "words"),
    [
        ("4", "3", "It is not the same"),
        ("True", "1", "It is True or False"),
        ("1", "True", "It is an int"),
        ("None", "3", "The function ends without `return`"),
        ("[1, 2]", "[1, 2, 3]", "It has 2 entries, expected 3"),
        ("[1, 5]", "[1, 2]", "Entry [1] is not the same"),
        ("'3'", "3", "It is a str"),
        ("type('Equal', (), {'__eq__': lambda self, other: True})()", "3", "It is an Equal"),
        ("{1, 2, 4}", "{1, 2, 3}", "Missing: {3}; not expected: {4}"),
        ("torch.tensor([0.0, math.nan])", "[0.0, math.nan]", "NaN"),
        ("torch.tensor([1, 2])", "torch.tensor([[1, 2]])", "The shape is (2,), expected (1, 2)"),
        ("'Isomap'", "'isomap'", "Expected: 'isomap'"),
    ],
)
def test_equal_refuses(one, value, expected, words):
    result = returning(one, value, f"equal(got, {expected})")
    assert result.state == "wrong"
    assert words in result.message


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("torch.ones(2, 3)", "(2, 3)"),
        ("np.ones((2, 3))", "(None, 3)"),
        ("1.0", "()"),
        ("torch.ones(0)", "[0]"),
    ],
)
def test_shape(one, value, shape):
    assert returning(one, value, f"shape(got, {shape})").state == "passed"


@pytest.mark.parametrize(
    ("value", "shape", "words"),
    [
        ("torch.ones(2, 3)", "(3, 2)", "The shape is (2, 3), expected (3, 2)"),
        ("torch.ones(2)", "(None, 2)", "The shape is (2,), expected (any, 2)"),
        ("None", "(2,)", "The function ends without `return`"),
        ("[1, 2]", "(2,)", "It is a list, not a tensor or array"),
    ],
)
def test_shape_refuses(one, value, shape, words):
    result = returning(one, value, f"shape(got, {shape})")
    assert result.state == "wrong"
    assert words in result.message


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ("torch.ones(2)", "torch.float32"),
        ("np.ones(2)", "np.float64"),
        ("np.ones(2)", "np.dtype('float64')"),
        ("np.ones(2)", "'float64'"),
        ("torch.arange(2)", "'int64'"),
        ("np.float32(1)", "np.float32"),
    ],
)
def test_dtype(one, value, dtype):
    assert returning(one, value, f"dtype(got, {dtype})").state == "passed"


@pytest.mark.parametrize(
    ("value", "dtype", "words"),
    [
        (
            "torch.ones(2).double()",
            "torch.float32",
            "It is a tensor of dtype float64, expected a tensor of dtype float32",
        ),
        (
            "np.ones(2, np.float32)",
            "torch.float32",
            "It is an array of dtype float32, expected a tensor of dtype float32",
        ),
        (
            "torch.ones(2)",
            "np.float32",
            "It is a tensor of dtype float32, expected an array of dtype float32",
        ),
        ("1.0", "'float32'", "It is a float, which has no dtype"),
    ],
)
def test_dtype_refuses(one, value, dtype, words):
    result = returning(one, value, f"dtype(got, {dtype})")
    assert result.state == "wrong"
    assert words in result.message


@pytest.mark.parametrize(
    ("value", "claim", "words"),
    [
        ("torch.tensor([1.0, math.inf])", "finite(got)", "1 of 2 values are infinite"),
        ("math.nan", "finite(got)", "It is NaN"),
        ("True", "finite(got)", "It is True or False, not a number"),
        ("None", "finite(got)", "It is None"),
        ("None", "finite_nonzero(got)", "cuts the gradient off"),
        ("torch.zeros(3)", "finite_nonzero(got)", "Every value is exactly zero"),
        ("math.nan", "finite_nonzero(got)", "It is NaN"),
        ("0", "true(got > 1, 'it must be larger than one')", "It must be larger than one."),
        ("None", "true(got, 'it must hold')", "It must hold."),
        ("0", "true(got, 'parameters() is empty')", "Problem: parameters() is empty."),
        ("torch.ones(3)", "true(got > 0, 'all must hold')", "the condition has no single truth value"),
        ("math.nan", "true(got < 1, 'it must be smaller')", "It must be smaller"),
    ],
)
def test_finite_and_true_refuse(one, value, claim, words):
    result = returning(one, value, claim)
    assert result.state == "wrong"
    assert words in result.message


@pytest.mark.parametrize(
    ("value", "claim"),
    [
        ("torch.ones(3)", "finite(got)"),
        ("0.0", "finite(got)"),
        ("[0.0, 1.0]", "finite_nonzero(got)"),
        ("torch.tensor([True])", "true(got, '')"),
        ("np.float64(2)", "true(got > 1, '')"),
    ],
)
def test_finite_and_true(one, value, claim):
    assert returning(one, value, claim).state == "passed"


REFUSE = "def task(x):\n    if x < 0:\n        raise ValueError('negative')\n    return x"


@pytest.mark.parametrize(
    ("claim", "state", "words"),
    [
        ("raises(ValueError, call, -1)", "passed", ""),
        ("raises(Exception, call, x=-1)", "passed", ""),
        ("raises(ValueError, call, 1)", "wrong", "It returned a value instead of raising ValueError"),
        ("raises(KeyError, call, -1)", "wrong", "It raised ValueError: negative"),
    ],
)
def test_raises(one, claim, state, words):
    result = one(f"exercise.{claim}", REFUSE)
    assert result.state == state
    assert words in result.message


def test_a_stub_does_not_pass_for_a_refusal(one):
    result = one("exercise.raises(Exception, call, 1)", "def task(x):\n    raise NotImplementedError")
    assert result.state == "not attempted"


def test_the_expected_number_is_told_as_exactly_as_it_is_asked_for(one):
    result = returning(one, "1355.16", "close(got, 473479.24, atol=0.01)")
    assert "473479.24, give or take 0.01" in result.message
