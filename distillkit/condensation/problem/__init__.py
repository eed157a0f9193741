"""Training rows prepared for condensation, and the synthetic rows that optimization starts from."""
