"""Installed as etc/jupyter/jupyter_config.py: loads the course's configuration in the course's root.

Jupyter itself does not read a jupyter_config.py in the working directory.
"""

from pathlib import Path

c = get_config()  # noqa: F821  (traitlets puts it there)

_root = Path.cwd()
if (_root / "syllabus.toml").is_file() and (_root / "jupyter_config.py").is_file():
    load_subconfig("jupyter_config.py", path=str(_root))  # noqa: F821  (traitlets puts it there)
