"""Wheats and chaffs for update_rank. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "in_doubles_one_term_at_a_time": """
def update_rank(before, after, *, share=0.9):
    difference = (after - before).double()
    matrix = difference.reshape(difference.shape[0], -1)
    u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
    total = float((matrix ** 2).sum())
    kept, rank, sum_of = 0.0, 0, torch.zeros_like(matrix)
    while total > 0 and kept < (share - 1e-7) * total:
        sum_of = sum_of + s[rank] * torch.outer(u[:, rank], vt[rank])
        kept += float(s[rank]) ** 2
        rank += 1
    return rank, sum_of.reshape(before.shape).float()
""",
    "with_searchsorted": """
def update_rank(before, after, *, share=0.9):
    delta = torch.flatten(after - before, start_dim=1)
    if not delta.any():
        return 0, torch.zeros(before.shape)
    u, s, v = torch.svd_lowrank(delta, q=min(delta.shape), niter=8) if False else torch.svd(delta)
    energy = torch.cumsum(s ** 2, 0) / torch.sum(s ** 2)
    r = min(int(torch.searchsorted(energy, share - 1e-6)) + 1, len(s))
    return r, (u[:, :r] @ torch.diag(s[:r]) @ v[:, :r].T).reshape(before.shape)
""",
}

RIGHT = """
def update_rank(before, after, *, share=0.9):
    update = (after - before).flatten(1)
    u, s, vt = torch.linalg.svd(update, full_matrices=False)
    energy = s.square().cumsum(0)
    if energy[-1] == 0:
        return 0, torch.zeros_like(before)
    rank = int((energy < share * energy[-1] - 1e-6 * energy[-1]).sum()) + 1
    return rank, ((u[:, :rank] * s[:rank]) @ vt[:rank]).view_as(before)
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


CHAFFS = {
    "energy_is_sigma": dict(
        expects=("σ = 3, 1, 1", "σ instead of σ²"), source=but("s.square().cumsum", "s.cumsum")
    ),
    "one_too_few": dict(expects=("σ = 3, 1, 1", "Squares: 9, 1, 1"), source=but(".sum()) + 1", ".sum())")),
    "one_too_many": dict(expects=("σ = 3, 1, 1", "Squares: 9, 1, 1"), source=but(".sum()) + 1", ".sum()) + 2")),
    "the_weight_has_the_low_rank": dict(
        expects=("a LoRA update of rank 2", "not the weight"),
        source=but("update = (after - before).flatten(1)", "update = after.flatten(1)"),
    ),
    "the_share_is_ninety": dict(
        expects=("σ = 3, 1, 1", "Squares: 9, 1, 1"), source=but("share * energy[-1] - 1e-6", "0.9 * energy[-1] - 1e-6")
    ),
    "counting_what_is_not_zero": dict(
        expects=("σ = 3, 1, 1", "Squares: 9, 1, 1"),
        source=but(
            "int((energy < share * energy[-1] - 1e-6 * energy[-1]).sum()) + 1",
            "int(torch.linalg.matrix_rank(update))",
        ),
    ),
    "the_approximation_is_the_model": dict(
        expects=("a LoRA update of rank 2", "sums the first r terms"), source=but(".view_as(before)", ".view_as(before) + before")
    ),
    "v_comes_without_transposing": dict(
        expects=("a LoRA update of rank 2", "sums the first r terms"),
        source=but("@ vt[:rank])", "@ vt[:, :rank].T)"),
    ),
    "the_update_is_returned_whole": dict(
        expects=("Eckart and Young", "has the energy of the other terms"),
        source=but("((u[:, :rank] * s[:rank]) @ vt[:rank]).view_as(before)", "after - before"),
    ),
    "kernels_are_not_matrices": dict(
        expects=("kernels of convolutions", "flatten(1)"),
        source=but("(after - before).flatten(1)", "(after - before).reshape(-1, after.shape[-1])"),
    ),
    "nothing_has_rank_one": dict(
        expects=("kernels of convolutions", "the rank is 0"), source=but("return 0, torch", "return 1, torch")
    ),
}

# ---------------------------------------------------------------- new
WHEATS |= {
    "all_in_numpy": """
def update_rank(before, after, *, share=0.9):
    d = (after.double() - before.double()).numpy()
    m = d.reshape(len(d), -1)
    u, s, vt = np.linalg.svd(m, full_matrices=False)
    e = s**2
    if e.sum() == 0:
        return np.int64(0), torch.zeros(tuple(before.shape), dtype=torch.float64)
    r = np.searchsorted(np.cumsum(e) / e.sum(), share) + 1
    return r, torch.from_numpy((u[:, :r] @ np.diag(s[:r]) @ vt[:r]).reshape(d.shape))
""",
    "argmax_of_a_comparison": """
def update_rank(before, after, *, share=0.9):
    delta = after - before
    if torch.equal(before, after):
        return torch.tensor(0), delta
    U, S, Vh = torch.linalg.svd(delta.reshape(delta.shape[0], -1), full_matrices=False)
    explained = torch.cumsum(S**2, dim=0) / torch.sum(S**2)
    r = (explained >= share).int().argmax() + 1
    return r, torch.einsum("ik,k,kj->ij", U[:, :r], S[:r], Vh[:r]).reshape(delta.shape)
""",
    "from_the_tail": """
def update_rank(before, after, *, share=0.9):
    delta = (after - before).flatten(1)
    u, s, vt = torch.linalg.svd(delta)
    s2 = s.pow(2)
    total = delta.pow(2).sum().item()
    r = 0
    while sum(s2[:r].tolist()) < share * total and r < len(s):
        r += 1
    s = torch.where(torch.arange(len(s)) < r, s, torch.zeros(()))
    low = u[:, :len(s)] @ torch.diag(s) @ vt[:len(s)]
    return r, low.view(before.shape)
""",
    "by_projection": """
def update_rank(before, after, *, share=0.9):
    m = (after - before).flatten(1).double()
    values, vectors = torch.linalg.eigh(m @ m.T)
    values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
    total = values.sum()
    rank = 0
    kept = 0.0
    for value in values:
        if total == 0 or kept >= share * total:
            break
        kept, rank = kept + value, rank + 1
    q = vectors[:, :rank]
    return rank, (q @ (q.T @ m)).view_as(before).to(before.dtype)
""",
}
CHAFFS |= {
    "more_than_the_share": dict(expects=('kernels', 'is not the same'), source=but("energy < share * energy[-1] - 1e-6 * energy[-1]", "energy <= share * energy[-1] + 1e-6 * energy[-1]")),
    "more_than_the_share_plain": dict(expects=('kernels', 'is not the same'), source=but("energy < share * energy[-1] - 1e-6 * energy[-1]", "energy <= share * energy[-1]")),
    "small_is_nothing": dict(expects=('kernels', 'is not the same'), source=but("if energy[-1] == 0:", "if energy[-1] < 1e-4:")),
    "close_is_equal": dict(expects=('kernels', 'is not the same'), source=but("if energy[-1] == 0:", "if torch.allclose(before, after, atol=1e-3):")),
    "without_the_sizes": dict(expects=('Eckart', 'of the energy is missing'), source=but("(u[:, :rank] * s[:rank])", "u[:, :rank]")),
    "the_norm_is_the_energy": dict(expects=("σ = 3, 1, 1", "Squares"), source=but("s.square().cumsum(0)", "s.square().cumsum(0).sqrt()")),
    "compared_with_the_largest": dict(expects=("σ = 3, 1, 1", "Squares"), source=but("int((energy < share * energy[-1] - 1e-6 * energy[-1]).sum()) + 1", "int((s > (1 - share) * s[0]).sum())")),
    "the_mean_is_no_change": dict(expects=('σ = 3, 1, 1', 'Squares'), source=but("(after - before).flatten(1)", "(after - before).flatten(1)\n    update = update - update.mean(0)")),
    "only_the_rank": dict(expects=('σ = 3, 1, 1', 'two things'), source=but("return rank, ((u[:, :rank] * s[:rank]) @ vt[:rank]).view_as(before)", "return rank").replace("return 0, torch.zeros_like(before)", "return 0")),
    "the_other_order": dict(expects=('σ = 3, 1, 1', 'two things'), source=but("return rank, ((u[:, :rank] * s[:rank]) @ vt[:rank]).view_as(before)", "return ((u[:, :rank] * s[:rank]) @ vt[:rank]).view_as(before), rank").replace("return 0, torch.zeros_like(before)", "return torch.zeros_like(before), 0")),
    "a_matrix_stays_one": dict(expects=("kernels", "view_as"), source=but(".view_as(before)", "")),
    "zero_by_zero": dict(expects=("kernels", "rank is 0"), source=but("    if energy[-1] == 0:\n        return 0, torch.zeros_like(before)\n", "    energy = energy / energy[-1]\n").replace("int((energy < share * energy[-1] - 1e-6 * energy[-1]).sum()) + 1", "int((energy >= share).nonzero()[0]) + 1")),
    "zero_has_rank_zero_without_thinking": dict(expects=("kernels", "approximation zero"), source=but("    if energy[-1] == 0:\n        return 0, torch.zeros_like(before)\n", "    if energy[-1] == 0:\n        return 0, torch.zeros(before.flatten(1).shape)\n")),
    "before_minus_after": dict(expects=("a LoRA update", "after - before"), source=but("(after - before)", "(before - after)")),
    "a_kernel_for_each_place": dict(expects=("kernels", "flatten(1)"), source=but("(after - before).flatten(1)", "(after - before).flatten(0, -2)")),
    "batched_svd": dict(expects=("kernels", "flatten(1)"), source=but("(after - before).flatten(1)", "(after - before)")),
    "v_instead_of_vt": dict(expects=('a LoRA update', 'σ u vᵀ'), source=but("torch.linalg.svd(update, full_matrices=False)", "torch.svd(update)")),
    "share_of_the_count": dict(expects=('σ = 3, 1, 1', 'Squares'), source=but("int((energy < share * energy[-1] - 1e-6 * energy[-1]).sum()) + 1", "round(share * len(s))")),
}
