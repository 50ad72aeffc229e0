"""Wheats and chaffs for count_peft. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "counted_in_real_blocks": """
def count_peft(dim, depth, *, width, rank):
    block = Block(dim, heads=1)
    total = depth * sum(p.numel() for p in block.parameters())
    biases = depth * sum(p.numel() for n, p in block.named_parameters() if "bias" in n)
    layers = [m for m in block.modules() if isinstance(m, nn.Linear)]
    low = depth * sum(rank * m.in_features + m.out_features * rank for m in layers)
    small = depth * 2 * sum(p.numel() for m in (nn.Linear(dim, width), nn.Linear(width, dim)) for p in m.parameters())
    return {
        "full": (total, 8 * total, 16 * total),
        "BitFit": (biases, 8 * biases, 4 * total + 12 * biases),
        "adapter": (small, 8 * small, 4 * (total + small) + 12 * small),
        "LoRA": (low, 8 * low, 4 * (total + low) + 12 * low),
    }
""",
    "layer_by_layer_with_lists": """
def count_peft(dim, depth, *, width, rank):
    shapes = [(dim, dim)] * 4 + [(dim, 4 * dim), (4 * dim, dim)]
    matrices = sum(a * b for a, b in shapes)
    biases = sum(b for _, b in shapes) + 2 * dim
    block = matrices + biases + 2 * dim
    moving = {"full": block, "BitFit": biases, "adapter": 2 * ((dim + 1) * width + (width + 1) * dim),
              "LoRA": rank * sum(a + b for a, b in shapes)}
    out = {}
    for name, n in moving.items():
        stored = block + (n if name in ("adapter", "LoRA") else 0)
        out[name] = [depth * n, depth * n * 2 * 4, depth * (4 * stored + 3 * 4 * n)]
    return out
""",
}

RIGHT = """
def count_peft(dim, depth, *, width, rank):
    weights = depth * 12 * dim * dim
    biases = depth * (4 * dim + 5 * dim + 2 * dim)
    total = weights + biases + depth * 2 * dim
    adapters = depth * 2 * (2 * dim * width + width + dim)
    low_rank = depth * rank * (4 * 2 * dim + 2 * 5 * dim)
    moving = {"full": (total, 0), "BitFit": (biases, 0), "adapter": (adapters, adapters), "LoRA": (low_rank, low_rank)}
    return {name: (moves, 8 * moves, 4 * (total + new) + 12 * moves) for name, (moves, new) in moving.items()}
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


CHAFFS = {
    "norms_have_only_weights": dict(
        expects=("full and BitFit agree", "biases only"), source=but("+ 5 * dim + 2 * dim)", "+ 5 * dim)")
    ),
    "a_scale_is_a_bias": dict(
        expects=("full and BitFit agree", "not the norms' weights"),
        source=but(
            "total = weights + biases + depth * 2 * dim",
            "biases += depth * 2 * dim\n    total = weights + biases",
        ),
    ),
    "one_adapter_for_each_block": dict(
        expects=("adapter and LoRA of one block", "there are two of them"),
        source=but("depth * 2 * (2", "depth * (2"),
    ),
    "adapters_have_no_biases": dict(
        expects=("adapter and LoRA of one block", "2 + 1 numbers down"),
        source=but("(2 * dim * width + width + dim)", "(2 * dim * width)"),
    ),
    "lora_is_one_matrix": dict(
        expects=("adapter and LoRA of one block", "in + out"),
        source=but("(4 * 2 * dim + 2 * 5 * dim)", "(4 * dim + 2 * 4 * dim)"),
    ),
    "lora_sits_in_attention_only": dict(
        expects=("adapter and LoRA of one block", "one 2 → 8"),
        source=but("(4 * 2 * dim + 2 * 5 * dim)", "(4 * 2 * dim)"),
    ),
    "only_what_moves_is_there": dict(
        expects=("bytes", "a frozen weight still takes 4"),
        source=but("4 * (total + new) + 12 * moves", "16 * moves"),
    ),
    "new_numbers_weigh_nothing": dict(
        expects=("bytes", "blocks and what is new"), source=but("4 * (total + new)", "4 * total")
    ),
    "adam_keeps_one_average": dict(
        expects=("bytes", "Adam's averages"), source=but("8 * moves, 4 * (total + new) + 12 * moves", "4 * moves, 4 * (total + new) + 8 * moves")
    ),
    "the_gradient_is_state_too": dict(
        expects=("bytes", "2 · 4 bytes"), source=but("8 * moves, 4", "12 * moves, 4")
    ),
    "counted_in_numbers_not_bytes": dict(
        expects=("bytes", "2 · 4 bytes"), source=but("8 * moves, 4", "2 * moves, 4")
    ),
}

# ---------------------------------------------------------------- new
WHEATS |= {
    "torch_layers_on_the_meta_device": """
def count_peft(dim, depth, *, width, rank):
    with torch.device("meta"):
        block = nn.TransformerEncoderLayer(dim, 1, 4 * dim)
        adapter = nn.Sequential(nn.Linear(dim, width), nn.GELU(), nn.Linear(width, dim))
    number = lambda module: depth * sum(p.numel() for p in module.parameters())
    total, new = number(block), 2 * number(adapter)
    bias = depth * sum(p.numel() for n, p in block.named_parameters() if n.endswith("bias"))
    low = depth * rank * (8 * dim + 5 * dim + 5 * dim)

    def row(moves, stored):
        return moves, 2 * moves * 4, stored * 4 + 3 * moves * 4

    return dict(full=row(total, total), BitFit=row(bias, total), adapter=row(new, total + new), LoRA=row(low, total + low))
""",
    "numpy_rows": """
def count_peft(dim, depth, *, width, rank):
    layers = np.array([[dim, dim]] * 4 + [[dim, 4 * dim], [4 * dim, dim]])
    bias = layers[:, 1].sum() + 2 * dim
    block = layers.prod(axis=1).sum() + bias + 2 * dim
    moves = depth * np.array([block, bias, 2 * (2 * dim * width + dim + width), rank * layers.sum()])
    stored = depth * block + moves * np.array([0, 0, 1, 1])
    table = np.stack([moves, 8 * moves, 4 * stored + 12 * moves], axis=1)
    return dict(zip(["full", "BitFit", "adapter", "LoRA"], table))
""",
    "tensors_of_doubles": """
def count_peft(dim, depth, *, width, rank):
    d, w, r = (torch.tensor(float(v), dtype=torch.float64) for v in (dim, width, rank))
    total = depth * (12 * d ** 2 + 13 * d)
    new = {"full": 0 * d, "BitFit": 0 * d, "adapter": 2 * depth * (2 * d * w + d + w), "LoRA": 18 * d * r * depth}
    moves = dict(new, full=total, BitFit=11 * d * depth)
    return {k: (m, 8 * m, 4 * (total + new[k]) + 12 * m) for k, m in moves.items()}
""",
    "a_named_tuple_and_an_ordered_dict": """
from collections import OrderedDict, namedtuple
Cost = namedtuple("Cost", "moving optimiser memory")

def count_peft(dim, depth, *, width, rank):
    per_block = {"full": 12 * dim**2 + 13 * dim, "BitFit": 11 * dim, "adapter": 4 * dim * width + 2 * dim + 2 * width, "LoRA": 18 * dim * rank}
    base = depth * per_block["full"]
    result = OrderedDict()
    for method in ("LoRA", "adapter", "BitFit", "full"):
        n = depth * per_block[method]
        frozen = base + n if method in ("LoRA", "adapter") else base
        result[method] = Cost(float(n), 8.0 * n, 4.0 * frozen + 12.0 * n)
    return result
""",
}
CHAFFS |= {
    "biases_are_new_too": dict(expects=("bytes", "frozen weight"), source=but('"BitFit": (biases, 0)', '"BitFit": (biases, biases)')),
    "frozen_weights_have_moments": dict(expects=("bytes", "Adam's averages"), source=but("(moves, 8 * moves, 4", "(moves, 8 * (total + new), 4")),
    "what_moves_is_stored_apart": dict(expects=("bytes", "16 bytes"), source=but("4 * (total + new) + 12 * moves", "4 * (total + new + moves) + 12 * moves")),
    "half_precision": dict(expects=("bytes", "2 · 4 bytes"), source=but("(moves, 8 * moves, 4 * (total + new) + 12 * moves)", "(moves, 4 * moves, 2 * (total + new) + 6 * moves)")),
    "the_depth_is_for_the_base": dict(expects=("fresh sizes", "proportional to the depth"), source=but("adapters = depth * 2", "adapters = 2")),
    "the_depth_is_for_the_base_lora": dict(expects=("fresh sizes", "proportional to the depth"), source=but("low_rank = depth * rank", "low_rank = rank")),
    "an_adapter_for_every_layer": dict(expects=("adapter and LoRA of one block", "two of them"), source=but("depth * 2 * (2 * dim", "depth * 6 * (2 * dim")),
    "biases_are_as_long_as_the_input": dict(expects=("full and BitFit", "as many biases as outputs"), source=but("5 * dim + 2 * dim)", "dim + 4 * dim + dim)")),
    "two_numbers_are_enough": dict(expects=('full and BitFit', 'three numbers'), source=but("(moves, 8 * moves, 4 * (total + new) + 12 * moves)", "(moves, 4 * (total + new) + 12 * moves)")),
    "bytes_in_all_comes_second": dict(expects=('bytes', '2 · 4 bytes'), source=but("(moves, 8 * moves, 4 * (total + new) + 12 * moves)", "(moves, 4 * (total + new) + 12 * moves, 8 * moves)")),
    "a_dictionary_in_each": dict(expects=('full and BitFit', 'three numbers'), source=but("(moves, 8 * moves, 4 * (total + new) + 12 * moves)", "dict(moves=moves, state=8 * moves, all=4 * (total + new) + 12 * moves)")),
    "only_the_number": dict(expects=('full and BitFit', 'three numbers'), source=but("(moves, 8 * moves, 4 * (total + new) + 12 * moves)", "moves")),
    "mebibytes": dict(expects=('bytes', '2 · 4 bytes'), source=but("8 * moves, 4 * (total + new) + 12 * moves", "8 * moves / 2**20, (4 * (total + new) + 12 * moves) / 2**20")),
    "lora_has_biases": dict(expects=("adapter and LoRA of one block", "in + out"), source=but("(4 * 2 * dim + 2 * 5 * dim)", "(4 * 2 * dim + 2 * 5 * dim) + depth * 9 * dim")),
    "names_in_small_letters": dict(expects=("full and BitFit", "keys"), source=but('"BitFit": (b', '"bitfit": (b')),
}
