import pytest
import torch
from torch import nn

from mmdl_course.pipelines.compose import Pipeline


class Ask(nn.Module):
    """A decoder of two inputs: the question's z is taken as weights of the image's."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 3)

    def forward(self, image, question):
        return self.out(image * question)


@pytest.fixture
def translation():
    torch.manual_seed(0)
    return Pipeline(
        "naming", "translation", f={"image": nn.Linear(6, 4)}, g=nn.Linear(4, 2), signal="the true name"
    )


@pytest.fixture
def fusion():
    torch.manual_seed(0)
    encoders = {"image": nn.Linear(6, 4), "question": nn.Linear(5, 4)}
    return Pipeline("asking", "fusion", f=encoders, g=Ask(), signal="the answer", frozen=("image",))


def test_the_answer_is_g_of_f_of_x(translation, fusion):
    x, q = torch.rand(3, 6), torch.rand(3, 5)
    torch.testing.assert_close(translation(image=x), translation.g(translation.f["image"](x)))
    expected = fusion.g.out(fusion.f["image"](x) * fusion.f["question"](q))
    torch.testing.assert_close(fusion(question=q, image=x), expected)  # by name, in any order
    assert fusion.encode(image=x, question=q).keys() == {"image", "question"}
    torch.testing.assert_close(fusion.decode(**fusion.encode(image=x, question=q)), expected)


def test_theta_is_what_is_not_frozen_each_once(fusion):
    learned = {id(parameter) for parameter in fusion.parameters()}
    wanted = [*fusion.f["question"].parameters(), *fusion.g.parameters()]
    assert learned == {id(parameter) for parameter in wanted}
    shared = nn.Linear(4, 4)
    twice = Pipeline(
        "both", "alignment", f={"a": shared, "b": shared}, g=lambda a, b: a @ b.T, signal="pairs"
    )
    assert len(list(twice.parameters())) == 2
    frozen = Pipeline("x", "translation", f={"a": shared}, g=shared, signal="", frozen=("a", "g"))
    assert list(frozen.parameters()) == []


def test_weights_that_ask_for_no_gradient_are_frozen_too(fusion):
    fusion.g.out.bias.requires_grad_(False)
    assert len(list(fusion.parameters())) == 3
    part = fusion.parts(image=torch.rand(1, 6), question=torch.rand(1, 5))[-2]
    assert part.size == "15 numbers, 12 learned"


def test_each_letter_says_its_size(fusion):
    parts = fusion.parts(image=torch.rand(3, 6), question=torch.rand(3, 5))
    assert [str(part) for part in parts] == [
        "x (image): 6",
        "f (image): 28 numbers, frozen",
        "z (image): 4",
        "x (question): 5",
        "f (question): 24 numbers, learned",
        "z (question): 4",
        "g: 15 numbers, learned",
        "y: 3",
    ]
    assert sum(part.moves for part in parts) == sum(p.numel() for p in fusion.parameters())


def test_texts_sets_and_functions_have_sizes_too():
    pipeline = Pipeline(
        "boxes",
        "translation",
        f={"text": lambda texts: torch.zeros(len(texts), 7)},
        g=lambda z: [torch.zeros(2, 4) for _ in z],
        signal="true boxes",
    )
    told = [part.size for part in pipeline.parts(text=["a cube", "a sphere"])]
    assert told == ["text", "nothing to learn", "7", "nothing to learn", "2 × 4"]


def test_parts_leave_no_gradients(translation):
    translation.parts(image=torch.rand(3, 6))
    assert all(parameter.grad is None for parameter in translation.parameters())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "was given nothing"),
        ({"question": None}, "asking takes image and question, and was given question"),
        ({"image": None, "question": None, "sound": None}, "was given image and question and sound"),
    ],
)
def test_inputs_that_are_missing_or_too_many_are_named(fusion, given, message):
    with pytest.raises(ValueError, match=message):
        fusion(**given)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"family": "mixture"}, "one of translation, alignment, fusion, not 'mixture'"),
        (
            {"family": "fusion"},
            "translation has one input, alignment and fusion have more; this fusion has 1",
        ),
        ({"f": {"g": nn.Identity()}}, "call no input 'g'"),
        ({"frozen": ("decoder",)}, "frozen names decoder; its parts are image, g"),
    ],
)
def test_what_fits_no_slide_is_refused(changes, message):
    given = {"family": "translation", "f": {"image": nn.Identity()}, "g": nn.Identity(), "signal": ""}
    with pytest.raises(ValueError, match=message):
        Pipeline("naming", **{**given, **changes})
