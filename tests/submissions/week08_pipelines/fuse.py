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
    "attributes_and_a_table_of_ways": """
def late(q, v, layers):
    return layers.question(q).add(torch.einsum("spa->sa", layers.image(v)))


def early(q, v, layers):
    samples, many, dim = v.shape
    both = q.new_empty(samples, many, 2 * dim)
    both[..., :dim] = q[:, None]
    both[..., dim:] = v
    hidden = layers.network(both.flatten(0, 1)).unflatten(0, (samples, many))
    return layers.out(hidden.mean(1) * many)


def attention(q, v, layers):
    query = layers.query(q).unsqueeze(2)
    fit = torch.bmm(layers.key(v), query) / torch.tensor(query.shape[1]).sqrt()
    weight = fit.exp() / fit.exp().sum(dim=1, keepdim=True)
    return layers.out(torch.cat([q, (weight * layers.value(v)).sum(dim=1)], dim=1))


def fuse(how, question, patches, layers):
    return {"late": late, "early": early, "attention": attention}[how](question, patches, layers)
""",
    "vmap_over_the_samples": """
def fuse(how, question, patches, layers):
    def one(q, v):
        if how == "attention":
            a = torch.log_softmax(layers["key"](v).mv(layers["query"](q)) * len(layers["query"](q)) ** -0.5, dim=0).exp()
            return layers["out"](torch.cat([q, torch.tensordot(a, layers["value"](v), 1)]))
        if how == "early":
            return layers["out"](layers["network"](torch.hstack([torch.tile(q, (len(v), 1)), v])).sum(0))
        return layers["question"](q) + layers["image"](v).sum(0)

    return torch.vmap(one)(question, patches)
""",
    "the_sum_one_patch_after_the_other": """
def fuse(how, question, patches, layers):
    if how == "early":
        total = 0
        for patch in patches.unbind(1):
            total = total + layers["network"](torch.cat([question, patch], dim=-1))
        return layers["out"](total)
    if how == "attention":
        query = layers["query"](question)
        scores = torch.stack([(query * layers["key"](patch)).sum(-1) for patch in patches.unbind(1)], dim=-1)
        scores /= query.shape[-1] ** 0.5
        c = 0
        for weight, patch in zip(scores.softmax(-1).unbind(-1), patches.unbind(1)):
            c = c + weight[:, None] * layers["value"](patch)
        return layers["out"](torch.cat([question, c], dim=-1))
    scores = layers["question"](question)
    for patch in patches.unbind(1):
        scores = scores + layers["image"](patch)
    return scores
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
    "the_picture_is_done_learning": dict(
        expects=("another picture changes", "no gradient reaches patches"),
        source=but("    if how == \"late\":\n", "    patches = patches.detach()\n    if how == \"late\":\n"),
    ),
    "the_encoders_have_done_their_work": dict(
        expects=("another picture changes", "no gradient reaches question"),
        source=but("    if how == \"late\":\n", "    question, patches = question.detach(), patches.detach()\n    if how == \"late\":\n"),
    ),
    "the_weights_need_no_gradient": dict(
        expects=("another picture changes", "no gradient reaches"),
        source=but("weight = score.softmax(1)", "weight = score.softmax(1).data"),
    ),
    "no_gradient_at_all": dict(
        expects=("another picture changes", "not connected"), source="\n@torch.no_grad()" + RIGHT
    ),
    "probabilities_at_the_end": dict(
        expects=("early", "no softmax"),
        source=but("patches], -1)).sum(1))", "patches], -1)).sum(1)).softmax(-1)"),
    ),
    "squeezed_too_far": dict(
        expects=("as many samples as patches", "squeeze"),
        source=but('torch.einsum("sd,spd->sp", query, key)', "(key @ query[..., None]).squeeze()"),
    ),
    "root_of_the_question_s_length": dict(
        expects=("attention", "√d"), source=but("query.shape[-1] ** 0.5", "question.shape[-1] ** 0.5")
    ),
    "patches_first": dict(
        expects=("early", "in this order"),
        source=but("torch.cat([everywhere, patches], -1)", "torch.cat([patches, everywhere], -1)"),
    ),
    "side_by_side_is_a_sum": dict(
        expects=("early", "[q, v_p]"),
        source=but("torch.cat([everywhere, patches], -1)", "torch.cat([everywhere + patches, patches], -1)"),
    ),
    "one_more_patch": dict(
        expects=("early", "axis of patches"),
        source=but(
            'layers["network"](torch.cat([everywhere, patches], -1))',
            'layers["network"](torch.cat([torch.cat([question[:, None], patches], 1)] * 2, -1))',
        ),
    ),
    "the_first_question_for_all": dict(
        expects=("attention", "The scores of a sample"),
        source=but('layers["query"](question)', 'layers["query"](question[:1]).expand(len(question), -1)'),
    ),
    "the_hardest_look": dict(
        expects=("attention", "Softmax over the patches"),
        source=but("score.softmax(1)", "F.one_hot(score.argmax(1), score.shape[1]).float()"),
    ),
    "keys_ask_and_queries_answer": dict(
        expects=("attention", "The scores of a sample"),
        source=but('layers["query"](question), layers["key"](patches)', 'layers["key"](question), layers["query"](patches)'),
    ),
    "the_output_comes_before_the_sum": dict(
        expects=("early", "the sum comes after it"),
        source=but(
            'layers["out"](layers["network"](torch.cat([everywhere, patches], -1)).sum(1))',
            'layers["out"](layers["network"](torch.cat([everywhere, patches], -1))).sum(1)',
        ),
    ),
    "forgot_to_return": dict(
        expects=("attention", "without `return`"),
        source=but('    return layers["out"](torch.cat([question, answered], -1))', '    layers["out"](torch.cat([question, answered], -1))'),
    ),
    "summed_over_the_samples": dict(
        expects=("late", "axis 1"), source=but('layers["image"](patches).sum(1)', 'layers["image"](patches).sum(0)')
    ),
}
