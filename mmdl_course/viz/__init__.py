"""Arrays in, figures and explorers out. Trains nothing."""
