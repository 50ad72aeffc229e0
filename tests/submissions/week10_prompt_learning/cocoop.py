"""Wheats and chaffs for cocoop. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "image_by_image": """
class CoCoOp(nn.Module):
    def __init__(self, model, length, *, hidden=16, generator):
        super().__init__()
        self.clip = model
        for parameter in self.clip.parameters():
            parameter.requires_grad = False
        width = model.config["dim"]
        self.context = nn.Parameter(torch.randn(length, width, generator=generator) * 0.02)
        last = nn.Linear(hidden, width)
        last.weight.data.zero_()
        last.bias.data.zero_()
        self.meta = nn.Sequential(nn.Linear(model.config["embedding"], hidden), nn.ReLU(), last)

    def contexts(self, z):
        return torch.stack([self.context + self.meta(row / row.norm()) for row in z])

    def forward(self, z, labels):
        rows = []
        for image, context in zip(z, self.contexts(z)):
            text = read_with_context(self.clip, context.expand(len(labels), -1, -1), labels)
            rows.append(F.cosine_similarity(image[None], text, dim=1) * self.clip.log_scale.exp())
        return torch.stack(rows)
""",
    "class_by_class_and_a_model_outside": """
class CoCoOp(nn.Module):
    def __init__(self, model, length, *, hidden=16, generator):
        super().__init__()
        self.frozen = [model.requires_grad_(False)]  # in a list: not listed by parameters()
        embedding, dim = model.text_projection.out_features, model.text_projection.in_features
        self.context = nn.Parameter(torch.zeros(length, dim).normal_(std=0.02, generator=generator))
        self.meta = Meta(embedding, hidden, dim)

    def contexts(self, z):
        own = self.meta(z / z.norm(dim=1, keepdim=True))
        return own.unsqueeze(1) + self.context.unsqueeze(0)

    def forward(self, z, labels):
        model = self.frozen[0]
        each = self.contexts(z)
        unit_z = z / z.norm(dim=1, keepdim=True)
        columns = []
        for label in labels:
            text = read_with_context(model, each, [label] * len(z))
            columns.append((unit_z * F.normalize(text, dim=1)).sum(dim=1))
        return torch.stack(columns, dim=1) * torch.exp(model.log_scale)


class Meta(nn.Module):
    def __init__(self, embedding, hidden, dim):
        super().__init__()
        self.first = nn.Linear(embedding, hidden)
        self.last = nn.Linear(hidden, dim)
        nn.init.constant_(self.last.weight, 0.0)
        nn.init.constant_(self.last.bias, 0.0)

    def forward(self, z):
        return self.last(self.first(z).clamp(min=0))
""",
    "classes_outside_images_inside": """
class CoCoOp(nn.Module):
    def __init__(self, model, length, *, hidden=16, generator):
        super().__init__()
        self.model = model
        self.model.requires_grad_(False)
        dim = model.text.words.embedding_dim
        self.context = nn.Parameter(torch.empty(length, dim))
        nn.init.normal_(self.context, std=0.02, generator=generator)
        self.meta = nn.Sequential()
        self.meta.append(nn.Linear(model.text_projection.out_features, hidden)).append(nn.ReLU())
        self.meta.append(nn.Linear(hidden, dim, bias=False))
        torch.nn.init.zeros_(self.meta[-1].weight)

    def contexts(self, z):
        n, m = len(z), len(self.context)
        return self.context.expand(n, -1, -1) + self.meta(F.normalize(z)).unsqueeze(1).expand(-1, m, -1)

    def forward(self, z, labels):
        n, c = len(z), len(labels)
        names = [label for label in labels for _ in range(n)]  # a a a b b b
        text = read_with_context(self.model, self.contexts(z).repeat(c, 1, 1), names).view(c, n, -1)
        return self.model.log_scale.exp() * F.cosine_similarity(text, z[None], dim=2).T
""",
    "couples_by_index_and_batched_products": """
class CoCoOp(nn.Module):
    def __init__(self, model, length, *, hidden=16, generator):
        super().__init__()
        self.model = model.requires_grad_(False)
        dim = model.text.words.weight.size(1)
        self.context = nn.Parameter(0.02 * torch.randn(length, dim, generator=generator))
        self.into = nn.Linear(model.text_projection.out_features, hidden)
        self.out = nn.Linear(hidden, dim)
        with torch.no_grad():
            for parameter in self.out.parameters():
                parameter.zero_()
        self.meta = nn.Sequential(self.into, nn.ReLU(inplace=True), self.out)

    def contexts(self, z):
        return torch.einsum("md,i->imd", self.context, torch.ones(len(z))) + self.meta(F.normalize(z, dim=1))[:, None, :]

    def forward(self, z, labels):
        couples = [(i, label) for i in range(len(z)) for label in labels]
        each = self.contexts(z)[torch.tensor([i for i, _ in couples])]
        text = F.normalize(read_with_context(self.model, each, [label for _, label in couples]), dim=-1)
        text = text.reshape(len(z), len(labels), -1)
        return (text @ F.normalize(z, dim=1)[:, :, None]).squeeze(2) * self.model.log_scale.exp()
""",
}

RIGHT = """
class CoCoOp(nn.Module):
    def __init__(self, model, length, *, hidden=16, generator):
        super().__init__()
        self.model = model.requires_grad_(False)
        dim = model.text.words.weight.shape[1]
        self.context = nn.Parameter(0.02 * torch.randn(length, dim, generator=generator))
        self.meta = nn.Sequential(nn.Linear(model.text_projection.out_features, hidden), nn.ReLU(), nn.Linear(hidden, dim))
        nn.init.zeros_(self.meta[2].weight)
        nn.init.zeros_(self.meta[2].bias)

    def contexts(self, z):
        own = self.meta(F.normalize(z, dim=1))
        return self.context + own[:, None]

    def forward(self, z, labels):
        each = self.contexts(z).repeat_interleave(len(labels), dim=0)
        text = read_with_context(self.model, each, list(labels) * len(z))
        text = F.normalize(text, dim=1).view(len(z), len(labels), -1)
        return self.model.log_scale.exp() * torch.einsum("ie,ice->ic", F.normalize(z, dim=1), text)
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


CHAFFS = {
    "a_batch_is_one_picture": dict(
        expects=("do not depend on the others", "no mean over the batch"),
        source=but("own = self.meta(F.normalize(z, dim=1))", "own = self.meta(F.normalize(z, dim=1)).mean(dim=0, keepdim=True).expand(len(z), -1)"),
    ),
    "the_mean_picture_stands_for_all": dict(
        expects=("do not depend on the others", "no mean over the batch"),
        source=but("own = self.meta(F.normalize(z, dim=1))", "own = self.meta(F.normalize(z, dim=1).mean(dim=0).expand_as(z))"),
    ),
    "pi_belongs_to_the_classes": dict(
        expects=("do not depend on the others", "class vectors of its own context"),
        source=but("each = self.contexts(z).repeat_interleave(len(labels), dim=0)", "contexts = self.contexts(z)").replace(
            "text = read_with_context(self.model, each, list(labels) * len(z))\n        text = F.normalize(text, dim=1).view(len(z), len(labels), -1)",
            "if len(contexts) == 1:\n            contexts = contexts.expand(len(labels), -1, -1)\n"
            "        text = F.normalize(read_with_context(self.model, contexts, labels), dim=1).expand(len(z), -1, -1)",
        ),
    ),
    "repeat_is_repeat": dict(
        expects=("do not depend on the others", "the order of the labels fit the order of the contexts"),
        source=but("repeat_interleave(len(labels), dim=0)", "repeat(len(labels), 1, 1)"),
    ),
    "view_sorts_the_axes": dict(
        expects=("do not depend on the others", "the order of the labels fit the order of the contexts"),
        source=but("list(labels) * len(z)", "[label for label in labels for _ in range(len(z))]").replace(
            "repeat_interleave(len(labels), dim=0)", "repeat(len(labels), 1, 1)"
        ),
    ),
    "h_sees_what_the_encoder_gives": dict(
        expects=("computed from its unit vector", "meta(unit z)"),
        source=but("self.meta(F.normalize(z, dim=1))", "self.meta(z)"),
    ),
    "pi_moves_the_first_vector": dict(
        expects=("every context vector of an image", "an axis for the length"),
        source=but("return self.context + own[:, None]", "return torch.cat([self.context[:1] + own[:, None], self.context[1:].expand(len(z), -1, -1)], dim=1)"),
    ),
    "pi_scales_the_context": dict(
        expects=("every context vector of an image", "plus meta"),
        source=but("self.context + own[:, None]", "self.context * (1 + own[:, None])"),
    ),
    "pi_takes_the_contexts_place": dict(
        expects=("at the start it is a context that all pictures share", "the context of every image is self.context"),
        source=but("self.context + own[:, None]", "own[:, None].expand(-1, len(self.context), -1)"),
    ),
    "a_layer_starts_as_torch_makes_it": dict(
        expects=("at the start it is a context that all pictures share", "starts at zero"),
        source=but("        nn.init.zeros_(self.meta[2].weight)\n        nn.init.zeros_(self.meta[2].bias)\n", ""),
    ),
    "a_bias_is_no_weight": dict(
        expects=("at the start it is a context that all pictures share", "weights and bias"),
        source=but("        nn.init.zeros_(self.meta[2].bias)\n", ""),
    ),
    "everything_starts_at_zero": dict(
        expects=("at the start it is a context that all pictures share", "only the last layer"),
        source=but(
            "        nn.init.zeros_(self.meta[2].weight)\n        nn.init.zeros_(self.meta[2].bias)\n",
            "        for parameter in self.meta.parameters():\n            nn.init.zeros_(parameter)\n",
        ),
    ),
    "a_linear_map_is_a_small_network": dict(
        expects=("every context vector of an image", "ReLU"),
        source=but(
            "nn.Sequential(nn.Linear(model.text_projection.out_features, hidden), nn.ReLU(), nn.Linear(hidden, dim))",
            "nn.Sequential(nn.Linear(model.text_projection.out_features, hidden), nn.Identity(), nn.Linear(hidden, dim))",
        ),
    ),
    "everything_may_learn": dict(
        expects=("training moves the context and the meta-network", "Freeze the model"),
        source=but("model.requires_grad_(False)", "model"),
    ),
    "the_meta_network_is_given": dict(
        expects=("training moves the context and the meta-network", "the meta-network is as it was"),
        source=but("own[:, None]", "own.detach()[:, None]"),
    ),
    "only_the_meta_network_learns": dict(
        expects=("training moves the context and the meta-network", "the context is where it was"),
        source=but("self.context + own", "self.context.detach() + own"),
    ),
    "random_is_random": dict(
        expects=("at the start it is a context that all pictures share", "with `generator`"),
        source=but("torch.randn(length, dim, generator=generator)", "torch.randn(length, dim)"),
    ),
    "cosines_are_logits": dict(
        expects=("it is the hand-written prompt", "times the scale"),
        source=but("self.model.log_scale.exp() * torch", "torch"),
    ),
}
