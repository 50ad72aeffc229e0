"""One scene in every modality, on one page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmdl_course.viz.arrays import as_array, as_images, as_points, to_numpy
from mmdl_course.viz.blocks import Block, below, beside, headed, panel, table_block, text_block
from mmdl_course.viz.graphs import draw_graph
from mmdl_course.viz.images import draw_image
from mmdl_course.viz.pictures import draw_box, draw_map, draw_mask
from mmdl_course.viz.points import draw_points
from mmdl_course.viz.speech import draw_speech
from mmdl_course.viz.style import (
    ACCENT,
    HALO,
    PALETTE,
    new_figure,
    place,
    put_title,
    style,
    title_height,
)
from mmdl_course.viz.voxels import VIEW, draw_voxels

__all__ = ["gallery"]

_WIDTH = 9.0  # of the page, inches; so are all that follow
_MARGIN = 0.1
_INSIDE = _WIDTH - 2 * _MARGIN
_GAP = 0.16
_CLOSE = 0.1  # between pictures that belong together
_HERO = 3.1
_SMALL = (_INSIDE - _HERO - _GAP - 3 * _CLOSE) / 4
_MIDDLE = 2.0
_FOUND = 1.7
_CAPTIONS = 3.68
_NAME = 0.66


def gallery(
    *,
    image: Any = None,
    boxes: Any = None,
    table: Sequence[Mapping[str, Any]] | None = None,
    depth: Any = None,
    normals: Any = None,
    instances: Any = None,
    classes: Any = None,
    class_names: Sequence[str] | None = None,
    points: tuple[Any, Any] | None = None,
    voxels: Any = None,
    views: Mapping[str, Any] | None = None,
    graph: tuple[Any, Sequence[str], Sequence[tuple[int, str, int]]] | None = None,
    speech: tuple[Any, int, Sequence[tuple[str, int, int]]] | None = None,
    expression: tuple[str, Any] | None = None,
    captions: Mapping[str, str] | None = None,
    questions: Sequence[tuple[str, str, str]] | None = None,
    shifts: Mapping[str, Any] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw one scene in every modality that is given; what is not given is left out.

    An object has the same number and colour in its box, the table, the mask, the voxels and the graph.

    Args:
        image: Float "3 height width", 0 … 1.
        boxes: Float "object 4": left, top, right, bottom in pixels of the image; NaN where an object cannot
            be seen.
        table: one dict for each object, all with the same keys.
        depth: Float "height width", world units; infinite or NaN where there is nothing.
        normals: Float "3 height width": x, y, z of unit vectors, −1 … 1.
        instances: Int "height width": the object's number, −1 where there is none.
        classes: Int "height width": the place in `class_names`, −1 where there is no object.
        class_names: what the classes are called.
        points: positions and colours (0 … 1), both Float "point 3".
        voxels: Int "depth height width" (z, y, x): the object's number, −1 in the air.
        views: what to call a view → image from there; up to four.
        graph: places of the nodes, Float "node 2"; what they are called; edges as (node, relation, node).
        speech: waveform, Float " sample", −1 … 1; samples a second; the words as (word, first sample, sample
            after its last one).
        expression: what is said of one object, and its box in pixels of the image.
        captions: style → caption.
        questions: (kind, question, answer).
        shifts: name → image under this shift.
        title: the figure's title.

    Returns:
        The figure, 9 inches wide.

    Raises:
        ValueError: nothing is given, or something that cannot be drawn, with its name.

    Source: deck A, slides A17–A28 and A56–A57.
    """
    if image is None and (boxes is not None or expression is not None):
        raise ValueError("gallery: boxes and expression are drawn on image, which is missing.")
    with style():  # texts are measured
        maps = [
            _block(_depth, depth),
            _block(_normals, normals),
            _block(_instances, instances),
            _block(_classes, classes, class_names),
        ]
        known = below([_block(_table, table), beside(maps, gap=_CLOSE)], gap=0.12)
        space = [
            _block(_points, points),
            _block(_voxels, voxels),
            _block(_views, views),
            _block(_graph, graph),
        ]
        words = [
            _block(_expression, expression, image),
            _block(_captions, captions),
            _block(_questions, questions),
        ]
        rows = [
            beside([_block(_image, image, boxes), known], gap=_GAP),
            beside(space, gap=_GAP),
            _block(_speech, speech),
            beside(words, gap=_GAP),
            _block(_shifts, shifts),
        ]
        page = below(rows, gap=_GAP)
        if page is None:
            raise ValueError("gallery: there is nothing to draw; give at least one modality.")
        head = title_height(title, _WIDTH) + _MARGIN
        figure = new_figure(_WIDTH, head + page.height + _MARGIN)
        put_title(figure, title)
        page.draw(figure, _MARGIN, head)
    return figure


def _block(make: Callable[..., Block], given: Any, *more: Any) -> Block | None:
    """What is drawn of a modality; None where it is not given."""
    return None if given is None else make(given, *more)


def _image(image: Any, boxes: Any) -> Block:
    picture = _one_image(image, "image")
    framed = (
        np.zeros((0, 4))
        if boxes is None
        else as_array(boxes, name="gallery: boxes", shape=("object", 4), kinds="fiu")
    )

    def draw(axes: Axes) -> None:
        draw_image(axes, picture)
        for number, box in enumerate(framed):
            if not np.isnan(box).any():  # an object that cannot be seen
                colour = PALETTE[number % len(PALETTE)]
                draw_box(axes, box, colour=colour)
                axes.text(
                    box[0],
                    box[1],
                    str(number),
                    ha="center",
                    va="center",
                    fontsize=9,
                    fontweight="bold",
                    bbox={"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": colour},
                )

    finding = "" if boxes is None else "every object in its box"
    return headed(panel(_HERO, _HERO, draw), "image", finding)


def _table(rows: Sequence[Mapping[str, Any]]) -> Block:
    if not rows or not rows[0] or any(list(row) != list(rows[0]) for row in rows):
        raise ValueError("gallery: table takes one dict for each object, all with the same keys.")
    table = table_block(rows, width=_INSIDE - _HERO - _GAP)
    return headed(table, "attribute table", "every factor is known (world units, radians)")


def _depth(depth: Any) -> Block:
    values = as_array(depth, name="gallery: depth", shape=("height", "width"), kinds="f")

    def draw(axes: Axes) -> None:
        draw_map(axes, values, unit="world units")

    return headed(panel(_SMALL, _SMALL, draw, margin=0.44), "depth")


def _normals(normals: Any) -> Block:
    vectors = as_array(normals, name="gallery: normals", shape=(3, "height", "width"), kinds="f")
    picture = _one_image((vectors + 1) / 2, "normals, mapped to (normals + 1) / 2")

    def draw(axes: Axes) -> None:
        draw_image(axes, picture)
        axes.set_xlabel("x, y, z as colours", fontsize=9, labelpad=3)

    return headed(panel(_SMALL, _SMALL, draw, margin=0.2), "normals")


def _instances(instances: Any) -> Block:
    mask = as_array(instances, name="gallery: instances", shape=("height", "width"), kinds="iub")

    def draw(axes: Axes) -> None:
        draw_mask(axes, mask, name="gallery: instances", label_size=9.0)

    return headed(panel(_SMALL, _SMALL, draw), "instance mask")


def _classes(classes: Any, names: Sequence[str]) -> Block:
    mask = as_array(classes, name="gallery: classes", shape=("height", "width"), kinds="iu")

    def draw(axes: Axes) -> None:
        draw_mask(axes, mask, name="gallery: classes", labels=names, label_size=9.0)

    return headed(panel(_SMALL, _SMALL, draw), "semantic mask")


def _points(points: tuple[Any, Any]) -> Block:
    places = as_points(points[0], name="gallery: points", dimensions=(3,))
    colours = as_array(points[1], name="gallery: the colours of points", shape=(len(places), 3), kinds="f")
    if not (colours >= 0).all() or not (colours <= 1).all():  # nor NaN
        raise ValueError("gallery: the colours of points must lie in 0 … 1.")
    rgba = np.column_stack([colours, np.ones(len(colours))])  # (point, 4)

    def draw(axes: Axes) -> None:
        draw_points(axes, places, rgba, view=VIEW)
        for cloud in axes.collections:
            cloud.set_gid("picture")  # its colours are the camera's, not the course's

    return headed(panel(_MIDDLE, _MIDDLE, draw, space=True), "point cloud", f"{len(places):,} points")


def _voxels(voxels: Any) -> Block:
    grid = as_array(voxels, name="gallery: voxels", shape=("depth", "height", "width"), kinds="iu")
    if grid.min() < -1 or grid.max() >= len(PALETTE):
        raise ValueError(
            f"gallery: voxels must number the objects 0 … {len(PALETTE) - 1} and mark the air with -1, got "
            f"{grid.min()} … {grid.max()}."
        )
    deep, high, wide = grid.shape
    block = panel(_MIDDLE, _MIDDLE, lambda axes: draw_voxels(axes, grid))
    return headed(block, "voxels", f"{wide} × {high} × {deep}")


def _views(views: Mapping[str, Any]) -> Block:
    if not 1 <= len(views) <= 4:
        raise ValueError(f"gallery: views takes one to four images, got {len(views)}.")
    side = (_MIDDLE - 0.06) / 2

    def block(name: str, picture: np.ndarray) -> Block:
        def draw(axes: Axes) -> None:
            draw_image(axes, picture)
            axes.text(0.05, 0.95, name, transform=axes.transAxes, va="top", fontsize=9, path_effects=HALO)

        return panel(side, side, draw)

    blocks = [block(name, _one_image(view, f"views, '{name}'")) for name, view in views.items()]
    pairs = [beside(blocks[start : start + 2], gap=0.06) for start in (0, 2)]
    return headed(below(pairs, gap=0.06), "turning camera")


def _graph(graph: tuple[Any, Sequence[str], Sequence[tuple[int, str, int]]]) -> Block:
    places, nodes, edges = graph
    places = as_points(places, name="gallery: graph", dimensions=(2,))
    if len(nodes) != len(places):
        raise ValueError(f"gallery: graph has {len(places)} places for {len(nodes)} nodes.")
    for first, relation, second in edges:
        if not (0 <= first < len(nodes) and 0 <= second < len(nodes) and first != second):
            raise ValueError(
                f"gallery: graph has an edge ({first}, '{relation}', {second}) between nodes 0 … "
                f"{len(nodes) - 1}."
            )

    def draw(axes: Axes) -> None:
        draw_graph(axes, places, nodes=nodes, edges=edges)

    width = _INSIDE - 3 * (_MIDDLE + _GAP)
    return headed(panel(width, _MIDDLE, draw), "scene graph")


def _speech(speech: tuple[Any, int, Sequence[tuple[str, int, int]]]) -> Block:
    waveform, sample_rate, words = speech
    sound = as_array(waveform, name="gallery: the waveform of speech", shape=("sample",), kinds="f")
    if not np.isfinite(sound).all():
        raise ValueError("gallery: the waveform of speech: some values are NaN or infinite.")
    if sample_rate < 1:
        raise ValueError(f"gallery: the sample rate of speech must be 1 or more, got {sample_rate}.")
    for word, start, end in words:
        if not 0 <= start < end <= len(sound):
            raise ValueError(f"gallery: speech has '{word}' at samples {start} … {end} of {len(sound)}.")
    left, wave, spectrum, scales = 0.4, 0.42, 0.95, 0.34

    def draw(figure: Figure, x: float, top: float) -> None:
        width = _INSIDE - left
        above = figure.add_axes(place(figure, left=x + left, top=top + 0.2, width=width, height=wave))
        under = figure.add_axes(
            place(figure, left=x + left, top=top + 0.2 + wave + 0.03, width=width, height=spectrum)
        )
        draw_speech(above, under, sound, sample_rate=sample_rate, words=words)

    block = Block(_INSIDE, 0.2 + wave + 0.03 + spectrum + scales, draw)
    return headed(block, "spoken caption", "when each word sounds is known to the sample")


def _expression(expression: tuple[str, Any], image: Any) -> Block:
    text, box = expression
    box = as_array(box, name="gallery: the box of expression", shape=(4,), kinds="fiu")
    picture = _one_image(image, "image")
    height, width = picture.shape[:2]
    if not (0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height):  # nor NaN
        raise ValueError(
            f"gallery: the box of expression must lie inside the image of {width} × {height} pixels, got "
            f"{box.tolist()}."
        )

    def draw(axes: Axes) -> None:
        left, top, right, bottom = np.round(box).astype(int)
        dimmed = 1 - 0.45 * (1 - picture)
        dimmed[top:bottom, left:right] = picture[top:bottom, left:right]
        draw_image(axes, dimmed)
        draw_box(axes, box, colour=ACCENT)

    found = below([panel(_FOUND, _FOUND, draw), text_block([("", f"“{text}”", "")], width=_FOUND)], gap=0.06)
    return headed(found, "referring expression")


def _captions(captions: Mapping[str, str]) -> Block:
    rows = [(style, caption, "") for style, caption in captions.items()]
    return headed(text_block(rows, width=_CAPTIONS, column=_NAME), "captions", "all true, worded differently")


def _questions(questions: Sequence[tuple[str, str, str]]) -> Block:
    block = text_block(questions, width=_INSIDE - _FOUND - _CAPTIONS - 2 * _GAP, column=_NAME)
    return headed(block, "questions", "each has one right answer")


def _shifts(shifts: Mapping[str, Any]) -> Block:
    if not shifts:
        raise ValueError("gallery: shifts is empty; leave it out, or give one image or more.")
    side = min((_INSIDE - (len(shifts) - 1) * _CLOSE) / len(shifts), _MIDDLE)

    def block(name: str, picture: np.ndarray) -> Block:
        def draw(axes: Axes) -> None:
            draw_image(axes, picture)
            axes.set_xlabel(name, fontsize=9, labelpad=2)

        return panel(side, side, draw, margin=0.2)

    blocks = [block(name, _one_image(shift, f"shifts, '{name}'")) for name, shift in shifts.items()]
    return headed(beside(blocks, gap=_CLOSE), "shifts", "another look, the same truth")


def _one_image(image: Any, name: str) -> np.ndarray:
    return as_images(to_numpy(image)[None], name=f"gallery: {name}")[0]
