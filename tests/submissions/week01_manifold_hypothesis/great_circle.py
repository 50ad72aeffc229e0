"""Wheats and chaffs for great_circle. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "by_chord": """
def great_circle(start, end, *, radius=6371.0):
    def xyz(place):
        lat, lon = torch.deg2rad(place).T
        return torch.stack([lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()], dim=1)
    chord = (xyz(start) - xyz(end)).norm(dim=1)
    return radius * 2 * torch.asin((chord / 2).clamp(max=1))
""",
    "by_clamped_arccos": """
def great_circle(start, end, *, radius=6371.0):
    a, b = torch.deg2rad(start), torch.deg2rad(end)
    cosine = a[:, 0].sin() * b[:, 0].sin() + a[:, 0].cos() * b[:, 0].cos() * (a[:, 1] - b[:, 1]).cos()
    return radius * torch.acos(cosine.clamp(-1, 1))
""",
    "one_place_at_a_time_in_numpy": """
def great_circle(start, end, *, radius=6371.0):
    result = []
    for (lat1, lon1), (lat2, lon2) in zip(np.radians(start.numpy()), np.radians(end.numpy())):
        y = math.hypot(math.cos(lat2) * math.sin(lon2 - lon1),
                       math.cos(lat1) * math.sin(lat2) - math.sin(lat1) * math.cos(lat2) * math.cos(lon2 - lon1))
        x = math.sin(lat1) * math.sin(lat2) + math.cos(lat1) * math.cos(lat2) * math.cos(lon2 - lon1)
        result.append(radius * math.atan2(y, x))
    return torch.tensor(result)
""",
}

CHAFFS = {
    "pythagoras_on_the_map": dict(expects=("date line", "Pythagoras on the map"), source="""
def great_circle(start, end, *, radius=6371.0):
    return radius * (end - start).deg2rad().norm(dim=-1)
"""),
    "the_chord_is_the_way": dict(expects=("equator to the pole", "chord"), source="""
def great_circle(start, end, *, radius=6371.0):
    def xyz(place):
        lat, lon = torch.deg2rad(place).T
        return torch.stack([lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()], dim=1)
    return radius * (xyz(start) - xyz(end)).norm(dim=1)
"""),
    "degrees_are_radians": dict(expects=("equator to the pole", "radians"), source="""
def great_circle(start, end, *, radius=6371.0):
    (lat1, lon1), (lat2, lon2) = start.unbind(-1), end.unbind(-1)
    h = ((lat2 - lat1) / 2).sin() ** 2 + lat1.cos() * lat2.cos() * ((lon2 - lon1) / 2).sin() ** 2
    return 2 * radius * h.clamp(0, 1).sqrt().asin()
"""),
    "arccos_needs_no_clamp": dict(expects=("distance zero from itself", "NaN"), source="""
def great_circle(start, end, *, radius=6371.0):
    def xyz(place):
        lat, lon = torch.deg2rad(place).T
        return torch.stack([lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()], dim=1)
    return radius * torch.acos((xyz(start) * xyz(end)).sum(1))
"""),
    "longitude_shrinks_at_the_start_only": dict(expects=("fresh places", "half-way round"), source="""
def great_circle(start, end, *, radius=6371.0):
    (lat1, lon1), (lat2, lon2) = start.deg2rad().unbind(-1), end.deg2rad().unbind(-1)
    h = ((lat2 - lat1) / 2).sin() ** 2 + lat1.cos() ** 2 * ((lon2 - lon1) / 2).sin() ** 2
    return 2 * radius * h.clamp(0, 1).sqrt().asin()
"""),
    "the_earth_only": dict(expects=("equator to the pole", "arc"), source="""
def great_circle(start, end, *, radius=6371.0):
    a, b = torch.deg2rad(start), torch.deg2rad(end)
    cosine = a[:, 0].sin() * b[:, 0].sin() + a[:, 0].cos() * b[:, 0].cos() * (a[:, 1] - b[:, 1]).cos()
    return 6371.0 * torch.acos(cosine.clamp(-1, 1))
"""),
    "longitude_first": dict(expects=("equator to the pole", "Angles"), source="""
def great_circle(start, end, *, radius=6371.0):
    (lon1, lat1), (lon2, lat2) = start.deg2rad().unbind(-1), end.deg2rad().unbind(-1)
    h = ((lat2 - lat1) / 2).sin() ** 2 + lat1.cos() * lat2.cos() * ((lon2 - lon1) / 2).sin() ** 2
    return 2 * radius * h.clamp(0, 1).sqrt().asin()
"""),
}
