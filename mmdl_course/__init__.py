"""Helper package of the course on multi-modal deep learning.

Rooms: `data` (where x and y come from), `architectures` (f and g), `training` (how θ is learned),
`pipelines` (translation, alignment, fusion), `viz` (arrays to figures), `checks` (what test cells use) and
`grading` (the instructor's side). Importing this package loads none of them.
"""

__all__: list[str] = []
