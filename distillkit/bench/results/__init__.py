"""Stores the results of a suite in a folder: one file per cell, and the environment of the run."""
