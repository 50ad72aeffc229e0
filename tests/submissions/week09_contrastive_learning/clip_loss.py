"""Wheats and chaffs for clip_loss. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "by_log_softmax": """
def clip_loss(image_features, text_features, log_temperature):
    a = image_features / image_features.norm(dim=1, keepdim=True)
    b = text_features / text_features.norm(dim=1, keepdim=True)
    s = torch.einsum("id,jd->ij", a, b) * torch.exp(log_temperature)
    return -0.5 * (s.log_softmax(1).diag().mean() + s.log_softmax(0).diag().mean())
""",
    "by_logsumexp": """
def clip_loss(i, t, lt):
    s = F.cosine_similarity(i[:, None], t[None], dim=-1) * lt.exp()
    return (s.logsumexp(0) + s.logsumexp(1) - 2 * s.diagonal()).mean() / 2
""",
    "pair_by_pair_in_double": """
def clip_loss(image_features, text_features, log_temperature):
    n = len(image_features)
    images = [v.double() / v.double().norm() for v in image_features]
    texts = [v.double() / v.double().norm() for v in text_features]
    scale = torch.exp(log_temperature.double())
    total = 0.0
    for k in range(n):
        own = scale * images[k].dot(texts[k])
        captions = torch.stack([scale * images[k].dot(text) for text in texts])
        pictures = torch.stack([scale * image.dot(texts[k]) for image in images])
        total = total - (own - captions.logsumexp(0)) - (own - pictures.logsumexp(0))
    return total / (2 * n)
""",
    "by_distances": """
def clip_loss(image_features, text_features, log_temperature):
    # |a - b|² = 2 - 2 cos for unit vectors, and a softmax does not see the constant
    a, b = F.normalize(text_features), F.normalize(image_features)
    far = (a[:, None] - b[None]).pow(2).sum(-1) / 2
    logits = far.neg() * log_temperature.exp()  # (text, image)
    y = torch.arange(logits.size(0))
    return torch.stack([F.cross_entropy(m, y) for m in (logits, logits.T)]).mean()
""",
    "by_categorical_distributions": """
from torch.distributions import Categorical

def clip_loss(image_features, text_features, log_temperature):
    both = torch.stack([image_features, text_features])
    both = both / both.square().sum(-1, keepdim=True).sqrt()
    s = log_temperature.exp() * torch.matmul(both[0], both[1].mT)
    which = torch.arange(s.shape[0])
    found = Categorical(logits=torch.cat([s, s.mT])).log_prob(torch.cat([which, which]))
    return found.mean().neg()
""",
}

START = """
def clip_loss(i, t, lt):
    s = F.normalize(i, dim=-1) @ F.normalize(t, dim=-1).T * lt.exp()
    y = torch.arange(len(s))
"""

CHAFFS = {
    "one_direction_is_enough": dict(expects=("both directions count", "average the two"), source=START + """
    return F.cross_entropy(s, y)
"""),
    "same_axis_twice": dict(expects=("both directions count", "average the two"), source=START + """
    p = s.softmax(dim=1)
    return -(p.diagonal().log().mean() + p.T.diagonal().log().mean()) / 2
"""),
    "the_harder_direction_counts": dict(expects=("slow, independent", "the average of both"), source=START + """
    return torch.maximum(F.cross_entropy(s, y), F.cross_entropy(s.T, y))
"""),
    "two_losses_are_added": dict(expects=("cost log n", "Sums would give more"), source=START + """
    return F.cross_entropy(s, y) + F.cross_entropy(s.T, y)
"""),
    "sum_is_mean": dict(expects=("cost log n", "mean over the batch"), source=START + """
    return (F.cross_entropy(s, y, reduction="sum") + F.cross_entropy(s.T, y, reduction="sum")) / 2
"""),
    "one_softmax_over_all_pairs": dict(expects=("cost log n", "in its own row"), source=START + """
    return -s.flatten().log_softmax(0).view_as(s).diagonal().mean()
"""),
    "every_pair_is_a_yes_or_no": dict(expects=("cost log n", "in its own row"), source=START + """
    return F.binary_cross_entropy_with_logits(s, torch.eye(len(s)))
"""),
    "cross_entropy_takes_probabilities": dict(expects=("cost nothing", "takes the softmax itself"), source=START + """
    return (F.cross_entropy(s.softmax(1), y) + F.cross_entropy(s.T.softmax(1), y)) / 2
"""),
    "the_own_caption_is_no_rival": dict(expects=("cost log n", "in its own row"), source=START + """
    others = s.masked_fill(torch.eye(len(s), dtype=torch.bool), -torch.inf)
    return (others.logsumexp(0) + others.logsumexp(1) - 2 * s.diagonal()).mean() / 2
"""),
    "dot_product_is_cosine": dict(expects=("only directions matter", "Normalise"), source="""
def clip_loss(i, t, lt):
    s = i @ t.T * lt.exp()
    y = torch.arange(len(s))
    return (F.cross_entropy(s, y) + F.cross_entropy(s.T, y)) / 2
"""),
    "images_come_normalised": dict(expects=("only directions matter", "both inputs"), source="""
def clip_loss(i, t, lt):
    s = i @ F.normalize(t, dim=-1).T * lt.exp()
    y = torch.arange(len(s))
    return (F.cross_entropy(s, y) + F.cross_entropy(s.T, y)) / 2
"""),
    "normalise_over_the_batch": dict(expects=("only directions matter", "Normalise each row"), source="""
def clip_loss(i, t, lt):
    s = F.normalize(i, dim=0) @ F.normalize(t, dim=0).T * lt.exp()
    y = torch.arange(len(s))
    return (F.cross_entropy(s, y) + F.cross_entropy(s.T, y)) / 2
"""),
    "temperature_without_exp": dict(expects=("stored as a logarithm", "Multiply by exp(t)"), source="""
def clip_loss(i, t, lt):
    s = F.normalize(i, dim=-1) @ F.normalize(t, dim=-1).T * lt
    y = torch.arange(len(s))
    return (F.cross_entropy(s, y) + F.cross_entropy(s.T, y)) / 2
"""),
    "a_temperature_divides": dict(expects=("cost nothing", "Do you divide by it?"), source="""
def clip_loss(i, t, lt):
    s = F.normalize(i, dim=-1) @ F.normalize(t, dim=-1).T / lt.exp()
    y = torch.arange(len(s))
    return (F.cross_entropy(s, y) + F.cross_entropy(s.T, y)) / 2
"""),
    "frozen_temperature": dict(expects=("stored as a logarithm", ".item()"), source="""
def clip_loss(i, t, lt):
    s = F.normalize(i, dim=-1) @ F.normalize(t, dim=-1).T * math.exp(lt.item())
    y = torch.arange(len(s))
    return (F.cross_entropy(s, y) + F.cross_entropy(s.T, y)) / 2
"""),
    "texts_are_only_labels": dict(expects=("everything learns", "gradient reaches text_features"), source="""
def clip_loss(i, t, lt):
    s = F.normalize(i, dim=-1) @ F.normalize(t.detach(), dim=-1).T * lt.exp()
    y = torch.arange(len(s))
    return (F.cross_entropy(s, y) + F.cross_entropy(s.T, y)) / 2
"""),
    "encoders_are_done_when_the_loss_begins": dict(expects=("everything learns", "both encoders"), source="""
def clip_loss(i, t, lt):
    with torch.no_grad():
        cosine = F.normalize(i, dim=-1) @ F.normalize(t, dim=-1).T
    s = cosine * lt.exp()
    y = torch.arange(len(s))
    return (F.cross_entropy(s, y) + F.cross_entropy(s.T, y)) / 2
"""),
    "a_loss_is_a_number": dict(expects=("everything learns", "both encoders"), source=START + """
    return ((F.cross_entropy(s, y) + F.cross_entropy(s.T, y)) / 2).item()
"""),
}
