"""Wheats and chaffs for two_nn. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "cdist_as_it_comes": """
def two_nn(points):
    r1, r2 = torch.cdist(points, points).topk(3, largest=False).values[:, 1:].T
    copies = r1 < 1e-7
    return float((~copies).sum() / torch.log(r2[~copies] / r1[~copies]).sum())
""",
    "by_cdist": """
def two_nn(points):
    d = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist")
    d.fill_diagonal_(float("inf"))
    r = d.sort(dim=1).values[:, :2]
    r = r[r[:, 0] > 0]
    return 1 / torch.log(r[:, 1] / r[:, 0]).mean().item()
""",
    "drop_the_first_of_three": """
from sklearn.neighbors import KDTree

def two_nn(points):
    x = points.numpy()
    d, _ = KDTree(x).query(x, k=3)
    r1, r2 = d[:, 1], d[:, 2]
    keep = r1 > 0
    return keep.sum() / (np.log(r2[keep]) - np.log(r1[keep])).sum()
""",
}

CHAFFS = {
    "i_am_my_own_neighbour": dict(expects=("by hand", "nobody is their own neighbour"), source="""
def two_nn(points):
    d = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist")
    r = d.sort(dim=1).values[:, :2]
    r = r[r[:, 0] > 0]
    return len(r) / torch.log(r[:, 1] / r[:, 0]).sum().item() if len(r) else 0.0
"""),
    "mean_of_estimates": dict(expects=("by hand", "ratios"), source="""
def two_nn(points):
    d = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(float("inf"))
    r = d.sort(dim=1).values[:, :2]
    r = r[r[:, 0] > 0]
    return (1 / torch.log(r[:, 1] / r[:, 0])).mean().item()
"""),
    "logarithm_to_base_ten": dict(expects=("by hand", "Natural logarithm"), source="""
def two_nn(points):
    d = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(float("inf"))
    r = d.sort(dim=1).values[:, :2]
    r = r[r[:, 0] > 0]
    return len(r) / torch.log10(r[:, 1] / r[:, 0]).sum().item()
"""),
    "copies_count_as_samples": dict(expects=("copies", "drop these samples before"), source="""
def two_nn(points):
    d = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(float("inf"))
    r = d.sort(dim=1).values[:, :2]
    mu = r[:, 1] / r[:, 0]
    return len(mu) / torch.log(mu[torch.isfinite(mu)]).sum().item()
"""),
    "copies_do_not_happen": dict(expects=("copies", "μ is infinite"), source="""
def two_nn(points):
    d = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(float("inf"))
    r = d.sort(dim=1).values[:, :2]
    return len(r) / torch.log(r[:, 1] / r[:, 0]).sum().item()
"""),
    "inverse_of_the_logarithm_of_the_mean": dict(expects=("by hand", "ratios"), source="""
def two_nn(points):
    d = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(float("inf"))
    r = d.sort(dim=1).values[:, :2]
    r = r[r[:, 0] > 0]
    return 1 / math.log((r[:, 1] / r[:, 0]).mean().item())
"""),
    "squared_distances_will_do": dict(expects=("by hand", "ratios"), source="""
def two_nn(points):
    x = points.double()
    d = ((x[:, None] - x[None]) ** 2).sum(-1).fill_diagonal_(float("inf"))
    r = d.sort(dim=1).values[:, :2]
    r = r[r[:, 0] > 0]
    return len(r) / torch.log(r[:, 1] / r[:, 0]).sum().item()
"""),
    "counting_principal_components": dict(expects=("by hand", "ratios"), source="""
def two_nn(points):
    variance = torch.linalg.svdvals(points - points.mean(0)) ** 2
    return float((variance.cumsum(0) / variance.sum() < 0.95).sum() + 1)
"""),
}
