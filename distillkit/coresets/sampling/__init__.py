"""Coresets by random sampling with unbiased weights: lightweight, sensitivity, leverage."""
