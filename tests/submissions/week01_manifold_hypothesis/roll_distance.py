"""Wheats and chaffs for roll_distance. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "by_numerical_integration": """
def roll_distance(start, end, *, growth=manifolds.BAND.growth):
    ways = []
    for (t0, h0), (t1, h1) in zip(start.tolist(), end.tolist()):
        t = np.linspace(t0, t1, 4001)
        s = np.trapezoid(growth * np.sqrt(1 + t**2), t)
        ways.append(math.hypot(s, h1 - h0))
    return torch.tensor(ways, dtype=start.dtype)
""",
    "by_hypot": """
def roll_distance(start, end, *, growth=manifolds.BAND.growth):
    def s(t):
        return growth / 2 * (t * torch.sqrt(1 + t * t) + torch.log(t + torch.sqrt(1 + t * t)))
    return torch.hypot(s(start[:, 0]) - s(end[:, 0]), start[:, 1] - end[:, 1])
""",
}

CHAFFS = {
    "the_chord_is_the_way": dict(expects=("along the turns", "through the air"), source="""
def roll_distance(start, end, *, growth=manifolds.BAND.growth):
    def xyz(p):
        t, h = p.unbind(-1)
        return torch.stack([growth * t * t.cos(), h, growth * t * t.sin()], dim=-1)
    return (xyz(start) - xyz(end)).norm(dim=-1)
"""),
    "angle_is_length": dict(expects=("along the turns", "not of t"), source="""
def roll_distance(start, end, *, growth=manifolds.BAND.growth):
    return (end - start).norm(dim=-1)
"""),
    "radius_times_angle": dict(expects=("along the turns", "s(t)"), source="""
def roll_distance(start, end, *, growth=manifolds.BAND.growth):
    s = growth * start[:, 0] * (end[:, 0] - start[:, 0])
    return torch.hypot(s, end[:, 1] - start[:, 1])
"""),
    "two_sides_of_the_rectangle": dict(expects=("slanting direction", "two sides of a rectangle"), source="""
def roll_distance(start, end, *, growth=manifolds.BAND.growth):
    def s(t):
        return growth / 2 * (t * torch.sqrt(1 + t * t) + torch.asinh(t))
    return (s(end[:, 0]) - s(start[:, 0])).abs() + (end[:, 1] - start[:, 1]).abs()
"""),
    "height_does_not_count": dict(expects=("straight up", "Δh"), source="""
def roll_distance(start, end, *, growth=manifolds.BAND.growth):
    def s(t):
        return growth / 2 * (t * torch.sqrt(1 + t * t) + torch.asinh(t))
    return (s(end[:, 0]) - s(start[:, 0])).abs()
"""),
    "distance_has_a_sign": dict(expects=("way back", "no sign"), source="""
def roll_distance(start, end, *, growth=manifolds.BAND.growth):
    def s(t):
        return growth / 2 * (t * torch.sqrt(1 + t * t) + torch.asinh(t))
    ds, dh = s(end[:, 0]) - s(start[:, 0]), end[:, 1] - start[:, 1]
    return torch.where(ds == 0, dh.abs(), ds.sign() * torch.hypot(ds, dh))
"""),
    "the_growth_is_forgotten": dict(expects=("along the turns", "s(t)"), source="""
def roll_distance(start, end, *, growth=manifolds.BAND.growth):
    def s(t):
        return (t * torch.sqrt(1 + t * t) + torch.asinh(t)) / 2
    return torch.hypot(s(end[:, 0]) - s(start[:, 0]), end[:, 1] - start[:, 1])
"""),
}
