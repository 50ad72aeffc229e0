"""The environment variables that notebooks are graded in."""

import os

from mmdl_course.grading.kernels.sandbox import THREADS

__all__ = ["kernel_environment"]

# What a kernel may know of the grader's environment. Tokens and passwords are not in it.
_PASSED_ON = (
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_",
    "TZ",
    "TMPDIR",
    "VIRTUAL_ENV",
    "CONDA_",
    "LD_LIBRARY_PATH",
)


def kernel_environment(*, seed: int) -> dict[str, str]:
    """The environment that a kernel is graded in.

    Args:
        seed: the grading seed; hidden tests draw their worlds from it.

    Returns:
        A few of the grader's own variables, one thread each, and the course's MMDL_SEED and MMDL_BUDGET.
    """
    passed = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    return {
        **passed,
        **dict.fromkeys(THREADS, "1"),
        "MMDL_SEED": str(seed),
        "MMDL_BUDGET": "grading",
        "NBGRADER_EXECUTION": "autograde",
        "MPLBACKEND": "agg",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
