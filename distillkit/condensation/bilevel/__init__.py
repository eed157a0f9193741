"""Bilevel optimization through the unrolled training of networks."""
