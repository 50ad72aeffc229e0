"""`mmdl site`: every student notebook as a web page, with its figures and without its solutions."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from mmdl_course.course import Course, CourseError, Week
from mmdl_course.files import replace_file, replace_folder
from mmdl_course.grading.build import stage
from mmdl_course.grading.executed import execute_solved
from mmdl_course.grading.published import index_page, publish
from mmdl_course.grading.release import secret_lines

__all__ = ["SITE", "build_site"]

SITE = "build/site"
_STYLE = Path(__file__).parent / "site.css"
_WEEKS = Path(__file__).parent / "site_weeks.html"
_PICTURE = re.compile(r"^!\[[^\]]+\]\((docs/[^)]+)\)$", re.MULTILINE)


def build_site(course: Course, weeks: Sequence[str], *, full: bool) -> int:
    """Make build/site afresh.

    Args:
        course: the registry.
        weeks: ids or folders; every ready week when empty.
        full: train in full, as the numbers in the text were measured; the grading budget otherwise.

    Returns:
        Exit status: 0.

    Raises:
        CourseError: Sphinx is not installed; a lesson does not run; a page would give solutions away; Sphinx
            warns of something.
    """
    _need_sphinx()
    console = Console(highlight=False, soft_wrap=True, markup=False)
    chosen = course.select(weeks)
    with tempfile.TemporaryDirectory(prefix="mmdl-site-") as folder:
        source = Path(folder) / "source"
        for built in stage(course, chosen):
            week = built.lesson.week
            console.print(f"{week.folder}: running the solved lesson, unless its last run still counts")
            solved = execute_solved(course, week, budget="full" if full else "grading")
            _write_week(source, week, built.release, solved, secret_lines(built.lesson), full=full)
        readme = course.root / "README.md"
        pictures = list(_PICTURE.finditer(readme.read_text(encoding="utf-8"))) if readme.is_file() else []
        for picture in pictures:
            (source / "docs").mkdir(exist_ok=True)
            shutil.copy(course.root / picture.group(1), source / picture.group(1))
        page = index_page(course, chosen, pictures=[picture.group() for picture in pictures])
        replace_file(source / "index.md", page)
        for file, folder_name in ((_STYLE, "_static"), (_WEEKS, "_templates")):
            (source / folder_name).mkdir()
            shutil.copy(file, source / folder_name)
        _run_sphinx(source, Path(folder) / "html", Path(folder) / "doctrees", title=course.title)
        replace_folder(Path(folder) / "html", course.root / SITE)
    console.print(f"{SITE}/index.html: written ({len(chosen)} weeks)")
    return 0


def _write_week(
    source: Path, week: Week, release: bytes, solved: Any, secrets: Sequence[str], *, full: bool
) -> None:
    import nbformat

    released = nbformat.reads(release.decode(), as_version=4)
    size = (
        "The figures were drawn with all training steps."
        if full
        else "The figures were drawn with few training steps, so numbers in them can differ from the text's."
    )
    note = (
        f'<p><a href="../notebooks/{week.folder}.ipynb" download>Download this notebook</a> to solve it in '
        f"JupyterLab. {size} Exercises are shown as you get them.</p>"
    )
    page = publish(week, released, solved, secrets=secrets, note=note)
    replace_file(source / "weeks" / f"{week.folder}.ipynb", nbformat.writes(page))
    replace_file(source / "_extra" / "notebooks" / f"{week.folder}.ipynb", release)


def _need_sphinx() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("sphinx", "myst_nb", "pydata_sphinx_theme") if not find_spec(name)]
    if missing:
        raise CourseError(
            f"the site needs {', '.join(missing)}. `make site` installs it; without make: "
            "python -m pip install --constraint constraints.txt --editable '.[site]'"
        )


def _run_sphinx(source: Path, output: Path, doctrees: Path, *, title: str) -> None:
    import io

    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError

    words = io.StringIO()
    try:
        app = Sphinx(
            str(source),
            None,
            str(output),
            str(doctrees),
            "html",
            confoverrides=_settings(title),
            status=None,
            warning=words,
        )
        app.build()
    except SphinxError as error:
        raise CourseError(f"Sphinx cannot build the site: {error}\n{words.getvalue()}") from None
    if words.getvalue().strip():
        raise CourseError(f"Sphinx warns; the site was not replaced.\n{words.getvalue()}")


def _settings(title: str) -> dict[str, Any]:
    return {
        "project": title,
        "html_title": title,
        "language": "en",
        "extensions": ["myst_nb", "mmdl_course.grading.site_math"],
        "nb_execution_mode": "off",  # the outputs are there already
        "nb_merge_streams": True,
        "myst_enable_extensions": ["dollarmath"],
        "html_theme": "pydata_sphinx_theme",
        "html_math_renderer": "mathml",
        "html_static_path": ["_static"],
        "templates_path": ["_templates"],
        "html_sidebars": {"**": [_WEEKS.name]},
        "html_context": {"default_mode": "auto"},  # light or dark as the reader's system is
        "html_css_files": [_STYLE.name],
        "html_extra_path": ["_extra"],
        "exclude_patterns": ["_extra"],
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_show_copyright": False,
        "html_theme_options": {
            "navbar_center": [],  # the weeks stand in the sidebar
            "navigation_with_keys": False,
            "footer_start": [],
            "footer_end": [],
        },
    }
