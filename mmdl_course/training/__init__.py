"""How θ is learned: fitting, budgets and metrics."""
