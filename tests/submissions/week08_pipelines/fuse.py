"""Wheats and chaffs for fuse. Each replaces the solution cell; names say what the author believed."""

RIGHT = """
def fuse(how, question, patches, layers):
    if how == "late":
        return layers["question"](question) + layers["image"](patches).sum(1)
    if how == "early":
        everywhere = question[:, None].expand(-1, patches.shape[1], -1)
        return layers["out"](layers["network"](torch.cat([everywhere, patches], -1)).sum(1))
    query, key, value = layers["query"](question), layers["key"](patches), layers["value"](patches)
    score = torch.einsum("sd,spd->sp", query, key) / query.shape[-1] ** 0.5
    weight = score.softmax(1)
    answered = torch.einsum("sp,spd->sd", weight, value)
    return layers["out"](torch.cat([question, answered], -1))
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


WHEATS = {
    "torch_knows_attention": """
def fuse(how, question, patches, layers):
    match how:
        case "late":
            return torch.stack([layers["question"](question), layers["image"](patches).sum(dim=1)]).sum(0)
        case "early":
            q = question.unsqueeze(1).repeat(1, patches.size(1), 1)
            return layers["out"](layers["network"](torch.cat((q, patches), dim=2)).sum(dim=1))
        case "attention":
            c = F.scaled_dot_product_attention(
                layers["query"](question)[:, None], layers["key"](patches), layers["value"](patches)
            )
            return layers["out"](torch.cat((question, c[:, 0]), dim=1))
""",
    "one_sample_at_a_time": """
def fuse(how, question, patches, layers):
    rows = []
    for q, v in zip(question, patches):
        if how == "late":
            rows.append(layers["question"](q) + layers["image"](v).sum(0))
        elif how == "early":
            both = torch.stack([torch.cat([q, patch]) for patch in v])
            rows.append(layers["out"](layers["network"](both).sum(0)))
        else:
            query = layers["query"](q)
            a = torch.softmax(layers["key"](v) @ query / len(query) ** 0.5, 0)
            rows.append(layers["out"](torch.cat([q, a @ layers["value"](v)])))
    return torch.stack(rows)
""",
    "matrix_products_and_einops": """
from einops import repeat


def fuse(how: str, question, patches, layers):
    if how == "early":
        q = repeat(question, "s d -> s p d", p=patches.shape[1])
        return layers["out"](torch.sum(layers["network"](torch.concat([q, patches], 2)), 1))
    elif how == "attention":
        q, k, v = (layers[n](x) for n, x in (("query", question), ("key", patches), ("value", patches)))
        a = F.softmax((k @ q[..., None]).squeeze(-1).div(np.sqrt(q.size(1))), dim=-1)
        c = (a[:, None] @ v)[:, 0]
        return layers["out"](torch.hstack([question, c]))
    return sum([layers["image"](patches[:, p]) for p in range(patches.shape[1])], layers["question"](question))
""",
}

CHAFFS = {
    "the_question_along_the_patches": dict(
        expects=("as many samples as patches", "A question belongs to axis 0"),
        source=but(
            "question[:, None].expand(-1, patches.shape[1], -1)",
            "(question[None].expand(len(question), -1, -1) if len(question) == patches.shape[1] "
            "else question[:, None].expand(-1, patches.shape[1], -1))",
        ),
    ),
    "the_first_axis_is_new": dict(
        expects=("early", "axis of patches"),
        source=but("question[:, None].expand(-1, patches.shape[1], -1)", "question[None].expand_as(patches)"),
    ),
    "repeat_and_view": dict(
        expects=("early", "axis of patches"),
        source=but(
            "question[:, None].expand(-1, patches.shape[1], -1)",
            "question.repeat(patches.shape[1], 1).view(len(question), patches.shape[1], -1)",
        ),
    ),
    "softmax_over_the_samples": dict(
        expects=("attention", "Softmax over the patches"), source=but("score.softmax(1)", "score.softmax(0)")
    ),
    "softmax_over_everything": dict(
        expects=("attention", "Softmax over the patches"),
        source=but("score.softmax(1)", "score.flatten().softmax(0).view_as(score)"),
    ),
    "weights_need_no_softmax": dict(
        expects=("attention", "Softmax over the patches"), source=but("score.softmax(1)", "score")
    ),
    "a_gate_for_each_patch": dict(
        expects=("attention", "Softmax over the patches"), source=but("score.softmax(1)", "score.sigmoid()")
    ),
    "softmax_over_the_features": dict(
        expects=("attention", "Softmax over the patches"),
        source=but(
            'answered = torch.einsum("sp,spd->sd", weight, value)',
            "answered = ((query[:, None] * key / query.shape[-1] ** 0.5).softmax(-1) * value).sum(1)",
        ),
    ),
    "no_root": dict(expects=("attention", "√d"), source=but(" / query.shape[-1] ** 0.5", "")),
    "divided_by_d": dict(
        expects=("attention", "√d"), source=but("query.shape[-1] ** 0.5", "query.shape[-1]")
    ),
    "root_of_the_number_of_patches": dict(
        expects=("attention", "√d"), source=but("query.shape[-1] ** 0.5", "patches.shape[1] ** 0.5")
    ),
    "the_keys_answer": dict(
        expects=("attention", "*values*"),
        source=but('"sp,spd->sd", weight, value', '"sp,spd->sd", weight, key'),
    ),
    "only_what_was_answered": dict(
        expects=("attention", "[q, c]"),
        source=but("torch.cat([question, answered], -1)", "torch.cat([0 * question, answered], -1)"),
    ),
    "answer_first": dict(
        expects=("attention", "[q, c]"),
        source=but("torch.cat([question, answered], -1)", "torch.cat([answered, question], -1)"),
    ),
    "the_picture_is_forgotten": dict(
        expects=("early", "[q, v_p]"),
        source=but("torch.cat([everywhere, patches], -1)", "torch.cat([everywhere, everywhere], -1)"),
    ),
    "late_is_the_question_alone": dict(
        expects=("late", "sum it over axis 1"), source=but(' + layers["image"](patches).sum(1)', "")
    ),
    "the_mean_picture": dict(
        expects=("early", "the sum comes after it"),
        source=but(
            'layers["network"](torch.cat([everywhere, patches], -1)).sum(1)',
            'layers["network"](torch.cat([question, patches.sum(1)], -1))',
        ),
    ),
    "mean_for_sum": dict(
        expects=("early", "sum"),
        source=but(
            "torch.cat([everywhere, patches], -1)).sum(1)", "torch.cat([everywhere, patches], -1)).mean(1)"
        ),
    ),
    "late_sums_first": dict(
        expects=("late", "sum it over axis 1"),
        source=but('layers["image"](patches).sum(1)', 'layers["image"](patches.sum(1))'),
    ),
    "probabilities_are_added": dict(
        expects=("late", "then add"),
        source=but(
            'layers["question"](question) + layers["image"](patches).sum(1)',
            'layers["question"](question).softmax(-1) + layers["image"](patches).sum(1).softmax(-1)',
        ),
    ),
    "late_multiplies": dict(
        expects=("late", "then add"),
        source=but('(question) + layers["image"]', '(question) * layers["image"]'),
    ),
    "the_encoder_needs_no_gradient": dict(
        expects=("another picture changes", "detached"),
        source=but('layers["value"](patches)\n', 'layers["value"](patches).detach()\n'),
    ),
}
