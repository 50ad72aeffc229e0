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

# ---------------------------------------------------------------- new
WHEATS |= {
    "deep_copies_and_in_place": """
import copy as _copy

def interpolate(before, after, alpha):
    if set(before.keys()) ^ set(after.keys()):
        raise KeyError("state dicts do not fit")
    result = _copy.deepcopy(dict(before))
    for key in result:
        if torch.is_floating_point(result[key]):
            result[key].mul_(1 - alpha).add_(after[key], alpha=alpha)
        else:
            result[key] = after[key].detach().clone()
    return result
""",
    "an_ordered_dict_through_numpy": """
from collections import OrderedDict

def interpolate(before, after, alpha):
    out = OrderedDict()
    for name in sorted(set(before) | set(after)):
        a, b = before[name], after[name]
        if a.dtype in (torch.float16, torch.float32, torch.float64, torch.bfloat16):
            mixed = (1 - alpha) * a.double().numpy() + alpha * b.double().numpy()
            out[name] = torch.as_tensor(mixed).to(a.dtype)
        else:
            out[name] = torch.tensor(b.numpy())
    return out
""",
    "all_weights_in_one_vector": """
def interpolate(before, after, alpha):
    if before.keys() != after.keys():
        raise KeyError("other names")
    names = [n for n, v in before.items() if v.is_floating_point()]
    flat = lambda weights: torch.cat([weights[n].reshape(-1) for n in names])
    mixed = torch.lerp(flat(before), flat(after), torch.tensor(alpha)) if names else torch.zeros(0)
    parts = mixed.split([before[n].numel() for n in names])
    new = {n: part.reshape(before[n].shape).clone() for n, part in zip(names, parts)}
    return {n: new[n] if n in new else after[n].clone() for n in before}
""",
    "einsum_of_a_stack": """
@torch.no_grad()
def interpolate(before, after, alpha):
    missing = [n for n in {**before, **after} if not (n in before and n in after)]
    if missing:
        raise KeyError(missing)
    share = torch.tensor([1 - alpha, alpha])
    mix = lambda a, b: torch.einsum("s,s...->...", share.to(a), torch.stack([a, b]))
    return {n: mix(before[n], after[n]) if before[n].is_floating_point() else after[n].clone() for n in before.keys()}
""",
}
CHAFFS |= {
    "one_after_the_other": dict(expects=('real networks', 'by name'), source="""
def interpolate(before, after, alpha):
    if set(before) != set(after):
        raise KeyError("names")
    return {
        name: torch.lerp(a, b, alpha) if a.is_floating_point() else b.clone()
        for (name, a), b in zip(before.items(), after.values())
    }
"""),
    "other_order_other_names": dict(expects=('real networks', 'KeyError'), source=but("if set(before) != set(after):", "if list(before) != list(after):")),
    "a_counter_is_a_long": dict(expects=('real networks', 'dtype'), source=but("if value.is_floating_point()", "if value.dtype != torch.int64")),
    "a_single_number_is_a_counter": dict(expects=('real networks', 'not of a float type'), source=but("if value.is_floating_point()", "if value.dim() > 0")),
    "counters_by_name": dict(expects=('both inputs', 'Integers'), source=but("if value.is_floating_point()", "if 'num_batches' not in name")),
    "counters_are_left_out": dict(expects=("both inputs", "Integers"), source=but("        name: torch.lerp(value, after[name], alpha) if value.is_floating_point() else after[name].clone()\n        for name, value in before.items()\n", "        name: torch.lerp(value, after[name], alpha)\n        for name, value in before.items() if value.is_floating_point()\n")),
    "counters_are_rounded": dict(expects=("both inputs", "Integers"), source=but("torch.lerp(value, after[name], alpha) if value.is_floating_point() else after[name].clone()", "((1 - alpha) * value + alpha * after[name]).to(value.dtype)")),
    "running_numbers_are_not_weights": dict(expects=('real networks', 'are off'), source=but("if value.is_floating_point()", "if value.is_floating_point() and 'running' not in name")),
    "a_value_error": dict(expects=("real networks", "KeyError"), source=but("raise KeyError(", "raise ValueError(")),
    "what_both_have": dict(expects=("real networks", "KeyError"), source=but('    if set(before) != set(after):\n        raise KeyError("names")\n', "").replace("for name, value in before.items()", "for name, value in before.items() if name in after")),
    "the_squares_are_kept": dict(expects=("a quarter", "(1 − α)"), source=but("torch.lerp(value, after[name], alpha)", "((1 - alpha) ** 0.5 * value + alpha ** 0.5 * after[name])")),
    "the_sum": dict(expects=("a quarter", "(1 − α)"), source=but("torch.lerp(value, after[name], alpha)", "value + alpha * after[name]")),
    "a_list_of_tensors": dict(expects=('a quarter', 'dictionary'), source=but("    return {\n        name: torch", "    return [\n        torch").replace("        for name, value in before.items()\n    }", "        for name, value in before.items()\n    ]")),
    "a_view_of_the_counter": dict(expects=("both inputs", "view"), source=but("after[name].clone()", "after[name].detach()")),
}
