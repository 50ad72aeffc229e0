"""Samples in their latent space: point at one to see it, draw around some to see what they share."""

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from mmdl_course.viz.arrays import as_images, as_points, to_numpy
from mmdl_course.viz.colours import Coding, code
from mmdl_course.viz.display import figure_html
from mmdl_course.viz.explorers.controls import LOOK
from mmdl_course.viz.explorers.frame import Frame, has_controls, still_output
from mmdl_course.viz.explorers.latest import Latest
from mmdl_course.viz.explorers.samples import count_factors, one_sample, thumbnail_strip, write_factors
from mmdl_course.viz.scatter import scatter_panels
from mmdl_course.viz.thumbnails import latent_scatter as still_scatter

__all__ = ["LatentScatter", "latent_scatter"]

_NEAREST = "the marked sample and its nearest"
_DRAWN = "what I draw around"
_NEIGHBOURS = 11
_NOBODY = np.array([], dtype=int)


def latent_scatter(
    latent: Any,
    *,
    images: Any,
    factors: Mapping[str, Any],
    notice: str,
    title: str = "latent space",
    inputs: Any = None,
    input_title: str = "input space",
    cyclic: Collection[str] = (),
) -> "LatentScatter":
    """Explore samples in their latent space, with what is known of them, beside a view of their input space.

    The mouse at a point shows its sample; a lasso or box around points shows theirs, and how their factors
    are spread. What is marked or chosen in one space is marked and chosen in the other. Everything can be
    reached with the keyboard as well: samples by their number, groups by a factor's value.

    Args:
        latent: Float "image 2" or "image 3"; three numbers are turned by the mouse.
        images: Float "image 3 height width" or "image height width", 0 … 1, in the same order.
        factors: name → one value for each image, known facts to colour by: floats are a scale, integers and
            strings categories (at most ten). The first one colours the first picture.
        notice: one sentence that says what to notice.
        title: what the latent space is.
        inputs: a second view of the same samples, such as two or three principal components of the pixels;
            Float "image 2" or "image 3".
        input_title: what the second view is.
        cyclic: names of factors whose scale's ends meet, as angles do.

    Returns:
        The explorer; make it the cell's last expression.

    Raises:
        ValueError: no factors, or arrays that do not fit each other.
    """
    spaces = {title: as_points(latent, name="latent_scatter, latent", dimensions=(2, 3))}
    if inputs is not None:
        spaces[input_title] = as_points(inputs, name="latent_scatter, inputs", dimensions=(2, 3))
    pictures = as_images(images, name="latent_scatter, images")
    for name, points in spaces.items():
        if len(points) != len(pictures):
            raise ValueError(f"latent_scatter: {len(points)} points in {name} but {len(pictures)} images.")
    if not factors:
        raise ValueError("latent_scatter: give at least one factor to colour by, such as the label.")
    for name in cyclic:
        if name not in factors:
            raise ValueError(f"latent_scatter, cyclic: '{name}' is none of the factors {', '.join(factors)}.")
    known = {name: to_numpy(values) for name, values in factors.items()}
    codings = {
        name: code(
            values,
            count=len(pictures),
            label=name,
            cyclic=name in cyclic,
            name=f"latent_scatter, factor '{name}'",
        )
        for name, values in known.items()
    }
    return LatentScatter(spaces, pictures, known, codings, notice=notice, cyclic=cyclic)


class LatentScatter:
    """What `latent_scatter` returns; a cell shows it when it is the cell's last expression."""

    def __init__(
        self,
        spaces: Mapping[str, Float[np.ndarray, "image dim"]],
        images: Float[np.ndarray, "image height width 3"],
        factors: Mapping[str, np.ndarray],
        codings: Mapping[str, Coding],
        *,
        notice: str,
        cyclic: Collection[str],
    ) -> None:
        """Make the widgets, where there is somebody to use them; see `latent_scatter` for what is given."""
        self._spaces, self._images, self._factors, self._codings = spaces, images, factors, codings
        self._notice = notice
        self._latent = next(iter(spaces.values()))
        self._first = next(iter(factors))
        self.chosen = _NOBODY
        self._drawn = _NOBODY
        self._still = self._draw_still(cyclic)
        self._groups = {
            f"{name} = {category}": np.flatnonzero(mask)
            for name, coding in codings.items()
            for category, mask in coding.members.items()
        }
        self.frame = self._framed() if has_controls() else None

    def describe(self) -> str:
        """What the picture shows at first, in words."""
        spaces = " beside ".join(
            f"{name} in {points.shape[1]} dimensions" for name, points in self._spaces.items()
        )
        return f"{len(self._images)} samples as points: {spaces}, coloured by {self._first}."

    def mark(self, number: int) -> None:
        """Mark one sample: it is shown large with its factors, and ringed in every space."""
        self._inspector.value = one_sample(self._images[number], number=number, factors=self._factors)
        for cloud in self.clouds.values():
            cloud.mark(number)

    def nearest(self, number: int) -> Int[np.ndarray, " chosen"]:
        """The sample and those nearest to it in the latent space, the nearest first."""
        distance = np.linalg.norm(self._latent - self._latent[number], axis=1)
        return np.argsort(distance, kind="stable")[: _NEIGHBOURS + 1]

    def choose(self, chosen: Int[np.ndarray, " chosen"]) -> None:
        """Choose samples: they are shown in the strip, and the others step back in every space."""
        self.chosen = chosen
        for cloud in self.clouds.values():
            cloud.choose(chosen)
        if len(chosen):
            heading = f"{len(chosen)} samples chosen. {count_factors(chosen, self._factors)}."
        else:
            heading = "Nothing chosen: draw around some points, or choose a group above."
        self._strip.value = thumbnail_strip(self._images, chosen, heading=heading)

    def _framed(self) -> Frame:
        import ipywidgets as widgets

        from mmdl_course.viz.explorers.cloud import Cloud

        look = {"style": LOOK["style"], "layout": LOOK["layout"]}
        self.colour = widgets.Dropdown(description="colour by", options=list(self._factors), **look)
        self.sample = widgets.BoundedIntText(
            description="mark sample number", value=0, min=0, max=len(self._images) - 1, **look
        )
        self.show = widgets.Dropdown(
            description="show", options=[_NEAREST, _DRAWN, *self._groups], value=_NEAREST, **look
        )
        self._inspector = widgets.HTML(layout={"min_width": "11em", "margin": "2em 0 0 1em"})
        self._strip = widgets.HTML()
        self.clouds = {
            name: Cloud(
                points,
                heading=name,
                alt=f"{name}: {self.describe()}",
                coding=self._codings[self._first],
                values=self._factors[self._first],
                keyed=place == 0,
            )
            for place, (name, points) in enumerate(self._spaces.items())
        }
        self._marks, self._choices, self._paints = map(Latest, (self._marking, self._showing, self._painting))
        for cloud in self.clouds.values():
            cloud.on_hover(self._marks.wish)
            cloud.on_click(partial(setattr, self.sample, "value"))
            cloud.on_select(self._take)
        self.colour.observe(lambda change: self._paints.wish(change["new"]), names="value")
        self.sample.observe(lambda _change: self._choices.wish(self.show.value), names="value")
        self.show.observe(lambda change: self._choices.wish(change["new"]), names="value")
        row = [*(cloud.widget for cloud in self.clouds.values()), self._inspector]
        frame = Frame(
            notice=self._notice,
            controls=[self.colour, self.sample, self.show],
            picture=[widgets.HBox(row, layout={"flex_flow": "row wrap"}), self._strip],
            reset=self._reset,
            cancel=lambda: None,
        )
        frame.tell(self.describe())
        self._show(_NEAREST)
        return frame

    def _take(self, drawn: Int[np.ndarray, " chosen"]) -> None:
        self._drawn = drawn
        if self.show.value == _DRAWN:
            self._choices.wish(_DRAWN)
        else:
            self.show.value = _DRAWN

    def _show(self, what: str) -> None:
        self.mark(self.sample.value)
        if what == _NEAREST:
            near = self.nearest(self.sample.value)
            self.choose(_NOBODY)
            heading = (
                f"Sample {near[0]} ({write_factors(int(near[0]), self._factors)}) and the "
                f"{len(near) - 1} nearest to it in {next(iter(self._spaces))}, the nearest first. "
                f"{count_factors(near, self._factors)}."
            )
            self._strip.value = thumbnail_strip(self._images, near, heading=heading)
        elif what == _DRAWN:
            self.choose(self._drawn)
        else:
            self.choose(self._groups[what])

    def _reset(self) -> None:
        self._drawn = _NOBODY
        self.colour.value, self.sample.value, self.show.value = self._first, 0, _NEAREST
        for cloud in self.clouds.values():
            cloud.reset()
        self._choices.wish(_NEAREST)

    def _marking(self, number: int) -> Iterator[float]:
        self.mark(number)
        yield 1.0

    def _showing(self, what: str) -> Iterator[float]:
        self._show(what)
        yield 1.0

    def _painting(self, name: str) -> Iterator[float]:
        for cloud in self.clouds.values():
            cloud.paint(self._codings[name], self._factors[name])
        self.frame.tell(f"Coloured by {name}.")
        yield 1.0

    def _draw_still(self, cyclic: Collection[str]) -> str:
        look = {
            "colour": self._factors[self._first],
            "colour_label": self._first,
            "cyclic": self._first in cyclic,
        }
        title = next(iter(self._spaces))
        figures = []
        if self._latent.shape[1] == 2:
            images = np.moveaxis(self._images, -1, 1)
            figures.append(still_scatter(self._latent, images=images, title=title, **look))
        if not figures or len(self._spaces) > 1:
            figures.append(scatter_panels(self._spaces, **look))
        return "".join(figure_html(figure, alt=self.describe()) for figure in figures)

    def _ipython_display_(self) -> None:
        still_output(self.frame, still=self._still, notice=self._notice, alt=self.describe())
