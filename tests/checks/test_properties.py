import pytest

TURN = "rotation = exercise.rotation(3)\nx = exercise.draw(5, 3)\n"
NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(2, 3), nn.Linear(3, 2)

def task(x):
    net = Net()
    {loss}
    return net, loss
"""


@pytest.mark.parametrize(
    ("student", "state"),
    [
        ("x.sum(0)", "passed"),
        ("torch.stack([row for row in x]).sum(0).numpy()", "passed"),
        ("x.mean(0)", "wrong"),
    ],
)
def test_agree(one, student, state):
    result = one(
        "exercise.agree(call, lambda x: sum(x), exercise.draw(4, 2), atol=1e-5, why='float32 rounds')",
        f"def task(x):\n    return {student}",
    )
    assert result.state == state
    if state == "wrong":
        assert "Expected: an independent computation on the same input gives tensor(" in result.message
        assert "(float32 rounds)" in result.message


def test_agree_gives_each_implementation_its_own_inputs(one):
    result = one(
        "exercise.agree(call, lambda x: 2 * x, torch.ones(2), atol=0)",
        "def task(x):\n    x *= 2\n    return x",
    )
    assert result.state == "passed"


@pytest.mark.parametrize(("student", "state"), [("x.norm(dim=1)", "passed"), ("x.abs().sum(1)", "wrong")])
def test_invariant(one, student, state):
    result = one(
        TURN + "exercise.invariant(call, x, lambda x: x @ rotation, atol=1e-5)",
        f"def task(x):\n    return {student}",
    )
    assert result.state == state
    if state == "wrong":
        assert "Expected: the same as before the input was transformed: tensor([" in result.message


@pytest.mark.parametrize(("student", "state"), [("x - x.mean(0)", "passed"), ("x / x.abs()", "wrong")])
def test_equivariant(one, student, state):
    result = one(
        TURN + "exercise.equivariant(call, x, lambda x: x @ rotation, lambda y: y @ rotation, atol=1e-5)",
        f"def task(x):\n    return {student}",
    )
    assert result.state == state
    if state == "wrong":
        assert "Expected: the earlier output, transformed likewise: " in result.message


@pytest.mark.parametrize(
    ("loss", "exactly", "words"),
    [
        ("loss = net.decoder(net.encoder(x)).sum()", None, ""),
        ("loss = net.encoder(x).sum()", ["encoder.*"], ""),
        ("loss = (net.encoder(x) * 0).sum()", ["encoder.weight", "encoder.bias"], ""),
        ("loss = net.encoder(x).sum()", None, "No gradient reaches decoder.weight, decoder.bias."),
        (
            "loss = net.decoder(net.encoder(x)).sum()",
            ["decoder.*"],
            "Gradients also reach encoder.weight, encoder.bias.",
        ),
        (
            "loss = net.decoder(net.encoder(x).detach()).sum()",
            ["encoder.*"],
            "and gradients also reach decoder",
        ),
        ("loss = net.decoder(net.encoder(x)).sum().detach()", None, "not connected to any parameter"),
        ("loss = net.decoder(net.encoder(x)).sum().item()", None, "not a single number in a tensor"),
        ("loss = net.decoder(net.encoder(x))", None, "not a single number in a tensor"),
        ("loss = net.encoder(x).sum()", ["lora_*"], "There is no parameter called 'lora_*'"),
        ("net.decoder.requires_grad_(False); loss = net.decoder(net.encoder(x)).sum()", ["encoder.*"], ""),
    ],
)
def test_gradients_reach(one, loss, exactly, words):
    result = one(
        f"net, loss = call(torch.ones(4, 2))\nexercise.gradients_reach(loss, net, exactly={exactly})\n"
        "exercise.true(all(p.grad is None for p in net.parameters()), 'the claim leaves .grad alone')",
        NET.format(loss=loss),
    )
    assert result.state == ("wrong" if words else "passed"), result.message
    assert words in result.message


@pytest.mark.parametrize(
    ("student", "words"),
    [
        (
            "class task(nn.Module):\n    layers = [nn.Linear(1, 1)]",
            "Layers kept in a plain list are not registered",
        ),
        ("def task():\n    return 3", "it is not an nn.Module"),
    ],
)
def test_gradients_reach_needs_parameters(one, student, words):
    result = one("exercise.gradients_reach(torch.ones(()), call())", student)
    assert result.state == "wrong"
    assert words in result.message


def test_gradients_reach_takes_names_and_tensors(one):
    result = one(
        "t = torch.tensor(1.0, requires_grad=True)\nexercise.gradients_reach(call(t), {'temperature': t})",
        "def task(t):\n    return t.exp()",
    )
    assert result.state == "passed"
