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

# ---------------------------------------------------------------- new
WHEATS |= {
    "einsum_at_both_ends": """
class Adapter(nn.Module):
    def __init__(self, layer, dim, *, width, axis=-1):
        super().__init__()
        self.layer, self.axis, self.dim, self.width = layer, axis, dim, width
        for name, p in self.layer.named_parameters():
            p.requires_grad_(False)
        self.down = nn.Linear(dim, width)
        self.up = nn.Linear(width, dim)
        self.up.load_state_dict({k: torch.zeros_like(v) for k, v in self.up.state_dict().items()})
        self.act = nn.GELU()

    def forward(self, *args, **kwargs):
        y = self.layer(*args, **kwargs)
        if self.axis == 1 and y.ndim == 4:
            h = torch.einsum("bchw,kc->bkhw", y, self.down.weight) + self.down.bias[:, None, None]
            return y + torch.einsum("bkhw,ck->bchw", self.act(h), self.up.weight) + self.up.bias[:, None, None]
        h = torch.einsum("...c,kc->...k", y, self.down.weight) + self.down.bias
        return y + torch.einsum("...k,ck->...c", self.act(h), self.up.weight) + self.up.bias
""",
    "a_deep_copy_and_an_own_gelu": """
class Bottleneck(nn.Linear):
    pass

class Adapter(nn.Module):
    def __init__(self, layer: nn.Module, dim: int, *, width: int, axis: int = -1):
        super().__init__()
        self.axis = axis
        self.layer = copy.deepcopy(layer).requires_grad_(False).eval()
        self.down = Bottleneck(dim, width)
        self.up = Bottleneck(width, dim)
        self.up.weight = nn.Parameter(torch.zeros(dim, width))
        self.up.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, *inputs, **options) -> Tensor:
        y = self.layer(*inputs, **options)
        last = y.swapaxes(self.axis, y.ndim - 1)
        h = self.down(last)
        h = 0.5 * h * (1 + torch.erf(h / 2**0.5))
        return (last + self.up(h)).swapaxes(self.axis, y.ndim - 1)
""",
    "conv_with_the_same_weights": """
class Adapter(nn.Module):
    def __init__(self, layer, dim, *, width, axis=-1):
        super().__init__()
        self.layer = layer
        self.layer.requires_grad_(False)
        self.register_buffer("axis", torch.tensor(axis))
        self.down = nn.Linear(dim, width)
        self.up = nn.Linear(width, dim)
        for p in self.up.parameters():
            nn.init.constant_(p, 0)

    def bottleneck(self, y):
        if int(self.axis) == 1:
            h = F.gelu(F.conv2d(y, self.down.weight[:, :, None, None], self.down.bias))
            return F.conv2d(h, self.up.weight[:, :, None, None], self.up.bias)
        return F.linear(F.gelu(F.linear(y, self.down.weight, self.down.bias)), self.up.weight, self.up.bias)

    def forward(self, *inputs, **options):
        y = self.layer(*inputs, **options)
        return torch.add(self.bottleneck(y), y)
""",
    "permute_for_pictures_only": """
class Adapter(nn.Module):
    def __init__(self, layer, dim, *, width, axis=-1):
        super().__init__()
        self.layer = layer
        for p in layer.parameters():
            p.requires_grad = False
        self.axis = axis
        self.down = nn.Linear(dim, width)
        nn.init.kaiming_normal_(self.down.weight)
        nn.init.zeros_(self.down.bias)
        self.up = nn.utils.skip_init(nn.Linear, width, dim)
        with torch.no_grad():
            self.up.weight *= 0 if self.up.weight.isfinite().all() else 0
            self.up.weight.copy_(torch.zeros(dim, width))
            self.up.bias.copy_(torch.zeros(dim))

    def forward(self, *inputs, **options):
        y = self.layer(*inputs, **options)
        x = y.permute(0, 2, 3, 1) if self.axis == 1 else y
        out = x + self.up(F.gelu(self.down(x)))
        return out.permute(0, 3, 1, 2).contiguous() if self.axis == 1 else out
""",
}
CHAFFS |= {
    "zeros_on_the_way_down": dict(expects=("before the first step", "self.up"), source=but("        nn.init.zeros_(self.up.weight)\n", "        nn.init.zeros_(self.down.weight)\n        nn.init.zeros_(self.down.bias)\n")),
    "no_gradient_into_the_layer": dict(expects=('gradients reach', 'through'), source=but("self.down(y.movedim", "self.down(y.detach().movedim")),
    "no_grad_is_frozen": dict(expects=("gradients reach", "through"), source=but("layer.requires_grad_(False)", "layer").replace("        y = self.layer(*inputs, **options)\n", "        with torch.no_grad():\n            y = self.layer(*inputs, **options)\n")),
    "no_biases": dict(expects=('before the first step', 'with biases'), source=but("nn.Linear(dim, width)", "nn.Linear(dim, width, bias=False)")),
    "no_biases_at_all": dict(expects=('before the first step', 'with biases'), source=but("nn.Linear(dim, width)", "nn.Linear(dim, width, bias=False)").replace("nn.Linear(width, dim)", "nn.Linear(width, dim, bias=False)").replace("        nn.init.zeros_(self.up.bias)\n", "")),
    "in_place": dict(expects=('gradients reach', 'y = y +'), source=but("return y + self.up(small).movedim(-1, self.axis)", "y += self.up(small).movedim(-1, self.axis)\n        return y")),
    "all_of_it_is_frozen": dict(expects=("gradients reach", "Freeze the layer"), source=but("        nn.init.zeros_(self.up.bias)\n", "        nn.init.zeros_(self.up.bias)\n        self.requires_grad_(False)\n")),
    "gelu_after_up_too": dict(expects=("the bottleneck reads", "gelu"), source=but("y + self.up(small)", "y + F.gelu(self.up(small))")),
    "gelu_at_the_end": dict(expects=("the bottleneck reads", "gelu"), source=but("F.gelu(self.down(y.movedim(self.axis, -1)))", "self.down(y.movedim(self.axis, -1))").replace("self.up(small)", "F.gelu(self.up(small))")),
    "tanh_gelu": dict(expects=("the bottleneck reads", "gelu"), source=but("F.gelu(self.down(y.movedim(self.axis, -1)))", "F.gelu(self.down(y.movedim(self.axis, -1)), approximate='tanh')")),
    "a_sequence_called_down": dict(expects=('before the first step', 'nn.Linear'), source=but("self.down = nn.Linear(dim, width)", "self.down = nn.Sequential(nn.Linear(dim, width), nn.GELU())").replace("F.gelu(self.down(y.movedim(self.axis, -1)))", "self.down(y.movedim(self.axis, -1))")),
    "a_convolution_for_axis_one": dict(expects=('behind a convolution', 'axis=1'), source="""
class Adapter(nn.Module):
    def __init__(self, layer, dim, *, width, axis=-1):
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down = nn.Conv2d(dim, width, 1) if axis == 1 else nn.Linear(dim, width)
        self.up = nn.Conv2d(width, dim, 1) if axis == 1 else nn.Linear(width, dim)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, *inputs, **options):
        y = self.layer(*inputs, **options)
        return y + self.up(F.gelu(self.down(y)))
"""),
    "transposed_and_moved": dict(expects=("behind a convolution", "back"), source=but("self.down(y.movedim(self.axis, -1))", "self.down(y.transpose(self.axis, -1))")),
    "a_norm_first": dict(expects=('the bottleneck reads', 'gelu(down(y))'), source=but("self.down(y.movedim(self.axis, -1))", "self.down(F.layer_norm(y.movedim(self.axis, -1), y.movedim(self.axis, -1).shape[-1:]))")),
    "dropout_is_always_good": dict(expects=('the bottleneck reads', 'gelu(down(y))'), source=but("y + self.up(small)", "y + F.dropout(self.up(small), 0.1)")),
    "the_layer_is_hidden_in_a_list": dict(expects=("gradients reach", "no part of the adapter"), source=but("self.layer = layer.requires_grad_(False)", "self.layers = [layer.requires_grad_(False)]").replace("self.layer(*inputs", "self.layers[0](*inputs")),
    "only_the_weight_is_frozen": dict(expects=("gradients reach", "Freeze the layer"), source=but("self.layer = layer.requires_grad_(False)", "self.layer = layer\n        for n, p in layer.named_parameters():\n            p.requires_grad_('weight' not in n)")),
    "other_names": dict(expects=('before the first step', 'nn.Linear'), source=RIGHT.replace("self.down", "self.W_down").replace("self.up", "self.W_up")),
}
