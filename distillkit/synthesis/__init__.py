"""Synthesis: generators that make new rows for a class or a number. Importing it loads torch."""

from distillkit.synthesis._gan import GANSynthesizer

__all__ = ["GANSynthesizer"]
