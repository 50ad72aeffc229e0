"""What makes nbgrader quicker changes nothing of what it does."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tiny_class import make_course_of_two

from mmdl_course.grading.gradebook import register_assignment
from mmdl_course.grading.nbgrader_speed import one_engine


def test_gradebooks_share_an_engine_and_only_meanwhile(tmp_path: Path) -> None:
    from nbgrader import api

    before = api.create_engine
    address, other = (f"sqlite:///{tmp_path / name}.db" for name in ("one", "two"))
    for name in ("one", "two"):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as database:
            database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    with one_engine():
        with api.Gradebook(address) as first:
            first.add_student("anna")
        with api.Gradebook(address) as second, api.Gradebook(other) as third:
            assert second.engine is first.engine
            assert third.engine is not first.engine
            assert [student.id for student in second.students] == ["anna"]
            assert third.students == []
    assert api.create_engine is before


def test_a_gradebook_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    from nbgrader import api

    path = tmp_path / "gradebook.db"
    with one_engine():
        for name in ("anna", "ben"):
            path.unlink(missing_ok=True)
            with closing(sqlite3.connect(path)) as database:
                database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            with api.Gradebook(f"sqlite:///{path}") as gradebook:
                gradebook.add_student(name)
                assert [student.id for student in gradebook.students] == [name]


def test_a_new_gradebook_has_the_version_that_nbgrader_gives_it(tmp_path: Path) -> None:
    from nbgrader.api import get_alembic_version

    course = make_course_of_two(tmp_path)
    register_assignment(course, course.weeks[0], scratch=tmp_path / "scratch")
    with closing(sqlite3.connect(tmp_path / "gradebook.db")) as database:
        found = database.execute("SELECT version_num FROM alembic_version").fetchall()
    assert found == [(get_alembic_version(),)]


@pytest.mark.parametrize("first", ["", "import jsonschema; "])
def test_jsonschema_comes_without_its_grammar_and_leaves_no_trace(first: str) -> None:
    script = (
        f"import sys; {first}from mmdl_course.grading.nbgrader_speed import import_jsonschema\n"
        "import_jsonschema(); import_jsonschema()\n"
        "print('jsonschema' in sys.modules, sys.modules.get('rfc3987_syntax', 'nothing') is None)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
