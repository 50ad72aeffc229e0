"""For each figure function and explorer, examples with the sizes, names and numbers that lessons give it."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mmdl_course import viz
from mmdl_course.course import find_root
from mmdl_course.data import world
from mmdl_course.viz import explorers
from mmdl_course.viz.explorers.latent_line import POSITIONS, latent_line_figure

Example = Callable[[], Any]  # → Figure, or an explorer

COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "white")
SHAPES = ("sphere", "cube", "cone", "cylinder", "torus", "wedge")
CAPTIONS = (
    "a large blue shiny torus and a large green shiny sphere",
    "a large white matte cone left of a large green shiny cube",
    "a large red matte cone",
    "a large orange shiny cone in front of a large green shiny cone",
    "a small cyan matte cone",
    "a large yellow shiny sphere far from a large purple matte cone",
)


def rng() -> np.random.Generator:
    """Fresh and always the same."""
    return np.random.default_rng(20)


@cache
def pictures() -> np.ndarray:
    """Eight scenes as images, (8, 3, 32, 32)."""
    images = []
    for number, colour in enumerate(COLOURS):
        thing = {"size": "large", "colour": colour, "material": "matte", "shape": SHAPES[number % 6]}
        scene = world.make_scenes([thing | {"position": (0.3 * number - 1.0, 0.2)}])
        images.append(world.render(scene, size=32).image[0].numpy())
    return np.stack(images)


def roll(count: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A rolled band: points in space, the same unrolled, and how far each is along the band."""
    along, across = rng().uniform(2, 9, count), rng().uniform(0, 6, count)
    space = np.stack([along * np.cos(along), across, along * np.sin(along)], axis=1)
    return space, np.stack([along**2 / 2, across], axis=1), along**2 / 2


def sigmoid(x: np.ndarray) -> np.ndarray:
    """From logits to shares."""
    return 1 / (1 + np.exp(-x))


@dataclass(frozen=True)
class Part:
    """What a pipeline's drawing asks of a part."""

    letter: str
    name: str = ""
    numbers: int = 0
    moves: int = 0
    size: str = "3 × 64 × 64"


TRANSLATION = (
    Part("x", "image"),
    Part("f", "image", 253_632, 0, "253,632 numbers, frozen"),
    Part("z", "image", size="64 × 64"),
    Part("g", "", 211_392, 211_392, "211,392 numbers, learned"),
    Part("y", size="text"),
)
FUSION = (
    *TRANSLATION[:3],
    Part("x", "question", size="text"),
    Part("f", "question", 114_176, 114_176, "114,176 numbers, learned"),
    Part("z", "question", size="64"),
    Part("g", "", 4_160, 4_160, "4,160 numbers, learned"),
    Part("y", size="8"),
)


def _curves_of_two_seeds() -> Figure:
    x = np.array([1, 2, 4, 8, 16])
    rising = 0.5 + 0.08 * np.arange(5.0) + np.array([[-0.02], [0.0], [0.03]])
    return viz.curves(
        {"linear probe": rising, "learned prompt": rising + 0.05, "untrained": rising - 0.2},
        x=x,
        x_label="number of labelled images of each class",
        y_label="accuracy",
        log_x=True,
        references={"chance": 0.03, "ceiling": 0.98, "zero-shot": 0.61},
        title="A learned prompt needs half of the labels that a linear probe needs",
    )


def _curves_that_meet() -> Figure:
    names = (
        "random, all moves",
        "random, frozen",
        "aligned, frozen",
        "aligned, all moves",
        "caption of another",
    )
    return viz.curves(
        {name: [0.0, 0.0] for name in names},
        x=[16.0, 32.0],
        x_label="number of captioned images",
        y_label="share of true captions",
        references={"ceiling": 1.0},
        title="Nobody learns to caption from 32 images",
    )


def _curves_of_layers() -> Figure:
    return viz.curves(
        {"shape": [0.2, 0.5, 0.9], "colour": [0.8, 0.7, 0.4]},
        x=["pixels", "layer 1", "layer 2"],
        x_label="layer",
        y_label="accuracy",
        title="Colour is lost where shape is found",
    )


def _curves_to_truth() -> Figure:
    return viz.curves(
        {"TwoNN on images": [1.1, 2.0, 2.9, 3.9, 4.3]},
        x=[1, 2, 3, 4, 5],
        x_label="number of free factors of the scene",
        y_label="estimated number of dimensions",
        diagonal="truth",
        title="Images have as many dimensions as their scene has free factors",
    )


def _curves_without_markers() -> Figure:
    x = np.arange(100.0)
    return viz.curves(
        {f"d = {d}": np.cos(x / d) * np.exp(-x / 80) for d in (4, 16, 64, 256)} | {"one-hot": (x == 0) * 1.0},
        x=x,
        x_label="offset k (tokens)",
        y_label="inner product, relative to k = 0",
        title="Nearby positions have similar codes",
    )


def _scoreboard() -> Figure:
    return viz.scoreboard(
        {
            "the text's vector, moved by the prior": [0.61, 0.64, 0.66],
            "the image's own vector": [0.67, 0.68, 0.7],
            "mean brightness": 0.21,
            "random direction": [0.05, 0.09, 0.07],
        },
        unit="accuracy",
        methods="the text's vector, moved by the prior",
        chance=0.12,
        ceiling=1.0,
        title="The prior reaches the image's own vector on colours that were seen in training, not on others",
    )


def _scoreboard_near_its_ceiling() -> Figure:
    return viz.scoreboard(
        {"ours": 12.0, "mean angle": 96.0},
        unit="error (degrees)",
        methods=["ours"],
        chance=90.0,
        ceiling=86.0,
        lower_is_better=True,
        title="Chance and ceiling may stand close",
    )


def _robustness(count: int) -> Figure:
    x = np.array([0.6, 0.8, 0.9, 0.97])
    grid = sigmoid(np.linspace(-7, 7, 281))
    return viz.robustness_plot(
        {
            name: {
                "reference": (x, sigmoid(0.5 * np.log(x / (1 - x)) - 1)),
                "line": (grid, sigmoid(0.5 * np.log(grid / (1 - grid)) - 1)),
                "models": {
                    "supervised, some grey": (np.array([0.9]), np.array([0.7])),
                    "two towers, zero-shot": (np.array([0.85]), np.array([0.8])),
                },
            }
            for name in ("sketch", "texture", "background", "viewpoint", "noise", "weather")[:count]
        },
        title="Two towers lose less than supervised models that are as accurate",
    )


def _tradeoff() -> Figure:
    spread = np.array([[-0.02], [0.02]])
    return viz.tradeoff(
        {
            "linear probe": ([3000], [0.5]),
            "prompt": ([1000], [0.55]),
            "LoRA": ([5000, 20000, 80000], np.array([0.61, 0.64, 0.66]) + spread),
            "adapters, w = 8": ([9000], [0.68]),
            "full": ([375_000], [0.45]),
        },
        x_label="numbers that move",
        y_label="accuracy",
        references={"chance": 0.02, "zero-shot": 0.44, "calibrated": 0.63},
        notes={"LoRA": ["r = 1", "r = 4", "r = 16"]},
        title="How little of θ has to move?",
    )


def _panels() -> Figure:
    space, flat, along = roll()
    line = along[:, None]
    return viz.scatter_panels(
        {"rolled band": space, "PCA": space[:, :2], "unrolled": flat, "along": line},
        colour=along,
        colour_label="place along the band (units)",
        scores={"PCA": "trustworthiness 0.86", "unrolled": "trustworthiness 1.00"},
        title="Only unrolling keeps neighbours apart",
    )


def _digits() -> tuple[np.ndarray, np.ndarray]:
    label = np.arange(300) % 10
    turn = 2 * np.pi * label / 10
    return np.stack([np.cos(turn), np.sin(turn)], 1) + 0.12 * rng().normal(size=(300, 2)), label


def _categories() -> Figure:
    points, label = _digits()
    close = 0.2 * points[:, :1] * [1.0, 0.3]
    return viz.scatter_panels(
        {"Isomap": points, "PCA": close, "in space": np.column_stack([points, label / 5.0])},
        colour=label,
        colour_label="digit",
        title="Isomap keeps the ten digits apart",
    )


def _paths() -> Figure:
    space, flat, along = roll()
    way = np.linspace(4, 8, 30)
    on_roll = np.stack([way * np.cos(way), np.full(30, 3.0), way * np.sin(way)], 1)
    on_map = np.stack([way**2 / 2, np.full(30, 3.0)], 1)
    return viz.paths_3d(
        {"rolled": space, "unrolled": flat},
        paths={
            "rolled": {"geodesic": on_roll, "chord": on_roll[[0, -1]]},
            "unrolled": {"geodesic": on_map, "straight on the map": on_map[[0, -1]]},
        },
        colour={"rolled": along},
        title="What is near in space may be far on the band",
    )


def _modality_panels() -> Figure:
    mask = np.full((32, 32), -1)
    mask[8:16, 6:14], mask[12:26, 16:28] = 0, 1
    return viz.modality_panels(
        {
            "image": pictures()[0],
            "depth": np.where(mask < 0, 12.0, 8.0 + mask),
            "instance": mask,
            "boxes": np.array([[6.0, 8, 14, 16], [16, 12, 28, 26]]),
            "caption": "a small matte sphere in front of a small matte cylinder",
            "table": [
                {"size": "small", "colour": "yellow", "shape": "cylinder", "x (units)": -0.09, "scale": 0.48},
                {"size": "small", "colour": "blue", "shape": "sphere", "x (units)": -0.27, "scale": 0.48},
            ],
        },
        title="One scene in six modalities",
    )


def _gallery() -> Figure:
    path = find_root() / "docs" / "pictures.py"
    spec = importlib.util.spec_from_file_location("pictures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.picture_of_the_world(48)


def _spectrogram(words: bool) -> Figure:
    panels = {
        "frames of 8 ms, bins 125 Hz apart": -60 * rng().random((400, 41)),
        "frames of 64 ms, bins 15.6 Hz apart": -60 * rng().random((390, 321)),
    }
    spoken = [("a", 100, 800), ("small", 900, 4000), ("red", 4100, 7000), ("cube", 8000, 12000)]
    return viz.spectrogram(
        panels,
        rate=10_000.0,
        hop=80,
        words=spoken if words else (),
        title="Short frames tell when, long frames tell which frequency",
    )


def _similarity(captions: bool) -> Figure:
    matrix = 0.1 * rng().random((6, 6)) + 0.7 * np.eye(6)
    if not captions:
        return viz.similarity_matrix(matrix, title="Pairs are most similar")
    return viz.similarity_matrix(
        matrix,
        images=pictures()[:6],
        captions=CAPTIONS,
        title="After training, each image is most similar to its own caption",
    )


def _gap(width: float) -> Figure:
    one = rng().normal(size=(60, 2)) * [0.1, 0.3]
    other = rng().normal(size=(60, 2)) * [0.05, 0.2] + [width, 0]
    return viz.modality_gap(one, other, gap=width, title="Images and captions live in two places")


def _patch_maps() -> Figure:
    words = ("a red object", "a blue object", "a sphere")
    masks = np.zeros((3, 32, 32), dtype=bool)
    masks[:, 10:20, 12:22] = True
    return viz.patch_maps(
        pictures()[:3],
        {word: rng().random((3, 8, 8)) for word in words},
        masks={"a red object": masks},
        numbers={"a red object": np.array([0.4, 0.5, 0.1])},
        title="Patches are like the word where the word is true",
    )


def _attention() -> Figure:
    return viz.patch_maps(
        pictures()[:5], {"attention": rng().random((5, 4, 4))}, unit="weight", title="Where does it look?"
    )


def _latent_scatter(labels: bool) -> Figure:
    points, label = _digits()
    return viz.latent_scatter(
        points,
        images=rng().random((300, 8, 8)),
        colour=label if labels else points[:, 0],
        colour_label="digit" if labels else "first coordinate (units)",
        title="UMAP of digits, n_neighbors = 15, min_dist = 0.1",
        score="trustworthiness 0.83",
    )


# Name of the function as a lesson writes it → its examples.
FIGURES: dict[str, tuple[Example, ...]] = {
    "curves": (
        _curves_of_two_seeds,
        _curves_that_meet,
        _curves_of_layers,
        _curves_to_truth,
        _curves_without_markers,
    ),
    "flow": (
        lambda: viz.flow(highlight="encoder"),
        lambda: viz.flow(highlight={"x", "y"}, notes={"x": "64 × 64 image", "y": "caption"}),
    ),
    "gallery": (_gallery,),
    "image_grid": (
        lambda: viz.image_grid(
            pictures(),
            titles=[f"{colour} {SHAPES[n % 6]}" for n, colour in enumerate(COLOURS)],
            title="Which of these eight is most like “something round and red”?",
        ),
        lambda: viz.image_grid(pictures()[:2], title="A title that is longer than two pictures are wide"),
    ),
    "latent_line_figure": (
        lambda: latent_line_figure(
            rng().random((len(POSITIONS), 16, 16, 3)),
            t=0.5,
            distances=np.abs(POSITIONS),
            distance_label="distance to the\nnearest real image (pixels)",
        ),
    ),
    "latent_scatter": (lambda: _latent_scatter(True), lambda: _latent_scatter(False)),
    "modality_gap": (lambda: _gap(1.3), lambda: _gap(0.2)),
    "modality_panels": (_modality_panels,),
    "patch_maps": (_patch_maps, _attention),
    "paths_3d": (_paths,),
    "pipeline_diagram": (
        lambda: viz.pipeline_diagram(
            TRANSLATION,
            signal="the next word of true captions",
            title="captioning, a pipeline of translation",
        ),
        lambda: viz.pipeline_diagram(
            FUSION, signal="true answers", title="answering questions, a pipeline of fusion"
        ),
    ),
    "robustness_plot": (lambda: _robustness(5), lambda: _robustness(6), lambda: _robustness(1)),
    "scatter_3d": (
        lambda: viz.scatter_3d(
            roll()[0], title="a rolled band", colour=roll()[2], colour_label="place (units)"
        ),
    ),
    "scatter_panels": (_panels, _categories),
    "scoreboard": (_scoreboard, _scoreboard_near_its_ceiling),
    "similarity_matrix": (lambda: _similarity(True), lambda: _similarity(False)),
    "spectrogram": (lambda: _spectrogram(True), lambda: _spectrogram(False)),
    "strip": (
        lambda: viz.strip(
            {"through z": pictures(), "through x, from the same to the same": pictures()[::-1]},
            numbers={"through z": np.linspace(0, 1, 8)},
            columns=[f"t = {n}" for n in range(8)],
            title="The way through z stays among real images, the way through x does not",
        ),
    ),
    "tradeoff": (_tradeoff,),
}


def _context_length() -> explorers.Explorer:
    words = {m: [(f"word{n}", 0.5 + n / 30) for n in range(m)] for m in (1, 4, 16)}
    return explorers.context_length(
        {
            "base classes": {1: [0.7, 0.72], 4: [0.8, 0.9], 16: [0.9, 0.94]},
            "new classes": {1: [0.6, 0.64], 4: [0.5, 0.5], 16: [0.3, 0.5]},
        },
        words=words,
        chance=0.05,
    )


def _embedding() -> explorers.Explorer:
    points, label = _digits()
    return explorers.embedding(
        lambda n_neighbors: points * n_neighbors,
        images=rng().random((300, 8, 8)),
        parameters={"n_neighbors": [5, 15]},
        start={"n_neighbors": 15},
        title="UMAP",
        colour=label,
        colour_label="digit",
        score=lambda _: "trustworthiness 0.83",
        notice="More neighbours draw the groups together.",
    )


def _fourier(picture: bool) -> explorers.Explorer:
    widths = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
    errors = {
        "known": {width: np.array([0.4 / width, 0.5 / width]) for width in widths},
        "held out": {width: np.array([0.2 + 0.1 * abs(np.log2(width) - 1)] * 2) for width in widths},
    }
    if picture:
        return explorers.fourier_features(
            pictures()[0],
            fits=dict.fromkeys(widths, pictures()[1]),
            errors=errors,
            references={"mean colour": 0.3, "four nearest": 0.26},
            error_label="relative error (RMSE)",
        )
    x = np.linspace(0, 1, 200)
    return explorers.fourier_features(
        np.sin(9 * x),
        fits={width: np.sin(9 * x + 1 / width) for width in widths},
        errors=errors,
        x=x,
        points=(x[::8], np.sin(9 * x[::8])),
        references={"mean": 0.7},
        error_label="relative error (RMSE)",
    )


def _latent_line() -> explorers.Explorer:
    first, last = pictures()[0], pictures()[3]
    return explorers.latent_line(
        lambda z: np.clip(first + z[0] * (last - first), 0, 1),
        start=np.zeros(1),
        end=np.ones(1),
        distance=lambda image: float(np.abs(image - first).mean()),
        distance_label="distance to the\nnearest real image (pixels)",
    )


def _low_rank() -> explorers.Explorer:
    update = rng().normal(size=(64, 64)) * 0.1
    left, values, right = np.linalg.svd(update)
    ranks = (0, 1, 4, 16)
    return explorers.low_rank(
        update,
        approximations={r: (left[:, :r] * values[:r]) @ right[:r] for r in ranks},
        singular_values=values,
        accuracy={0: 0.45, 1: 0.62, 4: 0.64, 16: 0.46},
        references={"full update": 0.45, "zero-shot": 0.45},
    )


def _modalities() -> explorers.Explorer:
    def view(index: int, azimuth: float) -> dict[str, Any]:
        image = pictures()[index]
        return {"image": image, "depth": 5 + image[0] + azimuth / 360, "caption": CAPTIONS[index]}

    return explorers.modalities(view, scenes=4, azimuths=(0.0, 90.0), notice="All change at once.")


def _neighbours() -> explorers.Explorer:
    words = [*COLOURS, *SHAPES, "mountain", "wheelchair"]
    spaces = {"PPMI, 10 numbers": rng().normal(size=(16, 10)), "one-hot": np.eye(16)}
    return explorers.neighbours(spaces, words=words, queries=["red", "cube"])


def _rank_images() -> explorers.Explorer:
    return explorers.rank_images(
        lambda text: np.linspace(0.3, 0.1, 8) * len(text) / 10,
        images=pictures(),
        queries=["a red sphere", "something to eat for breakfast"],
        titles=["tangerine", "manual wheelchair", "jar", "rabbit", "umbrella", "cart", "rescue worker", "x"],
    )


def _switchboard() -> explorers.Explorer:
    def task(parts: tuple[Part, ...], family: str, shown: dict[str, np.ndarray]) -> explorers.SwitchboardTask:
        return explorers.SwitchboardTask(
            family=family,
            parts=parts,
            signal="true answers",
            unit="share of true claims",
            scores={
                "captioner": [0.84, 0.86],
                "shuffled: another image": 0.1,
                "chance": 0.05,
                "ceiling": 1.0,
            },
            answer=lambda scene: (
                shown,
                f"scene {scene}: a small red matte cylinder\n2 of 2 claims are true",
            ),
        )

    maps = {"said": rng().random((41, 80)), "ours": rng().random((41, 80))}
    return explorers.switchboard(
        {
            "captioning": task(TRANSLATION, "translation", {"image": pictures()[0]}),
            "answering": task(FUSION, "fusion", {"image": pictures()[1], "attention": pictures()[2]}),
            "speaking": task(TRANSLATION, "translation", maps),
        },
        scenes=3,
    )


def _training_similarity() -> explorers.Explorer:
    matrices = {step: 0.1 * rng().random((6, 6)) + step / 10 * np.eye(6) for step in (0, 3, 6)}
    return explorers.training_similarity(
        matrices, losses=np.linspace(4.9, 4.7, 6), images=pictures()[:6], captions=CAPTIONS
    )


def _try_prompt(grid: bool) -> explorers.Explorer:
    classes = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
    truth = rng().integers(0, len(classes), 400)
    truth[truth == 5] = 6  # a class without images

    def classify(prompt: str) -> np.ndarray:
        wrong = np.random.default_rng(len(prompt)).random(400) < 0.4
        return np.where(wrong, (truth + 1) % len(classes), truth)

    return explorers.try_prompt(
        classify,
        truth=truth,
        classes=classes,
        prompts=["a photo of a {}", "a photo of {}", "{}"],
        grid=(COLOURS, SHAPES) if grid else None,
    )


EXPLORERS: dict[str, tuple[Example, ...]] = {
    "context_length": (_context_length,),
    "embedding": (_embedding,),
    "fourier_features": (lambda: _fourier(False), lambda: _fourier(True)),
    "latent_line": (_latent_line,),
    "low_rank": (_low_rank,),
    "modalities": (_modalities,),
    "neighbours": (_neighbours,),
    "rank_images": (_rank_images,),
    "switchboard": (_switchboard,),
    "training_similarity": (_training_similarity,),
    "try_prompt": (lambda: _try_prompt(True), lambda: _try_prompt(False)),
}
