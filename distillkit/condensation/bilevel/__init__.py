"""Bilevel distillation: synthetic rows optimized through the unrolled training of networks."""
