"""Wheats and chaffs for latent_interpolation. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "by_lerp": """
def latent_interpolation(model, start, end, *, steps):
    z0, z1 = model.encode(start[None]), model.encode(end[None])
    return model.decode(torch.lerp(z0, z1, torch.linspace(0, 1, steps)[:, None]))
""",
    "one_step_at_a_time": """
def latent_interpolation(model, start, end, *, steps):
    z0, z1 = model.encode(start.unsqueeze(0))[0], model.encode(end.unsqueeze(0))[0]
    path = []
    for i in range(steps):
        a = i / (steps - 1)
        path.append(model.decode((z0 + a * (z1 - z0)).unsqueeze(0)).squeeze(0))
    return torch.stack(path)
""",
}

CHAFFS = {
    "mixing_images": dict(expects=("45 degrees", "Mix the two z"), source="""
def latent_interpolation(model, start, end, *, steps):
    a = torch.linspace(0, 1, steps)[:, None]
    return (1 - a) * start + a * end
"""),
    "mixing_reconstructions": dict(expects=("45 degrees", "decode once"), source="""
def latent_interpolation(model, start, end, *, steps):
    x0, x1 = model.decode(model.encode(torch.stack([start, end])))
    a = torch.linspace(0, 1, steps)[:, None]
    return (1 - a) * x0 + a * x1
"""),
    "mixing_images_then_reconstructing": dict(expects=("equal steps", "linspace"), source="""
def latent_interpolation(model, start, end, *, steps):
    a = torch.linspace(0, 1, steps)[:, None]
    return model.decode(model.encode((1 - a) * start + a * end))
"""),
    "the_end_is_missing": dict(expects=("ends at the end", "misses the last"), source="""
def latent_interpolation(model, start, end, *, steps):
    z0, z1 = model.encode(torch.stack([start, end]))
    a = (torch.arange(steps) / steps)[:, None]
    return model.decode((1 - a) * z0 + a * z1)
"""),
    "from_the_end_to_the_start": dict(expects=("begins at the start", "both ends"), source="""
def latent_interpolation(model, start, end, *, steps):
    z0, z1 = model.encode(torch.stack([start, end]))
    a = torch.linspace(0, 1, steps)[:, None]
    return model.decode(a * z0 + (1 - a) * z1)
"""),
    "coordinates_are_the_answer": dict(expects=("45 degrees", "decode"), source="""
def latent_interpolation(model, start, end, *, steps):
    z0, z1 = model.encode(torch.stack([start, end]))
    a = torch.linspace(0, 1, steps)[:, None]
    return (1 - a) * z0 + a * z1
"""),
    "always_ten_steps": dict(expects=("equal steps", "steps"), source="""
def latent_interpolation(model, start, end, *, steps):
    z0, z1 = model.encode(torch.stack([start, end]))
    a = torch.linspace(0, 1, 11)[:, None]
    return model.decode((1 - a) * z0 + a * z1)
"""),
    "one_coordinate_is_enough": dict(expects=("fresh curved manifold", "do not assume"), source="""
def latent_interpolation(model, start, end, *, steps):
    z = model.encode(torch.stack([start, end]))
    way = torch.linspace(z[0, 0].item(), z[1, 0].item(), steps)
    path = z[:1].repeat(steps, 1)
    path[:, 0] = way
    return model.decode(path)
"""),
}
