"""One scene, many tasks: what each pipeline is made of, what it answers, and how well it does."""

import base64
import html
import io
import textwrap
import wave
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_array, to_numpy
from mmdl_course.viz.diagram import DrawnPart, draw_pipeline, pipeline_height
from mmdl_course.viz.explorers.base import Choice, Control, Explorer
from mmdl_course.viz.images import draw_image
from mmdl_course.viz.scores import draw_scores
from mmdl_course.viz.style import SEQUENTIAL, new_figure, place, style

__all__ = ["SwitchboardTask", "switchboard"]

_PICTURES = 4.2  # inches for what the pipeline does
_SIDE = 2.3  # inches of its pictures, at most
_ROW = 0.27  # inches for a score
_LINE = 0.19  # inches for a line of text
_LETTERS = 58  # in a line


@dataclass(frozen=True)
class SwitchboardTask:
    """One task on the switchboard.

    Attributes:
        family: "translation", "alignment" or "fusion".
        parts: what its pipeline is made of, see `viz.pipeline_diagram`.
        signal: who tells θ what to learn.
        unit: what the scores are.
        scores: name → score, or one for each seed, all in one unit; larger is better.
        answer: number of a scene → pictures by title (Float "3 height width", 0 … 1, or a map, Float "height
            width"), what went in and came out in words, and, if there
            is something to hear, a pair of waveform (Float "time", -1 … 1) and samples a second.
        methods: the rows of `scores` that are the pipeline's own; the first one when left out.
    """

    family: str
    parts: Sequence[DrawnPart]
    signal: str
    unit: str
    scores: Mapping[str, Any]
    answer: Callable[[int], tuple[Any, ...]]
    methods: Collection[str] = ()


def switchboard(tasks: Mapping[str, SwitchboardTask], *, scenes: int) -> Explorer:
    """Switch between tasks and scenes: the pipeline with its sizes, its answer, and its scores.

    Args:
        tasks: name → task.
        scenes: how many scenes there are to choose from; `answer` gets 0 … scenes - 1.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: no task, no scene, scores that are not finite, or a method without a row.

    Source: deck A, slides 30 to 38 and 67 to 69.
    """
    if not tasks or scenes < 1:
        raise ValueError(f"switchboard: give tasks and scenes, got {len(tasks)} tasks and {scenes} scenes.")
    scored = {name: _checked_scores(name, task) for name, task in tasks.items()}
    told: dict[tuple[str, int], tuple[Any, ...]] = {}

    def answer(task: str, scene: int) -> tuple[Any, ...]:
        if (task, scene) not in told:
            told[task, scene] = _checked_answer(task, tasks[task].answer(scene - 1))
        return told[task, scene]

    def draw(task: str, scene: int) -> Figure:
        pictures, text, _ = answer(task, scene)
        shown = tasks[task]
        lines = [line for part in text.splitlines() for line in textwrap.wrap(part, width=_LETTERS)]
        above = pipeline_height(shown.parts) + 0.4
        rows = scored[task]
        high = _height(pictures)
        left = 0.3 + high + 0.1 + _LINE * len(lines)
        right = 0.45 + _ROW * len(rows) + 0.45
        with style():
            figure = new_figure(9.0, above + max(left, right) + 0.1)
            figure.text(
                0.02, 1 - 0.1 / figure.get_figheight(), f"{task}: {shown.family}", va="top", fontsize=13,
                fontweight="bold",
            )  # fmt: skip
            axes = figure.add_axes(place(figure, left=0.0, top=0.4, width=9.0, height=above - 0.4))
            draw_pipeline(axes, shown.parts, signal=shown.signal)
            _draw_pictures(figure, pictures, top=above)
            for number, line in enumerate(lines):
                down = above + 0.3 + high + 0.1 + _LINE * number
                figure.text(0.2 / 9, 1 - down / figure.get_figheight(), line, va="top", fontsize=9.5)
            board = figure.add_axes(
                place(figure, left=6.75, top=above + 0.4, width=1.65, height=_ROW * len(rows))
            )
            _draw_scores(board, rows, {*shown.methods} or {next(iter(rows))}, unit=shown.unit)
        return figure

    def describe(task: str, scene: int) -> str:
        _, text, _ = answer(task, scene)
        shown = tasks[task]
        sizes = "; ".join(f"{part.letter} {part.name}".strip() + f": {part.size}" for part in shown.parts)
        numbers = ", ".join(f"{name} {values.mean():.2f}" for name, values in scored[task].items())
        return (
            f"Scene {scene}, {task}, a pipeline of {shown.family}. {' '.join(text.split())}. "
            f"Its parts: {sizes}. Who tells θ: {shown.signal}. {shown.unit}: {numbers}."
        )

    def listen(task: str, scene: int) -> str:
        sound = answer(task, scene)[2]
        return "" if sound is None else _player(*sound, label=f"Sound of scene {scene}, {task}")

    return Explorer(
        draw,
        describe=describe,
        below=listen,
        notice="Keep the scene and switch the task: the reality stays the same, and what is asked of it "
        "decides about the pipeline and about the unit of its score.",
        controls={
            "task": Choice("task", tuple(tasks), next(iter(tasks))),
            "scene": Control("scene", range(1, scenes + 1), 1),
        },
    )


def _checked_scores(name: str, task: SwitchboardTask) -> dict[str, np.ndarray]:
    rows = {row: np.atleast_1d(to_numpy(values)).astype(float) for row, values in task.scores.items()}
    if not rows or not all(len(values) and np.isfinite(values).all() for values in rows.values()):
        raise ValueError(f"switchboard, scores of '{name}': give at least one row of finite numbers.")
    for method in task.methods:
        if method not in rows:
            raise ValueError(f"switchboard, '{name}': method '{method}' has no row among {', '.join(rows)}.")
    return rows


def _checked_answer(name: str, given: Any) -> tuple[Any, ...]:
    if not isinstance(given, tuple) or len(given) not in (2, 3) or not given[0]:
        raise ValueError(
            f"switchboard, answer of '{name}': give (pictures, text) or (pictures, text, sound)."
        )
    pictures, text, sound = (*given, None)[:3]
    checked = {}
    for title, picture in pictures.items():
        shape = ("height", "width") if np.ndim(picture) == 2 else (3, "height", "width")
        checked[title] = as_array(picture, name=f"switchboard, '{name}', {title}", shape=shape, kinds="f")
    return checked, str(text), sound


def _are_maps(pictures: Mapping[str, np.ndarray]) -> bool:
    return all(picture.ndim == 2 for picture in pictures.values())


def _height(pictures: Mapping[str, np.ndarray]) -> float:
    """Inches of all pictures together: maps stand above each other, images in a row."""
    if _are_maps(pictures):
        return _SIDE
    return min(_SIDE, (_PICTURES - 0.1 * (len(pictures) - 1)) / len(pictures))


def _draw_pictures(figure: Figure, pictures: Mapping[str, np.ndarray], *, top: float) -> None:
    """Images beside each other, maps above each other."""
    flat = _are_maps(pictures)
    rows = len(pictures) if flat else 1
    width = _PICTURES if flat else _height(pictures)
    height = (_height(pictures) - 0.28 * (rows - 1)) / rows
    for number, (title, picture) in enumerate(pictures.items()):
        column, row = (0, number) if flat else (number, 0)
        axes = figure.add_axes(
            place(
                figure,
                left=0.2 + column * (width + 0.1),
                top=top + 0.25 + row * (height + 0.28),
                width=width,
                height=height,
            )
        )
        if picture.ndim == 2:
            axes.imshow(picture, aspect="auto", cmap=SEQUENTIAL, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
        else:
            draw_image(axes, picture.transpose(1, 2, 0).clip(0, 1))
        axes.set_title(title, loc="left", fontsize=9.5, fontweight="normal", pad=3)


def _draw_scores(axes: Axes, rows: Mapping[str, np.ndarray], methods: set[str], *, unit: str) -> None:
    for down, (name, values) in enumerate(rows.items()):
        ours = name in methods
        draw_scores(axes, float(-down), values, mine=ours, dot=3.5)
        axes.annotate(
            f"{values.mean():.2f}",
            (1.04, -down),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=9.5,
            fontweight="bold" if ours else "normal",
            annotation_clip=False,
        )
    best = max(1.0, *(values.max() for values in rows.values()))
    axes.set(xlim=(min(0.0, *(values.min() for values in rows.values())), best), ylim=(0.6 - len(rows), 0.6))
    axes.set_yticks(
        [-down for down in range(len(rows))],
        [textwrap.shorten(name, width=30, placeholder=" …") for name in rows],
        fontsize=9.5,
    )
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(unit, fontsize=9.5)
    axes.tick_params(axis="x", labelsize=9)


def _player(waveform: Any, rate: int, *, label: str) -> str:
    samples = as_array(waveform, name="switchboard, sound", shape=("time",), kinds="f")
    raw = io.BytesIO()
    with wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(int(rate))
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    data = base64.b64encode(raw.getvalue()).decode("ascii")
    return f'<audio controls aria-label="{html.escape(label)}" src="data:audio/wav;base64,{data}"></audio>'
