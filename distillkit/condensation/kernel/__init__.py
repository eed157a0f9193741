"""Kernel ridge regression on the features of networks."""
