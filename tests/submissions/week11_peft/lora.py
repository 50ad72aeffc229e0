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
        self.merged = False

    def delta(self):
        return torch.einsum("or,ri->oi", self.B, self.A).mul(self.alpha / self.rank).reshape(self.base.weight.shape)

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return F.linear(x, self.base.weight + self.delta(), self.base.bias)

    @torch.no_grad()
    def merge(self):
        if self.merged:
            return
        self.base.weight.add_(self.delta())
        self.merged = True

    @torch.no_grad()
    def unmerge(self):
        if not self.merged:
            return
        self.base.weight.sub_(self.delta())
        self.merged = False
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

    @property
    def merged(self):
        return self.old is not None

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

# ---------------------------------------------------------------- new
WHEATS |= {
    "one_matrix_product_by_hand": """
class LoRA(nn.Module):
    def __init__(self, base, *, rank, alpha, generator):
        super().__init__()
        self.base = base
        for p in self.base.parameters():
            p.requires_grad_(False)
        w = base.weight.flatten(1)
        self.rank, self.alpha = rank, alpha
        self.A = nn.Parameter(torch.randn(rank, w.shape[1], generator=generator) / np.sqrt(w.shape[1]))
        self.B = nn.Parameter(torch.zeros(w.shape[0], rank))
        self.merged = False

    def delta(self):
        return (self.alpha / self.rank * self.B @ self.A).reshape(self.base.weight.shape)

    def forward(self, x):
        weight = self.base.weight if self.merged else self.base.weight + self.delta()
        y = x @ weight.T
        return y if self.base.bias is None else y + self.base.bias

    def merge(self):
        if self.merged:
            return
        with torch.no_grad():
            self.base.weight += self.delta()
        self.merged = True

    def unmerge(self):
        if not self.merged:
            return
        with torch.no_grad():
            self.base.weight -= self.delta()
        self.merged = False
""",
    "a_buffer_for_the_flag": """
class LoRA(nn.Module):
    def __init__(self, base, *, rank, alpha, generator):
        super().__init__()
        self.base = base.requires_grad_(False)
        out_features, in_features = base.weight.flatten(1).shape
        a = torch.randn(rank, in_features, generator=generator).div_(in_features**0.5)
        self.register_parameter("A", nn.Parameter(a))
        self.register_parameter("B", nn.Parameter(a.new_zeros(out_features, rank)))
        self.register_buffer("merged", torch.tensor(False), persistent=False)
        self.register_buffer("scaling", torch.tensor(alpha / rank), persistent=False)

    def delta(self):
        return self.scaling * torch.matmul(self.B, self.A).unflatten(1, self.base.weight.shape[1:])

    def forward(self, x):
        y = self.base(x)
        if not self.merged:
            y = y + self.scaling * torch.einsum("...i,ri,or->...o", x, self.A, self.B)
        return y

    def merge(self):
        if not self.merged:
            self.base.weight.data.copy_(self.base.weight.data + self.delta().data)
            self.merged.fill_(True)

    def unmerge(self):
        if self.merged:
            self.base.weight.data.copy_(self.base.weight.data - self.delta().data)
            self.merged.fill_(False)
""",
    "the_added_part_is_remembered": """
class LoRA(nn.Module):
    def __init__(self, base, *, rank, alpha, generator):
        super().__init__()
        self.base = base
        base.requires_grad_(False)
        self.scale = alpha / rank
        into = base.weight.flatten(1).size(1)
        self.A = nn.Parameter(torch.randn(into, rank, generator=generator).T.contiguous() * into ** -0.5)
        self.B = nn.Parameter(torch.zeros(len(base.weight), rank))
        self.added = None

    @property
    def merged(self):
        return self.added is not None

    def delta(self):
        outer = self.B.T[:, :, None] * self.A[:, None, :]
        return self.scale * outer.sum(0).view_as(self.base.weight)

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return self.base(x) + F.linear(x, self.delta())

    @torch.no_grad()
    def merge(self):
        if self.added is None:
            self.added = self.delta().clone()
            self.base.weight.add_(self.added)

    @torch.no_grad()
    def unmerge(self):
        if self.added is not None:
            self.base.weight.sub_(self.added)
            self.added = None
""",
    "a_new_frozen_parameter": """
class LoRA(nn.Module):
    def __init__(self, base, *, rank, alpha, generator):
        super().__init__()
        self.base = base
        self.base.requires_grad_(False)
        n, m = self.base.weight.flatten(1).shape
        self.A = nn.Parameter(torch.randn((rank, m), generator=generator) / torch.sqrt(torch.tensor(m)))
        self.B = nn.Parameter(torch.zeros((n, rank)))
        self.alpha, self.rank, self.merged = alpha, rank, False

    def delta(self):
        return (torch.einsum("ir,rj->ij", self.B, self.A) * self.alpha / self.rank).view(*self.base.weight.shape)

    def _shift(self, sign):
        new = self.base.weight.detach() + sign * self.delta().detach()
        self.base.weight = nn.Parameter(new, requires_grad=False)
        self.merged = sign > 0

    def forward(self, x):
        out = self.base(x)
        if self.merged:
            return out
        low = F.linear(x, self.A)
        return out + F.linear(low, self.B) * (self.alpha / self.rank)

    def merge(self):
        if not self.merged:
            self._shift(+1)

    def unmerge(self):
        if self.merged:
            self._shift(-1)
""",
}
CHAFFS |= {
    "a_delta_is_only_looked_at": dict(expects=('gradients reach A and B', 'without detach'), source=but("return self.scale * (self.B @ self.A).view_as(self.base.weight)", "return self.scale * (self.B @ self.A).detach().view_as(self.base.weight)")),
    "delta_under_no_grad": dict(expects=('gradients reach A and B', 'without detach'), source=but("    def delta(self):", "    @torch.no_grad()\n    def delta(self):")),
    "merge_with_a_graph": dict(expects=('merged: other', 'torch.no_grad'), source=but("self.base.weight.data += self.delta().detach()", "self.base.weight += self.delta()").replace("self.base.weight.data -= self.delta().detach()", "self.base.weight -= self.delta()")),
    "merge_into_a_new_parameter": dict(expects=('merged: other', 'wants gradients'), source=but("self.base.weight.data += self.delta().detach()", "self.base.weight = nn.Parameter(self.base.weight + self.delta())").replace("self.base.weight.data -= self.delta().detach()", "self.base.weight = nn.Parameter(self.base.weight - self.delta())")),
    "assigning_a_tensor": dict(expects=('merged: other', 'cannot assign'), source=but("self.base.weight.data += self.delta().detach()", "self.base.weight = self.base.weight + self.delta()").replace("self.base.weight.data -= self.delta().detach()", "self.base.weight = self.base.weight - self.delta()")),
    "merging_empties_b": dict(expects=('merged: other', 'has changed A or B'), source=but("self.base.weight.data += self.delta().detach()", "self.base.weight.data += self.delta().detach()\n            self.old = self.B.data.clone()\n            self.B.data.zero_()").replace("self.base.weight.data -= self.delta().detach()", "self.B.data.copy_(self.old)\n            self.base.weight.data -= self.delta().detach()")),
    "frozen_by_detach_in_forward": dict(expects=('gradients reach A and B', 'base.requires_grad_(False)'), source=but("self.base = base.requires_grad_(False)", "self.base = base").replace("y = self.base(x)", "y = F.linear(x, self.base.weight.detach(), None if self.base.bias is None else self.base.bias.detach())")),
    "every_layer_has_a_bias": dict(expects=('fresh sizes', 'NoneType'), source=but("self.base = base.requires_grad_(False)", "self.base = base\n        base.weight.requires_grad = False\n        base.bias.requires_grad = False")),
    "divided_by_in": dict(expects=("the start", "1/√in"), source=but("into**0.5", "into")),
    "divided_by_the_root_of_the_rank": dict(expects=("the start", "1/√in"), source=but("into**0.5", "rank**0.5")),
    "kaiming_as_in_the_paper": dict(expects=("the start", "with the generator"), source=but("self.A = nn.Parameter(torch.randn(rank, into, generator=generator) / into**0.5)", "self.A = nn.Parameter(torch.empty(rank, into))\n        nn.init.kaiming_uniform_(self.A, a=5**0.5)")),
    "rank_stabilised": dict(expects=("ΔW", "α/r"), source=but("alpha / rank", "alpha / rank**0.5")),
    "rank_over_alpha": dict(expects=("ΔW", "α/r"), source=but("alpha / rank", "rank / alpha")),
    "whole_numbers": dict(expects=("ΔW", "α/r"), source=but("alpha / rank", "alpha // rank")),
    "the_shapes_the_other_way": dict(expects=('the start', '(3, 400)'), source=but("torch.randn(rank, into, generator=generator)", "torch.randn(into, rank, generator=generator)").replace("torch.zeros(out, rank)", "torch.zeros(rank, out)").replace("self.B @ self.A", "(self.A @ self.B).T").replace("(x @ self.A.T) @ self.B.T", "(x @ self.A) @ self.B")),
    "two_linear_layers": dict(expects=('the start', 'both nn.Parameter'), source=but("self.A = nn.Parameter(torch.randn(rank, into, generator=generator) / into**0.5)", "self.A = nn.Linear(into, rank, bias=False)\n        self.A.weight.data = torch.randn(rank, into, generator=generator) / into**0.5").replace("self.B = nn.Parameter(torch.zeros(out, rank))", "self.B = nn.Linear(rank, out, bias=False)\n        self.B.weight.data.zero_()").replace("(self.B @ self.A)", "(self.B.weight @ self.A.weight)").replace("(x @ self.A.T) @ self.B.T", "self.B(self.A(x))")),
    "names_of_the_library": dict(expects=('the start', 'both nn.Parameter'), source=RIGHT.replace("self.A", "self.lora_A").replace("self.B", "self.lora_B")),
    "no_parameters": dict(expects=("gradients reach", "nn.Parameter"), source=but("self.A = nn.Parameter(torch.randn(rank, into, generator=generator) / into**0.5)", "self.A = torch.randn(rank, into, generator=generator) / into**0.5").replace("self.B = nn.Parameter(torch.zeros(out, rank))", "self.B = torch.zeros(out, rank)")),
    "tensors_that_want_gradients": dict(expects=("gradients reach", "nn.Parameter"), source=but("self.A = nn.Parameter(torch.randn(rank, into, generator=generator) / into**0.5)", "self.A = (torch.randn(rank, into, generator=generator) / into**0.5).requires_grad_()").replace("self.B = nn.Parameter(torch.zeros(out, rank))", "self.B = torch.zeros(out, rank, requires_grad=True)")),
    "x_on_the_right": dict(expects=("fresh sizes", "not on x"), source=but("self.scale * (x @ self.A.T) @ self.B.T", "self.scale * (self.B @ self.A @ x.T).T")),
    "merge_returns_a_plain_layer": dict(expects=('merged: other', 'base.weight'), source=but("            self.base.weight.data += self.delta().detach()\n            self.merged = True\n", "            plain = copy.deepcopy(self.base)\n            plain.weight.data += self.delta().detach()\n            return plain\n")),
    "another_name_for_the_flag": dict(expects=('merged: other', 'self.merged'), source=RIGHT.replace("self.merged", "self.is_merged")),
    "the_old_weight_is_kept_without_copying": dict(expects=('merged: other', 'base.weight'), source=but("            self.base.weight.data += self.delta().detach()\n", "            self.old = self.base.weight.data\n            self.base.weight.data += self.delta().detach()\n").replace("self.base.weight.data -= self.delta().detach()", "self.base.weight.data = self.old")),
    "frozen_at_the_first_call": dict(expects=('gradients reach A and B', 'base.requires_grad_(False)'), source=but("self.base = base.requires_grad_(False)", "self.base = base").replace("y = self.base(x)", "y = self.base.requires_grad_(False)(x)")),
    "dropout_as_in_the_library": dict(expects=('ΔW', 'forward'), source=but("(x @ self.A.T)", "(F.dropout(x, 0.1, self.training) @ self.A.T)")),
    "the_base_is_called_layer": dict(expects=('ΔW', "attribute 'base'"), source=RIGHT.replace("self.base", "self.layer")),
}
