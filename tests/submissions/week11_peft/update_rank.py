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
