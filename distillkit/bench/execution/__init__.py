"""Runs the cells of a plan in child processes with limits on time and memory."""
