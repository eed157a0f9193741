"""Coresets by the gradients or the influence of rows on a model."""
