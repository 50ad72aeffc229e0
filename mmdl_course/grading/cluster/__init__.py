"""Notebooks on the workers of a Dask cluster: `mmdl grade WEEK --scheduler ADDRESS`."""
