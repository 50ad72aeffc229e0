"""Wheats and chaffs for template_ensemble. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "by_einsum": """
def template_ensemble(vectors, weights):
    lengths = torch.linalg.vector_norm(vectors, dim=2)
    total = torch.einsum("t,tc,tce->ce", weights, 1 / lengths, vectors)
    return total / total.norm(dim=1, keepdim=True)
""",
    "class_by_class_in_double": """
def template_ensemble(vectors, weights):
    rows = []
    for number in range(vectors.shape[1]):
        row = torch.zeros(vectors.shape[2], dtype=torch.double)
        for template, weight in enumerate(weights.tolist()):
            v = vectors[template, number].double()
            row = row + weight * v / torch.sqrt(v @ v)
        rows.append(row / torch.sqrt(row @ row))
    return torch.stack(rows)
""",
    "in_numpy_with_average": """
def template_ensemble(vectors, weights):
    v = vectors.detach().numpy()
    v = v / np.linalg.norm(v, axis=-1, keepdims=True)
    mean = np.average(v, axis=0, weights=weights.detach().numpy())  # divides by the sum of the weights
    return torch.from_numpy(mean / np.linalg.norm(mean, axis=-1, keepdims=True)).float()
""",
    "a_matrix_product_over_flat_vectors": """
def template_ensemble(vectors, weights):
    count, classes, size = vectors.shape
    share = (weights / weights.sum()).unsqueeze(0)
    mixed = share @ F.normalize(vectors, dim=2).reshape(count, classes * size)
    return F.normalize(mixed.view(classes, size))
""",
    "in_place_on_a_copy": """
def template_ensemble(vectors, weights):
    each = vectors.movedim(0, 2).clone()  # (class, embedding, template)
    each /= each.pow(2).sum(dim=1, keepdim=True).sqrt()
    each *= weights
    total = each.sum(dim=-1)
    total /= total.pow(2).sum(dim=1, keepdim=True).sqrt()
    return total
""",
}

CHAFFS = {
    "averaged_logits_are_the_same": dict(expects=("every class has length one", "normalise once more"), source="""
def template_ensemble(vectors, weights):
    each = F.normalize(vectors, dim=-1)
    return (weights[:, None, None] * each).sum(dim=0) / weights.sum()
"""),
    "the_average_is_normalised_anyway": dict(expects=("two templates, by hand", "before anything is averaged"), source="""
def template_ensemble(vectors, weights):
    return F.normalize(torch.einsum("t,tce->ce", weights, vectors), dim=-1)
"""),
    "weights_are_logits": dict(expects=("weights count as told", "No softmax"), source="""
def template_ensemble(vectors, weights):
    share = weights.softmax(dim=0)
    return F.normalize((share[:, None, None] * F.normalize(vectors, dim=-1)).sum(dim=0), dim=-1)
"""),
    "every_template_has_one_vote": dict(expects=("weights count as told", "has no say"), source="""
def template_ensemble(vectors, weights):
    return F.normalize(F.normalize(vectors, dim=-1).mean(dim=0), dim=-1)
"""),
    "the_best_template_decides": dict(expects=("weights count as told", "three copies"), source="""
def template_ensemble(vectors, weights):
    return F.normalize(vectors[weights.argmax()], dim=-1)
"""),
    "weigh_first_then_normalise": dict(expects=("weights count as told", "three copies"), source="""
def template_ensemble(vectors, weights):
    each = F.normalize(weights[:, None, None] * vectors, dim=-1)
    return F.normalize(each.sum(dim=0), dim=-1)
"""),
    "classes_share_the_length": dict(expects=("every class has length one", "each class over its own numbers"), source="""
def template_ensemble(vectors, weights):
    each = F.normalize(vectors, dim=-1)
    return F.normalize((weights[:, None, None] * each).sum(dim=0), dim=0)
"""),
    "templates_share_the_length": dict(expects=("fresh vectors", "a normalisation over the embedding"), source="""
def template_ensemble(vectors, weights):
    each = F.normalize(vectors, dim=0)
    return F.normalize((weights[:, None, None] * each).sum(dim=0), dim=-1)
"""),
    "each_template_has_one_length": dict(expects=("fresh vectors", "a normalisation over the embedding"), source="""
def template_ensemble(vectors, weights):
    each = vectors / vectors.flatten(1).norm(dim=1)[:, None, None]
    return F.normalize((weights[:, None, None] * each).sum(dim=0), dim=-1)
"""),
    "one_vector_for_each_template": dict(expects=("fresh vectors", "not over the classes"), source="""
def template_ensemble(vectors, weights):
    each = F.normalize(vectors, dim=-1)
    return F.normalize(weights[:, None] * each.sum(dim=1), dim=-1)
"""),
}
