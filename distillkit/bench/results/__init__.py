"""The results folder: one file for each cell, and the environment that it was computed in."""
