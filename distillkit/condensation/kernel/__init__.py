"""Kernel matching: synthetic rows on which kernel ridge regression predicts the real rows."""
