"""Runs the cells of a plan in child processes with limits of time and memory."""
