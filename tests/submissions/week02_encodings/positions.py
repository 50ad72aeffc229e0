"""Wheats and chaffs for positions. Each replaces the solution cell; names say what the author believed."""

RIGHT = """
def positions(places, dim):
    frequency = 10000.0 ** (-torch.arange(0, dim, 2) / dim)
    angle = places[:, None] * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


WHEATS = {
    "filled_in_by_stride": """
def positions(places, dim):
    out = torch.empty(len(places), dim)
    i = torch.arange(dim // 2)
    angle = places.float().unsqueeze(1) * torch.exp(-np.log(10000.0) * 2 * i / dim)
    out[:, 0::2] = torch.sin(angle)
    out[:, 1::2] = torch.cos(angle)
    return out
""",
    "one_number_at_a_time": """
import math

def positions(places, dim):
    rows = []
    for p in places.tolist():
        row = []
        for i in range(dim // 2):
            row += [math.sin(p / 10000 ** (2 * i / dim)), math.cos(p / 10000 ** (2 * i / dim))]
        rows.append(row)
    return torch.tensor(rows)
""",
    "in_numpy": """
def positions(places, dim):
    p = np.asarray(places)
    j = np.arange(dim)
    angle = p[:, None] / 10000.0 ** ((j - j % 2) / dim)
    return np.where(j % 2 == 0, np.sin(angle), np.cos(angle))
""",
    "a_cosine_is_a_later_sine": """
def positions(places, dim):
    j = torch.arange(dim, dtype=torch.float64)
    angle = torch.outer(places.double(), 1e4 ** (-2 * (j // 2) / dim)) + torch.pi / 2 * (j % 2)
    return angle.sin().float()
""",
    "complex_numbers": """
def positions(places, dim):
    w = 10000 ** (torch.arange(dim // 2, dtype=torch.float64) * -2 / dim)
    z = torch.polar(torch.ones(len(places), dim // 2, dtype=torch.float64), places.double()[:, None] * w[None])
    return torch.view_as_real(z).flip(-1).reshape(len(places), dim)
""",
}

CHAFFS = {
    "all_sines_first": dict(
        expects=("by hand", "another layout"),
        source=but(
            "torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)",
            "torch.cat([angle.sin(), angle.cos()], dim=1)",
        ),
    ),
    "cosine_first": dict(
        expects=("one hand and two hands", "sin p, cos p"),
        source=but("[angle.sin(), angle.cos()]", "[angle.cos(), angle.sin()]"),
    ),
    "each_column_has_its_own_frequency": dict(
        expects=("offset alone", "the *same* angle"),
        source="""
def positions(places, dim):
    angle = places[:, None] * 10000.0 ** (-torch.arange(dim) / dim)
    out = angle.sin()
    out[:, 1::2] = angle[:, 1::2].cos()
    return out
""",
    ),
    "i_instead_of_2i": dict(
        expects=("two hands", "10000^(−2/4)"), source=but("torch.arange(0, dim, 2)", "torch.arange(dim // 2)")
    ),
    "twice_the_column": dict(
        expects=("two hands", "10000^(−2/4)"),
        source=but("torch.arange(0, dim, 2)", "2 * torch.arange(0, dim, 2)"),
    ),
    "slowest_hand_is_exactly_10000": dict(
        expects=("two hands", "10000^(−2/4)"),
        source=but("torch.arange(0, dim, 2) / dim", "torch.arange(dim // 2) / max(dim // 2 - 1, 1)"),
    ),
    "base_1000": dict(expects=("two hands", "10000^(−2/4)"), source=but("10000.0", "1000.0")),
    "the_exponent_is_positive": dict(expects=("two hands", "10000^(−2/4)"), source=but("(-torch", "(torch")),
    "the_list_is_0_to_n": dict(
        expects=("by hand", "not its number in the list"),
        source=but("places[:, None]", "torch.arange(len(places))[:, None]"),
    ),
    "counted_from_one": dict(
        expects=("by hand", "what stands in places"), source=but("places[:", "(places + 1)[:")
    ),
    "as_a_part_of_the_longest": dict(
        expects=("by hand", "what stands in places"),
        source=but("places[:, None]", "(places / places.max())[:, None]"),
    ),
    "whole_turns": dict(
        expects=("by hand", "Angles are radians"),
        source=but("places[:, None]", "2 * torch.pi * places[:, None]"),
    ),
    "degrees": dict(
        expects=("by hand", "Angles are radians"),
        source=but("places[:, None]", "torch.deg2rad(places.float())[:, None]"),
    ),
    "of_length_one": dict(
        expects=("two hands", "sin p, cos p"), source=but(".flatten(1)", ".flatten(1) / (dim / 2) ** 0.5")
    ),
    "whole_exponents": dict(
        expects=("two hands", "10000^(−2/4)"),
        source=but("torch.arange(0, dim, 2) / dim", "torch.arange(0, dim, 2) // dim"),
    ),
    "sines_in_the_first_rows": dict(
        expects=("by hand", "shape"),
        source=but("dim=2).flatten(1)", "dim=0).flatten(0, 1)"),
    ),
}

# --- new

WHEATS |= {
    "two_plain_loops": """
def positions(places, dim):
    result = np.zeros((len(places), dim))
    for row, p in enumerate(places):
        for j in range(0, dim, 2):
            w = 1 / np.power(10000, j / dim)
            result[row][j] = np.sin(w * p)
            result[row][j + 1] = np.cos(w * p)
    return torch.from_numpy(result)
""",
    "each_angle_twice": """
def positions(places, dim):
    frequency = torch.logspace(0, -4 * (dim - 2) / dim, dim // 2, dtype=torch.float64)
    angles = torch.einsum("p,f->pf", places.to(torch.float64), frequency).repeat_interleave(2, dim=1)
    return torch.where(torch.arange(dim) % 2 == 0, torch.sin(angles), torch.cos(angles))
""",
    "columns_from_a_list": """
def positions(places, dim):
    columns = []
    for i in range(dim // 2):
        angle = places * 10000 ** (-2 * i / dim)
        columns.append(torch.sin(angle))
        columns.append(torch.cos(angle))
    return torch.stack(columns, -1)
""",
    "transposed_and_reshaped": """
def positions(places, dim):
    base = torch.tensor(10000.0, dtype=torch.float64)
    angle = places.unsqueeze(-1) / torch.pow(base, torch.arange(dim // 2) * 2 / dim)
    both = torch.cat((torch.sin(angle), torch.cos(angle)), dim=-1)
    return both.view(-1, 2, dim // 2).transpose(1, 2).reshape(places.shape[0], dim)
""",
    "turned_step_by_step": """
def positions(places, dim):
    import cmath
    turns = [cmath.exp(1j * 10000 ** (-2 * i / dim)) for i in range(dim // 2)]
    return torch.tensor([[f(t ** p) for t in turns for f in (lambda z: z.imag, lambda z: z.real)] for p in map(int, places)])
""",
    "a_module_with_a_buffer": """
class _Positions(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.register_buffer("w", torch.exp(torch.arange(0, dim, 2).float() * -(np.log(10000.0) / dim)))

    def forward(self, p):
        pe = torch.zeros(p.size(0), 2 * self.w.size(0), requires_grad=False)
        pe[:, 0::2] = torch.sin(p.float().view(-1, 1) * self.w)
        pe[:, 1::2] = torch.cos(p.float().view(-1, 1) * self.w)
        return pe

def positions(places, dim):
    return _Positions(dim)(places)
""",
}

CHAFFS |= {
    "a_table_to_look_up": dict(
        expects=("fresh sizes", "negative"),
        source="""
def positions(places, dim):
    angle = torch.arange(2000)[:, None] * 10000.0 ** (-torch.arange(0, dim, 2) / dim)
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)[places]
""",
    ),
    "places_are_sizes": dict(
        expects=("fresh sizes", "negative"), source=but("places[:, None]", "places.abs()[:, None]")
    ),
    "nothing_before_the_start": dict(
        expects=("fresh sizes", "negative"), source=but("places[:, None]", "places.clamp(min=0)[:, None]")
    ),
    "from_the_first_place": dict(
        expects=("by hand", "what stands in places"),
        source=but("places[:, None]", "(places - places.min())[:, None]"),
    ),
    "in_order": dict(expects=("by hand", "what stands in places"), source=but("places[:", "places.sort().values[:")),
    "slow_hands_first": dict(
        expects=("two hands", "the fastest hand"), source=but("places[:, None] * frequency", "places[:, None] * frequency.flip(0)")
    ),
    "one_word_is_no_table": dict(
        expects=("a shift", "shape is"), source=but(".flatten(1)", ".flatten(1).squeeze(0)")
    ),
    "the_square_of_the_frequency": dict(
        expects=("two hands", "10000^(−2/4)"), source=but("torch.arange(0, dim, 2) / dim", "torch.arange(0, dim, 2) / (dim // 2)")
    ),
    "hands_counted_from_one": dict(
        expects=("by hand", "ω = 1"), source=but("torch.arange(0, dim, 2)", "torch.arange(2, dim + 1, 2)")
    ),
    "one_over_i": dict(
        expects=("two hands", "10000^(−2/4)"),
        source=but("10000.0 ** (-torch.arange(0, dim, 2) / dim)", "1.0 / (1 + torch.arange(0, dim, 2))"),
    ),
    "powers_of_two": dict(
        expects=("two hands", "10000^(−2/4)"),
        source=but("10000.0 ** (-torch.arange(0, dim, 2) / dim)", "2.0 ** -torch.arange(dim // 2)"),
    ),
    "sine_and_negative_cosine": dict(
        expects=("one hand", "are off"), source=but("angle.cos()]", "-angle.cos()]")
    ),
    "angles_themselves": dict(
        expects=("one hand", "are off"), source=but("[angle.sin(), angle.cos()]", "[angle, angle]")
    ),
    "half_precision": dict(
        expects=("inner product", "off"), source=but("angle = places[:, None] * frequency", "angle = (places[:, None].half() * frequency.half()).float()")
    ),
    "positions_up_to_512": dict(
        expects=("fresh sizes", "off"), source=but("places[:, None]", "(places % 512)[:, None]")
    ),
}
