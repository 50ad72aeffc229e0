"""Wheats and chaffs for nearest_words. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "loops_and_math_dist": """
import math
from statistics import median

def nearest_words(context, vectors, words, *, k):
    table = vectors.tolist()
    read = []
    for vector in context.tolist():
        pairs = sorted((math.dist(vector, other), word) for word, other in zip(words, table))
        read.append([(word, far) for far, word in pairs[:k]])
    nearest = [min(math.dist(a, b) for j, b in enumerate(table) if j != i) for i, a in enumerate(table)]
    return read, median(nearest)
""",
    "numpy_by_broadcasting": """
def nearest_words(context, vectors, words, *, k):
    c, v = context.detach().numpy(), vectors.detach().numpy()
    far = np.sqrt(((c[:, None] - v[None]) ** 2).sum(axis=-1))
    order = far.argsort(axis=1)[:, :k]
    read = [list(zip([words[j] for j in row], far[i, row].tolist())) for i, row in enumerate(order)]
    between = np.linalg.norm(v[:, None] - v[None], axis=2)
    second = np.partition(between, 1, axis=1)[:, 1]  # the smallest is the word itself
    return read, float(np.median(second))
""",
    "by_scikit_learn": """
from sklearn.neighbors import NearestNeighbors

def nearest_words(context, vectors, words, *, k):
    tree = NearestNeighbors().fit(vectors.double().numpy())
    far, index = tree.kneighbors(context.double().numpy(), n_neighbors=k)
    others, _ = tree.kneighbors(n_neighbors=1)  # without arguments nobody is their own neighbour
    return [[(words[j], d) for d, j in zip(*row)] for row in zip(far, index)], np.median(others)
""",
    "by_sorting_and_quantile": """
def nearest_words(context, vectors, words, *, k):
    read = []
    for vector in context:
        far, index = (vectors - vector).norm(dim=1).sort()
        read.append([(words[int(index[n])], far[n].item()) for n in range(k)])
    n = len(vectors)
    between = torch.linalg.vector_norm(vectors.unsqueeze(0) - vectors.unsqueeze(1), dim=-1)
    between = between + torch.diag(torch.full((n,), float("inf")))
    return read, between.min(dim=0).values.quantile(0.5)
""",
}

RIGHT = """
def nearest_words(context, vectors, words, *, k):
    far = torch.cdist(context, vectors)
    near = far.topk(k, dim=1, largest=False)
    read = [[(words[j], float(d)) for d, j in zip(*row)] for row in zip(near.values, near.indices)]
    between = torch.cdist(vectors, vectors)
    between.fill_diagonal_(float("inf"))
    return read, float(between.amin(dim=1).median())
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


CHAFFS = {
    "the_angle_tells_the_meaning": dict(
        expects=("not the most parallel", "Euclidean"),
        source=but("torch.cdist(context, vectors)", "1 - F.cosine_similarity(context[:, None], vectors[None], dim=2)"),
    ),
    "similar_means_a_large_product": dict(
        expects=("not the longest", "Euclidean"),
        source=but("far = torch.cdist(context, vectors)", "far = context @ vectors.T").replace("largest=False", "largest=True"),
    ),
    "squares_have_the_same_order": dict(
        expects=("three words, by hand", "it is 0.71"),
        source=but("torch.cdist(context, vectors)", "torch.cdist(context, vectors).square()"),
    ),
    "blocks_are_a_distance_too": dict(
        expects=("three words, by hand", "Euclidean"),
        source=but("torch.cdist(context, vectors)", "torch.cdist(context, vectors, p=1)"),
    ),
    "topk_is_nearest_first": dict(
        expects=("three words, by hand", "it is 0.71"),
        source=but(", largest=False", ""),
    ),
    "nearest_last": dict(
        expects=("three words, by hand", "it is 0.71"),
        source=but("float(d)) for d, j in zip(*row)]", "float(d)) for d, j in zip(*row)][::-1]"),
    ),
    "the_first_neighbour_is_myself": dict(
        expects=("fresh vectors", "nearest first"),
        source=but("near = far.topk(k, dim=1, largest=False)", "near = far.sort(dim=1)").replace("zip(*row)]", "list(zip(*row))[1 : k + 1]]"),
    ),
    "the_smallest_distance_is_the_nearest_word": dict(
        expects=("the yardstick", "take the diagonal out"),
        source=but('    between.fill_diagonal_(float("inf"))\n', ""),
    ),
    "an_average_is_an_average": dict(
        expects=("the yardstick", "the median is 2"),
        source=but(".median()", ".mean()"),
    ),
    "the_median_of_all_pairs": dict(
        expects=("the yardstick", "the nearest other word"),
        source=but("between.amin(dim=1).median()", 'between[between < float("inf")].median()'),
    ),
    "how_far_the_context_is_from_words": dict(
        expects=("the yardstick", "does not depend on the context"),
        source=but("between.amin(dim=1).median()", "far.amin(dim=1).median()"),
    ),
    "every_word_has_its_yardstick": dict(
        expects=("the yardstick", "one number"),
        source=but("float(between.amin(dim=1).median())", "between.amin(dim=1).tolist()"),
    ),
    "one_list_for_all_vectors": dict(
        expects=("fresh vectors", "One list for each context vector"),
        source=but("for row in zip(near.values, near.indices)]", "for row in zip(near.values, near.indices)]\n    read = [sorted((pair for row in read for pair in row), key=lambda pair: pair[1])[:k]]"),
    ),
}
