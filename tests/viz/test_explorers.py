import asyncio
import re
import subprocess
import sys

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from mmdl_course.viz import explorers, flow
from mmdl_course.viz.diagram import STAGES
from mmdl_course.viz.explorers.latent_line import POSITIONS, latent_line_figure


@pytest.fixture
def calls():
    return []


@pytest.fixture
def explorer(calls):
    def draw(stage, scale):
        calls.append((stage, scale))
        if scale == 0:
            raise ZeroDivisionError("the scale is <zero>")
        return flow(highlight={stage})

    return explorers.Explorer(
        draw,
        describe=lambda stage, scale: f"We are at {stage}, scale {scale}.",
        notice="The part in colour moves.",
        controls={
            "stage": explorers.Control("where we are", STAGES, "x"),
            "scale": explorers.Control("scale", [0, 1, 2], 1, "{} m".format),
        },
    )


def alt_of(explorer) -> str:
    return re.search('alt="([^"]*)"', explorer.box.children[-1].value).group(1)


def outputs_of(explorer):
    InteractiveShell.instance()
    with capture_output() as captured:
        explorer._ipython_display_()
    InteractiveShell.clear_instance()
    return [output.data for output in captured.outputs]


def test_moving_a_slider_draws_the_new_picture(explorer, calls):
    assert alt_of(explorer) == "We are at x, scale 1."
    before = explorer.box.children[-1].value
    explorer.sliders["stage"].value = "decoder"
    assert alt_of(explorer) == "We are at decoder, scale 1."
    assert explorer.box.children[-1].value != before
    assert 'role="status"' in explorer.box.children[-2].value  # said by screen readers
    assert "We are at decoder, scale 1." in explorer.box.children[-2].value
    assert calls == [("x", 1), ("decoder", 1)]


def test_a_picture_seen_before_is_not_drawn_again(explorer, calls):
    for stage in ("z", "x", "z"):
        explorer.sliders["stage"].value = stage
    assert alt_of(explorer) == "We are at z, scale 1."
    assert calls == [("x", 1), ("z", 1)]


def test_an_error_is_shown_in_place_and_the_sliders_stay_usable(explorer):
    explorer.sliders["scale"].value = 0
    message = explorer.box.children[-1].value
    assert 'role="alert"' in message
    assert "ZeroDivisionError" in message
    assert "the scale is &lt;zero&gt;" in message
    explorer.sliders["scale"].value = 2
    assert alt_of(explorer) == "We are at x, scale 2."


def test_sliders_are_labelled_and_followed_while_they_are_dragged(explorer):
    slider = explorer.sliders["scale"]
    assert slider.description == "scale"
    assert [name for name, _ in slider.options] == ["0 m", "1 m", "2 m"]
    assert slider.continuous_update


def test_while_a_slider_is_dragged_only_the_latest_position_is_drawn(explorer, calls):
    async def drag():
        for stage in ("z", "decoder", "y"):
            explorer.sliders["stage"].value = stage
        assert len(calls) == 1  # the kernel is not held up
        await explorer._latest.settled()

    asyncio.run(drag())
    assert alt_of(explorer) == "We are at y, scale 1."
    assert calls == [("x", 1), ("y", 1)]


def test_reset_brings_the_first_picture_back(explorer, calls):
    explorer.sliders["stage"].value = "y"
    explorer.sliders["scale"].value = 2
    button(explorer, "Reset").click()
    assert alt_of(explorer) == "We are at x, scale 1."
    assert (explorer.sliders["stage"].value, explorer.sliders["scale"].value) == ("x", 1)
    assert calls == [("x", 1), ("y", 1), ("y", 2)]  # and it was remembered


def test_the_reader_is_told_what_to_notice_live_and_still(explorer):
    assert "The part in colour moves." in explorer.box.children[4].value
    assert "The part in colour moves." in outputs_of(explorer)[0]["text/html"]
    with pytest.raises(ValueError, match="notice is empty"):
        explorers.Explorer(lambda: flow(), describe=lambda: "", controls={}, notice=" ")


def button(explorer, name):
    (found,) = [widget for widget in explorer.box.children[3].children if widget.description == name]
    return found


@pytest.fixture
def slow(calls):
    def draw(stage):
        for step in range(1000 if stage == "y" else 2):
            calls.append((stage, step))
            yield step / 1000
        return flow(highlight={stage})

    return explorers.Explorer(
        draw,
        describe=lambda stage: f"We are at {stage}.",
        controls={"stage": explorers.Choice("stage", STAGES, "x")},
        notice="It takes long.",
    )


def test_long_work_has_a_bar_and_can_be_cancelled(slow, calls):
    _, bar, cancel = slow.box.children[2].children

    async def cancelled():
        slow.sliders["stage"].value = "y"
        while len(calls) < 6:
            await asyncio.sleep(0)
        assert (bar.layout.display, cancel.layout.display) == (None, None)  # to be seen
        assert 0 < bar.value < 1
        cancel.click()
        await slow._latest.settled()

    asyncio.run(cancelled())
    assert len(calls) < 100
    assert slow.sliders["stage"].value == "x"
    assert alt_of(slow) == "We are at x."
    assert "Cancelled" in slow.box.children[-2].value
    assert (bar.layout.display, cancel.layout.display) == ("none", "none")


def test_another_wish_ends_long_work_and_is_worked_on(slow, calls):
    async def change_of_mind():
        slow.sliders["stage"].value = "y"
        while len(calls) < 6:
            await asyncio.sleep(0)
        slow.sliders["stage"].value = "decoder"
        await slow._latest.settled()

    asyncio.run(change_of_mind())
    assert alt_of(slow) == "We are at decoder."
    assert len(calls) < 100


def test_without_a_loop_long_work_is_done_at_once(slow):
    slow.sliders["stage"].value = "z"
    assert alt_of(slow) == "We are at z."


def test_the_cell_keeps_a_still_picture_that_the_live_widget_hides(explorer):
    still, live = outputs_of(explorer)
    assert still["text/plain"] == "We are at x, scale 1."
    assert 'alt="We are at x, scale 1."' in still["text/html"]
    name = re.search('class="([^"]+)"', still["text/html"]).group(1)
    assert f".{name} {{ display: none }}" in explorer.box.children[0].value
    assert "application/vnd.jupyter.widget-view+json" in live


def test_the_still_picture_is_of_the_first_state_even_after_a_move(explorer):
    explorer.sliders["stage"].value = "y"
    assert "We are at x" in outputs_of(explorer)[0]["text/plain"]


def test_under_grading_there_are_no_sliders(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    explorer = explorers.Explorer(
        lambda stage: flow(highlight={stage}),
        describe=lambda stage: f"We are at {stage}.",
        notice="The part in colour moves.",
        controls={"stage": explorers.Control("stage", STAGES, "x")},
    )
    (still,) = outputs_of(explorer)
    assert still["text/plain"] == "We are at x."
    assert explorer.box is None


def test_mistakes_at_the_start_are_raised_in_the_cell():
    with pytest.raises(ValueError, match=r"'stage' starts at 'f', which is none of its values"):
        explorers.Explorer(
            lambda stage: flow(highlight={stage}),
            describe=str,
            notice="-",
            controls={"stage": explorers.Control("stage", STAGES, "f")},
        )


def test_modalities_shows_the_scene_and_says_its_caption(calls):
    def view(index, azimuth):
        calls.append((index, azimuth))
        return {"image": np.full((3, 8, 8), index / 10), "caption": f"{index} cones at {azimuth:g}"}

    explorer = explorers.modalities(view, scenes=4, notice="It turns.", azimuths=(0.0, 90.0))
    explorer.sliders["index"].value = 3
    explorer.sliders["azimuth"].value = 90.0
    assert alt_of(explorer) == (
        "Scene 3 seen from 90 degrees, side by side as image, caption. caption: 3 cones at 90"
    )
    assert calls == [(0, 0), (3, 0), (3, 90)]
    with pytest.raises(ValueError, match="nothing to show with 0 scenes"):
        explorers.modalities(view, scenes=0, notice="It turns.")


def test_embedding_computes_each_setting_once(rng, calls):
    points = rng.normal(size=(30, 2))

    def embed(n_neighbors, min_dist):
        calls.append((n_neighbors, min_dist))
        return points * min_dist + n_neighbors

    explorer = explorers.embedding(
        embed,
        images=rng.random((30, 4, 4)),
        parameters={"n_neighbors": [5, 15], "min_dist": [0.1, 0.5]},
        start={"n_neighbors": 15, "min_dist": 0.1},
        title="UMAP",
        notice="Islands come and go.",
        colour=np.arange(30) % 3,
        colour_label="digit",
        score=lambda z: f"spread {z.std():.2f}",
    )
    for neighbours in (5, 15, 5):
        explorer.sliders["n_neighbors"].value = neighbours
    assert calls == [(15, 0.1), (5, 0.1)]
    assert alt_of(explorer).startswith(
        "UMAP of 30 images with n_neighbors = 5, min_dist = 0.1, coloured by digit"
    )
    with pytest.raises(ValueError, match="start must name n_neighbors; it names k"):
        explorers.embedding(
            embed, images=[], parameters={"n_neighbors": [5]}, start={"k": 1}, title="", notice="-"
        )


def test_latent_line_walks_past_both_ends():
    start, end = np.array([1.0, 0.0]), np.array([0.0, 1.0])

    def decode(z):
        return np.full((4, 4), z[1])

    explorer = explorers.latent_line(
        decode, start=start, end=end, distance=lambda image: abs(image[0, 0] - 0.5)
    )
    assert (min(POSITIONS), max(POSITIONS)) == (-1, 2)
    explorer.sliders["t"].value = 1.5
    assert "t = 1.50, beyond the two codes; distance to the nearest real image (pixel units): 1.00" in alt_of(
        explorer
    )
    assert "0.50 at t = 0, 0.00 at t = 0.5, 0.50 at t = 1, 1.50 at t = 2" in alt_of(explorer)
    with pytest.raises(ValueError, match=r"start has shape \(2,\), end \(3,\)"):
        explorers.latent_line(decode, start=start, end=np.zeros(3), distance=float)
    with pytest.raises(ValueError, match="distance returned NaN"):
        explorers.latent_line(decode, start=start, end=end, distance=lambda _: np.nan)


def test_latent_line_figure_shows_the_image_at_t(rng, assert_complete):
    film = rng.random((len(POSITIONS), 6, 6, 3))
    distances = np.abs(POSITIONS)
    figure = latent_line_figure(film, t=0.5, distances=distances, distance_label="distance")
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), film[30])
    assert figure.axes[0].get_title() == "t = 0.50"
    frames = figure.axes[1:-1]
    for axes, index in zip(frames, range(0, 61, 10), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), film[index])
    np.testing.assert_allclose(figure.axes[-1].lines[-1].get_xydata(), [[0.5, 0.5]])
    assert_complete(figure)


def test_importing_viz_loads_neither_widgets_nor_torch_nor_pyplot():
    heavy = "{'torch', 'ipywidgets', 'plotly', 'anywidget', 'matplotlib.pyplot', 'umap', 'sklearn', 'scipy'}"
    code = f"import sys, mmdl_course.viz; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def searched(calls):
    def score(text):
        calls.append(text)
        if "blorb" in text:
            raise ValueError("nobody knows a <blorb>: choose from the list")
        return np.arange(5.0) * (-1 if "dark" in text else 1)

    return explorers.rank_images(
        score,
        images=np.arange(5.0)[:, None, None] * np.ones((5, 4, 4)) / 5,
        queries=("something light", "something dark"),
        titles=["black", "dark grey", "grey", "light grey", "white"],
        count=3,
    )


def test_typing_a_text_ranks_the_images(searched, calls):
    assert alt_of(searched) == (
        "The 3 images most similar to “something light”, with their similarity, best first: "
        "white 4.00, light grey 3.00, grey 2.00."
    )
    searched.sliders["query"].value = "dark, please"
    assert "“dark, please”" in alt_of(searched)
    assert "black -0.00, dark grey -1.00, grey -2.00" in alt_of(searched)
    searched.sliders["query"].value = "something light"
    assert calls == ["something light", "dark, please"]  # the model is asked once for each text


def test_taking_a_text_from_the_list_types_it(searched):
    box, choice = searched.box.children[1:3]
    assert (box.description, choice.description) == ("what to look for", "or take")
    assert not box.continuous_update
    choice.value = "something dark"
    assert box.value == "something dark"
    assert "“something dark”" in alt_of(searched)
    box.value = "typed"
    assert choice.value is None
    choice.value = "something dark"
    assert box.value == "something dark"


def test_under_grading_a_search_is_a_still_picture(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    explorer = explorers.rank_images(lambda _: np.arange(2.0), images=np.zeros((2, 4, 4)), queries=("a",))
    (still,) = outputs_of(explorer)
    assert "most similar to “a”" in still["text/plain"]
    assert explorer.box is None


def test_a_typed_text_is_no_formula(searched):
    searched.sliders["query"].value = r"$\cost$"
    assert r"“$\cost$”" in alt_of(searched)


def test_a_text_that_is_refused_says_why(searched):
    searched.sliders["query"].value = "a blorb"
    assert "nobody knows a &lt;blorb&gt;: choose from the list" in searched.box.children[-1].value
    searched.sliders["query"].value = "something dark"
    assert "“something dark”" in alt_of(searched)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"queries": ()}, "at least one query"),
        ({"titles": ["one"]}, "1 titles for 2 images"),
        ({"count": 0}, "count must be 1"),
        ({"score": lambda _: np.zeros(3)}, r"what score returns: expected shape \(2,\)"),
        ({"score": lambda _: np.full(2, np.nan)}, "what score returns: some similarities are NaN"),
    ],
)
def test_a_search_that_cannot_be_shown_is_refused(change, words):
    given = {"score": lambda _: np.zeros(2), "images": np.zeros((2, 4, 4)), "queries": ("a",), **change}
    with pytest.raises(ValueError, match=words):
        explorers.rank_images(given.pop("score"), **given)


def test_training_similarity_goes_through_the_training(rng, assert_complete):
    matrices = {200: np.eye(3), 0: np.zeros((3, 3))}
    captions = ["a red sphere", "a large blue shiny cube left of a small yellow torus", "a cone"]
    given = {"losses": np.linspace(3, 1, 200), "images": rng.random((3, 3, 8, 8)), "captions": captions}
    explorer = explorers.training_similarity(matrices, **given)
    assert alt_of(explorer) == (
        "Cosine similarities of 3 images and 3 captions at step 200 of training: pairs 1.00 on average, all "
        "others 0.00. Beside it the loss, from 3.00 to 1.00."
    )
    explorer.sliders["step"].value = 0
    assert "at step 0 of training: pairs 0.00" in alt_of(explorer)
    figures = [explorer._draw(step=step) for step in matrices]
    for figure in figures:
        assert_complete(figure)
        assert figure.get_figwidth() <= 9
    first, second = ({axes.get_label(): axes for axes in figure.axes} for figure in figures)
    assert first["similarity"].images[0].norm.vmax == second["similarity"].images[0].norm.vmax == 1
    np.testing.assert_allclose(first["loss"].lines[-1].get_xydata(), [[200, 1]])
    np.testing.assert_allclose(second["loss"].lines[-1].get_xydata(), [[0, 3]])
    with pytest.raises(ValueError, match="no matrices"):
        explorers.training_similarity({}, **given)
    with pytest.raises(ValueError, match="step 5: expected shape"):
        explorers.training_similarity({5: np.zeros((3, 2))}, **given)
    with pytest.raises(ValueError, match="step 201, but 200 losses"):
        explorers.training_similarity({201: np.eye(3)}, **given)
    with pytest.raises(ValueError, match="step 5: some similarities are NaN"):
        explorers.training_similarity({5: np.full((3, 3), np.nan)}, **given)
