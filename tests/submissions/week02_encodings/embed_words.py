"""Wheats and chaffs for embed_words. Each replaces the solution cell; names say what the author believed."""

RIGHT = """
def count_neighbours(sentences, words, *, window):
    index = {word: i for i, word in enumerate(words)}
    counts = torch.zeros(len(words), len(words))
    for sentence in sentences:
        for i in range(len(sentence)):
            for j in range(max(0, i - window), min(len(sentence), i + window + 1)):
                if i != j:
                    counts[index[sentence[i]], index[sentence[j]]] += 1
    return counts


def embed_words(counts, *, dim):
    row = counts.sum(dim=1, keepdim=True)
    column = counts.sum(dim=0, keepdim=True)
    pmi = torch.log(counts * counts.sum() / (row * column))
    ppmi = torch.where(counts > 0, pmi, torch.tensor(0.0)).clamp(min=0)
    u, s, vt = torch.linalg.svd(ppmi, full_matrices=False)
    return ppmi, u[:, :dim] * s[:dim]
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


WHEATS = {
    "numpy_and_distances": """
def count_neighbours(sentences, words, *, window):
    n = len(words)
    table = np.zeros((n, n))
    for sentence in sentences:
        ids = [list(words).index(word) for word in sentence]
        for distance in range(1, window + 1):
            for a, b in zip(ids, ids[distance:]):
                table[a, b] += 1
                table[b, a] += 1
    return table


def embed_words(counts, *, dim):
    counts = np.asarray(counts, dtype=np.float64)
    p = counts / counts.sum()
    expected = np.outer(p.sum(axis=1), p.sum(axis=0))
    ppmi = np.zeros_like(p)
    seen = p > 0
    ppmi[seen] = np.maximum(0, np.log(p[seen] / expected[seen]))
    u, s, vt = np.linalg.svd(ppmi)
    return ppmi, (u[:, : len(s)] @ np.diag(s))[:, :dim]
""",
    "projected_on_v": """
def count_neighbours(sentences, words, *, window):
    counts = torch.zeros(len(words), len(words), dtype=torch.long)
    place = dict(zip(words, range(len(words))))
    for sentence in sentences:
        for i, a in enumerate(sentence):
            for j, b in enumerate(sentence):
                if 1 <= abs(i - j) <= window:
                    counts[place[a], place[b]] += 1
    return counts.float()


def embed_words(counts, *, dim):
    counts = counts.double()
    total = counts.sum()
    chance = torch.outer(counts.sum(1), counts.sum(0)) / total
    ratio = torch.nan_to_num(counts / chance, nan=0.0)
    ppmi = torch.log(torch.clamp(ratio, min=1.0))
    _, _, v = torch.svd(ppmi)
    return ppmi, -(ppmi @ v[:, :dim])
""",
    "by_the_eigenproblem": """
def count_neighbours(sentences, words, *, window):
    words = list(words)
    counts = torch.zeros((len(words), len(words)))
    for sentence in map(list, sentences):
        for i, word in enumerate(sentence):
            for other in sentence[max(i - window, 0) : i]:
                counts[words.index(word), words.index(other)] += 1
    return counts + counts.T


def embed_words(counts, *, dim):
    logs = (counts.log() + counts.sum().log()) - counts.sum(1).log()[:, None] - counts.sum(0).log()[None]
    ppmi = F.relu(torch.nan_to_num(logs, nan=0.0, neginf=0.0, posinf=0.0))
    values, vectors = torch.linalg.eigh((ppmi @ ppmi.T).double())
    order = values.argsort(descending=True)[:dim]
    return ppmi, vectors[:, order] * values[order].clamp(min=0).sqrt()
""",
}

CHAFFS = {
    "log_of_zero": dict(
        expects=("PPMI by hand", "inf"),
        source=but("torch.where(counts > 0, pmi, torch.tensor(0.0)).clamp(min=0)", "pmi"),
    ),
    "negative_stays": dict(
        expects=("PPMI by hand", "negative and becomes"),
        source=but("torch.tensor(0.0)).clamp(min=0)", "torch.tensor(0.0))"),
    ),
    "empty_rows_are_nan": dict(
        expects=("fresh tables", "not NaN"),
        source=but("torch.where(counts > 0, pmi, torch.tensor(0.0)).clamp(min=0)", "pmi.clamp(min=0)"),
    ),
    "a_little_is_added": dict(
        expects=("PPMI by hand", "are off"),
        source=but(
            "pmi = torch.log(counts * counts.sum() / (row * column))",
            "counts = counts + 1\n    pmi = torch.log(counts * counts.sum() / (row * column))",
        ),
    ),
    "in_bits": dict(expects=("PPMI by hand", "0.657"), source=but("torch.log(", "torch.log2(")),
    "rows_for_both": dict(
        expects=("PPMI by hand", "rows 8 and 10"),
        source=but("column = counts.sum(dim=0, keepdim=True)", "column = row.mean()"),
    ),
    "rows_and_columns_confused": dict(
        expects=("PPMI by hand", "rows 8 and 10"),
        source=but(
            "    row = counts.sum(dim=1, keepdim=True)\n    column = counts.sum(dim=0, keepdim=True)\n",
            "    counts = counts.T\n    row = counts.sum(dim=1, keepdim=True)\n    column = counts.sum(dim=0, keepdim=True)\n",
        ),
    ),
    "without_the_total": dict(
        expects=("PPMI by hand", "N = 18"), source=but("counts * counts.sum() /", "counts /")
    ),
    "conditional_probability": dict(
        expects=("PPMI by hand", "N = 18"),
        source=but("counts * counts.sum() / (row * column)", "counts / row * counts.shape[1]"),
    ),
    "u_alone": dict(expects=("vectors", "other lengths"), source=but("u[:, :dim] * s[:dim]", "u[:, :dim]")),
    "root_of_sigma": dict(
        expects=("vectors", "other lengths"),
        source=but("u[:, :dim] * s[:dim]", "u[:, :dim] * s[:dim].sqrt()"),
    ),
    "vectors_of_the_contexts": dict(
        expects=("vectors", "contexts"), source=but("u[:, :dim] * s[:dim]", "vt[:dim].T * s[:dim]")
    ),
    "rows_of_u": dict(
        expects=("vectors", "expected (2, 1)"), source=but("u[:, :dim] * s[:dim]", "u[:dim] * s")
    ),
    "the_smallest_are_kept": dict(
        expects=("fresh tables", "largest singular values"),
        source=but("u[:, :dim] * s[:dim]", "u[:, -dim:] * s[-dim:]"),
    ),
    "svd_of_the_counts": dict(
        expects=("vectors", "are off"),
        source=but("torch.linalg.svd(ppmi, full", "torch.linalg.svd(counts, full"),
    ),
    "centred_first": dict(
        expects=("vectors", "are off"),
        source=but("torch.linalg.svd(ppmi, full", "torch.linalg.svd(ppmi - ppmi.mean(0), full"),
    ),
    "everybody_is_their_own_neighbour": dict(
        expects=("counts by hand", "are off"), source=but("if i != j:", "if True:")
    ),
    "the_same_word_never_counts": dict(
        expects=("counts by hand", "each very sees the other"),
        source=but("if i != j:", "if sentence[i] != sentence[j]:"),
    ),
    "each_pair_twice": dict(
        expects=("counts by hand", "are off"),
        source=but(
            "                    counts[index[sentence[i]], index[sentence[j]]] += 1\n",
            "                    counts[index[sentence[i]], index[sentence[j]]] += 1\n"
            "                    counts[index[sentence[j]], index[sentence[i]]] += 1\n",
        ),
    ),
    "only_what_follows": dict(
        expects=("counts by hand", "are off"), source=but("range(max(0, i - window), min", "range(i, min")
    ),
    "one_long_text": dict(
        expects=("counts by hand", "are off"),
        source=but(
            "    for sentence in sentences:\n",
            "    for sentence in [[word for each in sentences for word in each]]:\n",
        ),
    ),
    "a_window_of_both_sides_together": dict(
        expects=("fresh sentences", "are off"),
        source=but(
            "range(max(0, i - window), min(len(sentence), i + window + 1))",
            "range(max(0, i - (window + 1) // 2), min(len(sentence), i + (window + 1) // 2 + 1))",
        ),
    ),
    "negative_places": dict(
        expects=("counts by hand", "are off"),
        source=but(
            "            for j in range(max(0, i - window), min(len(sentence), i + window + 1)):\n                if i != j:\n                    counts[index[sentence[i]], index[sentence[j]]] += 1\n",
            "            for other in [*sentence[i - window : i], *sentence[i + 1 : i + 1 + window]]:\n                counts[index[sentence[i]], index[other]] += 1\n",
        ),
    ),
    "seen_or_not": dict(
        expects=("counts by hand", "are off"),
        source=but("index[sentence[j]]] += 1", "index[sentence[j]]] = 1"),
    ),
    "sorted_words": dict(
        expects=("counts by hand", "are off"), source=but("enumerate(words)}", "enumerate(sorted(words))}")
    ),
    "the_window_ends_before": dict(
        expects=("counts by hand", "are off"), source=but("i + window + 1))", "i + window))")
    ),
}

# --- new

WHEATS |= {
    "sparse_counting": """
from collections import Counter
from itertools import combinations

def count_neighbours(sentences, words, *, window):
    seen = Counter()
    for sentence in sentences:
        for (i, a), (j, b) in combinations(enumerate(sentence), 2):
            if j - i <= window:
                seen[a, b] += 1
                seen[b, a] += 1
    return torch.tensor([[float(seen[a, b]) for b in words] for a in words])

def embed_words(counts, *, dim):
    n = float(counts.sum())
    ppmi = torch.zeros(counts.shape)
    for w, c in counts.nonzero().tolist():
        pmi = np.log(n * float(counts[w, c]) / float(counts[w].sum() * counts[:, c].sum()))
        if pmi > 0:
            ppmi[w, c] = pmi
    U, S, Vh = torch.linalg.svd(ppmi)
    return ppmi, U[:, :dim] @ torch.diag(S[:dim])
""",
    "add_at_and_sklearn": """
def count_neighbours(sentences, words, *, window):
    place = {w: k for k, w in enumerate(words)}
    counts = np.zeros((len(words),) * 2, dtype=np.int64)
    for sentence in sentences:
        ids = np.array([place[w] for w in sentence])
        for d in range(1, min(window, len(ids) - 1) + 1):
            np.add.at(counts, (ids[:-d], ids[d:]), 1)
            np.add.at(counts, (ids[d:], ids[:-d]), 1)
    return torch.from_numpy(counts).float()

def embed_words(counts, *, dim):
    from sklearn.decomposition import TruncatedSVD
    counts = counts.numpy().astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        pmi = np.log(counts) + np.log(counts.sum()) - np.log(counts.sum(axis=1, keepdims=True)) - np.log(counts.sum(axis=0))
    pmi[~np.isfinite(pmi)] = 0
    ppmi = np.maximum(pmi, 0)
    return ppmi, TruncatedSVD(dim, n_iter=20, random_state=0).fit_transform(ppmi)
""",
    "shifted_sentences_in_matrices": """
def count_neighbours(sentences, words, *, window):
    total = np.zeros((len(words), len(words)))
    for s in sentences:
        hot = np.array([[float(w == v) for v in words] for w in s]).reshape(len(s), len(words))
        gap = np.abs(np.subtract.outer(np.arange(len(s)), np.arange(len(s))))
        total += hot.T @ ((gap > 0) & (gap <= window)) @ hot
    return total.tolist()

def embed_words(counts, *, dim):
    import scipy.linalg
    c = np.array(counts)
    chance = c.sum(1)[:, None] * c.sum(0)[None] / c.sum()
    ppmi = np.log(np.divide(c, chance, out=np.ones(c.shape), where=c > chance))
    u, s, vh = scipy.linalg.svd(ppmi, full_matrices=False)
    return [ppmi, -ppmi.dot(vh[:dim].T)]
""",
    "by_the_eigenvectors_of_the_contexts": """
def count_neighbours(sentences, words, *, window):
    index = list(words).index
    counts = torch.zeros(len(words), len(words))
    for sentence in sentences:
        n = len(sentence)
        for i in range(n):
            for step in range(-window, window + 1):
                if step != 0 and 0 <= i + step < n:
                    counts[index(sentence[i])][index(sentence[i + step])] += 1
    return counts

def embed_words(counts, *, dim):
    joint = counts / counts.sum()
    w, c = joint.sum(1), joint.sum(0)
    ppmi = torch.special.xlogy(torch.ones(()), joint / torch.outer(w, c)).nan_to_num(0, 0, 0).clamp(0)
    values, vectors = torch.linalg.eigh((ppmi.T @ ppmi).double())
    return ppmi, ppmi.double() @ vectors.flip(1)[:, :dim]
""",
}

CHAFFS |= {
    "each_sentence_once": dict(
        expects=("fresh sentences", "twice counts twice"),
        source=but("for sentence in sentences:", "for sentence in dict.fromkeys(map(tuple, sentences)):"),
    ),
    "weighted_by_distance": dict(
        expects=("counts by hand", "are off"), source=but("index[sentence[j]]] += 1", "index[sentence[j]]] += 1 / abs(i - j)")
    ),
    "a_pair_once_a_sentence": dict(
        expects=("counts by hand", "are off"),
        source=but(
            "                if i != j:\n                    counts[index[sentence[i]], index[sentence[j]]] += 1\n",
            "                if i != j:\n                    pairs.add((index[sentence[i]], index[sentence[j]]))\n        for pair in pairs:\n            counts[pair] += 1\n",
        ).replace("    for sentence in sentences:\n", "    for sentence in sentences:\n        pairs = set()\n"),
    ),
    "in_the_same_sentence": dict(
        expects=("counts by hand", "are off"),
        source=but("range(max(0, i - window), min(len(sentence), i + window + 1))", "range(len(sentence))"),
    ),
    "only_at_the_distance_of_the_window": dict(
        expects=("counts by hand", "are off"), source=but("if i != j:", "if abs(i - j) == window:")
    ),
    "the_ends_have_no_window": dict(
        expects=("counts by hand", "are off"), source=but("for i in range(len(sentence)):", "for i in range(window, len(sentence) - window):")
    ),
    "shifted_by_one_example": dict(
        expects=("PPMI by hand", "are off"), source=but("row * column))", "row * column)) - np.log(5)")
    ),
    "smoothed_contexts": dict(
        expects=("PPMI by hand", "are off"),
        source=but("    pmi = ", "    column = column**0.75 / (column**0.75).sum() * counts.sum()\n    pmi = "),
    ),
    "normalised_by_minus_log_p": dict(
        expects=("PPMI by hand", "are off"), source=but("    ppmi = ", "    pmi = pmi / -torch.log(counts / counts.sum())\n    ppmi = ")
    ),
    "the_sums_of_ppmi": dict(
        expects=("vectors", "are off"), source=but("torch.linalg.svd(ppmi, full", "torch.linalg.svd(ppmi / ppmi.sum(), full")
    ),
    "of_length_one": dict(
        expects=("vectors", "other lengths"), source=but("u[:, :dim] * s[:dim]", "F.normalize(u[:, :dim] * s[:dim], dim=1)")
    ),
    "squared_sigma": dict(
        expects=("vectors", "are off"), source=but("u[:, :dim] * s[:dim]", "u[:, :dim] * s[:dim] ** 2")
    ),
    "sigma_on_the_rows": dict(
        expects=("vectors", "off"), source=but("u[:, :dim] * s[:dim]", "(s[:, None] * u)[:, :dim]")
    ),
    "scikit_pca": dict(
        expects=("vectors", "off"),
        source=but("    return ppmi, u[:, :dim] * s[:dim]", "    from sklearn.decomposition import PCA\n    return ppmi, PCA(dim).fit_transform(ppmi.numpy())"),
    ),
    "vectors_alone": dict(
        expects=("PPMI by hand", "two things are returned"), source=but("return ppmi, u[:, :dim] * s[:dim]", "return u[:, :dim] * s[:dim]")
    ),
    "vectors_first": dict(
        expects=("PPMI by hand", "PPMI is returned first"), source=but("return ppmi, u[:, :dim] * s[:dim]", "return u[:, :dim] * s[:dim], ppmi")
    ),
    "nan_where_nothing_is": dict(
        expects=("fresh tables", "not NaN"),
        source=but("torch.where(counts > 0, pmi, torch.tensor(0.0))", "torch.where(counts == 0, pmi.nan_to_num(nan=float('nan'), neginf=0), pmi)"),
    ),
    "vt_for_v": dict(
        expects=("vectors", "Vᵀ"), source=but("u[:, :dim] * s[:dim]", "ppmi @ vt[:, :dim]")
    ),
    "always_two_numbers": dict(
        expects=("vectors", "expected (2, 1)"), source=but("u[:, :dim] * s[:dim]", "u[:, :2] * s[:2]")
    ),
    "a_small_number_in_the_log": dict(
        expects=("PPMI by hand", "off"),
        source=but("torch.where(counts > 0, pmi, torch.tensor(0.0)).clamp(min=0)", "torch.log(1 + counts * counts.sum() / (row * column)).nan_to_num(0)"),
    ),
}
