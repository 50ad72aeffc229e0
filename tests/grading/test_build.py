import json
import shutil
import sqlite3
import subprocess
import sys

import pytest
import tiny_course as tiny

from mmdl_course.course import CourseError, load_course
from mmdl_course.grading import build as build_module
from mmdl_course.grading.build import build_weeks, ensure_source
from mmdl_course.grading.lesson import AuthoringError, read_lesson
from mmdl_course.grading.release import find_leaks, generate_assignment, secret_lines

NOTEBOOK = "notebooks/week01_tiny/week01_tiny.ipynb"
SOURCE = "build/source/week01_tiny/week01_tiny.ipynb"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tiny.make_course(tmp_path_factory.mktemp("built"))
    assert build_weeks(load_course(root), [], check=False) == 0
    return root


@pytest.fixture
def course(built, tmp_path):
    """A copy that a test may spoil; its sources and products are those of the first build."""
    root = tmp_path / "course"
    shutil.copytree(built, root)
    return load_course(root)


def cells(root, name=NOTEBOOK):
    return {cell["id"]: cell for cell in json.loads((root / name).read_text(encoding="utf-8"))["cells"]}


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_release_has_the_stub_and_no_secret(built):
    released = cells(built)
    assert 'raise NotImplementedError("not attempted yet")' in "".join(released["double"]["source"])
    assert "two times three is six" in "".join(released["double-check"]["source"])
    content = (built / NOTEBOOK).read_text(encoding="utf-8")
    for secret in ("secret of doubling", "twofold", "negative numbers", "HIDDEN", "BEGIN SOLUTION"):
        assert secret not in content
        assert secret in (built / SOURCE).read_text(encoding="utf-8")


def test_only_the_notebook_is_released(built):
    assert [path.name for path in (built / "notebooks").rglob("*") if path.is_file()] == [
        "README.md",
        "week01_tiny.ipynb",
    ]


def test_the_registry_speaks_in_the_notebook(built):
    released = cells(built)
    title = "".join(released["week01_tiny-001"]["source"])
    assert title.startswith("# Week 1: Twice as much\n")
    assert "Lecture: A1 · 10 minutes · 1 exercise · 3 points" in title
    assert "- double a number" in title
    heading = "".join(released["exercise-double"]["source"])
    assert heading.startswith("### Exercise 1 — Double it\n\n*Difficulty 1 of 5 · 5 minutes · 3 points*\n")


def test_notebooks_carry_a_kernel_and_tags_and_nothing_of_jupytext(built):
    notebook = json.loads((built / NOTEBOOK).read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "jupytext" not in json.dumps(notebook)
    assert cells(built)["week01_tiny-003"]["metadata"] == {"tags": ["demo"]}


def test_code_that_nobody_has_to_read_is_folded(tmp_path):
    assert '# %% tags=["demo"]' in tiny.LESSON
    lesson = tiny.LESSON.replace('# %% tags=["demo"]', '# %% tags=["demo", "hide-input"]')
    root = tiny.make_course(tmp_path, lesson=lesson)
    build_weeks(load_course(root), [], check=False)
    metadata = cells(root)["week01_tiny-003"]["metadata"]
    assert metadata == {"tags": ["demo", "hide-input"], "jupyter": {"source_hidden": True}}


def test_a_rebuild_gives_the_same_bytes(built, tmp_path):
    again = tiny.make_course(tmp_path / "elsewhere")
    build_weeks(load_course(again), [], check=False)
    for name in (NOTEBOOK, SOURCE, "notebooks/README.md", "README.md"):
        assert (again / name).read_bytes() == (built / name).read_bytes()


def test_the_pages_list_ready_and_planned_weeks(tmp_path):
    planned = (
        '\n[[week]]\nid = "exam"\nfolder = "exam"\ntitle = "Mock exam"\nquestion = "A or B?"\ndeck = "A7"\n'
    )
    course = load_course(tiny.make_course(tmp_path, syllabus=tiny.SYLLABUS + planned))
    build_weeks(course, [], check=False)
    page = (tmp_path / "notebooks" / "README.md").read_text(encoding="utf-8")
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "[Twice as much](week01_tiny/week01_tiny.ipynb)" in page
    assert "[Twice as much](notebooks/week01_tiny/week01_tiny.ipynb)" in readme
    assert "| exam | Mock exam *(planned)* | A or B? |" in readme
    assert readme.startswith("# Tiny\n")


def test_a_readme_without_markers_is_named(course):
    (course.root / "README.md").write_text("# Tiny\n")
    with pytest.raises(CourseError, match=r"README\.md lacks the lines <!-- syllabus -->"):
        build_weeks(course, [], check=False)


# incremental --------------------------------------------------------------------------------------------


def test_a_second_build_builds_nothing(course, monkeypatch, capsys):
    monkeypatch.setattr(build_module, "stage", lambda *_: pytest.fail("built again"))
    assert build_weeks(course, [], check=False) == 0
    assert "up to date" in capsys.readouterr().out


def test_an_up_to_date_build_loads_neither_nbgrader_nor_jupytext(course):
    code = (
        "import sys; from mmdl_course.course import load_course;"
        "from mmdl_course.grading.build import build_weeks; build_weeks(load_course(), [], check=False);"
        "print([name for name in ('nbgrader', 'jupytext', 'nbformat', 'torch') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=course.root, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", ["solutions/week01_tiny/week01_tiny.py", "jupyter_config.py"])
def test_a_changed_input_makes_it_stale(course, name):
    with (course.root / name).open("a") as file:
        file.write("\n# changed\n")
    before = (course.root / "build" / "stamps" / "week01_tiny.json").read_text()
    assert build_weeks(course, [], check=False) == 0
    assert (course.root / "build" / "stamps" / "week01_tiny.json").read_text() != before


def test_a_changed_registry_makes_it_stale(course):
    edit(course.root / "syllabus.toml", "minutes = 10", "minutes = 11")
    build_weeks(load_course(course.root), [], check=False)
    assert "11 minutes" in (course.root / NOTEBOOK).read_text(encoding="utf-8")


def test_a_missing_product_is_made_again(course, built):
    (course.root / NOTEBOOK).unlink()
    (course.root / SOURCE).unlink()
    build_weeks(course, [], check=False)
    assert (course.root / NOTEBOOK).read_bytes() == (built / NOTEBOOK).read_bytes()
    assert (course.root / SOURCE).read_bytes() == (built / SOURCE).read_bytes()


def test_ensure_source_builds_only_what_is_stale(course, monkeypatch):
    week = course.week("week01")
    path = ensure_source(course, week)
    assert path == course.root / SOURCE
    path.write_text("spoilt")
    assert "twofold" in ensure_source(course, week).read_text(encoding="utf-8")
    monkeypatch.setattr(build_module, "stage", lambda *_: pytest.fail("built again"))
    ensure_source(course, week)


# students' work ------------------------------------------------------------------------------------------


def attempt(path):
    edit(path, 'raise NotImplementedError(\\"not attempted yet\\")', "return x * 2  # mine")


def test_a_notebook_somebody_worked_in_is_left_as_it_is(course, capsys):
    attempt(course.root / NOTEBOOK)
    assert build_weeks(course, [], check=False) == 0
    assert "# mine" in (course.root / NOTEBOOK).read_text(encoding="utf-8")
    assert "has work in it, so it stays as it is" in capsys.readouterr().out


def test_even_a_new_version_does_not_overwrite_work(course, capsys):
    attempt(course.root / NOTEBOOK)
    edit(course.root / "solutions/week01_tiny/week01_tiny.py", "What is 3 + 3?", "What is 4 + 4?")
    for _ in range(2):
        assert build_weeks(course, [], check=False) == 0
        assert "# mine" in (course.root / NOTEBOOK).read_text(encoding="utf-8")
        assert "has work in it, so it stays as it is" in capsys.readouterr().out
    (course.root / NOTEBOOK).rename(course.root / "mine.ipynb")
    build_weeks(course, [], check=False)
    assert "4 + 4" in (course.root / NOTEBOOK).read_text(encoding="utf-8")


def git(root, *words):
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        cwd=root,
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("worked", [False, True])
def test_in_a_fresh_clone_a_stale_release_is_replaced_and_committed_work_is_not(course, worked):
    shutil.rmtree(course.root / "build")  # a clone has no stamps
    if worked:
        attempt(course.root / NOTEBOOK)
    git(course.root, "init")
    git(course.root, "add", ".")
    git(course.root, "commit", "-m", "all")
    edit(course.root / "solutions/week01_tiny/week01_tiny.py", "What is 3 + 3?", "What is 4 + 4?")
    build_weeks(course, [], check=False)
    assert ("4 + 4" in (course.root / NOTEBOOK).read_text(encoding="utf-8")) is not worked


# --check --------------------------------------------------------------------------------------------------


def test_check_is_content_with_a_fresh_build_and_changes_nothing(course, capsys):
    before = {path: path.stat().st_mtime_ns for path in course.root.rglob("*")}
    assert build_weeks(course, [], check=True) == 0
    assert {path: path.stat().st_mtime_ns for path in course.root.rglob("*")} == before
    assert "notebooks/ is what solutions/ gives" in capsys.readouterr().out


def spoil_edited(root):
    edit(root / NOTEBOOK, "two times three", "two times four")


def spoil_stale(root):
    edit(root / "solutions/week01_tiny/week01_tiny.py", "What is 3 + 3?", "What is 4 + 4?")


def spoil_missing(root):
    (root / NOTEBOOK).unlink()


def spoil_superfluous(root):
    (root / "notebooks" / "week01_tiny" / "solution.py").write_text("x = 1\n")


def spoil_page(root):
    (root / "notebooks" / "README.md").write_text("# hello\n")


def spoil_readme(root):
    edit(root / "README.md", "Twice as much", "Thrice as much")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_edited, f"{NOTEBOOK} has been edited by hand. Put the change into its lesson"),
        (spoil_stale, f"{NOTEBOOK} is stale"),
        (spoil_missing, f"{NOTEBOOK} is missing"),
        (spoil_superfluous, "notebooks/week01_tiny/solution.py comes from no lesson"),
        (spoil_page, "notebooks/README.md is stale"),
        (spoil_readme, "README.md is stale"),
    ],
)
def test_check_names_the_file_and_the_remedy(course, capsys, spoil, words):
    spoil(course.root)
    assert build_weeks(course, [], check=True) == 1
    assert words in capsys.readouterr().out


# what must not happen ------------------------------------------------------------------------------------


def test_a_mistake_stops_the_build_and_leaves_the_notebook(course, built):
    edit(course.root / "solutions/week01_tiny/week01_tiny.py", '"points": 3', '"points": 5')
    with pytest.raises(AuthoringError, match=r"week01_tiny\.py:\d+ \(double-check\)"):
        build_weeks(course, [], check=False)
    assert (course.root / NOTEBOOK).read_bytes() == (built / NOTEBOOK).read_bytes()


def test_secret_lines_are_those_of_solutions_and_hidden_tests(course):
    lesson, _ = read_lesson(course, course.week("week01"))
    assert secret_lines(lesson) == [
        "twofold = x + x  # the secret of doubling",
        "return twofold",
        'with exercise.check("negative numbers work, too", points=2, hint="No absolute value is needed."):',
        "exercise.close(double_(-2.5), -5.0, atol=1e-9)",
    ]


def test_a_line_that_students_get_anyway_is_no_secret(course):
    edit(course.root / "solutions/week01_tiny/week01_tiny.py", "What is 3 + 3?", "Write `return twofold`.")
    lesson, _ = read_lesson(course, course.week("week01"))
    assert "return twofold" not in secret_lines(lesson)


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("return twofold", "week01_tiny.ipynb"),
        ("return twofold", "other.md"),
        ("### BEGIN SOLUTION", "week01_tiny.ipynb"),
    ],
)
def test_a_planted_leak_is_found(course, line, where):
    lesson, _ = read_lesson(course, course.week("week01"))
    folder = course.root / "notebooks" / "week01_tiny"
    assert find_leaks(lesson, folder) == []
    with (folder / where).open("a", encoding="utf-8") as file:
        file.write(line)
    assert any(line.strip("# ") in leak for leak in find_leaks(lesson, folder))


def test_what_lies_beside_a_built_source_is_removed_before_nbgrader_copies_it(course):
    stray = course.root / "build" / "source" / "week01_tiny" / "week01_tiny.py"
    stray.write_text("secret = 1\n")
    edit(course.root / "solutions/week01_tiny/week01_tiny.py", "What is 3 + 3?", "What is 4 + 4?")
    build_weeks(course, [], check=False)
    assert not stray.exists()


def test_a_stub_that_does_not_raise_is_refused(course):
    edit(course.root / "jupyter_config.py", 'raise NotImplementedError("not attempted yet")', "return None")
    with pytest.raises(CourseError, match="already solved in the release, no stub in double"):
        build_weeks(course, [], check=False)


def test_a_broken_configuration_is_named(course):
    (course.root / "jupyter_config.py").write_text("c = get_config()\nc.nonsense(\n")
    with pytest.raises(CourseError, match=r"jupyter_config\.py does not run"):
        build_weeks(course, [], check=False)


def test_a_real_gradebook_works_without_the_environment_on_path(course, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # nbgrader starts `alembic` by name
    folder = course.root / "elsewhere"
    week = course.week("week01")
    db_url = f"sqlite:///{course.root / 'gradebook.db'}"
    released = generate_assignment(
        course, week, source=ensure_source(course, week).parents[1], release=folder, db_url=db_url
    )
    assert released.read_bytes() == (course.root / NOTEBOOK).read_bytes()
    with sqlite3.connect(course.root / "gradebook.db") as database:
        sources = [row[0] for row in database.execute("SELECT source FROM source_cell")]
        (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    database.close()
    assert any("negative numbers" in source for source in sources)
    assert version
