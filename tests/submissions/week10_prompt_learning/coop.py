"""Wheats and chaffs for coop. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "the_model_is_no_part_of_the_module": """
class CoOp(nn.Module):
    def __init__(self, model, length, *, generator):
        super().__init__()
        self.parts = (model,)  # in a tuple: not listed by parameters()
        for parameter in model.parameters():
            parameter.requires_grad = False
        start = torch.randn(length, model.text.words.weight.shape[1], generator=generator)
        self.context = nn.Parameter(start * 0.02)

    def class_vectors(self, labels):
        z = read_with_context(self.parts[0], self.context[None].repeat(len(labels), 1, 1), labels)
        return z / z.norm(dim=-1, keepdim=True)

    def forward(self, z, labels):
        cosine = F.cosine_similarity(z[:, None], self.class_vectors(labels)[None], dim=-1)
        return cosine * self.parts[0].log_scale.exp()
""",
    "label_by_label": """
class CoOp(nn.Module):
    def __init__(self, model, length, *, generator):
        super().__init__()
        self.clip = model
        self.clip.requires_grad_(False)
        self.context = nn.Parameter(torch.empty(length, model.text.words.embedding_dim))
        nn.init.normal_(self.context, std=0.02, generator=generator)

    def class_vectors(self, labels):
        rows = []
        for label in labels:
            (row,) = read_with_context(self.clip, self.context.unsqueeze(0), [label])
            rows.append(row / torch.sqrt(row @ row))
        return torch.stack(rows)

    def forward(self, z, labels):
        z = z / torch.linalg.vector_norm(z, dim=1, keepdim=True)
        return torch.exp(self.clip.log_scale) * torch.einsum("ie,ce->ic", z, self.class_vectors(labels))
""",
    "the_scale_multiplies_the_images": """
class CoOp(nn.Module):
    def __init__(self, model, length, *, generator):
        super().__init__()
        self.model = model.eval()
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(False)
        self.register_parameter(
            "context", nn.Parameter(0.02 * torch.randn((length, model.config["dim"]), generator=generator))
        )

    def class_vectors(self, labels):
        return F.normalize(read_with_context(self.model, torch.stack([self.context] * len(labels)), list(labels)))

    def forward(self, z, labels):
        return F.linear(F.normalize(z).mul(self.model.log_scale.exp()), self.class_vectors(labels))
""",
    "frozen_and_read_through_a_closure": """
class CoOp(nn.Module):
    def __init__(self, model, length, *, generator):
        super().__init__()
        model.requires_grad_(False)
        self.read = lambda contexts, labels: read_with_context(model, contexts, labels)
        self.scale = float(model.log_scale.exp())
        dim = model.text_projection.in_features
        self.context = nn.Parameter(torch.zeros(length, dim).normal_(std=0.02, generator=generator))

    def class_vectors(self, labels):
        return F.normalize(self.read(self.context.expand(len(labels), *self.context.shape), labels), dim=1)

    def forward(self, z, labels):
        return (self.class_vectors(labels) @ F.normalize(z, dim=1).T * self.scale).T
""",
}

RIGHT = """
class CoOp(nn.Module):
    def __init__(self, model, length, *, generator):
        super().__init__()
        self.model = model.requires_grad_(False)
        dim = model.text.words.weight.shape[1]
        self.context = nn.Parameter(0.02 * torch.randn(length, dim, generator=generator))

    def class_vectors(self, labels):
        contexts = self.context.expand(len(labels), -1, -1)
        return F.normalize(read_with_context(self.model, contexts, labels), dim=1)

    def forward(self, z, labels):
        return self.model.log_scale.exp() * F.normalize(z, dim=1) @ self.class_vectors(labels).T
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


CHAFFS = {
    "everything_may_learn": dict(
        expects=("moves the context and nothing of the model", "Freeze the model"),
        source=but("model.requires_grad_(False)", "model"),
    ),
    "only_the_text_tower_is_in_the_way": dict(
        expects=("moves the context and nothing of the model", "model's own weights have changed"),
        source=but("model.requires_grad_(False)", "model\n        model.text.requires_grad_(False)"),
    ),
    "every_class_has_its_own_context": dict(
        expects=("one context for all classes", "without an axis for classes"),
        source=but("torch.randn(length,", "torch.randn(len(PAIRS), length,").replace(
            "self.context.expand(len(labels), -1, -1)", "self.context[: len(labels)]"
        ),
    ),
    "the_same_labels_have_the_same_vectors": dict(
        expects=("the class vectors follow the context", "Compute the class vectors in each call"),
        source=but(
            "        contexts = self.context.expand(len(labels), -1, -1)\n        return F",
            "        known = self.__dict__.setdefault('known', {})\n"
            "        if tuple(labels) not in known:\n"
            "            contexts = self.context.expand(len(labels), -1, -1)\n"
            "            known[tuple(labels)] = F",
        )
        .replace("contexts, labels), dim=1)", "contexts, labels), dim=1)\n        return known[tuple(labels)]"),
    ),
    "the_classes_are_known_from_the_start": dict(
        expects=("the class vectors follow the context", "never learn"),
        source=but(
            "generator=generator))\n",
            "generator=generator))\n"
            "        words = [word for word in model.tokenizer.words if word != ',']\n"
            "        names = PAIRS + words + [f'{a} {b}' for a in words for b in words]\n"
            "        with torch.no_grad():\n"
            "            contexts = self.context.expand(len(names), -1, -1)\n"
            "            self.known = dict(zip(names, F.normalize(read_with_context(model, contexts, names), dim=1)))\n",
        ).replace(
            "contexts = self.context.expand(len(labels), -1, -1)\n        return F.normalize(read_with_context(self.model, contexts, labels), dim=1)",
            "return torch.stack([self.known.get(label, self.context.sum() * 0 + 1) for label in labels])",
        ),
    ),
    "logits_may_use_what_is_known": dict(
        expects=("the class vectors follow the context", "the logits have not"),
        source=but(
            "        return self.model.log_scale.exp() * F.normalize(z, dim=1) @ self.class_vectors(labels).T",
            "        if getattr(self, 'labels', None) != labels:\n"
            "            self.labels, self.known = labels, self.class_vectors(labels)\n"
            "        return self.model.log_scale.exp() * F.normalize(z, dim=1) @ self.known.T",
        ),
    ),
    "a_tensor_is_a_parameter": dict(
        expects=("one context for all classes", "not an nn.Parameter"),
        source=but("nn.Parameter(0.02 * torch.randn(length, dim, generator=generator))", "(0.02 * torch.randn(length, dim, generator=generator)).requires_grad_()"),
    ),
    "frozen_means_no_grad": dict(
        expects=("moves the context and nothing of the model", "no torch.no_grad()"),
        source=but("    def class_vectors", "    @torch.no_grad()\n    def class_vectors"),
    ),
    "a_copy_is_safer": dict(
        expects=("moves the context and nothing of the model", "`.detach()`"),
        source=but("self.context.expand", "self.context.detach().clone().expand"),
    ),
    "the_encoder_gives_unit_vectors": dict(
        expects=("it is the hand-written prompt", "length one over the last axis"),
        source=but("F.normalize(read_with_context(self.model, contexts, labels), dim=1)", "read_with_context(self.model, contexts, labels)"),
    ),
    "classes_share_the_length": dict(
        expects=("it is the hand-written prompt", "length one over the last axis"),
        source=but("contexts, labels), dim=1)", "contexts, labels), dim=0)"),
    ),
    "images_come_normalised": dict(
        expects=("the logits are scaled cosines", "Normalise the images"),
        source=but("F.normalize(z, dim=1) @", "z @"),
    ),
    "the_scale_is_not_a_logarithm": dict(
        expects=("the logits are scaled cosines", "not by log_scale"),
        source=but("self.model.log_scale.exp()", "self.model.log_scale"),
    ),
    "cosines_are_logits": dict(
        expects=("the logits are scaled cosines", "multiply by model.log_scale.exp()"),
        source=but("self.model.log_scale.exp() * F", "F"),
    ),
    "random_is_random": dict(
        expects=("one context for all classes", "generator=generator"),
        source=but("torch.randn(length, dim, generator=generator)", "torch.randn(length, dim)"),
    ),
    "a_fixed_seed_is_better_than_a_generator": dict(
        expects=("one context for all classes", "two seeds give the same context"),
        source=but("torch.randn(length, dim, generator=generator)", "torch.randn(length, dim, generator=seeded(0))"),
    ),
    "normal_numbers_have_deviation_one": dict(
        expects=("one context for all classes", "deviation of about 0.02"),
        source=but("0.02 * torch", "torch"),
    ),
}
