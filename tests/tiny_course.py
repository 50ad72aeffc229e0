"""A course of one small week, for tests that build, audit and grade."""

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

SYLLABUS = """
[course]
title = "A tiny course"

[[week]]
id = "week01"
folder = "week01_tiny"
status = "ready"
title = "Twice as much"
question = "What is two times three?"
deck = "A1"
minutes = 10
goals = ["double a number"]

[[week.exercise]]
id = "double"
title = "Double it"
difficulty = 1
minutes = 5
points = 3
"""

LESSON = '''# %% [markdown]
"""
{{week}}
"""

# %%
from mmdl_course.checks import Exercise

# %% tags=["demo"]
slow = "a demonstration"

# %% [markdown]
"""
{{exercise:double}}

Write `double`.
"""

# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(x: float) -> float:
    """Twice x."""
    ### BEGIN SOLUTION
    twofold = x + x  # the secret of doubling
    return twofold
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "double-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("double", points=3)
double_ = exercise.student()

with exercise.check("two times three is six", points=1, hint="Add the number to itself."):
    exercise.close(double_(3.0), 6.0, atol=1e-9)

### BEGIN HIDDEN TESTS
with exercise.check("negative numbers work, too", points=2, hint="No absolute value is needed."):
    exercise.close(double_(-2.5), -5.0, atol=1e-9)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

What is 3 + 3?
</details>
"""
'''  # noqa: E501 (jupytext keeps a cell's options in one line)


def make_course(root: Path, *, lesson: str = LESSON, syllabus: str = SYLLABUS) -> Path:
    """Write a course root: configuration, registry, README and one lesson."""
    root.mkdir(parents=True, exist_ok=True)
    for name in ("jupyter_config.py", "nbgrader_config.py"):
        shutil.copy(REPOSITORY / name, root / name)
    (root / "syllabus.toml").write_text(syllabus, encoding="utf-8")
    (root / "README.md").write_text("# Tiny\n\n<!-- syllabus -->\n<!-- /syllabus -->\n", encoding="utf-8")
    write_lesson(root, lesson)
    return root


def write_lesson(root: Path, lesson: str) -> Path:
    """Write the tiny week's lesson."""
    path = root / "solutions" / "week01_tiny" / "week01_tiny.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lesson, encoding="utf-8")
    return path


SUBMISSIONS = '''
WHEATS = {
    "by_product": """
def double(x):
    return 2 * x
""",
    "by_lambda": """
double = lambda x: x * 2
""",
}

CHAFFS = {
    "square": dict(expects=("two times three", "Add the number to itself"), source="""
def double(x):
    return x * x
"""),
    "absolute": dict(expects=("negative numbers", "absolute"), source="""
def double(x):
    return abs(x + x)
"""),
    "prints": dict(expects=("two times three", "Add"), source="""
def double(x):
    print(x + x)
"""),
    "crash": dict(expects=("two times three", "ZeroDivisionError"), source="""
def double(x):
    return x / 0
"""),
    "triple": dict(expects=("negative", "absolute"), source="""
def double(x):
    return 3 * x
"""),
}
'''


def write_submissions(root: Path, text: str = SUBMISSIONS) -> Path:
    """Write the tiny week's wheats and chaffs."""
    path = root / "tests" / "submissions" / "week01_tiny" / "double.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
