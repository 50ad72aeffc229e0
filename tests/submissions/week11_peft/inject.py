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

# ---------------------------------------------------------------- new
WHEATS |= {
    "walking_while_replacing": """
def inject(model, pattern, make):
    model.requires_grad_(False)
    names = []
    for name, module in model.named_modules():
        if name and re.fullmatch(pattern, name):
            parent, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(parent), leaf, make(module))
            names.append(name)
    return names
""" + REST,
    "set_submodule_and_ordered_dicts": """
from collections import OrderedDict
from functools import reduce

def inject(model, pattern, make):
    for p in model.parameters():
        p.requires_grad_(False)
    matcher = re.compile(pattern)
    found = OrderedDict((n, m) for n, m in model.named_modules() if n != "" and matcher.fullmatch(n))
    for name, old in found.items():
        *path, leaf = name.split(".")
        parent = reduce(getattr, path, model)
        setattr(parent, leaf, make(old))
    return found.keys()

def get_delta(model):
    return OrderedDict((n, copy.deepcopy(p.data)) for n, p in model.named_parameters() if p.requires_grad)

@torch.no_grad()
def set_delta(model, delta):
    names = [n for n, p in model.named_parameters() if p.requires_grad]
    if sorted(names) != sorted(delta):
        raise KeyError("delta does not fit")
    for n in names:
        model.get_parameter(n)[...] = delta[n]
""",
    "parents_are_collected_first": """
def inject(model, pattern, make):
    model.requires_grad_(False)
    places = []
    for prefix, parent in model.named_modules():
        for leaf, child in parent.named_children():
            name = f"{prefix}.{leaf}" if prefix else leaf
            if re.fullmatch(pattern, name):
                places.append((name, parent, leaf, child))
    order = [n for n, _ in model.named_modules()]
    places.sort(key=lambda place: order.index(place[0]))
    for name, parent, leaf, child in places:
        parent._modules[leaf] = make(child)
    return tuple(place[0] for place in places)

def get_delta(model):
    delta = {}
    for name, p in model.named_parameters():
        if p.requires_grad:
            with torch.no_grad():
                delta[name] = p.clone()
    return delta

def set_delta(model, delta):
    own = get_delta(model)
    for name in own:
        if name not in delta:
            raise KeyError(f"missing {name}")
    for name in delta:
        if name not in own:
            raise KeyError(f"unexpected {name}")
    for name, p in model.named_parameters():
        if name in delta:
            p.data = delta[name].clone().to(p)
""",
    "recursion_on_named_children": """
def _inject(module, prefix, wanted, make):
    for leaf, child in list(module.named_children()):
        name = prefix + leaf
        if name in wanted:
            setattr(module, leaf, make(child))
        else:
            _inject(child, name + ".", wanted, make)

def inject(model, pattern, make):
    for p in model.parameters():
        p.requires_grad = False
    wanted = [n for n, _ in model.named_modules() if n and re.match(f"(?:{pattern})$", n)]
    _inject(model, "", set(wanted), make)
    return wanted

def get_delta(model):
    return dict((n, torch.tensor(p.detach().numpy())) for n, p in model.named_parameters() if p.requires_grad)

def set_delta(model, delta):
    moving = dict(filter(lambda item: item[1].requires_grad, model.named_parameters()))
    if moving.keys() ^ delta.keys():
        raise KeyError(*(moving.keys() ^ delta.keys()))
    for name, value in delta.items():
        moving[name].data.copy_(value)
""",
    "load_state_dict_does_it": """
def inject(model, pattern, make):
    model.requires_grad_(False)
    names = []
    for name in [n for n, m in model.named_modules()]:
        if name and re.fullmatch(pattern, name) is not None:
            names += [name]
    old = {n: model.get_submodule(n) for n in names}
    for n in names:
        cut = n.rfind(".")
        parent = model if cut < 0 else model.get_submodule(n[:cut])
        leaf = n[cut + 1:]
        if isinstance(parent, (nn.ModuleList, nn.Sequential)):
            parent[int(leaf)] = make(old[n])
        elif isinstance(parent, nn.ModuleDict):
            parent[leaf] = make(old[n])
        else:
            setattr(parent, leaf, make(old[n]))
    return names

def get_delta(model):
    return {n: p.detach().cpu().clone() for n, p in model.named_parameters() if p.requires_grad is True}

def set_delta(model, delta):
    moving = set(get_delta(model))
    if not moving == set(delta.keys()):
        raise KeyError
    model.load_state_dict({**model.state_dict(), **delta})
""",
}
CHAFFS |= {
    "a_match_from_the_start": dict(expects=("the right modules are replaced", "re.fullmatch"), source=but("re.fullmatch(pattern, name)", "re.match(pattern, name)")),
    "names_in_alphabetical_order": dict(expects=('the right modules', 'is not the same'), source=but("    return names\n", "    return sorted(names)\n")),
    "a_set_of_names": dict(expects=('the right modules', 'is not the same'), source=but("    return names\n", "    return set(names)\n")),
    "any_parameter_may_be_written": dict(expects=("names that do not fit", "KeyError"), source=but("    if set(moving) != set(delta):\n", "    everything = dict(model.named_parameters())\n    if set(moving) - set(delta) or set(delta) - set(everything):\n").replace("for name, parameter in moving.items():\n            parameter.copy_(delta[name])", "for name, value in delta.items():\n            everything[name].copy_(value)")),
    "written_before_it_is_refused": dict(expects=('names that do not fit', 'before the refusal'), source=but('    if set(moving) != set(delta):\n        raise KeyError(f"these are not in both: {sorted(set(moving) ^ set(delta))}")\n', "").replace("parameter.copy_(delta[name])\n", "parameter.copy_(delta[name])\n    for name in delta:\n        moving[name]\n")),
    "a_value_error": dict(expects=("names that do not fit", "KeyError"), source=but("raise KeyError(", "raise ValueError(")),
    "it_is_asserted": dict(expects=("names that do not fit", "KeyError"), source=but('    if set(moving) != set(delta):\n        raise KeyError(f"these are not in both: {sorted(set(moving) ^ set(delta))}")\n', "    assert set(moving) == set(delta)\n")),
    # "as_many_are_enough": dict(expects=("names that do not fit", "KeyError"), source=but("    if set(moving) != set(delta):\n", "    if len(moving) != len(delta):\n")),
    "writing_with_gradients": dict(expects=("a delta goes", "no_grad"), source=but("    with torch.no_grad():\n        for name, parameter in moving.items():\n            parameter", "    if True:\n        for name, parameter in moving.items():\n            parameter")),
    "recursion_into_what_was_put_in": dict(expects=("a pattern that also fits", "Collect"), source="""
def inject(model, pattern, make):
    model.requires_grad_(False)
    names = []

    def walk(module, prefix=""):
        for leaf, child in module.named_children():
            name = f"{prefix}.{leaf}" if prefix else leaf
            if re.fullmatch(pattern, name):
                names.append(name)
                child = make(child)
                setattr(module, leaf, child)
            walk(child, name)

    walk(model)
    return names
""" + REST),
    "only_what_is_replaced_is_frozen": dict(expects=("only what is new", "first, then replace"), source=but("    model.requires_grad_(False)\n", "").replace("    for name in names:\n", "    for name in names:\n        model.get_submodule(name).requires_grad_(False)\n")),
    "a_copy_of_the_model": dict(expects=('the right modules', 'was not replaced'), source=but("    model.requires_grad_(False)\n", "    model = copy.deepcopy(model)\n    model.requires_grad_(False)\n")),
    "the_model_is_returned": dict(expects=('the right modules', 'expected 4'), source=but("    return names\n", "    return model\n")),
    "substring": dict(expects=("the right modules", "fullmatch"), source=but("re.fullmatch(pattern, name)", "pattern in name")),
    "make_gets_a_name": dict(expects=('the right modules', 'old module'), source=but("make(model.get_submodule(name))", "make(name)")),
    "only_lora_has_a_delta": dict(expects=("a delta goes", "requires_grad"), source=but("for name, p in model.named_parameters() if p.requires_grad}\n\n\ndef set", "for name, p in model.named_parameters() if name.endswith(('.A', '.B'))}\n\n\ndef set")),
    "a_delta_without_names": dict(expects=('a delta goes', 'dictionary'), source=but("return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}", "return [p.detach().clone() for p in model.parameters() if p.requires_grad]")),
    "a_clone_with_its_graph": dict(expects=('a delta goes', 'carry gradients'), source=but("p.detach().clone()", "p.clone()")),
    "the_difference_is_added": dict(expects=('a delta is a copy', 'copy_'), source=but("parameter.copy_(delta[name])", "parameter.add_(delta[name])")),
    "leaf_names": dict(expects=('the right modules', 'whole dotted name'), source=but("    return names\n", "    return [name.split('.')[-1] for name in names]\n")),
}
