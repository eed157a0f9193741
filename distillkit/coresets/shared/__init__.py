"""Helpers that several coresets use: proxy models, rankings, lazy greedy selection, time shares."""
