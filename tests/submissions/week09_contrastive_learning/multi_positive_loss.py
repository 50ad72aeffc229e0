"""Wheats and chaffs for multi_positive_loss. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "masked_mean_of_log_softmax": """
def multi_positive_loss(image_features, text_features, log_temperature, positive):
    a = image_features / image_features.norm(dim=-1, keepdim=True)
    b = text_features / text_features.norm(dim=-1, keepdim=True)
    s = torch.exp(log_temperature) * torch.einsum("id,td->it", a, b)
    loss = 0
    for axis in (0, 1):
        log_p = s.log_softmax(axis)
        loss = loss - ((log_p * positive).sum(axis) / positive.sum(axis)).mean()
    return loss / 2
""",
    "row_by_row": """
def multi_positive_loss(image_features, text_features, log_temperature, positive):
    def one_way(queries, answers, right):
        costs = []
        for query, own in zip(queries, right):
            scores = F.cosine_similarity(query.unsqueeze(0), answers, dim=1) * log_temperature.exp()
            costs.append(torch.logsumexp(scores, 0) - scores[own].mean())
        return sum(costs) / len(costs)

    there = one_way(image_features, text_features, positive)
    back = one_way(text_features, image_features, positive.T)
    return 0.5 * there + 0.5 * back
""",
    "divergence_plus_entropy_in_double": """
def multi_positive_loss(image_features, text_features, log_temperature, positive):
    z = F.normalize(image_features.double(), dim=1)
    w = F.normalize(text_features.double(), dim=1)
    s = z @ w.T * log_temperature.double().exp()
    parts = []
    for logits, right in ((s, positive), (s.T, positive.T)):
        k = right.sum(1, keepdim=True).double()
        target = right / k
        parts.append(F.kl_div(logits.log_softmax(1), target, reduction="batchmean") + k.log().mean())
    return torch.stack(parts).mean().float()
""",
    "over_the_list_of_right_pairs": """
from torch.distributions import Categorical

def multi_positive_loss(image_features, text_features, log_temperature, positive):
    x, y = F.normalize(image_features, dim=1), F.normalize(text_features, dim=1)
    s = (x @ y.T).mul(log_temperature.exp())
    i, j = torch.nonzero(positive, as_tuple=True)
    text_given_image = Categorical(logits=s[i]).log_prob(j)
    image_given_text = Categorical(logits=s.T[j]).log_prob(i)
    n, m = positive.shape
    weight_i = 1 / (torch.bincount(i, minlength=n)[i] * n)
    weight_j = 1 / (torch.bincount(j, minlength=m)[j] * m)
    return -((text_given_image * weight_i).sum() + (image_given_text * weight_j).sum()) / 2
""",
    "columns_divided_before_they_are_transposed": """
def multi_positive_loss(image_features, text_features, log_temperature, positive):
    right = positive.to(image_features.dtype)
    logits = F.normalize(image_features) @ F.normalize(text_features).t()
    logits = logits * log_temperature.exp()
    rows, columns = right / right.sum(dim=1)[:, None], right / right.sum(dim=0)
    return (F.cross_entropy(logits, rows) + F.cross_entropy(logits.t(), columns.t())).div(2)
""",
}

START = """
def multi_positive_loss(image_features, text_features, log_temperature, positive):
    s = F.normalize(image_features, dim=1) @ F.normalize(text_features, dim=1).T * log_temperature.exp()
    share = positive.float()
"""

CHAFFS = {
    "every_right_answer_costs": dict(expects=("two right texts, by hand", "Neither the sum of −log p"), source=START + """
    return -((s.log_softmax(1) * share).sum(1).mean() + (s.log_softmax(0) * share).sum(0).mean()) / 2
"""),
    "any_right_answer_will_do": dict(expects=("two right texts, by hand", "the logarithm of the sum"), source=START + """
    to_text = -(s.softmax(1) * share).sum(1).log().mean()
    to_image = -(s.softmax(0) * share).sum(0).log().mean()
    return (to_text + to_image) / 2
"""),
    "the_shares_are_transposed_too": dict(expects=("each direction has its own shares", "transposed"), source=START + """
    share = share / share.sum(1, keepdim=True)
    return (F.cross_entropy(s, share) + F.cross_entropy(s.T, share.T)) / 2
"""),
    "each_pair_has_one_share": dict(expects=("each direction has its own shares", "Rows are divided"), source=START + """
    share = share / share.sum()
    return -((s.log_softmax(1) * share).sum() + (s.log_softmax(0) * share).sum() * 2) / 2
"""),
    "images_look_for_texts": dict(expects=("it is the CLIP loss", "both directions"), source=START + """
    return F.cross_entropy(s, share / share.sum(1, keepdim=True))
"""),
    "the_diagonal_is_right": dict(expects=("two right texts, by hand", "mean of the two"), source="""
def multi_positive_loss(image_features, text_features, log_temperature, positive):
    return clip_loss(image_features, text_features, log_temperature)
"""),
    "one_right_answer_is_enough": dict(expects=("two right texts, by hand", "mean of the two"), source=START + """
    right = positive.int()
    return (F.cross_entropy(s, right.argmax(1)) + F.cross_entropy(s.T, right.T.argmax(1))) / 2
"""),
    "right_answers_do_not_compete": dict(expects=("two right texts, by hand", "stays in the softmax"), source="""
def multi_positive_loss(image_features, text_features, log_temperature, positive):
    s = F.normalize(image_features, dim=1) @ F.normalize(text_features, dim=1).T * log_temperature.exp()

    def one_way(s, right):
        wrong = s.exp().masked_fill(right, 0).sum(1, keepdim=True)
        cost = (wrong + s.exp()).log() - s
        return ((cost * right).sum(1) / right.sum(1)).mean()

    return (one_way(s, positive) + one_way(s.T, positive.T)) / 2
"""),
    "every_right_pair_counts_the_same": dict(expects=("slow, independent", "Every image counts the same"), source=START + """
    to_text = -(s.log_softmax(1) * share).sum() / share.sum()
    to_image = -(s.log_softmax(0) * share).sum() / share.sum()
    return (to_text + to_image) / 2
"""),
    "images_and_texts_count_as_often_as_they_are": dict(expects=("each direction has its own shares", "have the same say"), source=START + """
    to_text = F.cross_entropy(s, share / share.sum(1, keepdim=True), reduction="sum")
    to_image = F.cross_entropy(s.T, share.T / share.T.sum(1, keepdim=True), reduction="sum")
    return (to_text + to_image) / sum(s.shape)
"""),
    "one_softmax_over_all_pairs": dict(expects=("it is the CLIP loss", "a softmax within each row"), source=START + """
    log_p = s.flatten().log_softmax(0).view_as(s)
    to_text = (log_p * share).sum(1) / share.sum(1)
    to_image = (log_p * share).sum(0) / share.sum(0)
    return -(to_text.mean() + to_image.mean()) / 2
"""),
    "every_pair_is_a_yes_or_no": dict(expects=("it is the CLIP loss", "a softmax within each row"), source=START + """
    return F.binary_cross_entropy_with_logits(s, share)
"""),
    "wrong_answers_are_zeroed_first": dict(expects=("slow, independent", "Wrong texts stay in the softmax"), source=START + """
    s = s * share
    to_text = F.cross_entropy(s, share / share.sum(1, keepdim=True))
    to_image = F.cross_entropy(s.T, share.T / share.T.sum(1, keepdim=True))
    return (to_text + to_image) / 2
"""),
    "dot_product_is_cosine": dict(expects=("it is the CLIP loss", "cosine"), source="""
def multi_positive_loss(image_features, text_features, log_temperature, positive):
    s, share = image_features @ text_features.T * log_temperature.exp(), positive.float()
    to_text = F.cross_entropy(s, share / share.sum(1, keepdim=True))
    to_image = F.cross_entropy(s.T, share.T / share.T.sum(1, keepdim=True))
    return (to_text + to_image) / 2
"""),
    "frozen_temperature": dict(expects=("it is the CLIP loss", ".item()"), source="""
def multi_positive_loss(image_features, text_features, log_temperature, positive):
    s = F.normalize(image_features, dim=1) @ F.normalize(text_features, dim=1).T * math.exp(log_temperature)
    share = positive.float()
    to_text = F.cross_entropy(s, share / share.sum(1, keepdim=True))
    to_image = F.cross_entropy(s.T, share.T / share.T.sum(1, keepdim=True))
    return (to_text + to_image) / 2
"""),
}
