"""Wheats and chaffs for interpolate. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "a_loop_with_sums": """
def interpolate(before, after, alpha):
    if before.keys() != after.keys():
        raise KeyError(list(before.keys() ^ after.keys()))
    mixed = {}
    for name in before:
        if torch.is_floating_point(before[name]):
            mixed[name] = (1 - alpha) * before[name] + alpha * after[name]
        else:
            mixed[name] = torch.clone(after[name])
    return mixed
""",
    "a_step_along_the_difference": """
import copy

def interpolate(before, after, alpha):
    for name in list(before) + list(after):
        before[name], after[name]
    mixed = copy.deepcopy(dict(after))
    for name, value in before.items():
        if value.dtype.is_floating_point:
            mixed[name] = value + (after[name] - value) * alpha
    return mixed
""",
}

RIGHT = """
def interpolate(before, after, alpha):
    if set(before) != set(after):
        raise KeyError("names")
    return {
        name: torch.lerp(value, after[name], alpha) if value.is_floating_point() else after[name].clone()
        for name, value in before.items()
    }
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


CHAFFS = {
    "alpha_is_the_share_of_the_old": dict(
        expects=("a quarter of the way", "α = 0 gives before"),
        source=but("torch.lerp(value, after[name], alpha)", "torch.lerp(after[name], value, alpha)"),
    ),
    "half_is_always_best": dict(
        expects=("a quarter of the way", "(1 − α) · before"), source=but("after[name], alpha)", "after[name], 0.5)")
    ),
    "the_change_is_added_to_the_new": dict(
        expects=("a quarter of the way", "(1 − α) · before"),
        source=but("torch.lerp(value, after[name], alpha)", "after[name] + alpha * (after[name] - value)"),
    ),
    "in_place_saves_memory": dict(
        expects=("both inputs stay as they are", "no +="),
        source=but("torch.lerp(value, after[name], alpha)", "value.lerp_(after[name], alpha)"),
    ),
    "the_ends_need_no_copy": dict(
        expects=("both inputs stay as they are", "no view"),
        source=but(
            "    return {\n",
            "    if alpha == 0: return dict(before)\n    if alpha == 1: return dict(after)\n    return {\n",
        ),
    ),
    "counters_are_shared": dict(
        expects=("both inputs stay as they are", "no view of them"), source=but("after[name].clone()", "after[name]")
    ),
    "counters_are_numbers": dict(
        expects=("both inputs stay as they are", "Integers are taken from after"),
        source=but(
            "torch.lerp(value, after[name], alpha) if value.is_floating_point() else after[name].clone()",
            "(1 - alpha) * value + alpha * after[name]",
        ),
    ),
    "counters_are_old": dict(
        expects=("both inputs stay as they are", "Integers are taken from after"),
        source=but("after[name].clone()", "value.clone()"),
    ),
    "only_between_the_ends": dict(
        expects=("real networks", "above 1 or below 0"),
        source=but("after[name], alpha)", "after[name], min(max(alpha, 0.0), 1.0))"),
    ),
    "biases_are_not_mixed": dict(
        expects=("real networks", "mixing weights is mixing outputs"),
        source=but("if value.is_floating_point()", "if value.is_floating_point() and 'bias' not in name"),
    ),
    "what_is_missing_stays": dict(
        expects=("real networks", "KeyError"),
        source=but('    if set(before) != set(after):\n        raise KeyError("names")\n', ""),
    ),
}
