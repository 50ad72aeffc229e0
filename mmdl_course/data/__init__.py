"""Where x and y come from: the world, manifolds and real data. No nn.Module here."""
