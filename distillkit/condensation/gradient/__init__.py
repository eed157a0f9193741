"""Gradient matching: synthetic rows on which networks get the same gradients as on real rows."""
