"""Coresets based on the gradients of rows, or on the influence of rows on a model."""
