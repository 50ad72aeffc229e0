"""nbgrader asks for a file of this name. Everything that it should know is in jupyter_config.py."""

load_subconfig("jupyter_config.py")  # noqa: F821  (traitlets puts it there)
