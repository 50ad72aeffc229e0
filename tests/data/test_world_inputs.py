import numpy as np
import pytest
import torch

from mmdl_course.data.world.inputs import (
    check_between,
    check_count,
    check_generator,
    check_names,
    index_of,
)

NAMES = ("red", "blue")


def test_good_input_passes():
    check_names("colours", ["red", "blue"], NAMES, "colour")
    check_names("colours", (), NAMES, "colour")
    check_count("size", np.int64(3))
    check_count("count", 0, least=0)
    check_between("severity", np.float32(0.5), 0, 1)
    check_between("severity", 1, 0, 1)
    check_generator(torch.Generator())
    assert index_of("blue", NAMES, "colour") == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: check_names("colours", "red", NAMES, "colour"),
            r"colours takes a sequence.*write \('red',\)",
        ),
        (lambda: check_names("colours", 3, NAMES, "colour"), r"not 3: write \('red',\)"),
        (lambda: check_names("colours", ["red", "red"], NAMES, "colour"), "names 'red' twice"),
        (
            lambda: check_names("colours", ["mauve"], NAMES, "colour"),
            "no colour is called 'mauve'; there are red, blue",
        ),
        (lambda: check_names("colours", [3], NAMES, "colour"), "no colour is called '3'"),
        (lambda: check_count("size", 32.0), r"size must be a whole number, not 32\.0"),
        (lambda: check_count("size", "32"), "size must be a whole number, not '32'"),
        (lambda: check_count("size", None), "size must be a whole number, not None"),
        (lambda: check_count("size", 0), "size must be at least 1, not 0"),
        (lambda: check_between("severity", 1.5, 0, 1), r"severity must lie in 0\.\.1, not 1\.5"),
        (lambda: check_between("severity", "high", 0, 1), "severity must be a number, not 'high'"),
        (lambda: check_between("severity", float("nan"), 0, 1), "not nan"),
        (lambda: check_between("scale", 0, 0, open_low=True), "scale must be more than 0 and finite, not 0"),
        (lambda: check_between("scale", float("inf"), 0), "not inf"),
        (
            lambda: check_between("elevation", 0, 0, 90, open_low=True),
            r"elevation must lie in \(0, 90\], not 0",
        ),
        (lambda: check_between("yaw", float("inf"), -float("inf")), "yaw must be finite, not inf"),
        (lambda: check_generator(3), r"manual_seed\(0\), not int"),
        (lambda: check_generator(None), "not NoneType"),
        (lambda: check_generator(np.random.default_rng(0)), "must be a torch.Generator.*not Generator"),
    ],
)
def test_bad_input_is_named_with_what_would_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
