"""Coresets that draw rows at random with unbiased weights: lightweight, sensitivity and leverage sampling."""
