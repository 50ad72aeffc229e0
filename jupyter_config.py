"""One configuration for JupyterLab and for every nbgrader command that is started here, at the course's root.

Jupyter itself reads no such file in the working directory: installing the package puts a finder into the
environment's etc/jupyter that loads it (see pyproject.toml), and nbgrader_config.py does it for nbgrader.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent

c = get_config()  # noqa: F821  (traitlets puts it there)

# JupyterLab -----------------------------------------------------------------------------------------------
c.ServerApp.root_dir = str(ROOT)
# The home page is written when the server starts; where it cannot be, the page that never changes opens.
_start = "home.md" if os.access(ROOT / "notebooks", os.W_OK) else "README.md"
c.LabApp.default_url = f"/lab/tree/notebooks/{_start}"
# In a container everybody is root. The server listens on this machine alone and asks for its token.
c.ServerApp.allow_root = hasattr(os, "geteuid") and os.geteuid() == 0

# nbgrader: where things are -------------------------------------------------------------------------------
c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.source_directory = "build/source"  # made from solutions/ by `mmdl build`
c.CourseDirectory.release_directory = "notebooks"
c.CourseDirectory.db_url = f"sqlite:///{ROOT / 'gradebook.db'}?timeout=60"

# nbgrader: how a lesson is released -----------------------------------------------------------------------
c.ClearSolutions.code_stub = {"python": '# YOUR CODE HERE\nraise NotImplementedError("not attempted yet")'}

# nbgrader: how a submission is run ------------------------------------------------------------------------
c.Execute.timeout = 120  # seconds a cell; the default of 30 is less than a training cell on a slow laptop
c.OverwriteCells.add_missing_cells = True  # a deleted check cell comes back; the work is marked

# nbgrader: what a student reads --------------------------------------------------------------------------
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "mmdl_course.grading.feedback.HideHiddenTests",  # nbgrader's own list would print the hidden tests
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
# In feedback and in formgrader, and in whatever JupyterLab exports as HTML from here: no server is asked.
c.HTMLExporter.filters = {"markdown2html": "mmdl_course.grading.formulas.markdown_to_html"}
