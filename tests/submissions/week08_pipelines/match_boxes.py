"""Wheats and chaffs for match_boxes. Each replaces the solution cell; names say what the author believed."""

RIGHT = """
def box_iou(a, b):
    low, high = torch.maximum(a[:, None, :2], b[:, :2]), torch.minimum(a[:, None, 2:], b[:, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area_a = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(-1)
    area_b = (b[:, 2:] - b[:, :2]).clamp(min=0).prod(-1)
    union = area_a[:, None] + area_b - shared
    return torch.where(union > 0, shared / union, 0.0)


def match_boxes(predicted, scores, targets, *, threshold=0.5):
    matched, overlap = torch.full((len(predicted),), -1), box_iou(predicted, targets)
    for p in scores.argsort(descending=True, stable=True).tolist():
        if len(targets) and overlap[p].max() >= threshold:
            matched[p] = overlap[p].argmax()
            overlap[:, matched[p]] = -1.0
    return matched


def precision_recall(matched, targets):
    found = int((matched >= 0).sum())
    return (found / len(matched) if len(matched) else 1.0), (found / targets if targets else 1.0)
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


WHEATS = {
    "plain_python": """
def area(box):
    x0, y0, x1, y1 = box
    return max(x1 - x0, 0.0) * max(y1 - y0, 0.0)


def box_iou(a, b):
    rows = torch.zeros(len(a), len(b))
    for i, one in enumerate(a.tolist()):
        for j, two in enumerate(b.tolist()):
            shared = area([max(one[0], two[0]), max(one[1], two[1]), min(one[2], two[2]), min(one[3], two[3])])
            union = area(one) + area(two) - shared
            rows[i, j] = shared / union if union else 0.0
    return rows


def match_boxes(predicted, scores, targets, *, threshold=0.5):
    overlap, free, matched = box_iou(predicted, targets).tolist(), list(range(len(targets))), [-1] * len(predicted)
    for p in sorted(range(len(predicted)), key=lambda p: -float(scores[p])):
        if free:
            best = max(free, key=lambda t: overlap[p][t])
            if overlap[p][best] >= threshold:
                matched[p] = best
                free.remove(best)
    return matched


def precision_recall(matched, targets):
    right = sum(1 for m in matched if m != -1)
    precision = right / len(matched) if len(matched) > 0 else 1.0
    recall = right / targets if targets > 0 else 1.0
    return [precision, recall]
""",
    "numpy": """
def box_iou(a, b):
    a, b = np.asarray(a)[:, None], np.asarray(b)[None]
    w = np.clip(np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0]), 0, None)
    h = np.clip(np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1]), 0, None)
    sizes = [np.clip(x[..., 2] - x[..., 0], 0, None) * np.clip(x[..., 3] - x[..., 1], 0, None) for x in (a, b)]
    union = sizes[0] + sizes[1] - w * h
    return np.divide(w * h, union, out=np.zeros_like(union), where=union > 0)


def match_boxes(predicted, scores, targets, *, threshold=0.5):
    overlap = box_iou(predicted, targets)
    matched = np.full(len(predicted), -1)
    for p in np.argsort(-np.asarray(scores), kind="stable"):
        if overlap.shape[1] == 0:
            break
        t = overlap[p].argmax()
        if overlap[p, t] >= threshold:
            matched[p] = t
            overlap[:, t] = 0
    return torch.from_numpy(matched)


def precision_recall(matched, targets):
    found = (torch.as_tensor(matched) > -1).float()
    return (found.mean() if len(found) else torch.tensor(1.0)), (found.sum() / targets if targets else torch.tensor(1.0))
""",
    "nan_to_num": """
def box_iou(a, b):
    sides = (torch.min(a.unsqueeze(1)[..., 2:], b[..., 2:]) - torch.max(a.unsqueeze(1)[..., :2], b[..., :2])).relu()
    shared = sides[..., 0] * sides[..., 1]
    size = lambda x: (x[:, 2] - x[:, 0]).relu() * (x[:, 3] - x[:, 1]).relu()
    return (shared / (size(a).unsqueeze(1) + size(b) - shared)).nan_to_num(0.0)


def match_boxes(predicted, scores, targets, *, threshold=0.5):
    overlap = box_iou(predicted, targets)
    taken = torch.zeros(len(targets), dtype=torch.bool)
    matched = -torch.ones(len(predicted), dtype=torch.long)
    for p in torch.sort(scores, descending=True, stable=True).indices:
        fits = overlap[p].masked_fill(taken, -1)
        if (fits >= threshold).any():
            matched[p] = fits.argmax()
            taken[matched[p]] = True
    return matched


def precision_recall(matched, targets):
    found = matched.ge(0).sum().item()
    return (1.0 if matched.numel() == 0 else found / matched.numel(), 1.0 if targets == 0 else found / targets)
""",
    "the_surest_that_is_left": """
def box_iou(a, b):
    ax0, ay0, ax1, ay1 = a[:, None].double().unbind(-1)
    bx0, by0, bx1, by1 = b[None].double().unbind(-1)
    w = F.relu(torch.minimum(ax1, bx1) - torch.maximum(ax0, bx0))
    h = F.relu(torch.minimum(ay1, by1) - torch.maximum(ay0, by0))
    shared = torch.einsum("ab,ab->ab", w, h)
    union = F.relu(ax1 - ax0) * F.relu(ay1 - ay0) + F.relu(bx1 - bx0) * F.relu(by1 - by0) - shared
    return shared / union.clamp_min(1e-9)


def match_boxes(predicted, scores, targets, threshold=0.5):
    left, overlap, matched = scores.clone(), box_iou(predicted, targets), [-1 for _ in predicted]
    for _ in range(len(predicted)):
        p = int(left.argmax())
        left[p] = -torch.inf
        best, number = -1.0, -1
        for t in range(len(targets)):
            if t not in matched and overlap[p, t] > best:
                best, number = float(overlap[p, t]), t
        if best >= threshold:
            matched[p] = number
    return tuple(matched)


def precision_recall(matched, targets):
    hits = torch.count_nonzero(torch.as_tensor(matched) + 1)
    return torch.tensor([hits / len(matched) if len(matched) else 1, hits / targets if targets else 1])
""",
    "pairs_sorted_and_walked": """
def sides(low, high):
    return torch.where(high > low, high - low, torch.zeros_like(high))


def box_iou(a, b):
    a, b = torch.broadcast_tensors(a.unsqueeze(1), b.unsqueeze(0))
    shared = sides(torch.max(a[..., :2], b[..., :2]), torch.min(a[..., 2:], b[..., 2:])).prod(dim=-1)
    union = sides(a[..., :2], a[..., 2:]).prod(dim=-1) + sides(b[..., :2], b[..., 2:]).prod(dim=-1) - shared
    out = torch.zeros_like(union)
    real = union > 0
    out[real] = shared[real] / union[real]
    return out


def match_boxes(predicted, scores, targets, *, threshold=0.5):
    overlap = box_iou(predicted, targets)
    pairs = [
        (-float(scores[p]), p, -float(overlap[p, t]), t)
        for p in range(len(predicted))
        for t in range(len(targets))
        if overlap[p, t] >= threshold
    ]
    mine, taken = {}, set()
    for _, p, _, t in sorted(pairs):
        if p not in mine and t not in taken:
            mine[p] = t
            taken.add(t)
    return np.array([mine.get(p, -1) for p in range(len(predicted))], dtype=int)


def precision_recall(matched, targets):
    right = len([m for m in matched.tolist() if m >= 0])
    try:
        precision = right / len(matched)
    except ZeroDivisionError:
        precision = 1.0
    try:
        return precision, right / targets
    except ZeroDivisionError:
        return precision, 1.0
""",
}

CHAFFS = {
    "the_union_is_the_sum": dict(
        expects=("IoU by hand", "count twice"),
        source=but("area_a[:, None] + area_b - shared", "area_a[:, None] + area_b"),
    ),
    "over_the_smaller_box": dict(
        expects=("IoU by hand", "Union"),
        source=but("area_a[:, None] + area_b - shared", "torch.minimum(area_a[:, None], area_b)"),
    ),
    "over_the_target": dict(
        expects=("IoU by hand", "Union"),
        source=but("area_a[:, None] + area_b - shared", "area_b + 0 * shared"),
    ),
    "pixels_are_inclusive": dict(
        expects=("IoU by hand", "Shared"),
        source=RIGHT.replace("(high - low)", "(high - low + 1)")
        .replace("2:] - a[:, :2])", "2:] - a[:, :2] + 1)")
        .replace("2:] - b[:, :2])", "2:] - b[:, :2] + 1)"),
    ),
    "apart_is_negative_twice": dict(
        expects=("IoU by hand", "never below zero"),
        source=but("(high - low).clamp(min=0).prod(-1)", "(high - low).prod(-1)"),
    ),
    "width_and_height": dict(
        expects=("IoU by hand", "corners"),
        source=RIGHT.replace(
            "def box_iou(a, b):\n",
            "def box_iou(a, b):\n    a, b = (torch.cat([x[:, :2], x[:, :2] + x[:, 2:]], 1) for x in (a, b))\n",
        ),
    ),
    "clamped_after_the_product": dict(
        expects=("IoU by hand", "never below zero"),
        source=but("(high - low).clamp(min=0).prod(-1)", "(high - low).prod(-1).clamp(min=0)"),
    ),
    "corners_are_put_in_order": dict(
        expects=("empty boxes are empty", "Clamp each *side*"),
        source=RIGHT.replace(
            "def box_iou(a, b):\n",
            "def box_iou(a, b):\n    a, b = (torch.cat([torch.minimum(x[:, :2], x[:, 2:]), torch.maximum(x[:, :2], x[:, 2:])], 1) for x in (a, b))\n",
        ),
    ),
    "absolute_sides": dict(
        expects=("IoU by hand", "never below zero"),
        source=but("(high - low).clamp(min=0)", "(high - low).abs()"),
    ),
    "zero_over_zero": dict(
        expects=("empty boxes are empty", "0/0 is NaN"),
        source=but("torch.where(union > 0, shared / union, 0.0)", "shared / union"),
    ),
    "nothing_over_nothing_is_all": dict(
        expects=("empty boxes are empty", "IoU"), source=but("shared / union, 0.0)", "shared / union, 1.0)")
    ),
    "in_the_order_of_the_list": dict(
        expects=("the surest chooses first", "Go by score"),
        source=but("scores.argsort(descending=True, stable=True).tolist()", "range(len(scores))"),
    ),
    "the_least_sure_first": dict(
        expects=("the surest chooses first", "Go by score"),
        source=but("descending=True, stable=True", "stable=True"),
    ),
    "by_fit_not_by_score": dict(
        expects=("the surest chooses first", "Go by score"),
        source=but(
            "scores.argsort(descending=True, stable=True).tolist()",
            "(overlap.amax(1).argsort(descending=True).tolist() if len(targets) else [])",
        ),
    ),
    "a_target_for_everyone": dict(
        expects=("the surest chooses first", "no longer free"),
        source=but("            overlap[:, matched[p]] = -1.0\n", ""),
    ),
    "the_best_or_none": dict(
        expects=("fresh boxes", "when the best of all is taken"),
        source=but(
            "            matched[p] = overlap[p].argmax()\n            overlap[:, matched[p]] = -1.0\n",
            "            t = overlap[p].argmax()\n            if t not in matched:\n                matched[p] = t\n",
        ),
    ),
    "the_first_that_fits": dict(
        expects=("fresh boxes", "largest IoU"),
        source=but(
            "matched[p] = overlap[p].argmax()", "matched[p] = (overlap[p] >= threshold).int().argmax()"
        ),
    ),
    "each_target_chooses": dict(
        expects=("the surest chooses first", "Go by score"),
        source=RIGHT[: RIGHT.index("def match_boxes")]
        + """
def match_boxes(predicted, scores, targets, *, threshold=0.5):
    matched, overlap = torch.full((len(predicted),), -1), box_iou(predicted, targets)
    for t in range(len(targets)):
        if len(predicted) and overlap[:, t].max() >= threshold:
            matched[overlap[:, t].argmax()] = t
    return matched


"""
        + RIGHT[RIGHT.index("def precision_recall") :],
    ),
    "more_than_the_threshold": dict(
        expects=("fresh boxes", "equal counts"), source=but(">= threshold", "> threshold")
    ),
    "always_one_half": dict(
        expects=("the surest chooses first", "threshold"), source=but(">= threshold", ">= 0.5")
    ),
    "in_the_order_of_the_scores": dict(
        expects=("the surest chooses first", "order"),
        source=but("    return matched\n", "    return matched[scores.argsort(descending=True)]\n"),
    ),
    "there_are_always_targets": dict(
        expects=("empty boxes are empty", "max()"),
        source=but("if len(targets) and overlap", "if overlap"),
    ),
    "target_zero_is_none": dict(
        expects=("precision and recall", "Target 0"), source=but("matched >= 0", "matched > 0")
    ),
    "recall_of_the_predictions": dict(
        expects=("precision and recall", "recall: of the targets"),
        source=but("found / targets if targets else 1.0", "found / len(matched) if len(matched) else 0.0"),
    ),
    "swapped": dict(
        expects=("precision and recall", "Precision: of the predictions"),
        source=but(
            "return (found / len(matched) if len(matched) else 1.0), (found / targets if targets else 1.0)",
            "return (found / targets if targets else 1.0), (found / len(matched) if len(matched) else 1.0)",
        ),
    ),
    "nothing_said_nothing_right": dict(
        expects=("precision and recall", "precision 1"),
        source=but("if len(matched) else 1.0", "if len(matched) else 0.0"),
    ),
    "divided_by_zero": dict(
        expects=("precision and recall", "No targets"),
        source=but("(found / targets if targets else 1.0)", "found / targets"),
    ),
    "equal_scores_from_the_back": dict(
        expects=("fresh boxes", "in their order"),
        source=but("scores.argsort(descending=True, stable=True)", "scores.argsort(stable=True).flip(0)"),
    ),
    "sorted_and_reversed": dict(
        expects=("fresh boxes", "in their order"),
        source=but(
            "scores.argsort(descending=True, stable=True).tolist()",
            "np.argsort(scores.numpy(), kind='stable')[::-1].tolist()",
        ),
    ),
    "the_chosen_score_is_crossed_out": dict(
        expects=("the surest chooses first", "were changed"),
        source=but(
            "for p in scores.argsort(descending=True, stable=True).tolist():\n",
            "for _ in range(len(predicted)):\n        p = int(scores.argmax())\n        scores[p] = -torch.inf\n",
        ),
    ),
    "the_taken_target_is_crossed_out": dict(
        expects=("the surest chooses first", "in place"),
        source=but("            overlap[:, matched[p]] = -1.0\n", "            targets[matched[p]] = 0\n").replace(
            "        if len(targets) and", "        overlap = box_iou(predicted, targets)\n        if len(targets) and"
        ),
    ),
    "the_threshold_is_for_the_score": dict(
        expects=("fresh boxes", "not of the score"),
        source=but("if len(targets) and", "if scores[p] >= threshold and len(targets) and"),
    ),
    "the_best_sum_of_all": dict(
        expects=("the surest chooses first", "Go by score"),
        source=RIGHT[: RIGHT.index("def match_boxes")]
        + """
def match_boxes(predicted, scores, targets, *, threshold=0.5):
    from scipy.optimize import linear_sum_assignment

    matched, overlap = torch.full((len(predicted),), -1), box_iou(predicted, targets)
    for p, t in zip(*linear_sum_assignment(-overlap.numpy())):
        if overlap[p, t] >= threshold:
            matched[p] = int(t)
    return matched


"""
        + RIGHT[RIGHT.index("def precision_recall") :],
    ),
    "one_miss_ends_it": dict(
        expects=("the surest chooses first", "the next one"),
        source=but("            overlap[:, matched[p]] = -1.0\n", "            overlap[:, matched[p]] = -1.0\n        else:\n            break\n"),
    ),
    "numbers_move_up": dict(
        expects=("the surest chooses first", "number"),
        source=but(
            "            overlap[:, matched[p]] = -1.0\n",
            "            keep = torch.arange(len(targets)) != matched[p]\n            targets, overlap = targets[keep], overlap[:, keep]\n",
        ),
    ),
    "taken_for_ever": dict(
        expects=("the surest chooses first", "begins"),
        source=but("threshold=0.5):\n", "threshold=0.5, taken=[]):\n")
        .replace("            overlap[:, matched[p]] = -1.0\n", "            taken.append(int(matched[p]))\n")
        .replace("        if len(targets) and", "        overlap[:, taken] = -1.0\n        if len(targets) and"),
    ),
    "sides_in_place": dict(
        expects=("IoU by hand", "in place"),
        source=RIGHT[RIGHT.index("def match_boxes") :]
        + """

def box_iou(a, b):
    low, high = torch.maximum(a[:, None, :2], b[:, :2]), torch.minimum(a[:, None, 2:], b[:, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    a[:, 2:] -= a[:, :2]
    b[:, 2:] -= b[:, :2]
    union = a[:, None, 2:].prod(-1) + b[:, 2:].prod(-1) - shared
    return torch.where(union > 0, shared / union, 0.0)
""",
    ),
    "returns_nothing": dict(
        expects=("the surest chooses first", "return"),
        source=but("    return matched\n", "    matched\n"),
    ),
    "the_column_s_best": dict(
        expects=("fresh boxes", "largest IoU"),
        source=but("matched[p] = overlap[p].argmax()", "matched[p] = overlap.max(0).values.argmax()"),
    ),
    "false_pairs_are_nan": dict(
        expects=("empty boxes are empty", "NaN"),
        source=but("torch.where(union > 0, shared / union, 0.0)", "torch.where(union > 0, shared / union, torch.nan)"),
    ),
}
