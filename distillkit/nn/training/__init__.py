"""Losses and the loop that trains a network on rows."""
