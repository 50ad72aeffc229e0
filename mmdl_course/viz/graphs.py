"""Graphs with few nodes: things, and how they stand to one another."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from mmdl_course.viz.style import INK, MUTED, PALETTE

__all__ = ["draw_graph"]

_STOPS = (0.5, 0.42, 0.58, 0.34, 0.66, 0.28, 0.72)  # where on its arrow a word may stand, best first
_SWEEPS = 3  # in which words make room for each other
_PAD = 3.0  # points of room around words


def draw_graph(
    axes: Axes,
    places: Float[np.ndarray, "node 2"],
    *,
    nodes: Sequence[str],
    edges: Sequence[tuple[int, str, int]],
    label_size: float = 9.0,
) -> None:
    """Draw each node at its place, framed in the colour of box i, and arrows with a word on each.

    Args:
        axes: where to draw.
        places: x to the right and y up, any unit; stretched to fill the axes.
        nodes: what is written on each node.
        edges: first node, relation, second node; at most one between any two nodes.
        label_size: points.
    """
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_axis_off()
    box = axes.get_window_extent()
    low, extent = places.min(axis=0), np.maximum(np.ptp(places, axis=0), 1e-9)
    written = [
        axes.text(
            0.5,
            0.5,
            node,
            ha="center",
            va="center",
            fontsize=label_size,
            fontweight="bold",
            zorder=1,
            bbox={
                "boxstyle": "round,pad=0.4",
                "facecolor": "white",
                "edgecolor": PALETTE[index % len(PALETTE)],
                "linewidth": 2,
            },
        )
        for index, node in enumerate(nodes)
    ]
    for text, place in zip(written, (places - low) / extent, strict=True):
        # So far inwards that the whole node is inside.
        size = np.array(text.get_window_extent().size) + _pixels(axes, label_size * 1.2)
        inset = size / 2 / np.array(box.size)
        text.set_position(inset + place * (1 - 2 * inset))
    labels = []
    for first, relation, second in edges:
        ends = [np.array(written[node].get_position()) for node in (first, second)]
        axes.annotate(
            "",
            ends[1],
            ends[0],
            zorder=2,  # after the nodes: only then is it known where their frames are
            arrowprops={
                "arrowstyle": "-|>",
                "color": MUTED,
                "patchA": written[first].get_bbox_patch(),
                "patchB": written[second].get_bbox_patch(),
                "shrinkA": 1,
                "shrinkB": 1,
                "mutation_scale": 9,
            },
        )
        label = axes.text(
            *ends[0],
            relation,
            ha="center",
            va="center",
            fontsize=label_size,
            color=INK,
            zorder=3,
            bbox={"boxstyle": "square,pad=0.12", "facecolor": "white", "linewidth": 0},
        )
        labels.append((label, [ends[0] + stop * (ends[1] - ends[0]) for stop in _STOPS]))
    for _ in range(_SWEEPS):
        for label, spots in labels:
            others = [
                _room(text) for text in (*written, *(other for other, _ in labels)) if text is not label
            ]
            hidden = []
            for spot in spots:
                label.set_position(spot)
                room = _room(label)
                hidden.append(sum(_shared(room, other) for other in others))
            label.set_position(spots[int(np.argmin(hidden))])


def _room(text: Text) -> Bbox:
    return text.get_window_extent().padded(_pixels(text.axes, _PAD))


def _pixels(axes: Axes, points: float) -> float:
    return points * axes.figure.dpi / 72


def _shared(first: Bbox, second: Bbox) -> float:
    """Pixels that both cover."""
    common = Bbox.intersection(first, second)
    return 0.0 if common is None else common.width * common.height
