"""Wheats and chaffs for recall_at_k. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "query_by_query": """
def recall_at_k(queries, items, positive, *, k, chunk=256):
    hits = []
    for query, right in zip(queries, positive):
        cosine = F.cosine_similarity(query[None], items)
        best = cosine[right].max()
        hits.append(((cosine[~right] - best) > -1e-6).sum().item() < k)
    return sum(hits) / len(hits)
""",
    "in_numpy_double": """
def recall_at_k(queries, items, positive, *, k, chunk=256):
    q, x, own = (np.asarray(a.numpy()) for a in (queries.double(), items.double(), positive))
    q = q / np.linalg.norm(q, axis=1, keepdims=True)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    found = np.zeros(len(q), dtype=bool)
    for begin in range(0, len(q), chunk):
        part = slice(begin, begin + chunk)
        cosine = q[part] @ x.T
        best = np.where(own[part], cosine, -np.inf).max(1)
        wrong = np.where(own[part], -np.inf, cosine)
        found[part] = np.count_nonzero(wrong >= best[:, None] - 1e-6, axis=1) < k
    return float(found.mean())
""",
    "ranked_with_a_handicap": """
def recall_at_k(queries, items, positive, *, k, chunk=256):
    # who is right stands a hair behind everybody who is as similar
    x = items / items.norm(dim=1, keepdim=True)
    answers = []
    for q, own in zip(queries.split(chunk), positive.split(chunk)):
        s = torch.einsum("id,qd->qi", x, q / q.norm(dim=1, keepdim=True)) - 1e-6 * own
        first = s.topk(min(k, s.shape[1]), dim=1).indices
        answers.append(own.gather(1, first).any(dim=1))
    return torch.cat(answers).float().mean().item()
""",
    "by_the_kth_best_wrong_item": """
def recall_at_k(queries, items, positive, *, k, chunk=256):
    x, n, lost = F.normalize(items.double()), len(queries), 0
    for some, own in zip(torch.split(queries.double(), chunk), torch.split(positive, chunk)):
        s = F.normalize(some) @ x.T
        best = s.clone()
        best[~own] = -torch.inf
        s[own] = -torch.inf
        if k <= s.shape[1]:
            kth = s.sort(dim=1, descending=True).values[:, k - 1]
            lost += (kth > best.max(dim=1).values - 1e-6).sum().item()
    return 1 - lost / n
""",
}

START = """
def recall_at_k(queries, items, positive, *, k, chunk=256):
    items, found = F.normalize(items, dim=1), 0
    for start in range(0, len(queries), chunk):
        own = positive[start : start + chunk]
        similarity = F.normalize(queries[start : start + chunk], dim=1) @ items.T
"""

CHAFFS = {
    "the_own_item_is_on_the_diagonal": dict(expects=("three queries, by hand", "`positive` says"), source=START + """
        rows = torch.arange(len(own))
        best = similarity[rows, (start + rows) % len(items)][:, None]
        found += int(((similarity > best - 1e-6).sum(dim=1) - 1 < k).sum())
    return found / len(queries)
"""),
    "topk_is_fair": dict(expects=("equally similar finds nothing", "Sorting hides ties"), source=START + """
        first = similarity.topk(min(k, len(items)), dim=1).indices
        found += int(own.gather(1, first).any(dim=1).sum())
    return found / len(queries)
"""),
    "argsort_is_fair": dict(expects=("equally similar finds nothing", "Sorting hides ties"), source=START + """
        order = similarity.argsort(dim=1, descending=True, stable=True)
        found += int(own.gather(1, order)[:, :k].any(dim=1).sum())
    return found / len(queries)
"""),
    "a_tie_is_a_win": dict(expects=("equally similar finds nothing", "ties with the right one counts against"), source=START + """
        best = similarity.masked_fill(~own, -2).amax(dim=1, keepdim=True)
        found += int((((similarity > best + 1e-6) & ~own).sum(dim=1) < k).sum())
    return found / len(queries)
"""),
    "a_mean_of_means_is_the_mean": dict(expects=("chunked and full agree", "divide once"), source="""
def recall_at_k(queries, items, positive, *, k, chunk=256):
    items, recalls = F.normalize(items, dim=1), []
    for start in range(0, len(queries), chunk):
        own = positive[start : start + chunk]
        similarity = F.normalize(queries[start : start + chunk], dim=1) @ items.T
        best = similarity.masked_fill(~own, -2).amax(dim=1, keepdim=True)
        recalls.append((((similarity > best - 1e-6) & ~own).sum(dim=1) < k).float().mean())
    return torch.stack(recalls).mean().item()
"""),
    "the_rest_is_too_small_to_matter": dict(expects=("chunked and full agree", "do not drop it"), source="""
def recall_at_k(queries, items, positive, *, k, chunk=256):
    items, found, seen = F.normalize(items, dim=1), 0, 0
    chunk = min(chunk, len(queries))
    for number in range(len(queries) // chunk):
        rows = slice(number * chunk, (number + 1) * chunk)
        own = positive[rows]
        similarity = F.normalize(queries[rows], dim=1) @ items.T
        best = similarity.masked_fill(~own, -2).amax(dim=1, keepdim=True)
        found += int((((similarity > best - 1e-6) & ~own).sum(dim=1) < k).sum())
        seen += len(own)
    return found / seen
"""),
    "memory_is_no_matter": dict(expects=("chunks save memory", "only the rows of one chunk"), source="""
def recall_at_k(queries, items, positive, *, k, chunk=256):
    similarity = F.normalize(queries, dim=1) @ F.normalize(items, dim=1).T
    best = similarity.masked_fill(~positive, -2).amax(dim=1, keepdim=True)
    return (((similarity > best - 1e-6) & ~positive).sum(dim=1) < k).float().mean().item()
"""),
    "chunks_have_to_be_put_together_first": dict(expects=("chunks save memory", "only the rows of one chunk"), source="""
def recall_at_k(queries, items, positive, *, k, chunk=256):
    items = F.normalize(items, dim=1)
    similarity = torch.cat([F.normalize(part, dim=1) @ items.T for part in queries.split(chunk)])
    best = similarity.masked_fill(~positive, -2).amax(dim=1, keepdim=True)
    return (((similarity > best - 1e-6) & ~positive).sum(dim=1) < k).float().mean().item()
"""),
    "recall_is_the_share_of_right_items": dict(expects=("one of several right items", "not the share of the right items"), source=START + """
        wrong = similarity.masked_fill(own, -2)
        rivals = (wrong[:, None, :] >= similarity[:, :, None] - 1e-6).sum(dim=2)
        found += float((((rivals < k) & own).sum(dim=1) / own.sum(dim=1)).sum())
    return found / len(queries)
"""),
    "all_right_items_must_be_found": dict(expects=("one of several right items", "best of the right items"), source=START + """
        worst = similarity.masked_fill(~own, 2).amin(dim=1, keepdim=True)
        found += int((((similarity > worst - 1e-6) & ~own).sum(dim=1) < k).sum())
    return found / len(queries)
"""),
    "each_query_has_one_right_item": dict(expects=("one of several right items", "best of the right items"), source=START + """
        right = own.int().argmax(dim=1, keepdim=True)
        ahead = similarity > similarity.gather(1, right) - 1e-6
        found += int((ahead.sum(dim=1) - 1 < k).sum())
    return found / len(queries)
"""),
    "a_twin_takes_a_place": dict(expects=("one of several right items", "Only wrong items are counted"), source=START + """
        best = similarity.masked_fill(~own, -2).amax(dim=1, keepdim=True)
        found += int(((similarity > best - 1e-6).sum(dim=1) <= k).sum())
    return found / len(queries)
"""),
    "a_dot_product_will_do": dict(expects=("in both directions", "only directions count"), source="""
def recall_at_k(queries, items, positive, *, k, chunk=256):
    found = 0
    for start in range(0, len(queries), chunk):
        own = positive[start : start + chunk]
        similarity = queries[start : start + chunk] @ items.T
        best = similarity.masked_fill(~own, -torch.inf).amax(dim=1, keepdim=True)
        found += int((((similarity > best - 1e-6) & ~own).sum(dim=1) < k).sum())
    return found / len(queries)
"""),
    "k_may_stand_before_it": dict(expects=("three queries, by hand", "fewer than k"), source=START + """
        best = similarity.masked_fill(~own, -2).amax(dim=1, keepdim=True)
        found += int((((similarity > best - 1e-6) & ~own).sum(dim=1) <= k).sum())
    return found / len(queries)
"""),
    "right_items_compete_for_queries": dict(expects=("three queries, by hand", "among the items"), source="""
def recall_at_k(queries, items, positive, *, k, chunk=256):
    similarity = F.normalize(queries, dim=1) @ F.normalize(items, dim=1).T
    best = similarity.masked_fill(~positive, -2).amax(dim=0, keepdim=True)
    rivals = ((similarity > best - 1e-6) & ~positive).sum(dim=0)
    return (rivals < k).float().mean().item()
"""),
}
