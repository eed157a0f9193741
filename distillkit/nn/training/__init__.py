"""Training of networks: losses, recipes, and the training loop."""
