import importlib.util
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text
from PIL import Image

from mmdl_course import viz
from mmdl_course.course import find_root
from mmdl_course.viz.blocks import Block, below, beside, text_block
from mmdl_course.viz.style import style
from mmdl_course.viz.voxels import draw_voxels

HEADINGS = {
    "image": "image",
    "table": "attribute table",
    "depth": "depth",
    "normals": "normals",
    "instances": "instance mask",
    "classes": "semantic mask",
    "points": "point cloud",
    "voxels": "voxels",
    "views": "turning camera",
    "graph": "scene graph",
    "speech": "spoken caption",
    "expression": "referring expression",
    "captions": "captions",
    "questions": "questions",
    "shifts": "shifts",
}


@pytest.fixture
def parts(rng):
    mask = np.full((20, 20), -1)
    mask[4:9, 2:7], mask[10:16, 11:18] = 0, 1
    grid = np.full((4, 8, 8), -1)
    grid[:2, 1:3, 1:3], grid[:3, 4:7, 4:7] = 0, 1
    up = np.zeros((3, 20, 20))
    up[2] = 1.0
    image = rng.uniform(size=(3, 20, 20))
    return {
        "image": image,
        "boxes": np.array([[2, 4, 7, 9], [11, 10, 18, 16], [np.nan] * 4]),
        "table": [
            {"colour": "red", "shape": "sphere", "x": 1.0},
            {"colour": "blue", "shape": "cone", "x": -2.5},
        ],
        "depth": np.where(mask == 0, 3.0, np.inf),
        "normals": up,
        "instances": mask,
        "classes": mask,
        "class_names": ("sphere", "cone"),
        "points": (rng.normal(size=(50, 3)), rng.uniform(size=(50, 3))),
        "voxels": grid,
        "views": {f"{angle}°": image for angle in (0, 90, 180, 270)},
        "graph": (np.array([[0.0, 0.0], [2.0, 1.0]]), ["red\nsphere", "blue\ncone"], [(0, "left of", 1)]),
        "speech": (rng.uniform(-1, 1, size=4000), 8000, [("red", 0, 1600), ("sphere", 1600, 3600)]),
        "expression": ("the red object left of the cone", np.array([2.0, 4.0, 7.0, 9.0])),
        "captions": {
            "plain": "a red sphere",
            "photo": "a picture of a small red sphere next to a large blue cone",
        },
        "questions": [
            ("exists", "is there a cube?", "no"),
            ("compare", "do the sphere and the cone have the same material?", "yes"),
        ],
        "shifts": {"grey": image, "noise": image},
    }


def draw(figure: Figure) -> None:
    with style():
        FigureCanvasAgg(figure).draw()


def written(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text().strip()]


def headings(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.texts} & set(HEADINGS.values())


def test_every_modality_is_there_and_nothing_is_cut_off(parts, assert_complete):
    figure = viz.gallery(**parts, title="One reality")
    assert_complete(figure)
    assert headings(figure) == set(HEADINGS.values())
    words = written(figure)
    assert {"One reality", "−2.50", "50 points", "8 × 8 × 4", "270°", "left of", "no", "noise"} <= set(words)
    assert " ".join(words).count("sphere") >= 6  # table, mask, graph, speech, captions, question
    frames = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert len(frames) == 4  # two boxes with their seams; the third object is hidden


def test_no_text_stands_on_another_or_on_a_panel(parts):
    figure = viz.gallery(**parts, title="One reality")
    draw(figure)
    texts = [*figure.texts, *(artist for artist in figure.artists if isinstance(artist, Text))]
    loose = [(text.get_text(), Text.get_window_extent(text)) for text in texts if text.get_text()]
    inside = [
        (text.get_text(), Text.get_window_extent(text))
        for axes in figure.axes
        for text in (*axes.texts, *((axes.xaxis.label, axes.yaxis.label) if axes.axison else ()))
        if text.get_text()
    ]
    for (one, first), (other, second) in combinations(loose + inside, 2):
        assert not first.padded(-1).overlaps(second), f"{one!r} on {other!r}"
    for text, box in loose:
        for axes in figure.axes:
            assert not box.padded(-1).overlaps(axes.get_window_extent()), f"{text!r} on {axes.get_title()!r}"


@pytest.mark.parametrize("start", [0, 1, 2])
def test_missing_modalities_are_left_out(parts, start, assert_complete):
    gone = set(list(HEADINGS)[start::3])
    gone |= {"boxes", "expression"} if "image" in gone else set()
    figure = viz.gallery(**{name: part for name, part in parts.items() if name not in gone})
    assert_complete(figure)
    assert headings(figure) == {heading for name, heading in HEADINGS.items() if name not in gone}


@pytest.mark.parametrize("name", [name for name in HEADINGS if name != "expression"])
def test_one_modality_alone_is_a_page(parts, name, assert_complete):
    extra = {"class_names": parts["class_names"]} if name == "classes" else {}
    figure = viz.gallery(**{name: parts[name]}, **extra)
    assert_complete(figure)
    assert headings(figure) == {HEADINGS[name]}
    assert figure.get_figheight() < 4


def test_words_stand_above_where_they_sound(parts):
    figure = viz.gallery(speech=parts["speech"])
    wave, spectrum = figure.axes
    spoken = [text for text in wave.texts if isinstance(text, Annotation)]
    assert [(text.get_text(), text.xy[0]) for text in spoken] == [("red", 0.1), ("sphere", 0.325)]
    assert wave.get_xlim() == spectrum.get_xlim() == (0, 0.5)
    assert spectrum.get_ylim() == (0, 4000)  # half the sample rate


def test_a_name_wider_than_its_part_stands_beside_it():
    mask = np.full((40, 40), -1)
    mask[10:30, 5:35], mask[32:34, :2], mask[6:8, 30:32] = 0, 1, 2
    (axes,) = viz.gallery(classes=mask, class_names=("cone", "cylinder", "sphere")).axes
    wide, low, high = axes.texts
    assert wide.get_position() == (19.5, 19.5)
    assert (low.get_position()[1], low.get_va()) == (33.5, "top")
    assert (high.get_position()[1], high.get_va()) == (5.5, "bottom")
    assert Text.get_window_extent(low).x0 >= axes.get_window_extent().x0  # moved into the panel


def test_silence_and_a_very_short_sound_can_be_drawn():
    draw(viz.gallery(speech=(np.zeros(800), 8000, [])))
    draw(viz.gallery(speech=(np.ones(3), 8000, [])))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("image", np.zeros((20, 20, 3)), r"gallery: image: expected shape .*channel is last"),
        ("boxes", np.zeros((2, 3)), r"gallery: boxes: expected shape \(object, 4\), got \(2, 3\)"),
        ("table", [{"x": 1}, {"y": 1}], "table takes one dict for each object, all with the same keys"),
        ("depth", np.zeros((1, 4, 4)), r"gallery: depth: expected shape \(height, width\), got \(1, 4, 4\)"),
        ("depth", np.zeros((4, 4), dtype=int), "gallery: depth: expected floating-point numbers, got int64"),
        ("normals", np.zeros((4, 4, 3)), r"gallery: normals: expected shape \(3, height, width\)"),
        ("normals", np.full((3, 4, 4), 7.0), "gallery: normals, mapped .*must lie in 0 … 1"),
        ("instances", np.zeros((4, 4)), "gallery: instances: expected whole numbers, got float64"),
        ("instances", np.full((4, 4), 10), "gallery: instances must number the objects 0 … 9"),
        ("classes", np.full((4, 4), 2), "gallery: classes holds the number 2, but there are 2 labels"),
        (
            "points",
            (np.zeros((5, 2)), np.zeros((5, 2))),
            r"gallery: points: expected points of shape \(n, 3\)",
        ),
        ("points", (np.ones((5, 3)), np.ones((4, 3))), r"the colours of points: expected shape \(5, 3\)"),
        ("points", (np.ones((5, 3)), np.full((5, 3), 255.0)), "colours of points must lie in 0 … 1"),
        ("voxels", np.zeros((4, 4), dtype=int), r"gallery: voxels: expected shape \(depth, height, width\)"),
        ("voxels", np.full((2, 2, 2), 10), "voxels must number the objects 0 … 9 .* got 10 … 10"),
        ("views", {}, "views takes one to four images, got 0"),
        ("views", {"0°": np.zeros(3)}, "gallery: views, '0°': expected shape"),
        ("graph", (np.ones((2, 2)), ["a"], []), "graph has 2 places for 1 nodes"),
        (
            "graph",
            (np.ones((1, 2)), ["a"], [(0, "behind", 1)]),
            r"edge \(0, 'behind', 1\) between nodes 0 … 0",
        ),
        (
            "speech",
            (np.zeros((1, 9)), 8000, []),
            r"waveform of speech: expected shape \(sample,\), got \(1, 9\)",
        ),
        ("speech", (np.zeros(9), 8000, [("a", 5, 10)]), "'a' at samples 5 … 10 of 9"),
        ("speech", (np.full(9, np.nan), 8000, []), "waveform of speech: some values are NaN"),
        ("speech", (np.zeros(9), 0, []), "sample rate of speech must be 1 or more, got 0"),
        ("expression", ("the cube", np.full(4, np.nan)), "must lie inside the image of 20 × 20 pixels"),
        (
            "expression",
            ("the cube", np.array([2.0, 2.0, 21.0, 4.0])),
            r"inside the image .* got \[2.0, 2.0, 21",
        ),
        ("expression", ("the cube", np.zeros(3)), r"the box of expression: expected shape \(4,\)"),
        ("shifts", {}, "shifts is empty"),
        ("shifts", {"grey": np.zeros(3)}, "gallery: shifts, 'grey': expected shape"),
    ],
)
def test_what_cannot_be_drawn_is_named(parts, name, value, message):
    with pytest.raises(ValueError, match=message):
        draw(viz.gallery(**(parts | {name: value})))


def test_what_is_drawn_on_the_image_needs_one(parts):
    for name in ("boxes", "expression"):
        with pytest.raises(ValueError, match="boxes and expression are drawn on image, which is missing"):
            viz.gallery(**{name: parts[name]}, depth=parts["depth"])
    with pytest.raises(ValueError, match="nothing to draw"):
        viz.gallery()


def faces(grid: np.ndarray) -> np.ndarray:
    """Corners of the drawn faces, (face, corner, 2), in the order in which they are painted."""
    axes = Figure().add_axes((0, 0, 1, 1))
    draw_voxels(axes, grid)
    _, cubes = axes.findobj(PolyCollection)  # the floor comes first
    return np.array([path.vertices[:4] for path in cubes.get_paths()])


def test_only_faces_that_can_be_seen_are_drawn():
    one = np.full((2, 2, 2), -1)
    one[0, 0, 0] = 3
    assert len(faces(one)) == 3
    two = one.copy()
    two[0, 0, 1] = 3
    assert len(faces(two)) == 5  # between the two is no face
    assert len(faces(np.zeros((2, 2, 2), dtype=int))) == 12


def test_nearer_voxels_are_painted_over_farther_ones():
    row = np.full((1, 3, 1), -1)
    row[0, [0, 2], 0] = 0, 1  # in front and behind, with room between
    heights = faces(row).mean(axis=(1, 2))
    assert len(heights) == 6
    assert heights[:3].min() > heights[3:].max()  # what is behind stands higher in the picture


def test_blocks_stand_beside_and_below_each_other():
    drawn = []
    one, two = (
        Block(width, height, lambda _figure, left, top, name=name: drawn.append((name, left, top)))
        for name, width, height in (("one", 2.0, 1.0), ("two", 3.0, 4.0))
    )
    row = beside([one, None, two], gap=0.5)
    assert (row.width, row.height) == (5.5, 4.0)
    column = below([row, None, one], gap=0.25)
    assert (column.width, column.height) == (5.5, 5.25)
    column.draw(Figure(), 1.0, 1.0)
    assert drawn == [("one", 1.0, 1.0), ("two", 3.5, 1.0), ("one", 1.0, 5.25)]
    assert beside([None], gap=1.0) is None
    assert below([], gap=1.0) is None


@pytest.mark.parametrize("dpi", [96, 100, 144, 192])
def test_lines_stay_within_their_width(dpi):
    said = "a small red matte cylinder is far from a large yellow shiny torus "
    texts = [
        ("name", said * 5, "yes"),
        ("", "short", "no"),
        ("", "nearly as wide as the whole column", "own line"),
    ]
    with style():
        figure = Figure(figsize=(4, 6), dpi=dpi)
        text_block(texts, width=3.0, column=0.5).draw(figure, 0.25, 0.25)
    draw(figure)
    everything = [*figure.texts, *figure.artists]
    assert {"yes", "no", "own line"} <= {text.get_text() for text in everything}
    for text in everything:
        assert Text.get_window_extent(text).x1 <= 3.25 * dpi + 1, text.get_text()


def test_the_readmes_pictures_can_be_drawn(tmp_path):
    path = find_root() / "docs" / "pictures.py"
    spec = importlib.util.spec_from_file_location("pictures", path)
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    pictures.main(["--folder", str(tmp_path), "--dpi", "36"])
    for name in pictures.PICTURES:
        with Image.open(tmp_path / name) as picture:
            assert picture.width == 324
        assert (path.parent / name).stat().st_size < 400_000
