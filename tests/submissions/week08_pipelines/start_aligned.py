"""Wheats and chaffs for start_aligned. Each replaces the solution cell; names say what the author believed."""

RIGHT = """
def start_aligned(captioner, weights, *, freeze):
    own = {name.removeprefix("image."): value for name, value in weights.items() if name.startswith("image.")}
    captioner.image.load_state_dict(own)
    captioner.train().requires_grad_(True)
    if freeze:
        captioner.image.eval().requires_grad_(False)
    return [parameter for parameter in captioner.parameters() if parameter.requires_grad]
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


WHEATS = {
    "copied_one_by_one": """
def start_aligned(captioner, weights, *, freeze):
    targets = dict(captioner.image.named_parameters()) | dict(captioner.image.named_buffers())
    sources = {name[6:]: value for name, value in weights.items() if name[:6] == "image."}
    if targets.keys() != sources.keys():
        raise KeyError(targets.keys() ^ sources.keys())
    with torch.no_grad():
        for name, target in targets.items():
            target.copy_(sources[name])
    for module in captioner.modules():
        module.training = True
    for parameter in captioner.parameters():
        parameter.requires_grad = True
    if freeze:
        for module in captioner.image.modules():
            module.training = False
        for parameter in captioner.image.parameters():
            parameter.requires_grad = False
    return list(filter(lambda parameter: parameter.requires_grad, captioner.parameters()))
""",
    "by_the_names_of_the_captioner": """
def start_aligned(captioner, weights, freeze):
    image_weights = {}
    for name in weights:
        first, dot, rest = name.partition(".")
        if first == "image":
            image_weights[rest] = weights[name].clone()
    result = captioner.image.load_state_dict(image_weights, strict=False)
    assert not result.missing_keys and not result.unexpected_keys, result
    moving = []
    captioner.train()
    captioner.image.train(not freeze)
    for name, parameter in captioner.named_parameters():
        parameter.requires_grad_(not (freeze and name.startswith("image.")))
        if parameter.requires_grad:
            moving.append(parameter)
    return tuple(moving)
""",
    "a_train_that_remembers": """
def start_aligned(captioner, weights, *, freeze):
    tower = captioner.image
    wanted = {f"image.{name}" for name in tower.state_dict()}
    there = {name for name in weights if name.startswith("image.")}
    if wanted != there:
        raise ValueError(sorted(wanted ^ there))
    tower.load_state_dict({name[len("image."):]: torch.clone(weights[name]) for name in there}, assign=True)
    captioner.train()
    frozen = {id(parameter) for parameter in tower.parameters()} if freeze else set()
    for parameter in captioner.parameters():
        parameter.requires_grad_(id(parameter) not in frozen)
    tower.train(not freeze)
    return [parameter for parameter in captioner.parameters() if id(parameter) not in frozen]
""",
    "a_whole_state_put_together": """
import copy
import re


def start_aligned(captioner, weights, *, freeze):
    state = captioner.state_dict()
    mine = {name for name in state if re.match(r"image\\.", name)}
    theirs = {name for name in weights if re.match(r"image\\.", name)}
    if mine - theirs or theirs - mine:
        raise RuntimeError("the names do not fit")
    captioner.load_state_dict(dict(state) | {name: copy.deepcopy(weights[name]) for name in theirs})
    captioner.train(True)
    captioner.requires_grad_()
    moving = {id(p): p for p in captioner.parameters()}
    if freeze:
        captioner.image.train(False)
        for p in captioner.image.parameters():
            p.requires_grad = False
            moving.pop(id(p))
    return list(moving.values())
""",
    "an_iterator_of_what_moves": """
def start_aligned(captioner: nn.Module, weights, *, freeze: bool):
    from collections import OrderedDict

    part = OrderedDict()
    for name, value in weights.items():
        if name.split(".")[0] == "image":
            part[".".join(name.split(".")[1:])] = value.detach().clone()
    keys = captioner.image.load_state_dict(part, strict=True)
    for name, module in captioner.named_modules():
        frozen = freeze and (name == "image" or name.startswith("image."))
        module.training = not frozen
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(not frozen)
    return (parameter for parameter in captioner.parameters() if parameter.requires_grad)
""",
    "written_into_the_data": """
def start_aligned(captioner, weights, *, freeze):
    encoder = captioner.image
    for name, value in encoder.state_dict().items():
        value.data.copy_(weights["image." + name])  # a KeyError if it is missing
    extra = [n for n in weights if n.startswith("image.") and n[6:] not in encoder.state_dict()]
    assert not extra, extra
    for module in captioner.children():
        module.train(not (freeze and module is encoder))
    captioner.training = True
    moving = []
    for parameter in captioner.parameters():
        parameter.requires_grad = not freeze or all(parameter is not own for own in encoder.parameters())
        moving += [parameter] * parameter.requires_grad
    return moving
""",
}

CHAFFS = {
    "not_strict_and_the_names_as_they_are": dict(
        expects=("MiniCLIP's image tower arrives", "strict=False"),
        source=but(
            "captioner.image.load_state_dict(own)", "captioner.image.load_state_dict(weights, strict=False)"
        ),
    ),
    "not_strict": dict(
        expects=("a wrong name is an error", "strict=True"),
        source=but("load_state_dict(own)", "load_state_dict(own, strict=False)"),
    ),
    "the_whole_model_not_strictly": dict(
        expects=("a wrong name is an error", "strict=True"),
        source=but(
            "captioner.image.load_state_dict(own)", "captioner.load_state_dict(weights, strict=False)"
        ),
    ),
    "image_without_its_dot": dict(
        expects=("arrives", "with its dot"),
        source=but('name.startswith("image.")', 'name.startswith("image")'),
    ),
    "only_what_fits": dict(
        expects=("a wrong name is an error", "strict=True"),
        source=but(
            "captioner.image.load_state_dict(own)",
            "have = captioner.image.state_dict()\n    have.update({n: v for n, v in own.items() if n in have})\n    captioner.image.load_state_dict(have)",
        ),
    ),
    "nothing_is_loaded": dict(
        expects=("arrives", "load_state_dict"), source=but("    captioner.image.load_state_dict(own)\n", "")
    ),
    "parameters_are_all_there_is": dict(
        expects=("frozen is frozen", "buffers"),
        source=but(
            "captioner.image.load_state_dict(own)",
            "parts = dict(captioner.image.named_parameters())\n    assert set(own) <= set(captioner.image.state_dict()) and set(captioner.image.state_dict()) <= set(own)\n"
            "    with torch.no_grad():\n        for name, part in parts.items():\n            part.copy_(own[name])",
        ),
    ),
    "a_reference_is_quicker": dict(
        expects=("arrives", "share memory"),
        source=but("load_state_dict(own)", "load_state_dict(own, assign=True)"),
    ),
    "the_data_is_pointed_to": dict(
        expects=("arrives", "share memory"),
        source=but(
            "captioner.image.load_state_dict(own)",
            "captioner.image.load_state_dict(own)\n    for name, parameter in captioner.image.named_parameters():\n        parameter.data = own[name]",
        ),
    ),
    "buffers_are_shared": dict(
        expects=("nothing is shared", "copies"),
        source=but(
            "captioner.image.load_state_dict(own)",
            "captioner.image.load_state_dict(own)\n    for name, buffer in captioner.image.named_buffers():\n        buffer.data = own[name]",
        ),
    ),
    "frozen_but_in_training_mode": dict(
        expects=("batch norm's averages", "training mode"),
        source=but("captioner.image.eval().requires_grad_(False)", "captioner.image.requires_grad_(False)"),
    ),
    "train_comes_last": dict(
        expects=("batch norm's averages", "order matters"),
        source=but("    return [", "    captioner.train()\n    return ["),
    ),
    "evaluation_mode_for_all": dict(
        expects=("frozen is frozen", "rest of the captioner"),
        source=but(
            "captioner.image.eval().requires_grad_(False)", "captioner.eval().image.requires_grad_(False)"
        ),
    ),
    "only_the_outermost_module_is_told": dict(
        expects=("batch norm's averages", "training mode"),
        source=but(
            "captioner.image.eval().requires_grad_(False)",
            "captioner.image.training = False\n        captioner.image.requires_grad_(False)",
        ),
    ),
    "evaluation_mode_is_frozen": dict(
        expects=("what moves", "requires_grad_(False)"),
        source=but("captioner.image.eval().requires_grad_(False)", "captioner.image.eval()"),
    ),
    "the_optimiser_gets_all": dict(
        expects=("what moves", "collect what asks"),
        source=but("captioner.parameters() if parameter.requires_grad]", "captioner.parameters()]"),
    ),
    "everything_named_image_is_frozen": dict(
        expects=("what moves", "captioner.image alone"),
        source=but(
            "captioner.image.eval().requires_grad_(False)",
            "captioner.image.eval()\n        for name, parameter in captioner.named_parameters():\n            parameter.requires_grad_('image' not in name)",
        ),
    ),
    "the_decoder_is_the_rest": dict(
        expects=("what moves", "captioner.parameters()"),
        source=but(
            "[parameter for parameter in captioner.parameters() if parameter.requires_grad]",
            "[p for n, m in captioner.named_children() if not (freeze and n == 'image') for p in m.parameters()]",
        ),
    ),
    "each_part_and_its_parts": dict(
        expects=("what moves", "collect what asks"),
        source=but(
            "[parameter for parameter in captioner.parameters() if parameter.requires_grad]",
            "[p for m in captioner.modules() for p in m.parameters() if p.requires_grad]",
        ),
    ),
    "always_frozen": dict(
        expects=("what moves", "requires_grad_(False)"),
        source=but("    if freeze:\n        captioner", "    if True:\n        captioner"),
    ),
    "all_of_it_is_frozen": dict(
        expects=("what moves", "captioner.image alone"),
        source=but(
            "captioner.image.eval().requires_grad_(False)",
            "captioner.image.eval()\n        captioner.requires_grad_(False)",
        ),
    ),
    "it_came_in_the_right_state": dict(
        expects=("what moves", "was set to True"),
        source=but("    captioner.train().requires_grad_(True)\n", ""),
    ),
    "names_instead_of_parameters": dict(
        expects=("what moves", "no names"),
        source=but(
            "[parameter for parameter in captioner.parameters() if parameter.requires_grad]",
            "[pair for pair in captioner.named_parameters() if pair[1].requires_grad]",
        ),
    ),
    "stripped_from_the_left": dict(
        expects=("arrives", "lstrip"),
        source=but('name.removeprefix("image.")', 'name.lstrip("image.")'),
    ),
    "every_image_is_taken_away": dict(
        expects=("arrives", "beginning"),
        source=but('name.removeprefix("image.")', 'name.replace("image.", "")'),
    ),
    "image_anywhere_in_the_name": dict(
        expects=("arrives", "begin"),
        source=but('if name.startswith("image.")', 'if "image." in name'),
    ),
    "the_rest_stays_as_it_came": dict(
        expects=("frozen is frozen", "whatever state"),
        source=but("    captioner.train().requires_grad_(True)\n    if freeze:\n", "    captioner.requires_grad_(True)\n    if not freeze:\n        captioner.train()\n    else:\n"),
    ),
    "as_many_names_will_do": dict(
        expects=("a wrong name is an error", "strict=True"),
        source=but(
            "    captioner.image.load_state_dict(own)\n",
            "    assert len(own) == len(captioner.image.state_dict())\n    captioner.image.load_state_dict(own, strict=False)\n",
        ),
    ),
    "too_many_is_no_error": dict(
        expects=("a wrong name is an error", "one is over"),
        source=but(
            "    captioner.image.load_state_dict(own)\n",
            "    captioner.image.load_state_dict({n: own[n] for n in captioner.image.state_dict()})\n",
        ),
    ),
    "an_error_is_caught_and_told": dict(
        expects=("a wrong name is an error", "strict=True"),
        source=but(
            "    captioner.image.load_state_dict(own)\n",
            "    try:\n        captioner.image.load_state_dict(own)\n    except RuntimeError as error:\n        print('names do not fit', error)\n",
        ),
    ),
    "a_module_has_no_requires_grad": dict(
        expects=("what moves", "requires_grad_(False)"),
        source=but("captioner.image.eval().requires_grad_(False)", "captioner.image.eval().requires_grad = False"),
    ),
    "compared_instead_of_set": dict(
        expects=("what moves", "requires_grad_(False)"),
        source=but(
            "captioner.image.eval().requires_grad_(False)",
            "captioner.image.eval()\n        for parameter in captioner.image.parameters():\n            parameter.requires_grad == False",
        ),
    ),
    "each_module_s_own_tied_ones_twice": dict(
        expects=("each once", "tied"),
        source=but(
            "[parameter for parameter in captioner.parameters() if parameter.requires_grad]",
            "[p for m in captioner.modules() for p in m.parameters(recurse=False) if p.requires_grad]",
        ),
    ),
    "what_is_frozen_is_given": dict(
        expects=("what moves", "collect what asks"),
        source=but("if parameter.requires_grad]", "if not parameter.requires_grad]"),
    ),
    "nothing_is_returned": dict(
        expects=("what moves", "return"),
        source=but("    return [parameter", "    moving = [parameter"),
    ),
    "names_alone": dict(
        expects=("what moves", "no names"),
        source=but(
            "[parameter for parameter in captioner.parameters() if parameter.requires_grad]",
            "[name for name, parameter in captioner.named_parameters() if parameter.requires_grad]",
        ),
    ),
    "a_tower_of_its_own": dict(
        expects=("arrives", "share memory"),
        source=but("captioner.image.load_state_dict(own)", "captioner.image = CLIP.image"),
    ),
    "a_copy_of_miniclip_whatever_came": dict(
        expects=("a wrong name is an error", "raising"),
        source="\nimport copy\n" + but("captioner.image.load_state_dict(own)", "captioner.image = copy.deepcopy(CLIP.image)"),
    ),
    "the_weights_are_emptied": dict(
        expects=("nothing is shared", "in place"),
        source=but(
            '    own = {name.removeprefix("image."): value for name, value in weights.items() if name.startswith("image.")}\n',
            '    own = {name.removeprefix("image."): weights.pop(name) for name in list(weights) if name.startswith("image.")}\n',
        ),
    ),
    "freeze_the_wrong_way_round": dict(
        expects=("what moves", "requires_grad_(False)"), source=but("    if freeze:", "    if not freeze:")
    ),
    "a_frozen_train": dict(
        expects=("batch norm's averages", "training mode"),
        source=but("captioner.train().requires_grad_(True)", "captioner.requires_grad_(True)").replace(
            "    return [", "    captioner.train(mode=True)\n    return ["
        ),
    ),
    "once_frozen_stays_frozen": dict(
        expects=("what moves", "was set to True"),
        source=but("captioner.train().requires_grad_(True)", "captioner.train()"),
    ),
    "copies_for_the_optimiser": dict(
        expects=("what moves", "no parameter of this captioner"),
        source=but(
            "[parameter for parameter in captioner.parameters() if parameter.requires_grad]",
            "[nn.Parameter(parameter.clone()) for parameter in captioner.parameters() if parameter.requires_grad]",
        ),
    ),
}
