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
