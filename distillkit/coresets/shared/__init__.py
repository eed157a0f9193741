"""Helpers shared by several coresets: proxy models, rankings, lazy greedy search, time budgets."""
