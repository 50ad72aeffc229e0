"""Wheats and chaffs for inject. Each replaces the solution cell; names say what the author believed."""

REST = """

def get_delta(model):
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def set_delta(model, delta):
    moving = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if set(moving) != set(delta):
        raise KeyError(f"these are not in both: {sorted(set(moving) ^ set(delta))}")
    with torch.no_grad():
        for name, parameter in moving.items():
            parameter.copy_(delta[name])
"""
RIGHT = (
    """
def inject(model, pattern, make):
    model.requires_grad_(False)
    names = [name for name, _ in model.named_modules() if name and re.fullmatch(pattern, name)]
    for name in names:
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, make(model.get_submodule(name)))
    return names
"""
    + REST
)

WHEATS = {
    "walks_the_tree_itself": """
def inject(model, pattern, make):
    for p in model.parameters():
        p.requires_grad = False
    found = []

    def walk(module, prefix):
        for leaf, child in list(module.named_children()):
            name = f"{prefix}{leaf}"
            if re.compile(pattern).fullmatch(name):
                found.append(name)
                module._modules[leaf] = make(child)
            else:
                walk(child, name + ".")

    walk(model, "")
    return found
"""
    + REST,
    "through_the_state_dict": """
def inject(model, pattern, make):
    model.requires_grad_(False)
    todo = {name: module for name, module in model.named_modules() if re.fullmatch(pattern, name) and name}
    for name, module in todo.items():
        *path, leaf = name.split(".")
        parent = model
        for step in path:
            parent = getattr(parent, step) if not step.isdigit() else parent[int(step)]
            if isinstance(parent, nn.Module) is False:
                raise TypeError(step)
        parent.add_module(leaf, make(module))
    return list(todo)


def get_delta(model):
    moves = {name for name, p in model.named_parameters() if p.requires_grad}
    return {name: value.clone() for name, value in model.state_dict().items() if name in moves}


def set_delta(model, delta):
    moves = {name for name, p in model.named_parameters() if p.requires_grad}
    for name in moves.symmetric_difference(delta):
        raise KeyError(name)
    model.load_state_dict(dict(delta), strict=False)
""".replace(
        "getattr(parent, step) if not step.isdigit() else parent[int(step)]", "parent.get_submodule(step)"
    ),
}


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


CHAFFS = {
    "a_name_may_match_anywhere": dict(
        expects=("the right modules are replaced", "re.fullmatch"),
        source=but("re.fullmatch(pattern, name)", "re.search(pattern, name)"),
    ),
    "the_last_part_is_the_name": dict(
        expects=("the right modules are replaced", "whole dotted name"),
        source=but("re.fullmatch(pattern, name)", "re.fullmatch(pattern, name.split('.')[-1])"),
    ),
    "setattr_understands_dots": dict(
        expects=("the right modules are replaced", "setattr works for lists"),
        source=but(
            "setattr(model.get_submodule(parent), leaf, make(model.get_submodule(name)))",
            "setattr(model, name.replace('.', '_'), make(model.get_submodule(name)))",
        ),
    ),
    "the_names_are_not_needed": dict(
        expects=("the right modules are replaced", "whole dotted name"),
        source=but("    return names\n", "    return len(names)\n"),
    ),
    "the_model_is_frozen_already": dict(
        expects=("only what is new may move", "first, then replace"),
        source=but("    model.requires_grad_(False)\n", ""),
    ),
    "freeze_at_the_end": dict(
        expects=("only what is new may move", "first, then replace"),
        source=but("    model.requires_grad_(False)\n", "").replace(
            "    return names\n", "    model.requires_grad_(False)\n    return names\n"
        ),
    ),
    "again_until_nothing_is_left": dict(
        expects=("a pattern that also fits what was put in", "Collect all names"),
        source=but(
            "    return names\n",
            "    for name, _ in list(model.named_modules()):\n"
            "        if name and name not in names and re.fullmatch(pattern, name):\n"
            "            parent, _, leaf = name.rpartition('.')\n"
            "            setattr(model.get_submodule(parent), leaf, make(model.get_submodule(name)))\n"
            "    return names\n",
        ),
    ),
    "a_delta_is_the_whole_model": dict(
        expects=("a delta goes from one copy", "what has requires_grad"),
        source=but(
            "for name, p in model.named_parameters() if p.requires_grad}\n\n\ndef set",
            "for name, p in model.named_parameters()}\n\n\ndef set",
        ),
    ),
    "the_numbers_are_in_the_model": dict(
        expects=("a delta is a copy", ".detach().clone()"), source=but("p.detach().clone()", "p.detach()")
    ),
    "setting_is_assigning": dict(
        expects=("a delta is a copy", "does not share"),
        source=but("parameter.copy_(delta[name])", "parameter.data = delta[name]"),
    ),
    "what_is_missing_stays": dict(
        expects=("names that do not fit", "KeyError"),
        source=but("    if set(moving) != set(delta):\n", "    if set(delta) - set(moving):\n").replace(
            "for name, parameter in moving.items():\n            parameter",
            "for name, parameter in moving.items():\n            if name in delta: parameter",
        ),
    ),
    "what_is_too_much_is_ignored": dict(
        expects=("names that do not fit", "one too many"),
        source=but("    if set(moving) != set(delta):\n", "    if set(moving) - set(delta):\n"),
    ),
}
