"""What a fork server imports before it forks: of what is safe to import there, what the lesson uses."""

import ast
from collections.abc import Iterator
from pathlib import Path

import mmdl_course

__all__ = ["PRELOAD", "modules_for"]

# In the order in which they are imported: tqdm.auto chooses widgets for its bars when it finds ipykernel.
_KERNEL = (
    *("IPython.core.interactiveshell", "IPython.core.completerlib", "IPython.core.debugger"),
    *("IPython.core.oinspect", "IPython.extensions.storemagic", "ipykernel.kernelapp", "ipykernel.zmqshell"),
    *("ipykernel.debugger", "ipykernel.comm", "ipywidgets", "jedi"),
)
# What is not installed is left out. Not umap: the lessons use it with the full budget only, and its first fit
# compiles for 15 s, which cannot be done here, since it starts threads.
_LIBRARIES = (
    *("tqdm.auto", "numpy", "numpy.random", "scipy.stats", "scipy.ndimage", "scipy.sparse", "scipy.optimize"),
    *("PIL.Image", "matplotlib.pyplot", "matplotlib.animation", "matplotlib.backends.backend_agg"),
    *("mpl_toolkits.mplot3d", "torch", "torch.nn.functional", "torch.utils.data", "torch.multiprocessing"),
    *("sklearn", "sklearn.decomposition", "sklearn.ensemble", "sklearn.linear_model", "sklearn.manifold"),
    *("sklearn.metrics", "sklearn.model_selection", "sklearn.neighbors", "sklearn.pipeline"),
    *("sklearn.preprocessing", "joblib", "jaxtyping", "beartype", "einops", "networkx", "safetensors.torch"),
    *("transformers", "transformers.models.auto", "peft"),
    *("mmdl_course.checks", "mmdl_course.data", "mmdl_course.data.world", "mmdl_course.architectures"),
    *("mmdl_course.training", "mmdl_course.pipelines", "mmdl_course.viz", "mmdl_course.viz.explorers"),
)
PRELOAD = (*_KERNEL, *_LIBRARIES)
_COURSE = mmdl_course.__name__


def modules_for(lesson: Path) -> tuple[str, ...]:
    """What to import ahead for one lesson: a server that imports everything needs twice the time.

    A notebook may import anything else; it only takes longer. Imports within functions count, also those of
    the course's own modules.

    Args:
        lesson: the lesson as its author wrote it, or any other Python file.

    Returns:
        Modules of `PRELOAD`; all of them when the file cannot be read.
    """
    try:
        named = set(_named(lesson))
    except (OSError, SyntaxError, ValueError):
        return PRELOAD
    waiting, ours = list(named), set()
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if path is not None and name not in ours:
            ours.add(name)
            found = set(_named(path))
            named |= found
            # Importing a module imports the packages that it is in.
            waiting += [*found, *([name.rpartition(".")[0]] if "." in name else [])]
    packages = {name.partition(".")[0] for name in named} - {_COURSE}
    wanted = [name for name in _LIBRARIES if name.partition(".")[0] in packages or name in ours]
    return (*_KERNEL, *wanted)


def _named(path: Path) -> Iterator[str]:
    """Every module that a file's import statements may mean."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(name: str) -> Path | None:
    """The source of one of the course's modules; None for everything else."""
    root, *parts = name.split(".")
    if root != _COURSE:
        return None
    place = Path(mmdl_course.__file__).parent.joinpath(*parts)
    return next((file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()), None)
