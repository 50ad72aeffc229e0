"""Wheats and chaffs for adapter. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "a_sequence_in_the_middle": """
class Adapter(nn.Module):
    def __init__(self, layer, dim, *, width, axis=-1):
        super().__init__()
        for p in layer.parameters():
            p.requires_grad = False
        self.layer, self.axis = layer, axis
        self.down = nn.Linear(dim, width)
        self.up = nn.Linear(width, dim)
        with torch.no_grad():
            self.up.weight.zero_()
            self.up.bias.zero_()

    def forward(self, *a, **k):
        y = self.layer(*a, **k)
        rows = y.transpose(self.axis, -1)
        return (rows + self.up(nn.functional.gelu(self.down(rows)))).transpose(self.axis, -1)
""",
    "with_tensordot": """
class Adapter(nn.Module):
    def __init__(self, layer, dim, *, width, axis=-1):
        super().__init__()
        self.layer = layer
        self.layer.requires_grad_(False)
        self.axis = axis
        self.down, self.up = nn.Linear(dim, width), nn.Linear(width, dim)
        self.up.weight.data.fill_(0.0)
        self.up.bias.data.fill_(0.0)

    def forward(self, *inputs, **options):
        out = self.layer(*inputs, **options)
        low = torch.tensordot(out, self.down.weight, dims=([self.axis], [1])) + self.down.bias
        high = torch.tensordot(F.gelu(low), self.up.weight, dims=([-1], [1])) + self.up.bias
        return out.add(torch.movedim(high, -1, self.axis))
""",
}

RIGHT = """
class Adapter(nn.Module):
    def __init__(self, layer, dim, *, width, axis=-1):
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.axis = axis
        self.down = nn.Linear(dim, width)
        self.up = nn.Linear(width, dim)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, *inputs, **options):
        y = self.layer(*inputs, **options)
        small = F.gelu(self.down(y.movedim(self.axis, -1)))
        return y + self.up(small).movedim(-1, self.axis)
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


CHAFFS = {
    "no_residual": dict(
        expects=("before the first step", "residual"), source=but("return y + self", "return self")
    ),
    "small_numbers_are_nearly_zero": dict(
        expects=("before the first step", "starts with zeros"),
        source=but("nn.init.zeros_(self.up.weight)", "nn.init.normal_(self.up.weight, std=0.01)"),
    ),
    "torch_knows_how_to_start": dict(
        expects=("before the first step", "starts with zeros"),
        source=but("        nn.init.zeros_(self.up.weight)\n        nn.init.zeros_(self.up.bias)\n", ""),
    ),
    "biases_start_at_zero_anyway": dict(
        expects=("before the first step", "weight and bias"),
        source=but("        nn.init.zeros_(self.up.bias)\n", ""),
    ),
    "zero_is_zero_for_both": dict(
        expects=("around attention", "have not moved"),
        source=but(
            "        nn.init.zeros_(self.up.bias)\n",
            "        nn.init.zeros_(self.up.bias)\n        nn.init.zeros_(self.down.weight)\n        nn.init.zeros_(self.down.bias)\n",
        ),
    ),
    "the_layer_may_learn_too": dict(
        expects=("gradients reach the bottleneck", "Freeze the layer"),
        source=but("layer.requires_grad_(False)", "layer"),
    ),
    "frozen_means_detached": dict(
        expects=("gradients reach the bottleneck", "through"),
        source=but("y = self.layer(*inputs, **options)", "y = self.layer(*inputs, **options).detach()"),
    ),
    "the_residual_goes_around_the_layer": dict(
        expects=("the bottleneck reads the layer's output", "not x"),
        source=but("return y + self.up", "return (inputs[0] if inputs[0].shape == y.shape else y) + self.up"),
    ),
    "no_activation": dict(
        expects=("the bottleneck reads the layer's output", "gelu"),
        source=but("F.gelu(self.down(y.movedim(self.axis, -1)))", "self.down(y.movedim(self.axis, -1))"),
    ),
    "relu_is_as_good": dict(
        expects=("the bottleneck reads the layer's output", "gelu"), source=but("F.gelu", "F.relu")
    ),
    "the_bottleneck_reads_the_input": dict(
        expects=("the bottleneck reads the layer's output", "sees y, not x"),
        source=but(
            "self.down(y.movedim", "self.down((inputs[0] if inputs[0].shape == y.shape else y).movedim"
        ),
    ),
    "features_are_last": dict(
        expects=("behind a convolution", "axis=1"),
        source=but("y.movedim(self.axis, -1)", "y").replace(".movedim(-1, self.axis)", ""),
    ),
    "layers_have_one_input": dict(
        expects=("around attention", "Pass everything on"),
        source=but("self.layer(*inputs, **options)", "self.layer(*inputs)"),
    ),
}
