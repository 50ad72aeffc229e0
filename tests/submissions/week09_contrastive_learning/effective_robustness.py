"""Wheats and chaffs for effective_robustness. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "polyfit_and_scipy": """
from scipy.special import expit, logit

def effective_robustness(original, shifted, reference_original, reference_shifted):
    x, y, own = (logit(np.clip(a.double().numpy(), 0.001, 0.999)) for a in (reference_original, reference_shifted, original))
    return shifted.numpy() - expit(np.polyval(np.polyfit(x, y, deg=1), own))
""",
    "sklearn_draws_the_line": """
from sklearn.linear_model import LinearRegression

def effective_robustness(original, shifted, reference_original, reference_shifted):
    def coordinates(accuracy):
        a = accuracy.clip(min=1e-3, max=1 - 1e-3)
        return torch.log(a / (1 - a)).numpy()

    line = LinearRegression().fit(coordinates(reference_original)[:, None], coordinates(reference_shifted))
    expected = torch.from_numpy(line.predict(coordinates(original)[:, None]))
    return shifted - torch.sigmoid(expected)
""",
    "normal_equations_in_double": """
def effective_robustness(original, shifted, reference_original, reference_shifted):
    def design(a):
        z = torch.logit(a.double(), eps=1e-3)
        return torch.stack([torch.ones_like(z), z], dim=1)

    A, b = design(reference_original), design(reference_shifted)[:, 1:]
    theta = torch.linalg.lstsq(A, b).solution
    return shifted.double() - (design(original) @ theta).squeeze(1).sigmoid()
""",
    "model_by_model": """
from statistics import linear_regression

def effective_robustness(original, shifted, reference_original, reference_shifted):
    def odds(a):
        a = min(max(a, 0.001), 0.999)
        return math.log(a) - math.log(1 - a)

    slope, intercept = linear_regression(
        [odds(a) for a in reference_original.tolist()], [odds(a) for a in reference_shifted.tolist()]
    )
    above = []
    for a, b in zip(original.tolist(), shifted.tolist()):
        above.append(b - 1 / (1 + math.exp(-(intercept + slope * odds(a)))))
    return torch.tensor(above)
""",
    "all_four_are_clamped": """
def effective_robustness(original, shifted, reference_original, reference_shifted):
    a, b, x, y = (v.clamp(0.001, 0.999) for v in (original, shifted, reference_original, reference_shifted))
    x, y = x.logit(), y.logit()
    covariance = torch.cov(torch.stack([x, y]))
    slope = covariance[0, 1] / covariance[0, 0]
    predicted = torch.sigmoid(slope * a.logit() + y.mean() - slope * x.mean())
    return b - predicted
""",
}

START = """
def effective_robustness(original, shifted, reference_original, reference_shifted):
    def fit(x, y):
        slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
        return slope, y.mean() - slope * x.mean()

    def logit(a):
        return a.clamp(1e-3, 1 - 1e-3).logit()
"""

CHAFFS = {
    "robust_is_who_falls_little": dict(expects=("on the line have none", "not the fall"), source="""
def effective_robustness(original, shifted, reference_original, reference_shifted):
    return shifted - original
"""),
    "the_fall_is_positive": dict(expects=("deck's table", "negative for who is worse"), source="""
def effective_robustness(original, shifted, reference_original, reference_shifted):
    return original - shifted
"""),
    "who_falls_less_than_the_others": dict(expects=("on the line have none", "not the fall"), source="""
def effective_robustness(original, shifted, reference_original, reference_shifted):
    usual_fall = (reference_original - reference_shifted).mean()
    return shifted - (original - usual_fall)
"""),
    "better_than_the_mean_reference": dict(expects=("deck's table", "expected shifted accuracy is the original one"), source="""
def effective_robustness(original, shifted, reference_original, reference_shifted):
    return shifted - reference_shifted.mean()
"""),
    "the_line_is_straight_in_accuracies": dict(expects=("on the line have none", "plain accuracies"), source=START + """
    slope, intercept = fit(reference_original, reference_shifted)
    return shifted - (slope * original + intercept)
"""),
    "only_one_axis_is_bent": dict(expects=("on the line have none", "both axes"), source=START + """
    slope, intercept = fit(reference_original, logit(reference_shifted))
    return shifted - (slope * original + intercept).sigmoid()
"""),
    "a_logarithm_straightens_it": dict(expects=("on the line have none", "log(a / (1 − a))"), source=START + """
    x, y, own = (a.clamp(1e-3, 1 - 1e-3).log() for a in (reference_original, reference_shifted, original))
    slope, intercept = fit(x, y)
    return shifted - (slope * own + intercept).exp()
"""),
    "robustness_is_measured_in_logits": dict(expects=("deck's table", "difference of the two accuracies"), source=START + """
    slope, intercept = fit(logit(reference_original), logit(reference_shifted))
    return logit(shifted) - (slope * logit(original) + intercept)
"""),
    "a_logit_is_an_accuracy": dict(expects=("deck's table", "the sigmoid makes it an accuracy"), source=START + """
    slope, intercept = fit(logit(reference_original), logit(reference_shifted))
    return shifted - (slope * logit(original) + intercept)
"""),
    "more_models_make_a_better_line": dict(expects=("fresh line", "take no part"), source=START + """
    x = logit(torch.cat([reference_original, original]))
    y = logit(torch.cat([reference_shifted, shifted]))
    slope, intercept = fit(x, y)
    return shifted - (slope * logit(original) + intercept).sigmoid()
"""),
    "x_and_y_may_be_swapped": dict(expects=("on the line have none", "from the original accuracy"), source=START + """
    slope, intercept = fit(logit(reference_shifted), logit(reference_original))
    return shifted - (slope * logit(original) + intercept).sigmoid()
"""),
    "a_line_is_the_same_from_both_sides": dict(expects=("fresh line", "squared errors of y"), source=START + """
    slope, intercept = fit(logit(reference_shifted), logit(reference_original))
    return shifted - ((logit(original) - intercept) / slope).sigmoid()
"""),
    "lines_begin_at_the_origin": dict(expects=("on the line have none", "intercept"), source=START + """
    x, y = logit(reference_original), logit(reference_shifted)
    return shifted - ((x * y).sum() / x.square().sum() * logit(original)).sigmoid()
"""),
    "nobody_is_perfect": dict(expects=("exactly 0 and 1", "clamp to 0.001"), source=START + """
    slope, intercept = fit(reference_original.logit(), reference_shifted.logit())
    return shifted - (slope * original.logit() + intercept).sigmoid()
"""),
    "any_small_number_will_do": dict(expects=("exactly 0 and 1", "clamp to 0.001"), source=START + """
    x, y, own = (a.logit(eps=1e-6) for a in (reference_original, reference_shifted, original))
    slope, intercept = fit(x, y)
    return shifted - (slope * own + intercept).sigmoid()
"""),
    "robustness_is_not_negative": dict(expects=("deck's table", "negative for who is worse"), source=START + """
    slope, intercept = fit(logit(reference_original), logit(reference_shifted))
    return (shifted - (slope * logit(original) + intercept).sigmoid()).clamp(min=0)
"""),
}
