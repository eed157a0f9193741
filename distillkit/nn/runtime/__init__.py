"""Devices, threads, memory, seeds and compiled loops."""
