"""Warm, sandboxed kernels: a fork server that has imported what notebooks import, and walls around its forks.

`warm_executor` is the way in; `provisioner` lets stock nbgrader use the same kernels; `sandbox` is the
isolation. Importing this package loads none of them and works on every system.
"""

__all__: list[str] = []
