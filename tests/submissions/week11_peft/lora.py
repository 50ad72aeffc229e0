"""Wheats and chaffs for lora. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "everything_through_delta": """
class LoRA(nn.Module):
    def __init__(self, base, *, rank, alpha, generator):
        super().__init__()
        for p in base.parameters():
            p.requires_grad = False
        self.base, self.rank, self.alpha = base, rank, alpha
        n_out = base.weight.shape[0]
        n_in = base.weight.numel() // n_out
        self.A = nn.Parameter(torch.empty(rank, n_in).normal_(0, n_in ** -0.5, generator=generator))
        self.B = nn.Parameter(torch.zeros(n_out, rank))
        self.inside = False

    def delta(self):
        return torch.einsum("or,ri->oi", self.B, self.A).mul(self.alpha / self.rank).reshape(self.base.weight.shape)

    def forward(self, x):
        if self.inside:
            return self.base(x)
        return F.linear(x, self.base.weight + self.delta(), self.base.bias)

    @torch.no_grad()
    def merge(self):
        if self.inside:
            return
        self.base.weight.add_(self.delta())
        self.inside = True

    @torch.no_grad()
    def unmerge(self):
        if not self.inside:
            return
        self.base.weight.sub_(self.delta())
        self.inside = False
""",
    "the_old_weight_is_kept": """
class LoRA(nn.Module):
    def __init__(self, base, *, rank, alpha, generator):
        super().__init__()
        self.base = base
        base.requires_grad_(False)
        shape = base.weight.flatten(1).shape
        start = torch.randn((rank, shape[1]), generator=generator)
        self.A = nn.Parameter(start / torch.tensor(float(shape[1])).sqrt())
        self.B = nn.Parameter(torch.zeros(shape[0], rank))
        self.factor = alpha / rank
        self.old = None

    def delta(self):
        return (self.factor * self.B @ self.A).view(self.base.weight.shape)

    def forward(self, x):
        y = self.base(x)
        if self.old is None:
            y = y + F.linear(F.linear(x, self.A), self.B) * self.factor
        return y

    def merge(self):
        if self.old is None:
            self.old = self.base.weight.detach().clone()
            with torch.no_grad():
                self.base.weight.copy_(self.old + self.delta())

    def unmerge(self):
        if self.old is not None:
            with torch.no_grad():
                self.base.weight.copy_(self.old)
            self.old = None
""",
}

RIGHT = """
class LoRA(nn.Module):
    def __init__(self, base, *, rank, alpha, generator):
        super().__init__()
        self.base = base.requires_grad_(False)
        out, into = base.weight.flatten(1).shape
        self.A = nn.Parameter(torch.randn(rank, into, generator=generator) / into**0.5)
        self.B = nn.Parameter(torch.zeros(out, rank))
        self.scale = alpha / rank
        self.merged = False

    def delta(self):
        return self.scale * (self.B @ self.A).view_as(self.base.weight)

    def forward(self, x):
        y = self.base(x)
        return y if self.merged else y + self.scale * (x @ self.A.T) @ self.B.T

    def merge(self):
        if not self.merged:
            self.base.weight.data += self.delta().detach()
            self.merged = True

    def unmerge(self):
        if self.merged:
            self.base.weight.data -= self.delta().detach()
            self.merged = False
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


RANDOM = "torch.randn(rank, into, generator=generator) / into**0.5"
CHAFFS = {
    "both_zero": dict(expects=("the start", "A = randn"), source=but(RANDOM, "torch.zeros(rank, into)")),
    "both_random": dict(
        expects=("the start", "B = zeros"),
        source=but("torch.zeros(out, rank)", "torch.randn(out, rank, generator=generator) / rank"),
    ),
    "a_zero_b_random": dict(
        expects=("the start", "B = zeros"),
        source=but("torch.zeros(out, rank)", "torch.randn(out, rank, generator=generator)").replace(
            RANDOM, "torch.zeros(rank, into)"
        ),
    ),
    "random_is_random": dict(
        expects=("the start", "with the generator"), source=but(", generator=generator) / into", ") / into")
    ),
    "deviation_one": dict(expects=("the start", "1/√in"), source=but(" / into**0.5", "")),
    "the_scale_is_for_large_ranks": dict(
        expects=("ΔW = (α/r) B A", "times α/r"), source=but("alpha / rank", "1.0")
    ),
    "alpha_is_the_scale": dict(expects=("ΔW = (α/r) B A", "times α/r"), source=but("alpha / rank", "alpha")),
    "the_scale_is_part_of_forward": dict(
        expects=("ΔW = (α/r) B A", "times α/r"),
        source=but("return self.scale * (self.B @ self.A)", "return (self.B @ self.A)"),
    ),
    "the_scale_is_part_of_the_merge": dict(
        expects=("ΔW = (α/r) B A", "scale included"), source=but("y + self.scale * (x", "y + (x")
    ),
    "a_product_is_a_product": dict(
        expects=("ΔW = (α/r) B A", "times A (r, in)"),
        source=but(
            "(self.B @ self.A).view_as", "(self.A.T @ self.B.T).reshape(self.base.weight.shape).view_as"
        ),
    ),
    "the_base_learns_along": dict(
        expects=("gradients reach A and B", "base.requires_grad_(False)"),
        source=but("base.requires_grad_(False)", "base"),
    ),
    "a_bias_is_no_weight": dict(
        expects=("gradients reach A and B", "its bias too"),
        source=but(
            "self.base = base.requires_grad_(False)",
            "self.base = base\n        base.weight.requires_grad_(False)",
        ),
    ),
    "b_needs_no_gradient": dict(
        expects=("gradients reach A and B", "without detach"), source=but("@ self.B.T", "@ self.B.detach().T")
    ),
    "merged_and_added": dict(
        expects=("merged: other weights, same answers", "not add it once more"),
        source=but("y if self.merged else y +", "y +"),
    ),
    "merging_is_a_promise": dict(
        expects=("merged: other weights, same answers", "merge adds delta()"),
        source=but("            self.base.weight.data += self.delta().detach()\n", "")
        .replace("y if self.merged else y", "y")
        .replace("            self.base.weight.data -= self.delta().detach()\n", ""),
    ),
    "unmerging_adds_the_rest": dict(
        expects=("merged: other weights, same answers", "unmerge subtracts"),
        source=but("data -= self", "data += self"),
    ),
    "merging_twice_adds_twice": dict(
        expects=("merging twice is merging once", "do nothing if it is there already"),
        source=but("if not self.merged:", "if True:"),
    ),
    "unmerging_is_always_possible": dict(
        expects=("merging twice is merging once", "do nothing if it is there already"),
        source=but("        if self.merged:", "        if True:"),
    ),
    "layers_are_linear": dict(
        expects=("fresh sizes", "base.weight.flatten(1)"),
        source=but("base.weight.flatten(1).shape", "base.weight.shape[:2]"),
    ),
}
