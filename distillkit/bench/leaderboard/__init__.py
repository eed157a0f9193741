"""Builds the leaderboard: means with intervals, ranks, tests and costs from finished cells."""

from distillkit.bench.leaderboard._leaderboard import LeaderboardData, build_leaderboard
from distillkit.bench.leaderboard._overall import Overall
from distillkit.bench.leaderboard._panels import Panel
from distillkit.bench.leaderboard._table import COLUMNS

__all__ = ["COLUMNS", "LeaderboardData", "Overall", "Panel", "build_leaderboard"]
