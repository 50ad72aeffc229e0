import pytest
import torch

from mmdl_course.training import batches, fit


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_sample_comes_once_per_epoch():
    epoch = list(batches(12, size=4, steps=3, generator=seeded()))
    assert sorted(torch.cat(epoch).tolist()) == list(range(12))


def test_batches_have_one_size_and_the_asked_number():
    sizes = [len(indices) for indices in batches(10, size=4, steps=7, generator=seeded())]
    assert sizes == [4] * 7


def test_a_batch_larger_than_the_data_is_the_data():
    (indices,) = batches(3, size=8, steps=1, generator=seeded())
    assert sorted(indices.tolist()) == [0, 1, 2]


def test_fit_recovers_a_linear_map():
    truth = torch.tensor([[2.0, -1.0, 0.5]])
    x = torch.randn(200, 3, generator=seeded())
    weight = torch.nn.Parameter(torch.zeros(1, 3))
    history = fit(
        lambda i: ((x[i] @ weight.T - x[i] @ truth.T) ** 2).mean(),
        [weight],
        count=200,
        steps=400,
        generator=seeded(1),
        learning_rate=0.05,
    )
    assert torch.allclose(weight, truth, atol=1e-3)
    assert history.shape == (400,)
    assert history[-1] < history[0]


def test_the_generator_decides_everything():
    def run():
        weight = torch.nn.Parameter(torch.ones(4))
        x = torch.randn(50, 4, generator=seeded(3))
        return fit(
            lambda i: (x[i] @ weight).square().mean(), [weight], count=50, steps=20, generator=seeded(1)
        )

    assert torch.equal(run(), run())


def test_a_loss_that_explodes_says_so():
    weight = torch.nn.Parameter(torch.ones(1))
    with pytest.raises(FloatingPointError, match="toy: the loss is nan at step 0"):
        fit(
            lambda _: weight.sum() * float("nan"), [weight], count=2, steps=1, generator=seeded(), label="toy"
        )


def test_a_warm_up_rises_and_then_falls_to_zero():
    weight = torch.nn.Parameter(torch.zeros(()))
    places = []

    def loss(_):
        places.append(weight.item())
        return -weight  # Adam walks by the learning rate at each step

    fit(loss, [weight], count=4, steps=20, generator=seeded(), batch_size=4, learning_rate=1.0, warm_up=4)
    walked = torch.tensor(places).diff()
    assert (walked[:4].diff() > 0).all()
    assert walked[3:6].max() == walked.max()
    assert (walked[6:].diff() < 0).all()
    torch.testing.assert_close(walked[0], torch.tensor(0.2), atol=1e-3, rtol=0)
