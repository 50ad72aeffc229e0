"""Draw the README's pictures again: `make pictures`."""

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from mmdl_course import viz
from mmdl_course.data import world
from mmdl_course.data.world.sound import speak
from mmdl_course.files import replace_file
from mmdl_course.viz.style import style

DPI = 144
CAMERA = world.Camera(field_of_view=31.0)


def _object(words: str, position: tuple[float, float], *, yaw: float = 0.0) -> dict:
    return dict(zip(("size", "colour", "material", "shape"), words.split(), strict=True)) | {
        "position": position,
        "yaw": yaw,
    }


# The reality of the picture. The objects come in the order of the palette's colours, so that a box or a voxel
# has about the colour of its object.
SCENE = world.make_scenes(
    [
        _object("large blue matte cone", (-0.6, 0.85)),
        _object("large yellow shiny torus", (0.7, -1.1)),
        _object("small red shiny sphere", (-1.4, -0.7)),
        _object("small green matte cube", (1.25, 0.65), yaw=0.5),
    ]
)


# Kind of question to the seeds of some that are short, with different answers.
QUESTIONS = {
    "exists": (6, 18),
    "count": (25, 2),
    "attribute": (6, 18),
    "relation": (9, 17),
    "compare": (4, 15),
}


def seeded(seed: int) -> torch.Generator:
    """A source of randomness of its own for each modality: one can change without the others."""
    return torch.Generator().manual_seed(seed)


def picture_of_the_world(dpi: int) -> Figure:
    """One scene in every modality, rendered in about as many pixels as the figure shows."""
    size, quarter, strip = 3.1 * dpi, 0.98 * dpi, 1.17 * dpi
    seen = world.render(SCENE, camera=CAMERA, size=round(size), samples=3)
    maps = world.render(SCENE, camera=CAMERA, size=round(1.3 * dpi), samples=3, normals=True)
    around = world.Camera(azimuth=torch.tensor([45.0, 135.0, 225.0, 315.0]), field_of_view=33.0)
    views = world.multi_view(SCENE, camera=around, size=round(quarter), samples=3).image[0]
    cloud = world.point_cloud(SCENE, points=6000, generator=seeded(0))
    captions = {
        name: world.caption(SCENE, generator=seeded(22), style=name, detail=0.7)[0]
        for name in world.STYLES
        if name not in ("grey", "drawing")  # this picture is neither
    }
    captions["in full"] = world.caption(SCENE, generator=seeded(2), level="full", detail=1.0)[0]
    spoken = speak([captions["plain"]], voice="woman")
    words = zip(spoken.words[0], spoken.start[0].tolist(), spoken.end[0].tolist(), strict=True)
    references = world.refer(SCENE, generator=seeded(7), camera=CAMERA, size=round(size), relational=1.0)
    questions = [
        question
        for kind, seeds in QUESTIONS.items()
        for seed in seeds
        for question in world.ask(SCENE, generator=seeded(seed), kinds=[kind])
    ]
    rows = world.attribute_table(SCENE)
    return viz.gallery(
        image=seen.image[0],
        boxes=seen.boxes[0],
        table=[{key: value for key, value in row.items() if key not in ("scene", "slot")} for row in rows],
        depth=maps.depth[0],
        normals=maps.normal[0],
        instances=maps.instance[0],
        classes=maps.semantic[0],
        class_names=world.SHAPES,
        points=(cloud.position[0], cloud.colour[0]),
        voxels=world.voxels(SCENE, extent=2.1).instance[0],
        views={f"{azimuth:.0f}°": view for azimuth, view in zip(around.azimuth, views, strict=True)},
        graph=graph(rows),
        speech=(spoken.waveform[0], spoken.sample_rate, list(words)),
        expression=(references.text[1], references.box[1]),
        captions=captions,
        questions=[(question.kind, question.text, question.answer) for question in questions],
        shifts={
            name: world.shifted(
                SCENE, name, 0.8, size=round(strip), generator=seeded(0), camera=CAMERA
            ).views.image[0]
            for name in world.SHIFTS
        },
        title="One reality, every modality",
    )


def graph(rows: list[dict]) -> tuple[Tensor, list[str], list[tuple[int, str, int]]]:
    """The scene graph with one edge for each two objects; the nodes keep who is left and who is behind."""
    order = SCENE.position[0].argsort(0).argsort(0).float()  # evenly spread, so that words fit between
    edges = {}
    for first, relation, second in world.triples(SCENE)[0]:
        if second.startswith("object"):
            ends = int(first.split()[1]), int(second.split()[1])
            edges.setdefault(frozenset(ends), (ends[0], relation, ends[1]))
    return order, [f"{row['colour']}\n{row['shape']}" for row in rows], list(edges.values())


PICTURES = {"world.png": picture_of_the_world}


def compressed(image: Image.Image) -> bytes:
    """A PNG of 256 colours, dithered: a third of the size, and shades stay smooth."""
    pixels = np.asarray(image.convert("RGB"))
    shades, counts = np.unique(pixels.reshape(-1, 3) // 4, axis=0, return_counts=True)
    # Large areas of one colour must not take all of the palette.
    sample = np.repeat((shades * 255.0 / 63).round().astype(np.uint8), np.sqrt(counts).astype(int), axis=0)
    palette = Image.fromarray(sample[None]).quantize(256, kmeans=2)
    colours = np.array(palette.getpalette()).reshape(-1, 3)
    paper = Image.new("RGB", (1, 1), "white").quantize(palette=palette, dither=Image.Dither.NONE)
    colours[paper.getpixel((0, 0))] = 255
    palette.putpalette(colours.flatten().tolist())
    raw = io.BytesIO()
    Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(
        raw, format="png", optimize=True
    )
    return raw.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where to write them")
    parser.add_argument("--dpi", type=int, default=DPI, help="pixels to the inch")
    given = parser.parse_args(arguments)
    for name, draw in PICTURES.items():
        raw = io.BytesIO()
        with style():
            draw(given.dpi).savefig(raw, format="png", dpi=given.dpi)
        png = compressed(Image.open(raw))
        replace_file(given.folder / name, png)
        print(f"{given.folder / name}: {len(png) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
