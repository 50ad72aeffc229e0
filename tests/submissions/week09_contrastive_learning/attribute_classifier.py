"""Wheats and chaffs for attribute_classifier. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "by_bernoulli_distributions": """
from torch.distributions import Bernoulli

def attribute_classifier(probabilities, signatures, prior):
    seen = Bernoulli(probabilities.clamp(1e-6, 1 - 1e-6)[:, None])
    anyway = Bernoulli(prior)
    fit = seen.log_prob(signatures[None]) - anyway.log_prob(signatures)[None]
    return torch.softmax(fit.sum(-1), dim=-1)
""",
    "by_log_odds": """
def attribute_classifier(probabilities, signatures, prior):
    # what all classes lack is the same for all of them, so only the odds of what a class has are left
    p = torch.clip(probabilities, 1e-6, 1 - 1e-6)
    evidence = torch.logit(p) - torch.logit(prior)
    scores = torch.einsum("im,cm->ic", evidence, signatures.to(evidence.dtype))
    return torch.exp(scores - torch.logsumexp(scores, dim=1, keepdim=True))
""",
    "in_numpy_with_classes_first": """
from scipy.special import logsumexp

def attribute_classifier(probabilities, signatures, prior):
    p = np.clip(np.asarray(probabilities, dtype=np.float64), 1e-6, 1 - 1e-6)
    a = np.asarray(signatures, dtype=bool)
    q = np.asarray(prior, dtype=np.float64)
    table = np.empty((len(a), len(p)))  # (class, image)
    for c, own in enumerate(a):
        table[c] = np.where(own, np.log(p) - np.log(q), np.log1p(-p) - np.log1p(-q)).sum(axis=1)
    return np.exp(table - logsumexp(table, axis=0)).T
""",
    "number_by_number": """
def attribute_classifier(probabilities, signatures, prior):
    rows = []
    for p in probabilities.tolist():
        fits = []
        for a in signatures.tolist():
            total = 0.0
            for pm, am, base in zip(p, a, prior.tolist()):
                pm = min(max(pm, 1e-6), 1 - 1e-6)
                total += math.log(pm / base) if am == 1 else math.log((1 - pm) / (1 - base))
            fits.append(total)
        best = max(fits)
        shares = [math.exp(fit - best) for fit in fits]
        rows.append([share / sum(shares) for share in shares])
    return torch.tensor(rows)
""",
    "by_cross_entropy_in_place": """
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.double().clone().clamp_(1e-6, 1 - 1e-6)
    images, classes = len(p), len(signatures)
    a = signatures.double().expand(images, classes, -1)
    cost = F.binary_cross_entropy(p.unsqueeze(1).expand_as(a), a, reduction="none")
    cost -= F.binary_cross_entropy(prior.double().expand_as(a), a, reduction="none")
    return F.softmin(cost.sum(2), dim=1).float()
""",
}

CHAFFS = {
    "detectors_say_yes_or_no": dict(expects=("unsure detector", "Do not round"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = (probabilities > 0.5).float().clamp(1e-6, 1 - 1e-6)
    has, lacks = (p / prior).log(), ((1 - p) / (1 - prior)).log()
    return (has @ signatures.T + lacks @ (1 - signatures).T).softmax(dim=1)
"""),
    "proportional_is_equal": dict(expects=("by hand", "divide by their sum"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    has, lacks = (p / prior).log(), ((1 - p) / (1 - prior)).log()
    return (has @ signatures.T + lacks @ (1 - signatures).T).exp()
"""),
    "softmax_of_the_products": dict(expects=("by hand", "divide by their sum"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    has, lacks = (p / prior).log(), ((1 - p) / (1 - prior)).log()
    return (has @ signatures.T + lacks @ (1 - signatures).T).exp().softmax(dim=1)
"""),
    "all_attributes_are_equally_common": dict(expects=("rare attributes", "Divide p by π"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    return (p.log() @ signatures.T + (1 - p).log() @ (1 - signatures).T).softmax(dim=1)
"""),
    "prior_times_likelihood": dict(expects=("rare attributes", "Divide p by π"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    has, lacks = (p * prior).log(), ((1 - p) * (1 - prior)).log()
    return (has @ signatures.T + lacks @ (1 - signatures).T).softmax(dim=1)
"""),
    "one_prior_for_yes_and_no": dict(expects=("rare attributes", "1 − p by 1 − π"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    has, lacks = (p / prior).log(), ((1 - p) / prior).log()
    return (has @ signatures.T + lacks @ (1 - signatures).T).softmax(dim=1)
"""),
    "what_is_absent_says_nothing": dict(expects=("by hand", "lacks counts too"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    return ((p / prior).log() @ signatures.T).softmax(dim=1)
"""),
    "floats_hold_any_product": dict(expects=("detectors that are certain", "add logarithms"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)[:, None]
    product = torch.where(signatures.bool(), p / prior, (1 - p) / (1 - prior)).prod(dim=2)
    return product / product.sum(dim=1, keepdim=True)
"""),
    "float64_holds_any_product": dict(expects=("detectors that are certain", "add logarithms"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.double().clamp(1e-6, 1 - 1e-6)[:, None]
    product = torch.where(signatures.bool(), p / prior, (1 - p) / (1 - prior)).prod(dim=2)
    return product / product.sum(dim=1, keepdim=True)
"""),
    "a_classifier_returns_the_class": dict(expects=("with one signature", "Do not pick one"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    has, lacks = (p / prior).log(), ((1 - p) / (1 - prior)).log()
    best = (has @ signatures.T + lacks @ (1 - signatures).T).argmax(dim=1)
    return F.one_hot(best, len(signatures)).float()
"""),
    "the_first_of_the_twins_gets_it": dict(expects=("with one signature", "same probability"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    has, lacks = (p / prior).log(), ((1 - p) / (1 - prior)).log()
    scores = has @ signatures.T + lacks @ (1 - signatures).T
    for c in range(len(signatures)):
        if any(torch.equal(signatures[c], signatures[b]) for b in range(c)):
            scores[:, c] = -torch.inf
    return scores.softmax(dim=1)
"""),
    "twins_are_one_class": dict(expects=("with one signature", "Do not merge them"), source="""
def attribute_classifier(probabilities, signatures, prior):
    kinds, which, count = signatures.unique(dim=0, return_inverse=True, return_counts=True)
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    has, lacks = (p / prior).log(), ((1 - p) / (1 - prior)).log()
    shares = (has @ kinds.T + lacks @ (1 - kinds).T).softmax(dim=1) / count
    return shares[:, which]
"""),
    "the_more_matches_the_better": dict(expects=("unsure detector", "do not count matches"), source="""
def attribute_classifier(probabilities, signatures, prior):
    matches = ((probabilities[:, None] > 0.5) == signatures[None].bool()).float().sum(dim=2)
    return matches / matches.sum(dim=1, keepdim=True)
"""),
    "the_mean_match_is_the_fit": dict(expects=("unsure detector", "do not average"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)[:, None]
    match = torch.where(signatures.bool(), p / prior, (1 - p) / (1 - prior)).mean(dim=2)
    return match / match.sum(dim=1, keepdim=True)
"""),
    "many_attributes_must_not_weigh_more": dict(expects=("unsure detector", "do not average"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    has, lacks = (p / prior).log(), ((1 - p) / (1 - prior)).log()
    return ((has @ signatures.T + lacks @ (1 - signatures).T) / signatures.shape[1]).softmax(dim=1)
"""),
    "each_class_is_shared_among_the_images": dict(expects=("by hand", "within each image"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    has, lacks = (p / prior).log(), ((1 - p) / (1 - prior)).log()
    return (has @ signatures.T + lacks @ (1 - signatures).T).softmax(dim=0)
"""),
    "nobody_is_ever_certain": dict(expects=("detectors that are certain", "clamp first"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities
    has, lacks = (p / prior).log(), ((1 - p) / (1 - prior)).log()
    return (has @ signatures.T + lacks @ (1 - signatures).T).softmax(dim=1)
"""),
    "who_is_certain_is_right": dict(expects=("detectors that are certain", "clamp first"), source="""
def attribute_classifier(probabilities, signatures, prior):
    p = probabilities[:, None]
    factors = torch.where(signatures.bool(), (p / prior).log(), ((1 - p) / (1 - prior)).log())
    return factors.sum(dim=2).softmax(dim=1)
"""),
}
