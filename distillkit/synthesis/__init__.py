"""Synthesis: distillers that train a generator of new rows for classes or numbers.

Importing this package loads torch.
"""

from distillkit.synthesis._gan import GANSynthesizer

__all__ = ["GANSynthesizer"]
