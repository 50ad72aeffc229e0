"""Wheats and chaffs for autoencoder. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "layers_by_hand": """
class Autoencoder(nn.Module):
    def __init__(self, dimension, bottleneck, *, hidden=128):
        super().__init__()
        self.in_ = nn.Linear(dimension, hidden)
        self.to_z = nn.Linear(hidden, bottleneck)
        self.from_z = nn.Linear(bottleneck, hidden)
        self.out = nn.Linear(hidden, dimension)

    def encode(self, x):
        return self.to_z(F.relu(self.in_(x)))

    def decode(self, z):
        return self.out(F.relu(self.from_z(z)))

    def forward(self, x):
        z = self.encode(x)
        return self.decode(z)
""",
    "sequential_with_silu": """
class Autoencoder(nn.Module):
    def __init__(self, dimension, bottleneck, *, hidden=128):
        super().__init__()
        self.net = nn.ModuleDict({
            "f": nn.Sequential(nn.Linear(dimension, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
                               nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, bottleneck)),
            "g": nn.Sequential(nn.Linear(bottleneck, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
                               nn.Linear(hidden, dimension)),
        })
    encode = lambda self, x: self.net["f"](x)
    decode = lambda self, z: self.net["g"](z)
    forward = lambda self, x: self.net["g"](self.net["f"](x))
""",
}

CHAFFS = {
    "relu_at_the_bottleneck": dict(expects=("any real value", "cuts or squeezes"), source="""
class Autoencoder(nn.Module):
    def __init__(self, dimension, bottleneck, *, hidden=128):
        super().__init__()
        self.encoder = nn.Sequential(mlp(dimension, hidden, hidden, bottleneck), nn.ReLU())
        self.decoder = mlp(bottleneck, hidden, hidden, dimension)
    def encode(self, x): return self.encoder(x)
    def decode(self, z): return self.decoder(z)
    def forward(self, x): return self.decode(self.encode(x))
"""),
    "tanh_at_the_bottleneck": dict(expects=("any real value", "squeezes"), source="""
class Autoencoder(nn.Module):
    def __init__(self, dimension, bottleneck, *, hidden=128):
        super().__init__()
        self.encoder = nn.Sequential(mlp(dimension, hidden, hidden, bottleneck), nn.Tanh())
        self.decoder = mlp(bottleneck, hidden, hidden, dimension)
    def encode(self, x): return self.encoder(x)
    def decode(self, z): return self.decoder(z)
    def forward(self, x): return self.decode(self.encode(x))
"""),
    "linear_is_deep_enough": dict(expects=("one curved coordinate", "PCA"), source="""
class Autoencoder(nn.Module):
    def __init__(self, dimension, bottleneck, *, hidden=128):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(dimension, hidden), nn.Linear(hidden, bottleneck))
        self.decoder = nn.Sequential(nn.Linear(bottleneck, hidden), nn.Linear(hidden, dimension))
    def encode(self, x): return self.encoder(x)
    def decode(self, z): return self.decoder(z)
    def forward(self, x): return self.decode(self.encode(x))
"""),
    "a_shortcut_around_the_bottleneck": dict(expects=("z and nothing else", "shortcut"), source="""
class Autoencoder(nn.Module):
    def __init__(self, dimension, bottleneck, *, hidden=128):
        super().__init__()
        self.encoder = mlp(dimension, hidden, hidden, bottleneck)
        self.decoder = mlp(bottleneck, hidden, hidden, dimension)
    def encode(self, x): return self.encoder(x)
    def decode(self, z): return self.decoder(z)
    def forward(self, x): return x + self.decode(self.encode(x))
"""),
    "forward_returns_both": dict(expects=("reconstruction has D", "nothing else"), source="""
class Autoencoder(nn.Module):
    def __init__(self, dimension, bottleneck, *, hidden=128):
        super().__init__()
        self.encoder = mlp(dimension, hidden, hidden, bottleneck)
        self.decoder = mlp(bottleneck, hidden, hidden, dimension)
    def encode(self, x): return self.encoder(x)
    def decode(self, z): return self.decoder(z)
    def forward(self, x):
        z = self.encode(x)
        return self.decode(z), z
"""),
    "layers_in_a_python_list": dict(expects=("known to the optimiser", "plain Python list"), source="""
class Autoencoder(nn.Module):
    def __init__(self, dimension, bottleneck, *, hidden=128):
        super().__init__()
        self.parts = [mlp(dimension, hidden, hidden, bottleneck), mlp(bottleneck, hidden, hidden, dimension)]
    def encode(self, x): return self.parts[0](x)
    def decode(self, z): return self.parts[1](z)
    def forward(self, x): return self.decode(self.encode(x))
"""),
    "the_encoder_is_frozen": dict(expects=("known to the optimiser", "detach"), source="""
class Autoencoder(nn.Module):
    def __init__(self, dimension, bottleneck, *, hidden=128):
        super().__init__()
        self.encoder = mlp(dimension, hidden, hidden, bottleneck)
        self.decoder = mlp(bottleneck, hidden, hidden, dimension)
    def encode(self, x): return self.encoder(x).detach()
    def decode(self, z): return self.decoder(z)
    def forward(self, x): return self.decode(self.encode(x))
"""),
    "the_bottleneck_is_the_hidden_layer": dict(expects=("z has m numbers", "(sample, m)"), source="""
class Autoencoder(nn.Module):
    def __init__(self, dimension, bottleneck, *, hidden=128):
        super().__init__()
        self.encoder = mlp(dimension, bottleneck, hidden)
        self.decoder = mlp(hidden, bottleneck, dimension)
    def encode(self, x): return self.encoder(x)
    def decode(self, z): return self.decoder(z)
    def forward(self, x): return self.decode(self.encode(x))
"""),
}
